"""A quoter's session: what it was opened with, every order and fill, the sealed segments of its journal, why it stood still.

One stream for each run of a quoter's process. The quoter itself writes none of it: it writes records into its journal, and the
process that seals them derives these events from what was sent and what came, a segment's together with the segment. `record` is
the number of the journal record that an event follows from.
"""

from __future__ import annotations

from enum import IntFlag, StrEnum
from typing import ClassVar, NamedTuple

from domain.event import Event, Topics
from domain.revise import revise
from domain.values import Side, StreamId, id_bytes, stream_id


class Why(IntFlag):
    """Why a quoter stands still: bits of a word that its process sets and its kernel reads. Each clears its own."""

    STARTING = 1  # not yet reconciled with the venue
    STOPPING = 2
    FEED_GAP = 4  # messages are missing, asked for again
    FEED_STALE = 8
    VENUE_DOWN = 16  # no session with the venue
    RECONCILING = 32  # the session is back; its reports are being read again
    UNKNOWN_ORDER = 64  # the venue named an order that is none of ours
    RING_FULL = 128  # the journal is not drained fast enough
    JOURNAL = 256  # segments cannot be written, or the log does not take them
    EXPOSURE = 512  # the firm's exposure is not told, or too old
    KILL = 1024  # the latch, as the process sees it
    OUTPUT = 2048  # what was to be sent did not fit or could not be sent

    @property
    def words(self) -> str:
        """For people and events: the names, smallest bit first."""
        return ", ".join(str(bit.name).lower() for bit in self)


class Ending(StrEnum):
    """How a session ended."""

    ORDERLY = "orderly"
    DIED = "died"  # the process was gone without a word


class Answer(StrEnum):
    """What a venue said of an order, beside an execution."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    CANCELED = "canceled"
    REJECTED = "rejected"
    CANCEL_PENDING = "cancel_pending"
    CANCEL_REJECTED = "cancel_rejected"
    RESTATED = "restated"
    BROKEN = "broken"


class Quoted(NamedTuple):
    """An instrument that a session quotes. inventory_e9: of before the venue's day. number: the feed's, which records have."""

    symbol: str
    tick_e9: int
    lot_e9: int
    inventory_e9: int
    number: int


class Opened(Event):
    """A session began. configuration: the [quoting] table as JSON. weights_sha256: of the model that decides."""

    TOPIC: ClassVar[str] = "quote.opened.v1"
    quoter: str
    trade_date: str
    run: str  # tells the runs of a day apart
    instruments: tuple[Quoted, ...]
    weights_sha256: str
    environment_sha256: str
    configuration: str
    configuration_sha256: str
    checkpoint_sha256: str  # of the kernel's state before its first call
    record_bytes: int


class OfRecord(Event):
    """What follows from one journal record. at_ns: the call's time."""

    record: int
    at_ns: int


class OrderPlaced(OfRecord):
    """An order was sent."""

    TOPIC: ClassVar[str] = "quote.order_placed.v1"
    ref: int
    symbol: str
    side: Side
    quantity_e9: int
    price_e9: int


class OrderReplaced(OfRecord):
    """A replace was sent: where the venue takes it, order `replaced` is order `ref` from then on."""

    TOPIC: ClassVar[str] = "quote.order_replaced.v1"
    replaced: int
    ref: int
    quantity_e9: int
    price_e9: int


class CancelSent(OfRecord):
    """A cancel was sent. quantity_e9: what is to be left of the order. ref 0: of all orders of the symbol, or of all."""

    TOPIC: ClassVar[str] = "quote.cancel_sent.v1"
    ref: int
    quantity_e9: int
    symbol: str = ""


class Answered(OfRecord):
    """The venue's word about an order. reason: its own letter or number."""

    TOPIC: ClassVar[str] = "quote.answered.v1"
    ref: int
    answer: Answer
    quantity_e9: int = 0
    price_e9: int = 0
    reason: str = ""


class Filled(OfRecord):
    """An execution, under the venue's match number. side and symbol "": of an order that this session does not know."""

    TOPIC: ClassVar[str] = "quote.filled.v1"
    ref: int
    symbol: str
    side: Side | None
    quantity_e9: int
    price_e9: int
    match: int
    liquidity: str


class SegmentSealed(Event):
    """Records first .. last are in a file whose bytes have this digest. merkle_root: over the records (`domain.merkle`).

    state_sha256: of the kernel's state before record `first`, where the file of that state is kept, "" elsewhere.
    """

    TOPIC: ClassVar[str] = "quote.segment_sealed.v1"
    number: int
    first: int
    last: int
    inferences: int
    first_ns: int
    last_ns: int
    bytes: int
    sha256: str
    merkle_root: str
    state_sha256: str = ""


class SegmentsDropped(Event):
    """Files of segments that retention let go. Their digests stay."""

    TOPIC: ClassVar[str] = "quote.segments_dropped.v1"
    first: int
    last: int
    bytes: int
    retention: str


class Suspended(OfRecord):
    """Quotes were pulled. why: all reasons that hold now."""

    TOPIC: ClassVar[str] = "quote.suspended.v1"
    why: str


class Resumed(OfRecord):
    """No reason is left: it quotes again."""

    TOPIC: ClassVar[str] = "quote.resumed.v1"


class Stopped(Event):
    """The session is over. inventory_e9: by symbol, by its last record."""

    TOPIC: ClassVar[str] = "quote.stopped.v1"
    ending: Ending
    last: int
    records: int
    inventory_e9: dict[str, int]


EVENTS = (
    Opened, OrderPlaced, OrderReplaced, CancelSent, Answered, Filled, SegmentSealed, SegmentsDropped, Suspended, Resumed,
    Stopped,
)  # fmt: skip


def topics() -> Topics:
    """A catalogue of these events alone: whoever reads a log with it can read nobody's orders."""
    found = Topics()
    found.register(EVENTS)
    return found


class Session(NamedTuple):
    """A session as its stream tells it."""

    id: StreamId
    version: int
    opened: Opened
    segment: int = 0  # the last sealed
    record: int = 0  # the last in it
    dropped: int = 0  # the last segment whose file is gone
    fills: int = 0
    over: bool = False


def key(quoter: str, trade_date: str, run: str) -> StreamId:
    """The stream of one run of a quoter."""
    return stream_id("quote", quoter, trade_date, run)


def session_number(stream: StreamId) -> int:
    """The stream as a number of 63 bits, never 0: what records and ring name it by."""
    return int.from_bytes(id_bytes(stream)[:8], "big") >> 1 | 1


def evolve(state: Session | None, event: Event, *, stream: StreamId) -> Session:
    """Fold one event."""
    if state is None:
        assert isinstance(event, Opened), event.TOPIC
        return Session(stream, 1, event)
    state = revise(state, version=state.version + 1)
    match event:
        case SegmentSealed():
            assert event.number == state.segment + 1 and event.first == state.record + 1, "segments follow one another"
            return revise(state, segment=event.number, record=event.last)
        case SegmentsDropped():
            return revise(state, dropped=event.last)
        case Filled():
            return revise(state, fills=state.fills + 1)
        case Stopped():
            return revise(state, over=True)
        case _:
            return state
