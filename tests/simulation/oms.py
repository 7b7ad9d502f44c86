"""An OMS: sends good and bad orders, cancels, replaces, asks, repeats itself; and keeps a ledger of what it was told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from domain.event import InboundRef
from domain.messages import CancelOrder, Inbound, NewOrder, OrderStatusQuery, ReplaceOrder, Unreadable
from domain.order_life import HELD, TERMINAL
from domain.refusal import Reason, Refusal
from domain.sending import CancelReject, MessageReject, Outbound, ParentReport, SendNews
from domain.values import TimeInForce
from tests.simulation import making
from tests.simulation.fix import Session
from tests.simulation.reference import LOT_E9
from tests.simulation.world import Violation, World

_ENDED = frozenset(status.value for status in TERMINAL)
ANSWERS = ("canceled", "replaced")  # of ExecType: what ends a request that was granted


@dataclass
class OmsOrder:
    """One order as the OMS knows it: only from what it was told."""

    first: NewOrder
    ids: list[str]  # its chain: the last one accepted is the current one
    answer: str = ""  # new or rejected
    status: str = ""
    quantity_e9: int = 0
    fills: dict[str, tuple[int, int]] = field(default_factory=dict)  # ExecID -> quantity, price
    cum_e9: int = 0
    order_id: str = ""
    direct: bool = False

    @property
    def carried(self) -> bool:
        return self.first.time_in_force is TimeInForce.GTC


class Oms:
    """One client session's other end."""

    def __init__(self, world: World, session: Session) -> None:
        self._world = world
        self._session = session
        self.name = session.name
        self.orders: dict[str, OmsOrder] = {}  # by the first ClOrdID
        self.by_id: dict[str, OmsOrder] = {}  # by any ClOrdID that named it
        self.requests: dict[str, str] = {}  # ClOrdID of a cancel or replace -> its final answer, "" while it waits
        self.reports: dict[str, ParentReport] = {}  # by ExecID
        self.refused = 0
        self.sent: list[Inbound] = []
        self._numbers = 0

    # -------------------------------------------------------------------------------------------- out

    def act(self) -> None:
        """Do one thing."""
        roll = self._world.random.random()
        if roll < 0.40 or not self.orders:
            self._order()
        elif roll < 0.52:
            self._cancel()
        elif roll < 0.70:
            self._replace()
        elif roll < 0.78:
            self._ask()
        elif roll < 0.88:
            self._repeat()
        else:
            self._nonsense()

    def last_act(self) -> None:
        """Before the calm: cancel something that still works."""
        if live := [order for order in self.orders.values() if order.status and order.status not in _ENDED]:
            self._cancel(self._world.random.choice(live))

    def send(self, message: Inbound) -> None:
        """On the wire, or as soon as the session is up."""
        self._world.told(self.name, "sends", type(message).__name__, getattr(message, "cl_ord_id", ""))
        self.sent.append(message)
        self._session.inward.send(message)

    def make_good(self, lost: list[Any]) -> None:
        """After the OMS has reset the numbering: what may not have arrived goes again, marked so."""
        for message in lost:
            self._session.inward.send(replace(message, poss_resend=True))

    def _id(self) -> str:
        self._numbers += 1
        return f"{self._numbers:04d}"  # both clients count alike: ids are a session's own

    def _order(self) -> None:
        if len(self.orders) == 4:
            return
        direct = self._world.flip(0.35)
        order = making.good(self._world, self.name, self._id(), direct=direct)
        if self._world.flip(0.2):
            order = making.spoiled(self._world, order)
        self.orders[order.cl_ord_id] = self.by_id[order.cl_ord_id] = OmsOrder(order, [order.cl_ord_id], direct=direct)
        self.send(order)
        if self._world.flip(0.15):
            self._replace(self.orders[order.cl_ord_id])

    def _some_order(self) -> OmsOrder:
        return self._world.random.choice(list(self.orders.values()))

    def _request_id(self, order: OmsOrder) -> str:
        if order.answer == "new" and self._world.flip(0.2):
            return self._world.random.choice(list(self.orders))  # used before: must be refused
        return self._id()

    def _cancel(self, order: OmsOrder | None = None) -> None:
        order = order or self._some_order()
        cl_ord_id = self._request_id(order)
        orig = order.ids[-1] if cl_ord_id in self.by_id or self._world.flip(0.95) else "9999"
        self._requested(cl_ord_id, order)
        self.send(CancelOrder(ref=InboundRef(self.name, 0, 0), cl_ord_id=cl_ord_id, orig_cl_ord_id=orig))
        if cl_ord_id in self.orders and self._world.flip(0.5):
            self._cancel(self.orders[cl_ord_id])  # the order whose id was used a second time

    def _replace(self, order: OmsOrder | None = None) -> None:
        order = order or self._some_order()
        cl_ord_id = self._request_id(order)
        new = making.good(self._world, self.name, cl_ord_id, direct=order.direct)
        if self._world.flip(0.1):
            new = making.spoiled(self._world, new)
        if order.direct:
            new = replace(new, time_in_force=order.first.time_in_force)
        low = max(1, order.cum_e9 // LOT_E9 - 2)
        span = 3 if self._world.flip(0.3) else 40  # about what is filled, or anything
        new = replace(new, side=order.first.side, symbol=order.first.symbol)
        values = {name: getattr(new, name) for name in NewOrder.__dataclass_fields__}
        if values["quantity_e9"] > 0 and values["quantity_e9"] % LOT_E9 == 0:
            values["quantity_e9"] = self._world.random.randint(low, low + span) * LOT_E9
        self._requested(cl_ord_id, order)
        request = ReplaceOrder(**values, orig_cl_ord_id=order.ids[-1])
        self.send(request)
        if self._world.flip(0.15):
            self._cancel(order)  # has second thoughts before the answer comes

    def _requested(self, cl_ord_id: str, order: OmsOrder) -> None:
        if cl_ord_id not in self.by_id:
            self.requests[cl_ord_id] = ""
            self.by_id[cl_ord_id] = order

    def _ask(self) -> None:
        order = self._some_order()
        self.send(OrderStatusQuery(ref=InboundRef(self.name, 0, 0), cl_ord_id=order.ids[-1]))

    def _repeat(self) -> None:
        if self.sent:
            message = self._world.random.choice(self.sent)
            if not isinstance(message, Unreadable):
                self._world.used["oms_repeats"] += 1
                self._session.inward.send(replace(message, poss_resend=True))

    def _nonsense(self) -> None:
        if self._world.flip(0.5):
            refusal = Refusal(Reason.UNSUPPORTED_MESSAGE, "35=E is not spoken here")
            self.send(Unreadable(ref=InboundRef(self.name, 0, 0), msg_type="E", ref_id="", refusal=refusal))
        else:
            self.send(making.good(self._world, self.name, self._some_order().first.cl_ord_id))  # a ClOrdID that was used before

    # --------------------------------------------------------------------------------------------- in

    def receive(self, message: Outbound) -> None:
        """One message of the desk's."""
        if isinstance(message, MessageReject):
            self.refused += 1
        elif isinstance(message, CancelReject):
            self._rejected(message)
        elif isinstance(message, ParentReport):
            self._report(message)
        elif isinstance(message, SendNews):
            self._world.used["news"] += 1
        else:
            raise Violation(f"{self.name} was sent a {type(message).__name__}")

    def _rejected(self, reject: CancelReject) -> None:
        if reject.response_to == "cancel" and not self._may_refuse(reject):
            raise Violation(f"{self.name}: cancel {reject.cl_ord_id} was blocked: {reject.cxl_rej_reason} {reject.text}")
        if reject.cl_ord_id in self.requests and reject.cxl_rej_reason != 6:
            if not self.requests[reject.cl_ord_id] and (order := self.by_id.get(reject.orig_cl_ord_id)) is not None:
                order.status = reject.ord_status  # an order that filled while the request was pending is told to be so here
            self._answered(reject.cl_ord_id, f"rejected {reject.cxl_rej_reason}")

    def _may_refuse(self, reject: CancelReject) -> bool:
        """A cancel is refused only of an order that is over, unknown, or being canceled, and under an id used before."""
        order = self.by_id.get(reject.cl_ord_id)
        if order is not None and order.direct:
            return True  # its venue's word
        if reject.cxl_rej_reason == 0:
            return reject.ord_status in TERMINAL
        return reject.cxl_rej_reason in (1, 6) or (reject.cxl_rej_reason == 3 and reject.ord_status == "pending_cancel")

    def _answered(self, cl_ord_id: str, answer: str) -> None:
        before = self.requests[cl_ord_id]
        if before not in ("", answer):
            raise Violation(f"{self.name}: request {cl_ord_id} was answered {before}, then {answer}")
        self.requests[cl_ord_id] = answer

    def _report(self, report: ParentReport) -> None:
        if report.exec_id == "0":
            return
        plain = replace(report, poss_resend=False)
        known = self.reports.setdefault(report.exec_id, plain)
        if known is not plain:
            if known != plain:
                raise Violation(f"{self.name}: ExecID {report.exec_id} came with two contents")
            return
        if report.exec_kind == "rejected" and report.ord_rej_reason == 6:
            return  # a ClOrdID used twice: nothing of the order that has it changes
        order = self.by_id.get(report.cl_ord_id)
        if order is None:
            raise Violation(f"{self.name}: a report for {report.cl_ord_id}, which it never sent")
        self._account(order, report)

    def _account(self, order: OmsOrder, report: ParentReport) -> None:
        """A report that is new: it must fit what was told before."""
        where = f"{self.name} {report.cl_ord_id} {report.exec_kind}"
        if report.exec_kind in ("new", "rejected"):
            late = order.direct and order.answer == "new" and report.exec_kind == "rejected"
            resumed = order.status in HELD and report.exec_kind == "new"  # also by an acknowledgement that came late
            if order.answer and not (late or resumed):
                raise Violation(f"{where}: the order was answered {order.answer} before")
            order.answer, order.order_id = report.exec_kind, report.order_id
        if not order.answer:  # canceled before the venue had taken it
            order.order_id = order.order_id or report.order_id
            order.answer = "canceled" if report.exec_kind == "canceled" else ""
        if report.order_id != order.order_id or report.symbol != order.first.symbol:
            raise Violation(f"{where}: a report about another order, {report.order_id} {report.symbol}")
        if report.exec_kind == "trade":
            order.fills[report.exec_id] = (report.last_quantity_e9, report.last_price_e9)
            order.cum_e9 += report.last_quantity_e9
        elif report.exec_kind in ("trade_cancel", "trade_correct"):
            if report.exec_ref_id not in order.fills:
                raise Violation(f"{where}: it restates {report.exec_ref_id}, which nobody told")
            order.cum_e9 += report.last_quantity_e9 - order.fills.pop(report.exec_ref_id)[0]
            order.fills[report.exec_id] = (report.last_quantity_e9, report.last_price_e9)
        if report.cum_quantity_e9 != order.cum_e9:
            raise Violation(f"{where}: CumQty {report.cum_quantity_e9}, but {order.cum_e9} was reported")
        over = report.ord_status in TERMINAL and not (report.ord_status == "done_for_day" and order.carried)
        leaves_e9 = 0 if over else max(0, report.quantity_e9 - report.cum_quantity_e9)
        if report.leaves_quantity_e9 != leaves_e9:
            raise Violation(f"{where}: LeavesQty {report.leaves_quantity_e9}, not {leaves_e9}")
        asked = report.exec_kind in ANSWERS and report.orig_cl_ord_id  # an end that nobody asked for names no request
        if asked and report.cl_ord_id in self.requests:
            self._answered(report.cl_ord_id, report.exec_kind)
            order.ids.append(report.cl_ord_id)
        order.status, order.quantity_e9 = report.ord_status.value, report.quantity_e9

    # ------------------------------------------------------------------------------------------ the end

    def open_ends(self) -> list[str]:
        """What has not been answered yet, or has not ended."""
        ends = [f"{self.name} order {key} has no answer" for key, order in self.orders.items() if not order.answer]
        ends += [f"{self.name} request {key} has no answer" for key, answer in self.requests.items() if not answer]
        return ends + [f"{self.name} order {key} is {o.status}" for key, o in self.orders.items() if o.status not in _ENDED]

    def unanswered(self) -> list[str]:
        """Cancels and replaces that still wait."""
        return [f"{self.name} request {key}" for key, answer in self.requests.items() if not answer]
