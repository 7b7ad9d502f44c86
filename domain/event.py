"""Events: what happened, immutable, named for ever; and the envelope each one is recorded in."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.errors import UnknownTopic
from domain.values import EventId, StreamId, event_id, id_bytes

_PLACE = struct.Struct(">Q16sQQH")  # sequence, stream, version, recorded time, length of the topic
GENESIS_HASH = bytes(32)  # what the first event of a log chains to


class Event(BaseModel):
    """One fact. Subclasses set a written TOPIC (``child_order.filled.v1``), never a module path."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, cache_strings="keys")
    TOPIC: ClassVar[str]

    @classmethod
    def sample(cls, **data: Any) -> Self:
        """Validated construction from plain data, as read from the store."""
        return cls.model_validate(data)

    def upcast(self) -> Event:
        """The same fact as today's version of its event says it. An event of an older version has a rule here of its own: pure,
        so that what is read is the same for ever. Nobody but the decoder sees an older version.
        """
        return self


_EventT = TypeVar("_EventT", bound=Event)
_set = object.__setattr__
_FIELDS: dict[type[Event], set[str]] = {}  # of each class that `made` has made: frozen, its events share one set


def made(cls: type[_EventT], values: dict[str, Any]) -> _EventT:
    """An event of our own values, all of them given and right: what `model_construct` does, in a tenth of the time."""
    event = cls.__new__(cls)
    _set(event, "__dict__", values)
    _set(event, "__pydantic_fields_set__", _FIELDS.get(cls) or _FIELDS.setdefault(cls, set(values)))
    _set(event, "__pydantic_extra__", None)
    _set(event, "__pydantic_private__", None)
    return event


class Unread(Event):
    """Stands for an event whose content its reader has no use for. It is never stored."""

    TOPIC: ClassVar[str] = "unread"


UNREAD = Unread()
EventClasses = Iterable[type[Event]]


class InboundRef(NamedTuple):
    """Which message of which FIX session caused an event: the durable inbound sequence number (FIX tag 34)."""

    session: str
    reset_epoch: int  # counts the resets of the session's numbering
    msg_seq_num: int


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known about an event beside its content.

    correlation is the stream of the parent order (or session) that the event belongs to; causation names what
    made it happen: an event id, ``fix:<session>/<reset epoch>/<MsgSeqNum>``, ``timer``, ``command:<id>``.
    """

    event_time_ns: int
    actor: str  # "person:jane", "algo:vwap", "system:desk", "client:OMS1"
    correlation: StreamId
    causation: str
    build: str  # digest of the code that decided
    inbound: InboundRef | None = None


class Entry(NamedTuple):
    """Events to add to one stream, if its last version is still expected_version (0: the stream is new)."""

    stream: StreamId
    expected_version: int
    events: tuple[Event, ...]
    meta: Meta


class Recorded(NamedTuple):
    """An event as the log holds it. seq is gapless over the whole log and is the only order."""

    seq: int
    stream: StreamId
    version: int
    recorded_time_ns: int
    event: Event
    meta: Meta
    prev_hash: bytes
    hash: bytes

    @property
    def event_id(self) -> EventId:
        """The event's own id, worked out from its stream and version when it is asked for."""
        return event_id(self.stream, self.version)


# What a fold takes of an event: sequence number, stream, recorded time, and the event with its metadata.
Fact = tuple[int, StreamId, int, tuple[Event, Meta]]


class Topics:
    """The catalogue: topic -> event class. Filled by `register`, never by scanning modules."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Event]] = {}

    def register(self, classes: Iterable[type[Event]]) -> None:
        """Add event classes. Raises ValueError for a topic that another class has."""
        for cls in classes:
            if self._classes.setdefault(cls.TOPIC, cls) is not cls:
                raise ValueError(f"two event classes share the topic {cls.TOPIC}")

    def __getitem__(self, topic: str) -> type[Event]:
        try:
            return self._classes[topic]
        except KeyError:
            raise UnknownTopic(f"no event class for topic {topic!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))


def chain_hash(
    prev_hash: bytes, seq: int, stream: StreamId, version: int, recorded_time_ns: int, topic: str, state: bytes
) -> bytes:
    """SHA-256 over the previous hash and every stored column of an event, lengths included.

    Args:
        prev_hash: 32 bytes, the hash of the event with sequence number seq - 1.
        state: the stored bytes: metadata and content as JSON.
    """
    return link_hash(prev_hash, seq, id_bytes(stream), version, recorded_time_ns, topic.encode(), state)


def link_hash(
    prev_hash: bytes, seq: int, stream: bytes, version: int, recorded_time_ns: int, topic: bytes, state: bytes
) -> bytes:
    """As `chain_hash`, with the stream's 16 bytes and the topic's UTF-8."""
    return hashlib.sha256(prev_hash + _PLACE.pack(seq, stream, version, recorded_time_ns, len(topic)) + topic + state).digest()
