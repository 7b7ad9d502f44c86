"""A real desk on a log in memory, with everything that leaves it in lists, for the tests of the desk's parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.memory.event_log import MemoryEventLog
from adapters.memory.latch import MemoryLatch
from domain import child_order as co
from domain.basket import BasketRequest
from domain.care_rules import NO_CARE, CareTerms
from domain.catalogue import TOPICS
from domain.child_order import ChildOrder
from domain.event import InboundRef
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.messages import CancelOrder, Inbound, Input, LinkUp, MarketUpdate, PlanReady, SessionChange, Timer
from domain.parent_order import ParentOrder
from domain.ports import BrokerAlgos, RiskData
from domain.ports import Reference as ReferencePort
from domain.risk_data import NOTHING_KNOWN
from domain.schedule import PlanRequest, Schedule, Slice, VolumeCurve
from domain.sending import Outbound
from domain.session_policy import SessionPolicy
from domain.trading_day import TradingDay
from domain.values import E9
from ems import recovery
from ems.desk import Desk
from ems.desk_ports import DeskPorts
from ems.drop_copy import DropCopies
from ems.house import NO_HOUSE, HouseTerms
from ems.pace import Pace
from ems.risk_day import NO_LIMITS, RiskTerms
from ems.strategies import NO_BROKERS
from tests.domain.orders import ABC, DAY, MINUTE_NS, NOW_NS, new_order, venue_report

PACE = Pace(patience_ns=30 * E9, unanswered_ns=2 * E9)


class Clock:
    def __init__(self) -> None:
        self.ns = NOW_NS

    def now_ns(self) -> int:
        return self.ns


class Gateway:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[Outbound] = []
        self.acknowledged: list[int] = []
        self.resets = 0

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        self.sent += messages

    def acknowledge(self, frame_number: int) -> None:
        self.acknowledged.append(frame_number)

    def reset(self) -> None:
        self.resets += 1


class Planners:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    def request(self, request: PlanRequest | BasketRequest) -> None:
        self.asked.append(request)


class Reference:
    def instrument(self, symbol: str) -> Instrument | None:
        return ABC if symbol == "ABC" else None

    def trade_date(self, now_ns: int) -> str:
        return DAY.trade_date

    def day(self, instrument: Instrument, now_ns: int) -> TradingDay | None:
        return DAY

    def volume_curve(self, instrument: Instrument, day: TradingDay) -> VolumeCurve:
        return VolumeCurve((0.5, 0.5), DAY.open_ns, 195 * MINUTE_NS)

    def venue_session(self, instrument: Instrument) -> str:
        return "VENUE"


class Room:
    """A desk that leads, and what the outside sees of it."""

    def __init__(
        self, log: MemoryEventLog | None = None, clock: Clock | None = None, pace: Pace = PACE,
        policies: Mapping[str, SessionPolicy] | None = None, copies: DropCopies = recovery.NO_COPIES,
        reference: ReferencePort | None = None, brokers: BrokerAlgos = NO_BROKERS, risk: RiskTerms = NO_LIMITS,
        risk_data: RiskData = NOTHING_KNOWN,
        latch: MemoryLatch | None = None, house: HouseTerms = NO_HOUSE, care: CareTerms = NO_CARE,
    ) -> None:  # fmt: skip
        self.clock = clock or Clock()
        self.log = log or MemoryEventLog(TOPICS, self.clock)
        self.gateway = Gateway()
        self.latch = latch or MemoryLatch()
        self.planners = Planners()
        self.reference, self.brokers = reference or Reference(), brokers
        self._risk: dict[str, Any] = {"risk": risk, "risk_data": risk_data, "house": house, "care": care}
        self.errors = 0
        ports = DeskPorts(
            self.log, self.gateway, self.planners, self.reference, self.clock, brokers, risk_data, latch=self.latch,
            count_error=self._count_error,
        )  # fmt: skip
        self.desk = Desk(
            ports,
            name="desk",
            build="test",
            venue_sessions=frozenset({"VENUE", "BROKER1", "BROKER2"}),
            pace=pace,
            policies=policies or {},
            client_sessions=frozenset({"OMS"}),
            copies=copies,
            risk=risk,
            house=house,
            care=care,
        )
        self._copies = copies
        self._numbers: dict[str, int] = {}
        self._frame = 0

    def _count_error(self) -> None:
        self.errors += 1

    async def open(self, *, sent_seq: int = 0) -> Room:
        """Start; the link and all sessions come up, and there is a market."""
        await self.desk.start()
        told = {"OMS", "OMS2", "OTHER", *self._copies.sessions_of("OMS")}
        await self.desk.cycle([LinkUp(sent_seq=tuple((name, sent_seq) for name in told)), session("OMS"), session("VENUE")])
        await self.desk.cycle([market()])
        return self

    async def successor(self, copies: DropCopies = recovery.NO_COPIES) -> Room:
        """The desk dies; another one starts on its log."""
        self.log.release_lead()
        room = Room(
            self.log, self.clock, copies=copies, reference=self.reference, brokers=self.brokers, latch=self.latch, **self._risk
        )
        room._numbers, room._frame = self._numbers, self._frame
        return room

    def numbered(self, message: Inbound, session_name: str = "OMS") -> Any:
        """The next message of a session."""
        number = self._numbers[session_name] = self._numbers.get(session_name, 0) + 1
        self._frame += 1
        return replace(message, ref=InboundRef(session_name, 0, number), frame=self._frame)

    async def client(self, message: Inbound) -> None:
        await self.desk.cycle([self.numbered(message)])

    async def venue(self, message: Inbound) -> None:
        await self.desk.cycle([self.numbered(message, "VENUE")])

    async def order(self, **changes: Any) -> ParentOrder:
        """A good order arrives."""
        await self.client(new_order(**changes))
        return self.parent()

    async def client_order(self, cl_ord_id: str, **changes: Any) -> None:
        """A direct order arrives."""
        await self.client(new_order(cl_ord_id=cl_ord_id, algo="", parameters=(), **changes))

    async def plan(self, *quantities: int, every_ns: int = MINUTE_NS) -> None:
        """The planner answers the last request: these quantities, one each every_ns from now on."""
        request, now_ns = self.planners.asked[-1], self.clock.ns
        slices = tuple(
            Slice(now_ns + i * every_ns, now_ns + (i + 1) * every_ns, quantity * E9) for i, quantity in enumerate(quantities)
        )
        schedule = Schedule(planner="test/1", filled_e9=request.filled_e9, slices=slices)
        await self.desk.cycle([PlanReady(request=request, schedule=schedule)])

    async def wait(self, seconds: float, *more: Input) -> None:
        """Time passes; the timer rings."""
        self.clock.ns += int(seconds * E9)
        await self.desk.cycle([*more, Timer()])

    async def fill(self, quantity: int, exec_id: str = "E1", *, price: int = 100, number: int = 1, **changes: Any) -> None:
        """The venue executes."""
        fill = {
            "exec_id": exec_id,
            "last_quantity_e9": quantity * E9,
            "last_price_e9": price * E9,
            "cl_ord_id": self.child(number).cl_ord_id,
        }
        await self.venue(venue_report(changes.pop("exec_kind", "trade"), **{**fill, **changes}))

    async def report(self, kind: str, *, number: int = 1, **changes: Any) -> None:
        """The venue says something else."""
        await self.venue(venue_report(kind, **{"cl_ord_id": self.child(number).cl_ord_id, **changes}))

    async def cancel(self, cl_ord_id: str = "A2", orig_cl_ord_id: str = "A1") -> None:
        await self.client(CancelOrder(ref=InboundRef("OMS", 0, 0), cl_ord_id=cl_ord_id, orig_cl_ord_id=orig_cl_ord_id))

    def parent(self) -> ParentOrder:
        """The last order that was accepted."""
        return [p for p in self.desk.state.parents.values() if isinstance(p, ParentOrder)][-1]

    def child(self, number: int = 1) -> ChildOrder:
        return self.desk.state.children[co.key(self.parent().id, number)]

    def take(self, kind: type[Outbound] | None = None) -> list[Any]:
        """What was sent since the last call."""
        sent, self.gateway.sent = self.gateway.sent, []
        return [message for message in sent if kind is None or isinstance(message, kind)]


def session(name: str, *, up: bool = True, reset_epoch: int = 0, sent_seq: int = 0, logged_out: bool = False) -> SessionChange:
    return SessionChange(
        session=name,
        role="client" if name == "OMS" else "venue",
        up=up,
        reset_epoch=reset_epoch,
        outbound_seq_num=1,
        sent_seq=sent_seq,
        logged_out=logged_out,
    )


def market(bid: int | None = 99, ask: int | None = 101, volume: int = 0) -> MarketUpdate:
    return MarketUpdate(
        MarketState(
            instrument="ABC",
            time_ns=NOW_NS,
            bid_e9=None if bid is None else bid * E9,
            ask_e9=None if ask is None else ask * E9,
            volume_e9=volume * E9,
        )
    )


async def topics(room: Room, after_seq: int = 0, *, risk: bool = False) -> list[str]:
    """The events of the log by name; those of risk, which stand before every order, only where they are asked for."""
    pages = room.log.read_pages(after_seq=after_seq)
    names = [recorded.event.TOPIC.rpartition(".v")[0] async for page in pages for recorded in page]
    return [name for name in names if risk or not name.startswith("risk.")]
