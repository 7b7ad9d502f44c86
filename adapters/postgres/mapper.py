"""Between our events and the `eventsourcing` library's stored events, both ways.

The library's own mapper names classes by their module path and builds objects without their constructors. This
one stores our written topics and validates what it reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eventsourcing import persistence

from domain.errors import LogError
from domain.event import Event, Meta, Topics
from domain.stored import Decoder, encode_states
from domain.values import StreamId


@dataclass(frozen=True, slots=True)
class Placed:
    """An event with its metadata and its place in a stream: what the library calls a domain event."""

    originator_id: StreamId  # the stream
    originator_version: int
    event: Event
    meta: Meta


class EventMapper(persistence.Mapper[StreamId]):
    """The library's mapper over our envelope. It neither compresses nor encrypts: the chain is over readable bytes.

    Args:
        topics: the catalogue by which stored events are read.
    """

    def __init__(self, topics: Topics) -> None:
        super().__init__(persistence.JSONTranscoder())
        self._decoder: Final = Decoder(topics)

    def to_stored_event(self, domain_event: Any) -> persistence.StoredEvent:
        """What is stored of a `Placed` event.

        Raises:
            LogError: it is something else.
        """
        if not isinstance(domain_event, Placed):
            raise LogError(f"only placed events can be stored, not {type(domain_event).__name__}")
        (state,) = encode_states(domain_event.meta, [domain_event.event])
        return persistence.StoredEvent(
            domain_event.originator_id, domain_event.originator_version, domain_event.event.TOPIC, state
        )

    def to_domain_event(self, stored_event: persistence.StoredEvent) -> Placed:
        """The `Placed` event behind a stored event or a notification.

        Raises:
            UnknownTopic, LogError: see `domain.stored.Decoder`.
        """
        event, meta = self._decoder.decode(stored_event.topic, stored_event.state)
        return Placed(StreamId(str(stored_event.originator_id)), stored_event.originator_version, event, meta)
