"""What the log says of markets over time: every moment at which an event wrote down what the desk saw. Pure.

Sources are the arrival and the end of orders, the touch that a child order was priced from, the market that a plan was made
in, and the desk's own notes (`domain.market_note`). A mark holds until the next one, for a desk that follows a market notes
it again even where nothing has changed; after AGE_MAX_NS of silence nothing is known any more.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.market_state import MarketState
from domain.values import E9

AGE_MAX_NS: Final = 15 * E9  # the desk's notes come every ten seconds at least


class Mark(NamedTuple):
    """A market at a moment of the desk's clock. volume_e9 and notional_e9: of the session so far, None where not told."""

    time_ns: int
    mid_e9: int
    spread_e9: int
    volume_e9: int | None = None
    notional_e9: int | None = None


class Marks:
    """By instrument, in time order."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._marks: dict[str, list[Mark]] = {}

    def see(self, market: MarketState | None, time_ns: int) -> None:
        """A market that an event has written down. Without both sides there is no mid, and no mark."""
        if market is not None and (mid_e9 := market.mid_e9) is not None:
            assert market.bid_e9 is not None and market.ask_e9 is not None
            spread_e9 = market.ask_e9 - market.bid_e9
            self.add(market.instrument, Mark(time_ns, mid_e9, spread_e9, market.volume_e9, market.notional_e9))

    def add(self, instrument: str, mark: Mark) -> None:
        """Of the same moment the later one counts."""
        times, marks = self._times.setdefault(instrument, []), self._marks.setdefault(instrument, [])
        at = bisect_right(times, mark.time_ns)
        times.insert(at, mark.time_ns)
        marks.insert(at, mark)

    def at(self, instrument: str, time_ns: int) -> Mark | None:
        """The market as it was known at a moment, None where nothing was."""
        at = bisect_right(self._times.get(instrument, ()), time_ns) - 1
        if at < 0:
            return None
        mark = self._marks[instrument][at]
        return mark if time_ns - mark.time_ns <= AGE_MAX_NS else None

    def between(self, instrument: str, from_ns: int, until_ns: int) -> Sequence[Mark]:
        """The marks from a moment up to and with another."""
        times = self._times.get(instrument, [])
        return self._marks.get(instrument, [])[bisect_left(times, from_ns) : bisect_right(times, until_ns)]

    def last(self, instrument: str) -> Mark | None:
        """The latest of all."""
        marks = self._marks.get(instrument)
        return marks[-1] if marks else None

    def twap_e9(self, instrument: str, from_ns: int, until_ns: int) -> int | None:
        """Time-weighted mean of the mid; None where the market was not followed all the while."""
        opening = self.at(instrument, from_ns)
        if opening is None or until_ns <= from_ns:
            return opening.mid_e9 if opening is not None and until_ns == from_ns else None
        marks = [opening._replace(time_ns=from_ns), *self.between(instrument, from_ns + 1, until_ns)]
        ends = [mark.time_ns for mark in marks[1:]] + [until_ns]
        if any(end - mark.time_ns > AGE_MAX_NS for mark, end in zip(marks, ends, strict=True)):
            return None
        weighed = sum(mark.mid_e9 * (end - mark.time_ns) for mark, end in zip(marks, ends, strict=True))
        return weighed // (until_ns - from_ns)

    def vwap_e9(self, instrument: str, from_ns: int, until_ns: int) -> int | None:
        """Of all that traded between two moments, our own executions included; None where nothing did, or it is not known."""
        volume_e9, notional_e9 = self._traded_between(instrument, from_ns, until_ns)
        return notional_e9 * E9 // volume_e9 if volume_e9 and notional_e9 else None

    def volume_e9(self, instrument: str, from_ns: int, until_ns: int) -> int | None:
        """What traded between two moments; None where it is not known."""
        return self._traded_between(instrument, from_ns, until_ns)[0]

    def _traded_between(self, instrument: str, from_ns: int, until_ns: int) -> tuple[int, int] | tuple[None, None]:
        """Shares and money; nothing is known where the sums went back, which a new session's do."""
        first, last = self._traded(instrument, from_ns), self._traded(instrument, until_ns)
        if first is None or last is None:
            return None, None
        volume_e9 = (last.volume_e9 or 0) - (first.volume_e9 or 0)
        notional_e9 = (last.notional_e9 or 0) - (first.notional_e9 or 0)
        return (volume_e9, notional_e9) if volume_e9 >= 0 and notional_e9 >= 0 else (None, None)

    def _traded(self, instrument: str, time_ns: int) -> Mark | None:
        """As `at`, of the marks that tell volume."""
        at = bisect_right(self._times.get(instrument, ()), time_ns) - 1
        while at >= 0 and time_ns - (mark := self._marks[instrument][at]).time_ns <= AGE_MAX_NS:
            if mark.volume_e9 is not None:
                return mark
            at -= 1
        return None

    def volatility_bps(self, instrument: str, from_ns: int, until_ns: int) -> float | None:
        """Realised volatility of the mid in basis points a square root of a minute: the root of the sum of squared log returns
        over the minutes that they span (T. Andersen, T. Bollerslev, International Economic Review 39(4), 1998). None under
        ten moves and a minute.
        """
        marks = self.between(instrument, from_ns, until_ns)
        if len(marks) < 11 or (span_ns := marks[-1].time_ns - marks[0].time_ns) < 60 * E9:
            return None
        moves = [math.log(b.mid_e9 / a.mid_e9) for a, b in itertools.pairwise(marks)]
        return 10_000 * math.sqrt(sum(move * move for move in moves) * 60 * E9 / span_ns)
