"""What may be seen at the venue's socket, judged by itself: orders rebuilt from the quoter's bytes and the venue's own messages.

It shares no code with the kernel but the table of OUCH's fields. The bench and the tests ask it after every call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.ouch.layout import Option
from adapters.ouch.messages import Message, decode
from domain.errors import InvariantBroken


@dataclass(slots=True)
class Order:
    """An order of which nobody has said that it is gone. left: lots that may still execute."""

    symbol: str
    side: str
    price_e4: int
    left: int
    replaced_by: int = 0
    taken: int = 0


@dataclass(slots=True)
class Limits:
    """Of every instrument alike."""

    inventory_max_lots: int
    order_max_lots: int


@dataclass(slots=True)
class Judge:
    """What was sent, and what there is. `position`: signed lots by symbol."""

    limits: Limits
    position: dict[str, int] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    last_ref: int = 0
    sent: dict[str, int] = field(default_factory=dict)

    def sees(self, data: bytes, tops: dict[str, tuple[int, int]], *, cancels_alone: bool = False) -> list[Message]:
        """Frames that leave. tops: the market's best bid and ask in 1/10,000 by symbol, 0 without.

        Raises:
            InvariantBroken: one of them breaks a rule.
        """
        messages = [decode("in", payload) for payload in _payloads(data)]
        for message in messages:
            self.sent[message.name] = self.sent.get(message.name, 0) + 1
            if message.name == "cancel":
                _must(message.number("user_ref_num") <= self.last_ref, "a cancel of an order that was never sent", message)
                continue
            _must(not cancels_alone, "nothing but cancels may leave", message)
            _must(message.name in ("enter", "replace"), "a quoter has no use for this", message)
            self._order(message, tops)
        return messages

    def _order(self, message: Message, tops: dict[str, tuple[int, int]]) -> None:
        ref, lots, price = (message.number(name) for name in ("user_ref_num", "quantity", "price"))
        _must(ref > self.last_ref, "a reference number twice", message)
        self.last_ref = ref
        if message.name == "enter":
            order = Order(message.text("symbol"), message.text("side"), price, lots)
            mine = [each for each in self.orders.values() if (each.symbol, each.side) == (order.symbol, order.side)]
            _must(not mine, "a second order on a side", message)
        else:
            old = self.orders.get(message.number("orig_user_ref_num"))
            _must(old is None or (not old.replaced_by and not old.taken), "a second change of an order", message)
            if old is None:  # it has gone meanwhile, of which the quoter could not know
                return
            old.replaced_by = ref
            order = Order(old.symbol, old.side, price, lots)
        self.orders[ref] = order
        _must(0 < lots <= self.limits.order_max_lots, "an order's size", message)
        _must(message.option(Option.POST_ONLY) == b"P", "an order that may take", message)
        bid, ask = tops[order.symbol]
        _must(price > 0 and (price < ask if order.side == "B" else price > bid > 0), f"a quote that crosses {bid} {ask}", message)
        self._own(order, message)

    def _own(self, order: Order, message: Message) -> None:
        """Against our own other side, and what may come of everything that is open."""
        same = [each for each in self.orders.values() if each.symbol == order.symbol]
        bids, asks = ([each.price_e4 for each in same if each.side == side] for side in "BS")
        _must(not bids or not asks or max(bids) < min(asks), "a quote through our own other side", message)
        self.within_limits(order.symbol)

    def within_limits(self, symbol: str) -> None:
        """Raises InvariantBroken where all that is open on one side would lead beyond the limit."""
        same = [each for each in self.orders.values() if each.symbol == symbol]
        held = self.position.get(symbol, 0)
        buying, selling = (sum(each.left for each in same if each.side == side) for side in "BS")
        most = max(held + buying, selling - held)
        _must(most <= self.limits.inventory_max_lots or buying + selling == 0, f"{most} lots of {symbol}", None)

    def told(self, message: Message) -> None:
        """A message of the venue's: what it says is so."""
        ref = message.fields.get("user_ref_num", 0)
        order = self.orders.get(int(ref))
        if message.name == "replaced":
            old = self.orders.pop(message.number("orig_user_ref_num"), None)
            if order is not None and old is not None:
                order.left, order.taken = message.number("quantity"), old.taken
        elif message.name in ("canceled", "executed") and order is not None:
            order.left -= message.number("quantity")
            if message.name == "executed":
                order.taken += message.number("quantity")
                sign = 1 if order.side == "B" else -1
                self.position[order.symbol] = self.position.get(order.symbol, 0) + sign * message.number("quantity")
            if order.left <= 0:
                self._gone(int(ref))
        elif message.name == "rejected" and order is not None:
            self._gone(int(ref))

    def _gone(self, ref: int) -> None:
        order = self.orders.pop(ref)
        self.orders.pop(order.replaced_by, None)  # a replacement of what is gone is never looked at
        for each in self.orders.values():
            if each.replaced_by == ref:
                each.replaced_by = 0


def _payloads(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        _must(data[at + 2 : at + 3] == b"U" and at + 2 + size <= len(data), "bytes that are no whole frame", None)
        yield data[at + 3 : at + 2 + size]
        at += 2 + size


def _must(so: bool, rule: str, message: Message | None) -> None:
    if not so:
        raise InvariantBroken(f"the quoter broke a rule: {rule}" + (f": {message}" if message else ""))
