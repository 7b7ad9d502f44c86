"""A venue that does everything FIX allows a venue to do, and keeps its own ledger: the truth about executions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from domain.event import InboundRef
from domain.messages import ExecKind, Inbound, VenueCancelReject, VenueRefusal, VenueReport
from domain.sending import SendChild, SendChildCancel, SendChildReplace, SendStatusQuery
from domain.values import OrdType, TimeInForce
from tests.simulation.changes import Changes
from tests.simulation.fix import Session
from tests.simulation.reference import LOT_E9, VENUE
from tests.simulation.world import MS, S, World

_REF = InboundRef(VENUE, 0, 0)  # the gateway fills it in
ENDS: tuple[ExecKind, ...] = ("canceled", "expired", "done_for_day", "rejected")


@dataclass
class VenueOrder:
    """An order in the venue's book."""

    sent: SendChild
    order_id: str
    cl_ord_id: str  # the last that was accepted
    quantity_e9: int
    status: str = "new"
    cum_e9: int = 0
    open: bool = True
    held: bool = False  # waits for its stop price, or suspended

    @property
    def left_e9(self) -> int:
        return max(0, self.quantity_e9 - self.cum_e9)

    @property
    def carried(self) -> bool:
        return self.sent.time_in_force is TimeInForce.GTC


@dataclass(frozen=True)
class Execution:
    """What traded, as the venue's ledger has it."""

    cl_ord_id: str
    quantity_e9: int
    price_e9: int


