"""FIX text to the desk's inputs. Pure, quick, and total: a bad field becomes a named refusal, never an exception.

The engine has checked structure against the dictionary before; what is left here is meaning. A message that
cannot carry an answer of its own kind (no ClOrdID, a type not spoken) becomes Unreadable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from adapters.fix.fields import cut, number_e9, number_text, occurrences, timestamp_ns
from adapters.fix.vocabulary import (
    ALGO_OF,
    END_TIME,
    EXEC_KIND_OF,
    ORD_STATUS_OF,
    ORD_TYPE_OF,
    PARTICIPATION_RATE,
    SIDE_OF,
    START_TIME,
    TIME_IN_FORCE_OF,
)
from domain.errors import NumberError
from domain.event import InboundRef
from domain.messages import (
    CancelOrder,
    Inbound,
    NewOrder,
    OrderStatusQuery,
    ReplaceOrder,
    Unreadable,
    VenueCancelReject,
    VenueRefusal,
    VenueReport,
)
from domain.refusal import OTHER, Reason, Refusal

MSG_SEQ_NUM_MAX: Final = 2**63 - 1
_ORDER_UNKNOWN: Final = "5"  # OrdRejReason (103)


class Origin(NamedTuple):
    """Where a text came from: what the frame says beside it."""

    session: str
    role: Literal["client", "venue"]
    reset_epoch: int
    frame: int


class _Read(NamedTuple):
    """A text cut into fields, and what every input says of it."""

    fields: dict[str, str]
    ref: InboundRef
    frame: int
    raw: str
    poss_dup: bool
    poss_resend: bool


def read(text: str, origin: Origin) -> Inbound:
    """The input that a message is. Total: whatever the text holds, something is returned.

    Args:
        text: the message; for a session Reject (35=3) its text, NUL, and the text it refers to.
    """
    raw, _, referenced = text.partition("\0")
    fields = cut(raw)
    ref = InboundRef(origin.session, origin.reset_epoch, seq_num(fields.get("34", "")))
    message = _Read(fields, ref, origin.frame, raw, fields.get("43") == "Y", fields.get("97") == "Y")
    msg_type = fields.get("35", "")
    if origin.role == "venue" and msg_type in ("3", "j"):
        return _venue_refusal(message, msg_type, referenced)
    reader = (_FROM_CLIENT if origin.role == "client" else _FROM_VENUE).get(msg_type)
    if reader is None:
        said = f"MsgType (35) {msg_type!r} is not taken from a {origin.role}"
        return _unreadable(message, said, Reason.UNSUPPORTED_MESSAGE)
    missing = _missing(message, msg_type)
    return _unreadable(message, missing) if missing else reader(message)


def seq_num(text: str) -> int:
    """A MsgSeqNum (34, 45), 0 where it is not one."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return value if value <= MSG_SEQ_NUM_MAX else 0


def _unreadable(message: _Read, text: str, reason: Reason = Reason.UNREADABLE) -> Unreadable:
    return Unreadable(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        msg_type=message.fields.get("35", ""),
        ref_id=message.fields.get("11", ""),
        refusal=Refusal(reason, text),
    )


_NEEDED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "D": (("11", "ClOrdID"),),
    "G": (("11", "ClOrdID"), ("41", "OrigClOrdID")),
    "F": (("11", "ClOrdID"), ("41", "OrigClOrdID")),
    "H": (("11", "ClOrdID"),),
    "8": (("17", "ExecID"), ("150", "ExecType")),
    "9": (("11", "ClOrdID"),),
}


def _missing(message: _Read, msg_type: str) -> str:
    for tag, name in _NEEDED.get(msg_type, ()):
        if not message.fields.get(tag):
            return f"{name} ({tag}) is missing"
    return ""


# ------------------------------------------------------------------------------------------ orders from an OMS


def _new_order(message: _Read) -> NewOrder:
    return NewOrder(**_order(message))


