"""What is not well, from what every part of the system tells of itself. Pure; what is not told counts as not well.

`docs/monitoring.md` has each kind with its threshold, its source and what to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.kill_scope import Scope
from domain.monitoring import Finding
from domain.triggers import Key, Metric, Sample, Trigger
from domain.values import E9
from ems.monitoring_settings import MonitoringSettings

Told = Mapping[str, Any]
_TOLD_ELSEWHERE: Final = frozenset({"sessions", "kill", "monitor"})  # each session, each scope; whoever reads this is here
_TELLS: Final = {"planners": "desk", "risk": "desk", "observer": "desk", "clock": "audit_watch"}
UNMONITORED: Final = "drift_unmonitored"
_WORDS: Final = {"ic": "rank correlation of the last 500 forecasts", "coverage": "misses beyond the allowance (CUSUM)"}


class Lag:
    """How long a follower has been behind: the age of the oldest end that it has not reached."""

    def __init__(self) -> None:
        self._ends: deque[tuple[int, int]] = deque()  # when, where the end was

    def see(self, now_ns: int, end: int, reached: int) -> int:
        """Nanoseconds, 0 where it has everything that there was at the last look."""
        if not self._ends or end > self._ends[-1][1]:
            self._ends.append((now_ns, end))
        while self._ends and self._ends[0][1] <= reached:
            self._ends.popleft()
        return now_ns - self._ends[0][0] if self._ends else 0


@dataclass(frozen=True)
class Situation:
    """One look.

    Attributes:
        parts: by name, as `ems.health_parts` judges them.
        lags_ns: by what lags, see `Lag`; None: it cannot be known.
        sessions: each FIX session, and is it up? None: its gateway does not answer.
        samples: of P&L and limits, as the watchdog folds them. triggers: those that they belong to.
        tripped: scopes at which the kill switch is set, each with its reason.
        markets: those that the observer is to judge.
        forecasts: of each market that it judges, what the desk last heard; see `told_of` of `ems.deviations`.
        latency_us: 99th percentile of a forecast, and of how many it is; None: nobody tells.
    """

    parts: Mapping[str, Told] = field(default_factory=dict)
    lags_ns: Mapping[str, int | None] = field(default_factory=dict)
    sessions: Mapping[str, bool | None] = field(default_factory=dict)
    samples: Mapping[Key, Sample] = field(default_factory=dict)
    triggers: Sequence[Trigger] = ()
    tripped: Mapping[Scope, str] = field(default_factory=dict)
    markets: Sequence[str] = ()
    forecasts: Mapping[str, Told] = field(default_factory=dict)
    latency_us: tuple[float, int] | None = None


def findings(seen: Situation, settings: MonitoringSettings) -> list[Finding]:
    """Everything that is beyond its threshold or missing."""
    return [
        *_parts(seen), *_lags(seen, settings), *_sessions(seen), *_losses(seen, settings), *_tripped(seen),
        *_forecasts(seen, settings), *_latency(seen, settings),
    ]  # fmt: skip


def _parts(seen: Situation) -> Iterator[Finding]:
    """What is red in `ems health`; what only another red part could tell is not told beside it."""
    red = {name for name, part in seen.parts.items() if not part["up"]}
    for name in sorted(red):
        if name not in _TOLD_ELSEWHERE and _TELLS.get(name) not in red:
            part = seen.parts[name]
            yield Finding("part_down", name, "critical", f"{part['why']}: {part['do']}")


def _lags(seen: Situation, settings: MonitoringSettings) -> Iterator[Finding]:
    for name, lag_ns in seen.lags_ns.items():
        if lag_ns is None:
            yield Finding(f"{name}_missing", name, "warning", f"nobody can say how far {name} is")
        elif lag_ns > settings.lag_max_s * E9:
            yield Finding(name, name, "warning", f"{lag_ns / E9:.1f} s behind, above {settings.lag_max_s:g} s")


def _sessions(seen: Situation) -> Iterator[Finding]:
    for name, up in seen.sessions.items():
        if not up:
            yield Finding("fix_session_down", name, "warning", "not logged on" if up is False else "its gateway does not answer")


def _losses(seen: Situation, settings: MonitoringSettings) -> Iterator[Finding]:
    """A loss at a stated part of what trips the kill switch; positions beyond a limit; figures that cannot be reckoned."""
    for trigger in seen.triggers:
        if not trigger.of_capital and trigger.metric is not Metric.POSITION:
            continue
        name, sample = trigger.scope.text, seen.samples.get((trigger.metric, trigger.scope))
        if sample is None or sample.value is None or (trigger.of_capital and not sample.capital_e9):
            yield Finding(f"{trigger.name}_missing", name, "warning", (sample and sample.text) or "the figure is missing")
        elif trigger.of_capital:
            share, limit = sample.value / (sample.capital_e9 or 1), trigger.threshold_e9 / E9
            if share <= limit * settings.loss_warning:
                text = f"{100 * share:.3g} % of the capital; the kill switch acts below {100 * limit:g} %"
                yield Finding(trigger.name, name, "critical" if share < limit else "warning", text)
        elif sample.value > 0:
            yield Finding("position_limit", name, "critical", sample.text or "a position is beyond its limit")


def _tripped(seen: Situation) -> Iterator[Finding]:
    for scope, reason in seen.tripped.items():
        yield Finding("kill_switch", scope.text, "critical", reason)


def _forecasts(seen: Situation, settings: MonitoringSettings) -> Iterator[Finding]:
    for market in seen.markets:
        told = seen.forecasts.get(market)
        if told is None:
            yield Finding("forecast_stale", market, "warning", "the nets see nothing of this market")
            continue
        if told["age_s"] > settings.stale_max_s:
            text = f"the nets last saw it {told['age_s']:.0f} s ago, above {settings.stale_max_s:g} s"
            yield Finding("forecast_stale", market, "warning", text)
        if not told["ratios"]:
            why = told["why"] or "nobody judges its forecasts"
            yield Finding(UNMONITORED, market, "warning", f"forecasts are unmonitored and fully trusted: {why}")
        for name, ratio in told["ratios"].items():
            if ratio is not None and ratio >= 1:
                value, words = told["figures"][name], _WORDS.get(name, "population stability index")
                text = f"{words}: {value:.4g}, {ratio:.2f} times the way from usual to alert"
                yield Finding(f"drift_{name.replace('.', '_')}", market, "warning", text)


def _latency(seen: Situation, settings: MonitoringSettings) -> Iterator[Finding]:
    if not seen.markets:
        return
    if seen.latency_us is None:
        yield Finding("forecast_latency_missing", "forecasts", "warning", "nobody tells how long a forecast takes")
    elif seen.latency_us[1] >= 1_000 and seen.latency_us[0] > settings.latency_sla_us:
        p99, size = seen.latency_us
        yield Finding(
            "forecast_latency", "forecasts", "warning", f"p99 {p99:.0f} us over {size:,}, above {settings.latency_sla_us:g}"
        )
