"""`ems audit explain`: what an explanation needs beside the log, from where it lies on this machine."""

from __future__ import annotations

import base64
import json
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from adapters.bundle.rows import BundleRows
from adapters.fix.wire_find import FoundAt, find
from adapters.fix.wire_reader import sessions
from adapters.fix.wire_record import Kind
from adapters.fix.wire_segments import folder
from adapters.postgres.sealed_log import PostgresSealedLog
from domain.errors import ChainBroken, ConfigError, SealError
from domain.stored import StoredRow
from ems import log_proof
from ems.audit import bundle_proof
from ems.audit.bundle_proof import PartialTree
from ems.audit.explain import Means, explain
from ems.audit.explanation import Explanation
from ems.audit.locate import Named
from ems.audit.wire import Expected, Journal, Message
from ems.audit.words import moment
from ems.bootstrap.audit_source import Opened, Place, moment_ns, opened
from models.net_contract import BOOK, FEATURE_NAMES, FEATURES, LEVELS, REGIMES, TAPE_ROWS, TRADES

_DIRECTION: Final = {Kind.IN: "in", Kind.OUT: "out", Kind.KEPT: "kept"}
_SLACK_NS: Final = 60_000_000_000  # by which a message may be older or younger than its event
_FOREVER_NS: Final = 2**62


async def explained(place: Place, asked: str, at: str, reader: str) -> Explanation:
    """Explain an id at a place of the log, to a named person.

    Raises:
        ConfigError, TimeOutsideLog, LogError: as `ems.audit.explain.explain`, and where the source cannot be opened.
    """
    began = time.perf_counter()
    async with opened(place) as there:
        means = Means(reading, lambda *wanted: journal_of(there.journals, *wanted), _proofs(there), there.sessions)
        try:
            told = await explain(there.source, asked, at, moment_ns(at), means)
        except ConfigError:
            named = await _on_the_wire(there, asked)
            if named is None:
                raise
            told = await explain(there.source, asked, at, moment_ns(at), means, named)
        await there.note(reader, "explain", f"{asked} at event {told.at_seq}")
    return replace(told, took_ms=(time.perf_counter() - began) * 1e3)


def reading(arrays: str) -> dict[str, Any]:
    """An observation's numbers by name: a feature that is not known is None."""
    told = base64.b64decode(arrays)
    floats = struct.unpack(f"<{len(told) // 4}f", told)
    context = BOOK + TAPE_ROWS * TRADES
    values, known, regime = (floats[context + n * FEATURES : context + (n + 1) * FEATURES] for n in range(3))
    levels = [list(floats[4 * level : 4 * level + 4]) for level in range(LEVELS)]
    assert REGIMES == FEATURES
    return {
        "features": {
            name: value if known[n] else None for n, (name, value) in enumerate(zip(FEATURE_NAMES, values, strict=True))
        },
        "regime": next((n for n, flag in enumerate(regime) if flag), None),
        "levels": levels,  # [bid distance, lots, ask distance, lots], in the observation's units
    }


def journal_of(journals: tuple[Path, ...], wanted: Expected, from_ns: int, to_ns: int) -> Journal:
    """The messages that were expected, from every journal that has their session."""
    if not journals:
        return Journal(absent="there is no wire journal beside this log: name its folder with --wire")
    names = {ref.session for ref in wanted.received} | set(wanted.sent.values())
    messages: list[Message] = []
    held = set[str]()
    for journal in journals:
        for session in names & set(sessions(journal)):
            held.add(session)
            numbers = [(ref.reset_epoch, ref.msg_seq_num) for ref in wanted.received if ref.session == session]
            seqs = [seq for seq, of in wanted.sent.items() if of == session]
            found = find(folder(journal, session), numbers, seqs, from_ns - _SLACK_NS, to_ns + _SLACK_NS)
            messages += map(_message, found)
    lacking = ", ".join(sorted(names - held))
    messages.sort(key=lambda message: message.time_ns)
    return Journal(tuple(messages), f"the wire journal has no session {lacking}" if lacking else "")


def _message(found: FoundAt) -> Message:
    session, record = found.told
    place = f"{found.path} at byte {found.offset}"
    return Message(
        session, _DIRECTION[Kind(record.kind)], record.time_ns, record.reset_epoch, record.msg_seq_num, record.event_seq,
        record.raw, place, found.intact,
    )  # fmt: skip


async def _on_the_wire(there: Opened, asked: str) -> Named | None:
    """What an id names that stands in messages alone, as the ExecIDs of reports do: by the event behind the message."""
    for path in (folder(journal, session) for journal in there.journals for session in sessions(journal)):
        for tag in (17, 11, 37):
            for found in find(path, (), (), 0, _FOREVER_NS, b"\x01%d=%s\x01" % (tag, asked.encode())):
                if row := await _event_of(there, found):
                    return Named(asked, row.stream, row.topic, row.seq, f"tag {tag} of a message of {found.told.session}")
    return None


async def _event_of(there: Opened, found: FoundAt) -> StoredRow | None:
    session, record = found.told
    if record.event_seq:
        rows = await there.source.rows([record.event_seq])
    else:
        ref = json.dumps([session, record.reset_epoch, record.msg_seq_num], ensure_ascii=False, separators=(",", ":"))
        rows = await there.source.mentioning(f'"inbound":{ref}'.encode(), (await there.source.head()).seq, 1)
    return (await there.source.streams([rows[0].stream], rows[0].seq))[0] if rows else None


def _proofs(there: Opened) -> Any:
    async def proofs(row: StoredRow) -> tuple[dict[str, Any] | None, str]:
        if there.verifier is None:
            return None, "no public key is here to check a signed head by: name it with --key"
        try:
            told = await _proved(there, row)
        except (SealError, ChainBroken) as error:
            return None, str(error)
        return told | {"lines": list(_proof_lines(told))}, ""

    return proofs


async def _proved(there: Opened, row: StoredRow) -> dict[str, Any]:
    assert there.verifier is not None
    if isinstance(rows := there.source, BundleRows):
        tree = PartialTree(rows.proofs, (await rows.head()).seq, rows.hashes)
        return await bundle_proof.prove(row, rows.heads, tree, there.verifier)
    async with PostgresSealedLog(there.dsn) as log:
        return await log_proof.prove(log, row.seq, there.verifier)


def _proof_lines(told: dict[str, Any]) -> Iterator[str]:
    head = told["head"]
    yield f"in head {head['number']} of {head['size']} events, root {head['root']}, signed {moment(head['time_ns'])}"
    yield f"by key {head['key_id']}, over a path of {len(told['inclusion'])} hashes"
    if "consistency" in told:
        yield f"and head {told['last_head']['number']} of {told['last_head']['size']} events continues it"
