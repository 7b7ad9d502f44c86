"""A market, a venue and a quoter in one room: the market is made by chance, the venue keeps OUCH's rules but is in no hurry, and
both say now and then what they should not."""

from __future__ import annotations

import random
from collections import deque
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.itch_encode import encode as itch
from adapters.marketdata.mold import HEADER, MoldSender
from adapters.ouch.layout import NAMES
from adapters.ouch.messages import Message, decode, encode
from domain.tape import FLAG_ALL, Kind, Status, tape_of
from ems.bench.inference import version
from ems.bench.quote_judge import Judge, Limits
from ems.quoting import journal as j
from ems.quoting import state as s
from ems.quoting.held import Held
from ems.quoting.kernel import on_datagram, on_report, on_timer
from ems.quoting.reports import resynchronised
from models.inference import put_weights

MIDNIGHT: Final = 1_340_251_200_000_000_000
SYMBOLS: Final = {1: "AAA", 2: "BBB"}
LIMITS: Final = Limits(inventory_max_lots=300, order_max_lots=200)
SECOND: Final = 1_000_000_000


@cache
def _version() -> tuple[dict[str, NDArray[np.float32]], str]:
    return version()[2:]


def make_quoter(**more: Any) -> s.Quoter:
    terms = {k: s.Terms(symbol, inventory_max_lots=LIMITS.inventory_max_lots, order_max_lots=LIMITS.order_max_lots)
             for k, symbol in SYMBOLS.items()}  # fmt: skip
    q = s.make_quoter(terms, MIDNIGHT, window=1 << 10, capacity=1 << 10, **more)
    put_weights(q.net.core, *_version())
    return q


