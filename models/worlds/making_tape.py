"""A maker on a recorded tape: its quotes wait in the recorded queues. Compiled.

The venue's book is the tape's, with our orders in it by the rules of `models.market.tape_rules`: behind all that is displayed
when they arrive, filled by what the tape executes through them. The record does not react to us, so this shows that the
plumbing holds and what the queues would have given, not what a market would have done. Money is in the tape's ticks times
quotes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from domain.errors import TapeError
from domain.tape import Kind, Tape
from models.compiled import hot, i64
from models.dataset import Session
from models.feature_arrays import make_features
from models.inference import Core
from models.market.layout import BASE, VOLUME, make_book
from models.market.tape_rules import apply
from models.observation import make_watch
from models.worlds.event_book import market_of
from models.worlds.event_flow import PARAMETERS
from models.worlds.event_market import F64, I64, Market, read
from models.worlds.making_book import MakerBook, MakerBookConfig, Sessions, told
from models.worlds.making_market import DUE_NS, LOOKS_A_SECOND, Seat, exits, look_and_want, others, place, reached, settle
from models.worlds.making_run import Maker
from models.worlds.world import F32

_WINDOW: Final = 1 << 17
_FIRST_TRADES: Final = 200
_BUCKET: Final = 50
_BETWEEN: Final = i64(1_000_000_000 // LOOKS_A_SECOND)


class Recorded(NamedTuple):
    """A tape of one instrument, ready to be replayed. levels: how many a side its feed tells. warm_s: before the maker begins."""

    name: str
    tape: Tape
    ends: I64  # one behind each event's last record
    levels: int
    size_lots: int
    seconds: int
    session: Session | None = None
    warm_s: int = 60

    @property
    def start_ns(self) -> int:
        """When the maker begins."""
        first = int(self.tape["ts_event_ns"][0])
        return (max(first, self.session.continuous_ns) if self.session else first) + self.warm_s * 1_000_000_000


def recorded(name: str, tape: Tape, levels: int, seconds_max: int, session: Session | None) -> Recorded:
    """A tape's beginning, from the session's opening on where there is one.

    Raises:
        TapeError: it is shorter than the time that a maker needs to begin.
    """
    tape = tape[tape["instrument"] == 0].copy()
    times = tape["ts_event_ns"]
    start = max(int(times[0]), session.continuous_ns if session else 0) if len(tape) else 0
    seconds = min(seconds_max, (int(times[-1]) - start) // 1_000_000_000 - 60) if len(tape) else 0
    if seconds < 60:
        raise TapeError(f"{name} is too short for a maker: {seconds} s beyond the first minute")
    new = np.diff(times) != 0
    ends = np.concatenate([np.flatnonzero(new) + 1, [len(tape)]]).astype(np.int64)
    return Recorded(name, tape, ends, levels, _usual_lots(tape), seconds, session)


def _usual_lots(tape: Tape) -> int:
    """The median of the first trades, at least 1."""
    traded = np.isin(tape["kind"], [Kind.EXECUTE, Kind.TRADE]) & (tape["size_lots"] > 0)
    lots = tape["size_lots"][traded][:_FIRST_TRADES]
    return max(1, int(np.median(lots))) if len(lots) else 1


@hot
def _replay(m: Market, s: Seat, tape: Tape, ends: I64, start_ns: int, seconds: int, maker: F64, core: Core, noise: F32) -> None:
    begin, done, looks, before = 0, i64(0), i64(seconds * LOOKS_A_SECOND), start_ns
    for e in range(ends.size):
        ts = tape[begin].ts_event_ns
        while done < looks and start_ns + done * _BETWEEN <= ts:
            now = start_ns + done * _BETWEEN
            if s.who[0, DUE_NS] <= now:
                place(m, s, 0, now)
                read(m, 0)
            look_and_want(m, s, 0, now, done, 1.0 - done / looks, seconds, maker, core, noise)
            done += 1
        if done > 0 and s.who[0, DUE_NS] <= ts:
            place(m, s, 0, ts)
            read(m, 0)
        if done == looks and start_ns + looks * _BETWEEN <= ts:
            break
        part, i = tape[: ends[e]], i64(begin)
        while i < ends[e]:
            bid, ask = others(m, s, 0)
            prints = m.venue.meta[0, VOLUME]
            i, rows = apply(m.venue, 0, part, i, m.fills)
            settle(m, s, 0, rows, ts, max(done - 1, 0), bid + ask if bid > 0 and ask > 0 else s.mid2[0, max(done - 1, 0)])
            reached(m, s, 0, bid + ask, m.venue.meta[0, VOLUME] - prints, 1e-9 * (ts - before))
            before = ts
        read(m, 0)
        begin = ends[e]


def replay(one: Recorded, maker: Maker, config: MakerBookConfig | None = None) -> Sessions:
    """One session of a maker on a tape; T looks, P = 1."""
    c = replace(config or MakerBookConfig(), seconds=one.seconds, size_lots=one.size_lots)
    book = MakerBook(c, "tapes")
    prices = one.tape["price_ticks"][one.tape["price_ticks"] > 0]
    base = max(0, int(np.median(prices)) - _WINDOW // 2)
    features = make_features(bucket_lots=_BUCKET * one.size_lots)
    if one.session is not None:
        features.session[0], features.end_ns[0] = one.session[:4], one.session.end_ns
    market = market_of(c.market, 0, np.zeros((1, PARAMETERS)))._replace(
        venue=make_book(base, _WINDOW, 1 << 18, shows=True), desk=make_book(base, _WINDOW, 1 << 18), features=features,
        watch=make_watch(1, one.levels),
    )  # fmt: skip
    assert market.venue.meta[0, BASE] == base
    seat = book.seat(market, 1, np.array([c.latency_ms]), keeps=False, taught=False)
    who = np.array([maker.kind, maker.number, 0.0, 0.0])
    _replay(market, seat, one.tape, one.ends, one.start_ns, one.seconds, who, maker.core, np.zeros((1, 1, 4), np.float32))
    last = np.zeros((1, 2), np.int64)
    exits(market, seat, last)
    return told(seat, last, c)
