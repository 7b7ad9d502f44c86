"""What an OMS says of allocations (35=J, AT, P) to the desk's inputs. What cannot be read becomes a refusal inside."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from adapters.fix.instruction_fields import entries, member
from adapters.fix.reading import Reading, number_or_refusal, symbol_of, unreadable
from adapters.fix.vocabulary import SIDE_OF, SOH
from domain.allocation import AllocStatus
from domain.allocation_messages import AllocatedOrder, AllocationInstruction, AllocationReportAck
from domain.allocation_terms import Share
from domain.messages import Inbound
from domain.refusal import Reason, Refusal

NEEDED: Final = (("70", "AllocID"),)
DECIMALS_MAX: Final = 9
_ACTION_OF: Final[dict[str, Literal["new", "replace", "cancel"]]] = {"0": "new", "1": "replace", "2": "cancel"}  # 71


def allocation_instruction(message: Reading) -> AllocationInstruction:
    """35=J."""
    get = message.fields.get
    refusals: list[Refusal] = list(message.refusals)
    action = _ACTION_OF.get(get("71", ""))
    if action is None:
        refusals.append(_bad(f"AllocTransType (71) {get('71', '')!r} is not 0 (new), 1 (replace) or 2 (cancel)"))
    orders, shares = _orders(message, refusals), _shares(message, refusals)
    return AllocationInstruction(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        alloc_id=message.fields["70"],
        action=action or "new",
        ref_alloc_id=get("72", ""),
        alloc_type=_small(get("626", ""), "AllocType (626)", 99, refusals),
        trade_date=_trade_date(get("75", ""), refusals),
        symbol=symbol_of(message.fields),
        side=SIDE_OF.get(get("54", "")),
        quantity_e9=_number(get("53"), "Quantity (53)", refusals) or 0,
        average_price_e9=_number(get("6"), "AvgPx (6)", refusals),
        price_decimals=_small(get("74", ""), "AvgPxPrecision (74)", DECIMALS_MAX, refusals),
        currency=get("15", ""),
        orders=orders,
        shares=shares,
        refusal=refusals[0] if refusals else None,
    )


_STATUS_OF: Final[dict[str, AllocStatus]] = {"0": "accepted", "1": "block_reject", "2": "account_reject", "3": "received"}  # 87


def allocation_report_ack(message: Reading) -> Inbound:
    """35=AT."""
    return _ack(message, "755", [])


def allocation_instruction_ack(message: Reading) -> Inbound:
    """35=P: FIX 4.2 has no AllocationReport, so it is told with a J (35=J) and answered like one."""
    refusals: list[Refusal] = []
    trade_date = _trade_date(message.fields.get("75", ""), refusals)
    return _ack(message, "70", refusals, trade_date)


def _ack(message: Reading, named_in: str, refusals: list[Refusal], trade_date: str = "") -> Inbound:
    get = message.fields.get
    status = _STATUS_OF.get(get("87", ""))
    code = _small(get("88", ""), "AllocRejCode (88)", 9999, refusals)
    if status is None:
        refusals.append(_bad(f"AllocStatus (87) {get('87', '')!r} is not 0, 1, 2 or 3"))
    if status is None or refusals:
        return unreadable(message, refusals[0].text)
    return AllocationReportAck(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        report_id=message.fields[named_in],
        alloc_id=get("70", ""),
        trade_date=trade_date,
        status=status,
        reject_code=code,
        text="; ".join(said for said in (get("58", ""), *_faults(message)) if said),
    )


def _faults(message: Reading) -> list[str]:
    """What it says of single accounts (NoAllocs 78): AllocText (161), or IndividualAllocRejCode (776)."""
    start = message.text.find(f"{SOH}78=")
    found = []
    for entry in entries(message.text[start:], "79") if start >= 0 else ():
        text, code = member(entry, "161"), member(entry, "776")
        if text or code:
            found.append(f"{_head(entry)}: {text or f'reject code {code}'}")
    return found


def _orders(message: Reading, refusals: list[Refusal]) -> tuple[AllocatedOrder, ...]:
    """NoOrders (73). An order that came to us some other way than FIX has the word MANUAL for a ClOrdID: none of ours."""
    found = _group(message, "73", "11", "NoOrders", refusals)
    return tuple(
        AllocatedOrder(_head(entry), member(entry, "37"), _number(_given(entry, "800"), "OrderBookingQty (800)", refusals))
        for entry in found
    )


def _shares(message: Reading, refusals: list[Refusal]) -> tuple[Share, ...]:
    """NoAllocs (78)."""
    return tuple(
        Share(
            account=_head(entry),
            quantity_e9=_number(_given(entry, "80"), "AllocQty (80)", refusals),
            individual_id=member(entry, "467"),
            price_e9=_number(_given(entry, "366"), "AllocPrice (366)", refusals),
        )
        for entry in _group(message, "78", "79", "NoAllocs", refusals)
    )


def _group(message: Reading, counter: str, first: str, name: str, refusals: list[Refusal]) -> list[str]:
    """The entries of a group, each from the value of its first field on."""
    text = message.text
    start = text.find(f"{SOH}{counter}=")
    if start < 0:
        return []
    found = list(entries(text[start:], first))
    if message.fields[counter] != str(len(found)):
        refusals.append(_bad(f"{name} ({counter}) says {message.fields[counter]}, but {len(found)} came"))
    return found


def _head(entry: str) -> str:
    return entry.partition(SOH)[0]


def _given(entry: str, tag: str) -> str | None:
    return member(entry, tag) or None


def _number(text: str | None, name: str, refusals: list[Refusal]) -> int | None:
    return number_or_refusal(text, name, Reason.BAD_PARAMETER, refusals)


def _small(text: str, name: str, largest: int, refusals: list[Refusal]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 4 and int(text) <= largest:
        return int(text)
    refusals.append(_bad(f"{name} {text!r} is not a number from 0 to {largest}"))
    return None


def _trade_date(text: str, refusals: list[Refusal]) -> str:
    """ISO; as it came where it is no date."""
    try:
        return date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:]}").isoformat()
    except ValueError:
        refusals.append(_bad(f"TradeDate (75) {text!r} is not a date"))
        return text


def _bad(text: str) -> Refusal:
    return Refusal(Reason.BAD_PARAMETER, text)
