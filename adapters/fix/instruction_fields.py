"""Instructions of an order (stop price, expiry, parties, ...) from FIX fields, and as FIX text. Both ways by one table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.fix.fields import NS, number_text, plain, timestamp_ns, timestamp_text
from adapters.fix.reading import number_or_refusal
from adapters.fix.vocabulary import SOH
from domain.errors import NumberError
from domain.instructions import Instructions, Party, PreAllocation
from domain.refusal import Reason, Refusal
from domain.values import to_e9

_NUMBERS: Final = (  # tag, attribute, FIX name, how an unreadable value is refused
    ("99", "stop_price_e9", "StopPx", Reason.PRICE_NOT_POSITIVE),
    ("110", "min_quantity_e9", "MinQty", Reason.QUANTITY_NOT_POSITIVE),
    ("111", "max_floor_e9", "MaxFloor", Reason.QUANTITY_NOT_POSITIVE),
    ("211", "peg_offset_e9", "PegOffsetValue", Reason.PRICE_NOT_POSITIVE),
    ("152", "cash_quantity_e9", "CashOrderQty", Reason.QUANTITY_NOT_POSITIVE),
)
_ECHOED: Final = (("18", "exec_inst"), ("21", "handl_inst"), ("15", "currency"))
_TEXTS: Final = (*_ECHOED, ("100", "route"))
_GROUPS: Final = ("453", "2593", "78")
_EXPIRY: Final = ("126", "432")
INSTRUCTION_TAGS: Final = frozenset([tag for tag, *_ in _NUMBERS] + [tag for tag, _ in _TEXTS] + [*_GROUPS, *_EXPIRY])
_DAY_NS: Final = 86_400 * NS


def read_instructions(fields: dict[str, str], text: str, refusals: list[Refusal], *, direct: bool) -> Instructions | None:
    """What an order says beside its main fields; None where it says nothing. What cannot be read is added to refusals.

    Args:
        fields: the last value of each tag.
        text: the same message; groups are read from it.
        direct: without an algorithm ExpireTime (126) ends the order; with one it is a parameter and not read here.
    """
    if INSTRUCTION_TAGS.isdisjoint(fields):
        return None
    found: dict[str, Any] = {name: fields[tag] for tag, name in _TEXTS if fields.get(tag)}
    for tag, name, said, reason in _NUMBERS:
        value_e9 = number_or_refusal(fields.get(tag), f"{said} ({tag})", reason, refusals)
        if value_e9 is not None:
            found[name] = value_e9
    if direct and (expire_ns := _expire_ns(fields, refusals)) is not None:
        found["expire_ns"] = expire_ns
    try:
        found.update(_groups(fields, text))
    except (ValueError, NumberError) as cause:
        refusals.append(Refusal(Reason.BAD_PARAMETER, str(cause)))
    return Instructions(**found) if found else None


def instructions_text(given: Instructions) -> str:
    """The fields of an order that say the same."""
    return report_text(given) + "".join(
        (f"100={plain(given.route)}{SOH}" if given.route else "", _attributes_text(given), _allocations_text(given))
    )


def report_text(given: Instructions) -> str:
    """As much of them as a report has room for in every version: no destination, attributes and allocations."""
    parts = [f"{tag}={plain(value)}{SOH}" for tag, name in _ECHOED if (value := getattr(given, name))]
    parts += [f"{tag}={number_text(value)}{SOH}" for tag, name, *_ in _NUMBERS if (value := getattr(given, name)) is not None]
    if given.expire_ns is not None:
        parts.append(_expiry_text(given.expire_ns))
    parts.append(_parties_text(given))
    return "".join(parts)


def entries(text: str, first: str) -> Iterator[str]:
    """The entries of a repeating group, each from the value of its first tag on; the last one runs to the text's end."""
    yield from text.split(f"{SOH}{first}=")[1:]


def member(entry: str, tag: str) -> str:
    """The value of a tag in a group's entry, "" where it has none."""
    start = entry.find(f"{SOH}{tag}=")
    return entry[start + len(tag) + 2 :].partition(SOH)[0] if start >= 0 else ""


# --------------------------------------------------------------------------------------------- expiry


