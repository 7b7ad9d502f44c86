"""Length-prefixed frames between the desk and the FIX gateway: one fixed header, then the payload as it is.

The gateway decides from the header alone: whose epoch it is, which session, what to keep. It never parses a
message. A spool record is the frame itself, so what is stored is what is sent.

Desk to gateway::

    HELLO       JSON: epoch, environment, build and builds that may be mixed, per session the durable inbound watermark and
                reserved numbers
    SEND        message text; with LIVE: order key, NUL, ready cancel text, NUL, message text
    KEEP        order key, NUL, ready cancel text: a live order that the gateway may not know yet
    FORGET      order key: the order is terminal
    ACK         number = the last frame whose consequences are durable
    CANCEL_ALL  JSON: scope, why

Gateway to desk (those marked * carry a number and stay in the spool until acknowledged)::

    LINK_UP       JSON: sessions and what was handed to FIX
    SESSION       JSON: a session logged on or off, or used up a stretch of its outbound numbers
    MESSAGE*      message text; for a session Reject: its text, NUL, the text it refers to
    REFUSED*      text of the Reject that the engine sent, NUL, the text that it refused
    GARBLED*      text that the engine could not read at all; by FIX rules it got no answer
    NOT_SENT*     why, NUL, the text that did not leave
    CANCELED_ALL* JSON: what an emergency cancel sent while nobody or somebody listened
    GAP_FILLED*   JSON: the peer declined to repeat messages that were asked for again
    NEWS*         a sentence: what happened at a session, for the log and a person
    MARKET        market data text; neither durable nor acknowledged
    FENCED        epoch = the highest epoch seen; the sender of a lower one is refused
    DENIED        a sentence: why this desk may not use this gateway
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from domain.errors import LinkError
from domain.kill_scope import KINDS

HELLO: Final = 1
SEND: Final = 2
KEEP: Final = 3
FORGET: Final = 4
ACK: Final = 5
CANCEL_ALL: Final = 6

LINK_UP: Final = 16
SESSION: Final = 17
MESSAGE: Final = 18
REFUSED: Final = 19
GARBLED: Final = 20
NOT_SENT: Final = 21
CANCELED_ALL: Final = 22
GAP_FILLED: Final = 23
MARKET: Final = 24
FENCED: Final = 25
DENIED: Final = 26
NEWS: Final = 27

POSS_RESEND: Final = 1  # flag: content that may have been sent before
LIVE: Final = 2  # flag: the payload opens with a live-order entry

_ACTION_SHIFT: Final = 2  # three bits of the flags: what a message to a venue does to risk (`domain.kill_table.Action`)
_ACTION_MASK: Final = 7

Scope = tuple[int, ...]  # digests of the kill switch's scopes, one of each kind
NO_SCOPE: Final[Scope] = (0,) * len(KINDS)
PAYLOAD_BYTES_MAX: Final = 16 * 1024 * 1024

_MAGIC: Final = b"FY"
_HEADER: Final = struct.Struct(f">2sBBHxxIQIQQQ{len(KINDS)}Q")
HEADER_BYTES: Final = _HEADER.size
_pack = _HEADER.pack
_unpack_from = _HEADER.unpack_from


class Frame(NamedTuple):
    """One frame. Fields that a kind does not use are 0."""

    kind: int
    flags: int
    slot: int  # which session, by its place in the gateway's configuration
    epoch: int  # of the desk that sends
    reset_epoch: int  # of the session's inbound numbering
    number: int  # of a spooled frame, or the one that ACK acknowledges
    event_seq: int  # log sequence of the event that an outbound message derives from
    trip: int  # of the kill switch, that an order carries
    scope: Scope  # kill-switch scopes that the order falls under
    payload: bytes

    @property
    def action(self) -> int:
        """What it does to risk, 0 where its sender does not say."""
        return self.flags >> _ACTION_SHIFT & _ACTION_MASK


def action_flags(action: int) -> int:
    """The flags that say what a message does to risk."""
    return action << _ACTION_SHIFT


def pack(
    kind: int,
    payload: bytes = b"",
    *,
    flags: int = 0,
    slot: int = 0,
    epoch: int = 0,
    reset_epoch: int = 0,
    number: int = 0,
    event_seq: int = 0,
    trip: int = 0,
    scope: Scope = NO_SCOPE,
) -> bytes:
    """The bytes of one frame."""
    header = _pack(_MAGIC, kind, flags, slot, len(payload), epoch, reset_epoch, number, event_seq, trip, *scope)
    return header + payload


def unpack(buffer: bytes | bytearray | memoryview, offset: int = 0) -> tuple[Frame, int] | None:
    """The frame at an offset and where the next one begins; None while it is incomplete.

    Raises:
        LinkError: what stands there is not a frame.
    """
    if len(buffer) - offset < HEADER_BYTES:
        if not _MAGIC.startswith(bytes(buffer[offset : offset + len(_MAGIC)])):
            raise LinkError(f"byte {offset} does not begin a frame")
        return None
    magic, kind, flags, slot, length, epoch, reset_epoch, number, event_seq, trip, *scope = _unpack_from(buffer, offset)
    if magic != _MAGIC or length > PAYLOAD_BYTES_MAX:
        raise LinkError(f"byte {offset} does not begin a frame")
    start = offset + HEADER_BYTES
    end = start + length
    if len(buffer) < end:
        return None
    payload = bytes(buffer[start:end])
    return Frame(kind, flags, slot, epoch, reset_epoch, number, event_seq, trip, tuple(scope), payload), end


class FrameReader:
    """Cuts a byte stream into frames, whatever pieces it arrives in."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that data completes. Raises LinkError where the stream is broken."""
        buffer = self._buffer + data if self._buffer else data
        frames: list[Frame] = []
        offset = 0
        while (found := unpack(buffer, offset)) is not None:
            frame, offset = found
            frames.append(frame)
        self._buffer = buffer[offset:]
        return frames
