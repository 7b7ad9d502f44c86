"""Messages from venues: executions, acknowledgements, refusals, status answers; each fill is counted once, none is lost."""

from __future__ import annotations

from domain import child_order as co
from domain import child_rules
from domain import fill as fl
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.errors import InvariantBroken
from domain.event import Event
from domain.instructions import CARRIED
from domain.messages import EngineRefusal, Inbound, Unreadable, VenueCancelReject, VenueRefusal, VenueReport
from domain.ports import Reference
from domain.refusal import OTHER, Refusal
from domain.values import StreamId
from ems import passing, session_notes
from ems.day import DayDesk
from ems.direct import DirectDesk
from ems.turn import Turn

_ENDED = ("filled", "canceled", "rejected", "expired", "done_for_day")
_MAY_BE_OVER = (0, 1)  # CxlRejReason (102): too late to cancel, unknown order
_DUPLICATE = 6  # CxlRejReason (102): duplicate ClOrdID


class VenueDesk:
    """The desk's side that faces venues."""

    def __init__(self, reference: Reference, direct: DirectDesk, day: DayDesk) -> None:
        self._day = day
        self._reference = reference
        self._direct = direct

    def handle(self, turn: Turn, message: Inbound) -> None:
        """Dispatch one venue message."""
        match message:
            case VenueReport(exec_kind="trade"):
                self._execution(turn, message)
            case VenueReport(exec_kind="trade_cancel" | "trade_correct"):
                self.restated(turn, message)
            case VenueReport():
                self._report(turn, message)
            case VenueCancelReject():
                self._cancel_reject(turn, message)
            case VenueRefusal():
                self._refused(turn, message)
            case Unreadable() | EngineRefusal():
                self._note(turn, message, f"unreadable message from the venue: {_text(message)}")
            case _:
                self._note(turn, message, f"{type(message).__name__} is not for a venue session")

    # -------------------------------------------------------------------------------------------- fills

    def _execution(self, turn: Turn, report: VenueReport) -> None:
        child = self._child(turn, report.cl_ord_id, report.orig_cl_ord_id)
        stream = self._fill_key(turn, report, child)
        state = turn.state.fills.get(stream)
        if _seen(turn, state, report):
            self._note(turn, report, f"execution {report.exec_id} told again")
        elif state is not None:
            self._quarantine(turn, report, "conflict")
        elif report.last_quantity_e9 <= 0 or report.last_price_e9 <= 0:
            self._quarantine(turn, report, "not_positive")
        elif child is None:
            self._quarantine(turn, report, "unknown_order")
        elif report.side is not None and report.side is not child.side:
            self._quarantine(turn, report, "wrong_side")
        else:
            self._fill(turn, report, child)

    def _fill(self, turn: Turn, report: VenueReport, child: ChildOrder) -> None:
        recorded = fl.Recorded(
            venue_session=report.ref.session,
            trade_date=child.trade_date,
            exec_id=report.exec_id,
            cl_ord_id=report.cl_ord_id,
            child=child.id,
            parent=child.parent,
            instrument=child.instrument,
            side=child.side,
            quantity_e9=report.last_quantity_e9,
            price_e9=report.last_price_e9,
            venue_time_ns=report.transact_time_ns,
        )
        self.executed(turn, self._fill_key(turn, report, child), recorded, report.transact_time_ns or turn.now_ns)

    def executed(self, turn: Turn, stream: StreamId, recorded: fl.Recorded, at_ns: int) -> None:
        """What an execution does, whoever says that it is one: the fill, its child and its parent, in one transaction."""
        child = turn.state.children[recorded.child]
        turn.apply(stream, recorded, correlation=child.parent)
        child = self._day.trades(turn, child, at_ns)
        quantity_e9, price_e9 = recorded.quantity_e9, recorded.price_e9
        filled = co.Filled(fill=stream, exec_id=recorded.exec_id, quantity_e9=quantity_e9, price_e9=price_e9)
        if isinstance(refusal := child_rules.decide(child, filled), Refusal):
            raise InvariantBroken(f"fill {recorded.exec_id}: {refusal.text}")
        turn.apply(child.id, filled, correlation=child.parent)
        parent = turn.state.parent(child.parent)
        if parent.direct and self._direct.acknowledges_first(parent):
            self._direct.acknowledge(turn, parent)
        told = po.Filled(child=child.id, fill=stream, quantity_e9=quantity_e9, price_e9=price_e9)
        passing.filled(turn, self._reference, turn.parent(child.parent, told), stream, quantity_e9, price_e9)

    def _fill_key(self, turn: Turn, report: VenueReport, child: ChildOrder | None) -> StreamId:
        return fl.key(report.ref.session, self.execution_date(child, report.transact_time_ns or turn.now_ns), report.exec_id)

    def execution_date(self, child: ChildOrder | None, at_ns: int) -> str:
        """The trade date that an execution's id is unique on: its order's, unless that lives for several days."""
        if child is not None and child.time_in_force not in CARRIED:
            return child.trade_date
        return self._reference.trade_date(at_ns)

    # ------------------------------------------------------------------------------ busts and corrections

    def restated(self, turn: Turn, report: VenueReport) -> None:
        """An execution taken back or corrected: nothing written before changes; the fill, its child and its parent are
        told what is true now, in one transaction. What does not fit the chain of executions is for a person.
        """
        child = self._child(turn, report.cl_ord_id, report.orig_cl_ord_id)
        stream, fill = self._execution_of(turn, report, child)
        bust = report.exec_kind == "trade_cancel"
        if fill is None or fill.child is None:
            self._quarantine(turn, report, "restated")
            return
        child = turn.state.children[fill.child]
        if report.exec_id in fill.exec_ids[1:]:
            self._note(turn, report, f"restatement {report.exec_id} told again")
        elif fill.at_ns <= child.adjusted_ns:
            self._quarantine(turn, report, "restated")  # in the shares of before or of now? A person knows
        elif fill.busted or (not bust and (report.last_quantity_e9 <= 0 or report.last_price_e9 <= 0)):
            self._quarantine(turn, report, "conflict" if fill.busted else "not_positive")
        else:
            self._restate(turn, report, child, stream, fill)

    def _execution_of(self, turn: Turn, report: VenueReport, child: ChildOrder | None) -> tuple[StreamId, fl.Fill | None]:
        """The execution that ExecRefID (19) means: by its own ExecID, or by that of its last correction. Where a person has
        booked several under one ExecID, that of the order; None where that is not one.
        """
        session, ref, fills = report.ref.session, report.exec_ref_id, turn.state.fills
        found = turn.state.corrections.get((session, ref))
        told = self.execution_date(child, report.transact_time_ns or turn.now_ns)
        dates = {told, child.trade_date if child else self._reference.trade_date(turn.now_ns)}
        streams = [found] if found is not None else [fl.key(session, date, ref) for date in sorted(dates)]
        known = next((stream for stream in streams if stream in fills), streams[0])
        fill = fills.get(known)
        if found is not None or fill is None or not fill.also:
            return known, fill
        meant = [one for one in (fill, *(fills[other] for other in fill.also)) if one.child is not None]
        meant = [one for one in meant if child is None or one.child == child.id]
        return (meant[0].id, meant[0]) if len(meant) == 1 else (known, None)

    def _restate(self, turn: Turn, report: VenueReport, child: ChildOrder, stream: StreamId, fill: fl.Fill) -> None:
        bust = report.exec_kind == "trade_cancel"
        now = {
            "kind": "cancel" if bust else "correct",
            "quantity_e9": 0 if bust else report.last_quantity_e9,
            "price_e9": 0 if bust else report.last_price_e9,
        }
        before = {"previous_quantity_e9": fill.quantity_e9, "previous_price_e9": fill.price_e9}
        named = {"exec_id": report.exec_id, "exec_ref_id": report.exec_ref_id}
        restated = fl.Restated.sample(venue_session=report.ref.session, venue_time_ns=report.transact_time_ns, **named, **now)
        turn.apply(stream, restated, correlation=child.parent)
        child = turn.apply(child.id, co.FillRestated.sample(fill=stream, **named, **now, **before), correlation=child.parent)
        told = po.FillRestated.sample(
            child=child.id,
            fill=stream,
            number=len(fill.exec_ids),
            open_e9=child.leaves_e9,
            earlier_day=fill.at_ns < turn.state.parent(child.parent).day_began_ns,
            **now,
            **before,
        )
        passing.restated(turn, self._reference, turn.parent(child.parent, told), stream, told)
        if child.leaves_e9 and report.leaves_quantity_e9 == 0 and report.ord_status in _ENDED:
            self._happen(turn, child, co.Canceled(text="the venue does not work the quantity again"), report)

    def _quarantine(self, turn: Turn, report: VenueReport, reason: str) -> None:
        child = self._child(turn, report.cl_ord_id, report.orig_cl_ord_id)
        stream = self._fill_key(turn, report, child)
        if _seen(turn, turn.state.fills.get(stream), report):
            self._note(turn, report, f"execution {report.exec_id} told again")
            return
        event = fl.Quarantined.sample(
            venue_session=report.ref.session,
            trade_date=child.trade_date if child else self._reference.trade_date(turn.now_ns),
            exec_id=report.exec_id,
            cl_ord_id=report.cl_ord_id,
            quantity_e9=report.last_quantity_e9,
            price_e9=report.last_price_e9,
            reason=reason,
            raw=report.raw,
            order_id=report.order_id,
            instrument=report.symbol,
            side=report.side,
            kind={"trade_cancel": "cancel", "trade_correct": "correct"}.get(report.exec_kind, "trade"),
            exec_ref_id=report.exec_ref_id,
            venue_time_ns=report.transact_time_ns,
        )
        turn.apply(stream, event, correlation=child.parent if child else stream)

    # ------------------------------------------------------------------------------------ other reports

    def _report(self, turn: Turn, report: VenueReport) -> None:
        child = self._child(turn, report.cl_ord_id, report.orig_cl_ord_id)
        if child is None:
            self._note(turn, report, f"report for an order that is not ours: {report.cl_ord_id}")
            return
        event = self._day.gone(turn, child, report) or child_rules.reported(child, report)
        if event is None:
            self._note(turn, report, f"{report.exec_kind} changes nothing for a child that is {child.status}")
        else:
            self._happen(turn, child, event, report)

    def _cancel_reject(self, turn: Turn, reject: VenueCancelReject) -> None:
        child = self._child(turn, reject.cl_ord_id, reject.orig_cl_ord_id)
        if child is None:
            self._note(turn, reject, f"cancel reject for an order that is not ours: {reject.orig_cl_ord_id}")
        elif reject.reason == _DUPLICATE:
            self._note(turn, reject, f"the venue had {reject.cl_ord_id} already: its answer to the first decides")
        elif child.replacing is not None and reject.cl_ord_id == child.replacing.cl_ord_id:
            self._happen(turn, child, co.ReplaceRefused(reason=reject.reason, text=reject.text), reject)
            self._doubt_refusal(turn, child.id, reject.reason, reject.text)
        else:
            self._cancel_refused(turn, child, reject.reason, reject.text, reject)

    def _refused(self, turn: Turn, refusal: VenueRefusal) -> None:
        """A session or business reject: of an order it ends it, of a cancel it refuses the request."""
        child = self._child(turn, refusal.ref_cl_ord_id, "")
        if child is None:
            self._note(turn, refusal, f"the venue refused a {refusal.ref_msg_type or 'message'}: {refusal.text}")
        elif refusal.ref_msg_type == "D":
            self._happen(turn, child, co.Rejected(text=refusal.text), refusal)
        elif refusal.ref_msg_type == "G" and child.replacing is not None and not refusal.poss_resend:  # the first may have left
            self._happen(turn, child, co.ReplaceRefused(reason=OTHER, text=refusal.text), refusal)
        elif refusal.ref_msg_type == "F":
            self._cancel_refused(turn, child, OTHER, refusal.text, refusal)
        else:
            self._note(turn, refusal, f"the venue refused a {refusal.ref_msg_type}: {refusal.text}")

    def _cancel_refused(self, turn: Turn, child: ChildOrder, reason: int, text: str, message: Inbound) -> None:
        if child.canceling:
            self._happen(turn, child, co.CancelRefused(reason=reason, text=text), message)
        else:
            self._note(turn, message, f"a cancel refused that had its answer: {text or reason}")
        self._doubt_refusal(turn, child.id, reason, text)

    def _doubt_refusal(self, turn: Turn, stream: StreamId, reason: int, text: str) -> None:
        """The order may be over at the venue ('too late', 'unknown order') or not: nobody guesses, the venue is asked.
        That also keeps a venue that refuses every cancel of ours from being sent one at every answer; a client's request
        is its own to repeat.
        """
        child = turn.state.children[stream]
        if child.live and (reason in _MAY_BE_OVER or not turn.state.parent(child.parent).direct):
            self.doubt(turn, child, f"request refused: {text or reason}")

    def _happen(self, turn: Turn, child: ChildOrder, event: Event, message: Inbound) -> None:
        """The venue's word on a child, where it can be: on the child, and through a direct one on its parent."""
        decided = child_rules.decide(child, event)
        if isinstance(decided, Refusal):
            self._note(turn, message, decided.text)
            if child.live:  # what cannot be is asked about
                self.doubt(turn, child, decided.text)
            return
        child = turn.apply(child.id, *decided, correlation=child.parent)
        turn.touched[child.parent] = None
        if turn.state.parent(child.parent).direct:
            self._direct.mirror(turn, child, event)

    # ------------------------------------------------------------------------------------------- doubts

    def doubt(self, turn: Turn, child: ChildOrder, reason: str) -> None:
        """The venue owes an answer; the exposure stays reserved until it comes. The scheduler asks."""
        turn.apply(child.id, co.Doubted(reason=reason), correlation=child.parent)
        turn.touched[child.parent] = None

    def _note(self, turn: Turn, message: Inbound, note: str) -> None:
        session_notes.note(turn, self._reference, message, note)

    def _child(self, turn: Turn, *cl_ord_ids: str) -> ChildOrder | None:
        """By any ClOrdID of its chain: a cancel's id is its order's with a suffix."""
        for cl_ord_id in cl_ord_ids:
            stream = turn.state.child_ids.get(cl_ord_id[: co.ROOT_LENGTH])
            if stream is not None:
                return turn.state.children[stream]
        return None


def _seen(turn: Turn, state: fl.Fill | None, report: VenueReport) -> bool:
    """Is this told again, or as a person has booked it?"""
    words = (report.cl_ord_id, report.last_quantity_e9, report.last_price_e9, report.side)
    booked = state.also if state is not None else ()
    return fl.seen(state, *words) or any(fl.seen(turn.state.fills[other], *words) for other in booked)


def _text(message: Unreadable | EngineRefusal) -> str:
    return message.refusal.text if isinstance(message, Unreadable) else message.text
