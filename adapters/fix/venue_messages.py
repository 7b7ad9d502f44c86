"""Messages of the venue's front, to and from the domain's words. Pure; the tags are listed in `venue_front`."""

from __future__ import annotations

from typing import Final

import quickfix as fix

from adapters.fix.fields import timestamp_ns, timestamp_text
from adapters.fix.vocabulary import SOH
from domain.errors import NumberError
from domain.ports_venue import CancelRequest, Depth, DepthUpdate, MassStatusRequest, NewOrder, Report, Snapshot, StatusRequest
from domain.values import E9, divide_round, from_e9, to_e9

_ORD_TYPE: Final = {"1": "market", "2": "limit", "3": "stop", "4": "stop_limit"}
_TIF: Final = {"0": "day", "1": "gtc", "3": "ioc", "4": "fok", "6": "gtd", "2": "at_open", "7": "at_close"}
_SIDE: Final = {"1": 1, "2": -1, "5": -1}
_ORD_TYPE_OUT: Final = {word: code for code, word in _ORD_TYPE.items()}
_TIF_OUT: Final = {word: code for code, word in _TIF.items()}
_PRICED: Final = ("limit", "stop_limit")
_STOPS: Final = ("stop", "stop_limit")
_TRADES: Final = ("F", "G", "H")
_ACTION: Final = {"new": "0", "change": "1", "gone": "2"}
_OF_SYMBOL, _ALL = "1", "7"  # MassStatusReqType (585)

_DAY_NS: Final = 86_400 * 10**9

Fields = dict[int, str]


def need(fields: Fields, tag: int) -> str:
    """A field's value. Raises fix.FieldNotFound, which the engine answers with 35=j 380=5."""
    value = fields.get(tag, "")
    if not value:
        raise fix.FieldNotFound(tag)
    return value


def new_order(fields: Fields, session: str) -> NewOrder:
    """A NewOrderSingle. What the venue does not know becomes "?" or 0, for it to refuse with a reason."""
    ord_type = _ORD_TYPE.get(need(fields, 40), "?")
    return NewOrder(
        session=session,
        cl_ord_id=need(fields, 11),
        symbol=need(fields, 55),
        side=_SIDE.get(need(fields, 54), 0),
        ord_type=ord_type,
        tif=_TIF.get(fields.get(59, "0"), "?"),
        quantity_e9=_number(fields, 38),
        price_e9=_number(fields, 44) if ord_type in _PRICED else None,
        account=fields.get(1, ""),
        possible_repeat=_repeated(fields),
        stop_price_e9=_number(fields, 99) if ord_type in _STOPS else None,
        expire_ns=_expire_ns(fields),
        msg_seq_num=int(fields.get(34, "0")),
    )


def cancel_request(fields: Fields, session: str) -> CancelRequest:
    """An OrderCancelRequest, or an OrderCancelReplaceRequest."""
    replace = fields[35] == "G"
    return CancelRequest(
        session=session,
        cl_ord_id=need(fields, 11),
        orig_cl_ord_id=need(fields, 41),
        symbol=fields.get(55, ""),
        side=_SIDE.get(fields.get(54, ""), 0),
        possible_repeat=_repeated(fields),
        quantity_e9=_number(fields, 38) if replace else None,
        price_e9=_number(fields, 44) if replace and 44 in fields else None,
        stop_price_e9=_number(fields, 99) if replace and 99 in fields else None,
        ord_type=_ORD_TYPE.get(fields[40], "?") if replace and 40 in fields else "",
        tif=_TIF.get(fields[59], "?") if replace and 59 in fields else "",
        expire_ns=_expire_ns(fields) if replace else None,
        msg_seq_num=int(fields.get(34, "0")),
    )


def status_request(fields: Fields, session: str) -> StatusRequest:
    """An OrderStatusRequest."""
    side = _SIDE.get(fields.get(54, ""), 0)
    return StatusRequest(session, need(fields, 11), fields.get(55, ""), side, fields.get(790, ""))


