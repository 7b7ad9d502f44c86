"""A venue that speaks OUCH, in this process: a real ledger, a real book, a real socket; the clock and the tape by hand."""

from __future__ import annotations

import select
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.ouch.layout import NAMES, Option
from adapters.ouch.messages import Message, decode, encode
from adapters.ouch.soup import Login, packet
from adapters.ouch.soup_client import SoupClient
from adapters.ouch.venue_front import OuchConfig, OuchFront
from domain.ports_venue import Listing, TapeLine
from domain.tape import Kind, Tape, empty_tape, tape_of
from domain.values import E9
from ems.venue import Venue
from ems.venue_ledger import Ledger, resume_times
from models.market.calls import AuctionMarket
from models.market.flow import RecordedFlow

CENT = 10_000_000
OPEN_NS = 1_700_000_000 * E9  # 2023-11-14, 17:13:20 in New York
MIDNIGHT_NS = 1_699_938_000 * E9
ACCOUNTS = {"QUOTE1": "secret", "QUOTE2": "secret"}
BOOK: tuple[tuple[int, int, int], ...] = ((1, 9_990, 500), (-1, 10_010, 500), (-1, 10_020, 500))  # side, cents, shares


class OuchRoom:
    """The venue, and its state over restarts. Time moves by hand."""

    def __init__(
        self,
        home: Path,
        *,
        book: Sequence[tuple[int, int, int]] = BOOK,
        markets: Mapping[str, AuctionMarket] | None = None,
        line: TapeLine | None = None,
        **config: Any,
    ) -> None:
        self.home, self.config, self.time_ns = home, config, OPEN_NS
        self.line, self._given = line, markets
        rows = [(OPEN_NS, 0, n, price, size, 0, 0, Kind.ADD, side) for n, (side, price, size) in enumerate(book, 1)]
        self.tape: Tape = tape_of(rows) if rows else empty_tape()
        self.errors: list[BaseException] = []
        self.open()

    def now_ns(self) -> int:
        return self.time_ns

    def open(self) -> None:
        """Start, or start again: the ledger knows which."""
        path = self.home / "ledger.jsonl"
        resume = resume_times(path)
        listings = {symbol: Listing(symbol, CENT, E9) for symbol in ("TEST", "MORE")}
        ends_ns = OPEN_NS + 10_000 * E9
        self.markets = dict(self._given or {}) or {
            "TEST": AuctionMarket(RecordedFlow(self.tape, ends_ns=ends_ns), window=1 << 15, capacity=256, shows=True),
            "MORE": AuctionMarket(RecordedFlow(empty_tape(), ends_ns=ends_ns), window=1 << 15, capacity=256, shows=True),
        }
        self.ledger = Ledger(path)
        start_ns = resume.start_ns if resume else OPEN_NS
        self.venue = Venue("SIM", listings, self.markets, self, self.ledger, start_ns=start_ns, line=self.line)
        config = OuchConfig("127.0.0.1", 0, ACCOUNTS, self.home / "ouch", **self.config)
        self.front = OuchFront(config, listings, self, fatal=self.errors.append)
        self.venue.start(self.front)

    def kill(self) -> None:
        """Nothing but the files is left."""
        self.front.close(ended=False)
        self.ledger.close()

    def stop(self) -> None:
        """An ordered end."""
        self.front.close()
        self.ledger.close()

    def pass_s(self, seconds: float) -> None:
        self.time_ns += int(seconds * E9)
        self.venue.step()

    def trade(self, side: int, price: int, quantity: int, symbol: str = "TEST") -> None:
        """Somebody else's order trades, and does not rest."""
        self.time_ns += 1_000
        with self.venue._decision():
            rows = [(self.time_ns, 0, self.time_ns, price, quantity, 0, 16, Kind.ADD, side)]  # FLAG_IOC
            self.venue._trading.happened(self.markets[symbol].apply(tape_of(rows)))

    def client(self, account: str = "QUOTE1", number: int = 0) -> OuchClient:
        return OuchClient(self, account, number)


class OuchClient:
    """A trader of one account."""

    def __init__(self, room: OuchRoom, account: str, number: int) -> None:
        self.soup = SoupClient(room.front.address, Login(account, ACCOUNTS[account], "", number))
        self.ref = 0

    def send(self, name: str, options: Sequence[tuple[int, bytes]] = (), **fields: int | str) -> None:
        self.soup.send(packet(b"U", encode("in", Message(name, fields, tuple(options)))))

    def enter(self, side: str, quantity: int, price: int, *, post_only: bool = False, **more: Any) -> int:
        """price in cents. The UserRefNum."""
        self.ref = more.pop("user_ref_num", self.ref + 1)
        more = {"price" if name == "price_e4" else name: value for name, value in more.items()}
        options = [*more.pop("options", ()), *([(Option.POST_ONLY, b"P")] if post_only else [])]
        fields: dict[str, int | str] = {
            "user_ref_num": self.ref, "side": side, "quantity": quantity, "symbol": "TEST", "price": price * 100,
            "time_in_force": "0", "display": "Y", "capacity": "P", "sweep": "N", "cross_type": "N", "cl_ord_id": "", **more,
        }  # fmt: skip
        self.send("enter", options, **fields)
        return self.ref

    def replace(self, old: int, quantity: int, price: int, *, post_only: bool = False, **more: Any) -> int:
        self.ref = more.pop("user_ref_num", self.ref + 1)
        fields: dict[str, int | str] = {
            "orig_user_ref_num": old, "user_ref_num": self.ref, "quantity": quantity, "price": price * 100,
            "time_in_force": "0", "display": "Y", "sweep": "N", "cl_ord_id": "", **more,
        }  # fmt: skip
        self.send("replace", [(Option.POST_ONLY, b"P")] if post_only else (), **fields)
        return self.ref

    def cancel(self, ref: int, quantity: int = 0) -> None:
        self.send("cancel", user_ref_num=ref, quantity=quantity)

    def query(self) -> int:
        """The next UserRefNum; all that was told before it is thrown away."""
        self.send("account_query")
        return self.until("account_query_response").number("next_user_ref_num")

    def read(self) -> Message:
        """The next report."""
        deadline = time.monotonic() + 20
        while True:
            assert time.monotonic() < deadline
            taken = self.soup.take()
            if taken is None:
                select.select([self.soup.socket], [], [], 0.2)
                self.soup.receive()
            elif chr(taken.letter) == "S":
                return decode("out", self.soup.payload(taken))

    def until(self, name: str) -> Message:
        while (message := self.read()).name != name:
            continue
        return message

    def told(self) -> list[str]:
        """All reports up to now, short: the letter, the UserRefNum, then what matters of it."""
        self.send("account_query")
        found: list[str] = []
        while (message := self.read()).name != "account_query_response":
            found.append(short(message))
        return found

    def close(self) -> None:
        self.soup.close()


SHOWN = {
    "accepted": "quantity", "replaced": "quantity", "canceled": "quantity reason", "executed": "quantity price liquidity",
    "rejected": "reason", "aiq_canceled": "quantity prevented price", "system_event": "event", "mass_cancel_response": "symbol",
    "disable_response": "firm", "enable_response": "firm",
}  # fmt: skip


def short(message: Message) -> str:
    """As "C7 100 U"."""
    ref = message.fields.get("user_ref_num", "")
    return " ".join([f"{NAMES['out'][message.name].letter}{ref}", *(str(message.fields[n]) for n in SHOWN[message.name].split())])
