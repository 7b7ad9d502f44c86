"""Sessions: that they are up or down, the numbers they may use, and what each client has not been sent yet."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

import structlog

from domain import fix_session as fs
from domain import parent_rules
from domain.event import Recorded
from domain.messages import LinkDown, LinkUp, SessionChange, SessionNews
from domain.ports import EventLog, Reference
from domain.sending import Outbound
from domain.session_policy import DEFAULT, SessionPolicy
from ems import recovery, reports, session_notes
from ems.drop_copy import DropCopies
from ems.mass_question import MassQuestion
from ems.scheduler import Scheduler
from ems.turn import Turn
from ems.venue_desk import VenueDesk

_logger = structlog.get_logger("desk")
OUTBOUND_BLOCK = 1_000_000  # outbound sequence numbers reserved at a logon


class SessionDesk:
    """The desk's side that faces the FIX sessions themselves. What it remembers is only how far each peer has been sent."""

    def __init__(
        self,
        log: EventLog,
        reference: Reference,
        venue: VenueDesk,
        scheduler: Scheduler,
        venue_sessions: AbstractSet[str],
        copies: DropCopies,
        policies: Mapping[str, SessionPolicy],
    ) -> None:
        self._policies = policies
        self.question = MassQuestion(policies, scheduler)
        self._leaving: dict[str, int] = {}  # sessions that were lost -> when their orders are canceled
        self._log = log
        self._reference = reference
        self._venue = venue
        self._scheduler = scheduler
        self._venue_sessions = venue_sessions
        self._copies = copies
        self._here: set[str] = set()  # sessions whose gateway is there; the reports of the others wait in the log
        self._behind: dict[str, int] = {}  # of these, who may have missed reports -> how far it was sent
        self._handed: dict[str, int] = {}  # of these -> the last event of which its gateway was handed the report since it came

    def link_up(self, link: LinkUp) -> None:
        """A gateway is there and has told how far it has sent. What another one told in the same batch stands."""
        self._here |= dict(link.sent_seq).keys()
        self._handed = {session: seq for session, seq in self._handed.items() if session not in dict(link.sent_seq)}
        self._behind |= dict(link.sent_seq)

    def news(self, turn: Turn, news: SessionNews) -> None:
        """Something happened at a session without us: noted, and where a venue is concerned, it is asked how things stand."""
        session_notes.note(turn, self._reference, news, news.text)
        if news.ref.session in self._venue_sessions:
            recovery.doubt_all(turn, self._venue, news.text, news.ref.session)

    def changed(self, turn: Turn, change: SessionChange) -> None:
        """A session is up or down, or tells how far its numbers have got."""
        stream = fs.key(change.session, self._reference.trade_date(turn.now_ns))
        turn.begin(actor="system:gateway", causation="session")
        if not change.up:
            out = fs.LoggedOut(session=change.session, role=change.role, reason="logged off")
            turn.apply(stream, out, correlation=stream)
            self._venue_lost(turn, change.session)
            self._client_lost(turn, change.session, logged_out=change.logged_out)
            return
        self._leaving.pop(change.session, None)
        before = turn.state.sessions.get(stream)
        if before is None or not before.up or before.reset_epoch != change.reset_epoch:  # else it is told how far it has got
            on = fs.LoggedOn(session=change.session, role=change.role, reset_epoch=change.reset_epoch)
            turn.apply(stream, on, correlation=stream)
            self._logged_on(turn, change, reset=before is None or before.reset_epoch != change.reset_epoch)
        epoch, up_to = turn.state.reserved.get(change.session, (-1, 0))
        if epoch != change.reset_epoch or change.outbound_seq_num + OUTBOUND_BLOCK // 2 > up_to:
            reserved = fs.OutboundReserved(
                session=change.session, reset_epoch=change.reset_epoch, up_to=change.outbound_seq_num + OUTBOUND_BLOCK
            )
            turn.apply(stream, reserved, correlation=stream)

    def _logged_on(self, turn: Turn, change: SessionChange, *, reset: bool) -> None:
        """A venue is asked what is in doubt; a client is sent what it has not had, also where a reset gave that up.

        A gateway tells of a logon without knowing what is on its way to it: unless the numbers were reset, that is had.
        """
        if change.session in self._venue_sessions:
            self._scheduler.session_up(change.session)
            self.question.ask(turn, change.session)
            turn.touched.update(dict.fromkeys(turn.state.working))
        elif change.session in self._here:
            had = change.sent_seq if reset else max(change.sent_seq, self._handed.get(change.session, 0))
            self._behind.setdefault(change.session, had)  # what a link that has just come up told of it holds

    def _venue_lost(self, turn: Turn, session: str) -> None:
        if session in self._venue_sessions:
            self._scheduler.sessions_up.discard(session)
            recovery.doubt_all(turn, self._venue, "the venue's session is down", session)

    def link_down(self, turn: Turn, link: LinkDown) -> None:
        """A gateway is gone, and its sessions with it; those of other gateways are as they were."""
        up = [s for s in turn.state.sessions.values() if s.up]
        gone = link.sessions if link.sessions is not None else {s.session for s in up} | self._here
        self._behind = {session: seq for session, seq in self._behind.items() if session not in gone}
        self._handed = {session: seq for session, seq in self._handed.items() if session not in gone}
        self._here -= gone
        turn.begin(actor="system:gateway", causation="link")
        for session in [s for s in up if s.session in gone]:
            out = fs.LoggedOut(session=session.session, role="", reason="the gateway is gone")
            turn.apply(session.id, out, correlation=session.id)
            self._venue_lost(turn, session.session)
            self._client_lost(turn, session.session, logged_out=False)

    # ------------------------------------------------------------------------------ cancel on disconnect

    def _client_lost(self, turn: Turn, session: str, *, logged_out: bool) -> None:
        """Its working orders of the day are canceled, where that was agreed, unless it is back in time."""
        policy = self._policies.get(session, DEFAULT)
        wanted = policy.cancel_on_disconnect == "any" or (policy.cancel_on_disconnect == "ungraceful" and not logged_out)
        if wanted and session not in self._leaving:
            self._leaving[session] = turn.now_ns + policy.cancel_delay_ns
            self.cancel_left(turn)

    def next_wake_ns(self) -> int | None:
        """When `cancel_left` will next have something to do."""
        return min(self._leaving.values(), default=None)

    def cancel_left(self, turn: Turn) -> None:
        """Cancel the orders of the sessions that did not come back in time."""
        gone = {session for session, due_ns in self._leaving.items() if due_ns <= turn.now_ns}
        if not gone:
            return
        turn.begin(actor="system:desk", causation="disconnect")
        for parent in [turn.state.parent(stream) for stream in turn.state.working]:
            concerned = parent.client_session in gone and not parent.carried
            if concerned and (events := parent_rules.withdraw(parent, text="canceled because the session was lost")):
                turn.parent(parent.id, *events)
        for session in gone:
            del self._leaving[session]

    async def due(self, turn: Turn, recorded: tuple[Recorded, ...]) -> list[Outbound]:
        """What may leave now; the caller hands it to the gateways at once."""
        leaving = await self._due(turn, recorded)
        for message in leaving:
            if reports.to_client(message):
                self._handed[message.session] = max(message.event_seq, self._handed.get(message.session, 0))
        return leaving

    async def _due(self, turn: Turn, recorded: tuple[Recorded, ...]) -> list[Outbound]:
        """Clients get their reports in the order of the log and without a hole, or the gateway's
        word on how far it has sent would be worth nothing: nothing new before what was missed.
        """
        outbound = turn.outbound(recorded)
        outbound += self._copies.of(outbound)
        outbound = [message for message in outbound if not reports.to_client(message) or message.session in self._here]
        behind, self._behind = self._behind, {}
        if not behind:
            return outbound
        missed = await recovery.missed_reports(self._log, turn.state, behind, self._copies)
        if missed:
            _logger.info("reports sent again", reports=len(missed))
        others = [message for message in outbound if not reports.to_client(message) or message.session not in behind]
        answers = [m for m in turn.answers(recorded) if reports.to_client(m) and m.session in behind]
        fresh = {one.seq for one in recorded}  # of this very turn: told for the first time
        told = [replace(m, poss_resend=m.event_seq not in fresh) for m in missed]
        again = [m for m in told if m.poss_resend]
        return [*others, *told, *(reports.recovered(session, again) for session in {m.session: None for m in again}), *answers]
