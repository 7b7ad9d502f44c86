"""Executions of orders of the desk's own (`domain.care`), found again at the orders that they pass on to. Pure."""

from __future__ import annotations

from typing import NamedTuple

from domain import fill as fl
from domain.care import Allotted
from domain.values import StreamId


class Origin(NamedTuple):
    """Where an execution was made."""

    child: StreamId
    venue: str
    time_ns: int


class Passed:
    """What is known of the desk's own orders: their executions, and under which ids these are their members'."""

    def __init__(self) -> None:
        self._orders: set[StreamId] = set()
        self._origins: dict[StreamId, Origin] = {}

    def made(self, order: StreamId) -> None:
        """An order of the desk's own: its costs are its members'."""
        self._orders.add(order)

    def __contains__(self, order: object) -> bool:
        return order in self._orders

    def executed(self, fill: StreamId, origin: Origin) -> None:
        """An execution of such an order."""
        self._origins[fill] = origin

    def allotted(self, event: Allotted) -> None:
        """It was divided: each member has it under an id of its own."""
        origin = self._origins.get(event.fill)
        if origin is not None:
            self._origins |= {fl.passed_key(event.fill, member): origin for member, _ in event.parts}

    def origin(self, fill: StreamId) -> Origin | None:
        """Where a member's execution was made; None for one that was not passed on."""
        return self._origins.get(fill)