class Market:
    """Orders of everybody else, told in ITCH."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.ns = 34_200 * SECOND
        self.next_id = 1
        self.orders: dict[int, tuple[int, int, int, int]] = {}  # id -> instrument, side, price, lots
        self.mid = dict.fromkeys(SYMBOLS, 10_000)
        self.sender = MoldSender("TEST", size_max=200)

    @property
    def now_ns(self) -> int:
        return MIDNIGHT + self.ns

    def begin(self) -> list[bytes]:
        """The directory, a book of each instrument, and enough events for the core to look at."""
        sides = [(k, side) for k in SYMBOLS for side in (1, -1)]
        rows = [self._add(k, side, 10_000 - side * level, 100 * level) for k, side in sides for level in range(1, 6)]
        found = self._say(rows)
        for _ in range(260):
            found += self.step(odd=0.0)
        return found

    def step(self, odd: float = 0.02) -> list[bytes]:
        """What happens next; oddities of the market itself with that chance."""
        self.ns += self.chance.choice([50_000, 400_000, 3_000_000, 60_000_000])
        k = self.chance.choice(list(SYMBOLS))
        if self.chance.random() < 0.2:
            self.mid[k] += self.chance.choice([-1, 1])
        if self.chance.random() < odd:
            return self._odd(k)
        gone = [oid for oid, (ours, side, price, _) in self.orders.items() if ours == k and (self.mid[k] - price) * side <= 0]
        gone = gone or [oid for oid, order in self.orders.items() if order[0] == k][:-12][:2]
        rows = [self._less(oid) for oid in gone[:3]]
        price = {side: self.mid[k] - side * self.chance.randint(1, 4) for side in (1, -1)}
        rows += [self._add(k, side, price[side], 100 * self.chance.randint(1, 5)) for side in (1, -1)]
        return self._say(rows)

    def _odd(self, k: int) -> list[bytes]:
        match self.chance.randrange(3):
            case 0:  # crossed for a moment
                crossing = self._add(k, 1, self.mid[k] + 8, 100)
                return self._say([crossing]) + self._say([self._less(int(crossing[2]), whole=True)])
            case 1:
                halt = self._say([(self.now_ns, 0, 0, 0, int(Status.HALTED), k, 0, int(Kind.STATUS), 0)])
                self.ns += SECOND
                return halt + self._say([(self.now_ns, 0, 0, 0, int(Status.TRADING), k, 0, int(Kind.STATUS), 0)])
            case _:
                return [self.sender.heartbeat()]

    def _add(self, k: int, side: int, price: int, lots: int) -> tuple[int, ...]:
        oid, self.next_id = self.next_id, self.next_id + 1
        self.orders[oid] = (k, side, price, lots)
        return (self.now_ns, 0, oid, price, lots, k, 0, int(Kind.ADD), side)

    def _less(self, oid: int, *, whole: bool = False) -> tuple[int, ...]:
        k, _, _, lots = self.orders.pop(oid)
        if not whole and self.chance.random() < 0.5:
            return (self.now_ns, 0, oid, 0, lots, k, 0, int(Kind.EXECUTE), 0)
        return (self.now_ns, 0, oid, 0, 0, k, FLAG_ALL, int(Kind.CANCEL), 0)

    def _say(self, rows: list[tuple[int, ...]]) -> list[bytes]:
        introduced = self.sender.next_number > 1
        frames = itch(tape_of(rows), MIDNIGHT, SYMBOLS).tobytes()
        if introduced:  # the encoder begins with the directory, which was told
            frames = frames[41 * len(SYMBOLS) :]
        return self.sender.packets(frames)


class Venue:
    """Orders live, die and trade as OUCH 5.0 has it; answers wait in a queue."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.inbox: deque[Message] = deque()
        self.outbox: deque[bytes] = deque()
        self.live: dict[int, tuple[str, str, int, int]] = {}  # ref -> symbol, side, price, lots
        self.said: list[bytes] = []
        self.match = 0
        self.taken: dict[int, int] = {}  # ref -> lots executed
        self.counts_taken = seed % 2 == 0  # whether a replacement's size has in it what the old order has traded

    def work(self, reject: float = 0.05) -> None:
        """Take one request."""
        if not self.inbox:
            return
        asked = self.inbox.popleft()
        ref = asked.number("user_ref_num")
        if asked.name == "cancel":
            if order := self.live.pop(ref, None):
                self._say("canceled", user_ref_num=ref, quantity=order[3], reason="U")
        elif asked.name == "enter":
            if self.chance.random() < reject:
                self._say("rejected", user_ref_num=ref, reason=15, cl_ord_id="")
                return
            order = (asked.text("symbol"), asked.text("side"), asked.number("price"), asked.number("quantity"))
            self.live[ref] = order
            self._say("accepted", **self._terms(ref, order))
        elif old := self.live.pop(asked.number("orig_user_ref_num"), None):
            if self.chance.random() < reject:  # the old one is taken out, and the new one never was
                self._say("canceled", user_ref_num=asked.number("orig_user_ref_num"), quantity=old[3], reason="D")
                return
            taken = self.taken.get(asked.number("orig_user_ref_num"), 0) if self.counts_taken else 0
            if asked.number("quantity") <= taken:
                self._say("canceled", user_ref_num=asked.number("orig_user_ref_num"), quantity=old[3], reason="D")
                return
            order = (old[0], old[1], asked.number("price"), asked.number("quantity") - taken)
            self.live[ref] = order
            self._say("replaced", orig_user_ref_num=asked.number("orig_user_ref_num"), **self._terms(ref, order))

    def trade(self) -> None:
        """Somebody takes a part of an order, or the venue takes it out."""
        if not self.live:
            return
        ref = self.chance.choice(list(self.live))
        symbol, side, price, lots = self.live[ref]
        part = self.chance.choice([lots, max(1, lots // 2)])
        if self.chance.random() < 0.1:
            self._say("canceled", user_ref_num=ref, quantity=part, reason="S")
        else:
            self.match += 1
            self.taken[ref] = self.taken.get(ref, 0) + part
            self._say("executed", user_ref_num=ref, quantity=part, price=price, liquidity="A", match_number=self.match)
        self.live[ref] = (symbol, side, price, lots - part)
        if lots == part:
            del self.live[ref]

    def odd(self) -> bytes:
        """Something that was said before, of nobody's order, or that is no message."""
        kind = self.chance.randrange(4)
        if kind == 0 and self.said:
            return self.chance.choice(self.said)
        if kind == 1:
            return bytes(self.chance.randrange(256) for _ in range(self.chance.randrange(40)))
        if kind == 2:
            return self._bytes("executed", user_ref_num=900_000, quantity=50, price=1, liquidity="A", match_number=1)
        return self._bytes("rejected", user_ref_num=900_001, reason=1, cl_ord_id="")

    def _terms(self, ref: int, order: tuple[str, str, int, int]) -> dict[str, int | str]:
        symbol, side, price, lots = order
        return {"user_ref_num": ref, "symbol": symbol, "side": side, "price": price, "quantity": lots, "state": "L"}

    def _say(self, name: str, **fields: int | str) -> None:
        self.outbox.append(self._bytes(name, **fields))

    def _bytes(self, name: str, **fields: int | str) -> bytes:
        layout = NAMES["out"][name]
        blank: dict[str, int | str] = {field.name: 0 if field.kind == "u" else "" for field in layout.fields}
        return encode("out", Message(name, blank | fields))


class Room:
    """Every call is judged, and kept with what it gave."""

    def __init__(self, seed: int, **more: Any) -> None:
        self.market, self.venue, self.chance = Market(seed), Venue(seed + 1), random.Random(seed + 2)
        self.q, self.judge = make_quoter(**more), Judge(LIMITS)
        self.out = np.zeros(j.OUTPUT_BYTES, np.uint8)
        self.calls: list[tuple[str, bytes, int, int]] = []
        self.sent_ns: list[int] = []
        self.stop = False  # nothing but cancels may leave

    def warm(self) -> None:
        for datagram in self.market.begin():
            self.datagram(datagram)
            self.settle()

    def datagram(self, data: bytes) -> bytes:
        return self._call("datagram", data)

    def report(self, data: bytes, *, true: bool = True) -> bytes:
        if true:
            message = decode("out", data)
            self.judge.told(message)
            if message.name != "canceled":  # a part cancelled twice is no other than two parts: numbers of the session tell
                self.venue.said.append(data)
        return self._call("report", data)

    def timer(self) -> bytes:
        return self._call("timer", b"")

    def settle(self) -> None:
        """The venue does all that it was asked, and says so."""
        while self.venue.inbox or self.venue.outbox:
            self.venue.work(reject=0.0)
            while self.venue.outbox:
                self.report(self.venue.outbox.popleft())

    def record(self) -> np.void:
        """The last one."""
        records = self.q.call.records.bytes
        return records.reshape(-1).view(j.RECORD)[(int(self.q.call.place[j.NEXT]) - 2) % len(records)]

    def resynchronise(self) -> None:
        """As the process does: everything is cancelled, what is held is asked for, the books are told again."""
        self.venue.inbox.clear()
        while self.venue.outbox:
            self.judge.told(decode("out", self.venue.outbox.popleft()))
        self.venue.live.clear()
        self.judge.orders.clear()
        held = {k: self.judge.position.get(symbol, 0) for k, symbol in SYMBOLS.items()}
        resynchronised(self.q.own, held, self.judge.last_ref + 1)

    def _call(self, kind: str, data: bytes) -> bytes:
        now_ns = self.market.now_ns + 1_000
        self.calls.append((kind, data, now_ns, int(self.q.own.words[s.SUSPENDED])))
        n = call(self.q, kind, data, now_ns, self.out)
        assert n >= 0
        sent = self.out[:n].tobytes()
        alone = self.stop or kind != "datagram" or self.q.own.words[s.OUT_OF_STEP] != 0
        for message in self.judge.sees(sent, self._tops(), cancels_alone=bool(alone)):
            self.venue.inbox.append(message)
            if message.name != "cancel":
                self.sent_ns.append(now_ns)
        return sent

    def _tops(self) -> dict[str, tuple[int, int]]:
        best = self.q.market.book.ten[:, 0] * 100
        return {symbol: (int(best[k, 0]), int(best[k, 2])) for k, symbol in SYMBOLS.items()}


def call(q: s.Quoter | Held, kind: str, data: bytes, now_ns: int, out: NDArray[np.uint8]) -> int:
    """One of the kernel's three, with the quoter itself or by its address."""
    if kind == "timer":
        return q.timer(now_ns, out) if isinstance(q, Held) else on_timer(q, now_ns, out)
    buffer = np.zeros(j.INPUT_BYTES, np.uint8)
    buffer[: len(data)] = np.frombuffer(data, np.uint8)
    if isinstance(q, Held):
        return (q.datagram if kind == "datagram" else q.report)(buffer, len(data), now_ns, out)
    return (on_datagram if kind == "datagram" else on_report)(q, buffer, len(data), now_ns, out)


def number_of(datagram: bytes) -> int:
    """The first message's."""
    assert len(datagram) >= HEADER
    return int.from_bytes(datagram[10:18], "big")
