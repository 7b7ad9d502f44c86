"""Stored tapes -> what the nets learn from: observations every few events, and what happened next.

One compiled pass follows a tape with the book, the features and `models.observation`, as the hot loop does, and keeps the state
after each event; a second one looks ahead of every observation. An **event** is all that arrived at one time (receive and event
time both equal). Labels need the next 200 events; observations behind which fewer remain are not made.

The threshold of the moves is half the tape's median spread, one number for the whole tape, which no input knows. VPIN's bucket is
50 times the median of the first 200 trades. Both belong to the tape, not to the model version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import TapeError
from domain.tape import Kind, Tape
from models import feature_arrays as fa
from models.compiled import hot
from models.feature_arrays import Features, make_features
from models.features import update
from models.market.follow import apply_one
from models.market.layout import LAST_PRICE, LAST_SIZE, PRINTS, Book, make_book
from models.net_contract import BOOK, CONTEXT, LEVELS, MOVE_EVENTS, STEP_EVENTS, TAPE_ROWS, TRADES
from models.observation import PRICE, SIZE, Watch, make_watch, mark, note, observe
from models.tape_store import StoredTape

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]

EVERY: Final = 5  # events from one observation to the next: two interleaved series of steps
HORIZON_STEPS: Final = 20
AHEAD: Final = HORIZON_STEPS * STEP_EVENTS
FILL_EVENTS: Final = 100
TOXIC_EVENTS: Final = 50
VOLATILITY_EVENTS: Final = 100
_FIRST_TRADES: Final = 200
_BUCKET: Final = 50
# Columns of the state after an event.
MIDDLE, SPREAD, BID, ASK, BID_LOTS, ASK_LOTS, DEPTH_BID, DEPTH_ASK, VOLUME, LAST_WAY, COLUMNS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
UP, FLAT, DOWN, UNKNOWN = 2, 1, 0, -1


@dataclass(frozen=True)
class Examples:
    """N observations of one instrument of one tape, and E events.

    book (N, 40), tape (N, 3, 50), context (N, 18): float32. at (N,): the event behind which each stands. units (N, 2): price
    unit in ticks, size unit in lots. states (E, COLUMNS) int64: after each event the middle in half ticks, the spread in ticks,
    best prices and lots, lots of the ten levels a side, lots traded since the beginning, the last trade's direction.
    moves (N, 4): DOWN, FLAT or UP over the next 10, 20, 50, 100 events. toxic, filled_bid, filled_ask (N,): 1.0 where it was so.
    volatility (N,): mean move of the middle in ten events over the next 100, ticks.
    half_spread_ticks: the threshold.
    """

    name: str
    day: str
    digest: str
    book: F32
    tape: F32
    context: F32
    at: I64
    units: NDArray[np.float64]
    states: I64
    moves: I64
    toxic: F32
    filled_bid: F32
    filled_ask: F32
    volatility: F32
    half_spread_ticks: float

    def __len__(self) -> int:
        return len(self.at)


class _Out(NamedTuple):
    """What the compiled pass writes. prints (P, 4): event, half ticks, lots, aggressor's direction."""

    book: F32
    tape: F32
    context: F32
    at: I64
    units: NDArray[np.float64]
    states: I64
    prints: I64


@hot
def event(b: Book, f: Features, w: Watch, tape: Tape, begin: int, stop: int, prints: I64) -> int:
    """Records begin .. stop - 1, which arrived together. prints: the new ones are written; how many they are."""
    new, seen = 0, b.meta[0, PRINTS]
    for i in range(begin, stop):
        apply_one(b, tape, i)
        update(f, b, tape, i)
        note(w, f, b, 0)
        if b.meta[0, PRINTS] != seen:
            seen = b.meta[0, PRINTS]
            row = prints[new]
            row[1], row[2], row[3] = b.meta[0, LAST_PRICE], b.meta[0, LAST_SIZE], f.ints[0, fa.TRADE_SIDE]
            new += 1
    mark(w, b, 0)
    return new


