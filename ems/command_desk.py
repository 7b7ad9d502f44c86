"""Commands: orders entered at the desk, judged by the rules of a client's orders; and what else people do there."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet

from domain import fix_session as fs
from domain import parent_intake
from domain import parent_order as po
from domain.care_rules import CareTerms
from domain.commands import (
    AcknowledgeAlerts,
    AmendOrder,
    Answer,
    BookFill,
    Commanded,
    DismissFill,
    EnableStrategy,
    EnterOrder,
    GrantOverride,
    NoteDecision,
    OpenWheel,
    OperateSessions,
    RetireLimit,
    ReweighWheel,
    SetLimit,
    SteerOrder,
)  # fmt: skip
from domain.event import InboundRef
from domain.market_state import MarketState
from domain.messages import NewOrder
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import Refusal
from domain.values import StreamId, short_id, stream_id
from ems import risk_desk
from ems.care_desk import CareDesk
from ems.desk_state import DeskState
from ems.kill_desk import KillDesk
from ems.quarantine_desk import QuarantineDesk
from ems.risk import RiskGate
from ems.steer_desk import SteerDesk
from ems.strategies import Strategies
from ems.turn import Turn
from ems.venue_desk import VenueDesk
from ems.wheel_desk import WheelDesk


class CommandDesk:
    """The desk's side that faces its own people."""

    def __init__(
        self,
        reference: Reference,
        markets: dict[str, MarketState],
        client_sessions: AbstractSet[str],
        risk: RiskGate,
        kills: KillDesk,
        venue: VenueDesk,
        strategies: Strategies,
        care: CareTerms,
    ) -> None:
        self._care = CareDesk(reference, markets, risk, kills, venue, strategies, care)
        self._strategies = strategies
        self._quarantine = QuarantineDesk(venue)
        self._steering = SteerDesk(reference, risk)
        self._wheels = WheelDesk(markets, risk)
        self._risk = risk
        self._kills = kills
        self._reference = reference
        self._markets = markets
        self._client_sessions = client_sessions

    def handle(self, turn: Turn, commanded: Commanded) -> None:
        """Decide one command; its answer waits for the commit."""
        command = commanded.command
        cause = f"command:{command.command_id}"
        turn.begin(actor=command.actor, causation=cause)
        if cause in turn.state.commanded and not isinstance(command, EnterOrder):  # which knows its order again
            turn.replies.append((commanded.reply, Answer(True, "done before")))
            return
        match command:
            case EnterOrder():
                answer = self._enter(turn, command)
            case OperateSessions():
                answer = self._operate(turn, command)
            case DismissFill() | BookFill() | AcknowledgeAlerts():
                answer = self._quarantine.handle(turn, command)
            case OpenWheel() | ReweighWheel():
                answer = self._wheels.handle(turn, command)
            case SteerOrder() | AmendOrder() | NoteDecision():
                answer = self._steering.handle(turn, command)
            case SetLimit() | RetireLimit() | GrantOverride() | EnableStrategy():
                answer = risk_desk.handle(turn, command, self._date(turn))
            case _:
                answer = self._care.handle(turn, command)
        turn.replies.append((commanded.reply, answer))

    def _date(self, turn: Turn) -> str:
        return self._reference.trade_date(turn.now_ns)

    def _enter(self, turn: Turn, entry: EnterOrder) -> Answer:
        if entry.client_session not in self._client_sessions:
            return Answer(False, f"no client session is called {entry.client_session}")
        trade_date = self._date(turn)
        cl_ord_id = f"DESK{short_id(stream_id('entry', entry.client_session, trade_date, entry.command_id), 12)}"
        stream = po.key(entry.client_session, trade_date, cl_ord_id)
        if isinstance(known := turn.state.parents.get(stream), ParentOrder):
            return Answer(True, "entered before", (("order_id", known.order_id), ("cl_ord_id", cl_ord_id)))
        order = _order(entry, cl_ord_id)
        order = order if entry.check_only else self._wheels.spin(turn, order, stream)
        if (stopped := self._kills.refusal(order, entry.actor)) is not None:
            return Answer(False, stopped.text)
        instrument = self._reference.instrument(entry.symbol)
        accepted = parent_intake.place(
            self._strategies.resolved(order, turn.now_ns),
            stream=stream,
            duplicate=False,
            instrument=instrument,
            day=self._reference.day(instrument, turn.now_ns) if instrument is not None else None,
            trade_date=trade_date,
            now_ns=turn.now_ns,
            arrival=self._markets.get(entry.symbol),
        )
        if entry.check_only:
            return self._would(turn, stream, accepted)
        if isinstance(accepted, po.Accepted):
            accepted = self._risk.parent(turn, stream, accepted) or accepted
        if isinstance(accepted, Refusal):
            return Answer(False, accepted.text)
        turn.parent(stream, accepted)
        return Answer(True, "entered", (("order_id", accepted.order_id), ("cl_ord_id", cl_ord_id)))

    def _would(self, turn: Turn, stream: StreamId, accepted: po.Accepted | Refusal) -> Answer:
        """What would become of an order."""
        if isinstance(accepted, Refusal):
            return Answer(False, accepted.text, (("reason", accepted.reason.value),))
        refusal, found = self._risk.would(turn, stream, accepted)
        known = (("pretrade", json.dumps(found)),)
        if refusal is not None:
            return Answer(False, refusal.text, (("reason", refusal.reason.value), *known))
        return Answer(True, "it would be taken", known)

    def _operate(self, turn: Turn, asked: OperateSessions) -> Answer:
        for session, _, act in asked.acts:
            if act == "remove" and (count := unfinished(turn.state, session)):
                return Answer(False, f"session {session} cannot be removed: {count} of its orders have not ended")
        for session, group, act in asked.acts:
            stream = fs.key(session, self._reference.trade_date(turn.now_ns))
            event = fs.Operated(session=session, group=group, act=act, reason=asked.reason)
            turn.apply(stream, event, correlation=stream)
        return Answer(True, "written")


def unfinished(state: DeskState, session: str) -> int:
    """Orders of a client's session, or at a venue's, that have not ended."""
    parents = sum(state.parent(stream).client_session == session for stream in state.working)
    return parents + sum(1 for _ in state.live_children(session))


def _order(entry: EnterOrder, cl_ord_id: str) -> NewOrder:
    """As if the client had sent it."""
    return NewOrder(
        ref=InboundRef(entry.client_session, 0, 0),
        cl_ord_id=cl_ord_id,
        symbol=entry.symbol,
        side=entry.side,
        quantity_e9=entry.quantity_e9,
        ord_type=entry.ord_type,
        limit_price_e9=entry.limit_price_e9,
        time_in_force=entry.time_in_force,
        account=entry.account,
        algo=entry.algo,
        parameters=entry.parameters,
        instructions=entry.instructions,
    )
