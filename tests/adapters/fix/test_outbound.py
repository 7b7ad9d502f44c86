"""Outputs to FIX text: every text passes our dictionary, and says back what it was made from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from adapters.fix.fields import cut
from adapters.fix.inbound import Origin, read
from adapters.fix.outbound import cancel_text, write
from domain.instructions import Instructions
from domain.messages import NewOrder, VenueReport
from domain.order_life import OrdStatus
from domain.sending import (
    CancelReject,
    MessageReject,
    Outbound,
    ParentReport,
    SendChild,
    SendChildCancel,
    SendChildReplace,
    SendDontKnow,
    SendStatusQuery,
)
from domain.values import E9, OrdType, Side, TimeInForce
from tests.adapters.fix.made import REPORTS, on_the_wire

TIME_NS = 1_795_359_600_123_456_789


@given(REPORTS)
def test_every_report_passes_the_dictionary_and_comes_back(report: ParentReport) -> None:
    text = on_the_wire(write(report))
    fields = cut(text)
    assert ("97" in fields) == report.poss_resend
    back = read(text, Origin("EMS", "venue", 0, 1))
    assert isinstance(back, VenueReport)
    assert back.exec_kind == report.exec_kind
    assert back.leaves_quantity_e9 == report.leaves_quantity_e9
    assert back.cum_quantity_e9 == report.cum_quantity_e9
    assert back.side == report.side
    assert (back.quantity_e9, back.limit_price_e9) == (report.quantity_e9, report.limit_price_e9)
    assert (back.restatement_reason, back.working) == (report.restatement_reason, report.working)
    assert (back.ord_rej_reason, back.exec_ref_id) == (report.ord_rej_reason, report.exec_ref_id)
    if report.exec_kind in ("trade", "trade_correct", "trade_cancel"):
        assert (back.last_quantity_e9, back.last_price_e9) == (report.last_quantity_e9, report.last_price_e9)


def test_a_report_says_all_that_an_oms_needs() -> None:
    report = ParentReport(
        session="OMS", event_seq=1, exec_kind="trade", ord_status=OrdStatus.PARTIALLY_FILLED, exec_id="E1", order_id="O1",
        cl_ord_id="A2", orig_cl_ord_id="A1", symbol="AMZN", side=Side.SELL, quantity_e9=5000 * E9,
        limit_price_e9=187_500_000_000, last_quantity_e9=100 * E9, last_price_e9=187_505_000_000, cum_quantity_e9=300 * E9,
        leaves_quantity_e9=4700 * E9, average_price_e9=187_501_000_001, transact_time_ns=TIME_NS, account="FUND", algo="pov",
        parameters=(("ParticipationRate", "10"), ("WouldPrice", "188")), text="a word", ord_rej_reason=None,
    )  # fmt: skip
    assert write(report).replace("\x01", "|") == (
        "35=8|37=O1|11=A2|41=A1|17=E1|150=F|39=1|1=FUND|55=AMZN|54=2|38=5000|44=187.5|32=100|31=187.505|151=4700|14=300|"
        "6=187.501000001|60=20261122-15:00:00.123|58=a word|847=2|957=2|958=ParticipationRate|959=11|960=10|"
        "958=WouldPrice|959=8|960=188|"
    )


CHILD: dict[str, Any] = {
    "session": "VENUE", "event_seq": 5, "cl_ord_id": "C1", "instrument": "AMZN", "side": Side.BUY, "quantity_e9": 100 * E9,
    "ord_type": OrdType.LIMIT, "limit_price_e9": 187_010_000_000, "time_in_force": TimeInForce.IOC, "account": "FUND",
    "transact_time_ns": TIME_NS,
}  # fmt: skip


@pytest.mark.parametrize("ord_type", OrdType)
@pytest.mark.parametrize("time_in_force", TimeInForce)
@pytest.mark.parametrize("side", Side)
def test_a_child_is_read_by_its_receiver_as_it_was_meant(ord_type: OrdType, time_in_force: TimeInForce, side: Side) -> None:
    child = SendChild(**{**CHILD, "ord_type": ord_type, "time_in_force": time_in_force, "side": side})
    back = read(on_the_wire(write(child)), Origin("EMS", "client", 0, 1))
    assert isinstance(back, NewOrder)
    assert (back.ord_type, back.time_in_force, back.side, back.quantity_e9) == (ord_type, time_in_force, side, 100 * E9)
    assert back.limit_price_e9 == (None if ord_type in (OrdType.MARKET, OrdType.STOP) else 187_010_000_000)
    assert back.transact_time_ns == TIME_NS - TIME_NS % 1_000_000


def test_a_ready_cancel_lacks_only_its_id_and_time() -> None:
    text = cancel_text(SendChild(**CHILD))
    assert text.replace("\x01", "|") == "35=F|41=C1|55=AMZN|54=1|38=100|"
    on_the_wire(f"{text}11=C1K1\x0160=20261122-15:00:00.000\x01")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            SendChildCancel(
                session="VENUE", event_seq=1, cl_ord_id="K1", orig_cl_ord_id="C1", order_id="V1", instrument="AMZN",
                side=Side.BUY, quantity_e9=E9, transact_time_ns=TIME_NS,
            ),
            "35=F|41=C1|37=V1|11=K1|55=AMZN|54=1|60=20261122-15:00:00.123|38=1|",
        ),
        (
            SendChildReplace(
                session="VENUE", event_seq=1, cl_ord_id="C2", orig_cl_ord_id="C1", order_id="V1", instrument="AMZN",
                side=Side.BUY, quantity_e9=2 * E9, ord_type=OrdType.STOP_LIMIT, limit_price_e9=187_010_000_000,
                time_in_force=TimeInForce.GTC, account="FUND", transact_time_ns=TIME_NS,
                instructions=Instructions(stop_price_e9=186 * E9, exec_inst="G", handl_inst="1"),
            ),
            "35=G|37=V1|41=C1|11=C2|1=FUND|55=AMZN|54=1|60=20261122-15:00:00.123|38=2|40=4|44=187.01|59=1|18=G|21=1|99=186|",
        ),
        (
            SendDontKnow(
                session="VENUE", event_seq=1, order_id="V1", exec_id="X1", reason="D", instrument="AMZN", side=None,
                quantity_e9=E9, price_e9=187 * E9, text="no such order",
            ),
            "35=Q|37=V1|17=X1|127=D|55=AMZN|54=7|32=1|31=187|58=no such order|",
        ),
        (
            SendStatusQuery(session="VENUE", event_seq=1, cl_ord_id="C1", order_id="", instrument="AMZN", side=Side.SELL),
            "35=H|11=C1|55=AMZN|54=2|",
        ),
        (
            CancelReject(
                session="OMS", event_seq=1, cl_ord_id="K1", orig_cl_ord_id="", order_id="NONE", ord_status=OrdStatus.REJECTED,
                response_to="replace", cxl_rej_reason=1, text="unknown",
            ),
            "35=9|37=NONE|11=K1|41=NONE|39=8|434=2|102=1|58=unknown|",
        ),
        (
            MessageReject(
                session="OMS", event_seq=1, poss_resend=True, ref_seq_num=7, ref_msg_type="D", ref_id="A1",
                business_reject_reason=5, text="no",
            ),
            "35=j|97=Y|45=7|372=D|379=A1|380=5|58=no|",
        ),
    ],
)  # fmt: skip
def test_the_other_messages(message: Outbound, expected: str) -> None:
    assert write(message).replace("\x01", "|") == expected
    on_the_wire(write(message))
