"""Requests of an OMS about many orders (35=q, AF, E, K, L, M) to the desk's inputs. What cannot be read is a refusal inside."""

from __future__ import annotations

from typing import Any, Final

from adapters.fix.fields import cut
from adapters.fix.from_client import new_order
from adapters.fix.reading import Reading, symbol_of, unreadable
from adapters.fix.vocabulary import SIDE_OF, SOH
from domain.list_messages import (
    Entry,
    ListCancel,
    ListExecute,
    ListStatusQuery,
    MassCancel,
    MassStatusQuery,
    NewOrderList,
)
from domain.mass import Scope, Selection
from domain.messages import Unreadable
from domain.refusal import Reason, Refusal

SCOPE_OF: Final[dict[str, Scope]] = {  # 530, and 585 but for PARTY
    "1": Scope.SECURITY,
    "2": Scope.UNDERLYING,
    "3": Scope.PRODUCT,
    "4": Scope.CFI_CODE,
    "5": Scope.SECURITY_TYPE,
    "6": Scope.TRADING_SESSION,
    "7": Scope.ALL,
    "8": Scope.MARKET,
    "9": Scope.MARKET_SEGMENT,
    "A": Scope.SECURITY_GROUP,
    "B": Scope.ISSUER,
    "C": Scope.ISSUER_OF_UNDERLYING,
}
_STATUS_SCOPE_OF: Final = {code: scope for code, scope in SCOPE_OF.items() if code in "1234567"} | {"8": Scope.PARTY}
_CHOOSE_NOTHING: Final = (("453", "NoPartyIDs"), ("336", "TradingSessionID"))
ORDERS_MAX: Final = 2000  # of one list
_ALL_OR_NONE: Final = ("all or none", "aon")
_BIDDING: Final = ("1", "2")  # BidType (394): with a bid before the list
_STAGED: Final = {"": True, "1": False, "2": True}  # ListExecInstType (433); a list that does not say waits


def mass_cancel(message: Reading) -> MassCancel | Unreadable:
    """35=q. What narrows it in a way that is not read here leaves it wider, and the answer says so: more is canceled."""
    fields = message.fields
    scope = SCOPE_OF.get(fields["530"])
    if scope is None:
        return unreadable(message, f"MassCancelRequestType (530) {fields['530']!r} is not known")
    selection, refusal = _selection(fields, scope)
    ignored = [f"{name} ({tag})" for tag, name in _CHOOSE_NOTHING if tag in fields]
    return MassCancel(
        **_common(message),
        cl_ord_id=fields["11"],
        scope=scope,
        selection=selection,
        refusal=refusal,
        text=f"{' and '.join(ignored)} did not choose" if ignored else "",
    )


def mass_status_query(message: Reading) -> MassStatusQuery | Unreadable:
    """35=AF."""
    fields = message.fields
    scope = _STATUS_SCOPE_OF.get(fields["585"])
    if scope is None:
        return unreadable(message, f"MassStatusReqType (585) {fields['585']!r} is not known")
    selection, refusal = _selection(fields, scope)
    return MassStatusQuery(
        **_common(message), request_id=fields["584"], scope=scope, selection=selection, refusal=refusal
    )  # fmt: skip


def _selection(fields: dict[str, str], scope: Scope) -> tuple[Selection, Refusal | None]:
    """Symbol where the scope is a security, account and side where they are given."""
    side_code = fields.get("54", "")
    side = SIDE_OF.get(side_code)
    symbol = symbol_of(fields) if scope is Scope.SECURITY else ""
    refusal = None
    if side_code and side is None:
        refusal = Refusal(Reason.UNKNOWN_SIDE, f"Side (54) {side_code!r} is not 1 (buy) or 2 (sell)")
    elif scope is Scope.SECURITY and not symbol:
        refusal = Refusal(Reason.UNKNOWN_SYMBOL, "Symbol (55) is missing")
    return Selection(symbol=symbol, account=fields.get("1", ""), side=side), refusal


def new_order_list(message: Reading) -> NewOrderList:
    """35=E. Every order is read as a 35=D is, with a refusal of its own."""
    entries = _entries(message)
    head = cut(message.text.partition(f"{SOH}11=")[0]) | {tag: message.fields[tag] for tag in _OF_LIST if tag in message.fields}
    instructions = head.get("69", "")
    all_or_none = " ".join(instructions.lower().split()) in _ALL_OR_NONE
    return NewOrderList(
        **_common(message),
        list_id=message.fields["66"],
        staged=_STAGED.get(head.get("433", ""), True),
        all_or_none=all_or_none,
        instructions="" if all_or_none else instructions,
        entries=entries,
        refusal=_list_refusal(head, entries),
    )


