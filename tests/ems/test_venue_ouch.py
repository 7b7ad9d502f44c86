"""The simulated venue's OUCH front over real sockets: orders, their ends, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.ouch.layout import Option, Reject
from adapters.ouch.messages import Message, encode
from adapters.ouch.soup import packet
from adapters.ouch.venue_front import OuchConfig, OuchFront
from domain.errors import ConfigError
from domain.ports_market import SHOWN_ID_MIN
from domain.ports_venue import Listing
from domain.values import E9
from tests.ems.ouch_room import CENT, MIDNIGHT_NS, OPEN_NS, OuchClient, OuchRoom


@pytest.fixture
def room(tmp_path: Path) -> Iterator[OuchRoom]:
    room = OuchRoom(tmp_path)
    yield room
    room.stop()
    assert room.errors == []


@pytest.fixture
def trader(room: OuchRoom) -> Iterator[OuchClient]:
    client = room.client()
    yield client
    client.close()


def test_an_order_is_accepted_filled_and_canceled(room: OuchRoom, trader: OuchClient) -> None:
    ref = trader.enter("B", 300, 9_995, cl_ord_id="mine", capacity="A", options=[(Option.HANDLE_INST, b" "), (99, b"x")])
    accepted = trader.read()
    assert accepted == Message(
        "accepted",
        {
            "time_ns": OPEN_NS - MIDNIGHT_NS, "user_ref_num": ref, "side": "B", "quantity": 300, "symbol": "TEST",
            "price": 999_500, "time_in_force": "0", "display": "Y", "order_ref_num": SHOWN_ID_MIN + 1, "capacity": "A",
            "sweep": "N", "cross_type": "N", "state": "L", "cl_ord_id": "mine",
        },
        ((Option.HANDLE_INST, b" "), (99, b"x")),
    )  # fmt: skip
    room.trade(-1, 9_995, 100)
    executed = trader.read()
    assert executed.fields == {
        "time_ns": room.time_ns - MIDNIGHT_NS, "user_ref_num": ref, "quantity": 100, "price": 999_500, "liquidity": "A",
        "match_number": 2,
    }  # fmt: skip
    trader.cancel(ref)
    assert trader.told() == ["C1 200 U"]
    trader.cancel(ref)
    assert trader.told() == [], "it has gone"


def test_it_takes_what_is_there_and_the_rest_rests_or_not(trader: OuchClient) -> None:
    trader.enter("B", 600, 10_010)
    assert trader.told() == ["A1 600", "E1 500 1001000 R"]
    trader.enter("B", 600, 10_020, time_in_force="3")
    assert trader.told() == ["A2 600", "E2 500 1002000 R", "C2 100 I"]
    trader.enter("T", 100, 10_010)  # sells short into the rest of the first, which is its own
    assert trader.told() == ["A3 100", "D1 100 100 1001000"]


def test_post_only_rests_or_goes(trader: OuchClient) -> None:
    trader.enter("B", 100, 10_010, post_only=True)
    assert trader.told() == ["A1 100", "C1 100 G"]
    ref = trader.enter("B", 100, 10_009, post_only=True)
    assert trader.told() == ["A2 100"]
    trader.replace(ref, 100, 10_010, post_only=True)
    assert trader.told() == ["U3 100", "C3 100 G"]
    ref = trader.enter("B", 100, 10_009, post_only=True)
    trader.replace(ref, 100, 10_010)
    assert trader.told() == ["A4 100", "U5 100", "E5 100 1001000 R"], "the new one may take"


def test_a_replace_keeps_the_total_and_moves_the_reference(room: OuchRoom, trader: OuchClient) -> None:
    ref = trader.enter("B", 300, 9_995, cl_ord_id="a")
    trader.until("accepted")
    room.trade(-1, 9_995, 100)
    trader.replace(ref, 250, 9_996, cl_ord_id="b")
    trader.until("executed")
    replaced = trader.read()
    assert (replaced.name, replaced.number("orig_user_ref_num"), replaced.number("user_ref_num")) == ("replaced", 1, 2)
    outstanding = replaced.number("quantity")
    assert (outstanding, replaced.number("price"), replaced.text("cl_ord_id"), replaced.text("state")) == (150, 999_600, "b", "L")
    assert replaced.number("order_ref_num") == SHOWN_ID_MIN + 1 and replaced.text("side") == "B"
    room.trade(-1, 9_996, 1_000)
    assert trader.told() == ["E2 150 999600 A"]
    trader.replace(2, 400, 9_996)
    assert trader.told() == [f"J3 {Reject.REPLACE_NOT_ALLOWED:d}"], "a replace is answered, whatever has become of the order"
    ref = trader.enter("B", 300, 9_995)
    trader.until("accepted")
    room.trade(-1, 9_995, 100)
    trader.replace(ref, 100, 9_995)
    assert trader.told()[-1] == "U5 0", "what has executed is all that it comes to"
    trader.cancel(5)
    assert trader.told() == []


def test_a_cancel_may_leave_some(room: OuchRoom, trader: OuchClient) -> None:
    ref = trader.enter("S", 300, 10_005)
    trader.cancel(ref, 300)
    trader.cancel(ref, 200)
    trader.cancel(ref, 200)
    assert trader.told() == ["A1 300", "C1 100 U"]
    room.trade(1, 10_005, 50)
    trader.cancel(ref, 120)
    assert trader.told() == ["E1 50 1000500 A", "C1 80 U"]
    trader.replace(ref, 150, 10_005)
    assert trader.told() == ["U2 100"]
    trader.cancel(2, 40)
    assert trader.told() == ["C2 100 U"], "50 have executed, so nothing is left"


def test_an_account_does_not_trade_with_itself_but_with_others(room: OuchRoom, trader: OuchClient) -> None:
    other = room.client("QUOTE2")
    trader.enter("S", 100, 10_005)
    trader.enter("S", 100, 10_006)
    trader.enter("S", 100, 10_007)
    assert trader.told() == ["A1 100", "A2 100", "A3 100"]
    other.enter("S", 50, 10_006)
    assert other.told() == ["A1 50"]
    trader.enter("B", 100, 10_006)
    assert trader.told() == ["A4 100", "D1 100 100 1000500", "D2 100 100 1000600", "E4 50 1000600 R"]
    assert other.told() == ["E1 50 1000600 A"]
    trader.replace(4, 200, 10_007)
    assert trader.told() == ["D3 100 100 1000700", "U5 150"]
    other.enter("S", 10, 10_007)
    assert other.told() == ["A2 10", "E2 10 1000700 R"]
    other.close()


def test_without_self_match_prevention_it_trades(tmp_path: Path) -> None:
    room = OuchRoom(tmp_path, no_self_match=False)
    trader = room.client()
    trader.enter("S", 100, 10_005)
    trader.enter("B", 100, 10_005)
    assert trader.told() == ["A1 100", "A2 100", "E2 100 1000500 R", "E1 100 1000500 A"]
    trader.close()
    room.stop()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"symbol": "NONE"}, Reject.INVALID_SYMBOL),
        ({"side": "X"}, Reject.INVALID_SIDE),
        ({"quantity": 0}, Reject.INVALID_QUANTITY),
        ({"quantity": 1_000_000}, Reject.INVALID_QUANTITY),
        ({"price_e4": 0}, Reject.INVALID_PRICE),
        ({"price_e4": 999_501}, Reject.INVALID_PRICE),
        ({"price_e4": 2**63}, Reject.INVALID_PRICE),
        ({"time_in_force": "6"}, Reject.OTHER),
        ({"display": "N"}, Reject.INVALID_DISPLAY),
        ({"sweep": "Y"}, Reject.ISO_NOT_ALLOWED),
        ({"cross_type": "O"}, Reject.INVALID_CROSS_ORDER),
        ({"options": [(Option.FIRM, b"ELSE")]}, Reject.FIRM_NOT_AUTHORIZED),
        ({"options": [(Option.PRICE_TYPE, b"P")]}, Reject.PEGGING_NOT_ALLOWED),
        ({"options": [(Option.MIN_QUANTITY, b"\0\0\0\1")]}, Reject.OTHER),
        ({"options": [(Option.POST_ONLY, b"?")]}, Reject.OTHER),
        ({"options": [(Option.ROUTE, b"SCAN")]}, Reject.ROUTING_NOT_ALLOWED),
    ],
)
def test_what_is_refused(trader: OuchClient, more: dict[str, Any], why: Reject) -> None:
    fields = {"side": "B", "quantity": 100, "cl_ord_id": "mine", **more}
    trader.enter(fields.pop("side"), fields.pop("quantity"), 9_995, **fields)
    rejected = trader.read()
    assert (rejected.name, rejected.number("reason"), rejected.text("cl_ord_id")) == ("rejected", why, "mine")
    trader.enter("B", 100, 9_995, options=[(Option.FIRM, b"EMSX"), (Option.PRICE_TYPE, b"L"), (Option.MIN_QUANTITY, bytes(4))])
    assert trader.told() == ["A2 100"]


def test_a_reference_that_was_used_is_ignored_and_the_next_can_be_asked_for(trader: OuchClient) -> None:
    trader.enter("B", 100, 9_995, user_ref_num=7)
    trader.enter("B", 100, 9_994, user_ref_num=7)
    trader.enter("B", 100, 9_994, user_ref_num=6)
    trader.enter("B", 100, 9_995, user_ref_num=9, display="N")
    trader.replace(7, 50, 9_994, user_ref_num=9)
    trader.soup.send(packet(b"U", b"?") + packet(b"U", b"") + packet(b"U", encode("in", Message("modify", {
        "user_ref_num": 7, "side": "S", "quantity": 10}))))  # fmt: skip
    assert trader.told() == ["A7 100", f"J9 {Reject.INVALID_DISPLAY:d}"]
    assert trader.query() == 10


def test_a_mass_cancel_takes_a_side_a_symbol_or_all(trader: OuchClient) -> None:
    def quotes() -> None:
        for symbol, price in (("TEST", 9_991), ("MORE", 100)):
            trader.enter("B", 100, price, symbol=symbol)
            trader.enter("S", 100, price + 10, symbol=symbol)
        trader.query()

    def mass(symbol: str = "", side: bytes = b"", firm: str = "") -> list[str]:
        trader.ref += 1
        options = [(Option.SIDE, side)] if side else []
        trader.send("mass_cancel", options, user_ref_num=trader.ref, firm=firm, symbol=symbol)
        return trader.told()

    quotes()
    assert mass("TEST", b"B") == ["X5 TEST", "C1 100 U"]
    assert mass("MORE") == ["X6 MORE", "C3 100 U", "C4 100 U"]
    quotes()
    assert mass(side=b"S", firm="EMSX") == ["X11 ", "C2 100 U", "C8 100 U", "C10 100 U"]
    assert mass(firm="ELSE") == [f"J12 {Reject.FIRM_NOT_AUTHORIZED:d}"]
    assert mass() == ["X13 ", "C7 100 U", "C9 100 U"]


def test_order_entry_can_be_switched_off_and_cancels_pass(room: OuchRoom, trader: OuchClient) -> None:
    def switch(name: str, firm: str = "EMSX") -> list[str]:
        trader.ref += 1
        trader.send(name, user_ref_num=trader.ref, firm=firm)
        return trader.told()

    no = int(Reject.FIRM_NOT_AUTHORIZED)
    trader.enter("B", 100, 9_995)
    assert trader.told() == ["A1 100"]
    assert switch("disable_order_entry", "ELSE") == [f"J2 {no}"]
    assert switch("disable_order_entry") == ["G3 EMSX"]
    trader.enter("B", 100, 9_995)
    trader.replace(1, 50, 9_995)
    trader.cancel(1)
    assert trader.told() == [f"J4 {no}", f"J5 {no}", "C1 100 U"]
    assert switch("enable_order_entry") == ["K6 EMSX"]
    trader.enter("B", 100, 9_995)
    assert trader.told() == ["A7 100"]


def test_the_end_of_the_day_and_faults_on_command(room: OuchRoom, trader: OuchClient) -> None:
    room.venue.command({"faults": {"reject_next": 1}})
    trader.enter("B", 100, 9_995)
    assert trader.told() == [f"J1 {Reject.OTHER:d}"]
    trader.enter("B", 100, 9_995)
    trader.query()
    room.pass_s(10_001)
    assert trader.told() == ["C2 100 T"]
    trader.enter("B", 100, 9_995)
    assert trader.told() == [f"J3 {Reject.HALTED:d}"]


def test_what_cannot_be_configured(tmp_path: Path, room: OuchRoom) -> None:
    listing = {"TEST": Listing("TEST", CENT, E9)}

    def front(accounts: dict[str, str], listings: dict[str, Listing] = listing, port: int = 0, firm: str = "EMSX") -> None:
        OuchFront(OuchConfig("127.0.0.1", port, accounts, tmp_path / "x", firm), listings, room)

    for accounts in ({"TOOLONG": "x"}, {"": "x"}, {"A B": "x"}, {"A": ""}, {"A": "x" * 11}, {"A": " x"}):
        with pytest.raises(ConfigError):
            front(accounts)
    for wrong in (Listing("TEST", CENT // 1_000_000, E9), Listing("TEST", CENT, E9 // 10), Listing("TOOLONGER", CENT, E9)):
        with pytest.raises(ConfigError, match="OUCH tells"):
            front({"A": "x"}, {"TEST": wrong})
    with pytest.raises(ConfigError, match="firm"):
        front({"A": "x"}, firm="TOOLONG")
    with pytest.raises(ConfigError, match="listen"):
        front({"A": "x"}, port=room.front.address[1])