def mass_status_request(fields: Fields, session: str) -> MassStatusRequest:
    """An OrderMassStatusRequest: all orders (585=7), or those of one symbol (1)."""
    request_id, scope = need(fields, 584), need(fields, 585)
    symbol = need(fields, 55) if scope == _OF_SYMBOL else ""
    return MassStatusRequest(session, request_id, symbol, scope in (_OF_SYMBOL, _ALL))


def report_message(report: Report) -> fix.Message:
    """An ExecutionReport."""
    message = _message("8")
    values = {
        37: report.order_id,
        17: report.exec_id,
        150: report.exec_type,
        39: report.ord_status,
        11: report.cl_ord_id,
        41: report.orig_cl_ord_id,
        55: report.symbol,
        54: _side_out(report.side),
        38: _decimal(report.quantity_e9),
        40: _ORD_TYPE_OUT.get(report.ord_type, ""),
        59: _TIF_OUT.get(report.tif, ""),
        44: "" if report.price_e9 is None else _decimal(report.price_e9),
        99: "" if report.stop_price_e9 is None else _decimal(report.stop_price_e9),
        126: "" if report.expire_ns is None else timestamp_text(report.expire_ns),
        1: report.account,
        32: _decimal(report.last_quantity_e9) if report.exec_type in _TRADES else "",
        31: _decimal(report.last_price_e9) if report.exec_type in _TRADES else "",
        19: report.exec_ref_id,
        378: "" if report.restatement_reason is None else str(report.restatement_reason),
        636: "" if report.working is None else "Y" if report.working else "N",
        151: _decimal(report.leaves_e9),
        14: _decimal(report.cum_e9),
        6: _decimal(report.average_e9),
        103: "" if report.reason is None else str(report.reason),
        58: report.text,
        790: report.request_id,
    }
    if report.mass_request_id:
        values |= {584: report.mass_request_id, 911: str(report.mass_total), 912: "Y" if report.mass_last else "N"}
    return _filled(message, values, report.time_ns)


def reject_message(report: Report) -> fix.Message:
    """An OrderCancelReject."""
    values = {
        37: report.order_id,
        11: report.cl_ord_id,
        41: report.orig_cl_ord_id,
        39: report.ord_status,
        434: report.cancel_reject_to,
        102: "" if report.reason is None else str(report.reason),
        58: report.text,
    }
    return _filled(_message("9"), values, report.time_ns)


def refusal_message(kind: str, msg_type: str, msg_seq_num: int, ref_id: str, text: str) -> fix.Message:
    """A BusinessMessageReject (j), or a Reject (3)."""
    message = _message(kind)
    values = {45: str(msg_seq_num), 372: msg_type, 58: text}
    values |= {379: ref_id, 380: "0"} if kind == "j" else {373: "99"}
    for tag, value in values.items():
        message.setField(tag, value)
    return message


def snapshot_message(snapshot: Snapshot, request_id: str) -> fix.Message:
    """A MarketDataSnapshotFullRefresh."""
    message = _message("W")
    for tag, value in (
        (262, request_id),
        (55, snapshot.symbol),
        (5060, str(snapshot.time_ns)),
        (5061, _decimal(snapshot.notional_e9)),
    ):
        message.setField(tag, value)
    volume = snapshot.volume_e9
    vwap_e9 = divide_round(snapshot.notional_e9 * E9, volume) if volume else 0
    for kind, price_e9, size_e9 in (
        ("0", snapshot.bid_e9, snapshot.bid_size_e9),
        ("1", snapshot.ask_e9, snapshot.ask_size_e9),
        ("2", snapshot.last_e9, snapshot.last_size_e9),
        ("B", None, volume),
        ("9", vwap_e9 or None, None),
    ):
        if (kind != "B" and not price_e9) or (kind in "012" and not size_e9):
            continue
        group = fix.Group(268, 269)
        group.setField(269, kind)
        if price_e9 is not None:
            group.setField(270, _decimal(price_e9))
        if size_e9 is not None:
            group.setField(271, _decimal(size_e9))
        message.addGroup(group)
    return message


