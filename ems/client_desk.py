"""Messages from an OMS: new orders, cancels, replaces, status queries; each ends in an event and an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from domain import fix_session as fs
from domain import order_checks, parent_intake, parent_rules
from domain import parent_order as po
from domain.allocation_messages import AllocationInstruction, AllocationReportAck
from domain.care_rules import CareTerms
from domain.event import Event
from domain.instrument import Instrument
from domain.list_messages import ListCancel, ListExecute, ListStatusQuery, MassCancel, MassStatusQuery, NewOrderList
from domain.market_state import MarketState
from domain.messages import (
    CancelOrder,
    DontKnowTrade,
    EngineRefusal,
    Inbound,
    NewOrder,
    OrderStatusQuery,
    ReplaceOrder,
    Unreadable,
)
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import Reason, Refusal
from domain.sending import ParentReport
from domain.session_policy import DEFAULT, SessionPolicy
from domain.trading_day import TradingDay
from domain.values import StreamId, event_id
from ems import reports, session_notes
from ems.allocation_desk import AllocationDesk
from ems.kill_desk import KillDesk
from ems.list_desk import ListDesk
from ems.mass_desk import MassDesk
from ems.risk import RiskGate
from ems.staging import Staging
from ems.strategies import Strategies
from ems.throttle import Throttle
from ems.turn import Turn
from ems.wheel_desk import WheelDesk

_Order = TypeVar("_Order", bound=NewOrder)
_REFUSALS: Final = ("3", "j")  # Reject, BusinessMessageReject


class ClientDesk:
    """The desk's side that faces clients. Pure but for what it is given: state, time, reference data, markets."""

    def __init__(
        self,
        reference: Reference,
        markets: dict[str, MarketState],
        policies: Mapping[str, SessionPolicy],
        throttle: Throttle,
        strategies: Strategies,
        risk: RiskGate,
        kills: KillDesk,
        care: CareTerms,
    ) -> None:
        self._staging = staging = Staging(reference, markets, care)
        self._risk = risk
        self._kills = kills
        self._strategies = strategies
        self._throttle = throttle
        self._policies = policies
        self._reference = reference
        self._markets = markets
        self.allocations = AllocationDesk(reference, policies)
        self.lists = ListDesk(reference, markets, self._too_many, strategies, risk, staging)
        self._mass = MassDesk(reference)
        self._wheels = WheelDesk(markets, risk)

    def handle(self, turn: Turn, message: Inbound) -> None:
        """Dispatch one client message."""
        match message:
            case ReplaceOrder() | CancelOrder():
                self._request(turn, message)
            case NewOrder():
                self._new(turn, message)
            case OrderStatusQuery():
                self._status(turn, message)
            case DontKnowTrade():
                self._disputed(turn, message)
            case MassCancel() | MassStatusQuery():
                self._mass.handle(turn, message)
            case NewOrderList() | ListExecute() | ListCancel() | ListStatusQuery():
                self.lists.handle(turn, message)
            case AllocationReportAck():
                self.allocations.acknowledged(turn, message)
            case AllocationInstruction():
                self.allocations.handle(turn, message)
            case Unreadable(ref_id=ref_id, msg_type=msg_type):
                answer = "none" if msg_type in _REFUSALS else "business_reject"  # or two systems refuse each other for ever
                self.refuse(turn, message, message.refusal, ref_id=ref_id, msg_type=msg_type, answer=answer)
            case EngineRefusal():
                refusal = Refusal(Reason.UNREADABLE, message.text)
                self.refuse(turn, message, refusal, ref_id="", msg_type="", answer="none")
            case _:
                refusal = Refusal(Reason.UNSUPPORTED_MESSAGE, f"{type(message).__name__} is not for a client session")
                self.refuse(turn, message, refusal, ref_id="", msg_type="")

    # ------------------------------------------------------------------------------------- new orders

    def _new(self, turn: Turn, order: NewOrder) -> None:
        trade_date = self._reference.trade_date(turn.now_ns)
        stream = po.key(order.ref.session, trade_date, order.cl_ord_id)
        known = turn.state.used_by(order.ref.session, trade_date, order.cl_ord_id)
        if known is not None and (order.poss_resend or order.poss_dup):
            self._repeat(turn, order, known)
            return
        order = self._throttled(turn, order)
        order = self._strategies.resolved(order if known is not None else self._wheels.spin(turn, order, stream), turn.now_ns)
        if (stopped := self._kills.refusal(order, turn.actor)) is not None:
            order = replace(order, refusal=stopped)
        instrument, day = self._market_of(order.symbol, turn.now_ns)
        accepted = parent_intake.place(
            order,
            stream=stream,
            duplicate=known is not None,
            instrument=instrument,
            day=day,
            trade_date=trade_date,
            now_ns=turn.now_ns,
            arrival=self._markets.get(order.symbol),
        )
        if isinstance(accepted, po.Accepted):
            accepted = self._risk.parent(turn, stream, accepted) or accepted
        if isinstance(accepted, po.Accepted):
            turn.parent(stream, *self._staging.of(accepted, turn.now_ns))
        elif known is not None:
            self._duplicate(turn, order, known, accepted)
        else:
            rejected = order_checks.rejected(order, stream, trade_date, accepted)
            turn.apply(stream, rejected, correlation=stream)

    def _repeat(self, turn: Turn, order: NewOrder, known: StreamId) -> None:
        """The peer is not sure that we had it: tell it how the order stands."""
        self._note(turn, order, "repeated order, answered with its state")
        parent = turn.state.parents[known]
        if isinstance(parent, ParentOrder):
            turn.extra.append(_state_report(turn, parent, poss_resend=True))

    def _duplicate(self, turn: Turn, order: NewOrder, known: StreamId, refusal: Refusal) -> None:
        """ClOrdID used twice: refused with the live order's state, which stays as it is."""
        parent = turn.state.parents[known]
        refused = self.refuse(turn, order, refusal, ref_id=order.cl_ord_id, msg_type="D", answer="none")
        base = _state_report(turn, parent) if isinstance(parent, ParentOrder) else _unknown_report(turn, order.ref.session, order)
        exec_id = reports.exec_id(event_id(refused.id, refused.version))
        turn.extra.append(_as_rejection(base, exec_id, order.cl_ord_id, refusal))

    # --------------------------------------------------------------------------------------- requests

    def _request(self, turn: Turn, request: CancelOrder | ReplaceOrder) -> None:
        """A cancel or a replace: decided by the order's rules, unless the order or the request's own id forbids it."""
        kind, msg_type = ("cancel", "F") if isinstance(request, CancelOrder) else ("replace", "G")
        parent = self._find(turn, request.ref.session, request.orig_cl_ord_id)
        used = parent is not None and self._used(turn, request.ref.session, request.cl_ord_id)
        if parent is None:
            self._unknown_order(turn, request, request.cl_ord_id, request.orig_cl_ord_id, msg_type)
        elif used and (request.poss_resend or request.poss_dup):
            self._note(turn, request, f"repeated {kind}")
        elif isinstance(decided := _used_before(request.cl_ord_id) if used else self._decide(turn, parent, request), Refusal):
            refused = po.RequestRefused.sample(
                request=kind, cl_ord_id=request.cl_ord_id, reason=decided.reason, text=decided.text
            )
            turn.parent(parent.id, refused)
        else:
            turn.parent(parent.id, *decided)

    def _decide(self, turn: Turn, parent: ParentOrder, request: CancelOrder | ReplaceOrder) -> tuple[Event, ...] | Refusal:
        if isinstance(request, CancelOrder):
            return parent_rules.cancel(parent, request, policy=self._policies.get(request.ref.session, DEFAULT))
        request = self._strategies.resolved(self._throttled(turn, request), turn.now_ns, replaces=parent)
        instrument, day = self._market_of(request.symbol, turn.now_ns)
        policy = self._policies.get(request.ref.session, DEFAULT)
        events = parent_rules.amend(parent, request, instrument=instrument, day=day, now_ns=turn.now_ns, policy=policy)
        terms = None if isinstance(events, Refusal) else parent_rules.asked_for(events)
        return events if terms is None else self._risk.amend(turn, parent, terms) or events

    def _throttled(self, turn: Turn, order: _Order) -> _Order:
        """The order, with a refusal in it if its session sends more than was agreed."""
        refusal = self._too_many(order.ref.session, turn.now_ns)
        return order if refusal is None else replace(order, refusal=refusal)

    def _too_many(self, session: str, now_ns: int) -> Refusal | None:
        if self._throttle.passes(session, now_ns):
            return None
        policy = self._policies[session]
        said = f"more than {policy.throttle_count} orders in {policy.throttle_window_ns / 1e9:g} s; cancels pass"
        return Refusal(Reason.THROTTLED, said)

    def _status(self, turn: Turn, query: OrderStatusQuery) -> None:
        parent = self._find(turn, query.ref.session, query.cl_ord_id)
        self._note(turn, query, "status query")
        if parent is None:
            turn.extra.append(_unknown_report(turn, query.ref.session, query))
        else:
            nothing_done = parent.live and not parent.cum_quantity_e9
            turn.extra.append(_copy(_state_report(turn, parent), text="Nothing Done" if nothing_done else ""))

    def _disputed(self, turn: Turn, notice: DontKnowTrade) -> None:
        """The client does not know a trade of ours: written on its order, for a person to settle with both sides."""
        stream = turn.state.order_ids.get(notice.order_id)
        parent = turn.state.parents.get(stream) if stream is not None else None
        if not isinstance(parent, ParentOrder) or parent.client_session != notice.ref.session:
            refusal = Refusal(Reason.UNKNOWN_ORDER, f"no order of this session has the OrderID {notice.order_id}")
            self.refuse(turn, notice, refusal, ref_id=notice.order_id, msg_type="Q")
            return
        turn.parent(parent.id, po.ExecutionDisputed(exec_id=notice.exec_id, reason=notice.reason, text=notice.text))

    # ---------------------------------------------------------------------------------------- helpers

    def refuse(
        self, turn: Turn, message: Inbound, refusal: Refusal, *, ref_id: str, msg_type: str, answer: str = "business_reject",
        orig_ref_id: str = "",
    ) -> fs.FixSession:  # fmt: skip
        """A message that belongs to no order: recorded on its session's stream, and answered."""
        return session_notes.refuse(
            turn, self._reference, message, refusal, ref_id=ref_id, msg_type=msg_type, answer=answer, orig_ref_id=orig_ref_id
        )  # fmt: skip

    def _unknown_order(self, turn: Turn, message: Inbound, cl_ord_id: str, orig: str, msg_type: str) -> None:
        refusal = Refusal(Reason.UNKNOWN_ORDER, f"no order of this session today has the ClOrdID {orig}")
        self.refuse(turn, message, refusal, ref_id=cl_ord_id, orig_ref_id=orig, msg_type=msg_type, answer="cancel_reject")

    def _note(self, turn: Turn, message: Inbound, note: str) -> None:
        session_notes.note(turn, self._reference, message, note)

    def _find(self, turn: Turn, session: str, cl_ord_id: str) -> ParentOrder | None:
        trade_date = self._reference.trade_date(turn.now_ns)
        stream = turn.state.used_by(session, trade_date, cl_ord_id)
        parent = turn.state.parents.get(stream) if stream is not None else None
        return parent if isinstance(parent, ParentOrder) else None

    def _used(self, turn: Turn, session: str, cl_ord_id: str) -> bool:
        return turn.state.used_by(session, self._reference.trade_date(turn.now_ns), cl_ord_id) is not None

    def _market_of(self, symbol: str, now_ns: int) -> tuple[Instrument | None, TradingDay | None]:
        instrument = self._reference.instrument(symbol)
        return instrument, self._reference.day(instrument, now_ns) if instrument is not None else None


