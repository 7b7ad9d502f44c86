"""An explanation put together: located, read, every section asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple

from domain import clock_reading
from domain.event import chain_hash
from domain.stored import StoredRow
from ems.audit import decisions, sections
from ems.audit.explanation import Explanation, Section, missing, present
from ems.audit.locate import Hints, Named, hints, locate
from ems.audit.scene import Scene, gather
from ems.audit.source import Source, place_of
from ems.audit.wire import Find, wire
from ems.audit.words import moment

Proofs = Callable[[StoredRow], Awaitable[tuple[dict[str, Any] | None, str]]]  # proof of inclusion, or why there is none


class Means(NamedTuple):
    """What an explanation needs beside the log."""

    reading: decisions.Reading
    find: Find
    proofs: Proofs
    sessions: Collection[str] = ()


async def explain(
    source: Source, asked: str, at: str, at_ns: int | None, means: Means, named: Named | None = None
) -> Explanation:
    """Everything about an id at a place of the log.

    Args:
        at: a sequence number, "" for the end, or a time as it was asked for.
        at_ns: where it is a time.
        named: where something else has found what the id names.

    Raises:
        ConfigError: the id is unknown or ambiguous.
        TimeOutsideLog: the place is outside of the log, or before the id's beginning.
    """
    at_seq = await place_of(source, at, at_ns)
    known = await hints(source, means.sessions)
    named = named or await locate(source, asked, known)
    scene = await gather(source, named, at_seq)
    plan = decisions.plan_in_force(scene)
    told = [
        sections.identity(scene),
        sections.state(scene),
        sections.events(scene, plan),
        sections.cause(scene),
        decisions.book(scene),
        decisions.features(scene, means.reading),
        decisions.model(scene),
        decisions.forecast(scene),
        decisions.plan(scene),
        sections.risk(scene),
        sections.kill(scene),
        wire(scene, plan, means.find),
        clock(scene, await _measured(source, known, at_seq)),
        await proof(scene, means.proofs),
    ]
    return Explanation(asked, source.name, scene.at_seq, scene.at_ns, scene.head.seq, tuple(told))


async def _measured(source: Source, known: Hints, at_seq: int) -> dict[str, Any] | None:
    """The last look at a host's clock before a place of the log; None where nobody looked."""
    keys = {clock_reading.key(host, date) for host in known.hosts for date in known.dates}
    found = await source.streams(keys, at_seq) if keys else []
    return {"seq": found[-1].seq, **json.loads(found[-1].state)["data"]} if found else None


def clock(scene: Scene, measured: dict[str, Any] | None) -> Section:
    """The clock, as far as it was measured: what was not measured is said to be unknown, which is an answer."""
    verdicts = decisions.clock_verdicts(scene)
    own = scene.of(scene.focus)[-1]
    after_ns = own.recorded_time_ns - own.meta.event_time_ns
    content = {
        "measured": measured, "event_time_ns": own.meta.event_time_ns, "recorded_time_ns": own.recorded_time_ns,
        "recorded_after_ns": after_ns, "verdicts": verdicts,
    }  # fmt: skip
    lines = [
        _clock_line(measured),
        f"event {own.seq}: its own time {moment(own.meta.event_time_ns)}, recorded {after_ns} ns later",
    ]
    lines += [f"{v['check']} of event {v['seq']}: {v['observed_ns']} ns against {v['limit_ns']} ns" for v in verdicts[-2:]]
    return present("clock", lines, content)


def _clock_line(measured: dict[str, Any] | None) -> str:
    if measured is None:
        return "offset and uncertainty unknown: no measurement of a clock is in the log"
    by = f"(event {measured['seq']}, {measured['host']})"
    if measured["offset_ns"] is None:
        return f"offset and uncertainty unknown: {measured['detail'] or measured['source']} {by}"
    within = f"{measured['offset_ns']} ns +- {measured['uncertainty_ns']} ns of {measured['reference']}"
    return f"offset {within} by {measured['source']}: {measured['state']} {by}"


async def proof(scene: Scene, proofs: Proofs) -> Section:
    """The last event of what was asked about in the chain, and in a signed head of the log."""
    row = [scene.rows[one.seq] for one in scene.of(scene.focus)][-1]
    seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash_ = row
    chained = chain_hash(prev_hash, seq, stream, version, recorded_time_ns, topic, state) == hash_
    content: dict[str, Any] = {"seq": seq, "hash": hash_.hex(), "prev_hash": prev_hash.hex(), "hash_holds": chained}
    lines = [f"event {seq}: its stored bytes and the hash before it make {hash_.hex()}: {'yes' if chained else 'NO'}"]
    if not chained:
        return missing("proof", f"event {seq} is not what was recorded: its hash differs", lines, content)
    found, why = await proofs(row)
    if found is None:
        return missing("proof", why, lines, content)
    return present("proof", [*lines, *found.pop("lines", [])], {**content, **found})
