"""The sections that the log itself tells: what was asked about, its state, its events, their causes, verdicts, kill switch."""

from __future__ import annotations

import json
from typing import Any

from domain import child_life, kill_switch, limits, parent_life
from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.builds import BuildApproved
from domain.event import Event, Recorded
from domain.kill_table import Level
from domain.parent_order import ParentOrder
from domain.risk import Outcome
from domain.risk_verdicts import Checked, Verdict
from domain.stored import StoredRow
from domain.values import Algo
from ems.audit.explanation import Section, idle, missing, present
from ems.audit.scene import Scene, limit_of, plain
from ems.audit.words import moment, number
from ems.projections import child_row, parent_row

_NO_RISK = "no order of ours: nothing was judged"


def identity(scene: Scene) -> Section:
    """What the id names and what it belongs to."""
    named, begun = scene.named, scene.of(scene.focus)[0]
    kind = named.topic.partition(".")[0]
    content: dict[str, Any] = {
        "asked": named.asked, "kind": kind, "stream": scene.focus, "found": named.how, "began_seq": begun.seq,
        "began_ns": begun.recorded_time_ns, "parent": scene.parent, "child": scene.child, "content": plain(begun.event),
    }  # fmt: skip
    lines = [f"{kind} {scene.focus} ({named.how}), since event {begun.seq}, {moment(begun.recorded_time_ns)}"]
    accepted = scene.terms
    if accepted is not None:
        terms = accepted.terms
        lines.append(
            f"parent {accepted.client_session} {accepted.cl_ord_id} of {accepted.trade_date}: {accepted.side} "
            f"{number(terms.quantity_e9)} {accepted.instrument} by {terms.algo}, OrderID {accepted.order_id}"
        )
    lines += [_child_line(one) for one in scene.of(scene.child) if isinstance(one.event, co.Created)]
    lines += [
        f"execution {event.exec_id}: {number(event.quantity_e9)} at {number(event.price_e9)}, {event.venue_session}"
        for event in (one.event for one in scene.of(scene.focus))
        if isinstance(event, fl.Recorded)
    ]
    return present("identity", lines, content)


def _child_line(one: Recorded) -> str:
    made = one.event
    assert isinstance(made, co.Created)
    price = number(made.limit_price_e9)
    what = f"{made.side} {number(made.quantity_e9)} at {price}, {made.tactic}"
    return f"child {made.number} {made.cl_ord_id} to {made.venue_session}: {what}"


def state(scene: Scene) -> Section:
    """What the desk knew of the order there: folded by the code that made it live."""
    lines: list[str] = []
    content: dict[str, Any] = {}
    folded = folded_order(scene)
    parent = folded.get(scene.parent or "")
    if isinstance(parent, ParentOrder):
        row = content["parent"] = parent_row(parent)
        lines.append(
            f"parent {row['status']}: filled {row['filled']} of {row['quantity']}, at {row['avg_px'] or '-'}, open {row['open']}"
        )
    elif scene.parent is not None:
        content["parent"] = {"status": "rejected"}
        lines.append("parent rejected")
    children = [child for child in folded.values() if isinstance(child, co.ChildOrder)]
    content["children"] = [child_row(child) for child in children]
    lines += [f"child {c['cl_ord_id']} {c['status']}: filled {c['filled']} of {c['quantity']}" for c in content["children"]]
    if not content["children"] and scene.parent is None:
        return idle("state", "the desk keeps no order under it")
    return present("state", lines, content)


def folded_order(scene: Scene) -> dict[str, Any]:
    """The order's streams folded: parents and children by stream."""
    states: dict[str, Any] = {}
    for one in scene.order:
        place, at_ns = one.stream, one.meta.event_time_ns
        if isinstance(one.event, po.EVENTS):
            states[place] = parent_life.evolve(states.get(place), one.event, stream=place, at_ns=at_ns)
        elif isinstance(one.event, co.EVENTS):
            states[place] = child_life.evolve(states.get(place), one.event, stream=place, at_ns=at_ns)
    return states


def events(scene: Scene, plan: Recorded | None) -> Section:
    """The order's events up to there: the stored bytes, and where an older version was read as a newer one, both."""
    own = [one for one in scene.order if scene.concerns(one, plan)] or scene.of(scene.focus)
    content = [_event(scene.rows[one.seq], one.event) for one in own]
    return present("events", [_event_line(one, scene.rows[one.seq].topic) for one in own], content)


def _event_line(one: Recorded, topic: str) -> str:
    return f"{one.seq:>9}  {moment(one.recorded_time_ns)}  {topic:<32} {one.meta.actor} because of {one.meta.causation}"


def _event(row: StoredRow, read: Event) -> dict[str, Any]:
    told = json.loads(row.state)
    shown: dict[str, Any] = {
        "seq": row.seq, "stream": row.stream, "version": row.version, "topic": row.topic,
        "recorded_time_ns": row.recorded_time_ns, "meta": told["meta"], "data": told["data"],
        "hash": row.hash.hex(), "prev_hash": row.prev_hash.hex(),
    }  # fmt: skip
    if row.topic != read.TOPIC:
        shown["read_as"] = {"topic": read.TOPIC, "data": plain(read)}
    return shown


