"""The [watchdog] table of the configuration, and the triggers that it comes to."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.kill_scope import FIRM, Scope
from domain.trigger_table import BY_METRIC, ROWS
from domain.triggers import Metric, Trigger
from domain.values import E9, ScopeKind

Seconds = Annotated[float, Field(gt=0, le=3_600)]
OF_CAPITAL: Final = tuple(row for row in ROWS if row.of_capital)


class WatchSettings(BaseModel):
    """The watchdog.

    Attributes:
        enabled: does it run, and do desk and gateway require it? A LIVE desk does not start without.
        beat_max_s: without a beat for longer, nothing new leaves.
        wait_s: how long after its start a metric that never came is waited for.
        back_s: how long a metric must be back before its suspension is cleared.
        quoters: strategies that quote: their latency is required.
        models: strategies by the model that they use: its information coefficient is required.
        thresholds: in place of the table's, by trigger. A LIVE desk takes stricter ones alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    beat_max_s: Seconds = 3
    wait_s: Seconds = 20
    back_s: Seconds = 2
    quoters: tuple[str, ...] = ()
    models: Mapping[str, tuple[str, ...]] = {}
    thresholds: Mapping[Metric, float] = {}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for metric, threshold in self.thresholds.items():
            if not math.isfinite(threshold):
                raise ValueError(f"the threshold of {metric} is not a number")
        return self

    @property
    def beat_max_ns(self) -> int:
        """0: no beat is required."""
        return round(self.beat_max_s * E9) if self.enabled else 0

    def not_live(self, mode: str) -> str:
        """Why this may not watch a LIVE desk, "" where it may."""
        if mode == "LIVE" and not self.enabled:
            return "a LIVE desk does not start without its watchdog"
        for metric, threshold in self.thresholds.items() if mode == "LIVE" else ():
            row = BY_METRIC[metric]
            if threshold < row.threshold if row.beyond == "below" else threshold > row.threshold:
                return f"watchdog: {metric} trips {row.beyond} {row.threshold:g}, and {threshold:g} is looser"
        return ""

    def trigger(self, metric: Metric, scope: Scope) -> Trigger:
        """One trigger on one scope, where its metric is required."""
        return BY_METRIC[metric].on(scope, wait_s=self.wait_s, back_s=self.back_s, threshold=self.thresholds.get(metric))

    def triggers(self, desk: str, stated: Collection[Scope], *, live: bool) -> tuple[Trigger, ...]:
        """All but those on positions, whose scopes the limits say.

        Args:
            desk: its name.
            stated: the scopes whose capital is stated.
        """
        return tuple(self._triggers(desk, stated, live))

    def _triggers(self, desk: str, stated: Collection[Scope], live: bool) -> Iterator[Trigger]:
        scopes = dict.fromkeys([*([FIRM] if live else []), *sorted(stated)])
        for row in OF_CAPITAL:
            yield from (self.trigger(row.metric, scope) for scope in scopes)
        yield self.trigger(Metric.INTERNAL_ERRORS, Scope(ScopeKind.DESK, desk))
        for strategy in self.quoters:
            yield self.trigger(Metric.TICK_TO_QUOTE, Scope(ScopeKind.STRATEGY, strategy))
        for strategy in dict.fromkeys(name for names in self.models.values() for name in names):
            yield self.trigger(Metric.INFORMATION_COEFFICIENT, Scope(ScopeKind.STRATEGY, strategy))
