"""Market data of the venue's front: who has subscribed to what, and what they are sent. The messages are in `venue_front`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import quickfix as fix

from adapters.fix import venue_messages as vm
from domain.ports_venue import Depth, DepthUpdate, Snapshot, VenueHandler

_SUBSCRIBE, _UNSUBSCRIBE = "1", "2"  # SubscriptionRequestType (263)
_EVERY_LEVEL: Final = "0"  # MarketDepth (264)
_INCREMENTAL: Final = "1"  # MDUpdateType (265)
_NO_SUCH_SYMBOL, _NO_SUCH_DEPTH = "0", "5"  # MDReqRejReason (281)

_State = TypeVar("_State", Snapshot, DepthUpdate)


class _Subscription(NamedTuple):
    request_id: str
    every_level: bool


class MarketDataDesk:
    """Subscriptions by session and symbol. Thread-safe.

    A subscriber never hears an older touch after a newer one: the answer to its subscription, made by the thread that
    read the request, is left out where a publication has overtaken it.

    Args:
        send: a message to a session.
        up: the sessions that are logged on.
    """

    def __init__(self, send: Callable[[fix.Message, str], None], up: set[str]) -> None:
        self._send = send
        self._up = up
        self._subscribed: dict[tuple[str, str], _Subscription] = {}
        self._lock = threading.Lock()
        self._told_ns: dict[tuple[str, str], int] = {}  # the time of the touch that was published last
        self._order = threading.Lock()  # held while a touch is sent; the venue is not asked for anything meanwhile

    def publish(self, snapshots: Sequence[Snapshot]) -> None:
        """W to whoever subscribed to the touch and is connected."""
        with self._order:
            for snapshot, request_id, name in self._targets(snapshots, every_level=False):
                with self._lock:
                    self._told_ns[name, snapshot.symbol] = snapshot.time_ns
                self._send(vm.snapshot_message(snapshot, request_id), name)

    def publish_depth(self, updates: Sequence[DepthUpdate]) -> None:
        """X to whoever subscribed to every level and is connected."""
        for update, request_id, name in self._targets(updates, every_level=True):
            self._send(vm.update_message(update, request_id), name)

    def request(self, fields: vm.Fields, symbols: list[str], session: str, handler: VenueHandler) -> None:
        """A MarketDataRequest (35=V)."""
        request_id, action = vm.need(fields, 262), vm.need(fields, 263)
        every_level = fields.get(265) == _INCREMENTAL
        if every_level and fields.get(264) != _EVERY_LEVEL:
            self._send(vm.market_refusal(request_id, _NO_SUCH_DEPTH, "increments are of every level: 264=0"), session)
            return
        for symbol in symbols:
            self._answer(request_id, action, symbol, session, handler, every_level=every_level)

    def _answer(
        self, request_id: str, action: str, symbol: str, session: str, handler: VenueHandler, *, every_level: bool
    ) -> None:
        subscription = _Subscription(request_id, every_level)
        with self._lock:
            if action == _SUBSCRIBE:  # before its state is asked for, so that no change of it is missed
                self._subscribed[session, symbol] = subscription
            elif action == _UNSUBSCRIBE:
                self._subscribed.pop((session, symbol), None)
        state = handler.depth(symbol) if every_level else handler.snapshot(symbol)
        if state is None:
            with self._lock:
                self._subscribed.pop((session, symbol), None)
            self._send(vm.market_refusal(request_id, _NO_SUCH_SYMBOL, f"unknown symbol {symbol}"), session)
        elif action != _UNSUBSCRIBE:
            self._tell(state, subscription.request_id, session, subscribed=action == _SUBSCRIBE)

    def _tell(self, state: Snapshot | Depth, request_id: str, session: str, *, subscribed: bool) -> None:
        """Answer with a market's state, unless a subscriber has been told a later touch."""
        if isinstance(state, Depth):
            self._send(vm.depth_message(state, request_id), session)
            return
        with self._order:
            with self._lock:
                told_ns = self._told_ns.get((session, state.symbol), state.time_ns)
            if told_ns <= state.time_ns or not subscribed:
                self._send(vm.snapshot_message(state, request_id), session)

    def _targets(self, states: Sequence[_State], *, every_level: bool) -> list[tuple[_State, str, str]]:
        with self._lock:
            found = [(state, self._subscribed.get((name, state.symbol)), name) for state in states for name in list(self._up)]
        return [(state, to.request_id, name) for state, to, name in found if to is not None and to.every_level == every_level]

    def gone(self, session: str) -> None:
        """A session's subscriptions end with it. The engine may hold what a sender waits for: `_order` is not taken here."""
        with self._lock:
            for by_key in (self._subscribed, self._told_ns):
                for key in [key for key in by_key if key[0] == session]:
                    del by_key[key]
