"""Messages from venues: executions, acknowledgements, refusals, status answers; each fill is counted once, none is lost."""

from __future__ import annotations

from uuid import UUID

from domain import child_order as co
from domain import fill as fl
from domain import fix_session as fs
from domain import parent_order as po
from domain import parent_rules
from domain.child_order import ChildOrder
from domain.errors import InvariantBroken
from domain.event import Event
from domain.messages import EngineRefusal, Inbound, Unreadable, VenueCancelReject, VenueRefusal, VenueReport
from domain.ports import Reference
from domain.refusal import Refusal
from ems.turn import Turn

ROOT_LENGTH = 16  # of a child's ClOrdID; what follows numbers its cancels


class VenueDesk:
    """The desk's side that faces venues."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def handle(self, turn: Turn, message: Inbound) -> None:
        """Dispatch one venue message."""
        match message:
            case VenueReport(exec_kind="trade"):
                self._execution(turn, message)
            case VenueReport(exec_kind="trade_cancel" | "trade_correct"):
                self._quarantine(turn, message, "restated")
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
        if fl.seen(state, report.cl_ord_id, report.last_quantity_e9, report.last_price_e9):
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
        """One execution: the fill, its child and its parent, in one transaction."""
        stream = self._fill_key(turn, report, child)
        turn.apply(
            stream,
            fl.Recorded(
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
            ),
            correlation=child.parent,
        )
        filled = co.Filled(
            fill=stream, exec_id=report.exec_id, quantity_e9=report.last_quantity_e9, price_e9=report.last_price_e9
        )
        if isinstance(refusal := co.decide(child, filled), Refusal):
            raise InvariantBroken(f"fill {report.exec_id}: {refusal.text}")
        turn.apply(child.id, filled, correlation=child.parent)
        pending = turn.state.parent(child.parent).pending
        parent: po.ParentOrder = turn.parent(
            child.parent,
            po.Filled(child=child.id, fill=stream, quantity_e9=report.last_quantity_e9, price_e9=report.last_price_e9),
        )
        if pending is not None and parent.pending is None:
            turn.parent(child.parent, parent_rules.overtaken(parent, pending))

    def _fill_key(self, turn: Turn, report: VenueReport, child: ChildOrder | None) -> UUID:
        trade_date = child.trade_date if child is not None else self._reference.trade_date(turn.now_ns)
        return fl.key(report.ref.session, trade_date, report.exec_id)

    def _quarantine(self, turn: Turn, report: VenueReport, reason: str) -> None:
        child = self._child(turn, report.cl_ord_id, report.orig_cl_ord_id)
        stream = self._fill_key(turn, report, child)
        if fl.seen(turn.state.fills.get(stream), report.cl_ord_id, report.last_quantity_e9, report.last_price_e9):
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
        )
        turn.apply(stream, event, correlation=child.parent if child else stream)

    # ------------------------------------------------------------------------------------ other reports

    def _report(self, turn: Turn, report: VenueReport) -> None:
        child = self._child(turn, report.cl_ord_id, report.orig_cl_ord_id)
        if child is None:
            self._note(turn, report, f"report for an order that is not ours: {report.cl_ord_id}")
            return
        event = co.reported(child, report)
        if event is None:
            self._note(turn, report, f"{report.exec_kind} changes nothing for a child that is {child.status}")
        else:
            self._happen(turn, child, event, report)

    def _cancel_reject(self, turn: Turn, reject: VenueCancelReject) -> None:
        child = self._child(turn, reject.cl_ord_id, reject.orig_cl_ord_id)
        if child is None:
            self._note(turn, reject, f"cancel reject for an order that is not ours: {reject.orig_cl_ord_id}")
            return
        self._request_refused(turn, child, reject.reason, reject.text, reject)

    def _refused(self, turn: Turn, refusal: VenueRefusal) -> None:
        """A session or business reject: of an order it ends it, of a cancel it refuses the request."""
        child = self._child(turn, refusal.ref_cl_ord_id, "")
        if child is None:
            self._note(turn, refusal, f"the venue refused a {refusal.ref_msg_type or 'message'}: {refusal.text}")
        elif refusal.ref_msg_type == "D":
            self._happen(turn, child, co.Rejected(text=refusal.text), refusal)
        elif refusal.ref_msg_type in ("F", "G"):
            self._request_refused(turn, child, 99, refusal.text, refusal)
        else:
            self._note(turn, refusal, f"the venue refused a {refusal.ref_msg_type}: {refusal.text}")

    def _request_refused(self, turn: Turn, child: ChildOrder, reason: int, text: str, message: Inbound) -> None:
        """The order may be over at the venue ('too late', 'unknown order') or not: nobody guesses, the venue is asked.
        That also keeps a venue that refuses every cancel from being sent one at every answer.
        """
        self._happen(turn, child, co.CancelRefused(reason=reason, text=text), message)
        child = turn.state.children[child.id]
        if child.live:
            self.doubt(turn, child, f"cancel refused: {text or reason}")

    def _happen(self, turn: Turn, child: ChildOrder, event: Event, message: Inbound) -> None:
        decided = co.decide(child, event)
        if isinstance(decided, Refusal):
            self._note(turn, message, decided.text)
            return
        turn.apply(child.id, *decided, correlation=child.parent)
        turn.touched[child.parent] = None

    # ------------------------------------------------------------------------------------------- doubts

    def doubt(self, turn: Turn, child: ChildOrder, reason: str) -> None:
        """The venue owes an answer; the exposure stays reserved until it comes. The scheduler asks."""
        turn.apply(child.id, co.Doubted(reason=reason), correlation=child.parent)
        turn.touched[child.parent] = None

    def _note(self, turn: Turn, message: Inbound, note: str) -> None:
        stream = fs.key(message.ref.session, self._reference.trade_date(turn.now_ns))
        turn.apply(stream, fs.MessageNoted(session=message.ref.session, note=note, raw=message.raw), correlation=stream)

    def _child(self, turn: Turn, *cl_ord_ids: str) -> ChildOrder | None:
        """By any ClOrdID of its chain: a cancel's id is its order's with a suffix."""
        for cl_ord_id in cl_ord_ids:
            stream = turn.state.child_ids.get(cl_ord_id[:ROOT_LENGTH])
            if stream is not None:
                return turn.state.children[stream]
        return None


def _text(message: Unreadable | EngineRefusal) -> str:
    return message.refusal.text if isinstance(message, Unreadable) else message.text
