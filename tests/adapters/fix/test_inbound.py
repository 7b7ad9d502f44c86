"""FIX text to inputs: each bad field a named refusal, and no text that raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.inbound import Origin, read
from domain.event import InboundRef
from domain.messages import (
    CancelOrder,
    DontKnowTrade,
    Inbound,
    NewOrder,
    OrderStatusQuery,
    ReplaceOrder,
    SessionNews,
    Unreadable,
    VenueCancelReject,
    VenueRefusal,
    VenueReport,
)
from domain.refusal import Reason
from domain.values import E9, OrdType, Side, TimeInForce

OMS = Origin("OMS", "client", 4, 99)
VENUE = Origin("VENUE", "venue", 0, 5)
ORDER = {
    "35": "D", "34": "7", "11": "A1", "55": "AMZN", "54": "1", "38": "5000", "40": "2", "44": "187.5", "59": "0",
    "60": "20261122-15:00:00.123", "1": "FUND", "847": "1",
}  # fmt: skip


def text(fields: dict[str, str], *more: tuple[str, str]) -> str:
    return "8=FIX.4.4\x019=1\x01" + "".join(f"{tag}={value}\x01" for tag, value in [*fields.items(), *more]) + "10=000\x01"


def order(*more: tuple[str, str], without: str = "", **changes: str) -> Any:
    fields = {**ORDER, **{tag.lstrip("t"): value for tag, value in changes.items()}}
    fields.pop(without, None)
    return read(text(fields, *more), OMS)


def test_an_order() -> None:
    read_order = order(("957", "2"), ("958", "StartTime"), ("959", "14"), ("960", "x"), ("958", "WouldPrice"), ("960", "186"))
    assert isinstance(read_order, NewOrder)
    assert read_order.refusal is None
    assert read_order.ref == InboundRef("OMS", 4, 7)
    assert (read_order.frame, read_order.poss_dup, read_order.poss_resend) == (99, False, False)
    assert (read_order.cl_ord_id, read_order.symbol, read_order.side, read_order.account) == ("A1", "AMZN", Side.BUY, "FUND")
    assert (read_order.quantity_e9, read_order.limit_price_e9) == (5000 * E9, 187_500_000_000)
    assert (read_order.ord_type, read_order.time_in_force, read_order.algo) == (OrdType.LIMIT, TimeInForce.DAY, "vwap")
    assert read_order.parameters == (("StartTime", "x"), ("WouldPrice", "186"))
    assert read_order.transact_time_ns == 1_795_359_600_123_000_000
    assert read_order.raw.startswith("8=FIX.4.4\x01")


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"t55": ""}, Reason.UNKNOWN_SYMBOL, "Symbol (55) is missing"),
        ({"t54": "9"}, Reason.UNKNOWN_SIDE, "Side (54) '9'"),
        ({"t38": "many"}, Reason.QUANTITY_NOT_POSITIVE, "OrderQty (38): 'many' is not a number"),
        ({"t38": "99999999999"}, Reason.QUANTITY_NOT_POSITIVE, "OrderQty (38)"),
        (
            {"t40": "9"},
            Reason.ORDER_TYPE_UNSUPPORTED,
            "OrdType (40) '9' is not 1 (market), 2 (limit), 3 (stop), 4 (stop limit) or P (pegged)",
        ),
        ({"t44": "1.0000000001"}, Reason.PRICE_NOT_POSITIVE, "finer than 1e-9"),
        ({"t59": "5"}, Reason.TIME_IN_FORCE_UNSUPPORTED, "TimeInForce (59) '5' is not 0 (day), 1 (gtc)"),
        ({"t849": "a lot"}, Reason.BAD_PARAMETER, "ParticipationRate (849)"),
        ({"t54": "9", "t38": "x"}, Reason.UNKNOWN_SIDE, "Side (54)"),  # the first in the order of Reason
    ],
)
def test_a_bad_field_is_a_named_refusal(changes: dict[str, str], reason: Reason, said: str) -> None:
    refused = order(**changes)
    assert isinstance(refused, NewOrder)
    assert refused.refusal is not None
    assert refused.refusal.reason is reason
    assert said in refused.refusal.text


def test_a_missing_quantity_is_refused() -> None:
    assert order(without="38").refusal.text == "OrderQty (38) is missing"


@pytest.mark.parametrize(
    "group",
    [
        [("957", "2"), ("958", "StartTime"), ("960", "x")],
        [("957", "1"), ("958", "StartTime")],
        [("957", "1"), ("960", "x")],
        [("957", "2"), ("958", "A"), ("960", "x"), ("958", "A"), ("960", "y")],
        [("957", "x"), ("958", "A"), ("960", "x")],
        [("168", "20261122-15:00:00"), ("957", "1"), ("958", "StartTime"), ("960", "x")],
    ],
)
def test_a_broken_group_is_a_bad_parameter(group: list[tuple[str, str]]) -> None:
    assert order(*group).refusal.reason is Reason.BAD_PARAMETER


def test_flat_tags_are_parameters_too() -> None:
    flat = order(t168="20261122-15:00:00", t126="20261122-16:00:00", t849="0.125", t847="2")
    assert flat.algo == "pov"
    assert flat.parameters == (
        ("StartTime", "20261122-15:00:00"),
        ("EndTime", "20261122-16:00:00"),
        ("ParticipationRate", "12.5"),
    )


def test_an_order_without_its_id_is_unreadable() -> None:
    unreadable = order(without="11")
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.msg_type, unreadable.refusal.text) == ("D", "ClOrdID (11) is missing")


def test_requests() -> None:
    replace = read(text({**ORDER, "35": "G", "41": "A0"}), OMS)
    cancel = read(text({"35": "F", "34": "8", "11": "A2", "41": "A1", "55": "AMZN", "54": "2", "43": "Y", "97": "Y"}), OMS)
    status = read(text({"35": "H", "34": "9", "11": "A1", "55": "AMZN", "54": "1"}), OMS)
    notice = read(text({"35": "Q", "34": "9", "37": "O1", "17": "E1", "127": "D", "55": "AMZN", "54": "1", "58": "no"}), OMS)
    assert isinstance(replace, ReplaceOrder)
    assert (replace.cl_ord_id, replace.orig_cl_ord_id) == ("A1", "A0")
    assert isinstance(cancel, CancelOrder)
    assert (cancel.orig_cl_ord_id, cancel.side, cancel.poss_dup, cancel.poss_resend) == ("A1", Side.SELL, True, True)
    assert isinstance(status, OrderStatusQuery)
    assert isinstance(notice, DontKnowTrade)
    assert (notice.order_id, notice.exec_id, notice.reason, notice.text) == ("O1", "E1", "D", "no")


@pytest.mark.parametrize(("origin", "msg_type"), [(OMS, "8"), (OMS, "AE"), (VENUE, "D"), (OMS, "")])
def test_a_type_that_this_side_does_not_take(origin: Origin, msg_type: str) -> None:
    unreadable = read(text({"35": msg_type, "34": "3", "11": "A1"}), origin)
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.refusal.reason, unreadable.ref_id) == (Reason.UNSUPPORTED_MESSAGE, "A1")


REPORT = {
    "35": "8", "34": "12", "37": "V1", "11": "C1", "41": "C0", "17": "X1", "150": "F", "39": "1", "55": "AMZN", "54": "2",
    "32": "40", "31": "187.505", "14": "40", "151": "60", "6": "187.505", "60": "20261122-15:00:00.123",
}  # fmt: skip


def test_a_fill() -> None:
    fill = read(text(REPORT), VENUE)
    assert isinstance(fill, VenueReport)
    assert (fill.exec_kind, fill.exec_id, fill.order_id, fill.cl_ord_id, fill.orig_cl_ord_id) == ("trade", "X1", "V1", "C1", "C0")
    assert (fill.last_quantity_e9, fill.last_price_e9) == (40 * E9, 187_505_000_000)
    assert (fill.cum_quantity_e9, fill.leaves_quantity_e9, fill.side) == (40 * E9, 60 * E9, Side.SELL)
    assert fill.transact_time_ns == 1_795_359_600_123_000_000


def test_a_venue_that_tells_nanoseconds_is_believed() -> None:
    fill = read(text({**REPORT, "5060": "1795359600123456789"}), VENUE)
    assert isinstance(fill, VenueReport)
    assert fill.transact_time_ns == 1_795_359_600_123_456_789


@pytest.mark.parametrize(
    "changes", [{"150": "?"}, {"17": ""}, {"32": ""}, {"31": "cheap"}, {"14": "x"}, {"151": "1e3"}, {"32": "1.0000000001"}]
)
def test_a_report_that_cannot_be_booked_is_unreadable(changes: dict[str, str]) -> None:
    assert isinstance(read(text({**REPORT, **changes}), VENUE), Unreadable)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"31": "cheap"}, "LastPx (31): 'cheap' is not a number"),
        ({"151": "1e3", "38": "x"}, "LeavesQty (151): '1e3' is not a number"),
        ({"44": "99999999999"}, "Price (44): '99999999999'"),
    ],
)
def test_the_number_that_cannot_be_read_is_named(changes: dict[str, str], said: str) -> None:
    unreadable = read(text({**REPORT, **changes}), VENUE)
    assert isinstance(unreadable, Unreadable)
    assert said in unreadable.refusal.text


def test_a_bust_and_a_correction_name_the_execution_that_they_are_about() -> None:
    bust = read(text({**REPORT, "150": "H", "19": "X0", "32": "0", "31": "0"}), VENUE)
    corrected = read(text({**REPORT, "150": "G", "19": "X0"}), VENUE)
    assert isinstance(bust, VenueReport)
    assert isinstance(corrected, VenueReport)
    assert (bust.exec_kind, bust.exec_ref_id, bust.last_quantity_e9) == ("trade_cancel", "X0", 0)
    assert (corrected.exec_kind, corrected.exec_ref_id, corrected.last_quantity_e9) == ("trade_correct", "X0", 40 * E9)
    for exec_type in "GH":
        nameless = read(text({**REPORT, "150": exec_type}), VENUE)
        assert isinstance(nameless, Unreadable)
        assert "ExecRefID (19)" in nameless.refusal.text


def test_what_a_venue_says_of_the_order_itself() -> None:
    told = read(text({**REPORT, "150": "D", "38": "120", "44": "187.5", "378": "1", "636": "N", "103": "0"}), VENUE)
    silent = read(text(REPORT), VENUE)
    assert isinstance(told, VenueReport)
    assert isinstance(silent, VenueReport)
    assert (told.quantity_e9, told.limit_price_e9, told.restatement_reason) == (120 * E9, 187_500_000_000, 1)
    assert (told.working, told.ord_rej_reason) == (False, 0)
    assert (silent.quantity_e9, silent.limit_price_e9, silent.restatement_reason) == (0, None, None)
    assert (silent.working, silent.ord_rej_reason, silent.exec_ref_id) == (None, None, "")


@pytest.mark.parametrize(
    ("filled", "leaves", "status"),
    [("0", "100", "new"), ("0.0", "100", "new"), ("40", "60", "partially_filled"), ("100", "0.00", "filled")],
)
def test_the_status_replaced_of_older_venues_is_where_the_order_rests(filled: str, leaves: str, status: str) -> None:
    report = read(text({**REPORT, "150": "5", "39": "5", "14": filled, "151": leaves}), VENUE)
    assert isinstance(report, VenueReport)
    assert report.ord_status == status


def test_unknown_order() -> None:
    report = read(text({**REPORT, "150": "I", "39": "8", "103": "5"}), VENUE)
    assert isinstance(report, VenueReport)
    assert report.unknown_order


def test_a_cancel_refusal_in_its_three_forms() -> None:
    nine = read(text({"35": "9", "34": "3", "11": "K1", "41": "C1", "37": "V1", "39": "2", "434": "1", "102": "0"}), VENUE)
    business = read(
        text({"35": "j", "34": "4", "45": "9", "372": "F", "379": "K1", "380": "0"}) + "\x0035=F\x0111=K1\x0141=C1\x01", VENUE
    )
    session = read(text({"35": "3", "34": "5", "45": "9", "58": "bad"}) + "\x0035=G\x0111=K1\x0141=C1\x01", VENUE)
    for reject in (nine, business, session):
        assert isinstance(reject, VenueCancelReject)
        assert (reject.cl_ord_id, reject.orig_cl_ord_id) == ("K1", "C1")
    assert [r.response_to for r in (nine, business, session) if isinstance(r, VenueCancelReject)] == [
        "cancel",
        "cancel",
        "replace",
    ]
    assert [r.reason for r in (nine, business, session) if isinstance(r, VenueCancelReject)] == [0, 99, 99]


def test_a_refused_order_by_reference() -> None:
    refusal = read(text({"35": "3", "34": "5", "45": "9", "372": "D", "58": "no"}) + "\x0035=D\x0111=C1\x01", VENUE)
    assert isinstance(refusal, VenueRefusal)
    assert (refusal.ref_cl_ord_id, refusal.ref_seq_num, refusal.ref_msg_type, refusal.text) == ("C1", 9, "D", "no")


TAGS = st.sampled_from(
    "8 9 35 34 11 41 55 48 54 38 40 44 59 60 1 847 848 849 168 126 957 958 959 960 150 39 17 37 32 31 14 151 103".split()
    + "102 434 45 372 379 58 43 97 5060 x 19 378 636 127 99 110 111 152 432 453 448 447 452 2376 78 79 80 2593 2594 2595".split()
)
VALUES = st.one_of(
    st.sampled_from(["D", "G", "F", "H", "8", "9", "3", "j", "1", "2", "0", "Y", "F", "I", "100", "1.5", "20261122-15:00:00"]),
    st.text(max_size=12),
)


@given(st.lists(st.tuples(TAGS, VALUES), max_size=30), st.sampled_from([OMS, VENUE]))
def test_no_text_made_of_fields_raises(pairs: list[tuple[str, str]], origin: Origin) -> None:
    read_input = read("".join(f"{tag}={value}\x01" for tag, value in pairs), origin)
    assert isinstance(read_input, Inbound)
    assert read_input.frame == origin.frame
    assert read_input.ref.session == origin.session


@given(st.text(), st.sampled_from([OMS, VENUE]))
def test_no_text_raises(whole: str, origin: Origin) -> None:
    assert isinstance(read(whole, origin), Inbound)


@given(st.sampled_from("DGFH"), st.lists(st.tuples(TAGS, VALUES), max_size=12))
def test_a_client_message_with_some_fields_spoiled_is_an_input_or_refused(msg_type: str, spoiled: list[tuple[str, str]]) -> None:
    read_input = read(text({**ORDER, "35": msg_type, "41": "A0"}, *[pair for pair in spoiled if pair[0] != "35"]), OMS)
    assert isinstance(read_input, NewOrder | CancelOrder | OrderStatusQuery | Unreadable)
    if isinstance(read_input, NewOrder) and read_input.refusal is None:
        assert read_input.side is not None
        assert read_input.ord_type is not None
        assert read_input.time_in_force is not None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"531": "7", "533": "12"}, "the venue's answer to the mass cancel KILL1: 12 orders"),
        ({"531": "7"}, "the venue's answer to the mass cancel KILL1: an unknown number of orders"),
        ({"531": "0", "532": "99", "58": "no"}, "the venue's answer to the mass cancel KILL1: refused, reason 99: no"),
    ],
)
def test_a_venues_answer_to_a_mass_cancel_is_news_of_its_session(fields: dict[str, str], said: str) -> None:
    news = read(text({"35": "r", "34": "8", "11": "KILL1", **fields}), VENUE)
    assert isinstance(news, SessionNews)
    assert (news.text, news.ref) == (said, InboundRef("VENUE", 0, 8))
