"""A day of the log as one bundle: its events as they are stored, books and records, regulatory files, proofs.

The log is read twice from its first event and never held: once to find where the day begins and ends, once to fold and write.
Everything is a function of the stored bytes and of the firm's own words, so the same log gives the same bundle. On the way every
link of the chain is checked: of a log that does not hold there is no bundle.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from domain import merkle
from domain.catalogue import TOPICS
from domain.errors import ConfigError, LogError
from domain.event import Topics
from domain.sealing import SignedHead, leaves
from domain.stored import ChainWalk, Decoder, StoredRow
from ems.exports.book import Book, Fact
from ems.exports.formats import local_date
from ems.exports.parties import Models
from ems.exports.ports import AppendLine, AppendRow, Outputs, StoredLog
from ems.exports.records import Table, tables
from ems.exports.regulatory import OBLIGED, WORD, Regulatory
from ems.exports.settings import ReportingSettings

FORMAT: Final = "ems-bundle/1"
EVENTS_A_FILE: Final = 100_000
_HALF_HOUR_NS: Final = 1_800_000_000_000
_EVENT_TIME: Final = b'{"meta":{"event_time_ns":'


class Span(NamedTuple):
    """The events of a day: from one sequence number to another, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Written:
    """What a bundle holds, for its manifest and for whoever asked."""

    span: Span
    prev_hash: bytes
    hash: bytes
    heads: tuple[SignedHead, ...]
    proofs: dict[str, Any]
    predicted: dict[str, Any]


def event_time_ns(state: bytes) -> int:
    """When a stored event happened, without reading the rest of it. Raises LogError."""
    end = state.find(b",", len(_EVENT_TIME))
    if not state.startswith(_EVENT_TIME) or end < 0:
        raise LogError("a stored event does not begin with its time")
    return int(state[len(_EVENT_TIME) : end])


async def find_day(log: StoredLog, day: str, zone: ZoneInfo) -> Span:
    """Where a day lies in the log: from its first event to its last, by the clock that decided, in the desk's time zone.

    Raises:
        ConfigError: nothing happened on it; the message names the days that the log has.
    """
    first = last = 0
    known: dict[str, None] = {}
    reached = Dates(zone)
    async for page in log.read_rows():
        for row in page:
            date = reached.of(event_time_ns(row.state))
            known[date] = None
            if date == day:
                first, last = first or row.seq, row.seq
    if not first:
        days = sorted(known)
        raise ConfigError(f"the log has no event of {day}; it has {', '.join(days[-5:]) or 'none at all'}")
    return Span(first, last)


class Dates:
    """Dates of moments that mostly lie side by side: a date lasts for half an hour at least, in every zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone, self._from_ns, self._date = zone, 0, ""

    def of(self, time_ns: int) -> str:
        """The date (ISO) of a moment."""
        if not self._date or not self._from_ns <= time_ns < self._from_ns + _HALF_HOUR_NS:
            self._from_ns, self._date = time_ns - time_ns % _HALF_HOUR_NS, local_date(time_ns, self._zone)
        return self._date


class DayExport:
    """Writes one day's files. `run` once."""

    def __init__(
        self, log: StoredLog, out: Outputs, settings: ReportingSettings, *, day: str, zone: ZoneInfo, topics: Topics = TOPICS
    ) -> None:
        self._log, self._out, self._settings, self._day, self._zone = log, out, settings, day, zone
        self._decoder = Decoder(topics)
        self._book, self._models = Book(), Models()
        self._tables: list[tuple[Table, AppendRow]] = []
        self._regulatory: Regulatory | None = None
        self._events: AppendLine | None = None
        self._written = 0

    async def run(self, heads: Sequence[SignedHead] = ()) -> Written:
        """Write everything but manifest and signature.

        Args:
            heads: signed heads of the log, all or those of the day, in order.

        Raises:
            ConfigError: nothing happened on that day.
            ChainBroken: the log does not continue itself; nothing of the bundle counts.
            LogError: it cannot be read.
        """
        span = await find_day(self._log, self._day, self._zone)
        covering = _covering(heads, span)
        self._tables = [(table, self._out.csv(f"records/{table.name}.csv", table.columns)) for table in tables()]
        walk, tree, dates = ChainWalk(), merkle.Frontier(), Dates(self._zone)
        before: dict[str, Any] = {"size": 0, "subtrees": []}
        prev_hash, reached = walk.hash, ""
        async for page in self._log.read_rows(until_seq=span.last):
            rows = list(page)
            for row in rows:
                walk.check(row)
            tree, before, prev_hash = _grown(tree, rows, span, before, prev_hash)
            for row in rows:
                date = dates.of(event_time_ns(row.state))
                if date != reached and row.seq <= span.first:
                    self._book.forget_ended()
                    self._models.forget()
                    reached = date
                self._apply(fact_of(row, self._decoder), row, span)
        assert self._regulatory is not None
        predicted = self._regulatory.finish()
        heads_file = self._out.lines("heads.jsonl")
        for head in covering:
            heads_file(json.dumps(head.to_json(), sort_keys=True, separators=(",", ":")).encode() + b"\n")
        self._out.write("README.txt", readme(self._day).encode())
        self._out.write("regulatory/settings.json", self._settings.model_dump_json(indent=1).encode() + b"\n")
        after = await self._after(span, covering)
        proofs = {"before": before, "after": after, "root": tree.root().hex()}
        return Written(span, prev_hash, walk.hash, covering, proofs, predicted)

    # ---------------------------------------------------------------------------------------------- events

    def _apply(self, fact: Fact, row: StoredRow, span: Span) -> None:
        within = fact.seq >= span.first
        if within and self._regulatory is None:
            self._regulatory = Regulatory(self._out, self._settings, self._book, self._models, self._day)
        self._book.apply(fact)
        self._models.apply(fact)
        for table, append in self._tables:
            if within or table.history:
                for values in table.rows(fact, self._book):
                    append(values)
        if within:
            assert self._regulatory is not None
            self._regulatory.apply(fact)
            self._store(row)

    def _store(self, row: StoredRow) -> None:
        """The event as it is stored, so that anybody can hash it again."""
        if self._written % EVENTS_A_FILE == 0:
            self._events = self._out.lines(f"events/{self._written // EVENTS_A_FILE + 1:06d}.jsonl.gz", "gz")
        self._written += 1
        assert self._events is not None
        self._events(event_line(row))

    async def _after(self, span: Span, heads: Sequence[SignedHead]) -> list[str]:
        """Leaves behind the day's last event, up to the head that covers it: at most what came before that was signed."""
        size = heads[-1].size if heads and heads[-1].size > span.last else span.last
        found: list[str] = []
        if size > span.last:
            async for page in self._log.read_rows(after_seq=span.last, until_seq=size):
                found += [leaf.hex() for row in page for leaf in leaves([row.hash], row.seq)]
        return found


