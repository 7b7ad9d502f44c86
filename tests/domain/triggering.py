"""A latch and a clock around some triggers: looked at again and again, as the watchdog does."""

from __future__ import annotations

from domain.kill_latch import Slot
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.trigger_table import BY_METRIC
from domain.triggers import Action, Clear, Key, Metric, Sample, Standing, Suspend, Trigger, Trip, evaluate
from domain.values import E9, ScopeKind

CAPITAL_E9 = 50_000_000 * E9
DESK = Scope(ScopeKind.DESK, "desk")
NOW = 1_000 * E9


def trigger(metric: Metric, scope: Scope = FIRM, *, required: bool = True) -> Trigger:
    return BY_METRIC[metric].on(scope, wait_s=20, back_s=2, required=required)


class Latch:
    """The latch and the clock around one set of triggers: each look's actions are done to it."""

    def __init__(self, *triggers: Trigger) -> None:
        self.triggers = triggers
        self.standings: dict[Key, Standing] = {}
        self.slots: dict[Scope, Slot] = {}
        self.now_ns = NOW
        self.began_ns = 0

    def look(self, *values: float | Sample | None, wait_s: float = 0.2) -> list[Action]:
        """One sample of now for each trigger; None: it is missing."""
        self.now_ns += round(wait_s * E9)
        samples = {
            (t.metric, t.scope): value if isinstance(value, Sample) else self.sample(value)
            for t, value in zip(self.triggers, values, strict=True)
            if value is not None
        }
        self.standings, actions = evaluate(
            self.triggers,
            self.standings,
            samples,
            self.slots,
            self.now_ns,
            self.began_ns,
        )
        for action in actions:
            slot = self.slots.get(action.scope, Slot(action.scope))
            match action:
                case Trip(scope, level, _):
                    self.slots[scope] = slot.tripped(level, 7, self.now_ns)
                case Suspend(scope, source, _):
                    self.slots[scope] = slot.suspend(source, self.now_ns)
                case Clear(scope, source):
                    self.slots[scope] = slot.clear(source)
        return actions

    def sample(self, value: float | None, *, size: int = 10_000, age_s: float = 0, text: str = "") -> Sample:
        return Sample(value, self.now_ns - round(age_s * E9), size, CAPITAL_E9, text)

    def level(self, scope: Scope = FIRM) -> Level:
        return self.slots.get(scope, Slot(scope)).effective

    def rearm(self, scope: Scope = FIRM) -> None:
        self.slots[scope] = self.slots[scope].rearmed(7, self.now_ns)