class Venue:
    """Takes what the gateway delivers and answers in its own time."""

    def __init__(self, world: World, session: Session) -> None:
        self._world = world
        self._session = session
        self.orders: dict[str, VenueOrder] = {}
        self.by_id: dict[str, VenueOrder] = {}  # by any ClOrdID that it has had
        self.direct: Callable[[str], bool]  # is the order of this ClOrdID a client's own?
        self.changes = Changes(world, self)
        self.refused: set[str] = set()  # never entered the book
        self.executions: dict[str, Execution] = {}
        self.late_e9: Counter[str] = Counter()  # by ClOrdID: what was executed after the order had ended
        self.bogus: list[tuple[str, str, int, int]] = []  # (ExecID, ClOrdID, quantity, price) that must not count
        self._told: list[VenueReport] = []  # what may be repeated
        self._numbers = 0

    # --------------------------------------------------------------------------------------------- in

    def receive(self, message: Any) -> None:
        """One message of the desk's."""
        world = self._world
        delay_ns = world.between(MS, 40 * MS)
        if world.strikes("venue_slow", 0.02):
            delay_ns = world.between(S, 8 * S)
        if isinstance(message, SendChild):
            self._enter(message, delay_ns)
        elif isinstance(message, SendChildCancel):
            world.after(delay_ns, self._cancel, message)
        elif isinstance(message, SendChildReplace):
            world.after(delay_ns, self.changes.replace, message)
        elif isinstance(message, SendStatusQuery):
            self._status(message)

    def _enter(self, message: SendChild, delay_ns: int) -> None:
        world = self._world
        if world.strikes("venue_refuses", 0.01):  # a business reject instead of a report
            self.refused.add(message.cl_ord_id)
            self._refuse(message.cl_ord_id, "D", "the venue is busy")
            return
        order = VenueOrder(message, f"V{len(self.orders) + 1}", message.cl_ord_id, message.quantity_e9)
        order.held = message.ord_type is OrdType.STOP
        self.orders[message.cl_ord_id] = self.by_id[message.cl_ord_id] = order
        if world.strikes("venue_rejects", 0.03):
            order.open, order.status = False, "rejected"
            world.after(delay_ns, self._report, order, "rejected", "not today")
            return
        if world.strikes("ended_unacknowledged", 0.02):
            world.after(delay_ns, self._end, order, self._some_end(order))
            return
        if world.strikes("ack_lost", 0.04):
            world.told("no ack for", message.cl_ord_id)
        elif world.strikes("ack_late", 0.06):
            world.after(world.between(S, 10 * S), self._report, order, "new", "")
        else:
            world.after(delay_ns, self._report, order, "new", "")
        world.after(delay_ns + world.between(MS, 12 * S), self.trade, order)

    # --------------------------------------------------------------------------------------- the book

    def trade(self, order: VenueOrder) -> None:
        """Something happens to a working order."""
        world = self._world
        if not order.open:
            return
        if world.calm and world.flip(0.5):
            if self.direct(order.sent.cl_ord_id):
                self._end(order, self._some_end(order))  # nobody would withdraw it
            return  # in the calm many rest until they are withdrawn
        if world.strikes("unsolicited_end", 0.03):
            self._end(order, self._some_end(order))
            return
        self.changes.happen(order)
        if order.open and not order.held and world.flip(0.75):
            lots = order.left_e9 // LOT_E9
            self.execute(order, (lots if world.flip(0.5) else world.random.randint(1, lots)) * LOT_E9)
        if order.open:
            world.after(world.between(100 * MS, 25 * S), self.trade, order)

    def execute(self, order: VenueOrder, quantity_e9: int, *, late: bool = False) -> None:
        """An execution: in the ledger first, then told."""
        world = self._world
        self._numbers += 1
        exec_id, price_e9 = f"E{self._numbers}", order.sent.limit_price_e9 or LOT_E9
        self.executions[exec_id] = Execution(order.cl_ord_id, quantity_e9, price_e9)
        if late:
            self.late_e9[order.sent.cl_ord_id] += quantity_e9
        order.held = False
        order.cum_e9 += quantity_e9
        if order.left_e9 == 0 and not late:
            order.open, order.status = False, "filled"
        elif order.open and order.status != "stopped":
            order.status = "partially_filled"
        world.told("execution", exec_id, order.sent.cl_ord_id, quantity_e9)
        report = self._of(order, "trade", exec_id, last=(quantity_e9, price_e9))
        self._tell(report)
        if world.strikes("fill_repeated", 0.05):
            world.after(world.between(0, 20 * S), self.repeat, report)
        if world.strikes("execution_wrong", 0.02):
            world.after(world.between(0, 5 * S), self.changes.tell_bogus, order, report)
        if world.strikes("restated", 0.05):
            world.after(world.between(MS, 20 * S), self.changes.restate, order, exec_id)

    def _some_end(self, order: VenueOrder) -> ExecKind:
        """A carried order is not over when it is done for the day."""
        return self._world.random.choice(("canceled", "expired") if order.carried else ENDS)

    def _end(self, order: VenueOrder, status: ExecKind) -> None:
        if not order.open:
            return
        order.open, order.status = False, status
        left_e9 = order.left_e9
        self._report(order, status, "ended by the venue" if status != "canceled" else "")
        if left_e9 and self._world.strikes("late_fill", 0.12 if status == "canceled" else 0.4):
            lots = self._world.random.randint(1, left_e9 // LOT_E9)
            delay_ns = self._world.between(MS, 5 * S)
            self._world.after(delay_ns, lambda: self.execute(order, lots * LOT_E9, late=True))

    # ------------------------------------------------------------------------------------- requests

    def _cancel(self, request: SendChildCancel) -> None:
        world = self._world
        order = self.by_id.get(request.orig_cl_ord_id)
        if world.strikes("cancel_ignored", 0.03):
            return
        if world.strikes("cancel_refused_by_message", 0.02):
            self._refuse(request.cl_ord_id, "F", "not now")
        elif order is None or not order.open:
            self._reject_cancel(request, order)
        elif world.strikes("cancel_refused", 0.03):
            self._send_cancel_reject(request, order, world.random.choice((2, 3, 99)))
        else:
            if world.flip(0.3):
                self._report(order, "pending_cancel", "")
            if world.strikes("fill_crosses_cancel", 0.1):
                self.execute(order, LOT_E9)
            if order.open:
                self._end(order, self._some_end(order) if world.strikes("other_end_crosses_cancel", 0.05) else "canceled")
            else:
                self._reject_cancel(request, order)

    def _reject_cancel(self, request: SendChildCancel, order: VenueOrder | None) -> None:
        if not self._world.strikes("cancel_reject_lost", 0.05):
            self._send_cancel_reject(request, order, 1 if order is None or self._world.flip(0.3) else 0)

    def _send_cancel_reject(self, request: SendChildCancel, order: VenueOrder | None, reason: int) -> None:
        self.send(
            VenueCancelReject(
                ref=_REF,
                cl_ord_id=request.cl_ord_id,
                orig_cl_ord_id=request.orig_cl_ord_id,
                response_to="cancel",
                reason=reason,
                ord_status=order.status if order else "rejected",
            )
        )

    def _status(self, query: SendStatusQuery) -> None:
        if self._world.strikes("status_answer_lost", 0.05):
            return
        order = self.by_id.get(query.cl_ord_id)
        if order is not None:
            self.send(self._of(order, "status", "0"))
            return
        self._world.told("unknown order", query.cl_ord_id)
        self.send(
            VenueReport(
                ref=_REF, cl_ord_id=query.cl_ord_id, orig_cl_ord_id="", order_id="NONE", exec_id="0", exec_kind="status",
                ord_status="rejected", symbol=query.instrument, side=query.side, last_quantity_e9=0, last_price_e9=0,
                cum_quantity_e9=0, leaves_quantity_e9=0, transact_time_ns=self._world.now_ns, unknown_order=True,
            )
        )  # fmt: skip

    def _refuse(self, cl_ord_id: str, msg_type: str, text: str) -> None:
        self.send(VenueRefusal(ref=_REF, ref_cl_ord_id=cl_ord_id, ref_seq_num=0, ref_msg_type=msg_type, text=text))

    # -------------------------------------------------------------------------------------------- out

    def _of(
        self, order: VenueOrder, kind: ExecKind, exec_id: str, *, last: tuple[int, int] = (0, 0), text: str = ""
    ) -> VenueReport:
        return VenueReport(
            ref=_REF,
            cl_ord_id=order.cl_ord_id,
            orig_cl_ord_id="",
            order_id=order.order_id,
            exec_id=exec_id,
            exec_kind=kind,
            ord_status=order.status,
            symbol=order.sent.instrument,
            side=order.sent.side,
            last_quantity_e9=last[0],
            last_price_e9=last[1],
            cum_quantity_e9=order.cum_e9,
            leaves_quantity_e9=order.left_e9 if order.open else 0,
            transact_time_ns=self._world.now_ns,
            text=text,
            quantity_e9=order.quantity_e9,
            working=False if order.held else None,
        )

    def _report(self, order: VenueOrder, kind: ExecKind, text: str) -> None:
        ends = kind in ("canceled", "expired", "done_for_day", "rejected")
        if ends and not self.direct(order.sent.cl_ord_id) and self._world.strikes("end_lost", 0.03):
            return  # of an order that nobody withdraws nobody would ever hear
        self._numbers += 1
        self._tell(self._of(order, kind, f"R{self._numbers}", text=text))

    def tell_of(self, order: VenueOrder, kind: ExecKind, **changes: Any) -> None:
        """A report with something of its own."""
        self._numbers += 1
        exec_id = changes.pop("exec_id", f"R{self._numbers}")
        self._tell(replace(self._of(order, kind, exec_id), **changes))

    def _tell(self, report: VenueReport) -> None:
        self._told.append(report)
        self.send(report)

    def repeat(self, report: VenueReport) -> None:
        self.send(replace(report, poss_resend=True))

    def make_good(self, lost: list[Any]) -> None:
        """After the numbering was reset: what may not have arrived goes again, marked so."""
        for message in lost:
            self.send(replace(message, poss_resend=True))

    def repeat_anything(self) -> None:
        """Any report of the day again, as PossResend."""
        if self._told:
            self.repeat(self._world.random.choice(self._told))

    def send(self, message: Inbound) -> None:
        self._session.inward.send(message)