def fact_of(row: StoredRow, decoder: Decoder) -> Fact:
    """A stored row with its event read. Raises UnknownTopic, LogError."""
    event, meta = decoder.decode(row.topic, row.state)
    return Fact(
        row.seq, row.stream, row.version, row.topic, row.recorded_time_ns, row.state, row.prev_hash, row.hash, event, meta
    )  # fmt: skip


def event_line(row: StoredRow) -> bytes:
    """One stored event as a line of a bundle: state in base64, hashes in hexadecimal."""
    told = {
        "seq": row.seq, "stream": row.stream, "version": row.version, "topic": row.topic,
        "recorded_time_ns": row.recorded_time_ns, "state": base64.b64encode(row.state).decode(),
        "prev_hash": row.prev_hash.hex(), "hash": row.hash.hex(),
    }  # fmt: skip
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _covering(heads: Sequence[SignedHead], span: Span) -> tuple[SignedHead, ...]:
    """Heads of the day, and the first one that covers all of it."""
    within = [head for head in heads if span.first <= head.size <= span.last]
    later = [head for head in heads if head.size > span.last]
    return tuple(within if within and within[-1].size == span.last else [*within, *later[:1]])


def _grown(
    tree: merkle.Frontier, rows: Sequence[StoredRow], span: Span, before: dict[str, Any], prev_hash: bytes
) -> tuple[merkle.Frontier, dict[str, Any], bytes]:
    """The tree with a page more; where the day begins in it, what the tree was before, and the hash that the day continues."""
    early = [row for row in rows if row.seq < span.first]
    if early:
        tree.extend(leaves([row.hash for row in early], early[0].seq))
        before = {"size": tree.size, "subtrees": [subtree.hex() for subtree in tree.subtrees]}
        prev_hash = early[-1].hash
    if late := rows[len(early) :]:
        tree.extend(leaves([row.hash for row in late], late[0].seq))
    return tree, before, prev_hash


def manifest(
    written: Written, files: Iterator[tuple[str, int, str]], *, day: str, zone: str, public_key: bytes, kind: str = FORMAT
) -> dict[str, Any]:  # fmt: skip
    """What is signed: every file's digest, where the day lies in the log, what ties it to the log's tree.

    Args:
        files: name, bytes and SHA-256 of every file, sorted by name.
    """
    span = written.span
    return {
        "format": kind, "day": day, "time_zone": zone,
        "events": {
            "first_seq": span.first, "last_seq": span.last, "count": span.last - span.first + 1,
            "prev_hash": written.prev_hash.hex(), "hash": written.hash.hex(),
        },
        "heads": len(written.heads), "sealed_to": written.heads[-1].size if written.heads else 0, "proofs": written.proofs,
        "key": {"id": sha256(public_key).hexdigest(), "ed25519": public_key.hex()},
        "files": [{"path": name, "bytes": size, "sha256": digest} for name, size, digest in files],
    }  # fmt: skip


def manifest_bytes(told: dict[str, Any]) -> bytes:
    """The bytes that are signed."""
    return json.dumps(told, sort_keys=True, indent=1).encode() + b"\n"


def readme(day: str) -> str:
    """What a person who opens the archive reads first."""
    obliged = "\n".join(f"  {name}: {text}" for name, text in OBLIGED.items())
    return (
        f"Examiner's bundle of {day}.\n\n"
        "manifest.json     every file with its SHA-256; where the day lies in the log; what ties it to the log's Merkle tree\n"
        "manifest.sig      Ed25519 signature over the bytes of manifest.json, by the key named in it\n"
        "events/           the log's events as they are stored: state in base64, each with its hash and the one before\n"
        "heads.jsonl       signed heads of the log's tree that cover the day; empty where the log is not sealed\n"
        "records/          books and records as CSV; limits, models, algorithms, codes, builds and drills with their history\n"
        "regulatory/       what regulators ask for, what of it is missing (coverage.csv), errors to expect\n"
        "                  (predicted_errors.json); of the CAT files JSON and CSV say the same: one of the two is submitted\n\n"
        f"Who is obliged to what:\n{obliged}\n\n{WORD}\n"
    )
