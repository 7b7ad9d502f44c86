"""What the watchdog knows: positions and money folded from the log, errors and latencies from the readings of the processes.

It folds the events itself, with the desk's own code: what it says of positions and losses depends on no word of the desk's
but the prices in its marks. The content of events that no position follows from is left unread.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from domain import allocation, decision, fill, fix_session, mass, order_list, risk, risk_verdicts
from domain.event import EventClasses, Recorded
from domain.kill_scope import FIRM, Scope
from domain.readings import ERRORS, Reading
from domain.trigger_metrics import ErrorRate, daily_pnl, drawdown, position_breaches
from domain.triggers import Key, Metric, Sample
from domain.values import E9, ScopeKind
from ems.desk_state import DeskState

UNREAD: Final[EventClasses] = (
    *decision.EVENTS, *fix_session.EVENTS, *allocation.EVENTS, *order_list.EVENTS, *mass.EVENTS, *fill.EVENTS,
    *risk_verdicts.EVENTS, risk.OverrideGranted,
)  # fmt: skip
DESK: Final = "desk"  # the process whose heartbeat is in its errors
TICK_TO_QUOTE: Final = "tick_to_quote_ms."  # what a quoter's reading begins with; then the strategy
INFORMATION: Final = "information_coefficient."  # and a model's; then the model


@dataclass(frozen=True, slots=True)
class Stated:
    """What the day began with, and who uses what.

    Attributes:
        desk: its name.
        capital_e9: by scope, in the firm's currency.
        models: strategies by model.
    """

    desk: str
    capital_e9: Mapping[Scope, int]
    quoters: tuple[str, ...] = ()
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class WatchBook:
    """Samples of every metric. Pure but for what it is given.

    Args:
        stated: of the configuration and the start of day.
    """

    def __init__(self, stated: Stated) -> None:
        self._stated = stated
        self._state = DeskState()
        self._errors = ErrorRate()
        self._limited: dict[Scope, None] = {}
        self._positions_of: tuple[int, int] = (-1, 0)
        self._positions: dict[Scope, Sample] = {}
        self.caught_up_ns = 0  # by the host's monotonic clock: all that was in the log by then is in here; 0: never

    @property
    def seq(self) -> int:
        """The last event that is in here."""
        return self._state.seq

    def restate(self, capital_e9: Mapping[Scope, int]) -> None:
        """Losses are measured against this capital from now on."""
        self._stated = replace(self._stated, capital_e9=capital_e9)

    def apply(self, recorded: Recorded) -> None:
        """Fold one event."""
        self._state.apply(recorded.stream, recorded.event, recorded.meta, seq=recorded.seq)

    def limited(self) -> tuple[Scope, ...]:
        """Scopes of which a position is limited and something is held."""
        return tuple(self._limited)

    def samples(self, readings: Mapping[str, Reading], trade_date: str, desk_ns: int, now_ns: int) -> dict[Key, Sample]:
        """Every metric as it is now.

        Args:
            trade_date: of this moment.
            desk_ns: this moment by the desk's clock.
            now_ns: the same by the host's monotonic one.
        """
        found = dict(self._measured(readings))
        desk = readings.get(f"{ERRORS}{DESK}")
        if desk is None:
            return found
        at_ns = min(self.caught_up_ns, desk.at_ns)  # the desk's marks are as old as its heartbeat
        found |= self._money(trade_date, at_ns)
        found |= self._held(desk_ns, at_ns)
        for name, reading in readings.items():
            if name.startswith(ERRORS):
                self._errors.see(name, int(reading.value), now_ns)
        of_desk = Scope(ScopeKind.DESK, self._stated.desk)
        found[Metric.INTERNAL_ERRORS, of_desk] = Sample(self._errors.within_a_minute(now_ns), desk.at_ns)
        return found

    def _money(self, trade_date: str, at_ns: int) -> dict[Key, Sample]:
        self._state.risk.totals.settle()
        found: dict[Key, Sample] = {}
        for scope in self._scopes():
            for metric, measure in ((Metric.DAILY_PNL, daily_pnl), (Metric.DRAWDOWN, drawdown)):
                figure = measure(self._state.risk, scope, trade_date)
                capital_e9 = self._stated.capital_e9.get(scope)
                found[metric, scope] = Sample(figure.value, at_ns, capital_e9=capital_e9, text=figure.text)
        return found

    def _scopes(self) -> Iterator[Scope]:
        yield from dict.fromkeys([FIRM, *self._stated.capital_e9])

    def _held(self, desk_ns: int, at_ns: int) -> dict[Key, Sample]:
        """Looked at where something has happened, and once a second, for limits come into force by the clock."""
        mark = (self.seq, desk_ns // E9)
        if mark != self._positions_of:
            self._positions_of = mark
            figures = position_breaches(self._state.risk, self._stated.desk, desk_ns)
            self._limited = dict.fromkeys(figures)
            self._positions = {scope: Sample(figure.value, 0, text=figure.text) for scope, figure in figures.items()}
        return {(Metric.POSITION, scope): sample._replace(at_ns=at_ns) for scope, sample in self._positions.items()}

    def _measured(self, readings: Mapping[str, Reading]) -> Iterator[tuple[Key, Sample]]:
        """What quoters and models say of themselves. Of a strategy with several models the worst counts."""
        for strategy in self._stated.quoters:
            if (reading := readings.get(f"{TICK_TO_QUOTE}{strategy}")) is not None:
                yield (Metric.TICK_TO_QUOTE, Scope(ScopeKind.STRATEGY, strategy)), _sampled(reading)
        for strategy in dict.fromkeys(name for names in self._stated.models.values() for name in names):
            used = [readings.get(f"{INFORMATION}{m}") for m, names in self._stated.models.items() if strategy in names]
            there = [reading for reading in used if reading is not None]
            if len(there) == len(used):
                yield (Metric.INFORMATION_COEFFICIENT, Scope(ScopeKind.STRATEGY, strategy)), _worst(there)


def _sampled(reading: Reading) -> Sample:
    return Sample(reading.value, reading.at_ns, reading.size)


def _worst(readings: Sequence[Reading]) -> Sample:
    """Of several models: the lowest, the oldest, the fewest. One that is no number makes it none."""
    values = [reading.value for reading in readings]
    value = min(values) if all(map(math.isfinite, values)) else math.nan
    return Sample(value, min(reading.at_ns for reading in readings), min(reading.size for reading in readings))
