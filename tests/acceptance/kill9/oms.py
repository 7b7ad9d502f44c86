"""An OMS that keeps orders flowing: new orders, cancels and replaces over FIX, and what it was told about each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

from tests.acceptance.kill9.fix_session import Fields, FixSession, Ledger, Message

ENDED: Final = frozenset("2348C")
STRATEGIES: Final = ("1001", "1", "2")  # TWAP, VWAP, POV


@dataclass
class Order:
    """One order as the OMS knows it."""

    name: str  # its first ClOrdID, and its Account
    current: str  # the ClOrdID that is in force
    side: str
    quantity: int
    terms: Fields  # type and limit
    strategy: Fields
    status: str = ""
    requests: int = 0  # cancels and replaces without an answer
    number: int = 0  # of its last request

    @property
    def open(self) -> bool:
        """Is anything still to come?"""
        return self.status not in ENDED or self.requests > 0


class Oms:
    """Sends orders on a session at random times, seeded.

    Args:
        every_s: mean time between new orders.
        seconds: how long an order works, shortest and longest.
    """

    def __init__(
        self, port: int, ledger: Ledger, rng: Random, *, symbol: str, every_s: float, seconds: tuple[float, float]
    ) -> None:
        self.session = FixSession(port, "OMS1", "EMS", ledger, self._told)
        self._rng = rng
        self._symbol = symbol
        self._every_s = every_s
        self._seconds = seconds
        self.orders: dict[str, Order] = {}
        self.unanswered: set[str] = set()  # new orders of which nothing was heard
        self.answered = self.fills = 0  # since the start
        self._by_id: dict[str, Order] = {}
        self._seen: set[str] = set()
        self._news = asyncio.Event()
        self.flowing = asyncio.Event()

    # ----------------------------------------------------------------------------------------- flow

    async def flow(self) -> None:
        """Send while `flowing` is set and the session is up; cancelled at the end."""
        loop = asyncio.get_running_loop()
        while True:
            await self.flowing.wait()
            await self.session.up.wait()
            order = self.new_order()
            choice, later_s = self._rng.random(), self._rng.uniform(0.02, 1.5)
            if choice < 0.15:
                loop.call_later(later_s, self._cancel, order)
            elif choice < 0.35:
                loop.call_later(later_s, self._replace, order)
            await asyncio.sleep(self._rng.expovariate(1 / self._every_s))

    def new_order(self) -> Order:
        """Send a D now."""
        rng = self._rng
        name = f"K{len(self.orders) + 1:05d}"
        minutes = rng.uniform(*self._seconds) / 60
        parameters = [("DurationMinutes", f"{minutes:.4f}")]
        strategy = rng.choice(STRATEGIES)
        if strategy == "2":
            parameters.append(("ParticipationRate", str(rng.randint(5, 40))))
        group = [pair for key, value in parameters for pair in ((958, key), (959, "14"), (960, value))]
        side = rng.choice("12")
        limit = [(40, "2"), (44, "103" if side == "1" else "97")]  # far enough to trade, as long as the market stays around
        order = Order(
            name=name,
            current=name,
            side=side,
            quantity=rng.randint(1, 40) * 25,
            terms=limit if rng.random() < 0.4 else [(40, "1")],
            strategy=[(847, strategy), (957, str(len(parameters))), *group],
        )
        self.orders[name] = self._by_id[name] = order
        self.unanswered.add(name)
        self.session.send("D", self._body(order, name, order.quantity))
        return order

    def _cancel(self, order: Order) -> None:
        if order.status in ENDED or not self._may_ask():
            return
        name = self._next_id(order)
        body = [(11, name), (41, order.current), (55, self._symbol), (54, order.side), (38, str(order.quantity)), (60, _now())]
        self.session.send("F", body)

    def _replace(self, order: Order) -> None:
        if order.status in ENDED or not self._may_ask():
            return
        name = self._next_id(order)
        quantity = max(1, int(order.quantity * self._rng.choice((0.5, 0.8, 1.25, 2))))
        self.session.send("G", [(41, order.current), *self._body(order, name, quantity)])

    def _may_ask(self) -> bool:
        return self.session.up.is_set() and self.flowing.is_set()

    def _next_id(self, order: Order) -> str:
        order.number += 1
        order.requests += 1
        name = f"{order.name}-{order.number}"
        self._by_id[name] = order
        return name

    def _body(self, order: Order, name: str, quantity: int) -> Fields:
        head = [(11, name), (1, order.name), (55, self._symbol), (54, order.side), (38, str(quantity)), *order.terms]
        return [*head, (59, "0"), (60, _now()), *order.strategy]

    # -------------------------------------------------------------------------------------- answers

    def _told(self, message: Message) -> None:
        order = self._by_id.get(message.get("11", ""))
        kind = message["35"]
        if order is not None and kind == "9":
            order.requests -= 1
            if message["37"] != "NONE":
                order.status = message["39"]
        elif order is not None and kind == "8" and message["17"] not in self._seen and message["150"] != "I":
            self._seen.add(message["17"])
            self._report(order, message)
        self._news.set()

    def _report(self, order: Order, message: Message) -> None:
        if order.name in self.unanswered:
            self.unanswered.remove(order.name)
            self.answered += 1
        order.status = message["39"]
        if message["150"] == "F":
            self.fills += 1
        if message["150"] in ("4", "5") and message["11"] != order.name:
            order.requests -= 1
            order.current = message["11"]
            order.quantity = int(float(message["38"]))

    @property
    def open(self) -> list[Order]:
        """Orders of which something is still to come."""
        return [order for order in self.orders.values() if order.open]

    async def until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait for something that messages bring about. Raises TimeoutError, which says what did not come."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise TimeoutError(f"{what} did not come within {timeout_s:.0f} s") from None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
