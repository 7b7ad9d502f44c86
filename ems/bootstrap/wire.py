"""`ems fix wire`: messages of the wire journal beside the events that they caused or that they tell of."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from adapters.fix.wire_reader import Fault, Told, read, sessions
from adapters.fix.wire_record import Kind, WireRecord
from adapters.fix.wire_segments import WIRE_FOLDER, folder
from adapters.postgres.causes import by_seq, caused_by
from domain.catalogue import TOPICS
from domain.errors import ConfigError, EmsError, LogError
from domain.event import InboundRef, Recorded
from ems.bootstrap.database import log_of
from ems.config import Settings

_DIRECTION: Final = {Kind.IN: "in", Kind.OUT: "out", Kind.KEPT: "kept"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are asked for; what is not given does not choose.

    Attributes:
        event: a log sequence: the message that caused it, and those that tell of it.
        cl_ord_id: ClOrdID (11) or OrigClOrdID (41).
    """

    session: str = ""
    seq: int | None = None
    event: int | None = None
    cl_ord_id: str = ""
    since_ns: int = 0
    until_ns: int | None = None

    def takes(self, record: WireRecord, cause: InboundRef | None) -> bool:
        """Is the record among them? cause: the message that caused the event asked for."""
        if record.kind == Kind.MARK or (self.seq is not None and record.msg_seq_num != self.seq):
            return False
        if self.cl_ord_id and not any(b"\x01%d=%s\x01" % (tag, self.cl_ord_id.encode()) in record.raw for tag in (11, 41)):
            return False
        if self.event is None or record.event_seq == self.event:
            return True
        return record.kind == Kind.IN and cause is not None and (record.reset_epoch, record.msg_seq_num) == cause[1:]


