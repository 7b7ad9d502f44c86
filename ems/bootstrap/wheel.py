"""`ems wheel`: a wheel's assignments with what their orders cost, compared."""

from __future__ import annotations

from typing import Any, NamedTuple

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import wheel
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from domain.ports import EventLog
from domain.values import E9
from domain.wheel import Wheel
from domain.wheel_results import Outcome, Results, compare, moved
from ems.bootstrap.tca import LoadedReferences, read
from ems.config import Settings
from ems.tca.costs import References, costs_of
from ems.tca.record import NOW, Ledger


class Compared(NamedTuple):
    """A wheel as it stands, its present round compared, and what the rule would make of its weights."""

    wheel: Wheel
    results: Results
    rule_e9: tuple[int, ...]

    def row(self) -> dict[str, Any]:
        """As plain values."""
        results = self.results
        return {
            "wheel": self.wheel.name,
            "round": self.wheel.round,
            "seed": self.wheel.seed,
            "assigned": self.wheel.number,
            "weights": dict(zip([arm.name for arm in self.wheel.arms], [w / E9 for w in self.wheel.weights_e9], strict=True)),
            "compared": results.compared,
            "waiting": results.waiting,
            "missing": results.missing,
            "alpha": results.alpha,
            "arms": [one._asdict() for one in results.arms],
            "differences": [one._asdict() for one in results.differences],
            "rule": dict(zip([arm.name for arm in self.wheel.arms], [w / E9 for w in self.rule_e9], strict=True)),
        }


async def compared(dsn: str, settings: Settings, name: str) -> Compared:
    """Compare the arms of a wheel's present round.

    Raises:
        ConfigError: no wheel is called that.
        ReferenceDataError, LogUnavailable: as `ems.bootstrap.tca.analyse`.
    """
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        ledger, loads = await read(log)
        return await of_log(log, ledger, LoadedReferences(settings, loads), name)


async def of_log(log: EventLog, ledger: Ledger, references: References, name: str) -> Compared:
    """As `compared`, of a log that has been folded for costs already."""
    state: Wheel | None = None
    drawn: list[wheel.Assigned] = []
    for recorded in await log.read(wheel.key(name)):
        state = wheel.evolve(state, recorded.event, stream=recorded.stream)
        if isinstance(recorded.event, wheel.Assigned):
            drawn.append(recorded.event)
    if state is None:
        raise ConfigError(f"there is no wheel {name!r}: ems wheel open begins one")
    of_round = [assigned for assigned in drawn if assigned.round == state.round]
    results = compare(state.arms, [_outcome(ledger, references, assigned) for assigned in of_round])
    return Compared(state, results, moved(state.arms, state.weights_e9, results))


def _outcome(ledger: Ledger, references: References, assigned: wheel.Assigned) -> Outcome:
    """An order that was refused is not in the ledger: it has ended, without a figure."""
    order = ledger.orders.get(assigned.order)
    if order is None:
        return Outcome(assigned, True, None)
    ended = order.end(NOW) is not None
    return Outcome(assigned, ended, costs_of(ledger, order, references).bps if ended else None)
