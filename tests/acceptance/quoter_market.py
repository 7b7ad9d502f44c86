"""A feed and a venue for the tests of the quoter, over real sockets, by hand.

The venue stamps whatever its socket hands over, with the monotonic clock that all processes of a host share.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from adapters.marketdata.itch_encode import CENT, FRAME_MAX, encode_records
from adapters.marketdata.itch_encode import directory_message as directory
from adapters.marketdata.itch_layout import symbol_number
from adapters.marketdata.mold import MoldSender
from adapters.ouch.messages import Message, decode, encode
from adapters.ouch.soup_server import SoupServer
from adapters.ouch.soup_stream import open_stream
from domain.tape import Kind, Status, tape_of

START: Final = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # Monday, ten in New York
MIDNIGHT_NS: Final = int(datetime(2026, 11, 23, 5, 0, tzinfo=UTC).timestamp()) * 10**9
SYMBOL: Final = "AAPL"
ACCOUNT: Final = "QUOTE1"


class Sent(NamedTuple):
    """What the quoter sent: when the venue had it, ns of the monotonic clock."""

    at_ns: int
    message: Message

    @property
    def new(self) -> bool:
        """Does it put an order on the book?"""
        return self.message.name in ("enter", "replace")


class Exchange:
    """An order entry port. Orders rest until `fill`; every report goes through the account's sequenced stream."""

    def __init__(self, home: Path, port: int) -> None:
        self.sent: list[Sent] = []
        self.open: dict[int, tuple[str, int, int]] = {}  # UserRefNum -> side, shares, price
        self.position = self.worst = 0
        self.unanswered = self.keeps_orders = False
        self.errors: list[BaseException] = []
        self._matches = 0
        self._last_ref = 0
        self.lock = threading.RLock()
        self._stream = open_stream(home / "ouch", ACCOUNT, "261123")
        self.server = SoupServer(("127.0.0.1", port), {ACCOUNT: "secret"}, {ACCOUNT: self._stream}, self, self.errors.append)
        self.server.start()

    def on_login(self, account: str) -> None:
        """Nothing."""

    def on_gone(self, account: str) -> None:
        with self.lock:
            for ref in list(self.open) if not self.keeps_orders else ():
                self._gone(ref, "D")

    def on_message(self, account: str, message: bytes) -> None:
        at_ns = time.monotonic_ns()
        told = decode("in", message)
        with self.lock:
            self.sent.append(Sent(at_ns, told))
            if told.name == "account_query":
                self._tell("account_query_response", next_user_ref_num=self._last_ref + 1)
            elif not self.unanswered:
                getattr(self, f"_{told.name}")(told)

    def _enter(self, told: Message) -> None:
        ref = self._last_ref = told.number("user_ref_num")
        self._rest(ref, told.text("side"), told.number("quantity"), told.number("price"))
        self._tell("accepted", **self._order(ref), user_ref_num=ref)

    def _replace(self, told: Message) -> None:
        ref, old = told.number("user_ref_num"), told.number("orig_user_ref_num")
        self._last_ref = ref
        if (was := self.open.pop(old, None)) is None:
            self._tell("rejected", user_ref_num=ref, reason=0x1, cl_ord_id="")
            return
        self._rest(ref, was[0], told.number("quantity"), told.number("price"))
        self._tell("replaced", **self._order(ref), orig_user_ref_num=old, user_ref_num=ref)

    def _cancel(self, told: Message) -> None:
        if told.number("user_ref_num") in self.open:
            self._gone(told.number("user_ref_num"), "U")

    def _rest(self, ref: int, side: str, quantity: int, price: int) -> None:
        self.open[ref] = (side, quantity, price)
        bought = sum(shares for way, shares, _ in self.open.values() if way == "B")
        sold = sum(shares for way, shares, _ in self.open.values() if way != "B")
        self.worst = max(self.worst, self.position + bought, sold - self.position)

    def _order(self, ref: int) -> dict[str, Any]:
        side, quantity, price = self.open[ref]
        return {
            "side": side, "quantity": quantity, "symbol": SYMBOL, "price": price, "time_in_force": "0", "display": "Y",
            "order_ref_num": 1000 + ref, "capacity": "P", "sweep": "N", "cross_type": "N", "state": "L", "cl_ord_id": "",
        }  # fmt: skip

    def _gone(self, ref: int, reason: str) -> None:
        _, quantity, _ = self.open.pop(ref)
        self._tell("canceled", user_ref_num=ref, quantity=quantity, reason=reason)

    def fill(self, ref: int, quantity: int) -> None:
        """The order trades."""
        with self.lock:
            if ref not in self.open:
                return
            side, open_, price = self.open.pop(ref)
            quantity = min(quantity, open_)
            if open_ > quantity:
                self.open[ref] = (side, open_ - quantity, price)
            self.position += quantity if side == "B" else -quantity
            self._matches += 1
            self._tell("executed", user_ref_num=ref, quantity=quantity, price=price, liquidity="A", match_number=self._matches)

    def stranger(self) -> None:
        """An execution of an order that nobody sent."""
        with self.lock:
            self._matches += 1
            self._tell("executed", user_ref_num=999_999, quantity=1, price=1, liquidity="A", match_number=self._matches)

    def _tell(self, name: str, **fields: Any) -> None:
        self.server.send(ACCOUNT, encode("out", Message(name, {"time_ns": 1, **fields})))

    def since(self, at_ns: int) -> list[Sent]:
        with self.lock:
            return [each for each in self.sent if each.at_ns >= at_ns]

    def close(self) -> None:
        self.server.close(ended=False)


