"""What a desk is wired to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from domain.ports import BrokerAlgos, Clock, EventLog, KillLatch, OrderGateway, PlannerPool, Reference, RiskData
from domain.risk_data import NOTHING_KNOWN
from ems.desk_state import DeskState
from ems.strategies import NO_BROKERS

TakeLead = Callable[[EventLog, str], Awaitable[tuple[int, DeskState | None]]]


async def at_once(log: EventLog, name: str) -> tuple[int, DeskState | None]:
    """Wait for the lead and do nothing else meanwhile; `ems.standby` folds the log."""
    return await log.take_lead(name), None


@dataclass(frozen=True, slots=True)
class DeskPorts:
    """Everything outside, behind its port."""

    log: EventLog
    gateway: OrderGateway
    planners: PlannerPool
    reference: Reference
    clock: Clock
    brokers: BrokerAlgos = NO_BROKERS
    risk_data: RiskData = NOTHING_KNOWN
    latch: KillLatch = field(kw_only=True)  # the gateway looks at it too
    take_lead: TakeLead = at_once
    count_error: Callable[[], None] = field(kw_only=True, default=lambda: None)  # for each fault of our own
