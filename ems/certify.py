"""The scripted counterparty: a venue whose behaviour is chosen by OrderQty, for certification and for breaking things.

It remembers its orders while it runs; its FIX sessions and their numbers outlive it. It has no market: what it publishes
stands still. The table is `ems.certify_table`, its verbs are `ems.certify_scripts`.
"""

from __future__ import annotations

import heapq
import itertools
import threading

from domain.ports import Clock
from domain.ports_venue import CancelRequest, Depth, MassStatusRequest, NewOrder, OrderFront, Snapshot, StatusRequest
from domain.values import E9
from ems.certify_order import MARKET_PRICE_E9, ScriptedOrder, scripted
from ems.certify_scripts import Asked, Scripts
from ems.venue_orders import CXL_TOO_LATE, nothing_to_tell, unknown_order_reject, unknown_order_status

_STEP_S = 0.004
_REPEAT_NS = E9  # its market's state is told again this often
_SPREAD_E9 = E9 // 100


class CertifyVenue:
    """Performs scripts (port: VenueHandler). Thread-safe.

    Args:
        name: prefix of OrderIDs and ExecIDs; with the time of its start they are unique over restarts.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._clock = clock
        self._prefix = f"{name}-{clock.now_ns() // E9}"
        self._ids = itertools.count(1)
        self._scripts = Scripts(self._new_id, clock.now_ns)
        self._orders: dict[tuple[str, str], ScriptedOrder] = {}  # by session and every ClOrdID of the chain
        self._later: list[tuple[int, int, ScriptedOrder, tuple[str, ...], Asked]] = []  # what waits
        self._symbols: set[str] = set()
        self._lock = threading.RLock()
        self._publish_at_ns = 0

    def start(self, front: OrderFront) -> None:
        """Open for peers."""
        self._scripts.front = front
        front.start(self)

    def run(self, stop: threading.Event) -> None:
        """Perform what waits, until told to stop."""
        while not stop.wait(_STEP_S):
            self.step()

    def step(self) -> None:
        """Go on with what has waited long enough."""
        with self._lock:
            now_ns = self._clock.now_ns()
            while self._later and self._later[0][0] <= now_ns:
                _, _, order, verbs, request = heapq.heappop(self._later)
                self._perform(order, verbs, request)
            if now_ns >= self._publish_at_ns and self._scripts.front is not None:
                self._publish_at_ns = now_ns + _REPEAT_NS
                self._scripts.front.publish([self._market(symbol) for symbol in sorted(self._symbols)])

    # -- what the front calls (port: VenueHandler)

    def on_new(self, order: NewOrder) -> None:
        """Its quantity chooses the script. A ClOrdID that is known is a repeat, and was acted on."""
        with self._lock:
            if (order.session, order.cl_ord_id) not in self._orders:
                taken = scripted(order, self._new_id())
                self._orders[order.session, order.cl_ord_id] = taken
                self._perform(taken, taken.script.order, None)

    def on_cancel(self, request: CancelRequest) -> None:
        """By the script of its order."""
        self._request(request, "1")

    def on_replace(self, request: CancelRequest) -> None:
        """By the script of its order, which stays that of its first quantity."""
        self._request(request, "2")

    def _request(self, request: CancelRequest, response_to: str) -> None:
        with self._lock:
            order = self._orders.get((request.session, request.orig_cl_ord_id))
            if order is None:
                self._scripts.answer(unknown_order_reject(request, response_to, self._clock.now_ns()))
            elif (request.session, request.cl_ord_id) not in self._orders:
                self._orders[request.session, request.cl_ord_id] = order
                verbs = order.script.cancel if request.quantity_e9 is None else order.script.replace
                self._perform(order, (f"refuse {CXL_TOO_LATE}",) if order.over else verbs, request)

    def on_status(self, request: StatusRequest) -> None:
        """As the script has it: the truth, that the order is unknown, or nothing."""
        with self._lock:
            order = self._orders.get((request.session, request.cl_ord_id))
            if order is None or order.script.asked == "unknown":
                self._scripts.answer(unknown_order_status(request, self._clock.now_ns()))
            elif order.script.asked == "tells":
                self._scripts.answer(order.report("I", "0", self._clock.now_ns(), request_id=request.request_id))

    def on_mass_status(self, request: MassStatusRequest) -> None:
        """All orders that live and are not hidden by their script."""
        with self._lock:
            known = {id(o): o for o in self._orders.values() if o.asked.session == request.session and request.understood}
            told = [o for o in known.values() if not o.over and o.script.asked == "tells"]
            told = [order for order in told if request.symbol in ("", order.asked.symbol)]
            for number, order in enumerate(told, 1):
                part = {"mass_request_id": request.request_id, "mass_total": len(told), "mass_last": number == len(told)}
                self._scripts.answer(order.report("I", "0", self._clock.now_ns(), **part))
            if not told:
                self._scripts.answer(nothing_to_tell(request, self._clock.now_ns()))

    def snapshot(self, symbol: str) -> Snapshot | None:
        """A market that stands still, for whatever is asked for."""
        with self._lock:
            self._symbols.add(symbol)
            return self._market(symbol)

    def depth(self, symbol: str) -> Depth | None:
        """Nobody is told level by level of a market that stands still."""
        return None

    def _market(self, symbol: str) -> Snapshot:
        bid_e9, ask_e9 = MARKET_PRICE_E9 - _SPREAD_E9, MARKET_PRICE_E9 + _SPREAD_E9
        size_e9 = 1_000_000 * E9
        return Snapshot(symbol, self._clock.now_ns(), bid_e9, size_e9, ask_e9, size_e9, MARKET_PRICE_E9, 100 * E9, 0, 0)

    # -- scripts

    def _perform(self, order: ScriptedOrder, verbs: tuple[str, ...], request: Asked) -> None:
        for at, verb in enumerate(verbs, 1):
            name, _, seconds = verb.partition(" ")
            if name == "wait":
                due_ns = self._clock.now_ns() + int(float(seconds) * E9)
                heapq.heappush(self._later, (due_ns, next(self._ids), order, verbs[at:], request))
                return
            self._scripts.do(verb, order, request)

    def _new_id(self) -> str:
        return f"{self._prefix}-{next(self._ids)}"
