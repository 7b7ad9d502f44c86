"""The stored bytes of an event: its metadata and content as one JSON object. What the hash chain covers.

``{"meta": {...}, "data": {...}}``. The bytes are hashed as they are and never rewritten; reading them back
gives equal values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from domain.errors import ChainBroken, LogError
from domain.event import GENESIS_HASH, UNREAD, Entry, Event, EventClasses, Meta, Recorded, Topics, chain_hash
from domain.values import StreamId

_META = TypeAdapter(Meta)
_meta_json = _META.serializer.to_json
_read_meta: Callable[[bytes], Meta] = _META.validator.validate_json
_HEAD, _DATA = b'{"meta":', b',"data":'


class StoredRow(NamedTuple):
    """One event exactly as it is stored, in the order of the columns."""

    seq: int
    stream: StreamId
    version: int
    topic: str
    recorded_time_ns: int
    state: bytes
    prev_hash: bytes
    hash: bytes


def encode_states(meta: Meta, events: Iterable[Event]) -> list[bytes]:
    """The stored bytes of events that share their metadata."""
    head = _HEAD + _meta_json(meta) + _DATA
    return [head + event.__pydantic_serializer__.to_json(event) + b"}" for event in events]


def _unread(content: bytes) -> Event:
    return UNREAD


class Decoder:
    """Stored bytes back to events, by the classes of a catalogue.

    Events of one message share their metadata word for word and lie side by side, so the last metadata read is kept,
    with the bytes that it stood in.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._validators: dict[str, Callable[[bytes], Event]] = {}
        self._head = b"\0"  # the bytes of the last event up to its content; no JSON begins so
        self._cut = 0  # their number
        self._meta: Meta

    def decode(self, topic: str, state: bytes) -> tuple[Event, Meta]:
        """One event and its metadata.

        Raises:
            UnknownTopic: the catalogue has no class for the topic.
            LogError: the bytes do not fit the class.
        """
        (one,) = self.contents([topic], [state])
        return one

    def recorded(self, rows: Iterable[StoredRow | tuple[Any, ...]], unread: EventClasses = ()) -> Iterator[Recorded]:
        """The events of stored rows, each made when it is asked for; UNREAD for those of unread. Raises as `decode`."""
        new = tuple.__new__  # as Recorded(...), in a third of the time
        page = list(rows)
        contents = self.contents([row[3] for row in page], [row[5] for row in page], unread)
        for (seq, stream, version, _, recorded_time_ns, _, prev_hash, hash_), (event, meta) in zip(page, contents, strict=True):
            yield new(Recorded, (seq, stream, version, recorded_time_ns, event, meta, prev_hash, hash_))

    def contents(self, topics: Iterable[str], states: Iterable[bytes], unread: EventClasses = ()) -> Iterator[tuple[Event, Meta]]:
        """Events with their metadata, each made when it is asked for; UNREAD for those of the unread classes.
        Raises as `decode`.
        """
        validators = self._validators
        if left := dict.fromkeys((cls.TOPIC for cls in unread), _unread):
            validators = {**validators, **left}
        for topic, state in zip(topics, states, strict=True):
            validate = validators.get(topic) or validators.setdefault(topic, self._validator(topic))
            try:
                if not state.startswith(self._head):
                    self._read_head(topic, state)
                if state[-1:] != b"}":
                    raise LogError(f"a stored {topic} is not metadata and data")
                event = validate(state[self._cut : -1])
            except ValidationError as cause:
                raise LogError(f"a stored {topic} cannot be read: {cause}") from cause
            yield event, self._meta

    def _read_head(self, topic: str, state: bytes) -> None:
        cut = state.find(_DATA)  # inside a JSON string its quotes would be escaped: the first one is the key
        if cut < 0 or not state.startswith(_HEAD):
            raise LogError(f"a stored {topic} is not metadata and data")
        self._meta = _read_meta(state[len(_HEAD) : cut])
        self._cut = cut + len(_DATA)
        self._head = state[: self._cut]

    def _validator(self, topic: str) -> Callable[[bytes], Event]:
        cls = self._topics[topic]
        validate: Callable[[bytes], Event] = cls.__pydantic_validator__.validate_json
        if cls.upcast is not Event.upcast:
            older = validate

            def validate(content: bytes) -> Event:
                return older(content).upcast()

        self._validators[topic] = validate
        return validate


def record(entry: Entry, states: Iterable[bytes], seq: int, prev_hash: bytes, recorded_time_ns: int) -> list[Recorded]:
    """The events of an entry as they will lie in the log after the event seq, whose hash is prev_hash."""
    recorded = []
    version, stream, meta = entry.expected_version, entry.stream, entry.meta
    for event, state in zip(entry.events, states, strict=True):
        seq += 1
        version += 1
        hash_ = chain_hash(prev_hash, seq, stream, version, recorded_time_ns, event.TOPIC, state)
        recorded.append(Recorded(seq, stream, version, recorded_time_ns, event, meta, prev_hash, hash_))
        prev_hash = hash_
    return recorded


class ChainWalk:
    """Checks that stored rows, fed in order, continue one another from a known place."""

    def __init__(self, seq: int = 0, hash_: bytes = GENESIS_HASH) -> None:
        self.seq = seq
        self.hash = hash_

    def check(self, row: StoredRow | tuple[Any, ...]) -> None:
        """Take the next row.

        Raises:
            ChainBroken: a row is missing, repeated, out of order or altered; the message names its sequence number.
        """
        seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash_ = row
        if seq != self.seq + 1:
            raise ChainBroken(f"after event {self.seq} comes event {seq}")
        if prev_hash != self.hash:
            raise ChainBroken(f"event {seq} does not continue event {self.seq}")
        if hash_ != chain_hash(prev_hash, seq, stream, version, recorded_time_ns, topic, state):
            raise ChainBroken(f"event {seq} is not what was recorded: its hash differs")
        self.seq, self.hash = seq, hash_

    def finish(self, seq: int, hash_: bytes) -> None:
        """Check that the walk has reached the head of the log.

        Raises:
            ChainBroken: the log ends elsewhere: its tail was cut off or replaced.
        """
        if (self.seq, self.hash) != (seq, hash_):
            raise ChainBroken(f"the log ends at event {self.seq}, but its head is event {seq}")
