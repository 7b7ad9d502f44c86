"""Everything of one order, from the log: its events with their causes, what it led to, and why a child was made.

Read from the streams that are the order's by their keys, so it costs what the order has, however long the log is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from domain import child_order as co
from domain import decision, market_note
from domain import model_decision as md
from domain import parent_order as po
from domain.decision import Planned
from domain.event import Recorded
from domain.parent_order import ParentOrder
from domain.ports import EventLog
from domain.risk import check_key
from domain.risk_verdicts import Checked
from domain.schedule import Evidence, Schedule
from domain.values import StreamId
from ems.read_models.models import ReadModels
from ems.read_models.table import decimal, moment
from ems.risk_told import verdict_row

EVENTS_MAX: Final = 5_000  # of one order that are shown
_DECISIONS_MAX: Final = 500  # of a net that are searched for the one behind a plan
Told = dict[str, Any]


def told(recorded: Recorded) -> Told:
    """An event as plain values."""
    meta, inbound = recorded.meta, recorded.meta.inbound
    return {
        "seq": recorded.seq, "topic": recorded.event.TOPIC, "stream": recorded.stream, "version": recorded.version,
        "event_id": recorded.event_id, "time_ns": moment(meta.event_time_ns), "recorded_ns": moment(recorded.recorded_time_ns),
        "actor": meta.actor, "cause": meta.causation, "correlation": meta.correlation,
        "message": None if inbound is None else {"session": inbound.session, "number": inbound.msg_seq_num},
        "data": recorded.event.model_dump(mode="json"),
    }  # fmt: skip


async def streams_of(models: ReadModels, parent: ParentOrder) -> AsyncIterator[StreamId]:
    """Every stream that is an order's, by its key."""
    yield parent.id
    yield check_key(parent.id)
    yield market_note.decision_key(parent.id)
    for number in range(1, parent.plans + 1):
        yield decision.key(parent.id, number)
    for number in range(1, parent.children + 1):
        child = co.key(parent.id, number)
        yield child
        yield check_key(child)
    for allocation in models.world.state.allocations_of.get(parent.id, ()):
        yield allocation


async def detail(models: ReadModels, log: EventLog, parent: StreamId) -> Told | None:
    """One order; None where there is none."""
    found = models.world.state.parents.get(parent)
    if found is None:
        return None
    events: list[Recorded] = []
    fills = _of_parent(models, "fills", parent)
    if not isinstance(found, ParentOrder):
        events += [*await log.read(parent), *await log.read(check_key(parent))]
    else:
        async for stream in streams_of(models, found):
            events += await log.read(stream)
        for fill in fills:
            events += await log.read(StreamId(fill["id"]))
    events.sort(key=lambda one: one.seq)
    plans = [_plan(one) for one in events if isinstance(one.event, Planned)]
    return {
        "order": models.tables["parents"].named(parent), "events": [told(one) for one in events[:EVENTS_MAX]],
        "more_events": max(0, len(events) - EVENTS_MAX), "plans": plans, "children": _of_parent(models, "children", parent),
        "fills": fills, "verdicts": [_verdicts(one) for one in events if isinstance(one.event, Checked)],
        "allocations": [
            row for one in models.world.state.allocations_of.get(parent, ()) if (row := models.tables["allocations"].named(one))
        ],
        "terms": found.terms.model_dump(mode="json") if isinstance(found, ParentOrder) else None,
    }  # fmt: skip


async def why(models: ReadModels, log: EventLog, child: StreamId) -> Told | None:
    """Why a child was made: the plan in force, what it foresaw and what bound it, the checks, and what the net saw."""
    state = models.world.state.children.get(child)
    if state is None:
        return None
    born = await log.read(child)
    created = born[0] if born else None
    plan = await _plan_before(models, log, state.parent, created.seq if created is not None else 0)
    checks = [_verdicts(one) for one in await log.read(check_key(child)) if isinstance(one.event, Checked)]
    seen = await _decision_of(log, state.parent, plan) if plan is not None else None
    return {
        "child": models.tables["children"].named(child), "created": told(created) if created is not None else None,
        "cause": created.meta.causation if created is not None else None, "plan": _plan(plan) if plan is not None else None,
        "checks": checks, "decision": seen,
    }  # fmt: skip


async def schedule(models: ReadModels, log: EventLog, parent: StreamId) -> Told | None:
    """What was planned, when it was planned anew, and what was done: cumulative quantities by time."""
    found = models.world.state.parents.get(parent)
    if not isinstance(found, ParentOrder):
        return None
    plans = [one for number in range(1, found.plans + 1) for one in await log.read(decision.key(parent, number))]
    planned = [one for one in plans if isinstance(one.event, Planned)]
    filled, actual = 0, list[list[str | None]]()
    for recorded in await log.read(parent):
        if isinstance(recorded.event, po.Filled):
            filled += recorded.event.quantity_e9
            actual.append([moment(recorded.meta.event_time_ns), decimal(filled), decimal(recorded.event.price_e9)])
    terms = found.terms
    markets = [one.event.request.market for one in planned if isinstance(one.event, Planned) and one.event.request.market]
    return {
        "quantity": decimal(terms.quantity_e9), "start_ns": moment(terms.start_ns), "end_ns": moment(terms.end_ns),
        "now_ns": moment(models.world.now_ns),
        "slices": _slices(found.schedule) if found.schedule is not None else [],
        "target": _curve(found.schedule) if found.schedule is not None else [],
        "bounds": _bounds(found), "actual": actual,
        "replans": [_plan(one) for one in planned],
        "market_volume": [[moment(market.time_ns), decimal(market.volume_e9)] for market in markets],
    }  # fmt: skip


