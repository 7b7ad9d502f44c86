"""The simulated venue: markets behind a protocol front, with a ledger that survives kill -9.

Every message is decided under one lock, in three steps: write the decision and its answers to the ledger, hand the
answers to the front, note in the ledger that they were handed over. The front confirms the message to the peer only
after that, so a message is either in the ledger or will be sent again by the peer. After a restart:

- the market runs forward to where it was (a tape or a seeded flow gives the same events again) and continues the
  published volume and notional;
- working orders are back in the book, in their order of arrival, behind what is displayed at their price: their
  place in the queue is lost, which is the rule here for tapes and generated flow alike;
- a message that the peer repeats (PossDup, PossResend) and that the ledger knows is not acted on again;
- answers that were written but not noted as handed over go again with PossResend=Y and the same ExecID.

At the end of the source's session working DAY orders end, GTC and GTD orders are done for the day, and new orders are
refused. A new day's ledger begins with what the old one left: DAY orders end, the others are restated (378=1) and work.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from random import Random
from time import monotonic
from typing import Any, get_args

from domain.ports import Clock
from domain.ports_market import Market
from domain.ports_venue import (
    CancelRequest,
    Depth,
    Listing,
    MassStatusRequest,
    NewOrder,
    OrderFront,
    Snapshot,
    StatusRequest,
    TapeLine,
)
from ems import venue_orders as vo
from ems.venue_day import Day, DayEnd
from ems.venue_displays import Displays
from ems.venue_faults import FaultPlan, Outbox
from ems.venue_ledger import Ledger, Line
from ems.venue_publisher import Publisher
from ems.venue_record import Record
from ems.venue_trading import Trading


class Venue:
    """Takes orders from a front, trades them in its markets, answers and publishes. Thread-safe.

    Args:
        name: prefix of OrderIDs and ExecIDs.
        listings: symbol to tick and lot sizes.
        markets: symbol to market.
        clock: market time; a restart must not go behind `resume_times(ledger path).reached_ns`.
        ledger: opened; a restarted venue gets the same file.
        start_ns: market time of the very first start of this ledger.
        left_over: of an earlier day's ledger (`ems.venue_record.left_over`), for a ledger that has not begun.
        day_end: how DAY orders end with their session.
        publish_every_s: wall time between publications of changed states.
        seed: of the faults' choices.
        line: who publishes order by order, if anybody does.
    """

    def __init__(
        self,
        name: str,
        listings: Mapping[str, Listing],
        markets: Mapping[str, Market],
        clock: Clock,
        ledger: Ledger,
        *,
        start_ns: int,
        left_over: Sequence[Line] = (),
        day_end: DayEnd = "expired",
        publish_every_s: float = 0.05,
        faults: FaultPlan | None = None,
        seed: int = 0,
        line: TapeLine | None = None,
    ) -> None:
        self._name = name
        self._listings = dict(listings)
        self._markets = dict(markets)
        self._clock = clock
        self._ledger = ledger
        self._start_ns = start_ns
        self.faults = faults or FaultPlan()
        self._record = Record(name, ledger)
        self._outbox = Outbox(self.faults, Random(seed), self._record.hand_over)
        self._trading = Trading(name, self._listings, self._markets, self._record, self._outbox)
        self._day = Day(self._markets, self._record, self._trading, day_end)
        self._left_over = list(left_over)
        self._displays = Displays(self._listings, self._markets, line)
        self._publisher = Publisher(self._listings, self._markets, ledger, publish_every_s, self._displays)
        self._front: OrderFront | None = None
        self._lock = threading.RLock()

    # -- life

    def start(self, front: OrderFront) -> None:
        """Recover from the ledger, store in the front's engine what may not have been sent before, then open."""
        with self._lock:
            self._front = self._record.front = front
            self._recover()
            for number, report in sorted(self._record.unsent.items()):
                if front.send(report, possible_resend=True):
                    self._record.note(number, "sent")
            self._record.outbox = self._outbox
            self._record.commit()  # working orders may have traded as they came back into their books
            self._displays.begin(max((market.top().time_ns for market in self._markets.values()), default=self._start_ns))
        front.start(self)

    def step(self) -> None:
        """Bring the markets up to now, answer what follows from it, publish what is due. Called every few ms."""
        with self._lock:
            with self._decision():
                self._outbox.release(monotonic())
            if self._front is not None:
                self._publisher.step(self._front)

    def run(self, stop: threading.Event, *, step_s: float = 0.004) -> None:
        """Step until told to stop."""
        while not stop.wait(step_s):
            self.step()

    def command(self, request: dict[str, Any]) -> dict[str, Any]:
        """Faults and questions at run time; see `ems.venue_control` for the words. Raises ValueError for any other."""
        answer: dict[str, Any] = {}
        for verb, value in request.items():
            match verb:
                case "faults":
                    with self._lock:
                        self.faults.change(value)
                case "disconnect":
                    if self._front is None or not self._front.disconnect(str(value["session"]), int(value.get("hold_ms", 0))):
                        raise ValueError("no such session")
                case "expire":
                    answer["expired"] = self.expire_day()
                case "day_end":
                    self._change_day_end(value)
                case "status":
                    answer["status"] = self.status()
                case _:
                    raise ValueError(f"unknown command {verb!r}")
        return answer

    def status(self) -> dict[str, Any]:
        """Market time, faults, working orders and what was odd in each market."""
        with self._lock:
            now_ns = self._clock.now_ns()
            markets = {
                symbol: {"working": len(self._record.working(symbol)), **market.counters()}
                for symbol, market in self._markets.items()
            }
            return {"time_ns": now_ns, "orders": len(self._record.orders), "faults": asdict(self.faults), "markets": markets}

    def _change_day_end(self, value: Any) -> None:
        if value not in get_args(DayEnd):
            raise ValueError(f"day_end is one of {', '.join(get_args(DayEnd))}")
        with self._lock:
            self._day.end = value

    def expire_day(self) -> int:
        """Expire all working DAY orders now. Their number."""
        with self._decision() as now_ns:
            return sum(self._day.expire(symbol, now_ns) for symbol in self._markets)

    # -- what the front calls (port: VenueHandler)

    def on_new(self, order: NewOrder) -> None:
        """A NewOrderSingle: New and what follows, or Rejected."""
        with self._decision() as now_ns:
            self._trading.new(order, now_ns)
            self._day.note(self._record.find(order.session, order.cl_ord_id, now_ns))

    def on_cancel(self, request: CancelRequest) -> None:
        """An OrderCancelRequest: Canceled, or a cancel reject."""
        with self._decision() as now_ns:
            self._trading.cancel(request, now_ns)

    def on_replace(self, request: CancelRequest) -> None:
        """An OrderCancelReplaceRequest: Replaced and the fills that follow, or a cancel reject."""
        with self._decision() as now_ns:
            self._trading.replace(request, now_ns)
            self._day.note(self._record.find(request.session, request.cl_ord_id, now_ns))

    def on_status(self, request: StatusRequest) -> None:
        """An OrderStatusRequest: ExecType I with the present state, 39=8 and 103=5 for an unknown order."""
        with self._lock:
            with self._decision() as now_ns:
                order = self._record.find(request.session, request.cl_ord_id, now_ns)
            if order is None:
                self._record.say(vo.unknown_order_status(request, now_ns))
            else:
                self._record.say(order.report("I", "0", now_ns, request_id=request.request_id))

    def on_mass_status(self, request: MassStatusRequest) -> None:
        """An OrderMassStatusRequest: one ExecType I for each order that is alive, or one that says that there is none."""
        with self._lock:
            with self._decision() as now_ns:
                live = self._record.live(request.session, request.symbol) if request.understood else []
            for number, order in enumerate(live, 1):
                part = {"mass_request_id": request.request_id, "mass_total": len(live), "mass_last": number == len(live)}
                self._record.say(order.report("I", "0", now_ns, **part))
            if not live:
                self._record.say(vo.nothing_to_tell(request, now_ns))

    def snapshot(self, symbol: str) -> Snapshot | None:
        """The present state of one market; None when it is not listed here."""
        if symbol not in self._markets:
            return None
        with self._lock:
            with self._decision():
                pass
            return self._publisher.snapshot(symbol)

    def depth(self, symbol: str) -> Depth | None:
        """All levels of one market as they were published last; None when it is not listed here."""
        with self._lock:
            return self._displays.depth(symbol) if symbol in self._markets else None

    @contextmanager
    def _decision(self) -> Iterator[int]:
        """Markets up to now, one decision at that time, then its ledger lines and answers."""
        with self._lock:
            now_ns = self._clock.now_ns()
            self._day.advance(now_ns)
            yield now_ns
            self._record.commit()
            self._displays.follow()

    def _recover(self) -> None:
        published = self._record.read()
        if self._record.reached_ns == 0:
            self._ledger.write([{"k": "day", "venue": self._name, "start_ns": self._start_ns}, *self._left_over])
            self._record.read()
            now_ns = max(self._clock.now_ns(), self._start_ns)
            for market in self._markets.values():
                market.advance(now_ns)
            self._day.begin(now_ns)
        else:
            now_ns = max(self._clock.now_ns(), self._record.reached_ns)
            self._day.recover(published, self._record.reached_ns, now_ns)
