"""Faults on command: what a bad venue or line does to the answers of a good one. Seeded, so that a run repeats."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, fields
from random import Random
from typing import Any

from domain.ports_venue import Report


@dataclass(slots=True)
class FaultPlan:
    """Which faults are on. Probabilities per answer (`reject`: per new order); `*_next` counts are used up first."""

    delay_ms: int = 0
    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    reject: float = 0.0
    drop_next: int = 0
    duplicate_next: int = 0
    reorder_next: int = 0
    reject_next: int = 0

    def change(self, settings: dict[str, Any]) -> None:
        """Set some of the faults. Raises ValueError for a name or a value that is none."""
        kinds = {field.name: float if field.type == "float" else int for field in fields(self)}
        for name, value in settings.items():
            if name not in kinds or isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"no such fault setting: {name}={value!r}")
            setattr(self, name, kinds[name](value))


class Outbox:
    """Answers on their way to the front. Without faults they pass straight through, in order.

    hand_over(report number, report, fate): fate "sent" hands it to the front, "again" hands it over a second time,
    "dropped" only notes that it is lost. It is called under the venue's lock.
    """

    def __init__(self, plan: FaultPlan, rng: Random, hand_over: Callable[[int, Report, str], None]) -> None:
        self._plan = plan
        self._rng = rng
        self._hand_over = hand_over
        self._later: list[tuple[float, int, Report]] = []  # (due, number, report)
        self._held: tuple[float, int, Report] | None = None  # waits for the next one to overtake it

    def put(self, number: int, report: Report, now_s: float) -> None:
        """Send one answer, subject to the faults."""
        plan = self._plan
        if self._happens("drop", plan.drop):
            self._hand_over(number, report, "dropped")
        elif plan.delay_ms > 0 or self._later:
            heapq.heappush(self._later, (now_s + plan.delay_ms / 1e3, number, report))
        else:
            self._pass_on(number, report, now_s)

    def release(self, now_s: float) -> None:
        """Send what has waited long enough."""
        while self._later and self._later[0][0] <= now_s:
            _, number, report = heapq.heappop(self._later)
            self._pass_on(number, report, now_s)
        if self._held is not None and self._held[0] <= now_s:
            self._let_go()

    def rejects(self) -> bool:
        """Whether the next new order is to be refused without reason."""
        return self._happens("reject", self._plan.reject)

    def _pass_on(self, number: int, report: Report, now_s: float) -> None:
        if self._held is None and self._happens("reorder", self._plan.reorder):
            self._held = (now_s + 0.2, number, report)  # or goes alone, if nothing follows
            return
        self._hand_over(number, report, "sent")
        if self._happens("duplicate", self._plan.duplicate):
            self._hand_over(number, report, "again")
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            _, number, report = self._held
            self._held = None
            self._hand_over(number, report, "sent")

    def _happens(self, fault: str, probability: float) -> bool:
        left = getattr(self._plan, f"{fault}_next")
        if left > 0:
            setattr(self._plan, f"{fault}_next", left - 1)
            return True
        return probability > 0 and self._rng.random() < probability
