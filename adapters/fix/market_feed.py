"""A market data session to a venue, from our side: it logs on, asks for every level and trade, and hands on what comes.

The listener is called on the engine's thread, message by message, and must not wait. What it may miss it is told: a session that
went down, and messages that the venue will not send again (a gap filled instead of a resend).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import quickfix as fix

from adapters.fix.ending import log_out
from adapters.fix.engine import build, end_process, load_dictionary
from adapters.fix.market_request import depth_request
from adapters.fix.sessions import SessionConfig, settings_text
from domain.errors import ConfigError

_LOGOUT_S = 1.5


class FeedListener(Protocol):
    """Who is told."""

    def feed_up(self) -> None:
        """Logged on; everything was asked for."""
        ...

    def feed_down(self) -> None:
        """Logged out, or cut."""
        ...

    def feed_gap(self, messages: int) -> None:
        """So many messages will not come."""
        ...

    def feed_message(self, text: str) -> None:
        """An application message as the engine had it."""
        ...


class MarketFeed(fix.Application):
    """One session. It reconnects by itself until `stop`.

    Args:
        directory: of the engine's settings and store; nothing in it outlives a logon.
        session: of role marketdata, kind initiator.

    Raises:
        ConfigError: the engine refuses the settings.
    """

    def __init__(self, directory: Path, session: SessionConfig, listener: FeedListener) -> None:
        super().__init__()
        self._listener = listener
        self._symbols = session.symbols
        self._dictionary = load_dictionary(session.begin_string)
        self._session_id = fix.SessionID(session.begin_string, session.sender_comp_id, session.target_comp_id)
        self._numbers = itertools.count(1)
        self._up = False
        path = directory / "feed.settings"
        path.write_text(settings_text([session], directory / "store"))
        try:
            settings = fix.SessionSettings(str(path))
            self._engine: fix.SocketInitiator | None = fix.SocketInitiator(self, fix.FileStoreFactory(settings), settings)
        except (fix.ConfigError, fix.RuntimeError) as error:
            raise ConfigError(f"the FIX engine refuses its settings: {error}") from error

    @property
    def up(self) -> bool:
        """Whether it is logged on."""
        return self._up

    def start(self) -> None:
        """Connect, and go on connecting."""
        assert self._engine is not None
        self._engine.start()

    def stop(self) -> None:
        """Log out and stop the engine. Stopping twice is harmless."""
        if self._engine is not None:
            log_out([fix.Session.lookupSession(self._session_id)], lambda: self._up, why="the tape ends", wait_s=_LOGOUT_S)
            self._engine.stop()
            self._engine = None

    def ask(self, symbols: Sequence[str]) -> None:
        """Ask for snapshots; the subscription stays as it is."""
        self._send(depth_request(f"S{next(self._numbers)}", tuple(symbols), subscribe=False))

    def _send(self, text: str) -> None:
        fix.Session.sendToTarget(build(text, self._dictionary), self._session_id)

    # -- callbacks

    def onCreate(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogon(self, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(self._logged_on)

    def onLogout(self, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(self._logged_out)

    def toAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Session messages are the engine's."""

    def fromAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(lambda: self._admin(message))

    def toApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to add."""

    def fromApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(lambda: self._listener.feed_message(message.toString()))

    @staticmethod
    def _guarded(act: Callable[[], object]) -> None:
        """An exception in a callback would end the engine in silence."""
        try:
            act()
        except BaseException:  # noqa: BLE001
            end_process("a callback of the market data session")

    def _logged_on(self) -> None:
        self._up = True
        self._send(depth_request(f"D{next(self._numbers)}", self._symbols, subscribe=True))
        self._listener.feed_up()

    def _logged_out(self) -> None:
        if self._up:
            self._up = False
            self._listener.feed_down()

    def _admin(self, message: fix.Message) -> None:
        header = message.getHeader()
        if header.getField(35) == "4" and message.isSetField(123) and message.getField(123) == "Y":
            self._listener.feed_gap(int(message.getField(36)) - int(header.getField(34)))
