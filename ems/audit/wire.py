"""The exact bytes of an order: which messages its events came from and which they sent, and whether the journal has each."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from domain import child_life, parent_life
from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.event import InboundRef, Recorded
from domain.sending import Forget, Keep, Outbound
from domain.values import StreamId
from ems import reports
from ems.audit.explanation import Section, idle, missing, present
from ems.audit.scene import Scene
from ems.audit.words import moment

_INWARD: Final = (Keep, Forget)  # told to the gateway, not to a counterparty
_FOLD: Final = ((po.EVENTS, parent_life.evolve), (co.EVENTS, child_life.evolve), (fl.EVENTS, fl.evolve))
_SHOWN: Final = 3  # missing messages that the reason names


class Expected(NamedTuple):
    """Messages that must have been on the wire: received ones by their number, sent ones by event with their session."""

    received: dict[InboundRef, int]  # -> the first event that it caused
    sent: dict[int, str]


class Message(NamedTuple):
    """A message of the wire journal. intact: it follows the record before it in the journal's own chain."""

    session: str
    direction: str  # in, out, kept
    time_ns: int
    reset_epoch: int
    msg_seq_num: int
    event_seq: int
    raw: bytes
    place: str  # file and byte
    intact: bool


class Journal(NamedTuple):
    """What a journal holds of what was expected. absent: why there is none, "" where there is."""

    messages: tuple[Message, ...] = ()
    absent: str = ""


Find = Callable[[Expected, int, int], Journal]  # expected, from ns, to ns


def expected(scene: Scene, plan: Recorded | None) -> Expected:
    """From the order's events: each one's own message, and what it made leave."""
    received: dict[InboundRef, int] = {}
    sent: dict[int, str] = {}
    states: dict[StreamId, Any] = {}
    for one in scene.order:
        concerned = scene.concerns(one, plan)
        if concerned and one.meta.inbound is not None:
            received.setdefault(one.meta.inbound, one.seq)
        for events, evolve in _FOLD:
            if isinstance(one.event, events):
                place = one.stream
                states[place] = evolve(states.get(place), one.event, stream=place, at_ns=one.meta.event_time_ns)
                message: Outbound | None = reports.outbound(one, states[place])
                if concerned and message is not None and not isinstance(message, _INWARD):
                    sent[one.seq] = message.session
    return Expected(received, sent)


def wire(scene: Scene, plan: Recorded | None, find: Find) -> Section:
    """Every message of the order with its bytes; missing where the journal lacks one, or has it altered."""
    wanted = expected(scene, plan)
    if not wanted.received and not wanted.sent:
        return idle("wire", "no message led to it or came of it")
    times = [one.recorded_time_ns for one in scene.order]
    journal = find(wanted, min(times), max(times))
    content = [_row(message) for message in journal.messages]
    lines = [_line(message) for message in journal.messages]
    if journal.absent:
        return missing("wire", journal.absent, lines, content)
    altered = [message.place for message in journal.messages if not message.intact]
    if altered:
        return missing("wire", f"the journal is damaged or altered at {altered[0]}", lines, content)
    if lacking := _lacking(wanted, journal.messages):
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        return missing("wire", f"not in the journal: {'; '.join(lacking[:_SHOWN])}{more}", lines, content)
    return present("wire", lines, content)


def _lacking(wanted: Expected, messages: tuple[Message, ...]) -> list[str]:
    came = {InboundRef(m.session, m.reset_epoch, m.msg_seq_num) for m in messages if m.direction == "in"}
    left = {m.event_seq for m in messages if m.direction == "out"}
    kept = {m.event_seq for m in messages if m.direction == "kept"}
    lacking = [
        f"message {ref.msg_seq_num} from {ref.session}, of event {seq}" for ref, seq in wanted.received.items() if ref not in came
    ]
    for seq, session in wanted.sent.items():
        if seq not in left:
            lacking.append(f"the message to {session} of event {seq}{', numbered and not sent' if seq in kept else ''}")
    return lacking


def _row(message: Message) -> dict[str, Any]:
    text = message.raw.decode("utf-8", "backslashreplace").replace("\x01", "|")
    return {**message._asdict(), "raw": base64.b64encode(message.raw).decode(), "text": text}


def _line(message: Message) -> str:
    text = message.raw.decode("utf-8", "backslashreplace").replace("\x01", "|") or "numbered and kept: the peer was away"
    place = f"{moment(message.time_ns)} {message.session} {message.direction:<4} {message.reset_epoch}/{message.msg_seq_num}"
    return f"{place}  {text}"
