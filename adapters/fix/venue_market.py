"""Market data of the venue's front: who has subscribed to what, and what they are sent. The messages are in `venue_front`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import quickfix as fix

from adapters.fix import venue_messages as vm
from domain.ports_venue import DepthUpdate, Snapshot, VenueHandler

_SUBSCRIBE, _UNSUBSCRIBE = "1", "2"  # SubscriptionRequestType (263)
_EVERY_LEVEL: Final = "0"  # MarketDepth (264)
_INCREMENTAL: Final = "1"  # MDUpdateType (265)
_NO_SUCH_SYMBOL, _NO_SUCH_DEPTH = "0", "5"  # MDReqRejReason (281)

_State = TypeVar("_State", Snapshot, DepthUpdate)


class _Subscription(NamedTuple):
    request_id: str
    every_level: bool


class MarketDataDesk:
    """Subscriptions by session and symbol. Thread-safe; `send` is called without its lock.

    Args:
        send: a message to a session.
        up: the sessions that are logged on.
    """

    def __init__(self, send: Callable[[fix.Message, str], None], up: set[str]) -> None:
        self._send = send
        self._up = up
        self._subscribed: dict[tuple[str, str], _Subscription] = {}
        self._lock = threading.Lock()

    def publish(self, snapshots: Sequence[Snapshot]) -> None:
        """W to whoever subscribed to the touch and is connected."""
        for snapshot, request_id, name in self._targets(snapshots, every_level=False):
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
        message = self._state(symbol, subscription, handler)
        if message is None:
            with self._lock:
                self._subscribed.pop((session, symbol), None)
            message = vm.market_refusal(request_id, _NO_SUCH_SYMBOL, f"unknown symbol {symbol}")
        elif action == _UNSUBSCRIBE:
            return
        self._send(message, session)

    @staticmethod
    def _state(symbol: str, subscription: _Subscription, handler: VenueHandler) -> fix.Message | None:
        if subscription.every_level:
            depth = handler.depth(symbol)
            return None if depth is None else vm.depth_message(depth, subscription.request_id)
        snapshot = handler.snapshot(symbol)
        return None if snapshot is None else vm.snapshot_message(snapshot, subscription.request_id)

    def _targets(self, states: Sequence[_State], *, every_level: bool) -> list[tuple[_State, str, str]]:
        with self._lock:
            found = [(state, self._subscribed.get((name, state.symbol)), name) for state in states for name in list(self._up)]
        return [(state, to.request_id, name) for state, to, name in found if to is not None and to.every_level == every_level]

    def gone(self, session: str) -> None:
        """A session's subscriptions end with it."""
        with self._lock:
            for key in [key for key in self._subscribed if key[0] == session]:
                del self._subscribed[key]
