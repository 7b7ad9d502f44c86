"""The FIX acceptor front of the simulated venue, here in FIX 4.4: QuickFIX callbacks in, reports and market data out.

Order session (SenderCompID = venue, TargetCompID = client):
    in   D (11 55 54 38 40 44 99 59 126 432 1), F (11 41 55 54), G (11 41 55 54 38 40 44 99 59 126 432), H (11 55 54 [790]),
         AF (584 585 55)
    out  8: 37 17 150 39 11 [41] 55 54 38 [44] [99] 40 59 [126] [1] 32 31 151 14 6 60 5060 [636] [19] [378] [103] [58] [790]
            [584 911 912]
            150: 0 New, F fill, 4 Canceled, 5 Replaced, 8 Rejected, C Expired, 3 Done for Day, L Triggered, D Restated, I status
         9: 37 11 41 39 434 102 [58] 60 5060;  j and 3 for what cannot be understood
    40: 1 market, 2 limit, 3 stop, 4 stop limit (held, 636=N, until a trade reaches 99). 585: 1 (of 55), 7 (all).
    59: 0 DAY (also when absent), 1 GTC, 2 at the opening, 3 IOC, 4 FOK, 6 GTD (until 126, or the end of 432), 7 at the
        close. 54: 1 buy, 2 and 5 sell.
Market data session (TargetCompID = client + "-MD" by default, or a listener's; not persisted, sequence numbers reset at logon):
    in   V: 262, 263 (0 snapshot, 1 subscribe, 2 unsubscribe), 264, 265, 146 x 55; the entry types asked for are ignored.
            Without 265=1 it is for the touch, with it (and 264=0) for every level and trade.
    out  W: 262, 55, 5060, 5061, 268 x {269=0 270 271 bid | 269=1 270 271 ask | 269=2 270 271 last trade
            | 269=B 271 cumulative volume | 269=9 270 session VWAP}; an absent side has no entry
         of every level: W: 262, 55, 5060, 268 x {269=0|1 270 271 83 level, or 269=J 83 where there is none}, then
         X: 262, 5060, 268 x {279 269 55 270 271 83 5062 | 269=2 trade: [2446] [277=X]}; 83 numbers an instrument's entries
            gaplessly, W has the last one's; 5062 is the entry's time in nanoseconds. Trades stand before levels.
         Y: 262, 281=0 for a symbol that is not listed here, 281=5 for increments of some levels, 58
    Market data is conflated: a peer gets the latest state, and every trade, at most once in the venue's publishing interval.
Times: 60 (UTC, milliseconds) and 5060 (integer nanoseconds since 1970 UTC) are the market's clock, not the wall's.
5061 is the session's traded money exactly: price x quantity summed, so that two messages bound an interval's VWAP.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import quickfix as fix

from adapters.fix import venue_messages as vm
from adapters.fix.dialect import Dialect
from adapters.fix.ending import leave_process, log_out
from adapters.fix.sessions import DEFAULT_APPL_VER_ID, DICTIONARIES
from adapters.fix.venue_market import MarketDataDesk
from domain.errors import ConfigError
from domain.ports_venue import DepthUpdate, Report, Snapshot, VenueHandler

_SOH: Final = "\x01"
_LOGOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class FrontConfig:
    """Where and for whom the front listens. clients are the TargetCompIDs of order sessions.

    dictionary: a FIX44.xml; None switches validation by dictionary off.
    listeners: TargetCompIDs of market data sessions beside those of the clients.
    begin_string, dialect: of the order sessions, whose dictionaries are ours but for FIX.4.4; market data is FIX.4.4 always.
    """

    host: str
    port: int
    comp_id: str
    clients: tuple[str, ...]
    store_dir: Path
    dictionary: Path | None = None
    market_data_suffix: str = "-MD"
    heartbeat_s: int = 30
    begin_string: str = "FIX.4.4"
    dialect: Dialect | None = None
    listeners: tuple[str, ...] = ()


def settings_of(config: FrontConfig) -> fix.SessionSettings:
    """QuickFIX settings: one order session and one market data session per client."""
    validation = ["UseDataDictionary=N"]
    if config.dictionary is not None:
        validation = ["UseDataDictionary=Y", f"DataDictionary={config.dictionary}", "ValidateUserDefinedFields=N"]
    lines = [
        "[DEFAULT]",
        "ConnectionType=acceptor",
        "BeginString=FIX.4.4",
        f"SocketAcceptHost={config.host}",
        f"SocketAcceptPort={config.port}",
        "SocketReuseAddress=Y",
        "SocketNodelay=Y",
        "StartTime=00:00:00",
        "EndTime=00:00:00",
        "NonStopSession=Y",
        f"HeartBtInt={config.heartbeat_s}",
        f"FileStorePath={config.store_dir}",
        f"SenderCompID={config.comp_id}",
        *validation,
    ]
    for client in config.clients:
        lines += ["[SESSION]", f"TargetCompID={client}", *_version_lines(config.begin_string)]
    for name in _feeds(config):
        lines += ["[SESSION]", f"TargetCompID={name}", "PersistMessages=N", "ResetOnLogon=Y"]
    config.store_dir.mkdir(parents=True, exist_ok=True)
    path = config.store_dir / "venue.cfg"
    path.write_text("\n".join(lines) + "\n")
    return fix.SessionSettings(str(path))


def _feeds(config: FrontConfig) -> tuple[str, ...]:
    """TargetCompIDs of all market data sessions."""
    return (*(client + config.market_data_suffix for client in config.clients), *config.listeners)


def _version_lines(begin_string: str) -> list[str]:
    """What an order session of another version than FIX 4.4 is told."""
    if begin_string == "FIX.4.4":
        return []
    transport, application = DICTIONARIES[begin_string]
    lines = [f"BeginString={begin_string}", "UseDataDictionary=Y"]
    if transport == application:
        return [*lines, f"DataDictionary={application}"]
    dictionaries = [f"TransportDataDictionary={transport}", f"AppDataDictionary={application}"]
    return [*lines, *dictionaries, f"DefaultApplVerID={DEFAULT_APPL_VER_ID}"]


def die(error: BaseException) -> None:
    """A decision that failed half-way may not be confirmed to the peer: stop as in a crash, and recover at the start."""
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(70)


class VenueFront(fix.Application):
    """The front's engine: port OrderFront of the venue, on a thread of QuickFIX's.

    Args:
        config: where and for whom.
        fatal: called with an error that a callback cannot answer; must not return normally in production.

    Raises:
        ConfigError: QuickFIX refuses the settings, or the port is taken.
    """

    def __init__(self, config: FrontConfig, *, fatal: Callable[[BaseException], None] = die) -> None:
        super().__init__()
        self._config = config
        self._fatal = fatal
        self._handler: VenueHandler | None = None
        self._up: set[str] = set()
        self._market = MarketDataDesk(self._send_to, self._up)
        self._session_ids: dict[str, fix.SessionID] = {}
        for client in config.clients:
            self._session_ids[client] = fix.SessionID(config.begin_string, config.comp_id, client)
        self._feeds = frozenset(_feeds(config))
        for feed in self._feeds:
            self._session_ids[feed] = fix.SessionID("FIX.4.4", config.comp_id, feed)
        try:
            self._settings = settings_of(config)
            self._store = fix.FileStoreFactory(self._settings)
            self._acceptor = fix.SocketAcceptor(self, self._store, self._settings)
        except (fix.ConfigError, fix.RuntimeError) as error:
            raise ConfigError(f"the venue's FIX front cannot start: {error}") from error

    # -- port OrderFront

    def start(self, handler: VenueHandler) -> None:
        """Listen. Raises ConfigError when the port cannot be had."""
        self._handler = handler
        try:
            self._acceptor.start()
        except (fix.ConfigError, fix.RuntimeError) as error:
            raise ConfigError(f"the venue cannot listen on {self._config.host}:{self._config.port}: {error}") from error

    def leave(self) -> NoReturn:
        """Log sessions out, wait for the peers' answers, and end this process: a started engine cannot be stopped."""
        sessions = [_session(session_id) for session_id in self._session_ids.values()]
        log_out(sessions, lambda: bool(self._up), why="the venue closes", wait_s=_LOGOUT_S)
        leave_process()

    def send(self, report: Report, *, possible_resend: bool) -> bool:
        """Store a report, and send it if its session is up; what is stored goes out when the peer asks for it."""
        session_id = self._session_ids.get(report.session)
        if session_id is None:
            return False
        message = vm.reject_message(report) if report.cancel_reject_to else vm.report_message(report)
        if possible_resend:
            message.getHeader().setField(97, "Y")
        if self._config.dialect is not None:
            text = self._config.dialect.outward(vm.text_of(message))
            if not text:
                return True  # this version has no words for it
            message = vm.message_of(text)
        fix.Session.sendToTarget(message, session_id)  # False only says that nobody is connected: it is stored
        return True

    def publish(self, snapshots: Sequence[Snapshot]) -> None:
        """Send W to whoever subscribed to the touch and is connected."""
        self._market.publish(snapshots)

    def publish_depth(self, updates: Sequence[DepthUpdate]) -> None:
        """Send X to whoever subscribed to every level and is connected."""
        self._market.publish_depth(updates)

    def disconnect(self, session: str, hold_ms: int) -> bool:
        """Log a session out; the engine refuses its logon until it has gone and hold_ms have passed since."""
        session_id = self._session_ids.get(session)
        if session_id is None:
            return False
        _session(session_id).logout("disconnected on command")
        threading.Thread(target=self._readmit, args=(session, session_id, hold_ms), name="readmit", daemon=True).start()
        return True

    def refuse(self, session: str, kind: str, msg_type: str, msg_seq_num: int, ref_id: str, text: str) -> None:
        """Send a j or a 3."""
        fix.Session.sendToTarget(vm.refusal_message(kind, msg_type, msg_seq_num, ref_id, text), self._session_ids[session])

    def skip_numbers(self, session: str, count: int) -> None:
        """The next message has a number too high; what is asked for again is filled by the engine."""
        engine = _session(self._session_ids[session])
        engine.setNextSenderMsgSeqNum(engine.getExpectedSenderNum() + count)

    def _readmit(self, session: str, session_id: fix.SessionID, hold_ms: int) -> None:
        deadline = time.monotonic() + _LOGOUT_S  # the engine's timer sends the Logout, within a second
        while session in self._up and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(hold_ms / 1e3)
        _session(session_id).logon()

    # -- QuickFIX callbacks: each is wrapped, since an exception in one kills the engine or the process

    def onCreate(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """A configured session exists: known from the configuration."""

    def onLogon(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """A peer is there."""
        self._guard(lambda: self._up.add(_name(session_id)))

    def onLogout(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """A peer has gone; its subscriptions end."""
        self._guard(lambda: self._gone(_name(session_id)))

    def toAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to add."""

    def fromAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to read in session messages."""

    def toApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing is held back: reports are always resent. Takes no lock: the engine calls it under its own."""

    def fromApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """A message of a peer: decided and in the ledger when this returns."""
        self._guard(lambda: self._receive(self._read(message), _name(session_id)))

    def _guard(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except (fix.FieldNotFound, fix.IncorrectTagValue, fix.UnsupportedMessageType):
            raise  # QuickFIX answers these with j or 3
        except BaseException as error:  # noqa: BLE001  # whatever it is, it must not reach the engine
            self._fatal(error)

    def _read(self, message: fix.Message) -> str:
        text: str = message.toString()
        return text if self._config.dialect is None else self._config.dialect.inward(text).text

    def _gone(self, name: str) -> None:
        self._up.discard(name)
        self._market.gone(name)

    def _receive(self, text: str, session: str) -> None:
        pairs = [pair.split("=", 1) for pair in text.split(_SOH) if pair]
        fields = {int(tag): value for tag, value in pairs}
        handler = self._handler
        assert handler is not None
        match fields.get(35), session in self._feeds:
            case "D", False:
                handler.on_new(vm.new_order(fields, session))
            case "F", False:
                handler.on_cancel(vm.cancel_request(fields, session))
            case "G", False:
                handler.on_replace(vm.cancel_request(fields, session))
            case "H", False:
                handler.on_status(vm.status_request(fields, session))
            case "AF", False:
                handler.on_mass_status(vm.mass_status_request(fields, session))
            case "V", True:
                self._market.request(fields, [value for tag, value in pairs if tag == "55"], session, handler)
            case _:
                raise fix.UnsupportedMessageType

    def _send_to(self, message: fix.Message, session: str) -> None:
        fix.Session.sendToTarget(message, self._session_ids[session])


def _name(session_id: fix.SessionID) -> str:
    """A session is known by its client's CompID."""
    return str(session_id.getTargetCompID().getValue())


def _session(session_id: fix.SessionID) -> fix.Session:
    return fix.Session.lookupSession(session_id)
