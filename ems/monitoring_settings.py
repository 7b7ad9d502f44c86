"""The [monitoring] table of the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=3_600)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]


class MonitoringSettings(BaseModel):
    """The monitor; without this table none runs.

    Attributes:
        every_s: from one look to the next.
        wait_s: how long after its start what never came is waited for, and nothing is cleared.
        clear_s: how long something must be well before its alert is cleared.
        lag_max_s: of the log's followers: the monitor itself, the views.
        stale_max_s: of what the observer tells, in the desk's time.
        latency_sla_us: of the 99th percentile of a forecast over 10,000.
        loss_warning: from which part of the watchdog's thresholds on a loss is told.
        webhooks, alertmanagers: who is told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    every_s: Seconds = 1.0
    wait_s: Seconds = 30.0
    clear_s: Seconds = 10.0
    lag_max_s: Seconds = 5.0
    stale_max_s: Seconds = 60.0
    latency_sla_us: Annotated[float, Field(gt=0)] = 200.0
    loss_warning: Annotated[float, Field(gt=0, le=1)] = 0.5
    webhooks: tuple[Url, ...] = ()
    alertmanagers: tuple[Url, ...] = ()
