"""The client of `ems soak`: orders over real FIX at a steady pace, some of them replaced or canceled, and what came back of each.

What is sent follows from the seed alone; when, from the pace.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

from adapters.fix.fields import cut
from adapters.fix.oms_order import OmsOrder, body
from adapters.fix.sessions import SessionConfig
from domain.values import E9, Side, TimeInForce
from ems.bench.fix_client import SOH, Client, monotonic_ns

FINAL: Final = frozenset("3C48")  # OrdStatus: done for the day, expired, canceled, rejected
ALGOS: Final = ("twap", "vwap", "pov")
WORKING_MAX: Final = 100  # a load that lets orders rest for ever would measure how many there are
CHANGED: Final = 0.1  # of the orders a tenth is replaced, another one canceled
LATENCIES_MAX: Final = 50_000


class Market(NamedTuple):
    """What is traded, about where."""

    symbol: str
    price: float


class LoadClient(Client):
    """One session. Keeps of each order how it stands, of each execution that it came once; as little as can be judged by."""

    def __init__(self, directory: Path, session: SessionConfig, markets: tuple[Market, ...], *, seed: int) -> None:
        super().__init__(directory, session)
        self._random = random.Random(seed)
        self._markets = markets
        self._lock = threading.Lock()
        self._sent_ns: dict[str, int] = {}  # without an answer yet
        self.latencies_ms: list[float] = []  # since they were last taken
        self.sent: Counter[str] = Counter()
        self.filled_e9: dict[str, int] = {}  # by the first ClOrdID of an order
        self.executions: set[str] = set()
        self.doubled: list[str] = []
        self.live: dict[str, str] = {}  # the ClOrdID that stands -> the first one
        self._bodies: dict[str, OmsOrder] = {}

    def burst(self, number: int) -> None:
        """The number-th order, and perhaps a change of an older one."""
        order = self._made()
        name = f"S{number}"
        with self._lock:
            self.live[name], self._bodies[name] = name, order
        self._request(name, "D", body(order))
        self.sent["orders"] += 1
        with self._lock:
            oldest = next(iter(self.live)) if len(self.live) > WORKING_MAX else None
        if oldest is not None:
            self._cancel(f"O{number}", oldest)
        elif self._random.random() < 2 * CHANGED and (old := self._older()) is not None:
            self._change(number, old)

    def cancel_all(self, attempt: int) -> None:
        """What still works."""
        with self._lock:
            left = list(self.live)
        for number, old in enumerate(left):
            self._cancel(f"E{attempt}-{number}", old)

    def taken_ms(self) -> list[float]:
        """Milliseconds from order to New since this was last asked."""
        with self._lock:
            taken, self.latencies_ms = self.latencies_ms, []
        return taken

    # ------------------------------------------------------------------------------------------------ sending

    def _made(self) -> OmsOrder:
        pick = self._random
        market = pick.choice(self._markets)
        side = pick.choice((Side.BUY, Side.SELL))
        away = (-1 if side is Side.BUY else 1) * pick.choice((-0.002, 0.0, 0.0005, 0.002))
        limit_e9 = round(market.price * (1 + away) * 100) * E9 // 100
        if pick.random() < 0.5:
            lots = pick.randint(1, 5)
            return OmsOrder(symbol=market.symbol, side=side, quantity_e9=lots * 100 * E9, limit_price_e9=limit_e9, account="SOAK")
        algo = pick.choice(ALGOS)
        minutes = ("DurationMinutes", str(pick.randint(5, 20)))
        more = (("ParticipationRate", "5"),) if algo == "pov" else ()
        quantity_e9 = pick.randint(5, 30) * 100 * E9
        return OmsOrder(
            symbol=market.symbol, side=side, quantity_e9=quantity_e9, account="SOAK", algo=algo, parameters=(minutes, *more),
            time_in_force=TimeInForce.DAY,
        )  # fmt: skip

    def _older(self) -> str | None:
        with self._lock:
            return self._random.choice(list(self.live)[:200]) if self.live else None

    def _change(self, number: int, old: str) -> None:
        if self._random.random() < 0.5:
            self._cancel(f"C{number}", old)
            return
        with self._lock:
            order, first = self._bodies.get(old), self.live.get(old)
        if order is None or first is None:
            return
        more = OmsOrder(
            symbol=order.symbol, side=order.side, quantity_e9=order.quantity_e9 + 100 * E9, account=order.account,
            limit_price_e9=order.limit_price_e9, algo=order.algo, parameters=order.parameters,
        )  # fmt: skip
        self._request(f"R{number}", "G", f"41={old}{SOH}{body(more)}")
        self.sent["replaces"] += 1

    def _cancel(self, name: str, old: str) -> None:
        with self._lock:
            order = self._bodies.get(old)
        if order is not None:
            side = "1" if order.side is Side.BUY else "2"
            self._request(name, "F", f"41={old}{SOH}55={order.symbol}{SOH}54={side}{SOH}")
            self.sent["cancels"] += 1

    def _request(self, name: str, kind: str, text: str) -> None:
        stamp = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        if kind == "D":
            self._sent_ns[name] = monotonic_ns()
        self.send_text(f"35={kind}{SOH}11={name}{SOH}{text}60={stamp}{SOH}")

    # ----------------------------------------------------------------------------------------------- receiving

    def _clock(self, text: str, now_ns: int) -> None:
        fields = cut(text)
        if fields.get("35") != "8":
            self.sent["refused changes"] += fields.get("35") == "9"
            return
        name = fields.get("11", "")
        with self._lock:
            if fields["150"] == "0" and (began_ns := self._sent_ns.pop(name, None)) and len(self.latencies_ms) < LATENCIES_MAX:
                self.latencies_ms.append((now_ns - began_ns) / 1e6)
            self._follow(fields, name)

    def _follow(self, fields: dict[str, str], name: str) -> None:
        old = fields.get("41", "")
        if fields["150"] == "5" and old in self.live:  # replaced: it goes by another name now
            self.live[name] = self.live.pop(old)
            self._bodies[name] = self._bodies.pop(old)
        standing = name if name in self.live else old
        first = self.live.get(standing, standing)
        if fields["150"] == "F":
            if (execution := fields["17"]) in self.executions:
                self.doubled.append(execution)
            self.executions.add(execution)
            self.filled_e9[first] = self.filled_e9.get(first, 0) + round(float(fields["32"]) * E9)
        if fields["150"] == "8":
            self.sent["rejected"] += 1
            self.refused.append(fields.get("58", ""))
        if fields["39"] in FINAL or fields["39"] == "2":
            self.live.pop(standing, None)
            self._bodies.pop(standing, None)


class Pacer:
    """A thread that sends so many orders a second until it is told to stop; what it raises is kept for whoever asks."""

    def __init__(self, client: LoadClient, orders_per_s: float) -> None:
        self._client, self._every_s = client, 1 / orders_per_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soak-load", daemon=True)
        self.error: BaseException | None = None
        self.late_s = 0.0  # how far behind its pace it has been at most

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and raise what ended it before."""
        self._stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        due_s, number = time.monotonic(), 0
        try:
            while not self._stop.wait(max(0.0, due_s - time.monotonic())):
                self.late_s = max(self.late_s, time.monotonic() - due_s)
                self._client.burst(number)
                number, due_s = number + 1, due_s + self._every_s
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self.error = error
