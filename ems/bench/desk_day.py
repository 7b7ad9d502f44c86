"""A real desk and a real simulated venue in one process, on one clock by hand: what was sent arrives at the next step.

No sockets, no engine: the desk's messages become the venue's requests and the venue's reports the desk's, field by field. The
log is in memory, planners run in place. Everything follows from the market's source and the orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from adapters.fix.vocabulary import EXEC_KIND_OF, ORD_STATUS_OF
from adapters.memory.event_log import MemoryEventLog
from adapters.memory.latch import MemoryLatch
from domain import ports_venue as pv
from domain.basket import BasketRequest
from domain.catalogue import TOPICS
from domain.child_order import ChildOrder
from domain.errors import InvariantBroken
from domain.event import InboundRef
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.messages import (
    Inbound,
    Input,
    LinkUp,
    MarketUpdate,
    NewOrder,
    PlanReady,
    SessionChange,
    Timer,
    VenueCancelReject,
    VenueReport,
)  # fmt: skip
from domain.parent_order import ParentOrder
from domain.ports_market import Market, VenueTif
from domain.schedule import PlanRequest, VolumeCurve
from domain.sending import Outbound, SendChild, SendChildCancel, SendStatusQuery
from domain.trading_day import TradingDay
from domain.values import E9, OrdType, Side, TimeInForce
from ems.desk import Desk
from ems.desk_ports import DeskPorts
from ems.pace import Pace
from ems.venue import Venue
from ems.venue_ledger import Ledger
from models.planners import planner_for

OMS, VENUE = "OMS", "VENUE"
_TIF: Final = {
    TimeInForce.DAY: VenueTif.DAY, TimeInForce.GTC: VenueTif.GTC, TimeInForce.IOC: VenueTif.IOC, TimeInForce.FOK: VenueTif.FOK,
    TimeInForce.GTD: VenueTif.GTD, TimeInForce.AT_THE_OPENING: VenueTif.AT_OPEN, TimeInForce.AT_THE_CLOSE: VenueTif.AT_CLOSE,
}  # fmt: skip


class DeskDay:
    """One desk, one venue with one market.

    Args:
        day: the calendar's, on which the desk's orders are.
        now_ns: when it begins.
        home: where the venue's ledger is written.
    """

    def __init__(
        self, market: Market, instrument: Instrument, day: TradingDay, *, now_ns: int, home: Path, pace: Pace | None = None
    ) -> None:
        self.ns = now_ns
        self.inputs: list[Input] = []
        self.sent: list[Outbound] = []
        self._market, self._instrument, self._day = market, instrument, day
        self._tick_e9 = instrument.tick_e9(E9, day.trade_date)
        self._numbers: dict[str, int] = {}
        self._seen: tuple[int, ...] = ()
        listing = pv.Listing(instrument.symbol, self._tick_e9, instrument.lot_e9)
        self.venue = Venue("SIM", {listing.symbol: listing}, {listing.symbol: market}, self, Ledger(home), start_ns=now_ns)
        self.log = MemoryEventLog(TOPICS, self)
        ports = DeskPorts(self.log, self, self, self, self, latch=MemoryLatch())
        self.desk = Desk(
            ports, name="desk", build="bench", venue_sessions={VENUE}, pace=pace or Pace(), client_sessions={OMS}
        )  # fmt: skip

    async def open(self) -> None:
        """Everybody is there."""
        self.venue.start(_Front(self))
        await self.desk.start()
        roles: dict[str, Any] = {OMS: "client", VENUE: "venue"}
        self.inputs += [LinkUp(sent_seq=((OMS, 0),))]
        self.inputs += [SessionChange(name, role, True, 0, 1, 0) for name, role in roles.items()]
        await self.step(0)

    async def order(self, **terms: Any) -> ParentOrder:
        """A client's order arrives."""
        values: dict[str, Any] = {
            "ref": InboundRef(OMS, 0, 0), "cl_ord_id": "A1", "symbol": self._instrument.symbol, "side": Side.BUY,
            "ord_type": OrdType.MARKET, "limit_price_e9": None, "time_in_force": TimeInForce.DAY, "account": "ACC",
            "algo": "twap", "parameters": (), **terms,
        }  # fmt: skip
        self.arrive(NewOrder(**values), OMS)
        await self.step(0)
        return self.parent()

    async def until(self, end_ns: int, *, step_ns: int = E9 // 4) -> None:
        """Time passes."""
        while self.ns < end_ns:
            await self.step(min(step_ns, end_ns - self.ns))

    async def step(self, passed_ns: int) -> None:
        """The market and the venue first, then the desk; what it sends arrives at once, answers with the next step."""
        self.ns += passed_ns
        self.venue.step()
        self._publish()
        inputs, self.inputs = self.inputs, []
        await self.desk.cycle([*inputs, Timer()])
        outbound, self.sent = self.sent, []
        for message in outbound:
            self._deliver(message)

    def parent(self) -> ParentOrder:
        """The one order, as it stands."""
        found = next(iter(self.desk.state.parents.values()))
        assert isinstance(found, ParentOrder)
        return found

    def children(self) -> list[ChildOrder]:
        """In the order in which they were made."""
        return list(self.desk.state.children.values())

    def arrive(self, message: Inbound, session: str) -> None:
        """A message of a session, under its next number."""
        self._numbers[session] = self._numbers.get(session, 0) + 1
        self.inputs.append(replace(message, ref=InboundRef(session, 0, self._numbers[session])))

    # ------------------------------------------------------------------------------------- to the venue

    def _deliver(self, message: Outbound) -> None:
        match message:
            case SendChild():
                limit_e9, kind = message.limit_price_e9, str(message.ord_type)
                self.venue.on_new(
                    pv.NewOrder(
                        VENUE, message.cl_ord_id, message.instrument, message.side.sign, kind, _TIF[message.time_in_force],
                        message.quantity_e9, limit_e9, message.account, False,
                    )
                )  # fmt: skip
            case SendChildCancel():
                request = pv.CancelRequest(
                    VENUE, message.cl_ord_id, message.orig_cl_ord_id, message.instrument, message.side.sign, False
                )
                self.venue.on_cancel(request)
            case SendStatusQuery():
                self.venue.on_status(pv.StatusRequest(VENUE, message.cl_ord_id, message.instrument, message.side.sign))

    def _publish(self) -> None:
        top = self._market.top()
        if (seen := tuple(top[1:])) == self._seen:
            return
        self._seen = seen
        tick_e9, lot_e9 = self._tick_e9, self._instrument.lot_e9
        state = MarketState(
            instrument=self._instrument.symbol, time_ns=self.ns,
            bid_e9=top.bid_ticks * tick_e9 if top.bid_lots else None, bid_size_e9=top.bid_lots * lot_e9,
            ask_e9=top.ask_ticks * tick_e9 if top.ask_lots else None, ask_size_e9=top.ask_lots * lot_e9,
            last_e9=top.last_half_ticks * tick_e9 // 2 if top.volume_lots else None, volume_e9=top.volume_lots * lot_e9,
            notional_e9=top.notional_half_ticks * tick_e9 * lot_e9 // (2 * E9),
        )  # fmt: skip
        self.inputs.append(MarketUpdate(state))

    def told(self, report: pv.Report) -> None:
        """A report of the venue's."""
        if report.cancel_reject_to:
            self.arrive(
                VenueCancelReject(
                    ref=InboundRef(VENUE, 0, 0), cl_ord_id=report.cl_ord_id, orig_cl_ord_id=report.orig_cl_ord_id,
                    response_to="cancel", reason=report.reason or 0, ord_status=ORD_STATUS_OF[report.ord_status],
                ),
                VENUE,
            )  # fmt: skip
            return
        self.arrive(
            VenueReport(
                ref=InboundRef(VENUE, 0, 0), cl_ord_id=report.cl_ord_id, orig_cl_ord_id=report.orig_cl_ord_id,
                order_id=report.order_id, exec_id=report.exec_id, exec_kind=EXEC_KIND_OF[report.exec_type],
                ord_status=ORD_STATUS_OF[report.ord_status], symbol=report.symbol,
                side=Side.BUY if report.side > 0 else Side.SELL, last_quantity_e9=report.last_quantity_e9,
                last_price_e9=report.last_price_e9, cum_quantity_e9=report.cum_e9, leaves_quantity_e9=report.leaves_e9,
                transact_time_ns=report.time_ns, text=report.text, unknown_order=report.order_id == "NONE",
                quantity_e9=report.quantity_e9, ord_rej_reason=report.reason,
            ),
            VENUE,
        )  # fmt: skip

    # ----------------------------------------------------------------------------------- the desk's ports

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """Delivered when the desk is done."""
        self.sent += messages

    def acknowledge(self, frame_number: int) -> None:
        """Nothing is spooled."""

    def reset(self) -> None:
        """Nothing is spooled."""

    def request(self, request: PlanRequest | BasketRequest) -> None:
        """Planned in place, answered with the next step. A basket is none of this day's."""
        if not isinstance(request, PlanRequest):
            raise InvariantBroken("a basket on a day of single orders")
        self.inputs.append(PlanReady(request=request, schedule=planner_for(request.algo).plan(request)))

    def now_ns(self) -> int:
        """The clock."""
        return self.ns

    def instrument(self, symbol: str) -> Instrument | None:
        """The one there is."""
        return self._instrument if symbol == self._instrument.symbol else None

    def trade_date(self, now_ns: int) -> str:
        """Of the one day."""
        return self._day.trade_date

    def day(self, instrument: Instrument, now_ns: int) -> TradingDay | None:
        """The one there is."""
        return self._day

    def volume_curve(self, instrument: Instrument, day: TradingDay) -> VolumeCurve:
        """Flat."""
        return VolumeCurve((1.0,), day.open_ns, day.close_ns - day.open_ns)

    def venue_session(self, instrument: Instrument) -> str:
        """The one there is."""
        return VENUE


class _Front:
    """The port OrderFront: reports go to the desk."""

    def __init__(self, day: DeskDay) -> None:
        self._day = day

    def send(self, report: pv.Report, *, possible_resend: bool) -> bool:
        """A report leaves."""
        self._day.told(report)
        return True

    def start(self, handler: pv.VenueHandler) -> None:
        """Nobody connects."""

    def publish(self, snapshots: Sequence[pv.Snapshot]) -> None:
        """The desk sees the market at every step."""

    def publish_depth(self, updates: Sequence[pv.DepthUpdate]) -> None:
        """Nobody has subscribed."""

    def disconnect(self, session: str, hold_ms: int) -> bool:
        """There is no connection."""
        return False

    def refuse(self, session: str, kind: str, msg_type: str, msg_seq_num: int, ref_id: str, text: str) -> None:
        """The simulated venue refuses orders, never messages."""

    def skip_numbers(self, session: str, count: int) -> None:
        """There are no numbers."""