def _replace_order(message: _Read) -> ReplaceOrder:
    return ReplaceOrder(orig_cl_ord_id=message.fields["41"], **_order(message))


def _order(message: _Read) -> dict[str, Any]:
    """The fields that D and G share. The first refusal in the order of domain.refusal.Reason is kept."""
    fields = message.fields
    get = fields.get
    refusals: list[Refusal] = []
    symbol = _symbol(fields)
    if not symbol:
        refusals.append(Refusal(Reason.UNKNOWN_SYMBOL, "Symbol (55) is missing"))
    side_code = get("54", "")
    side = SIDE_OF.get(side_code)
    if side is None:
        refusals.append(Refusal(Reason.UNKNOWN_SIDE, f"Side (54) {side_code!r} is not 1 (buy) or 2 (sell)"))
    quantity_e9 = _number(get("38"), "OrderQty (38)", Reason.QUANTITY_NOT_POSITIVE, refusals)
    if quantity_e9 is None and "38" not in fields:
        refusals.append(Refusal(Reason.QUANTITY_NOT_POSITIVE, "OrderQty (38) is missing"))
    type_code = get("40", "")
    ord_type = ORD_TYPE_OF.get(type_code)
    if ord_type is None:
        refusals.append(Refusal(Reason.ORDER_TYPE_UNSUPPORTED, f"OrdType (40) {type_code!r} is not 1 (market) or 2 (limit)"))
    limit_price_e9 = _number(get("44"), "Price (44)", Reason.PRICE_NOT_POSITIVE, refusals)
    force_code = get("59", "0")
    time_in_force = TIME_IN_FORCE_OF.get(force_code)
    if time_in_force is None:
        said = f"TimeInForce (59) {force_code!r} is not 0 (day), 1 (GTC) or 3 (IOC)"
        refusals.append(Refusal(Reason.TIME_IN_FORCE_UNSUPPORTED, said))
    strategy = get("847", "")
    algo = ALGO_OF.get(strategy, strategy)
    if strategy and strategy not in ALGO_OF:
        known = ", ".join(f"{code} ({name})" for code, name in ALGO_OF.items())
        refusals.append(Refusal(Reason.UNKNOWN_ALGO, f"TargetStrategy (847) {strategy!r} is not one of {known}"))
    parameters = _parameters(message, refusals)
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
        "algo": algo,
        "parameters": parameters,
        "transact_time_ns": _time_ns(get("60", "")),
        "refusal": refusals[0] if refusals else None,
    }


def _symbol(fields: dict[str, str]) -> str:
    symbol = fields.get("55", "")
    return fields.get("48", "") if symbol in ("", "[N/A]") else symbol


def _number(text: str | None, name: str, reason: Reason, refusals: list[Refusal]) -> int | None:
    if text is None:
        return None
    try:
        return number_e9(text)
    except NumberError as cause:
        refusals.append(Refusal(reason, f"{name}: {cause}"))
        return None


def _time_ns(text: str) -> int:
    try:
        return timestamp_ns(text)
    except ValueError:
        return 0  # the engine checks its format; a time that is not there is 0, not a reason to refuse


def _exact_time_ns(fields: dict[str, str]) -> int:
    """A venue that gives nanoseconds since 1970 in 5060 means the same moment as TransactTime (60), exactly."""
    return seq_num(fields.get("5060", "")) or _time_ns(fields.get("60", ""))


def _parameters(message: _Read, refusals: list[Refusal]) -> tuple[tuple[str, str], ...]:
    """The 957 group, and the flat tags that say the same, as (name, value) in the order sent."""
    fields = message.fields
    found = [(name, fields[tag]) for tag, name in _FLAT_PARAMETERS if tag in fields]
    if "849" in fields:
        found.append((PARTICIPATION_RATE, _flat_participation(fields["849"], refusals)))
    if "957" in fields:
        found += _group(message.raw, fields["957"], refusals)
    if not found:
        return ()
    names = [name for name, _ in found]
    if "" in names:
        refusals.append(Refusal(Reason.BAD_PARAMETER, "a StrategyParameterValue (960) has no name (958)"))
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        refusals.append(Refusal(Reason.BAD_PARAMETER, f"the parameter {repeated!r} came twice"))
    return tuple(found)