@hot
def _follow(b: Book, f: Features, w: Watch, tape: Tape, ends: I64, every: int, levels: int, out: _Out, counts: I64) -> None:
    """counts: observations and prints written."""
    begin, volume, made, printed = 0, 0, 0, 0
    for e in range(ends.size):
        new = event(b, f, w, tape, begin, ends[e], out.prints[printed:])
        for p in range(printed, printed + new):
            out.prints[p, 0] = e
            volume += out.prints[p, 2]
        begin, printed = ends[e], printed + new
        _state(b, f, out.states, e, volume, levels)
        if e % every == 0 and observe(w, f, b, 0, out.book[made], out.tape[made], out.context[made]):
            out.at[made] = e
            out.units[made, 0], out.units[made, 1] = w.units[0, PRICE], w.units[0, SIZE]
            made += 1
    counts[0], counts[1] = made, printed


@hot
def _state(b: Book, f: Features, states: I64, e: int, volume: int, levels: int) -> None:
    """Without two sides, or with a crossed book, prices and sizes are those of the event before."""
    s, top = states[e], b.ten[0, 0]
    if top[1] > 0 and top[3] > 0 and top[2] >= top[0]:
        s[MIDDLE], s[SPREAD] = top[0] + top[2], top[2] - top[0]
        s[BID], s[ASK], s[BID_LOTS], s[ASK_LOTS] = top[0], top[2], top[1], top[3]
        for level in range(levels):
            s[DEPTH_BID] += b.ten[0, level, 1]
            s[DEPTH_ASK] += b.ten[0, level, 3]
    elif e > 0:
        for column in range(VOLUME):
            s[column] = states[e - 1, column]
    s[VOLUME], s[LAST_WAY] = volume, f.ints[0, fa.TRADE_SIDE]


