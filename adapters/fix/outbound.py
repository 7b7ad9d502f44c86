"""The desk's outputs to FIX text. Pure and quick. The engine adds what belongs to the session (8 9 34 49 52 56 10).

A text begins with MsgType (35), as `engine.build` expects it. Empty values are left out: FIX has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from adapters.fix.fields import number_text, plain, timestamp_text
from adapters.fix.instruction_fields import instructions_text, report_text
from adapters.fix.outbound_allocations import WRITE as WRITE_ALLOCATIONS
from adapters.fix.outbound_lists import WRITE as WRITE_LISTS
from adapters.fix.vocabulary import (
    EXEC_TYPE_CODE,
    ORD_STATUS_CODE,
    ORD_TYPE_CODE,
    SIDE_CODE,
    SOH,
    TARGET_STRATEGY,
    TIME_IN_FORCE_CODE,
)
from domain.algo_parameters import MODELS, wire_fields
from domain.instructions import Instructions
from domain.sending import (
    CancelReject,
    MassStatusPart,
    MessageReject,
    Outbound,
    ParentReport,
    SendChild,
    SendChildCancel,
    SendChildReplace,
    SendDontKnow,
    SendNews,
    SendStatusQuery,
)
from domain.values import OrdType
from domain.wire_parameter import FixType

EMERGENCY_SUFFIX: Final = "K"  # an emergency cancel's ClOrdID: its order's, K, and the number of the cancel-all


def write(message: Outbound) -> str:
    """The text of a message that goes to FIX. Raises KeyError for a kind that is no message (Forget)."""
    return _WRITE[type(message)](message)


def cancel_text(child: SendChild | SendChildReplace) -> str:
    """The cancel of a child, ready but for ClOrdID (11) and TransactTime (60), which the gateway sets when it sends it."""
    return (
        f"35=F{SOH}41={plain(child.cl_ord_id)}{SOH}55={plain(child.instrument)}{SOH}54={SIDE_CODE[child.side]}{SOH}"
        f"38={number_text(child.quantity_e9)}{SOH}"
    )


def _head(msg_type: str, poss_resend: bool) -> str:
    return f"35={msg_type}{SOH}97=Y{SOH}" if poss_resend else f"35={msg_type}{SOH}"


def _field(tag: int, value: str) -> str:
    return f"{tag}={plain(value)}{SOH}" if value else ""


def _send_child(m: SendChild) -> str:
    return f"{_head('D', m.poss_resend)}11={plain(m.cl_ord_id)}{SOH}{_order(m)}"


def _send_child_replace(m: SendChildReplace) -> str:
    return (
        f"{_head('G', m.poss_resend)}{_field(37, m.order_id)}41={plain(m.orig_cl_ord_id)}{SOH}"
        f"11={plain(m.cl_ord_id)}{SOH}{_order(m)}"
    )


def _order(m: SendChild | SendChildReplace) -> str:
    """What D and G share."""
    limit_e9 = m.limit_price_e9
    price = f"44={number_text(limit_e9)}{SOH}" if limit_e9 is not None and m.ord_type not in _WITHOUT_PRICE else ""
    return (
        f"{_field(1, m.account)}55={plain(m.instrument)}{SOH}"
        f"54={SIDE_CODE[m.side]}{SOH}60={timestamp_text(m.transact_time_ns)}{SOH}38={number_text(m.quantity_e9)}{SOH}"
        f"40={ORD_TYPE_CODE[m.ord_type]}{SOH}{price}59={TIME_IN_FORCE_CODE[m.time_in_force]}{SOH}"
        f"{instructions_text(m.instructions) + _strategy(m.instructions) if m.instructions is not None else ''}"
    )


def _strategy(given: Instructions) -> str:
    """The fields of a broker's algorithm."""
    strategy = given.strategy
    if strategy is None:
        return ""
    tags = "".join(f"{tag}={plain(value)}{SOH}" for tag, value in strategy.tags)
    return tags + _group(strategy.parameters)


def _group(parameters: Sequence[tuple[str, int, str]]) -> str:
    """StrategyParametersGrp of (name, type, value)."""
    if not parameters:
        return ""
    entries = "".join([f"958={plain(name)}{SOH}959={kind}{SOH}960={plain(value)}{SOH}" for name, kind, value in parameters])
    return f"957={len(parameters)}{SOH}{entries}"


_WITHOUT_PRICE: Final = (OrdType.MARKET, OrdType.STOP)


def _send_child_cancel(m: SendChildCancel) -> str:
    return (
        f"{_head('F', m.poss_resend)}41={plain(m.orig_cl_ord_id)}{SOH}{_field(37, m.order_id)}11={plain(m.cl_ord_id)}{SOH}"
        f"55={plain(m.instrument)}{SOH}54={SIDE_CODE[m.side]}{SOH}60={timestamp_text(m.transact_time_ns)}{SOH}"
        f"38={number_text(m.quantity_e9)}{SOH}"
    )


def _send_status_query(m: SendStatusQuery) -> str:
    return (
        f"{_head('H', m.poss_resend)}{_field(37, m.order_id)}11={plain(m.cl_ord_id)}{SOH}"
        f"55={plain(m.instrument)}{SOH}54={SIDE_CODE[m.side]}{SOH}"
    )


