"""Orders and requests of an OMS (35=D, G, F, H, Q) to the desk's inputs. What cannot be read becomes a refusal inside."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from adapters.fix.fields import number_text
from adapters.fix.instruction_fields import INSTRUCTION_TAGS, read_instructions
from adapters.fix.reading import Reading, number_or_refusal, symbol_of, time_ns_of
from adapters.fix.vocabulary import (
    ALGO_OF,
    END_TIME,
    ORD_TYPE_OF,
    PARTICIPATION_RATE,
    SIDE_OF,
    SOH,
    START_TIME,
    TIME_IN_FORCE_OF,
)
from domain.messages import CancelOrder, DontKnowTrade, NewOrder, OrderStatusQuery, ReplaceOrder
from domain.refusal import Reason, Refusal


def new_order(message: Reading) -> NewOrder:
    """35=D."""
    return NewOrder(**_order(message))


def replace_order(message: Reading) -> ReplaceOrder:
    """35=G."""
    return ReplaceOrder(orig_cl_ord_id=message.fields["41"], **_order(message))


def _order(message: Reading) -> dict[str, Any]:
    """The fields that D and G share. The first refusal in the order of domain.refusal.Reason is kept."""
    fields = message.fields
    get = fields.get
    refusals: list[Refusal] = list(message.refusals)
    symbol = symbol_of(fields)
    if not symbol:
        refusals.append(Refusal(Reason.UNKNOWN_SYMBOL, "Symbol (55) is missing"))
    side_code = get("54", "")
    side = SIDE_OF.get(side_code)
    if side is None:
        refusals.append(Refusal(Reason.UNKNOWN_SIDE, f"Side (54) {side_code!r} is not 1 (buy) or 2 (sell)"))
    quantity_e9 = number_or_refusal(get("38"), "OrderQty (38)", Reason.QUANTITY_NOT_POSITIVE, refusals)
    if quantity_e9 is None and "38" not in fields and "152" not in fields:
        refusals.append(Refusal(Reason.QUANTITY_NOT_POSITIVE, "OrderQty (38) is missing"))
    type_code = get("40", "")
    ord_type = ORD_TYPE_OF.get(type_code)
    if ord_type is None:
        refusals.append(Refusal(Reason.ORDER_TYPE_UNSUPPORTED, f"OrdType (40) {type_code!r} is not {_ORD_TYPES}"))
    limit_price_e9 = number_or_refusal(get("44"), "Price (44)", Reason.PRICE_NOT_POSITIVE, refusals)
    force_code = get("59", "0")
    time_in_force = TIME_IN_FORCE_OF.get(force_code)
    if time_in_force is None:
        said = f"TimeInForce (59) {force_code!r} is not {_TIMES_IN_FORCE}"
        refusals.append(Refusal(Reason.TIME_IN_FORCE_UNSUPPORTED, said))
    strategy = get("847", "")
    ours = strategy in ALGO_OF  # another one may be a broker's, who may also know it by a tag that is not read here
    parameters = _parameters(message, refusals, flat=_FLAT_OF_OURS if ours else () if strategy else _FLAT_OF_DIRECT)
    plain = _PLAIN.issuperset(fields)  # one look says for nearly every order that there is nothing more to read
    instructions = None if plain else read_instructions(fields, message.text, refusals, direct=not ours)
    for_broker = (strategy and not ours) or not (plain or ("100" not in fields and _READ.issuperset(fields)))
    return {
        "ref": message.ref,
        "frame": message.frame,
        "raw": message.raw,
        "poss_dup": message.poss_dup,
        "poss_resend": message.poss_resend,
        "cl_ord_id": fields["11"],
        "symbol": symbol,
        "side": side,
        "quantity_e9": quantity_e9 or 0,
        "ord_type": ord_type,
        "limit_price_e9": limit_price_e9,
        "time_in_force": time_in_force,
        "account": get("1", ""),
        "algo": ALGO_OF[strategy] if ours else f"847={strategy}" if strategy else "",
        "parameters": parameters,
        "transact_time_ns": time_ns_of(get("60", "")),
        "instructions": instructions,
        "fields": _pairs(message.text) if for_broker else (),
        "refusal": min(refusals, key=_rank) if refusals else None,
    }


def _rank(refusal: Refusal) -> int:
    return _RANK[refusal.reason]


_RANK: Final = {reason: rank for rank, reason in enumerate(Reason)}


def _one_of(codes: Mapping[str, StrEnum]) -> str:
    said = [f"{code} ({value.value.replace('_', ' ')})" for code, value in codes.items()]
    return f"{', '.join(said[:-1])} or {said[-1]}"


_ORD_TYPES: Final = _one_of(ORD_TYPE_OF)
_TIMES_IN_FORCE: Final = _one_of(TIME_IN_FORCE_OF)


def _pairs(text: str) -> tuple[tuple[int, str], ...]:
    """Every field as it came, for a broker's rules."""
    pairs = [field.partition("=") for field in text.split(SOH)]
    return tuple((int(tag), value) for tag, _, value in pairs if tag.isascii() and tag.isdigit() and len(tag) < _TAG_DIGITS_MAX)