@hot
def _look_ahead(states: I64, prints: I64, at: I64, half_spread_ticks: float, moves: I64, other: F32) -> None:
    """moves (N, 4) and other (N, 4) = toxic, filled at the bid, filled at the ask, volatility."""
    least = 2 * half_spread_ticks  # half ticks
    first = 0
    for n in range(at.size):
        e = at[n]
        for j in range(len(MOVE_EVENTS)):
            moved = states[e + MOVE_EVENTS[j], MIDDLE] - states[e, MIDDLE]
            moves[n, j] = 2 if moved >= least else 0 if moved <= -least else 1
        moved = states[e + TOXIC_EVENTS, MIDDLE] - states[e, MIDDLE]
        other[n, 0] = 1.0 if states[e, LAST_WAY] * moved >= least else 0.0
        total = 0.0
        for j in range(0, VOLATILITY_EVENTS, STEP_EVENTS):
            total += 0.5 * abs(states[e + j + STEP_EVENTS, MIDDLE] - states[e + j, MIDDLE])
        other[n, 3] = total / (VOLATILITY_EVENTS // STEP_EVENTS)
        while first < len(prints) and prints[first, 0] <= e:
            first += 1
        _fills(states, prints, first, e, other[n])


@hot
def _fills(states: I64, prints: I64, first: int, e: int, other: F32) -> None:
    """A queue's last order trades once more lots than the queue traded at its price or worse, or one traded through it."""
    bid, ask = states[e, BID_LOTS], states[e, ASK_LOTS]
    p = first
    while p < len(prints) and prints[p, 0] <= e + FILL_EVENTS:
        price, lots, way = prints[p, 1], prints[p, 2], prints[p, 3]
        if way < 0 and price <= 2 * states[e, BID]:
            bid -= lots if price == 2 * states[e, BID] else bid + 1
        if way > 0 and price >= 2 * states[e, ASK]:
            ask -= lots if price == 2 * states[e, ASK] else ask + 1
        p += 1
    other[1] = 1.0 if bid < 0 else 0.0
    other[2] = 1.0 if ask < 0 else 0.0


class Session(NamedTuple):
    """Where the regimes of the day begin, ns UTC, as `models.features` has them; end_ns: the closing auction's end."""

    opening_ns: int
    continuous_ns: int
    pre_close_ns: int
    close_ns: int
    end_ns: int


def examples(
    stored: StoredTape,
    *,
    instrument: int = 0,
    levels: int = LEVELS,
    session: Session | None = None,
    every: int = EVERY,
    records_max: int = 1 << 20,
) -> Examples:
    """Everything that one instrument of a tape teaches.

    Args:
        levels: how many a side the feed tells.
        session: None for a market that never closes; else there are examples of its continuous trading alone.
        every: events from one observation to the next, a divisor of 10.
        records_max: of the tape's beginning; the rest is left.

    Raises:
        TapeError: the instrument has too few events for one observation with what came after it.
    """
    assert STEP_EVENTS % every == 0
    tape = stored.records(0, records_max)
    tape = tape[tape["instrument"] == instrument]
    tape["instrument"] = 0
    if len(tape) < 2:
        raise TapeError(f"{stored.path.name} has no events of instrument {instrument}")
    ends = _event_ends(tape)
    traded = np.isin(tape["kind"], [Kind.EXECUTE, Kind.TRADE]) & (tape["size_lots"] > 0)
    first = tape["size_lots"][traded][:_FIRST_TRADES]
    bucket = max(1, _BUCKET * int(np.median(first))) if len(first) else 1_000
    out = _room(len(ends) // every + 1, len(ends), int(traded.sum()) + 1)
    counts = np.zeros(2, np.int64)
    features = make_features(bucket_lots=bucket)
    if session is not None:
        features.session[0], features.end_ns[0] = session[:4], session.end_ns
    _follow(make_book(None, 1 << 18, 1 << 20), features, make_watch(1, levels), tape, ends, every, levels, out, counts)
    kept = out.at[: counts[0]] < len(ends) - AHEAD
    if session is not None:
        times = tape["ts_event_ns"][ends[out.at[: counts[0]]] - 1]
        kept &= (times >= session.continuous_ns) & (times < session.close_ns)
    at = out.at[: counts[0]][kept]
    made = len(at)
    if made == 0:
        raise TapeError(f"{stored.path.name} is too short: {len(ends)} events of instrument {instrument}")
    half_spread = 0.5 * max(1.0, float(np.median(out.states[at, SPREAD])))
    moves, other = np.zeros((made, len(MOVE_EVENTS)), np.int64), np.zeros((made, 4), np.float32)
    _look_ahead(out.states, out.prints[: counts[1]], at, half_spread, moves, other)
    day = str(np.datetime64(int(tape["ts_recv_ns"][0]), "ns").astype("M8[D]"))
    return Examples(
        stored.path.name, day, stored.header.source.sha256, out.book[: counts[0]][kept], out.tape[: counts[0]][kept],
        out.context[: counts[0]][kept], at, out.units[: counts[0]][kept], out.states, moves,
        other[:, 0], other[:, 1], other[:, 2], other[:, 3], half_spread,
    )  # fmt: skip


def _event_ends(tape: Tape) -> I64:
    """One behind each event's last record."""
    new = (np.diff(tape["ts_recv_ns"]) != 0) | (np.diff(tape["ts_event_ns"]) != 0)
    return np.concatenate([np.flatnonzero(new) + 1, [len(tape)]]).astype(np.int64)


def _room(observations: int, events: int, prints: int) -> _Out:
    return _Out(
        np.zeros((observations, BOOK), np.float32), np.zeros((observations, TAPE_ROWS, TRADES), np.float32),
        np.zeros((observations, CONTEXT), np.float32), np.zeros(observations, np.int64), np.zeros((observations, 2)),
        np.zeros((events, COLUMNS), np.int64), np.zeros((prints, 4), np.int64),
    )  # fmt: skip


def event_times(tape: Tape) -> I64:
    """(E,) when each event of one instrument's records was, by the feed's clock, in the order in which `examples` counts them."""
    return np.asarray(tape["ts_event_ns"][_event_ends(tape) - 1], np.int64)
