"""What a venue's own words of a day come to: which orders of ours are still there, and what we hold."""

from __future__ import annotations

from typing import Final, NamedTuple

from ems.quoting.derive import Message

_SIGNS: Final = {"B": 1, "S": -1, "T": -1, "E": -1}
_LIVE: Final = "L"


class _Order(NamedTuple):
    symbol: str
    sign: int


class Reconciliation:
    """Fed with every sequenced report of the day, from the first one on.

    Attributes:
        live: open shares by UserRefNum.
        positions: signed shares by symbol, beside what the day began with.
        next_ref: the next UserRefNum, from the venue's last answer to an account query; 0 before there is one.
    """

    def __init__(self) -> None:
        self.live: dict[int, int] = {}
        self.positions: dict[str, int] = {}
        self.next_ref = 0
        self.unknown: list[str] = []  # what the venue says that follows from nothing before
        self._orders: dict[int, _Order] = {}
        self._executions: dict[int, tuple[int, int]] = {}  # match -> UserRefNum, shares

    def take(self, message: Message) -> None:
        """Fold one report."""
        ref, quantity = message.number("user_ref_num"), message.number("quantity")
        match message.name:
            case "accepted" | "replaced":
                self.live.pop(message.number("orig_user_ref_num"), None)
                self._orders[ref] = _Order(message.text("symbol"), _SIGNS.get(message.text("side"), 0))
                if message.text("state") == _LIVE:
                    self.live[ref] = quantity
            case "executed":
                self._executions[message.number("match_number")] = (ref, quantity)
                self._less(ref, quantity)
                self._hold(ref, quantity)
            case "canceled" | "aiq_canceled":
                self._less(ref, quantity)
            case "modified":
                self.live[ref] = quantity
            case "broken":
                broken = self._executions.pop(message.number("match_number"), None)
                if broken is None:
                    self.unknown.append(f"a broken trade {message.number('match_number')}")
                else:
                    self._hold(broken[0], -broken[1])
            case "account_query_response":
                self.next_ref = message.number("next_user_ref_num")

    def _less(self, ref: int, quantity: int) -> None:
        left = self.live.pop(ref, 0) - quantity
        if left > 0:
            self.live[ref] = left

    def _hold(self, ref: int, quantity: int) -> None:
        order = self._orders.get(ref)
        if order is None or order.sign == 0:
            self.unknown.append(f"an execution of order {ref}")
        else:
            self.positions[order.symbol] = self.positions.get(order.symbol, 0) + order.sign * quantity