_TAG_DIGITS_MAX: Final = 10
_READ: Final = frozenset(  # what an order has without saying anything that could be a broker's; "" is the text's end
    " 8 9 10 34 35 43 49 50 52 56 57 97 115 116 122 128 129 142 143 144 145 369 1128 "
    "1 11 15 18 21 22 38 40 41 44 48 54 55 58 59 60 63 64 66 67 70 75 78 79 80 99 110 111 126 152 167 168 207 211 432 447 448 "
    "452 453 467 526 528 529 582 583 661 802 523 803 847 849 957 958 959 960 2376 2593 2594 2595".split(" ")
)
_PLAIN: Final = _READ - INSTRUCTION_TAGS


def _parameters(message: Reading, refusals: list[Refusal], *, flat: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The 957 group, and the flat tags that say the same, as (name, value) in the order sent."""
    fields = message.fields
    found = [(name, fields[tag]) for tag, name in flat if tag in fields]
    if flat and "849" in fields:
        found.append((PARTICIPATION_RATE, _flat_participation(fields["849"], refusals)))
    if "957" in fields:
        found += _group(message.text, fields["957"], refusals)
    if not found:
        return ()
    names = [name for name, _ in found]
    if "" in names:
        refusals.append(Refusal(Reason.BAD_PARAMETER, "a StrategyParameterValue (960) has no name (958)"))
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        refusals.append(Refusal(Reason.BAD_PARAMETER, f"the parameter {repeated!r} came twice"))
    return tuple(found)


def _group(text: str, count: str, refusals: list[Refusal]) -> list[tuple[str, str]]:
    """StrategyParametersGrp as (name, value). Every entry begins with its name (958)."""
    found: list[tuple[str, str]] = []
    entries = text.split(f"{SOH}958=")[1:]
    for entry in entries:
        value_at = entry.find(f"{SOH}960=") + 5
        if value_at >= 5:
            found.append((entry[: entry.index(SOH)], entry[value_at:].partition(SOH)[0]))
    if count != str(len(entries)) or len(found) != len(entries):
        said = f"NoStrategyParameters (957) says {count}, but {len(entries)} names and {len(found)} values came"
        refusals.append(Refusal(Reason.BAD_PARAMETER, said))
    return found


_FLAT_OF_OURS: Final = (("168", START_TIME), ("126", END_TIME))
_FLAT_OF_DIRECT: Final = (("168", START_TIME),)  # ExpireTime (126) is no parameter there: it ends the order


def _flat_participation(text: str, refusals: list[Refusal]) -> str:
    """849 is a fraction (0.2 = 20%); the parameter of that name is in percent."""
    fraction_e9 = number_or_refusal(text, "ParticipationRate (849)", Reason.BAD_PARAMETER, refusals)
    return number_text(fraction_e9 * 100) if fraction_e9 is not None else text


def cancel_order(message: Reading) -> CancelOrder:
    """35=F."""
    fields = message.fields
    return CancelOrder(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        cl_ord_id=fields["11"],
        orig_cl_ord_id=fields["41"],
        symbol=symbol_of(fields),
        side=SIDE_OF.get(fields.get("54", "")),
    )


def status_query(message: Reading) -> OrderStatusQuery:
    """35=H."""
    fields = message.fields
    return OrderStatusQuery(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        cl_ord_id=fields["11"],
        symbol=symbol_of(fields),
        side=SIDE_OF.get(fields.get("54", "")),
    )


def dont_know(message: Reading) -> DontKnowTrade:
    """35=Q."""
    fields = message.fields
    return DontKnowTrade(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        order_id=fields.get("37", ""),
        exec_id=fields["17"],
        reason=fields.get("127", ""),
        text=fields.get("58", ""),
    )
