"""`ems shadow report`: the log's plans and notes, and the impact model that planners use."""

from __future__ import annotations

from typing import Any

import numpy as np

from domain import shadow
from domain.decision import Planned
from domain.event import Recorded
from domain.market_note import Noted
from domain.values import E9
from ems.bootstrap import kill
from ems.config import Settings
from ems.shadow_report import report
from models.planners.impact import impact

_HOUR_NS = 3_600 * E9
_WANTED = (Planned, Noted, shadow.Planned, shadow.Missed)


def eta(volatility: float, volume: float, spread: float, depth: float) -> float:
    """Temporary impact, price per share at a share, as planners reckon it (`models.planners.impact`)."""
    return float(impact(*(np.array([max(each, 1e-12)]) for each in (volatility, volume, spread, depth))).eta[0])


async def report_of(
    settings: Settings, *, hours: float, threshold_bps: float, margin_bps: float, version: str = ""
) -> dict[str, Any]:  # fmt: skip
    """Of the last hours. version: only those whose digest begins so. Raises LogError."""
    runtime = kill.runtime_of(settings)
    wanted: list[Recorded] = []
    async with kill.log_of(runtime) as log:
        async for page in log.read_pages():
            wanted += [one for one in page if isinstance(one.event, _WANTED)]
    since_ns = runtime.clock().now_ns() - round(hours * _HOUR_NS)
    found = report(wanted, eta, since_ns=since_ns, threshold_bps=threshold_bps, margin_bps=margin_bps)
    return found | {"versions": [one for one in found["versions"] if one["digest"].startswith(version)]}
