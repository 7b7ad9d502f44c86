"""An OrderGateway in memory: the twin of the FIX link, for the simulation and for tests of the desk.

It keeps what the real gateway keeps over a desk's death: frames that nobody acknowledged, the live orders, and how
far reports were handed on. What leaves is given to `outbox`; what comes in is spooled and delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from domain.event import InboundRef
from domain.messages import Inbound, Input, LinkDown, LinkUp, SessionChange, VenueRefusal
from domain.sending import Forget, Keep, Outbound, SendChild

Deliver = Callable[[list[Input]], None]


class MemoryOrderGateway:
    """Sessions, spool and live orders without a socket. Deterministic: it acts when called, never by itself."""

    def __init__(self, sessions: Sequence[SessionChange], outbox: Callable[[Outbound], None]) -> None:
        """
        Args:
            sessions: every session as it stands at first.
            outbox: takes what goes out on a session, in order.
        """
        self._sessions = {session.session: session for session in sessions}
        self._outbox = outbox
        self._deliver: Deliver | None = None
        self._spool: list[Inbound] = []
        self._last_frame = 0
        self._sent_seq = dict.fromkeys(self._sessions, 0)
        self.epoch = 0
        self.live: dict[str, SendChild] = {}
        self.fenced_count = 0
        self.dropped_count = 0

    # -------------------------------------------------------------------------------- the desk's side

    def attach(self, deliver: Deliver, *, epoch: int) -> bool:
        """A desk connects: it gets LinkUp, the sessions, and all it has not acknowledged. False: its epoch has ended."""
        if epoch < self.epoch:
            self.fenced_count += 1
            return False
        self.epoch = epoch
        self._deliver = deliver
        up = LinkUp(sent_seq=tuple(self._sent_seq.items()))
        sessions = [replace(session, sent_seq=self._sent_seq[name]) for name, session in self._sessions.items()]
        deliver([up, *sessions, *self._spool])
        return True

    def detach(self, *, tell: bool = False) -> None:
        """The desk is gone (or the link broke, then it is told)."""
        deliver, self._deliver = self._deliver, None
        if tell and deliver is not None:
            deliver([LinkDown()])

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """Hand on in order; a lower epoch is fenced, a detached desk's messages are dropped."""
        if epoch < self.epoch:
            self.fenced_count += len(messages)
            return
        if self._deliver is None:
            self.dropped_count += len(messages)
            return
        for message in messages:
            self._send(message)

    def acknowledge(self, frame_number: int) -> None:
        """Everything received up to this frame is durable."""
        self._spool = [message for message in self._spool if message.frame > frame_number]

    # ----------------------------------------------------------------------------- the sessions' side

    def receive(self, message: Inbound) -> int:
        """A message arrives on a session: spooled, numbered, delivered if a desk is there. Returns its frame."""
        self._last_frame += 1
        kept = replace(message, frame=self._last_frame)
        self._spool.append(kept)
        if self._deliver is not None:
            self._deliver([kept])
        return self._last_frame

    def change_session(self, name: str, *, up: bool, reset: bool = False) -> None:
        """A session logs on or off; reset: its numbering starts again."""
        before = self._sessions[name]
        changed = replace(
            before, up=up, reset_epoch=before.reset_epoch + reset, outbound_seq_num=1 if reset else before.outbound_seq_num
        )
        self._sessions[name] = changed
        if self._deliver is not None:
            self._deliver([replace(changed, sent_seq=self._sent_seq[name])])

    def unacknowledged(self) -> tuple[Inbound, ...]:
        """What a desk still owes an answer to the spool for."""
        return tuple(self._spool)

    def _send(self, message: Outbound) -> None:
        if isinstance(message, Forget):
            self.live.pop(message.cl_ord_id, None)
            return
        if isinstance(message, Keep):
            self.live |= {order.cl_ord_id: order for order in message.orders}
            return
        session = self._sessions[message.session]
        if isinstance(message, SendChild):
            if not session.up:
                self._refuse(message)
                return
            self.live[message.cl_ord_id] = message
        self._sent_seq[message.session] = max(self._sent_seq[message.session], message.event_seq)
        self._sessions[message.session] = replace(session, outbound_seq_num=session.outbound_seq_num + 1)
        self._outbox(message)

    def _refuse(self, message: SendChild) -> None:
        self.receive(
            VenueRefusal(
                ref=InboundRef(message.session, self._sessions[message.session].reset_epoch, 0),
                ref_cl_ord_id=message.cl_ord_id,
                ref_seq_num=0,
                ref_msg_type="D",
                text=f"not sent: {message.session} is not logged on",
            )
        )