def _parent_report(m: ParentReport) -> str:
    # Side is required on 8 and its enumeration has no "unknown": 7 (undisclosed) is what FIX offers for it.
    side = SIDE_CODE[m.side] if m.side is not None else "7"
    price = f"44={number_text(m.limit_price_e9)}{SOH}" if m.limit_price_e9 is not None else ""
    trade = f"32={number_text(m.last_quantity_e9)}{SOH}31={number_text(m.last_price_e9)}{SOH}" if m.exec_kind in _TRADES else ""
    reason = f"103={m.ord_rej_reason}{SOH}" if m.ord_rej_reason is not None else ""
    return (
        f"{_head('8', m.poss_resend)}37={plain(m.order_id) or 'NONE'}{SOH}{_field(11, m.cl_ord_id)}{_field(41, m.orig_cl_ord_id)}"
        f"17={plain(m.exec_id) or '0'}{SOH}150={EXEC_TYPE_CODE[m.exec_kind]}{SOH}39={ORD_STATUS_CODE[m.ord_status]}{SOH}"
        f"{reason}{_field(1, m.account)}55={plain(m.symbol) or '[N/A]'}{SOH}54={side}{SOH}38={number_text(m.quantity_e9)}{SOH}"
        f"{price}{trade}151={number_text(m.leaves_quantity_e9)}{SOH}14={number_text(m.cum_quantity_e9)}{SOH}"
        f"6={number_text(m.average_price_e9)}{SOH}60={timestamp_text(m.transact_time_ns)}{SOH}{_field(58, m.text)}"
        f"{_rest(m)}{_algo(m)}"
    )


_TRADES: Final = ("trade", "trade_correct", "trade_cancel")


def _rest(m: ParentReport) -> str:
    """How the order was sent, and what a restatement, a correction or an answer is about."""
    text = f"40={ORD_TYPE_CODE[m.ord_type]}{SOH}" if m.ord_type is not None else ""
    if m.time_in_force is not None:
        text += f"59={TIME_IN_FORCE_CODE[m.time_in_force]}{SOH}"
    if m.exec_ref_id:
        text += _field(19, m.exec_ref_id)
    if m.copied:
        text += f"797=Y{SOH}"
    if m.list_id:
        text += _field(66, m.list_id)
    if m.mass_status is not None:
        text += _mass_status(m.mass_status)
    if m.restatement_reason is not None:
        text += f"378={m.restatement_reason}{SOH}"
    if m.working is not None:
        text += f"636={'Y' if m.working else 'N'}{SOH}"
    if m.day_quantity_e9 is not None:
        text += f"424={number_text(m.day_quantity_e9)}{SOH}"
    if m.day_cum_quantity_e9 is not None:
        text += f"425={number_text(m.day_cum_quantity_e9)}{SOH}"
    return text + report_text(m.instructions) if m.instructions is not None else text


def _mass_status(part: MassStatusPart) -> str:
    return f"584={plain(part.request_id)}{SOH}911={part.reports}{SOH}912={'Y' if part.last else 'N'}{SOH}"


def _algo(m: ParentReport) -> str:
    """The algorithm as it was sent: ours, or a broker's."""
    if m.instructions is not None and m.instructions.strategy is not None:
        return _strategy(m.instructions)
    if not m.algo:
        return ""
    strategy = f"847={TARGET_STRATEGY[m.algo]}{SOH}" if m.algo in TARGET_STRATEGY else ""
    types = _TYPES.get(m.algo, {})
    return strategy + _group([(name, types.get(name, _STRING), value) for name, value in m.parameters if name and value])


_STRING: Final = int(FixType.STRING)
_TYPES: Final = {  # StrategyParameterType (959) of our algorithms' parameters
    str(algo): {wire.parameter.name: int(wire.parameter.type) for wire in wire_fields(model)} for algo, model in MODELS.items()
}


def _cancel_reject(m: CancelReject) -> str:
    return (
        f"{_head('9', m.poss_resend)}37={plain(m.order_id) or 'NONE'}{SOH}11={plain(m.cl_ord_id)}{SOH}"
        f"41={plain(m.orig_cl_ord_id) or 'NONE'}{SOH}39={ORD_STATUS_CODE[m.ord_status]}{SOH}"
        f"434={'1' if m.response_to == 'cancel' else '2'}{SOH}102={m.cxl_rej_reason}{SOH}{_field(58, m.text)}"
    )


def _dont_know(m: SendDontKnow) -> str:
    side = SIDE_CODE[m.side] if m.side is not None else "7"
    return (
        f"{_head('Q', m.poss_resend)}37={plain(m.order_id) or 'NONE'}{SOH}17={plain(m.exec_id)}{SOH}127={plain(m.reason)}{SOH}"
        f"55={plain(m.instrument) or '[N/A]'}{SOH}54={side}{SOH}32={number_text(m.quantity_e9)}{SOH}"
        f"31={number_text(m.price_e9)}{SOH}{_field(58, m.text)}"
    )


def _news(m: SendNews) -> str:
    return f"{_head('B', m.poss_resend)}148={plain(m.headline)}{SOH}33=1{SOH}58={plain(m.text)}{SOH}"


def _message_reject(m: MessageReject) -> str:
    ref_seq_num = f"45={m.ref_seq_num}{SOH}" if m.ref_seq_num > 0 else ""
    return (
        f"{_head('j', m.poss_resend)}{ref_seq_num}372={plain(m.ref_msg_type) or '0'}{SOH}{_field(379, m.ref_id)}"
        f"380={m.business_reject_reason}{SOH}{_field(58, m.text)}"
    )


_WRITE: Final[dict[type[Any], Callable[[Any], str]]] = {
    SendChild: _send_child,
    SendChildReplace: _send_child_replace,
    SendChildCancel: _send_child_cancel,
    SendStatusQuery: _send_status_query,
    ParentReport: _parent_report,
    CancelReject: _cancel_reject,
    MessageReject: _message_reject,
    SendDontKnow: _dont_know,
    SendNews: _news,
    **WRITE_ALLOCATIONS,
    **WRITE_LISTS,
}