class Message(NamedTuple):
    """A message and its events: those that it caused, or the one that it tells of."""

    told: Told
    events: list[Recorded]

    def row(self) -> dict[str, Any]:
        """For machines."""
        record = self.told.record
        return {
            "time_ns": record.time_ns,
            "session": self.told.session,
            "direction": _DIRECTION[Kind(record.kind)],
            "reset_epoch": record.reset_epoch,
            "msg_seq_num": record.msg_seq_num,
            "event_seq": record.event_seq or None,
            "text": readable(record.raw),
            "raw_base64": base64.b64encode(record.raw).decode(),
            "events": [_event_row(recorded) for recorded in self.events],
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        record = self.told.record
        place = f"{time_text(record.time_ns)}  {self.told.session} {_DIRECTION[Kind(record.kind)]:<4}"
        text = readable(record.raw) or "numbered and kept: the peer was away"
        yield f"{place} {record.reset_epoch}/{record.msg_seq_num}  {text}"
        verb = "caused" if record.kind == Kind.IN else "tells of"
        for recorded in self.events:
            yield f"    {verb} event {recorded.seq} {type(recorded.event).TOPIC} of {recorded.stream}/{recorded.version}"
        if record.event_seq and not self.events:
            yield f"    {verb} event {record.event_seq}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a journal holds of what was asked for.

    Attributes:
        faults: where its files are damaged, whether or not a message asked for lies there.
        gaps: moments from which on messages may be missing: lost ones, or a gateway that ended without order.
        without_events: why no events are beside the messages, "" where they are.
    """

    messages: list[Message]
    faults: list[Fault]
    gaps: list[str]
    without_events: str = ""


async def find(settings: Settings, wanted: Wanted) -> Found:
    """Read the journal, and the log beside it where it can be reached.

    Raises:
        ConfigError: there is no journal, or none of that session.
        EmsError: an event is asked for and the log cannot be reached, or has none of that number.
    """
    folders = _folders(settings, wanted)
    try:
        with log_of(settings) as dsn:
            return await _found(folders, wanted, dsn)
    except (LogError, ConfigError) as error:
        if wanted.event is not None:
            raise
        return await _found(folders, wanted, "", str(error))


def _folders(settings: Settings, wanted: Wanted) -> list[Path]:
    """The journals' folders of the sessions asked for, whichever gateway they are of."""
    state = settings.state_directory
    journals = [path for pattern in ("gateway*", "gateway*/*") for path in sorted(state.glob(f"{pattern}/{WIRE_FOLDER}"))]
    every = [(name, folder(path, name)) for path in journals for name in sessions(path)]
    if not every:
        raise ConfigError(f"{state} holds no wire journal: a gateway that runs writes one")
    chosen = [path for name, path in every if wanted.session in ("", name)]
    if not chosen:
        raise ConfigError(f"the wire journal has no session {wanted.session!r}, only {', '.join(name for name, _ in every)}")
    return chosen


async def _found(folders: list[Path], wanted: Wanted, dsn: str, why: str = "") -> Found:
    cause: InboundRef | None = None
    if wanted.event is not None:
        events = await by_seq(dsn, TOPICS, [wanted.event])
        if not events:
            raise EmsError(f"the log has no event {wanted.event}")
        cause = events[0].meta.inbound
    taken: list[Told] = []
    faults: list[Fault] = []
    gaps: list[str] = []
    for path in folders:
        stopped = True
        for item in read(path, since_ns=wanted.since_ns, until_ns=wanted.until_ns):
            if isinstance(item, Fault):
                faults.append(item)
            elif item.record.kind == Kind.MARK:
                stopped = _gap(item, gaps, stopped)
            elif wanted.takes(item.record, cause if cause is not None and cause.session == item.session else None):
                taken.append(item)
    taken.sort(key=lambda told: told.record.time_ns)
    messages = await _with_events(taken, dsn) if dsn else [Message(told, []) for told in taken]
    return Found(messages, faults, gaps, why)


def _gap(item: Told, gaps: list[str], stopped: bool) -> bool:
    """Note where messages may be missing; returns whether the gateway now has stopped in order."""
    mark, at = item.record.mark(), time_text(item.record.time_ns)
    if mark["mark"] == "lost":
        gaps.append(f"{at}  {item.session}: {mark['records']} messages before this could not be written")
    if mark["mark"] == "start" and not stopped:
        gaps.append(f"{at}  {item.session}: the gateway had ended without order; its last moment may be missing")
    return stopped if mark["mark"] in ("lost", "segment") else mark["mark"] == "stop"


async def _with_events(taken: list[Told], dsn: str) -> list[Message]:
    told_of = {told.record.event_seq for told in taken if told.record.event_seq}
    known = {recorded.seq: recorded for recorded in await by_seq(dsn, TOPICS, told_of)} if told_of else {}
    refs: dict[str, set[InboundRef]] = {}
    for told in taken:
        if told.record.kind == Kind.IN:
            refs.setdefault(told.session, set()).add(_ref(told))
    caused: dict[InboundRef, list[Recorded]] = {}
    for session, of_session in refs.items():
        for recorded in await caused_by(dsn, TOPICS, session, of_session):
            if recorded.meta.inbound is not None:
                caused.setdefault(recorded.meta.inbound, []).append(recorded)
    return [Message(told, _events_of(told, known, caused)) for told in taken]


def _events_of(told: Told, known: dict[int, Recorded], caused: dict[InboundRef, list[Recorded]]) -> list[Recorded]:
    if told.record.kind == Kind.IN:
        return caused.get(_ref(told), [])
    return [known[told.record.event_seq]] if told.record.event_seq in known else []


def _ref(told: Told) -> InboundRef:
    return InboundRef(told.session, told.record.reset_epoch, told.record.msg_seq_num)


def _event_row(recorded: Recorded) -> dict[str, Any]:
    topic = type(recorded.event).TOPIC
    return {"seq": recorded.seq, "topic": topic, "stream": str(recorded.stream), "version": recorded.version}


def readable(raw: bytes) -> str:
    """A message for a person: | in place of SOH."""
    return raw.decode("utf-8", "backslashreplace").replace("\x01", "|")


def time_text(time_ns: int) -> str:
    """A moment, UTC, to the nanosecond."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def moment_ns(text: str, option: str) -> int:
    """A moment as ISO 8601, UTC unless it says otherwise. Raises ConfigError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as cause:
        raise ConfigError(f"{option} {text!r} is no time such as 2026-11-27T14:30:00") from cause
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp() * 1_000_000) * 1_000)
