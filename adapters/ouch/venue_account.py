"""What the venue's front knows of one account: its orders by UserRefNum, and what may be asked for. Pure.

The ledger's ClOrdID of an order is its UserRefNum in digits; a request to cancel has one of its own, "<ref>.0", and one that
takes shares out "<ref>.<what the order comes to then>": the same request again has the same id, and is not acted upon again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.ouch.layout import Option, Reject
from adapters.ouch.messages import Message, decode
from domain.ports_venue import CancelRequest, Listing, NewOrder
from domain.values import E9

PRICE_UNIT_E9: Final = E9 // 10_000
PRICE_MAX_E4: Final = 1_999_999_900  # 199,999.99 USD
QUANTITY_MAX: Final = 999_999
_SIDES: Final = {"B": 1, "S": -1, "T": -1, "E": -1}
_TIFS: Final = {"0": "day", "3": "ioc"}
_TERMS: Final = ("side", "display", "capacity", "sweep", "cross_type", "cl_ord_id")
DEFAULTS: Final[Mapping[str, str]] = {"display": "Y", "capacity": "P", "sweep": "N", "cross_type": "N", "cl_ord_id": ""}
_NOT_SPOKEN: Final[Mapping[int, Reject]] = {
    Option.MIN_QUANTITY: Reject.OTHER,
    Option.MAX_FLOOR: Reject.INVALID_DISPLAY,
    Option.PEG_OFFSET: Reject.PEGGING_NOT_ALLOWED,
    Option.DISCRETION_PRICE: Reject.OTHER,
    Option.DISCRETION_PRICE_TYPE: Reject.OTHER,
    Option.DISCRETION_PEG_OFFSET: Reject.PEGGING_NOT_ALLOWED,
    Option.RANDOM_RESERVES: Reject.INVALID_DISPLAY,
    Option.ROUTE: Reject.ROUTING_NOT_ALLOWED,
    Option.EXPIRE_TIME: Reject.OTHER,
}


@dataclass(slots=True)
class Known:
    """An order that lives. quantity: what it may come to in total, in shares; left: of it what may still execute."""

    ref: int
    symbol: str
    side: str
    quantity: int
    left: int
    cl_ord_id: str  # the ledger's current one
    terms: Mapping[str, str] = field(default_factory=lambda: DEFAULTS)


@dataclass(slots=True)
class Account:
    """One account's day."""

    name: str
    firm: str
    last_ref: int = 0
    orders: dict[int, Known] = field(default_factory=dict)
    terms: dict[int, tuple[Mapping[str, str], tuple[tuple[int, bytes], ...]]] = field(default_factory=dict)  # asked, unanswered
    disabled: bool = False  # order entry, on request
    ignored: int = 0  # messages whose UserRefNum was used before, or that no message is

    def use(self, ref: int) -> bool:
        """Whether a UserRefNum is a new one. Source: it increases strictly over the day; anything else is ignored."""
        if ref <= self.last_ref:
            self.ignored += 1
            return False
        self.last_ref = ref
        return True

    def fault(self, message: Message, listings: Mapping[str, Listing]) -> Reject | None:
        """Why an Enter or Replace Order cannot be taken, as far as can be said without the market."""
        if self.disabled:
            return Reject.FIRM_NOT_AUTHORIZED
        enter = message.name == "enter"
        known = None if enter else self.orders.get(message.number("orig_user_ref_num"))
        listing = listings.get(message.text("symbol") if enter else known.symbol if known else "")
        if not enter and known is None:
            return Reject.REPLACE_NOT_ALLOWED
        if listing is None:
            return Reject.INVALID_SYMBOL
        if enter and message.text("side") not in _SIDES:
            return Reject.INVALID_SIDE
        if enter and message.text("cross_type") != "N":
            return Reject.INVALID_CROSS_ORDER
        return self._terms_fault(message) or number_fault(message.number("quantity"), message.number("price"), listing)

    def _terms_fault(self, message: Message) -> Reject | None:
        if message.text("time_in_force") not in _TIFS:
            return Reject.OTHER
        if message.text("display") not in ("Y", "A"):
            return Reject.INVALID_DISPLAY
        if message.text("sweep") != "N":
            return Reject.ISO_NOT_ALLOWED
        for tag, value in message.options:
            if tag == Option.FIRM and value.decode("latin-1").strip() not in ("", self.firm):
                return Reject.FIRM_NOT_AUTHORIZED
            if tag == Option.PRICE_TYPE and value != b"L":
                return Reject.PEGGING_NOT_ALLOWED
            if tag == Option.POST_ONLY and value not in (b"P", b"N"):
                return Reject.OTHER
            if (why := _NOT_SPOKEN.get(tag)) and any(value):
                return why
        return None

    def new_order(self, message: Message, *, no_self_match: bool) -> NewOrder:
        """An Enter Order that has no fault, for the venue. What is asked besides is kept for its Accepted."""
        ref = message.number("user_ref_num")
        self.terms[ref] = ({name: message.text(name) for name in _TERMS}, message.options)
        return NewOrder(
            session=self.name,
            cl_ord_id=str(ref),
            symbol=message.text("symbol"),
            side=_SIDES[message.text("side")],
            ord_type="limit",
            tif=_TIFS[message.text("time_in_force")],
            quantity_e9=message.number("quantity") * E9,
            price_e9=message.number("price") * PRICE_UNIT_E9,
            account=self.firm,
            possible_repeat=False,
            post_only=message.option(Option.POST_ONLY) == b"P",
            no_self_match=no_self_match,
        )

    def replacement(self, message: Message) -> CancelRequest:
        """A Replace Order that has no fault, for the venue."""
        ref, known = message.number("user_ref_num"), self.orders[message.number("orig_user_ref_num")]
        asked = {name: message.text(name) for name in _TERMS if name in message.fields}
        self.terms[ref] = ({**known.terms, **asked}, message.options)
        return replace(
            self._request(known, str(ref)),
            quantity_e9=message.number("quantity") * E9,
            price_e9=message.number("price") * PRICE_UNIT_E9,
            tif=_TIFS[message.text("time_in_force")],
            post_only=message.option(Option.POST_ONLY) == b"P",
        )

    def reduction(self, known: Known, quantity: int) -> CancelRequest | None:
        """A Cancel Order: down to so many shares in total, 0 for none. None where that changes nothing."""
        if quantity >= known.quantity:
            return None
        if quantity <= known.quantity - known.left:
            return self._request(known, f"{known.ref}.0")
        return replace(self._request(known, f"{known.ref}.{quantity}"), quantity_e9=quantity * E9)

    def _request(self, known: Known, cl_ord_id: str) -> CancelRequest:
        return CancelRequest(
            session=self.name,
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id=known.cl_ord_id,
            symbol=known.symbol,
            side=_SIDES[known.side],
            possible_repeat=False,
        )

    def told(self, message: Message) -> None:
        """What a report that the account is sent says about its orders. Reports of a day, in order, rebuild the account."""
        fields = message.fields
        ref = message.number("user_ref_num") if "user_ref_num" in fields else 0
        self.last_ref = max(self.last_ref, ref)
        self.terms.pop(ref, None)
        match message.name:
            case "accepted" | "replaced":
                left = quantity = message.number("quantity")
                if message.name == "replaced" and (old := self.orders.pop(message.number("orig_user_ref_num"), None)):
                    quantity += old.quantity - old.left  # a Replaced tells what is outstanding
                terms = {name: message.text(name) for name in _TERMS}
                if left:
                    self.orders[ref] = Known(ref, message.text("symbol"), message.text("side"), quantity, left, str(ref), terms)
            case "disable_response" | "enable_response":
                self.disabled = message.name == "disable_response"
            case "canceled" | "aiq_canceled" if known := self.orders.get(ref):
                known.quantity -= message.number("quantity")
                known.left -= message.number("quantity")
                known.cl_ord_id = f"{ref}.{known.quantity}"
                self._settle(known)
            case "executed" if known := self.orders.get(ref):
                known.left -= message.number("quantity")
                self._settle(known)

    def _settle(self, known: Known) -> None:
        if known.left <= 0:
            self.orders.pop(known.ref, None)


def rebuilt(name: str, firm: str, messages: Iterable[bytes]) -> Account:
    """An account as the reports of its day so far leave it."""
    account = Account(name, firm)
    for data in messages:
        account.told(decode("out", data))
    return account


def number_fault(quantity: int, price_e4: int, listing: Listing) -> Reject | None:
    """Why the numbers of an order cannot be taken."""
    if not 0 < quantity <= QUANTITY_MAX or quantity * E9 % listing.lot_size_e9:
        return Reject.INVALID_QUANTITY
    if not 0 < price_e4 <= PRICE_MAX_E4 or price_e4 * PRICE_UNIT_E9 % listing.tick_size_e9:
        return Reject.INVALID_PRICE
    return None
