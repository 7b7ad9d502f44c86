"""Start = recover: fold the log, then treat as unknown whatever only the outside can tell."""

from __future__ import annotations

import gc

from domain import decision, fix_session
from domain.errors import ChainBroken
from domain.parent_order import ParentOrder
from domain.ports import EventLog
from domain.sending import Outbound
from domain.values import StreamId
from ems import reports
from ems.desk_state import DeskState
from ems.drop_copy import DropCopies
from ems.turn import Turn
from ems.venue_desk import VenueDesk

NO_COPIES = DropCopies()


async def fold(
    log: EventLog, *, until_seq: int | None = None, until_ns: int | None = None, onto: DeskState | None = None
) -> DeskState:
    """The desk's state from its events: the same code that made it live.

    Args:
        until_seq: the last event to fold, all by default.
        until_ns: fold only what was recorded up to this moment (UTC nanoseconds).
        onto: a state that was folded before, to go on with; it changes.
    """
    state = DeskState() if onto is None else onto
    collecting = gc.isenabled()
    gc.disable()  # nothing of what a fold makes is garbage in a circle: looking for some costs a tenth of it
    try:
        async for page in log.read_facts(after_seq=state.seq, until_seq=until_seq, unread=decision.EVENTS):
            for seq, stream, recorded_time_ns, (event, meta) in page:
                if until_ns is not None and recorded_time_ns > until_ns:
                    return state
                if seq != state.seq + 1:
                    raise ChainBroken(f"after event {state.seq} comes event {seq}")
                state.apply(stream, event, meta, seq=seq)
    finally:
        if collecting:
            gc.enable()
    return state


async def missed_reports(
    log: EventLog, state: DeskState, sent_seq: dict[str, int], copies: DropCopies = NO_COPIES
) -> list[Outbound]:
    """Reports that a client may not have had, made again from their events, in order.

    Args:
        sent_seq: per client session, the log sequence of the last report known to be handed to FIX; others are left out.
    """
    missed: list[Outbound] = []
    for stream, last_seq in list(state.last_seq.items()):
        client = _client_of(state, stream)
        if client is None:
            continue
        behind = [s for s in (client, *copies.sessions_of(client)) if last_seq > sent_seq.get(s, last_seq)]
        if behind:
            told = await _reports_of(log, stream, after_seq=min(sent_seq[session] for session in behind))
            missed += [m for m in (*told, *copies.of(told)) if m.event_seq > sent_seq.get(m.session, m.event_seq)]
    return sorted(missed, key=lambda message: message.event_seq)


async def _reports_of(log: EventLog, stream: StreamId, *, after_seq: int) -> list[Outbound]:
    """Fold one stream alone and derive what its events after after_seq told the client."""
    state, found = DeskState(), []
    for recorded in await log.read(stream):
        after = state.apply(stream, recorded.event, recorded.meta, seq=recorded.seq)
        if recorded.seq > after_seq and reports.to_client(message := reports.outbound(recorded, after)):
            assert message is not None
            found.append(message)
    return found


def _client_of(state: DeskState, stream: StreamId) -> str | None:
    parent = state.parents.get(stream)
    if isinstance(parent, ParentOrder):
        return parent.client_session
    for store in (state.allocations, state.mass_cancels, state.lists):
        if (found := store.get(stream)) is not None:
            return found.client_session
    session = state.sessions.get(stream)
    return session.session if session is not None else state.rejected_by.get(stream)


def was_away(turn: Turn, venue: VenueDesk) -> None:
    """Whatever was up has to log on again, and of whatever was live nobody knows what became of it."""
    for session in [s for s in turn.state.sessions.values() if s.up]:
        turn.begin(actor="system:desk", causation="recovery")
        out = fix_session.LoggedOut(session=session.session, role="", reason="recovery")
        turn.apply(session.id, out, correlation=session.id)
    doubt_all(turn, venue, "the desk was away")


def doubt_all(turn: Turn, venue: VenueDesk, reason: str, venue_session: str | None = None) -> None:
    """Nothing is known of what happened at the venue while we did not listen: every live child is in doubt."""
    for child in list(turn.state.live_children(venue_session)):
        venue.doubt(turn, child, reason)
