"""Every event there is: the one list from which topics are registered."""

from __future__ import annotations

from domain import (
    access,
    allocation,
    approval,
    attention,
    audit,
    builds,
    child_order,
    day_load,
    decision,
    fill,
    fix_session,
    kill_host,
    kill_switch,
    limits,
    market_note,
    mass,
    model_decision,
    model_version,
    order_list,
    parent_order,
    quote,
    risk,
    risk_verdicts,
    wheel,
)
from domain.event import Topics

TOPICS = Topics()
for _stream in (
    parent_order,
    child_order,
    fill,
    decision,
    fix_session,
    allocation,
    mass,
    order_list,
    day_load,
    kill_host,
    kill_switch,
    risk,
    risk_verdicts,
    limits,
    builds,
    attention,
    model_version,
    market_note,
    wheel,
    model_decision,
    quote,
    access,
    approval,
    audit,
):
    TOPICS.register(_stream.EVENTS)
