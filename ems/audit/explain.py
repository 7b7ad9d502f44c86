"""An explanation put together: located, read, every section asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple

from domain.event import chain_hash
from domain.stored import StoredRow
from ems.audit import decisions, sections
from ems.audit.explanation import Explanation, Section, missing, present
from ems.audit.locate import Named, hints, locate
from ems.audit.scene import Scene, gather
from ems.audit.source import Source, place_of
from ems.audit.wire import Find, wire
from ems.audit.words import moment


class Clocks(NamedTuple):
    """What is known of the clock at a moment. measured: None where nothing was measured, and why."""

    measured: dict[str, Any] | None
    why: str


Proofs = Callable[[StoredRow], Awaitable[tuple[dict[str, Any] | None, str]]]  # proof of inclusion, or why there is none


class Means(NamedTuple):
    """What an explanation needs beside the log."""

    reading: decisions.Reading
    find: Find
    proofs: Proofs
    clocks: Callable[[int], Awaitable[Clocks]]
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
    named = named or await locate(source, asked, await hints(source, means.sessions))
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
        clock(scene, await means.clocks(at_seq)),
        await proof(scene, means.proofs),
    ]
    return Explanation(asked, source.name, scene.at_seq, scene.at_ns, scene.head.seq, tuple(told))


def clock(scene: Scene, known: Clocks) -> Section:
    """The clock, as far as it was measured: what was not measured is said to be unknown, which is an answer."""
    verdicts = decisions.clock_verdicts(scene)
    own = scene.of(scene.focus)[-1]
    ahead_ns = own.recorded_time_ns - own.meta.event_time_ns
    content = {
        "measured": known.measured, "unknown": known.why, "event_time_ns": own.meta.event_time_ns,
        "recorded_time_ns": own.recorded_time_ns, "recorded_after_ns": ahead_ns, "verdicts": verdicts,
    }  # fmt: skip
    said = ", ".join(f"{name} {value}" for name, value in known.measured.items()) if known.measured else f"unknown: {known.why}"
    lines = [
        f"offset and uncertainty {said}",
        f"event {own.seq}: its own time {moment(own.meta.event_time_ns)}, recorded {ahead_ns} ns later",
    ]
    lines += [f"{v['check']} of event {v['seq']}: {v['observed_ns']} ns against {v['limit_ns']} ns" for v in verdicts[-2:]]
    return present("clock", lines, content)


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