def _group(raw: str, count: str, refusals: list[Refusal]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    name, names = "", 0
    for tag, value in occurrences(raw[raw.find("\x01957=") :], ("958", "960")):  # the group follows its counter
        if tag == "958":
            name = value
            names += 1
        elif tag == "960":
            found.append((name, value))
    if count != str(names) or names != len(found):
        said = f"NoStrategyParameters (957) says {count}, but {names} names and {len(found)} values came"
        refusals.append(Refusal(Reason.BAD_PARAMETER, said))
    return found


_FLAT_PARAMETERS: Final = (("168", START_TIME), ("126", END_TIME))


def _flat_participation(text: str, refusals: list[Refusal]) -> str:
    """849 is a fraction (0.2 = 20%); the parameter of that name is in percent."""
    fraction_e9 = _number(text, "ParticipationRate (849)", Reason.BAD_PARAMETER, refusals)
    return number_text(fraction_e9 * 100) if fraction_e9 is not None else text


def _cancel_order(message: _Read) -> CancelOrder:
    fields = message.fields
    return CancelOrder(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        cl_ord_id=fields["11"],
        orig_cl_ord_id=fields["41"],
        symbol=_symbol(fields),
        side=SIDE_OF.get(fields.get("54", "")),
    )


def _status_query(message: _Read) -> OrderStatusQuery:
    fields = message.fields
    return OrderStatusQuery(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        cl_ord_id=fields["11"],
        symbol=_symbol(fields),
        side=SIDE_OF.get(fields.get("54", "")),
    )


# ------------------------------------------------------------------------------------------ answers of a venue


def _venue_report(message: _Read) -> VenueReport | Unreadable:
    fields = message.fields
    get = fields.get
    exec_kind = EXEC_KIND_OF.get(fields["150"])
    if exec_kind is None:
        return _unreadable(message, f"ExecType (150) {fields['150']!r} is not known")
    refusals: list[Refusal] = []
    numbers = [_number(get(tag, "0"), name, Reason.UNREADABLE, refusals) or 0 for tag, name in _REPORT_NUMBERS]
    if refusals:
        return _unreadable(message, refusals[0].text)
    if exec_kind == "trade" and not (get("32") and get("31")):
        return _unreadable(message, "a trade without LastQty (32) or LastPx (31)")
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
        symbol=_symbol(fields),
        side=SIDE_OF.get(get("54", "")),
        last_quantity_e9=numbers[0],
        last_price_e9=numbers[1],
        cum_quantity_e9=numbers[2],
        leaves_quantity_e9=numbers[3],
        transact_time_ns=_exact_time_ns(fields),
        text=get("58", ""),
        unknown_order=get("103") == _ORDER_UNKNOWN,
    )


_REPORT_NUMBERS: Final = (("32", "LastQty (32)"), ("31", "LastPx (31)"), ("14", "CumQty (14)"), ("151", "LeavesQty (151)"))


def _ord_status(fields: dict[str, str]) -> str:
    """OrdStatus (39) in the domain's word; as sent where it has none."""
    code = fields.get("39", "")
    return ORD_STATUS_OF.get(code, code)


def _venue_cancel_reject(message: _Read) -> VenueCancelReject:
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


def _venue_refusal(message: _Read, msg_type: str, referenced: str) -> VenueRefusal | VenueCancelReject:
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


_Reader = Callable[[_Read], Inbound]
_FROM_CLIENT: Final[dict[str, _Reader]] = {
    "D": _new_order,
    "G": _replace_order,
    "F": _cancel_order,
    "H": _status_query,
}
_FROM_VENUE: Final[dict[str, _Reader]] = {
    "8": _venue_report,
    "9": _venue_cancel_reject,
}