def depth_message(depth: Depth, request_id: str) -> fix.Message:
    """A MarketDataSnapshotFullRefresh of every level; of an empty book one entry says so (269=J)."""
    message = _message("W")
    for tag, value in ((262, request_id), (55, depth.symbol), (5060, str(depth.time_ns))):
        message.setField(tag, value)
    for level in depth.levels:
        group = fix.Group(268, 269)
        group.setField(269, "0" if level.side > 0 else "1")
        _sized(group, level.price_e9, level.size_e9, depth.number)
        message.addGroup(group)
    if not depth.levels:
        group = fix.Group(268, 269)
        group.setField(269, "J")
        group.setField(83, str(depth.number))
        message.addGroup(group)
    return message


def update_message(update: DepthUpdate, request_id: str) -> fix.Message:
    """A MarketDataIncrementalRefresh."""
    message = _message("X")
    message.setField(262, request_id)
    message.setField(5060, str(update.time_ns))
    for entry in update.entries:
        is_trade = entry.kind in ("trade", "cross")
        group = fix.Group(268, 279)
        group.setField(279, _ACTION.get(entry.kind, "0"))
        group.setField(269, "2" if is_trade else "0" if entry.side > 0 else "1")
        group.setField(55, update.symbol)
        group.setField(5062, str(entry.time_ns))
        _sized(group, entry.price_e9, entry.size_e9, entry.number)
        if is_trade and entry.side:
            group.setField(2446, _side_out(-entry.side))
        if entry.kind == "cross":
            group.setField(277, "X")
        message.addGroup(group)
    return message


def _sized(group: fix.Group, price_e9: int, size_e9: int, number: int) -> None:
    group.setField(270, _decimal(price_e9))
    group.setField(271, _decimal(size_e9))
    group.setField(83, str(number))


def market_refusal(request_id: str, reason: str, text: str) -> fix.Message:
    """A MarketDataRequestReject."""
    message = _message("Y")
    for tag, value in ((262, request_id), (281, reason), (58, text)):
        message.setField(tag, value)
    return message


def text_of(message: fix.Message) -> str:
    """A message of ours as text that begins with MsgType (35)."""
    text: str = message.toString()
    return text[text.index(f"{SOH}35=") + 1 : text.rindex(f"{SOH}10=") + 1]


def message_of(text: str) -> fix.Message:
    """The engine's message from a text without groups that begins with MsgType (35)."""
    return fix.Message(f"8=FIX{SOH}9=0{SOH}{text}", False)


def _message(kind: str) -> fix.Message:
    message = fix.Message()
    message.getHeader().setField(35, kind)
    return message


def _filled(message: fix.Message, values: Fields, time_ns: int) -> fix.Message:
    for tag, value in values.items():
        if value:
            message.setField(tag, value)
    message.setField(60, timestamp_text(time_ns))
    message.setField(5060, str(time_ns))
    return message


def _number(fields: Fields, tag: int) -> int:
    try:
        return to_e9(need(fields, tag))
    except NumberError as error:
        raise fix.IncorrectTagValue(tag) from error


def _expire_ns(fields: Fields) -> int | None:
    """ExpireTime (126), or the end of ExpireDate (432) in UTC."""
    tag = 126 if fields.get(126) else 432
    text = fields.get(tag, "")
    if not text:
        return None
    try:
        return timestamp_ns(text) if tag == 126 else timestamp_ns(f"{text}-00:00:00") + _DAY_NS - 1
    except ValueError as error:
        raise fix.IncorrectTagValue(tag) from error


def _decimal(value_e9: int) -> str:
    return f"{from_e9(value_e9):f}"


def _side_out(side: int) -> str:
    return "1" if side > 0 else "2" if side < 0 else ""


def _repeated(fields: Fields) -> bool:
    return fields.get(43) == "Y" or fields.get(97) == "Y"
