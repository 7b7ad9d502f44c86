"""The features by their definitions, from the whole history each time: plain numpy, no state. The judge of `models.features`.

A history is the tape's records and the top of the book after each: (n, 4) bid, bid lots, ask, ask lots.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.tape import FLAG_HALF_TICK, Kind, Tape

I64 = NDArray[np.int64]
UNKNOWN = (0.0, False)
Value = tuple[float, bool]


class Print(NamedTuple):
    at: int
    side: int
    lots: int


def order_flow(tops: I64) -> Value:
    """Every change of the top, by the definition of Cont, Kukanov and Stoikov with an empty side at the end of the world."""
    far = 2**40
    tops = np.vstack([[0, 0, 0, 0], tops])
    bid = np.where(tops[:, 1] > 0, tops[:, 0], -far)
    ask = np.where(tops[:, 3] > 0, tops[:, 2], far)
    d_bid = np.where(bid[1:] >= bid[:-1], tops[1:, 1], 0) - np.where(bid[1:] <= bid[:-1], tops[:-1, 1], 0)
    d_ask = np.where(ask[1:] <= ask[:-1], tops[1:, 3], 0) - np.where(ask[1:] >= ask[:-1], tops[:-1, 3], 0)
    changed = np.flatnonzero((tops[1:] != tops[:-1]).any(axis=1))[-10:]
    size = int(np.abs(d_bid[changed]).sum() + np.abs(d_ask[changed]).sum())
    return (float(d_bid[changed].sum() - d_ask[changed].sum()) / size, True) if size else UNKNOWN


def queue(tops: I64) -> Value:
    _, bid_lots, _, ask_lots = tops[-1].tolist()
    return ((bid_lots - ask_lots) / (bid_lots + ask_lots), True) if bid_lots + ask_lots else UNKNOWN


def prints(tape: Tape, tops: I64) -> list[Print]:
    """Every print with its direction, by Lee and Ready where the tape has none."""
    found, prices = [], []
    for i in np.flatnonzero(np.isin(tape["kind"], [Kind.EXECUTE, Kind.TRADE]) & (tape["size_lots"] > 0)).tolist():
        e = tape[i]
        price = 2 * int(e["price_ticks"]) + int(e["flags"] & FLAG_HALF_TICK)
        prices.append(price)
        side = -int(np.sign(e["side"]))
        if side == 0 and i and tops[i - 1, 1] and tops[i - 1, 3]:
            side = int(np.sign(price - tops[i - 1, 0] - tops[i - 1, 2]))
        if side == 0:
            moves = np.diff(prices)
            moves = moves[moves != 0]
            side = int(np.sign(moves[-1])) if moves.size else 0
        found.append(Print(i, side, int(e["size_lots"])))
    return found


def toxicity(tape: Tape, tops: I64, bucket: int, buckets: int) -> Value:
    """One lot after the other."""
    signs = np.concatenate([np.zeros(0, np.int64)] + [np.full(p.lots, p.side) for p in prints(tape, tops) if p.side])
    full = signs.size // bucket
    if not full:
        return UNKNOWN
    return float(np.abs(signs[: full * bucket].reshape(full, bucket).sum(axis=1))[-buckets:].mean() / bucket), True


def spread(tape: Tape, tops: I64, half_life_ns: int) -> Value:
    """Each stretch of time weighs what is left of it, and the first spread what is left of everything."""
    usable = (tops[:, 1] > 0) & (tops[:, 3] > 0) & (tops[:, 2] >= tops[:, 0])
    times = np.maximum.accumulate(np.maximum(tape["ts_event_ns"], 0))
    held = np.diff(times) * usable[:-1]
    if not usable[:-1].any():  # the last record's spread begins to hold with the next
        return UNKNOWN
    first = int(np.flatnonzero(usable[:-1])[0])
    held[first] = 0  # the average begins when the next record tells that there was a spread
    value = float(tops[first, 2] - tops[first, 0])
    age = np.append(np.cumsum(held[::-1])[::-1], 0) / half_life_ns
    weight = np.exp2(-age[1:]) - np.exp2(-age[:-1])
    return float(value * np.exp2(-age[0]) + ((tops[:-1, 2] - tops[:-1, 0]) * weight * usable[:-1]).sum()), True


def trades(tape: Tape, tops: I64) -> list[Print]:
    """Prints in a row of one time and one direction are one trade."""
    merged: list[Print] = []
    for p in prints(tape, tops):
        last = merged[-1] if merged else None
        if last and tape["ts_event_ns"][last.at] == tape["ts_event_ns"][p.at] and last.side == p.side:
            merged[-1] = last._replace(lots=last.lots + p.lots)
        else:
            merged.append(p)
    return merged


def arrival(tape: Tape, tops: I64, life_ns: float) -> Value:
    times = np.maximum.accumulate(np.maximum(tape["ts_event_ns"], 0))
    at = np.array([p.at for p in trades(tape, tops)], np.int64)
    return float(np.exp(-(times[-1] - times[at]) / life_ns).sum() * 1e9 / life_ns), True


def slope(tape: Tape, tops: I64) -> Value:
    pairs = []
    every = trades(tape, tops)
    for p, after in pairwise(every):
        if p.side and p.at and tops[p.at - 1, [1, 3]].all() and tops[after.at - 1, [1, 3]].all():
            middles = [(tops[q.at - 1, 0] + tops[q.at - 1, 2]) / 2 for q in (p, after)]
            pairs.append((p.side * p.lots, middles[1] - middles[0]))
    window = np.array(pairs[-100:], float).reshape(-1, 2)
    if len(window) < 2 or np.ptp(window[:, 0]) == 0:
        return UNKNOWN
    x, y = (window - window.mean(axis=0)).T
    return float((x * y).sum() / (x * x).sum()), True
