"""The events that `ems bench log` writes: real fills over many streams, each stream written by one caller."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from adapters.postgres.packed_rows import PackedRow
from domain.child_order import Filled
from domain.event import Entry, InboundRef, Meta, link_hash
from domain.stored import encode_states
from domain.values import StreamId, id_bytes, stream_id


@dataclass
class Work:
    """The events of one way of writing: every stream belongs to one caller, who appends to its streams in turn."""

    way: str
    callers: int
    streams: int
    versions: dict[StreamId, int] = field(default_factory=dict)
    number: int = 0

    def entries(self, count: int) -> list[list[Entry]]:
        """The next count events, by caller."""
        calls: list[list[Entry]] = [[] for _ in range(self.callers)]
        for _ in range(count):
            self.number += 1
            owner, place = self.number % self.callers, self.number // self.callers
            stream = stream_id(
                self.way, str(owner + self.callers * (place % ((self.streams - owner + self.callers - 1) // self.callers)))
            )
            version = self.versions.get(stream, 0)
            self.versions[stream] = version + 1
            calls[owner].append(Entry(stream, version, (self._event(),), self._meta(stream)))
        return calls

    def _event(self) -> Filled:
        exec_id = f"E{self.number:09d}"
        return Filled(fill=stream_id("fill", exec_id), exec_id=exec_id, quantity_e9=100 * 10**9, price_e9=187_010_000_000)

    def _meta(self, stream: StreamId) -> Meta:
        return Meta(
            time.time_ns(),
            "system:desk",
            stream,
            f"fix:VENUE/1/{self.number}",
            "0ddba11ca5cade",
            InboundRef("VENUE", 1, self.number),
        )


def rows_of(entries: Sequence[Entry], after: int) -> list[PackedRow]:
    """Entries as rows of the table, behind the event numbered after: one chain of their own."""
    rows: list[PackedRow] = []
    hash_ = bytes(32)
    for seq, entry in enumerate(entries, after + 1):
        (event,) = entry.events
        (state,) = encode_states(entry.meta, [event])
        stream, version, topic, prev_hash, now_ns = (
            id_bytes(entry.stream),
            entry.expected_version + 1,
            event.TOPIC.encode(),
            hash_,
            time.time_ns(),
        )
        hash_ = link_hash(prev_hash, seq, stream, version, now_ns, topic, state)
        rows.append((seq, stream, version, topic, now_ns, state, prev_hash, hash_))
    return rows


def columns_of(row: PackedRow) -> tuple[Any, ...]:
    """A packed row as parameters of an INSERT."""
    seq, stream, version, topic, *rest = row
    return (seq, UUID(bytes=stream), version, topic.decode(), *rest)
