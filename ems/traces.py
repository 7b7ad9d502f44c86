"""The way of an order as a trace: from the FIX message that came in, through decide, commit and send, to the one that went out.

Nothing of it is measured for its own sake. A trace is read off what is written anyway: the log has when a batch was decided and
what it came to, the wire journal when each message came and went, the desk's stamps when its commit began and ended. So an event
needs no field for it and the desk no code. Ids follow from the log: the trace's from an event's correlation, a span's from what
it is about, and whoever has an event has its trace. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from domain.event import InboundRef, Recorded
from domain.values import StreamId

Value = str | int | float | bool
_SHARE: Final = 2**64


class Span(NamedTuple):
    """A piece of the way. Ids of 128 and 64 bits, never 0; parent 0: there is none. Times: ns UTC by the wall."""

    name: str
    trace_id: int
    span_id: int
    parent_id: int
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Value]


class Committed(NamedTuple):
    """When the desk's commit of these sequence numbers began and ended."""

    first_seq: int
    last_seq: int
    began_ns: int
    ended_ns: int


class Wired(NamedTuple):
    """A message on the wire: the session, and when."""

    session: str
    time_ns: int


def trace_id(correlation: StreamId | str) -> int:
    """The trace of everything that an order's events belong to."""
    return _id(f"trace:{correlation}", 16)


def span_id(about: str) -> int:
    """A span's, from what it is about."""
    return _id(f"span:{about}", 8)


def sampled(trace: int, share: float) -> bool:
    """Is this trace among the share that is kept? By its id alone, so that every process says the same."""
    return (trace & (_SHARE - 1)) < round(share * _SHARE)


def _id(text: str, length: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:length], "big") or 1


def spans(
    events: Sequence[Recorded],
    decided_ns: int,
    commits: Sequence[Committed],
    came: Wired | None,
    gone: Mapping[int, Sequence[Wired]],
) -> Iterator[Span]:
    """The spans of what one batch did about one order.

    Args:
        events: at least one, of one correlation and one batch, in the order of the log.
        decided_ns: when the batch began to be decided, by the wall.
        commits: of these events; none where the desk's stamps are lost, and then the log's own time ends the deciding.
        came: the message that caused them, where one did.
        gone: by sequence number, the messages that tell of an event.
    """
    first, correlation = events[0], str(events[0].meta.correlation)
    trace, root = trace_id(correlation), span_id(f"{correlation}:{first.seq}")
    began_ns = min((one.began_ns for one in commits), default=first.recorded_time_ns)
    ended_ns = max((one.ended_ns for one in commits), default=events[-1].recorded_time_ns)
    start_ns = min(decided_ns, came.time_ns) if came is not None else decided_ns
    last_ns = max([ended_ns, *(one.time_ns for each in gone.values() for one in each)])
    cause = first.meta.causation
    yield Span(_name(events), trace, root, 0, start_ns, last_ns, {
        "ems.correlation": correlation, "ems.causation": cause, "ems.actor": first.meta.actor, "ems.build": first.meta.build,
        "ems.seq.first": first.seq, "ems.seq.last": events[-1].seq,
    })  # fmt: skip
    if came is not None:
        ref = first.meta.inbound or InboundRef(came.session, 0, 0)
        told: dict[str, Value] = {
            "fix.session": came.session, "fix.msg_seq_num": ref.msg_seq_num, "fix.reset_epoch": ref.reset_epoch
        }  # fmt: skip
        yield _part("fix.in", trace, root, first.seq, start_ns, max(start_ns, decided_ns), told)
    yield _part("decide", trace, root, first.seq, decided_ns, began_ns, {"ems.events": len(events)})
    yield _part("commit", trace, root, first.seq, began_ns, ended_ns, {"ems.stamped": bool(commits)})
    for each in events:
        for number, wired in enumerate(gone.get(each.seq, ())):
            attributes: dict[str, Value] = {
                "fix.session": wired.session,
                "ems.seq": each.seq,
                "ems.topic": type(each.event).TOPIC,
            }
            yield _part("fix.out", trace, root, each.seq, ended_ns, wired.time_ns, attributes, number)


def _part(
    name: str, trace: int, root: int, seq: int, start_ns: int, end_ns: int, attributes: Mapping[str, Value], number: int = 0
) -> Span:
    return Span(name, trace, span_id(f"{name}:{seq}:{number}"), root, start_ns, max(start_ns, end_ns), attributes)


def _name(events: Sequence[Recorded]) -> str:
    """What happened, by the order's own first event."""
    own = next((each for each in events if each.stream == each.meta.correlation), events[0])
    return type(own.event).TOPIC.rpartition(".v")[0]