def cause(scene: Scene) -> Section:
    """Who or what caused it: the chain from what was asked about back to the first message."""
    begun = scene.of(scene.focus)[0]
    chain = [begun]
    if scene.child is not None and scene.focus != scene.child:
        chain += scene.of(scene.child)[:1]
    if scene.child is not None:
        chain += [e for e in scene.of(scene.parent) if isinstance(e.event, po.ChildReleased) and e.event.child == scene.child]
        plans = [e for e in scene.of(scene.parent) if isinstance(e.event, po.Scheduled) and e.seq <= chain[-1].seq]
        chain += plans[-1:]
    if scene.parent is not None and scene.parent != scene.focus:
        chain += scene.of(scene.parent)[:1]
    content = [
        {"seq": one.seq, "topic": one.event.TOPIC, "actor": one.meta.actor, "causation": one.meta.causation,
         "inbound": list(one.meta.inbound) if one.meta.inbound else None, "build": one.meta.build}
        for one in chain
    ]  # fmt: skip
    lines = [
        f"{one.event.TOPIC} (event {one.seq}): {one.meta.actor}, because of {one.meta.causation}; build {one.meta.build}"
        for one in chain
    ]
    approved = {one.event.digest: one.event.person for one in scene.all(BuildApproved) if isinstance(one.event, BuildApproved)}
    lines += [f"build {digest} was approved by {person}" for digest, person in approved.items()]
    return present("cause", lines, content)


def risk(scene: Scene) -> Section:
    """Every verdict with the version of its limit, and who set that version."""
    if scene.parent is None:
        return idle("risk", _NO_RISK)
    wanted = scene.child or scene.parent
    every = [(one, one.event) for one in scene.all(Checked) if isinstance(one.event, Checked)]
    judged = [(one, event) for one, event in every if scene.child is None or event.order == wanted]
    lines, content, unknown = [], [], []
    for one, event in judged:
        verdict_rows = []
        lines.append(f"event {one.seq}: {event.subject} of {number(event.quantity_e9)} {'passed' if event.passed else 'REFUSED'}")
        for verdict in event.verdicts:
            limit = limit_of(scene, verdict)
            if verdict.limit_version and limit is None:
                unknown.append(f"{verdict.check} {verdict.scope} version {verdict.limit_version}")
            verdict_rows.append(_verdict(verdict, limit))
            lines.append(f"    {_verdict_line(verdict, limit)}")
        content.append({"seq": one.seq, "subject": event.subject, "order": event.order, "passed": event.passed,
                        "reference": event.reference, "reference_price_e9": event.reference_price_e9,
                        "market_ns": event.market_ns, "override": event.override, "verdicts": verdict_rows})  # fmt: skip
    if not judged:
        why = "no verdict on it is in the log"
        flattening = scene.terms is not None and scene.terms.flattens is not None
        return idle("risk", "a kill switch flattens a position: it asks nobody") if flattening else missing("risk", why)
    if unknown:
        return missing("risk", f"the log has no limit {unknown[0]}", lines, content)
    return present("risk", lines, content)


def _verdict(verdict: Verdict, limit: Recorded | None) -> dict[str, Any]:
    set_by = limit.event if limit is not None else None
    assert set_by is None or isinstance(set_by, limits.LimitSet)
    return {
        "check": verdict.check, "outcome": verdict.outcome, "scope": verdict.scope, "limit_version": verdict.limit_version,
        "observed": verdict.observed, "limit": verdict.limit, "data": verdict.data, "window_ns": verdict.window_ns,
        "limit_seq": limit.seq if limit else None, "limit_set_by": limit.meta.actor if limit else None,
        "limit_approver": set_by.approver if set_by else None, "limit_reason": set_by.reason if set_by else None,
    }  # fmt: skip


def _verdict_line(verdict: Verdict, limit: Recorded | None) -> str:
    said = "pass" if verdict.outcome is Outcome.PASS else verdict.outcome.upper()
    held = f"{'-' if verdict.observed is None else verdict.observed} against {'-' if verdict.limit is None else verdict.limit}"
    rule = "a rule" if not verdict.limit_version else f"limit version {verdict.limit_version}"
    by = f", set by {limit.meta.actor} in event {limit.seq}" if limit is not None else ""
    return f"{verdict.check:<20} {said:<6} {held}  {rule} of {verdict.scope}{by}{': ' + verdict.data if verdict.data else ''}"


def kill(scene: Scene) -> Section:
    """The kill switch as the log has it there."""
    own = scene.of(kill_switch.key())
    if not scene.from_the_first(kill_switch.key()):
        return missing("kill", "what was said of the switch before is not here: the bundle begins later")
    folded = kill_switch.fold((one.event, one.meta.actor) for one in own)
    lines, content = [], []
    for scope, switch in folded.switches.items():
        content.append({
            "scope": scope.text, "level": switch.level.name, "trip": switch.trip, "reason": switch.reason, "actor": switch.actor,
            "tripped_ns": switch.tripped_ns, "suspended": sorted(switch.suspended), "paused_before_ns": switch.paused_before_ns,
        })  # fmt: skip
        if switch.level is not Level.ARMED or switch.suspended or switch.paused_before_ns:
            lines.append(f"{scope.text}: {switch.level.name} {switch.reason} {', '.join(sorted(switch.suspended))}".rstrip())
    if not lines:
        lines = [f"every scope was armed, by {len(own)} events of the switch" if own else "armed: nothing was ever said of it"]
    return present("kill", lines, {"scopes": content, "events": [one.seq for one in own]})


def works_by(scene: Scene) -> Algo | None:
    """The algorithm that the order was taken with."""
    accepted = scene.terms
    return accepted.terms.algo if accepted is not None else None
