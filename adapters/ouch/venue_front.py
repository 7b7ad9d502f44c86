"""The OUCH 5.0 front of the simulated venue: accounts over SoupBinTCP in, sequenced reports out (port OrderFront).

In: Enter, Replace, Cancel, Mass Cancel, Disable and Enable Order Entry, Account Query; `adapters.ouch.venue_account` says what of
them. Anything else, a UserRefNum that was used before, and a cancel of an order that does not live are passed over and counted, as
the specification has it; a Replace is always answered. Out: System Event, Accepted, Replaced, Canceled, AIQ Canceled, Executed,
Rejected, and a response to each of the other requests. A session holds from the venue's first start on a day to its ordered end,
over crashes too. Its day is the ledger's, of UTC, since UserRefNums are the ledger's ClOrdIDs; times are since New York's midnight.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from adapters.ouch.layout import Option, Reject
from adapters.ouch.messages import Message, Value, decode, encode
from adapters.ouch.soup_server import SoupServer
from adapters.ouch.soup_stream import messages_of_day, open_stream
from adapters.ouch.venue_account import PRICE_UNIT_E9, Account, Known, rebuilt
from adapters.ouch.venue_reports import message_of
from domain.errors import ConfigError, LinkError
from domain.ports import Clock
from domain.ports_venue import DepthUpdate, Listing, Report, Snapshot, VenueHandler
from domain.values import E9

_ZONE: Final = ZoneInfo("America/New_York")
_NAME_MAX, _PASSWORD_MAX, _FIRM_MAX = 6, 10, 4
_Key = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class OuchConfig:
    """Where and for whom the front listens.

    accounts: name (a session of the venue) to password. store: where the sessions' reports are kept. firm: of all accounts.
    cancel_on_disconnect: an account's orders are canceled when its connection ends. no_self_match: an account's resting orders
    are canceled rather than traded with by its own (AIQ, cancel oldest).
    """

    host: str
    port: int
    accounts: Mapping[str, str]
    store: Path
    firm: str = "EMSX"
    cancel_on_disconnect: bool = True
    no_self_match: bool = True


def die(error: BaseException) -> None:
    """A decision that failed half-way may not be gone on with: stop as in a crash, and recover at the start."""
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(70)


class OuchFront:
    """The front's server. Thread-safe.

    Args:
        listings: what is traded here. clock: the venue's.
        fatal: called with an error that cannot be answered; must not return normally in production.

    Raises:
        ConfigError: the port is taken, a name or password does not fit, or OUCH cannot say a listing's tick or lot.
    """

    def __init__(
        self,
        config: OuchConfig,
        listings: Mapping[str, Listing],
        clock: Clock,
        *,
        fatal: Callable[[BaseException], None] = die,
    ) -> None:
        _check(config, listings)
        self._config, self._listings, self._clock = config, listings, clock
        self._handler: VenueHandler | None = None
        self._lock = threading.RLock()  # of accounts; never held while the venue is called
        self._midnight_ns = self._midnight_until_ns = 0
        day = datetime.fromtimestamp(clock.now_ns() // E9, UTC).strftime("%y%m%d")
        self._accounts: dict[str, Account] = {}
        self._kept: dict[str, set[_Key]] = {}
        streams = {}
        for name in config.accounts:
            before = messages_of_day(config.store, name, day)
            self._accounts[name] = rebuilt(name, config.firm, before)
            self._kept[name] = {_key(decode("out", data)) for data in before}
            streams[name] = open_stream(config.store, name, day)
            if not streams[name].packets:
                streams[name].append(encode("out", Message("system_event", {"time_ns": self._time_ns(), "event": "S"})))
        self._server = SoupServer((config.host, config.port), config.accounts, streams, self, fatal)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._server.address

    # -- port OrderFront

    def start(self, handler: VenueHandler) -> None:
        """Let peers in. Nobody is there yet: what stands of a life before is canceled, where that is agreed."""
        self._handler = handler
        for name in self._accounts:
            self.on_gone(name)
        self._server.start()

    def send(self, report: Report, *, possible_resend: bool) -> bool:
        """Keep a report, and send it where the account is logged on. What was kept before a crash is not kept twice."""
        account = self._accounts.get(report.session)
        if account is None:
            return False
        with self._lock:
            message = message_of(account, report, self._time_ns(report.time_ns))
            if message is None:
                return True
            if not (possible_resend and _key(message) in self._kept[account.name]):
                account.told(message)
                self._tell(account.name, message)
        return True

    def publish(self, snapshots: Sequence[Snapshot]) -> None:
        """OUCH tells no market data."""

    def publish_depth(self, updates: Sequence[DepthUpdate]) -> None:
        """OUCH tells no market data."""

    def disconnect(self, session: str, hold_ms: int) -> bool:
        """Cut an account's connection and refuse its logins for that long."""
        if session not in self._accounts:
            return False
        self._server.disconnect(session, hold_ms / 1e3)
        return True

    def refuse(self, session: str, kind: str, msg_type: str, msg_seq_num: int, ref_id: str, text: str) -> None:
        """OUCH has no words for that: what is no message is passed over."""

    def skip_numbers(self, session: str, count: int) -> None:
        """SoupBinTCP numbers are counted, not said: none can be left out."""

    def close(self, *, ended: bool = True) -> None:
        """Stop. ended: the sessions are over, and peers are told; otherwise they go on when the venue is back."""
        if ended:
            for name in self._accounts:
                self._tell(name, Message("system_event", {"time_ns": self._time_ns(), "event": "E"}))
        self._server.close(ended=ended)

    # -- port SoupApplication: the server's thread

    def on_login(self, account: str) -> None:
        """Nothing to do: the stream is sent from where the login asked for it."""

    def on_gone(self, account: str) -> None:
        """A connection has ended."""
        if self._config.cancel_on_disconnect:
            self._cancel_all(self._accounts[account], lambda _: True)

    def on_message(self, account: str, message: bytes) -> None:
        """One message of a peer: decided, and in the ledger, when this returns."""
        known = self._accounts[account]
        try:
            asked = decode("in", message)
        except LinkError:
            known.ignored += 1
            return
        match asked.name:
            case "enter" | "replace":
                self._order(known, asked)
            case "cancel":
                self._cancel(known, asked)
            case "mass_cancel":
                self._mass_cancel(known, asked)
            case "disable_order_entry" | "enable_order_entry":
                self._switch(known, asked)
            case "account_query":
                self._tell(account, Message("account_query_response", {
                    "time_ns": self._time_ns(), "next_user_ref_num": known.last_ref + 1,
                }))  # fmt: skip
            case _:
                known.ignored += 1

    def _order(self, account: Account, asked: Message) -> None:
        handler, ref = self._handler, asked.number("user_ref_num")
        assert handler is not None
        with self._lock:
            if not account.use(ref):
                return
            why = account.fault(asked, self._listings)
            if why is not None:
                self._reject(account, asked, why)
                return
            if asked.name == "replace":
                request = account.replacement(asked)
            else:
                order = account.new_order(asked, no_self_match=self._config.no_self_match)
        if asked.name == "replace":
            handler.on_replace(request)
        else:
            handler.on_new(order)

    def _cancel(self, account: Account, asked: Message) -> None:
        handler = self._handler
        assert handler is not None
        with self._lock:
            known = account.orders.get(asked.number("user_ref_num"))
            request = account.reduction(known, asked.number("quantity")) if known is not None else None
        if request is None:
            account.ignored += 1
        elif request.quantity_e9 is None:
            handler.on_cancel(request)
        else:
            handler.on_replace(request)

    def _switch(self, account: Account, asked: Message) -> None:
        with self._lock:
            if not account.use(asked.number("user_ref_num")):
                return
            if asked.text("firm") not in ("", self._config.firm):
                self._reject(account, asked, Reject.FIRM_NOT_AUTHORIZED)
                return
            name = "disable_response" if asked.name == "disable_order_entry" else "enable_response"
            answer = Message(name, {"time_ns": self._time_ns(), **asked.fields})
            account.told(answer)
            self._tell(account.name, answer)

    def _mass_cancel(self, account: Account, asked: Message) -> None:
        with self._lock:
            if not account.use(asked.number("user_ref_num")):
                return
            if asked.text("firm") not in ("", self._config.firm):
                self._reject(account, asked, Reject.FIRM_NOT_AUTHORIZED)
                return
            self._tell(account.name, Message("mass_cancel_response", {"time_ns": self._time_ns(), **asked.fields}, asked.options))
        symbol, side = asked.text("symbol"), asked.option(Option.SIDE).decode("latin-1")
        buys = side == "B"
        self._cancel_all(account, lambda known: symbol in ("", known.symbol) and (not side or (known.side == "B") == buys))

    def _cancel_all(self, account: Account, wanted: Callable[[Known], bool]) -> None:
        handler = self._handler
        assert handler is not None
        with self._lock:
            requests = [account.reduction(known, 0) for known in account.orders.values() if wanted(known)]
        for request in requests:
            if request is not None:
                handler.on_cancel(request)

    def _reject(self, account: Account, asked: Message, why: Reject) -> None:
        """Refused here, without the market. Under the lock."""
        text = asked.fields.get("cl_ord_id", "")
        fields = {"time_ns": self._time_ns(), "user_ref_num": asked.number("user_ref_num"), "reason": int(why), "cl_ord_id": text}
        self._tell(account.name, Message("rejected", fields))

    def _tell(self, account: str, message: Message) -> None:
        self._server.send(account, encode("out", message))

    def _time_ns(self, time_ns: int | None = None) -> int:
        """Nanoseconds since New York's midnight, of a market time or now."""
        at_ns = self._clock.now_ns() if time_ns is None else time_ns
        with self._lock:
            if not self._midnight_ns <= at_ns < self._midnight_until_ns:
                midnight = datetime.fromtimestamp(at_ns // E9, _ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
                self._midnight_ns = int(midnight.astimezone(UTC).timestamp()) * E9
                self._midnight_until_ns = self._midnight_ns + 3_600 * 22 * E9  # shorter than the shortest day
            return at_ns - self._midnight_ns


def _key(message: Message) -> _Key:
    """What one report is known by: told again after a crash it may lack what only the request said."""
    return (message.name, *(message.fields.get(name, 0) for name in ("user_ref_num", "time_ns", "match_number", "quantity")))


def _check(config: OuchConfig, listings: Mapping[str, Listing]) -> None:
    for name, password in config.accounts.items():
        if not (name.isascii() and name.isalnum() and len(name) <= _NAME_MAX):
            raise ConfigError(f"{name!r} is no name of an OUCH account: one to six letters and digits")
        if not (password.isascii() and 0 < len(password) <= _PASSWORD_MAX and password == password.strip()):
            raise ConfigError(f"the password of {name} does not fit: one to ten characters")
    if not (config.firm.isascii() and 0 < len(config.firm) <= _FIRM_MAX):
        raise ConfigError(f"{config.firm!r} is no firm: one to four characters")
    for listing in listings.values():
        if listing.tick_size_e9 % PRICE_UNIT_E9 or listing.lot_size_e9 % E9 or not 0 < len(listing.symbol) <= 8:
            raise ConfigError(f"OUCH tells prices in 1/10,000, whole shares and eight characters, which {listing.symbol} has not")
