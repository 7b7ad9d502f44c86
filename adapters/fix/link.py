"""The desk's end of the link: implements ports.OrderGateway over the gateway's socket.

Frames become inputs and outputs become text here, in the desk's process. A batch that has arrived is delivered as
one; a batch that is sent is one write. While the gateway is away, what is sent is dropped: the desk learns from
LinkUp what was handed to FIX, and recovery sends the rest.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from adapters.fix import frames
from adapters.fix.dialect import Dialect
from adapters.fix.frames import NO_SCOPE, FrameReader
from adapters.fix.link_decode import LinkDecoder
from adapters.fix.outbound import cancel_text, write
from domain.errors import ConfigError, LinkError
from domain.kill_scope import FIRM
from domain.kill_table import Action, KillMark
from domain.market_state import MarketState
from domain.messages import Input, LinkDown
from domain.sending import Forget, Keep, Outbound, SendChild, SendChildReplace

log = logging.getLogger(__name__)
BACK_OFF_FIRST_S: Final = 0.05
BACK_OFF_MAX_S: Final = 2.0
NO_MARK: Final = KillMark(Action.NEW, NO_SCOPE)  # the gateway reads from the message itself what it is


@dataclass(frozen=True, slots=True)
class SessionMarks:
    """What is durable of one session.

    Attributes:
        inbound: (reset epoch, MsgSeqNum) of the highest message whose consequences are in the log.
        reserved: (reset epoch, from, up to) of the block of outbound numbers that may be in use.
    """

    inbound: tuple[int, int] = (0, 0)
    reserved: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Hello:
    """How a desk introduces itself at every connect.

    Attributes:
        epoch: of its lead; the gateway refuses any lower one from then on.
        live: the children that may be working, None where that is not known yet. The gateway forgets all others.
        build: digest of the desk's code, "" where that is nobody's concern.
        approved: builds that may be mixed now (`domain.builds`).
    """

    epoch: int
    environment: str = "PAPER"
    sessions: dict[str, SessionMarks] = field(default_factory=dict)
    live: tuple[SendChild, ...] | None = None
    build: str = ""
    approved: tuple[str, ...] = ()

    def payload(self) -> bytes:
        """As the HELLO frame carries it."""
        marks = {name: {"inbound": m.inbound, "reserved": m.reserved} for name, m in self.sessions.items()}
        live = None if self.live is None else [child.cl_ord_id for child in self.live]
        said = {"epoch": self.epoch, "environment": self.environment, "sessions": marks, "live": live}
        return json.dumps(said | {"build": self.build, "approved": self.approved}).encode()


class FixLink:
    """The desk's connection to a gateway. Everything runs on one event loop; nothing here blocks."""

    def __init__(
        self,
        path: Path,
        *,
        hello: Callable[[], Hello | None],
        deliver: Callable[[list[Input]], None],
        read_market: Callable[[str], MarketState | None] = lambda _: None,
        mark_of: Callable[[SendChild | SendChildReplace], KillMark] = lambda _: NO_MARK,
        dialects: Mapping[str, Dialect] | None = None,
    ) -> None:
        """
        Args:
            path: the gateway's link socket.
            hello: asked at every connect, so that the marks are those of that moment. None while the desk recovers:
                the link waits, so that nothing is delivered to a desk that does not know its orders yet.
            deliver: takes what has arrived together, in order; it must not block.
            read_market: market data text to a state, None for a text that says nothing usable.
            mark_of: what the kill switch must know of an order or a replace.
            dialects: by session, of those that do not speak the canonical vocabulary.
        """
        self._path = path
        self._hello = hello
        self._deliver = deliver
        self._mark_of = mark_of
        self._dialects = {} if dialects is None else dialects  # looked into anew for every message: it may change
        self._decoder = LinkDecoder(read_market, self._dialects)
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()
        self._epoch = 0
        self.refused: str = ""  # why the gateway will not have this desk; it is not asked again
        self.dropped_count = 0

    @property
    def up(self) -> bool:
        """Has the gateway answered?"""
        return self._transport is not None and bool(self._decoder.slots)

    async def run(self) -> None:
        """Stay connected until cancelled. Raises ConfigError when the gateway refuses this desk for good."""
        wait_s = BACK_OFF_FIRST_S
        while True:
            self._lost.clear()
            hello = self._hello()
            if hello is None:
                await asyncio.sleep(BACK_OFF_FIRST_S)
                continue
            try:
                await asyncio.get_running_loop().create_unix_connection(partial(_Protocol, self, hello), str(self._path))
            except (FileNotFoundError, ConnectionError) as error:
                log.debug("gateway not there: %s", error)
            else:
                wait_s = BACK_OFF_FIRST_S
                try:
                    await self._lost.wait()
                finally:
                    self.close()
            if self.refused:
                raise ConfigError(self.refused)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, BACK_OFF_MAX_S)

    def reset(self) -> None:
        """Leave the gateway at once, and deliver nothing more of this connection; `run` connects again."""
        transport, self._transport = self._transport, None
        self._decoder.slots.clear()
        if transport is not None:
            transport.abort()

    def close(self) -> None:
        """Leave the gateway."""
        if self._transport is not None:
            self._transport.close()

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """One write for the batch. Dropped and counted while the gateway is away, or for a session it does not have."""
        transport = self._transport
        if transport is None or not self._decoder.slots:
            self.dropped_count += len(messages)
            return
        transport.write(b"".join(self._frame(message, epoch) for message in messages))

    def acknowledge(self, frame_number: int) -> None:
        """Everything up to this frame is durable."""
        if self._transport is not None and frame_number > 0:
            self._transport.write(frames.pack(frames.ACK, epoch=self._epoch, number=frame_number))

    def cancel_all(self, *, epoch: int, why: str, session: str | None = None, scope: str = FIRM.text) -> None:
        """Have the gateway send the cancel of every live order, of one session or scope where given."""
        if self._transport is not None:
            request = json.dumps({"why": why, "session": session, "scope": scope}).encode()
            self._transport.write(frames.pack(frames.CANCEL_ALL, request, epoch=epoch))

    def _frame(self, message: Outbound, epoch: int) -> bytes:
        slot = self._decoder.slots.get(message.session)
        if slot is None:
            log.error("the gateway has no session %s", message.session)
            self.dropped_count += 1
            return b""
        if isinstance(message, Forget):
            return frames.pack(frames.FORGET, message.cl_ord_id.encode(), slot=slot, epoch=epoch)
        if isinstance(message, Keep):
            return b"".join(self._kept(order, epoch) for order in message.orders)
        flags = frames.POSS_RESEND if message.poss_resend else 0
        dialect = self._dialects.get(message.session)
        text = write(message) if dialect is None else dialect.outward(write(message))
        if not text:
            return b""  # the peer is not sent such messages
        payload = text.encode("utf-8", "replace")
        trip, scope = 0, NO_SCOPE
        if isinstance(message, SendChild | SendChildReplace):  # a replace has an id of its own to cancel by
            action, scope, trip = self._mark_of(message)
            flags |= frames.LIVE | frames.action_flags(action)
            payload = self._live_entry(message) + b"\0" + payload
        return frames.pack(
            frames.SEND, payload, flags=flags, slot=slot, epoch=epoch, event_seq=message.event_seq, trip=trip, scope=scope
        )

    # ---------------------------------------------------------------------------------- from the socket

    def connected(self, transport: asyncio.Transport, hello: Hello) -> None:
        """The socket is open: introduce ourselves."""
        self._transport = transport
        self._epoch = hello.epoch
        transport.write(frames.pack(frames.HELLO, hello.payload(), epoch=hello.epoch))
        self._live = hello.live or ()

    def arrived(self, transport: asyncio.Transport, batch: list[frames.Frame]) -> None:
        """Frames came: deliver what they mean, unless the connection has been left since."""
        if transport is not self._transport:
            return
        inputs: list[Input] = []
        for frame in batch:
            if frame.kind == frames.LINK_UP:
                inputs += self._decoder.link_up(frame)
                self._keep_live()
            elif frame.kind == frames.FENCED:
                self.refused = f"the gateway has seen epoch {frame.epoch}: another desk leads"
                self.close()
            elif frame.kind == frames.DENIED:
                self.refused = frame.payload.decode("utf-8", "replace")
                self.close()
            else:
                inputs += self._decoder.decode(frame)
        if inputs:
            self._deliver(inputs)

    def disconnected(self, transport: asyncio.Transport) -> None:
        """The socket is gone."""
        self._lost.set()
        if self._transport not in (transport, None):
            return
        was_up = self.up
        self._transport = None
        self._decoder.slots.clear()
        if was_up:
            self._deliver([LinkDown()])

    def _keep_live(self) -> None:
        """Tell the gateway the cancels that it may lack, as after a move to another host."""
        keep = b"".join(self._kept(child, self._epoch) for child in self._live if child.session in self._decoder.slots)
        self._live = ()
        if keep and self._transport is not None:
            self._transport.write(keep)

    def _kept(self, order: SendChild, epoch: int) -> bytes:
        slot = self._decoder.slots[order.session]
        return frames.pack(frames.KEEP, self._live_entry(order), slot=slot, epoch=epoch, scope=self._mark_of(order).scopes)

    def _live_entry(self, child: SendChild | SendChildReplace) -> bytes:
        """What the gateway keeps of an order: its id and its ready cancel, in the venue's own words."""
        dialect = self._dialects.get(child.session)
        text = cancel_text(child) if dialect is None else dialect.outward(cancel_text(child))
        return child.cl_ord_id.encode() + b"\0" + text.encode("utf-8", "replace")


class _Protocol(asyncio.Protocol):
    """Socket events to the link's methods."""

    def __init__(self, link: FixLink, hello: Hello) -> None:
        self._link = link
        self._hello = hello
        self._reader = FrameReader()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._link.connected(self._transport, self._hello)

    def data_received(self, data: bytes) -> None:
        try:
            batch = self._reader.feed(data)
        except LinkError as error:
            log.error("link: %s; reconnecting", error)
            self._transport.abort()
            return
        self._link.arrived(self._transport, batch)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            log.warning("link lost: %s", exc)
        self._link.disconnected(self._transport)
