"""Instructions as FIX fields: what is written is read back, through the engine and its dictionary; what is bad is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from adapters.fix.inbound import Origin, read
from adapters.fix.outbound import write
from domain.instructions import Instructions, Party, PreAllocation
from domain.messages import NewOrder
from domain.refusal import Reason
from domain.sending import SendChild
from domain.values import E9, OrdType, Side, TimeInForce
from tests.adapters.fix.made import INSTRUCTIONS, on_the_wire

PEER = Origin("EMS", "client", 0, 1)


def child(instructions: Instructions | None) -> SendChild:
    return SendChild(
        session="EMS", event_seq=1, cl_ord_id="C1", instrument="AMZN", side=Side.BUY, quantity_e9=E9, ord_type=OrdType.LIMIT,
        limit_price_e9=E9, time_in_force=TimeInForce.GTD, account="", transact_time_ns=0, instructions=instructions,
    )  # fmt: skip


@given(INSTRUCTIONS)
def test_what_is_written_is_read_back(instructions: Instructions) -> None:
    back = read(on_the_wire(write(child(instructions))), PEER)
    assert isinstance(back, NewOrder)
    assert back.refusal is None
    assert back.instructions == (None if instructions == Instructions() else instructions)


def order(*more: tuple[str, str], **changes: str) -> Any:
    fields = {"35": "D", "34": "2", "11": "A", "55": "AMZN", "54": "1", "38": "5", "40": "1", "60": "20261122-15:00:00"}
    fields.update({tag.lstrip("t"): value for tag, value in changes.items()})
    return read("".join(f"{tag}={value}\x01" for tag, value in [*fields.items(), *more]), PEER)


def test_an_order_that_says_nothing_more_has_none() -> None:
    assert order().instructions is None


def test_the_end_of_a_date_and_a_time() -> None:
    assert order(t59="6", t432="20261123").instructions.expire_ns == 1_795_478_399_999_999_999
    assert order(t59="6", t126="20261123-16:00:00").instructions.expire_ns == 1_795_449_600 * E9


def test_for_an_algorithm_the_expire_time_is_its_parameter() -> None:
    worked = order(t847="1", t126="20261123-16:00:00")
    assert worked.instructions is None
    assert worked.parameters == (("EndTime", "20261123-16:00:00"),)
    direct = order(t126="20261123-16:00:00")
    assert direct.parameters == ()


def test_money_stands_for_a_quantity() -> None:
    by_cash = read("35=D\x0134=2\x0111=A\x0155=X\x0154=1\x01152=1000.5\x0140=1\x01", PEER)
    assert isinstance(by_cash, NewOrder)
    assert by_cash.refusal is None
    assert by_cash.quantity_e9 == 0
    assert by_cash.instructions == Instructions(cash_quantity_e9=1_000_500_000_000)


@pytest.mark.parametrize(
    ("more", "reason", "said"),
    [
        ([("99", "cheap")], Reason.PRICE_NOT_POSITIVE, "StopPx (99): 'cheap' is not a number"),
        ([("111", "x")], Reason.QUANTITY_NOT_POSITIVE, "MaxFloor (111)"),
        ([("126", "noon")], Reason.TIME_IN_FORCE_UNSUPPORTED, "ExpireTime (126) 'noon' is not a UTC timestamp"),
        ([("432", "20261399")], Reason.TIME_IN_FORCE_UNSUPPORTED, "ExpireDate (432) '20261399' is not a date"),
        ([("453", "2"), ("448", "i"), ("447", "P"), ("452", "12")], Reason.BAD_PARAMETER, "NoPartyIDs (453) says 2, but 1 came"),
        ([("453", "1"), ("448", "i"), ("447", "P")], Reason.BAD_PARAMETER, "PartyRole (452) '' is not a number"),
        ([("2593", "1"), ("2594", "x"), ("2595", "Y")], Reason.BAD_PARAMETER, "OrderAttributeType (2594) 'x'"),
        ([("78", "1"), ("79", "A1"), ("80", "many")], Reason.BAD_PARAMETER, "'many' is not a decimal number"),
        ([("78", "x"), ("79", "A1")], Reason.BAD_PARAMETER, "NoAllocs (78) says x, but 1 came"),
    ],
)
def test_what_cannot_be_read_is_a_named_refusal(more: list[tuple[str, str]], reason: Reason, said: str) -> None:
    refused = order(*more)
    assert refused.refusal is not None
    assert refused.refusal.reason is reason
    assert said in refused.refusal.text


def test_parties_end_where_the_next_group_begins() -> None:
    both = order(
        ("453", "2"), ("448", "i"), ("447", "P"), ("452", "12"), ("448", "j"), ("452", "122"), ("2376", "22"),
        ("78", "1"), ("79", "A1"), ("80", "5"), ("467", "x"), ("58", "a word"),
    )  # fmt: skip
    assert both.instructions == Instructions(
        parties=(
            Party(party_id="i", source="P", role=12),
            Party(party_id="j", source="", role=122, qualifier=22),
        ),
        allocations=(PreAllocation(account="A1", quantity_e9=5 * E9, individual_id="x"),),
    )
