"""The kill switch's triggers as the specification has them: one table, which the configuration may tighten and the docs show.

Source of thresholds and levels: the specification's kill switch. Hysteresis, warm-up and ages are this system's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from domain.kill_scope import Scope
from domain.kill_table import Level
from domain.trigger_metrics import FORECASTS, TICKS
from domain.triggers import Metric, Trigger
from domain.values import E9


class Row(NamedTuple):
    """One trigger before it is put on scopes. threshold and step are in `unit`; age_max_s and back_s in seconds of the host.

    Attributes:
        of_capital: is the unit a part of the scope's stated capital?
        scopes: which it is put on, in words.
    """

    metric: Metric
    measures: str
    scopes: str
    level: Level
    beyond: Literal["below", "above"]
    threshold: float
    step: float
    unit: str
    of_capital: bool
    warm_up: int
    age_max_s: float
    when: str

    def on(self, scope: Scope, *, wait_s: float, back_s: float, threshold: float | None = None, required: bool = True) -> Trigger:
        """This trigger on a scope. threshold: in place of the table's."""
        return Trigger(
            metric=self.metric,
            scope=scope,
            level=self.level,
            beyond=self.beyond,
            threshold_e9=round((self.threshold if threshold is None else threshold) * E9),
            step_e9=round(self.step * E9),
            of_capital=self.of_capital,
            warm_up=self.warm_up,
            required=required,
            age_max_ns=round(self.age_max_s * E9),
            wait_ns=round(wait_s * E9),
            back_ns=round(back_s * E9),
        )


_LOSS = "each scope with a stated capital"
ROWS: Final = (
    Row(
        Metric.DAILY_PNL, "profit and loss of the day at the last marks, realised or not", _LOSS, Level.HARD, "below", -0.02,
        0.005, "of the capital", True, 0, 10, "the scope's capital is stated; the firm of a LIVE desk always",
    ),
    Row(
        Metric.DRAWDOWN, "the same below its best of the day", _LOSS, Level.PANIC, "below", -0.05, 0.01, "of the capital", True,
        0, 10, "the scope's capital is stated; the firm of a LIVE desk always",
    ),
    Row(
        Metric.POSITION, "positions held beyond a hard limit on positions", "the scope of the limit", Level.PANIC, "above", 0, 1,
        "positions", False, 0, 10, "there is such a limit",
    ),
    Row(
        Metric.INTERNAL_ERRORS, "our own faults in the last minute, in desk and gateways", "the desk", Level.HARD, "above", 10, 5,
        "errors", False, 0, 5, "always",
    ),
    Row(
        Metric.TICK_TO_QUOTE, f"99th percentile from tick to quote over {TICKS:,} ticks", "the quoter's strategies", Level.SOFT,
        "above", 5, 0.5, "ms", False, TICKS, 5, "`quoters` names a strategy",
    ),
    Row(
        Metric.INFORMATION_COEFFICIENT, f"rank correlation of the last {FORECASTS} forecasts with their outcomes",
        "the strategies that use the model", Level.SOFT, "below", 0, 0.02, "", False, 100, 60, "`models` names one",
    ),
)  # fmt: skip


BY_METRIC: Final = {row.metric: row for row in ROWS}


def lines() -> Iterator[str]:
    """The table as docs/kill-switch.md has it."""
    yield "| trigger | measures | scope | sets | when | hysteresis | warm-up | too old after | required when |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in ROWS:
        scale, sign = (100, " %") if row.of_capital else (1, "")
        unit = f"{sign} {row.unit}".rstrip()
        bound = f"{row.beyond} {row.threshold * scale:g}{unit}"
        warm_up = f"{row.warm_up:,} samples" if row.warm_up else "none"
        yield (
            f"| `{row.metric}` | {row.measures} | {row.scopes} | {row.level.name} | {bound} | {row.step * scale:g}{unit} | "
            f"{warm_up} | {row.age_max_s:g} s | {row.when} |"
        )
