"""Sealed days of the log as archives: copies with their proofs, one for each day, that together are the log without a gap.

A day's part begins behind the day before and ends with the day's last event, so that every event is in exactly one of them. Only
what a signed head covers is archived: the rest is not sealed yet. Nothing is taken out of the log.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from domain import merkle
from domain.sealing import SignedHead, leaves
from domain.stored import ChainWalk
from ems.exports.day import EVENTS_A_FILE, Dates, Span, Written, event_line, event_time_ns
from ems.exports.ports import AppendLine, Outputs, StoredLog

FORMAT: Final = "ems-archive/1"


class Part(NamedTuple):
    """A day's part of the log."""

    day: str
    span: Span


async def parts(log: StoredLog, before: str, zone: ZoneInfo, sealed: int) -> list[Part]:
    """The parts of every day before a date that a head up to event `sealed` covers whole, in order."""
    ends: dict[str, int] = {}
    dates = Dates(zone)
    async for page in log.read_rows():
        for row in page:
            ends[dates.of(event_time_ns(row.state))] = row.seq
    found, first = list[Part](), 1
    for day in sorted(ends):
        if day < before and first <= ends[day] <= sealed:
            found.append(Part(day, Span(first, ends[day])))
            first = ends[day] + 1
    return found


async def write_part(log: StoredLog, part: Part, out: Outputs, heads: Sequence[SignedHead]) -> Written:
    """The events of one part and the heads that vouch for it, every link of the chain checked from the log's first event on.

    Raises:
        ChainBroken: the log does not continue itself.
        LogError: it cannot be read.
    """
    span, walk, tree = part.span, ChainWalk(), merkle.Frontier()
    before: dict[str, Any] = {"size": 0, "subtrees": []}
    prev_hash, append, written = walk.hash, None, 0
    async for page in log.read_rows(until_seq=span.last):
        for row in page:
            if row.seq == span.first:
                before = {"size": tree.size, "subtrees": [subtree.hex() for subtree in tree.subtrees]}
                prev_hash = walk.hash
            walk.check(row)
            tree.extend(leaves([row.hash], row.seq))
            if row.seq >= span.first:
                append = _file(out, append, written)
                append(event_line(row))
                written += 1
    covering = _covering(heads, span)
    lines = out.lines("heads.jsonl")
    for head in covering:
        lines(json.dumps(head.to_json(), sort_keys=True, separators=(",", ":")).encode() + b"\n")
    after: list[str] = []
    async for page in log.read_rows(after_seq=span.last, until_seq=covering[-1].size):
        after += [leaf.hex() for row in page for leaf in leaves([row.hash], row.seq)]
    proofs = {"before": before, "after": after, "root": tree.root().hex()}
    return Written(span, prev_hash, walk.hash, covering, proofs, {})


def _file(out: Outputs, append: AppendLine | None, written: int) -> AppendLine:
    if append is None or written % EVENTS_A_FILE == 0:
        return out.lines(f"events/{written // EVENTS_A_FILE + 1:06d}.jsonl.gz", "gz")
    return append


def _covering(heads: Sequence[SignedHead], span: Span) -> tuple[SignedHead, ...]:
    """The first head that covers the whole part: it vouches for every event of it."""
    return tuple([head for head in heads if head.size >= span.last][:1])