def _used_before(cl_ord_id: str) -> Refusal:
    return Refusal(Reason.DUPLICATE_CL_ORD_ID, f"ClOrdID {cl_ord_id} was used before in this session today")


def _state_report(turn: Turn, parent: ParentOrder, *, poss_resend: bool = False) -> ParentReport:
    """How an order stands: ExecType I. It executes nothing, so its ExecID is 0."""
    report = reports.report(parent, exec_kind="status", exec_id="0", at_ns=turn.now_ns, seq=0)
    return _copy(report, poss_resend=poss_resend)


def _unknown_report(turn: Turn, session: str, query: OrderStatusQuery | NewOrder) -> ParentReport:
    return ParentReport(
        session=session, event_seq=0, exec_kind="status", ord_status=OrdStatus.REJECTED, exec_id="0", order_id="NONE",
        cl_ord_id=query.cl_ord_id, orig_cl_ord_id="", symbol=query.symbol, side=query.side, quantity_e9=0,
        limit_price_e9=None, last_quantity_e9=0, last_price_e9=0, cum_quantity_e9=0, leaves_quantity_e9=0,
        average_price_e9=0, transact_time_ns=turn.now_ns, text="unknown order", ord_rej_reason=5,
    )  # fmt: skip


def _as_rejection(base: ParentReport, exec_id: str, cl_ord_id: str, refusal: Refusal) -> ParentReport:
    return _copy(base, exec_kind="rejected", exec_id=exec_id, cl_ord_id=cl_ord_id, text=refusal.text, ord_rej_reason=6)


def _copy(report: ParentReport, **changes: object) -> ParentReport:
    return replace(report, **changes)  # type: ignore[arg-type]
