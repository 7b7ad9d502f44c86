"""Requests of a client about many of its orders: cancel them, tell how they stand.

FIX leaves open which ids the reports of a mass cancel's orders carry. Here each has its order's own ClOrdID (11) and no
OrigClOrdID (41), as an unsolicited report has, because the request named no order and its own id may not become that of
many; the request's id stands in its answer (35=r) alone, which lists the orders. What a venue refuses is told by a 35=9
with the order's own ClOrdID in both fields.
"""

from __future__ import annotations

from dataclasses import replace

from domain import mass, parent_rules
from domain.list_messages import MassCancel, MassStatusQuery
from domain.mass import Affected, Selection
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import OTHER, Refusal
from domain.sending import MassStatusPart, ParentReport
from ems import list_reports, reports
from ems.session_notes import note
from ems.turn import Turn

_UNKNOWN_ORDER = 5  # OrdRejReason (103)


class MassDesk:
    """Pure but for what it is given."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def handle(self, turn: Turn, message: MassCancel | MassStatusQuery) -> None:
        """Dispatch one message about many orders."""
        if isinstance(message, MassCancel):
            self._cancel(turn, message)
        else:
            self._status(turn, message)

    def _cancel(self, turn: Turn, request: MassCancel) -> None:
        """Written with the orders it takes, then each of them is canceled as for a request of its own. Orders that have
        ended or are being canceled are not affected. It may come twice: what is left is canceled again.
        """
        session, trade_date = request.ref.session, self._reference.trade_date(turn.now_ns)
        stream = mass.key(session, trade_date, request.cl_ord_id)
        known = turn.state.mass_cancels.get(stream)
        if known is not None and (request.poss_resend or request.poss_dup):
            note(turn, self._reference, request, "repeated mass cancel, answered again")
            turn.extra.append(list_reports.mass_cancel_report(known, at_ns=turn.now_ns, seq=0, poss_resend=True))
            return
        asked = {
            "client_session": session,
            "trade_date": trade_date,
            "cl_ord_id": request.cl_ord_id,
            "scope": request.scope,
            "selection": request.selection,
        }
        refusal = request.refusal or self._refusal(turn, request)
        if refusal is not None:
            turn.apply(stream, mass.Refused.sample(**asked, reason=refusal.reason, text=refusal.text), correlation=stream)
            return
        text = f"canceled by the mass cancel {request.cl_ord_id}"
        chosen = self._chosen(turn, session, request.selection)
        taken = [(order, events) for order in chosen if (events := parent_rules.withdraw(order, text=text))]
        orders = tuple(Affected(cl_ord_id=order.cl_ord_id, order_id=order.order_id) for order, _ in taken)
        turn.apply(stream, mass.Taken.sample(**asked, orders=orders, text=request.text), correlation=stream)
        for order, events in taken:
            turn.parent(order.id, *events)

    def _status(self, turn: Turn, query: MassStatusQuery) -> None:
        """One report for every live order that matches, or one that says that there is none."""
        note(turn, self._reference, query, "mass status query")
        refusal = query.refusal or self._refusal(turn, query)
        orders = [] if refusal is not None else self._chosen(turn, query.ref.session, query.selection)
        for number, order in enumerate(orders, 1):
            part = MassStatusPart(query.request_id, len(orders), number == len(orders))
            report = reports.report(order, exec_kind="status", exec_id="0", at_ns=turn.now_ns, seq=0)
            turn.extra.append(replace(report, mass_status=part))
        if not orders:
            turn.extra.append(_nothing(turn, query, refusal))

    def _refusal(self, turn: Turn, request: MassCancel | MassStatusQuery) -> Refusal | None:
        symbol = request.selection.symbol
        known = self._reference.instrument(symbol) is not None
        if symbol and not known:  # an order outlives its instrument's entry: it can be canceled all the same
            known = bool(self._chosen(turn, request.ref.session, Selection(symbol=symbol)))
        return mass.refusal(request.scope, request.selection, symbol_known=known)

    def _chosen(self, turn: Turn, session: str, selection: Selection) -> list[ParentOrder]:
        """Of the orders that are not finished: a live one never is."""
        working = (turn.state.parents[stream] for stream in turn.state.working)
        return list(mass.chosen(working, session, selection))


def _nothing(turn: Turn, query: MassStatusQuery, refusal: Refusal | None) -> ParentReport:
    return ParentReport(
        session=query.ref.session, event_seq=0, exec_kind="status", ord_status=OrdStatus.REJECTED, exec_id="0", order_id="NONE",
        cl_ord_id="", orig_cl_ord_id="", symbol=query.selection.symbol, side=query.selection.side, quantity_e9=0,
        limit_price_e9=None, last_quantity_e9=0, last_price_e9=0, cum_quantity_e9=0, leaves_quantity_e9=0,
        average_price_e9=0, transact_time_ns=turn.now_ns, account=query.selection.account,
        text=refusal.text if refusal is not None else "no order matches",
        ord_rej_reason=_UNKNOWN_ORDER if refusal is None else OTHER,
        mass_status=MassStatusPart(query.request_id, 0, True),
    )  # fmt: skip