def _expire_ns(fields: dict[str, str], refusals: list[Refusal]) -> int | None:
    """ExpireTime (126), or the end of ExpireDate (432) in UTC: no market's session of a date is still open then."""
    try:
        if at := fields.get("126"):
            return timestamp_ns(at)
        if day := fields.get("432"):
            return timestamp_ns(f"{day}-00:00:00") + _DAY_NS - 1
    except ValueError:
        said = f"ExpireTime (126) {at!r} is not a UTC timestamp" if at else f"ExpireDate (432) {day!r} is not a date"
        refusals.append(Refusal(Reason.TIME_IN_FORCE_UNSUPPORTED, said))
    return None


def _expiry_text(expire_ns: int) -> str:
    day, rest_ns = divmod(expire_ns, _DAY_NS)
    if rest_ns == _DAY_NS - 1:  # how the end of a date is kept
        return f"432={datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day):%Y%m%d}{SOH}"
    return f"126={timestamp_text(expire_ns)}{SOH}"


# --------------------------------------------------------------------------------------------- groups


def _groups(fields: dict[str, str], text: str) -> dict[str, Any]:
    """Raises ValueError or NumberError, in a sentence, for a group that says nothing certain."""
    found: dict[str, Any] = {}
    if "453" in fields:
        found["parties"] = tuple(_party(entry) for entry in _counted(fields, text, "453", "448", "NoPartyIDs"))
    if "2593" in fields:
        found["attributes"] = tuple(
            (_whole(_first(entry), "OrderAttributeType (2594)"), member(entry, "2595"))
            for entry in _counted(fields, text, "2593", "2594", "NoOrderAttributes")
        )
    if "78" in fields:
        found["allocations"] = tuple(_allocation(entry) for entry in _counted(fields, text, "78", "79", "NoAllocs"))
    return {name: value for name, value in found.items() if value}


def _counted(fields: dict[str, str], text: str, counter: str, first: str, name: str) -> list[str]:
    found = list(entries(text, first))
    if fields[counter] != str(len(found)):
        raise ValueError(f"{name} ({counter}) says {fields[counter]}, but {len(found)} came")
    return found


def _first(entry: str) -> str:
    return entry.partition(SOH)[0]


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f"{name} {text!r} is not a number")
    return int(text)


def _party(entry: str) -> Party:
    qualifier = member(entry, "2376")
    return Party(
        party_id=_first(entry),
        source=member(entry, "447"),
        role=_whole(member(entry, "452"), "PartyRole (452)"),
        qualifier=_whole(qualifier, "PartyRoleQualifier (2376)") if qualifier else None,
    )


def _allocation(entry: str) -> PreAllocation:
    quantity = member(entry, "80")
    return PreAllocation(
        account=_first(entry), quantity_e9=to_e9(quantity) if quantity else None, individual_id=member(entry, "467")
    )


def _parties_text(given: Instructions) -> str:
    if not given.parties:
        return ""
    parts = [f"453={len(given.parties)}{SOH}"]
    for party in given.parties:
        source = f"447={plain(party.source)}{SOH}" if party.source else ""
        qualifier = f"2376={party.qualifier}{SOH}" if party.qualifier is not None else ""
        parts.append(f"448={plain(party.party_id)}{SOH}{source}452={party.role}{SOH}{qualifier}")
    return "".join(parts)


def _attributes_text(given: Instructions) -> str:
    if not given.attributes:
        return ""
    group = "".join(f"2594={kind}{SOH}2595={plain(value)}{SOH}" for kind, value in given.attributes)
    return f"2593={len(given.attributes)}{SOH}{group}"


def _allocations_text(given: Instructions) -> str:
    if not given.allocations:
        return ""
    parts = [f"78={len(given.allocations)}{SOH}"]
    for part in given.allocations:
        individual = f"467={plain(part.individual_id)}{SOH}" if part.individual_id else ""
        quantity = f"80={number_text(part.quantity_e9)}{SOH}" if part.quantity_e9 is not None else ""
        parts.append(f"79={plain(part.account)}{SOH}{individual}{quantity}")
    return "".join(parts)
