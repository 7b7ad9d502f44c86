"""What a desk is wired to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.ports import BrokerAlgos, Clock, EventLog, KillLatch, OrderGateway, PlannerPool, Reference, RiskData
from domain.risk_data import NOTHING_KNOWN
from ems.strategies import NO_BROKERS


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
    count_error: Callable[[], None] = field(kw_only=True, default=lambda: None)  # for each fault of our own