# --------------------------------------------------------------------------------------------- helpers


def _of_parent(models: ReadModels, topic: str, parent: StreamId) -> list[Told]:
    table = models.tables[topic]
    place = table.topic.place("parent")
    keys = [key for key in table.ids() if (row := table.row(key)) is not None and row[place] == parent]
    return [known for key in keys if (known := table.named(key)) is not None]


def _slices(schedule: Schedule) -> list[list[str | None]]:
    return [[moment(one.start_ns), moment(one.end_ns), decimal(one.quantity_e9)] for one in schedule.slices]


def _curve(schedule: Schedule) -> list[list[str | None]]:
    """Cumulative: where the schedule is at the beginning of each slice and at its end."""
    total_e9, points = schedule.filled_e9, list[list[str | None]]()
    for one in schedule.slices:
        points.append([moment(one.start_ns), decimal(total_e9)])
        total_e9 += one.quantity_e9
        points.append([moment(one.end_ns), decimal(total_e9)])
    return points


def _bounds(parent: ParentOrder) -> list[list[str | None]]:
    """By time, the least and the most that may have been released: a slice behind the plan, and all that has begun."""
    schedule = parent.schedule
    if schedule is None:
        return []
    low_e9 = high_e9 = schedule.filled_e9
    points: list[list[str | None]] = []
    for one in schedule.slices:
        high_e9 += one.quantity_e9
        points.append([moment(one.start_ns), decimal(low_e9), decimal(min(high_e9, parent.terms.quantity_e9))])
        low_e9 = high_e9
    return points


def _plan(recorded: Recorded) -> Told:
    event = recorded.event
    assert isinstance(event, Planned)
    request, made = event.request, event.schedule
    return {
        "seq": recorded.seq, "stream": recorded.stream, "number": request.plan_number, "time_ns": moment(request.now_ns),
        "reason": request.reason, "planner": made.planner, "fallback": made.fallback or None,
        "remaining": decimal(request.remaining_e9), "filled": decimal(request.filled_e9), "slices": _slices(made),
        "at_close": decimal(made.at_close_e9), "market": _market(request.market), "evidence": _evidence(made.evidence, made),
        "request_sha256": event.request_sha256,
    }  # fmt: skip


def _market(market: Any) -> Told | None:
    if market is None:
        return None
    prices = {"bid": market.bid_e9, "ask": market.ask_e9, "last": market.last_e9, "volume": market.volume_e9}
    return {"time_ns": moment(market.time_ns), **{name: decimal(value) for name, value in prices.items()}}


def _evidence(evidence: Evidence | None, made: Schedule) -> Told | None:
    """What a plan rests on. A dual that is not zero names a constraint that bound it, and what loosening it would be worth."""
    if evidence is None:
        return None
    names = ["the whole quantity", *(f"the cap of slice {place}" for place in range(1, len(evidence.duals)))]
    binding = [[name, dual] for name, dual in zip(names, evidence.duals, strict=False) if abs(dual) > 1e-12]
    return {
        "weights_sha256": evidence.weights_sha256, "seed": evidence.seed, "futures": evidence.samples, "solver": evidence.solver,
        "expected_cost": decimal(evidence.expected_cost_e9), "binding": binding, "lifted": evidence.lifted,
        "foreseen_ns": [moment(at_ns) for at_ns in evidence.latents_ns], "slices": len(made.slices),
    }  # fmt: skip


def _verdicts(recorded: Recorded) -> Told:
    event = recorded.event
    assert isinstance(event, Checked)
    return {
        "seq": recorded.seq, "subject": event.subject.value, "order": event.order, "passed": event.passed,
        "notional": decimal(event.notional_e9), "override": event.override,
        "checks": [verdict_row(one) for one in event.verdicts],
    }  # fmt: skip


async def _plan_before(models: ReadModels, log: EventLog, parent: StreamId, seq: int) -> Recorded | None:
    """The last plan of an order that was made before an event."""
    found = models.world.state.parents.get(parent)
    for number in range(found.plans if isinstance(found, ParentOrder) else 0, 0, -1):
        for recorded in await log.read(decision.key(parent, number)):
            if isinstance(recorded.event, Planned) and recorded.seq < seq:
                return recorded
    return None


async def _decision_of(log: EventLog, parent: StreamId, plan: Recorded) -> Mapping[str, Any] | None:
    """The net's decision that led to a plan, with what each input did to it where that was asked for."""
    for number in range(1, _DECISIONS_MAX + 1):
        events = await log.read(md.key(md.Use.SCHEDULER, parent, number))
        if not events:
            return None
        if any(isinstance(one.event, md.Acted) and one.event.plan == plan.stream for one in events):
            made = events[0].event
            explained = [one.event for one in events if isinstance(one.event, md.Explained)]
            return {
                "stream": events[0].stream, "weights_sha256": getattr(made, "weights_sha256", None),
                "expected_move": [getattr(made, name, None) for name in ("return_low", "return_mean", "return_high")],
                "attribution": [{"output": one.output, "value": one.value, "features": one.features} for one in explained],
            }  # fmt: skip
    return None