_OF_LIST: Final = ("68", "69", "73", "394", "433", "893", "1385")  # fields of a list that no order has


def _entries(message: Reading) -> tuple[Entry, ...]:
    """The orders: each begins with its ClOrdID (11)."""
    found = []
    texts = message.text.split(f"{SOH}11=")[1 : ORDERS_MAX + 2]
    shared = _shared(texts)
    for place, text in enumerate(texts, 1):
        entry = f"11={text}"
        fields = cut(entry)
        if more := "".join(f"{tag}={value}{SOH}" for tag, value in shared if tag not in fields):
            entry = f"{entry}{'' if entry.endswith(SOH) else SOH}{more}"
            fields = cut(entry)
        number = fields.get("67", "")
        seq_no = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else place
        refusals = message.of_entries[place - 1] if place <= len(message.of_entries) else ()
        found.append(Entry(seq_no, new_order(message._replace(fields=fields, text=entry, raw=entry, refusals=refusals))))
    return tuple(found)


def _shared(texts: list[str]) -> list[tuple[str, str]]:
    """Users' fields of the list itself, which every order of it has; taken out of the last order's text.

    The engine puts a list's own fields in the order of their tags and its orders where NoOrders (73) stands, so that they
    follow the last order from BidType (394) on, which every list has.
    """
    if not texts:
        return []
    order, found, rest = texts[-1].partition(f"{SOH}394=")
    if not found:
        return []
    pairs = [(tag, value) for tag, _, value in [field.partition("=") for field in rest.split(SOH)[1:]]]
    shared = [(tag, value) for tag, value in pairs if len(tag) > 4 or (len(tag) == 4 and tag >= "5000")]
    if shared:
        kept = "".join(f"{tag}={value}{SOH}" for tag, value in pairs if tag and (tag, value) not in shared)
        texts[-1] = f"{order}{found}{rest.partition(SOH)[0]}{SOH}{kept}"
    return shared


def _list_refusal(head: dict[str, str], entries: tuple[Entry, ...]) -> Refusal | None:
    """What is wrong with a list as a whole, first things first."""
    get, came = head.get, len(entries)
    said = ""
    if get("893") == "N":
        said = "a list comes in one message here: LastFragment (893) N"
    elif came > ORDERS_MAX:
        said = f"a list has at most {ORDERS_MAX} orders here"
    elif get("73") != str(came) or not came:
        said = f"NoOrders (73) says {get('73', 'nothing')}, but {came} came"
    elif get("68", str(came)) != str(came):
        said = f"a list comes in one message here: TotNoOrders (68) says {get('68')}, but {came} came"
    elif not all(entry.order.cl_ord_id for entry in entries):
        said = "an order of the list has no ClOrdID (11)"
    if said:
        return Refusal(Reason.UNREADABLE, said)
    if get("394") in _BIDDING:
        said = f"BidType (394) {get('394')}: there is no bidding here, only 3 (no bidding process)"
    elif get("1385", "0") != "0":
        said = f"ContingencyType (1385) {get('1385')}: the orders of a list do not depend on one another here"
    elif get("433", "") not in _STAGED:
        said = f"ListExecInstType (433) {get('433')!r} is not 1 (immediate) or 2 (wait for execute)"
    return Refusal(Reason.LIST_UNSUPPORTED, said) if said else None


def list_execute(message: Reading) -> ListExecute:
    """35=L."""
    return ListExecute(**_common(message), list_id=message.fields["66"])


def list_cancel(message: Reading) -> ListCancel:
    """35=K."""
    return ListCancel(**_common(message), list_id=message.fields["66"])


def list_status_query(message: Reading) -> ListStatusQuery:
    """35=M."""
    return ListStatusQuery(**_common(message), list_id=message.fields["66"])


def _common(message: Reading) -> dict[str, Any]:
    return {
        "ref": message.ref,
        "frame": message.frame,
        "raw": message.raw,
        "poss_dup": message.poss_dup,
        "poss_resend": message.poss_resend,
    }
