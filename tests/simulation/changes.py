"""What a venue changes about orders it has: replaces, holds, next days, busts and corrections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.event import InboundRef
from domain.messages import VenueCancelReject, VenueReport
from domain.sending import SendChildReplace
from domain.values import Side
from tests.simulation.reference import LOT_E9, TICK_E9, VENUE
from tests.simulation.world import MS, S, Violation, World

if TYPE_CHECKING:
    from tests.simulation.venue import Venue, VenueOrder

_REF = InboundRef(VENUE, 0, 0)


class Restatement(NamedTuple):
    """What became of an execution, as the venue's ledger has it."""

    of: str  # ExecID of the execution
    quantity_e9: int
    price_e9: int


class Changes:
    """The part of the venue that is not about trading."""

    def __init__(self, world: World, venue: Venue) -> None:
        self._world = world
        self._venue = venue
        self.restatements: dict[str, Restatement] = {}  # by the ExecID of the bust or correction, in order
        self._last: dict[str, str] = {}  # execution -> ExecID that it is known by now
        self._sent: set[str] = set()  # ClOrdIDs of replaces, as they came first
        self._seen: set[str] = set()  # those that were looked at
        self._numbers = 0

    def now_e9(self, exec_id: str) -> int:
        """How much of an execution holds."""
        last = self._last.get(exec_id, exec_id)
        return self.restatements[last].quantity_e9 if last in self.restatements else self._venue.executions[exec_id].quantity_e9

    # ---------------------------------------------------------------------------------------- replaces

    def replace(self, request: SendChildReplace) -> None:
        """35=G: taken, refused, overtaken by a fill, or never answered."""
        world, venue = self._world, self._venue
        if not request.poss_resend and request.cl_ord_id in self._sent:
            raise Violation(f"replace {request.cl_ord_id} reached the venue twice")
        if not request.poss_resend:
            self._sent.add(request.cl_ord_id)
        if request.cl_ord_id in self._seen:
            return  # its answer is on its way, or has been given
        order = venue.by_id.get(request.orig_cl_ord_id)
        if world.strikes("replace_ignored", 0.05):
            return
        self._seen.add(request.cl_ord_id)
        if order is None or not self._may(order, request) or world.strikes("replace_refused", 0.1):
            self._refuse(request, order)
            return
        if world.flip(0.5):
            venue.tell_of(order, "pending_replace", cl_ord_id=request.cl_ord_id)
        if order.open and order.left_e9 and not order.held and world.strikes("fill_crosses_replace", 0.2):
            venue.execute(order, LOT_E9)
        if not self._may(order, request):
            self._refuse(request, order)
            return
        world.after(world.between(0, 3 * S) if world.flip(0.3) else 0, self._take, order, request)

    def _may(self, order: VenueOrder, request: SendChildReplace) -> bool:
        more = order.status == "filled" and request.quantity_e9 > order.quantity_e9
        return request.orig_cl_ord_id == order.cl_ord_id and (order.open or more)

    def _take(self, order: VenueOrder, request: SendChildReplace) -> None:
        if not self._may(order, request):
            self._refuse(request, order)
            return
        order.quantity_e9 = max(request.quantity_e9, order.cum_e9)
        order.sent = replace(order.sent, limit_price_e9=request.limit_price_e9, ord_type=request.ord_type)
        order.cl_ord_id = request.cl_ord_id
        self._venue.by_id[request.cl_ord_id] = order
        order.held = False
        reopened = not order.open and order.left_e9 > 0
        order.open = order.left_e9 > 0
        order.status = "filled" if not order.open else "partially_filled" if order.cum_e9 else "new"
        self._venue.tell_of(order, "replaced")
        if reopened:
            self._world.after(self._world.between(MS, 12 * S), self._venue.trade, order)

    def _refuse(self, request: SendChildReplace, order: VenueOrder | None) -> None:
        self._venue.send(
            VenueCancelReject(
                ref=_REF,
                cl_ord_id=request.cl_ord_id,
                orig_cl_ord_id=request.orig_cl_ord_id,
                response_to="replace",
                reason=1 if order is None else 99 if order.open else 0,
                ord_status=order.status if order else "rejected",
            )
        )

    # ------------------------------------------------------------------------------- holds, next days

    def happen(self, order: VenueOrder) -> None:
        """Something that is no trade happens to a working order of a client's own."""
        world, venue = self._world, self._venue
        if not venue.direct(order.sent.cl_ord_id):
            return
        if order.held and world.flip(0.6):
            order.held = False
            order.status = "partially_filled" if order.cum_e9 else "new"
            venue.tell_of(order, "triggered")
        elif world.strikes("stopped", 0.05):
            order.status = "stopped"
            venue.tell_of(order, "stopped")
        elif world.strikes("suspended", 0.05):
            order.status, order.held = "suspended", True
            venue.tell_of(order, "suspended")
        elif order.carried and world.strikes("next_day", 0.3):
            order.status = "done_for_day"
            venue.tell_of(order, "done_for_day")
            if world.flip(0.7):
                order.status = "partially_filled" if order.cum_e9 else "new"
                venue.tell_of(order, "restated", restatement_reason=1)

    # --------------------------------------------------------------------------- busts and corrections

    def restate(self, order: VenueOrder, exec_id: str) -> None:
        """An execution is taken back or corrected, also a second time, also after the order has ended."""
        world, venue = self._world, self._venue
        known_as, before_e9 = self._last.get(exec_id, exec_id), self.now_e9(exec_id)
        if before_e9 == 0:
            return
        bust = world.flip(0.5)
        quantity_e9 = 0 if bust else max(LOT_E9, before_e9 - LOT_E9 * world.random.randint(0, 2))
        self._numbers += 1
        new_id = f"C{self._numbers}"
        price_e9 = 0 if bust else venue.executions[exec_id].price_e9 + TICK_E9
        self.restatements[new_id] = Restatement(exec_id, quantity_e9, price_e9)
        self._last[exec_id] = new_id
        order.cum_e9 += quantity_e9 - before_e9
        if order.status in ("filled", "partially_filled", "new"):
            order.open = order.left_e9 > 0
            order.status = "filled" if not order.open else "partially_filled" if order.cum_e9 else "new"
            if order.open:
                world.after(world.between(MS, 12 * S), venue.trade, order)
        world.told("restates", exec_id, "as", new_id, quantity_e9)
        venue.tell_of(
            order, "trade_cancel" if bust else "trade_correct", exec_id=new_id, exec_ref_id=known_as,
            last_quantity_e9=quantity_e9, last_price_e9=price_e9,
        )  # fmt: skip
        if world.strikes("restated_again", 0.3):
            world.after(world.between(MS, 20 * S), self.restate, order, exec_id)

    # ------------------------------------------------------------------------------------- bad venues

    def tell_bogus(self, order: VenueOrder, report: VenueReport) -> None:
        """An execution that is none: another content under a known id, an unknown order, the wrong side, nothing, a bust."""
        kind = self._world.random.choice(("conflict", "unknown_order", "wrong_side", "not_positive", "restated"))
        self._world.used[f"execution_wrong:{kind}"] += 1
        self._numbers += 1
        changes: dict[str, Any] = {"exec_id": f"B{self._numbers}"}
        if kind == "conflict":
            changes = {"last_quantity_e9": report.last_quantity_e9 + LOT_E9}
        elif kind == "unknown_order":
            changes["cl_ord_id"] = f"FOREIGN{self._numbers:09d}"
        elif kind == "wrong_side":
            changes["side"] = Side.SELL if order.sent.side is Side.BUY else Side.BUY
        elif kind == "not_positive":
            changes["last_quantity_e9"] = 0
        else:
            changes["exec_kind"] = "trade_cancel"
        told = replace(report, **changes)
        self._venue.bogus.append((told.exec_id, told.cl_ord_id, told.last_quantity_e9, told.last_price_e9))
        self._venue.send(told)
        if self._world.flip(0.3):
            self._venue.repeat(told)
