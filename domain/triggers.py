"""The kill switch's triggers: which metric, beyond which threshold, sets which level on which scope. Pure.

Two things are kept apart. A metric that is there and beyond its threshold TRIPS its scope. A required metric that is missing,
too old or no number SUSPENDS it and clears by itself: what is not known never sets a level.
The triggers are those of the specification, with the two ways in which its sketch fails made impossible: which side of a
threshold is bad is said and not guessed from its sign, and a metric that is missing is not 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from domain.kill_latch import Slot, Source
from domain.kill_scope import Scope
from domain.kill_table import Level
from domain.values import E9

OWN: Final = Source.METRIC | Source.WARM_UP  # the sources of a suspension that are the watchdog's, and nobody else's
_NO_SOURCE: Final = Source(0)
_SUSPENDING: Final = (Source.METRIC, Source.WARM_UP)


class Metric(StrEnum):
    """What is measured. How, says `domain.trigger_metrics`."""

    __hash__ = str.__hash__

    DAILY_PNL = "daily_pnl"
    DRAWDOWN = "drawdown"
    POSITION = "position"
    INTERNAL_ERRORS = "internal_errors"
    TICK_TO_QUOTE = "tick_to_quote"
    INFORMATION_COEFFICIENT = "information_coefficient"


class Sample(NamedTuple):
    """One measurement of a metric in a scope.

    Attributes:
        value: in the metric's unit, money at 1e-9; None where it cannot be reckoned.
        at_ns: when it was so, by the host's monotonic clock.
        size: of how many it is made.
        capital_e9: what the scope's losses are measured against; None: nothing is stated.
        text: what a person should know of it: why it cannot be reckoned, or which position it is about.
    """

    value: float | None  # an int where it is exact
    at_ns: int
    size: int = 0
    capital_e9: int | None = None
    text: str = ""


class Trigger(NamedTuple):
    """One trigger on one scope.

    Attributes:
        beyond: on which side of the threshold it trips. On the threshold it does not.
        threshold_e9: in the metric's unit, or in parts of the scope's capital, at 1e-9.
        step_e9: the hysteresis, in the same unit. What two people have armed again trips anew when it is worse by a step than
            the worst they have seen, or when it has been back inside by a step and goes beyond again.
        of_capital: is the threshold a part of the stated capital?
        warm_up: made of fewer than so many, a sample is not judged yet, and a required one suspends.
        required: does a sample that is missing, too old or no number suspend the scope?
        age_max_ns: older than this it is too old.
        wait_ns: how long after the watchdog's start a sample that never came is waited for: processes are starting.
        back_ns: how long a sample must have been good again before its suspension is cleared.
    """

    metric: Metric
    scope: Scope
    level: Level
    beyond: Literal["below", "above"]
    threshold_e9: int
    step_e9: int
    of_capital: bool
    warm_up: int
    required: bool
    age_max_ns: int
    wait_ns: int
    back_ns: int

    @property
    def name(self) -> str:
        """`daily_pnl`: as reasons begin with it."""
        return str(self.metric)


class Standing(NamedTuple):
    """What is kept of a trigger between two looks.

    Attributes:
        worst: the worst that was seen since it tripped, in the terms of `_measure`; None: it has not.
        held: its trip is from before this watchdog was started, and its worst is what comes first.
        bad: why its scope is suspended.
        good_since_ns: since when what was missing is there again.
    """

    worst: float | None = None
    held: bool = False
    bad: Source = _NO_SOURCE
    good_since_ns: int | None = None


class Trip(NamedTuple):
    """Set a level."""

    scope: Scope
    level: Level
    reason: str


class Suspend(NamedTuple):
    """Something is missing."""

    scope: Scope
    source: Source
    reason: str


class Clear(NamedTuple):
    """It is there again."""

    scope: Scope
    source: Source


Action = Trip | Suspend | Clear
Key = tuple[Metric, Scope]
Standings = Mapping[Key, Standing]


def evaluate(
    triggers: Iterable[Trigger], standings: Standings, samples: Mapping[Key, Sample], slots: Mapping[Scope, Slot], now_ns: int,
    began_ns: int,
) -> tuple[dict[Key, Standing], list[Action]]:  # fmt: skip
    """One look at everything: what is kept for the next, and what is to be done.

    Of several triggers that trip one scope at once the highest level wins; its reason names them all.

    Args:
        samples: what there is; one that is left out is missing.
        slots: the latch as it is: of scopes that it says nothing of, none.
        now_ns, began_ns: this moment and the watchdog's start, by the clock of the samples.
    """
    after = {key: Standing(s.worst, s.held) for key, s in standings.items() if s.worst is not None or s.held}
    tripping: dict[Scope, list[tuple[Level, str]]] = {}
    wanted: dict[tuple[Scope, Source], list[str]] = {}
    for trigger in triggers:
        key = (trigger.metric, trigger.scope)
        slot = slots.get(trigger.scope) or Slot(trigger.scope)
        before = standings.get(key) or Standing(bad=slot.suspended & OWN if trigger.required else _NO_SOURCE)
        sample = samples.get(key)
        source, why = _unusable(trigger, sample, now_ns, began_ns)
        standing = _suspension(trigger, before, source, now_ns)
        for own in _SUSPENDING:
            if standing.bad & own:
                wanted.setdefault((trigger.scope, own), []).append(f"{trigger.name}: {why or 'it is back since a moment'}")
        if sample is not None and not why:
            standing, trips = _judged(trigger, standing, sample, slot.level)
            if trips:
                tripping.setdefault(trigger.scope, []).append((trigger.level, said(trigger, sample)))
        after[key] = standing
    actions: list[Action] = [_highest(scope, found) for scope, found in tripping.items()]
    return after, actions + _suspensions(wanted, slots)


# ------------------------------------------------------------------------------------- what is missing


def _unusable(trigger: Trigger, sample: Sample | None, now_ns: int, began_ns: int) -> tuple[Source, str]:
    """Which suspension a required sample asks for, and why it cannot be judged; "" where it can."""
    if sample is None:
        waits = now_ns - began_ns <= trigger.wait_ns
        return (_NO_SOURCE if waits else Source.METRIC), "it is missing"
    if sample.value is None or not _is_number(sample.value):
        return Source.METRIC, sample.text or "it is not a number"
    if trigger.of_capital and not (sample.capital_e9 or 0) > 0:
        return Source.METRIC, "no capital is stated"
    if not -trigger.age_max_ns <= now_ns - sample.at_ns <= trigger.age_max_ns:
        return Source.METRIC, f"it is {(now_ns - sample.at_ns) / E9:.1f} s old"
    if sample.size < trigger.warm_up:
        return Source.WARM_UP, f"it is made of {sample.size}, and of {trigger.warm_up} at least"
    return _NO_SOURCE, ""


def _is_number(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def _suspension(trigger: Trigger, before: Standing, source: Source, now_ns: int) -> Standing:
    if not trigger.required:
        return before._replace(bad=_NO_SOURCE, good_since_ns=None)
    if source:
        return before._replace(bad=source, good_since_ns=None)
    if not before.bad:
        return before
    since_ns = now_ns if before.good_since_ns is None else before.good_since_ns
    if now_ns - since_ns >= trigger.back_ns:
        return before._replace(bad=_NO_SOURCE, good_since_ns=None)
    return before._replace(good_since_ns=since_ns)


def _suspensions(wanted: Mapping[tuple[Scope, Source], list[str]], slots: Mapping[Scope, Slot]) -> list[Action]:
    """The latch brought to what is wanted; a scope that no trigger is about any more is cleared too."""
    found: list[Action] = []
    for (scope, source), reasons in wanted.items():
        slot = slots.get(scope)
        if slot is None or not slot.suspended & source:
            found.append(Suspend(scope, source, "; ".join(reasons)))
    for scope, slot in slots.items():
        found += [Clear(scope, own) for own in _SUSPENDING if slot.suspended & own and (scope, own) not in wanted]
    return found


# -------------------------------------------------------------------------------------- what is beyond


def _measure(trigger: Trigger, value: float) -> float:
    """How bad: the larger, the worse. Exact where the value is whole."""
    return -value * E9 if trigger.beyond == "below" else value * E9


def _judged(trigger: Trigger, before: Standing, sample: Sample, in_force: Level) -> tuple[Standing, bool]:
    """Where a sample leaves a trigger, and does it trip now? It waits while its scope is at its level or above."""
    assert sample.value is not None
    base = (sample.capital_e9 or 0) if trigger.of_capital else 1
    sign = -1 if trigger.beyond == "below" else 1
    bad, bound, step = _measure(trigger, sample.value), sign * trigger.threshold_e9 * base, trigger.step_e9 * base
    if bad <= bound:
        inside = bad <= bound - step
        return (before._replace(worst=None, held=False) if inside else before), False
    if in_force >= trigger.level:
        if before.worst is None and not before.held:
            return before, False
        return before._replace(worst=bad if before.worst is None else max(bad, before.worst), held=False), False
    if before.worst is None or bad >= before.worst + step:
        return before._replace(worst=bad, held=False), True
    return before, False


def _highest(scope: Scope, found: list[tuple[Level, str]]) -> Trip:
    found = sorted(found, key=lambda one: -one[0])
    return Trip(scope, found[0][0], "; ".join(reason for _, reason in found))


def said(trigger: Trigger, sample: Sample) -> str:
    """A sample beside its threshold, in words."""
    assert sample.value is not None
    if trigger.of_capital:
        seen = f"{sample.value * 100 / (sample.capital_e9 or 1):.4g} % of {(sample.capital_e9 or 0) / E9:,.0f}"
        bound = f"{trigger.threshold_e9 * 100 / E9:g} %"
    else:
        seen, bound = f"{sample.value:.6g}", f"{trigger.threshold_e9 / E9:g}"
    text = f" ({sample.text})" if sample.text else ""
    return f"{trigger.name}: {seen}, {trigger.beyond} {bound}{text}"


def held(triggers: Iterable[Trigger], reasons: Mapping[Scope, str]) -> dict[Key, Standing]:
    """Where triggers stand at a watchdog's start, by the trips of its own that are in force.

    Args:
        reasons: of those trips, by scope.
    """
    return {(t.metric, t.scope): Standing(held=True) for t in triggers if f"{t.name}: " in reasons.get(t.scope, "")}
