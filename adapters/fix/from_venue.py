"""Answers of a venue (35=8, 9, r, j, 3) to the desk's inputs."""

from __future__ import annotations

from typing import Final

from adapters.fix.fields import cut, number_e9
from adapters.fix.reading import Reading, number_or_refusal, seq_num, symbol_of, time_ns_of, unreadable
from adapters.fix.vocabulary import EXEC_KIND_OF, ORD_STATUS_OF, SIDE_OF
from domain.errors import NumberError
from domain.messages import SessionNews, Unreadable, VenueCancelReject, VenueRefusal, VenueReport
from domain.refusal import OTHER, Reason, Refusal

_ORDER_UNKNOWN: Final = "5"  # OrdRejReason (103)
_REPLACED: Final = "5"  # OrdStatus (39) of FIX 4.2, left out since: the order rests as its quantities say


def venue_report(message: Reading) -> VenueReport | Unreadable:
    """35=8. One that cannot be booked as it stands is unreadable."""
    fields = message.fields
    get = fields.get
    exec_kind = EXEC_KIND_OF.get(fields["150"])
    if exec_kind is None:
        return unreadable(message, f"ExecType (150) {fields['150']!r} is not known")
    try:
        numbers = [number_e9(get(tag, "0")) for tag in _REPORT_NUMBERS]
    except NumberError as cause:
        return unreadable(message, _which_number(fields, cause))
    if exec_kind in ("trade", "trade_correct") and not (get("32") and get("31")):
        return unreadable(message, "a trade without LastQty (32) or LastPx (31)")
    if exec_kind in ("trade_correct", "trade_cancel") and not get("19"):
        return unreadable(message, "a bust or correction without ExecRefID (19)")
    reason, restated, working = get("103", ""), get("378", ""), get("636")
    return VenueReport(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        cl_ord_id=get("11", ""),
        orig_cl_ord_id=get("41", ""),
        order_id=get("37", ""),
        exec_id=fields["17"],
        exec_kind=exec_kind,
        ord_status=_ord_status(fields),
        symbol=symbol_of(fields),
        side=SIDE_OF.get(get("54", "")),
        last_quantity_e9=numbers[0],
        last_price_e9=numbers[1],
        cum_quantity_e9=numbers[2],
        leaves_quantity_e9=numbers[3],
        transact_time_ns=_exact_time_ns(fields),
        text=get("58", ""),
        unknown_order=reason == _ORDER_UNKNOWN,
        quantity_e9=numbers[4],
        limit_price_e9=numbers[5] if "44" in fields else None,
        exec_ref_id=get("19", ""),
        restatement_reason=seq_num(restated) if restated else None,
        working=None if working is None else working == "Y",
        ord_rej_reason=seq_num(reason) if reason else None,
        last_of=get("584", "") if get("912") == "Y" else "",
    )


_REPORT_NUMBERS: Final = {
    "32": "LastQty (32)",
    "31": "LastPx (31)",
    "14": "CumQty (14)",
    "151": "LeavesQty (151)",
    "38": "OrderQty (38)",
    "44": "Price (44)",
}


def _which_number(fields: dict[str, str], cause: NumberError) -> str:
    """The first number that cannot be read, and why."""
    refusals: list[Refusal] = []
    for tag, name in _REPORT_NUMBERS.items():
        number_or_refusal(fields.get(tag), name, Reason.UNREADABLE, refusals)
    return refusals[0].text if refusals else str(cause)


def _ord_status(fields: dict[str, str]) -> str:
    """OrdStatus (39) in the domain's word; as sent where it has none."""
    code = fields.get("39", "")
    if code == _REPLACED:
        code = "2" if _is_zero(fields.get("151", "")) else "0" if _is_zero(fields.get("14", "0")) else "1"
    return ORD_STATUS_OF.get(code, code)


def _is_zero(text: str) -> bool:
    return text != "" and not text.strip("0.")


def venue_cancel_reject(message: Reading) -> VenueCancelReject:
    """35=9."""
    fields = message.fields
    reason = fields.get("102", "")
    return VenueCancelReject(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        cl_ord_id=fields["11"],
        orig_cl_ord_id=fields.get("41", ""),
        response_to="replace" if fields.get("434") == "2" else "cancel",
        reason=seq_num(reason) if reason else OTHER,
        ord_status=_ord_status(fields),
        text=fields.get("58", ""),
    )


def venue_refusal(message: Reading, msg_type: str, referenced: str) -> VenueRefusal | VenueCancelReject:
    """A 3 or j. It names our message by number or id; the gateway has put the text that it refers to beside it."""
    fields = message.fields
    ours = cut(referenced)
    ref_msg_type = fields.get("372", "") or ours.get("35", "")
    ref_id = fields.get("379", "") or ours.get("11", "")
    text = fields.get("58", "") or f"refused by {'the session' if msg_type == '3' else 'the application'} without a reason"
    if ref_msg_type in ("F", "G") and ref_id:
        return VenueCancelReject(
            ref=message.ref,
            frame=message.frame,
            raw=message.raw,
            poss_dup=message.poss_dup,
            poss_resend=message.poss_resend,
            cl_ord_id=ref_id,
            orig_cl_ord_id=ours.get("41", ""),
            response_to="cancel" if ref_msg_type == "F" else "replace",
            reason=OTHER,
            ord_status="",
            text=text,
        )
    return VenueRefusal(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        ref_cl_ord_id=ref_id,
        ref_seq_num=seq_num(fields.get("45", "")),
        ref_msg_type=ref_msg_type,
        text=text,
    )


def venue_mass_cancel_report(message: Reading) -> SessionNews:
    """35=r, to the kill switch's mass cancel. What became of each order the venue tells, or is asked."""
    fields = message.fields
    refused = fields.get("531", "") == "0"
    why, count = fields.get("532", "not given"), fields.get("533", "an unknown number of")
    what = f"refused, reason {why}" if refused else f"{count} orders"
    said = f": {fields['58']}" if fields.get("58") else ""
    text = f"the venue's answer to the mass cancel {fields.get('11', '')}: {what}{said}"
    return SessionNews(ref=message.ref, frame=message.frame, raw=message.raw, text=text)


def _exact_time_ns(fields: dict[str, str]) -> int:
    """A venue that gives nanoseconds since 1970 in 5060 means the same moment as TransactTime (60), exactly."""
    return seq_num(fields.get("5060", "")) or time_ns_of(fields.get("60", ""))
