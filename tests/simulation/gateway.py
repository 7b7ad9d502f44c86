"""The gateway as the desk's contract describes it: spool, sessions, numbers, epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from domain.event import InboundRef
from domain.market_state import MarketState
from domain.messages import Inbound, LinkUp, MarketUpdate, SessionChange, SessionNews, VenueRefusal
from domain.sending import Forget, Keep, Outbound, SendChild, SendChildReplace
from tests.simulation.fix import Session
from tests.simulation.link import Link
from tests.simulation.world import World


class Gateway:
    """Spool, sessions and their numbers survive its death; connections do not."""

    def __init__(self, world: World, sessions: Sequence[Session], acknowledged: Callable[[list[Inbound]], None]) -> None:
        self._world = world
        self._acknowledged = acknowledged
        self.sessions = {session.name: session for session in sessions}
        self.alive = True
        self.epoch = 0
        self.lingering: dict[int, int] = {}  # dropped connections whose bytes are still read, and how much later (ns)
        self._connections = 0
        self._link: Link | None = None
        self._spool: list[Inbound] = []
        self._safe = 0  # frames of the spool that a power cut cannot take
        self._last_frame = 0
        self._asked_again: list[tuple[str, int]] = []

    def new_connection(self) -> int:
        """A number for the next connection of any desk."""
        self._connections += 1
        return self._connections

    @property
    def idle(self) -> bool:
        """Is a desk there that owes nothing?"""
        return self._link is not None and not self._spool

    # ------------------------------------------------------------------------------------ the desk's side

    def attach(self, link: Link, epoch: int, marks: dict[str, tuple[int, int]]) -> bool:
        """HELLO. False: another desk leads."""
        if epoch < self.epoch:
            return False
        self.epoch = epoch
        previous, self._link = self._link, link
        if previous is not None and previous is not link:
            previous.lost(displaced=True)
        self._set_numbers(marks)
        link.deliver(LinkUp(sent_seq=tuple((s.name, s.sent_seq) for s in self.sessions.values())))
        link.deliver(*(self._state_of(session) for session in self.sessions.values()))
        link.deliver(*self._spool)
        return True

    def detach(self, link: Link) -> None:
        """The desk is gone."""
        if self._link is link:
            self._link = None

    def take(self, epoch: int, message: Outbound) -> None:
        """Hand a message to its session; nothing from a lower epoch leaves."""
        if not self.alive:
            return
        if epoch < self.epoch:
            self._world.used["fenced_send"] += 1
            return
        self.epoch = epoch
        session = self.sessions[message.session]
        if isinstance(message, Forget | Keep):
            return
        if isinstance(message, SendChild | SendChildReplace) and not session.up:
            self._not_sent(session, message)
            return
        session.outward.send(message)
        if session.role == "client":
            session.sent_seq = max(session.sent_seq, message.event_seq)

    def acknowledge(self, frame_number: int) -> None:
        """The desk has made everything up to here durable."""
        if self.alive:
            self._acknowledged([message for message in self._spool if message.frame <= frame_number])
            kept = [message for message in self._spool if message.frame > frame_number]
            self._safe = max(0, self._safe - (len(self._spool) - len(kept)))
            self._spool = kept

    def market(self, state: MarketState) -> None:
        """A market moves: not kept."""
        if self.alive and self._link is not None:
            self._link.deliver(MarketUpdate(state))

    def drop_link(self) -> None:
        """The socket between desk and gateway breaks."""
        if self._link is not None:
            self._link.lost()

    # --------------------------------------------------------------------------------- the sessions' side

    def receive(self, session: Session, number: int, message: Inbound, poss_dup: bool) -> None:
        """A message arrives: in the spool before FIX counts it."""
        ref = InboundRef(session.name, session.reset_epoch, number)
        self._store(replace(message, ref=ref, poss_dup=poss_dup))

    def log_on(self, session: Session, *, reset: bool = False) -> None:
        """A peer logs on; reset: it starts the numbering again and gives up what it had not had."""
        if not self.alive or session.up:
            return
        gave_up = False
        if reset:
            session.reset_epoch += 1
            # More exactly than a real gateway can know: what was on the wire at the last disconnect may or may not have come.
            lost = session.outward.reset()
            gave_up = session.role == "client" and bool(lost)
            session.sent_seq = min([session.sent_seq, *(message.event_seq - 1 for message in lost)])
            self._safe = len(self._spool)  # FIX cannot repeat it under the old numbers, so it is put on the disk for good
        session.connect()
        self._world.told("logon", session.name, session.reset_epoch)
        if gave_up:
            self.drop_link()  # so that the desk makes good what was given up before anything new leaves
        elif self._link is not None:
            self._link.deliver(self._state_of(session))

    def log_off(self, session: Session) -> None:
        """The connection to a peer ends."""
        if not session.up:
            return
        session.disconnect()
        self._world.told("logoff", session.name)
        if self.alive and self._link is not None:
            self._link.deliver(self._state_of(session), late=self._world.strikes("logoff_told_late", 0.3))

    def die(self, *, power_cut: bool) -> None:
        """Killed. A power cut also takes the end of the spool, which FIX has counted already."""
        self.alive = False
        for session in self.sessions.values():
            self.log_off(session)
        if power_cut:
            del self._spool[self._world.random.randint(min(self._safe, len(self._spool)), len(self._spool)) :]
            self._asked_again = [(session.name, session.reset_epoch) for session in self.sessions.values()]
        link, self._link = self._link, None
        if link is not None:
            link.lost()

    def live(self) -> None:
        """Started again."""
        self.alive = True

    @property
    def waits_for_marks(self) -> bool:
        """After a power cut no session starts before a desk has said what is durable."""
        return bool(self._asked_again)

    def _set_numbers(self, marks: dict[str, tuple[int, int]]) -> None:
        for name, reset_epoch in self._asked_again:
            session = self.sessions[name]
            epoch, durable = marks.get(name, (0, 0))
            numbers = [m.ref.msg_seq_num for m in self._spool if m.ref.session == name and m.ref.reset_epoch == reset_epoch]
            session.inward.had = min(session.inward.had, max([durable if epoch == reset_epoch else 0, *numbers]))
        self._asked_again = []

    def _not_sent(self, session: Session, message: SendChild | SendChildReplace) -> None:
        self._world.used["not_sent"] += 1
        ref = InboundRef(session.name, session.reset_epoch, 0)
        text = f"not sent: {session.name} is not logged on"
        kind = "D" if isinstance(message, SendChild) else "G"
        self._store(
            VenueRefusal(
                ref=ref,
                poss_resend=message.poss_resend,
                ref_cl_ord_id=message.cl_ord_id,
                ref_seq_num=0,
                ref_msg_type=kind,
                text=text,
            )
        )

    def news(self, session: Session, text: str) -> None:
        """Something at a session that is no message."""
        self._store(SessionNews(ref=InboundRef(session.name, session.reset_epoch, 0), text=text))

    def _store(self, message: Inbound) -> None:
        self._last_frame += 1
        kept = replace(message, frame=self._last_frame)
        self._spool.append(kept)
        if self._link is not None:
            self._link.deliver(kept)

    def _state_of(self, session: Session) -> SessionChange:
        return SessionChange(
            session=session.name,
            role=session.role,
            up=session.up,
            reset_epoch=session.reset_epoch,
            outbound_seq_num=len(session.outward.store) + 1,
            sent_seq=session.sent_seq,
        )
