"""Events of which a desk's state keeps nothing: others fold their streams when they ask."""

from __future__ import annotations

from domain import (
    access,
    approval,
    audit,
    builds,
    day_load,
    kill_host,
    model_decision,
    model_lineage,
    model_update,
    model_version,
    quote,
    shadow,
)

EVENTS = (
    *model_version.EVENTS, *model_lineage.EVENTS, *model_update.EVENTS, *model_decision.EVENTS, *shadow.EVENTS, *quote.EVENTS,
    *audit.EVENTS, *day_load.EVENTS, *kill_host.ABOUT_STOPS, *builds.EVENTS, *access.EVENTS, *approval.EVENTS,
)  # fmt: skip
