"""The server's end of SoupBinTCP sessions: one thread for all connections, one sequenced stream for each account.

What is sent goes into the account's stream first; whoever is logged on gets the stream from the number that the login asked for,
as fast as its socket takes it. A second login of an account ends the first connection.
"""

from __future__ import annotations

import hmac
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

import numpy as np

from adapters.ouch.compiled import next_frame
from adapters.ouch.soup import NO_SESSION, NOT_AUTHORISED, PATIENCE_S, Login, accepted_packet, packet, read_login
from adapters.ouch.soup_peer import Peer
from adapters.ouch.soup_stream import Stream
from domain.errors import ConfigError, LinkError

_TICK_S: Final = 0.25
_STRANGERS_MAX: Final = 64  # connections that have not logged on


class SoupApplication(Protocol):
    """What a server calls, on its own thread and without its lock."""

    def on_login(self, account: str) -> None: ...

    def on_message(self, account: str, message: bytes) -> None: ...

    def on_gone(self, account: str) -> None: ...


class SoupServer:
    """Listens from the start; lets peers in on a thread of its own from `start` to `close`.

    Args:
        passwords: account to its password. streams: account to its stream, which the server closes.
        application: who is told.
        fatal: called with an error of the application or of ours; must not return in production.

    Raises:
        ConfigError: the port is taken.
    """

    def __init__(
        self,
        address: tuple[str, int],
        passwords: Mapping[str, str],
        streams: Mapping[str, Stream],
        application: SoupApplication,
        fatal: Callable[[BaseException], None],
    ) -> None:
        self._passwords, self._streams, self._application, self._fatal = passwords, streams, application, fatal
        self._lock = threading.RLock()  # of streams, of what peers are sent, and of who is logged on
        self._on: dict[str, Peer] = {}
        self._held: dict[str, float] = {}  # account -> until when its login is refused
        self._peers: set[Peer] = set()
        self._over = False
        self._selector = selectors.DefaultSelector()
        try:
            self._listener = socket.create_server(address, backlog=_STRANGERS_MAX)
        except OSError as error:
            raise ConfigError(f"nothing can listen on {address[0]}:{address[1]}: {error.strerror or error}") from error
        self._wake, self._woken = socket.socketpair()
        for sock in (self._listener, self._wake, self._woken):
            sock.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        next_frame(np.zeros(4, np.uint8), 0, 0)  # compiled before anybody waits for it
        self._thread = threading.Thread(target=lambda: self._tell(self._serve), name="soup", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Let peers in."""
        self._thread.start()

    def send(self, account: str, message: bytes) -> None:
        """A sequenced message: kept, and sent if somebody is there. Any thread. Raises OSError when it cannot be kept."""
        with self._lock:
            self._streams[account].append(message)
            peer = self._on.get(account)
            if peer is not None and not peer.flush():
                self._wake_up()

    def logged_on(self, account: str) -> bool:
        """Whether somebody is there."""
        with self._lock:
            return account in self._on

    def disconnect(self, account: str, hold_s: float) -> None:
        """Cut an account's connection, and refuse its logins for so long. Any thread."""
        with self._lock:
            self._held[account] = time.monotonic() + hold_s
            peer = self._on.get(account)
            if peer is not None:
                with suppress(OSError):  # it may be gone already; the thread sees either
                    peer.socket.shutdown(socket.SHUT_RDWR)

    def close(self, *, ended: bool) -> None:
        """Cut all connections. ended: the sessions are over for good, and the peers are told so."""
        with self._lock:
            if ended:
                for stream in self._streams.values():
                    stream.end()
                for peer in self._on.values():
                    peer.ending = True
                    peer.flush()
            self._over = True
        self._wake_up()
        if self._thread.is_alive():
            self._thread.join()
        for each in [*self._peers]:
            self._close(each)
        for sock in (self._listener, self._wake, self._woken):
            sock.close()
        self._selector.close()
        for stream in self._streams.values():
            stream.close()

    # -- the thread

    def _serve(self) -> None:
        while not self._over:
            for key, _ in self._selector.select(_TICK_S):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._woken:
                    self._woken.recv(1 << 12)
                else:
                    for letter, payload in key.data.packets():
                        self._packet(key.data, letter, payload)
            self._tend(time.monotonic())

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # it has gone before we looked
            return
        strangers = [peer for peer in self._peers if not peer.account]
        if len(strangers) >= _STRANGERS_MAX:  # the oldest makes room: those who never log on keep nobody out
            self._close(min(strangers, key=lambda peer: peer.since_s))
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Peer(sock, time.monotonic())
        self._peers.add(peer)
        self._selector.register(sock, selectors.EVENT_READ, peer)

    def _packet(self, peer: Peer, letter: str, payload: bytes) -> None:
        if not peer.account:
            if letter == "L" and not peer.ending:
                self._log_on(peer, payload)
            else:
                peer.open = False
        elif letter == "U":
            self._application.on_message(peer.account, payload)
        elif letter not in "R+":
            peer.open = False  # it logs out (O), or says what no client says

    def _log_on(self, peer: Peer, payload: bytes) -> None:
        try:
            login = read_login(payload)
        except LinkError:
            peer.open = False
            return
        with self._lock:
            reason = self._refusal(login)
            if reason:
                peer.out += packet(b"J", reason.encode())
                peer.ending = True
                return
            earlier = self._on.get(login.username)
        if earlier is not None:
            self._drop(earlier)
        self._application.on_login(login.username)
        with self._lock:
            peer.account, peer.stream = login.username, self._streams[login.username]
            peer.next = login.number or peer.stream.next_number
            peer.patience_s = login.patience_ms / 1e3 or PATIENCE_S
            peer.out += accepted_packet(peer.stream.name, peer.next)
            self._on[login.username] = peer

    def _refusal(self, login: Login) -> str:
        """Why a login cannot be taken, "" if it can."""
        wanted = self._passwords.get(login.username)
        if wanted is None or not hmac.compare_digest(wanted.encode(), login.password.encode()):
            return NOT_AUTHORISED
        stream = self._streams[login.username]
        held = self._held.get(login.username, 0.0) > time.monotonic()
        known = login.session in ("", stream.name) and login.number <= stream.next_number and not stream.ended
        return "" if known and not held else NO_SESSION

    def _tend(self, now_s: float) -> None:
        """After whatever happened, and a few times a second."""
        for peer in [*self._peers]:
            if peer.open:
                with self._lock:
                    whole = peer.tend(now_s)
                if peer.open:
                    self._selector.modify(peer.socket, selectors.EVENT_READ | (0 if whole else selectors.EVENT_WRITE), peer)
            if not peer.open:
                self._drop(peer)

    def _drop(self, peer: Peer) -> None:
        self._close(peer)
        with self._lock:
            was_on = bool(peer.account) and self._on.get(peer.account) is peer
            if was_on:
                del self._on[peer.account]
        if was_on:
            self._application.on_gone(peer.account)

    def _close(self, peer: Peer) -> None:
        if peer in self._peers:
            self._peers.discard(peer)
            self._selector.unregister(peer.socket)
            peer.close()

    def _tell(self, action: Callable[[], None]) -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001  # half a decision may not be gone on with
            self._fatal(error)

    def _wake_up(self) -> None:
        with suppress(BlockingIOError):  # enough wakes wait already
            self._wake.send(b"x")
