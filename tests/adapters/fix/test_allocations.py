"""Allocations in FIX text: what is read of a J, and what P and AS say, judged by the engine against our dictionaries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.dialect import Dialect
from adapters.fix.dialect_42 import Fix42
from adapters.fix.fields import cut, number_e9
from adapters.fix.inbound import Origin, read
from adapters.fix.outbound import write
from adapters.fix.outbound_allocations import price_text
from domain.allocation import OrderPart, Part
from domain.allocation_messages import AllocatedOrder, AllocationAck, AllocationInstruction, AllocationReport, AllocationReportAck
from domain.allocation_terms import AccountFault, Misfit, Share
from domain.messages import Unreadable
from domain.values import E9, Side, stream_id
from tests.adapters.fix.made import on_the_wire

OMS = Origin("OMS", "client", 0, 5)
TIME_NS = 1_795_359_600_123_000_000
VERSIONS = ("FIX.4.4", "FIXT.1.1")
J = (
    "35=J|70=J1|71=0|626=1|857=1|73=2|11=A1|37=O1|800=400|11=A2|54=1|55=AMZN|53=1000|6=187.5012|15=USD|74=4|75=20261122|"
    "60=20261122-15:00:00.000|78=2|79=X|80=600|467=I1|366=187.5|79=Y|80=400|"
)


def instruction(text: str = J) -> Any:
    return read(f"8=FIX.4.4|9=1|34=7|{text}10=000|".replace("|", "\x01"), OMS)


@pytest.mark.parametrize("begin_string", VERSIONS)
def test_an_instruction_is_read_as_the_engine_delivers_it(begin_string: str) -> None:
    request = read(on_the_wire(J.replace("|", "\x01"), begin_string), OMS)
    assert isinstance(request, AllocationInstruction)
    assert request.refusal is None
    assert (request.alloc_id, request.action, request.alloc_type, request.trade_date) == ("J1", "new", 1, "2026-11-22")
    assert (request.symbol, request.side, request.quantity_e9, request.currency) == ("AMZN", Side.BUY, 1000 * E9, "USD")
    assert (request.average_price_e9, request.price_decimals) == (187_501_200_000, 4)
    assert request.orders == (AllocatedOrder("A1", "O1", 400 * E9), AllocatedOrder("A2", "", None))
    assert request.shares == (
        Share(account="X", quantity_e9=600 * E9, individual_id="I1", price_e9=187_500_000_000),
        Share(account="Y", quantity_e9=400 * E9),
    )


@pytest.mark.parametrize("begin_string", VERSIONS)
def test_the_answer_to_a_report_is_read_as_the_engine_delivers_it(begin_string: str) -> None:
    text = "35=AT|755=R1|70=J1|75=20261122|60=20261122-15:00:00.000|87=2|88=2|58=FUND-2 is closed|"
    ack = read(on_the_wire(text.replace("|", "\x01"), begin_string), OMS)
    assert isinstance(ack, AllocationReportAck)
    assert (ack.report_id, ack.alloc_id, ack.status, ack.reject_code, ack.text) == (
        "R1", "J1", "account_reject", 2, "FUND-2 is closed",
    )  # fmt: skip


@pytest.mark.parametrize("begin_string", VERSIONS)
def test_an_answer_in_the_form_of_fix_42_is_read_from_every_version(begin_string: str) -> None:
    text = "35=P|70=R1|75=20261122|60=20261122-15:00:00.000|87=2|88=2|58=no|"
    accounts = "" if begin_string == "FIX.4.2" else "78=2|79=X|776=0|79=Y|161=Y is closed|776=0|"
    ack = read(on_the_wire(f"{text}{accounts}".replace("|", "\x01"), begin_string), OMS)
    assert isinstance(ack, AllocationReportAck)
    assert (ack.report_id, ack.alloc_id, ack.trade_date, ack.status, ack.reject_code, ack.text) == (
        "R1", "R1", "2026-11-22", "account_reject", 2, "no" if not accounts else "no; X: reject code 0; Y: Y is closed",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"), [("75=20261122|87=4|", "AllocStatus (87) '4'"), ("75=2026112|87=0|", "TradeDate (75)")]
)
def test_an_answer_in_that_form_that_says_nothing_cannot_be_read(fields: str, said: str) -> None:
    ack = instruction(f"35=P|70=J1|{fields}")
    assert isinstance(ack, Unreadable)
    assert said in ack.refusal.text


@pytest.mark.parametrize(
    ("fields", "said"), [("755=R1|87=9|", "AllocStatus (87) '9'"), ("87=0|", "AllocReportID (755)"), ("755=R1|87=1|88=x|", "88")]
)
def test_an_answer_that_says_nothing_cannot_be_read(fields: str, said: str) -> None:
    ack = instruction(f"35=AT|70=J1|{fields}")
    assert isinstance(ack, Unreadable)
    assert said in ack.refusal.text


def test_a_cancel_needs_little() -> None:
    request = instruction("35=J|70=J2|71=2|72=J1|626=1|54=1|55=AMZN|53=1000|6=0|75=20261122|")
    assert (request.action, request.ref_alloc_id, request.refusal) == ("cancel", "J1", None)
    assert (request.orders, request.shares) == ((), ())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("71=0", "71=6", "AllocTransType (71) '6' is not 0 (new), 1 (replace) or 2 (cancel)"),
        ("71=0|", "", "AllocTransType (71) '' is not"),
        ("53=1000", "53=many", "Quantity (53): 'many' is not a number"),
        ("6=187.5012", "6=x", "AvgPx (6): 'x' is not a number"),
        ("74=4", "74=10", "AvgPxPrecision (74) '10' is not a number from 0 to 9"),
        ("75=20261122", "75=20261132", "TradeDate (75) '20261132' is not a date"),
        ("75=20261122", "75=2026-1-2", "TradeDate (75) '2026-1-2' is not a date"),
        ("75=20261122|", "", "TradeDate (75) '' is not a date"),
        ("73=2", "73=3", "NoOrders (73) says 3, but 2 came"),
        ("78=2", "78=1", "NoAllocs (78) says 1, but 2 came"),
        ("800=400", "800=-", "OrderBookingQty (800): '-' is not a number"),
        ("80=600", "80=6.0000000001", "AllocQty (80): '6.0000000001' is finer than 1e-9"),
        ("366=187.5", "366=?", "AllocPrice (366): '?' is not a number"),
        ("626=1", "626=one", "AllocType (626) 'one' is not a number"),
    ],
)
def test_what_cannot_be_read_is_a_refusal(old: str, new: str, said: str) -> None:
    assert old in J
    request = instruction(J.replace(old, new))
    assert isinstance(request, AllocationInstruction)
    assert request.refusal is not None
    assert said in request.refusal.text


def test_without_an_alloc_id_there_is_nothing_to_answer_to() -> None:
    unreadable = instruction(J.replace("70=J1|", ""))
    assert isinstance(unreadable, Unreadable)
    assert unreadable.refusal.text == "AllocID (70) is missing"


@given(st.text(max_size=200))
def test_no_text_raises(tail: str) -> None:
    assert instruction(f"35=J|70=J1|{tail}|").ref.session == "OMS"


@given(
    st.lists(
        st.tuples(st.sampled_from(["11", "37", "73", "78", "79", "80", "366", "467", "800", "74", "75"]), st.text(max_size=9))
    )
)
def test_no_groups_raise(fields: list[tuple[str, str]]) -> None:
    text = "".join(f"{tag}={value}|" for tag, value in fields)
    assert instruction(f"35=J|70=J1|{text}").ref.session == "OMS"


# ---------------------------------------------------------------------------------------------- answers

FAULT = AccountFault(account="Z", individual_id="I9", misfit=Misfit.UNKNOWN_ACCOUNT, text="account 'Z' is not known here")
ACK = AllocationAck(
    session="OMS", event_seq=1, alloc_id="J1", alloc_type=1, trade_date="2026-11-22", status="accepted", misfit=None, text="",
    transact_time_ns=TIME_NS,
)  # fmt: skip
ORDER = OrderPart(
    parent=stream_id("test", "1"), cl_ord_id="A1", order_id="O1", quantity_e9=1000 * E9, average_price_e9=187_500_000_000
)
REPORT = AllocationReport(
    session="OMS", event_seq=1, report_id="R2", ref_report_id="R1", action="replace", cause="executions", alloc_id="J1",
    pre_trade=False, misfit=None, text="", trade_date="2026-11-22", symbol="AMZN", side=Side.SELL, quantity_e9=1000 * E9,
    average_price_e9=187_500_000_000, price_decimals=4, currency="USD", gross_e9=187_500 * E9, net_money_e9=187_500 * E9,
    transact_time_ns=TIME_NS,
    orders=(ORDER,),
    parts=(
        Part(account="X", individual_id="I1", quantity_e9=600 * E9, net_money_e9=112_500 * E9),
        Part(account="Y", individual_id="", quantity_e9=400 * E9, net_money_e9=75_000 * E9),
        Part(account="Z", individual_id="", quantity_e9=0, net_money_e9=0),
    ),
)  # fmt: skip


def seen(message: AllocationAck | AllocationReport) -> str:
    return write(message).replace("\x01", "|")


def test_an_answer_in_full() -> None:
    assert seen(ACK) == "35=P|70=J1|75=20261122|60=20261122-15:00:00.123|87=0|626=1|"
    refused = replace(ACK, status="block_reject", misfit=Misfit.WRONG_PRICE, text="no", poss_resend=True, alloc_type=None)
    assert seen(refused) == "35=P|97=Y|70=J1|75=20261122|60=20261122-15:00:00.123|87=1|88=2|58=no|"
    by_account = replace(ACK, status="account_reject", misfit=FAULT.misfit, text=FAULT.text, accounts=(FAULT,))
    assert seen(by_account).endswith("87=2|88=0|626=1|58=account 'Z' is not known here|78=1|79=Z|467=I9|776=0|"
                                     "161=account 'Z' is not known here|")  # fmt: skip
    assert "|87=3|" in seen(replace(ACK, status="received"))


def test_a_report_in_full() -> None:
    assert seen(REPORT) == (
        "35=AS|755=R2|70=J1|71=1|795=R1|796=2|794=3|87=0|857=1|73=1|11=A1|37=O1|799=187.5|800=1000|54=2|55=AMZN|53=1000|"
        "6=187.5000|15=USD|74=4|75=20261122|60=20261122-15:00:00.123|381=187500|118=187500|"
        "78=2|79=X|80=600|467=I1|153=187.5000|154=112500|79=Y|80=400|153=187.5000|154=75000|"
    )
    new = replace(REPORT, action="new", ref_report_id="", pre_trade=True, currency="", gross_e9=None, net_money_e9=None)
    assert "|71=0|794=4|87=0|857=1|" in seen(new)
    assert {"15", "381", "118", "795", "796"}.isdisjoint(cut(write(new)))
    assert "|71=2|795=R1|796=1|" in seen(replace(REPORT, action="cancel", cause="terms", parts=()))
    refused = replace(new, misfit=Misfit.WRONG_ALLOCATED_QUANTITY, parts=(), text="no")
    assert "|87=1|88=8|" in seen(refused)
    assert "78" not in cut(write(refused))
    withdrawn = replace(REPORT, action="cancel", misfit=Misfit.WRONG_ALLOCATED_QUANTITY, parts=())
    assert "|87=0|857=1|" in seen(withdrawn), "the cancel itself is good"


@pytest.mark.parametrize("begin_string", VERSIONS)
@pytest.mark.parametrize(
    "message",
    [
        ACK,
        replace(ACK, status="account_reject", misfit=FAULT.misfit, text=FAULT.text, accounts=(FAULT, FAULT)),
        REPORT,
        replace(REPORT, action="cancel", parts=(), text="nothing of it is executed any more", misfit=Misfit.OTHER),
        replace(REPORT, orders=REPORT.orders * 3, currency="", gross_e9=None, net_money_e9=None),
    ],
    ids=["ack", "account reject", "report", "cancel", "three orders"],
)
def test_every_message_passes_the_dictionary_with_its_groups_whole(
    message: AllocationAck | AllocationReport, begin_string: str
) -> None:
    wire = on_the_wire(write(message), begin_string)
    written = write(message).replace("\x01", "|")
    for field in written.rstrip("|").split("|"):
        assert f"\x01{field}\x01" in wire, field
    if isinstance(message, AllocationReport):
        accounts = [piece.split("\x01")[0] for piece in wire.split("\x0179=")[1:]]
        assert accounts == [part.account for part in message.parts if part.quantity_e9]
        assert wire.count("\x0180=") == len(accounts)


@given(st.integers(0, 9), st.integers(-(10**8), 10**8))
def test_a_price_has_all_its_decimals_and_no_more(decimals: int, units: int) -> None:
    price_e9 = units * 10 ** (9 - decimals)
    text = price_text(price_e9, decimals)
    assert number_e9(text) == price_e9
    assert len(text.partition(".")[2]) == decimals


# ------------------------------------------------------------------------------------------------ FIX 4.2

FIX42 = Dialect((Fix42(),))


def in_42(message: AllocationAck | AllocationReport) -> str:
    """As a 4.2 session is sent it; the engine judges it."""
    text = FIX42.outward(write(message))
    return on_the_wire(text, "FIX.4.2") if text else ""


@pytest.mark.parametrize(
    ("changes", "trans", "ref"),
    [
        ({"action": "new", "ref_report_id": ""}, "4", "J1"),
        ({"action": "new", "ref_report_id": "", "pre_trade": True}, "5", "J1"),
        ({}, "1", "R1"),
        ({"action": "cancel"}, "2", "R1"),
    ],
)
def test_in_42_a_report_is_the_brokers_allocation(changes: dict[str, Any], trans: str, ref: str) -> None:
    wire = in_42(replace(REPORT, **changes))
    fields = cut(wire)
    assert (fields["35"], fields["70"], fields["71"], fields["72"]) == ("J", "R2", trans, ref)
    assert (fields["53"], fields["6"], fields["118"]) == ("1000", "187.5000", "187500")
    assert [piece.split("\x01")[0] for piece in wire.split("\x0179=")[1:]] == ["X", "Y"]
    assert {"87", "755", "794", "795", "796", "857"}.isdisjoint(fields)


def test_in_42_what_cannot_be_said_is_not_sent_and_an_answer_is_of_the_whole() -> None:
    assert in_42(replace(REPORT, action="new", misfit=Misfit.WRONG_ALLOCATED_QUANTITY, parts=())) == ""
    refused = replace(ACK, status="account_reject", misfit=FAULT.misfit, text=FAULT.text, accounts=(FAULT,))
    fields = cut(in_42(refused))
    assert (fields["87"], fields["88"], fields["58"]) == ("1", "0", FAULT.text)
    assert "79" not in fields
    assert cut(in_42(replace(ACK, status="block_reject", misfit=Misfit.MISMATCHED)))["88"] == "7"
    assert cut(in_42(ACK))["87"] == "0"


def test_in_42_an_instruction_has_no_type() -> None:
    text = J.replace("626=1|857=1|", "").replace("|800=400", "").replace("467=I1|", "").replace("|", "\x01")
    request = read(on_the_wire(text, "FIX.4.2"), OMS, FIX42)
    assert isinstance(request, AllocationInstruction)
    assert (request.refusal, request.alloc_type, len(request.orders), len(request.shares)) == (None, None, 2, 2)