class Tape:
    """The feed: one instrument's displayed orders, published as datagrams, repeated when asked for."""

    def __init__(self, port: int, again: int) -> None:
        self._to = ("127.0.0.1", port)
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._again = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._again.bind(("127.0.0.1", again))
        self.sender = MoldSender("0000000001")
        self.lock = threading.Lock()
        self.answers = self.lost = 0
        self.deaf = False  # answers no request
        self._ids = 0
        self._over = threading.Event()
        self.units, self.numbers = np.full(2, CENT), np.array([0, symbol_number(SYMBOL)], np.int64)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()
        self.publish(directory(1, SYMBOL))

    def now_ns(self) -> int:
        return int(START.timestamp()) * 10**9 + time.monotonic_ns() % 10**12

    def frames(self, rows: Sequence[tuple[int, int, int, int, int]]) -> bytes:
        """Rows (kind, order id, price in ticks, size, side) as framed messages."""
        now_ns = self.now_ns()
        tape = tape_of([(now_ns, 0, oid, price, size, 1, 0, kind, side) for kind, oid, price, size, side in rows])
        out = np.zeros(len(tape) * FRAME_MAX + FRAME_MAX, np.uint8)
        done, at = encode_records(tape, 0, len(tape), MIDNIGHT_NS, self.units, self.numbers, out, 0, 0)
        assert done == len(tape)
        return out[:at].tobytes()

    def publish(self, frames: bytes, *, lose: bool = False) -> int:
        """Send; the moment before, ns of the monotonic clock. lose: it is numbered, and does not arrive."""
        with self.lock:
            at_ns = time.monotonic_ns()
            for packet in self.sender.packets(frames):
                if lose:
                    self.lost += 1
                else:
                    self._line.sendto(packet, self._to)
            return at_ns

    def raw(self, data: bytes) -> int:
        at_ns = time.monotonic_ns()
        self._line.sendto(data, self._to)
        return at_ns

    def add(self, price: int, side: int, size: int = 300) -> int:
        self._ids += 1
        self.publish(self.frames([(int(Kind.ADD), self._ids, price, size, side)]))
        return self._ids

    def flicker(self, price: int, side: int, size: int = 100) -> bytes:
        """An order that comes and goes: two messages, one datagram."""
        self._ids += 1
        return self.frames([(int(Kind.ADD), self._ids, price, size, side), (int(Kind.CANCEL), self._ids, price, size, side)])

    def status(self, status: Status) -> int:
        return self.publish(self.frames([(int(Kind.STATUS), 0, 0, int(status), 0)]))

    def _answer(self) -> None:
        while not self._over.is_set():
            if not select.select([self._again], [], [], 0.05)[0]:
                continue
            request, sender = self._again.recvfrom(64)
            with self.lock:
                packets = self.sender.answer(request) if not self.deaf else []
            self.answers += len(packets)
            for packet in packets:
                self._again.sendto(packet, sender)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._line.close()
        self._again.close()
