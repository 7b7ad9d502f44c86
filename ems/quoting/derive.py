"""Events from journal records: what was sent and what the venue said, in the words of `domain.quote`.

Sent bytes are SoupBinTCP frames of OUCH messages, a venue's word is one OUCH message; their reader is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from domain import quote as q
from domain.errors import JournalError, LinkError
from domain.event import Event
from domain.quote import Answer, Why
from domain.values import E9, Side
from ems.quoting import journal as j
from ems.quoting.segments import Record


class Message(NamedTuple):
    """An OUCH message: its name and its fields, as `adapters.ouch.layout` has them."""

    name: str
    fields: Mapping[str, int | str]

    def number(self, name: str) -> int:
        """A field that is a number, 0 where the message has none of this name."""
        return int(self.fields.get(name, 0))

    def text(self, name: str) -> str:
        """A field that is text."""
        return str(self.fields.get(name, ""))


class Codec(NamedTuple):
    """Readers of both directions. Each raises LinkError for bytes that are no such message."""

    sent: Callable[[bytes], Message]
    came: Callable[[bytes], Message]


_E4: Final = 100_000  # prices on the wire have four decimals
_SIDES: Final = {"B": Side.BUY, "S": Side.SELL, "T": Side.SELL, "E": Side.SELL}  # T, E: short, exempt
_ANSWERS: Final = {
    "accepted": Answer.ACCEPTED, "replaced": Answer.REPLACED, "canceled": Answer.CANCELED, "aiq_canceled": Answer.CANCELED,
    "rejected": Answer.REJECTED, "cancel_pending": Answer.CANCEL_PENDING, "cancel_reject": Answer.CANCEL_REJECTED,
    "restated": Answer.RESTATED, "modified": Answer.RESTATED, "broken": Answer.BROKEN,
}  # fmt: skip


class Order(NamedTuple):
    """What an execution's event needs of its order."""

    symbol: str
    side: Side


class Derivation:
    """One session's. It remembers which order is whose, and why the quoter stands still."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._orders: dict[int, Order] = {}
        self._matches: set[int] = set()  # executions of this trade date that the log has
        self._why = Why(0)

    def know(self, event: Event) -> None:
        """Take up an event of the stream that was derived before."""
        match event:
            case q.OrderPlaced():
                self._orders[event.ref] = Order(event.symbol, event.side)
            case q.OrderReplaced() if event.replaced in self._orders:
                self._orders[event.ref] = self._orders[event.replaced]
            case q.Filled():
                self._matches.add(event.match)
            case q.Suspended():
                self._why = Why(sum(bit for bit in Why if bit.words in event.why.split(", ")))
            case q.Resumed():
                self._why = Why(0)

    def events(self, record: Record) -> Iterator[Event]:
        """What follows from a record, in order. Raises JournalError for output that is no message."""
        number, at_ns = record.number, int(record.head[j.NOW_NS])
        why = Why(int(record.head[j.SUSPENDED]))
        if why != self._why:
            self._why = why
            yield q.Suspended(record=number, at_ns=at_ns, why=why.words) if why else q.Resumed(record=number, at_ns=at_ns)
        if record.head[j.KIND] in (j.REPORT, j.REPLAYED) and record.head[j.PART] == 0:
            for event in self._came(record.input, number, at_ns, repeated=record.head[j.KIND] == j.REPLAYED):
                self.know(event)
                yield event
        for payload in frames(record.output, number) if record.head[j.SENT] != j.NOT_SENT else ():
            for event in self._sent(payload, number, at_ns):
                self.know(event)
                yield event

    def _sent(self, payload: bytes, number: int, at_ns: int) -> Iterator[Event]:
        try:
            message = self._codec.sent(payload)
        except LinkError as cause:
            raise JournalError(f"record {number} has sent what is no message: {payload[:64].hex()}") from cause
        common = {"record": number, "at_ns": at_ns, "ref": message.number("user_ref_num")}
        quantity_e9, price_e9 = message.number("quantity") * E9, message.number("price") * _E4
        if message.name == "enter":
            side = _SIDES[message.text("side")]
            yield q.OrderPlaced(
                **common, symbol=message.text("symbol"), side=side, quantity_e9=quantity_e9, price_e9=price_e9
            )  # fmt: skip
        elif message.name == "replace":
            yield q.OrderReplaced(
                **common, replaced=message.number("orig_user_ref_num"), quantity_e9=quantity_e9, price_e9=price_e9
            )  # fmt: skip
        elif message.name in ("cancel", "mass_cancel"):
            mass = message.name == "mass_cancel"
            yield q.CancelSent(**{**common, "ref": 0} if mass else common, quantity_e9=quantity_e9, symbol=message.text("symbol"))
        elif message.name != "account_query":
            raise JournalError(f"record {number} has sent {message.name!r}, which a quoter does not")

    def _came(self, payload: bytes, number: int, at_ns: int, *, repeated: bool) -> Iterator[Event]:
        """repeated: of what another run of the day may have been told already, only executions that the log does not have."""
        try:
            message = self._codec.came(payload)
        except LinkError:
            return  # garbage changes nothing; the record has it, and the kernel's verdict about it
        ref, match, symbol = message.number("user_ref_num"), message.number("match_number"), message.text("symbol")
        common = {"record": number, "at_ns": at_ns, "ref": ref, "quantity_e9": message.number("quantity") * E9,
                  "price_e9": message.number("price") * _E4}  # fmt: skip
        if repeated and symbol and (side := _SIDES.get(message.text("side"))):
            self._orders[ref] = Order(symbol, side)
        if message.name == "executed":
            if repeated and match in self._matches:
                return
            order = self._orders.get(ref)
            yield q.Filled(
                **common, symbol=order.symbol if order else "", side=order.side if order else None, match=match,
                liquidity=message.text("liquidity"),
            )  # fmt: skip
        elif not repeated and (answer := _ANSWERS.get(message.name)) is not None:
            yield q.Answered(**common, answer=answer, reason=str(message.fields.get("reason", "")))


def frames(output: bytes, number: int = 0) -> Iterator[bytes]:
    """The messages in sent bytes, without their SoupBinTCP frames. Raises JournalError for bytes that are not whole frames."""
    at = 0
    while at < len(output):
        length = int.from_bytes(output[at : at + 2], "big")
        if length < 2 or at + 2 + length > len(output) or output[at + 2 : at + 3] != b"U":
            raise JournalError(f"record {number} has sent what is no whole frame at byte {at}")
        yield output[at + 3 : at + 2 + length]
        at += 2 + length
