"""Dialects: what FIX 4.2 says otherwise, both ways; and that nothing is lost in any version but what it has no words for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.dialect import Body, Canonical, Dialect
from adapters.fix.dialect_42 import Fix42
from adapters.fix.inbound import Origin, read
from adapters.fix.outbound import cancel_text, write
from adapters.fix.sessions import DICTIONARIES
from domain.instructions import Instructions, Party
from domain.messages import Inbound, NewOrder, VenueCancelReject, VenueReport
from domain.sending import CancelReject, Outbound, ParentReport, SendChild
from domain.values import OrdType, TimeInForce
from tests.adapters.fix import made
from tests.adapters.fix.made import apart_from_text, on_the_wire

OLD = Dialect((Fix42(),))
DIALECTS = {"FIX.4.2": OLD, "FIX.4.4": None, "FIXT.1.1": None}
CLIENT = Origin("PEER", "client", 0, 1)
VENUE = Origin("PEER", "venue", 0, 1)


def wire(fields: str) -> str:
    return fields.replace("|", "\x01")


REPORT = "35=8|37=V|11=C|17=E|{}55=X|54=1|38=100|{}60=20261122-15:00:00|"

REPORTS = [  # FIX 4.2: what stands for ExecID's followers; canonical
    ("20=0|150=0|39=0|", "150=0|39=0|", "151=100|14=0|6=0|"),
    ("20=0|150=1|39=1|", "150=F|39=1|", "32=40|31=5|151=60|14=40|6=5|"),
    ("20=0|150=2|39=2|", "150=F|39=2|", "32=100|31=5|151=0|14=100|6=5|"),
    ("20=0|150=1|39=6|", "150=F|39=6|", "32=40|31=5|151=60|14=40|6=5|"),
    ("20=2|150=1|39=1|", "150=G|39=1|", "19=E0|32=30|31=5|151=70|14=30|6=5|"),
    ("20=1|150=1|39=1|", "150=H|39=1|", "19=E0|32=0|31=0|151=60|14=40|6=5|"),
    ("20=1|150=2|39=4|", "150=H|39=4|", "19=E0|32=0|31=0|151=0|14=40|6=5|"),
    ("20=3|150=1|39=1|", "150=I|39=1|", "151=60|14=40|6=5|"),
    ("20=3|150=8|39=8|", "150=I|39=8|", "103=5|151=0|14=0|6=0|"),
    ("20=0|150=D|39=0|", "150=D|39=0|", "378=1|424=100|425=0|151=100|14=0|6=0|"),
    ("20=0|150=E|39=E|", "150=E|39=E|", "151=60|14=40|6=5|"),
    ("20=0|150=5|39=1|", "150=5|39=1|", "151=60|14=40|6=5|"),
]


@pytest.mark.parametrize(("older", "canonical", "rest"), REPORTS)
def test_reports_of_4_2(older: str, canonical: str, rest: str) -> None:
    old, new = wire(REPORT.format(older, rest)), wire(REPORT.format(canonical, rest))
    assert OLD.outward(new) == old
    on_the_wire(old, "FIX.4.2")
    assert OLD.inward(old) == Canonical(new)


def test_a_replaced_order_of_4_2_has_a_status_of_its_own() -> None:
    old = OLD.outward(wire(REPORT.format("150=5|39=0|", "151=100|14=0|6=0|")))
    assert "\x0139=5\x01" in old
    back = read(old, VENUE, OLD)
    assert isinstance(back, VenueReport)
    assert (back.exec_kind, back.ord_status) == ("replaced", "new")


def test_what_4_2_has_no_word_for_is_not_sent() -> None:
    assert OLD.outward(wire(REPORT.format("150=L|39=0|", "151=100|14=0|6=0|"))) == ""
    told = OLD.outward(wire(REPORT.format("150=0|39=0|", "636=N|847=1|957=1|958=a|959=14|960=b|2593=1|2594=4|2595=Y|5001=x|")))
    assert Body(told).text() == wire(REPORT.format("20=0|150=0|39=0|", "5001=x|"))
    kept = Dialect((Fix42(keep=frozenset({"636"})),)).outward(wire(REPORT.format("150=0|39=0|", "636=N|847=1|")))
    assert Body(kept).text() == wire(REPORT.format("20=0|150=0|39=0|", "636=N|"))


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("35=8|17=E|150=8|39=8|103=99|151=0|", "35=8|17=E|20=0|150=8|39=8|103=0|151=0|"),
        ("35=8|17=E|150=8|39=8|103=6|151=0|", "35=8|17=E|20=0|150=8|39=8|103=6|151=0|"),
        ("35=9|11=K|102=6|", "35=9|11=K|102=2|"),
        ("35=9|11=K|102=3|", "35=9|11=K|102=3|"),
        ("35=j|372=D|380=6|", "35=j|372=D|380=0|"),
    ],
)
def test_later_reasons_become_the_brokers_choice(newer: str, older: str) -> None:
    assert OLD.outward(wire(newer)) == wire(older)


@pytest.mark.parametrize(
    ("canonical", "older"),
    [
        ("40=1|59=7|", "40=5|"),
        ("40=2|59=7|44=5|", "40=B|44=5|"),
        ("40=2|59=0|44=5|", "40=2|59=0|44=5|"),
        ("40=1|59=2|", "40=1|59=2|"),
    ],
)
def test_an_order_for_the_close_is_an_order_type(canonical: str, older: str) -> None:
    head = "35=D|11=A|55=X|54=1|60=20261122-15:00:00|38=1|21=1|"
    assert OLD.outward(wire(head + canonical)) == wire(head + older)
    back, ours = read(wire(head + older), CLIENT, OLD), read(wire(head + canonical), CLIENT)
    assert apart_from_text(back) == apart_from_text(ours)
    on_the_wire(wire(head + older), "FIX.4.2")


def test_handl_inst_is_there_and_the_clients_own_stays() -> None:
    assert "21=1\x01" in OLD.outward(wire("35=D|11=A|"))
    assert "21=3\x01" in OLD.outward(wire("35=G|11=A|21=3|"))
    assert "21=" not in OLD.outward(wire("35=F|11=A|"))


def test_parties_are_single_tags() -> None:
    canonical = wire("35=D|11=A|453=3|448=ALPHA|447=D|452=3|448=JOE|447=P|452=12|2376=24|448=BOT|447=P|452=122|78=1|79=F|80=1|")
    old = OLD.outward(canonical)
    assert {"109=ALPHA", "20012=JOE", "20122=BOT"} <= set(old.split("\x01"))
    assert "453=" not in old
    assert "78=1\x0179=F\x0180=1\x01" in old
    back = read(old, CLIENT, OLD)
    assert isinstance(back, NewOrder)
    assert back.instructions is not None
    assert {(party.party_id, party.source, party.role) for party in back.instructions.parties} == {
        ("ALPHA", "", 3), ("JOE", "", 12), ("BOT", "", 122),
    }  # fmt: skip


@given(made.CHILDREN)
def test_the_ready_cancel_of_an_order_is_in_the_venues_words_too(child: SendChild) -> None:
    text = OLD.outward(cancel_text(child))
    assert text.startswith("35=F\x0141=")
    on_the_wire(f"{text}11=C1K1\x0160=20261122-15:00:00.000\x01", "FIX.4.2")


# ---------------------------------------------------------------------------------------- in every version


def way(message: Outbound, begin_string: str, origin: Origin) -> Inbound | None:
    """What a peer of that version reads of a message, without its text; None where it is sent nothing."""
    dialect = DIALECTS[begin_string]
    text = write(message) if dialect is None else dialect.outward(write(message))
    return apart_from_text(read(on_the_wire(text, begin_string), origin, dialect)) if text else None


def meant(message: Outbound, origin: Origin) -> Inbound:
    """The same, without any way in between."""
    return apart_from_text(read(f"{write(message)}34=2\x01", origin))


def in_42(instructions: Instructions | None) -> Instructions | None:
    """What FIX 4.2 can say of instructions: one party of a role, known by its id alone."""
    if instructions is None:
        return None
    parties: dict[int, Party] = {}
    for party in instructions.parties:
        parties.setdefault(party.role, Party(party_id=party.party_id, source="", role=party.role))
    allocations = tuple(part.model_copy(update={"individual_id": ""}) for part in instructions.allocations)
    ordered = tuple(parties[role] for role in sorted(parties, key=lambda role: {3: 109, 1: 76, 4: 439}.get(role, 20_000 + role)))
    return instructions.model_copy(update={"parties": ordered, "attributes": (), "allocations": allocations})


def order_in_42(order: NewOrder) -> NewOrder:
    known = in_42(order.instructions) or Instructions()
    return replace(order, instructions=known.model_copy(update={"handl_inst": known.handl_inst or "1"}))


@pytest.mark.parametrize("begin_string", DICTIONARIES)
@given(message=made.CHILDREN | made.REPLACES)
def test_orders_arrive_as_they_were_meant(begin_string: str, message: SendChild) -> None:
    if begin_string == "FIX.4.2" and message.time_in_force is TimeInForce.AT_THE_CLOSE:
        message = replace(message, ord_type=OrdType.MARKET)  # stop and pegged orders for the close came later
    expected = meant(message, CLIENT)
    assert isinstance(expected, NewOrder)
    if begin_string == "FIX.4.2":
        expected = order_in_42(expected)
    assert way(message, begin_string, CLIENT) == expected


@pytest.mark.parametrize("begin_string", DICTIONARIES)
@given(message=made.CANCELS | made.QUERIES)
def test_requests_arrive_as_they_were_meant(begin_string: str, message: Outbound) -> None:
    assert way(message, begin_string, CLIENT) == meant(message, CLIENT)


@pytest.mark.parametrize("begin_string", DICTIONARIES)
@given(message=made.NOTICES)
def test_notices_arrive_as_they_were_meant(begin_string: str, message: Outbound) -> None:
    assert way(message, begin_string, CLIENT) == meant(message, CLIENT)


@pytest.mark.parametrize("begin_string", DICTIONARIES)
@given(message=made.REPORTS)
def test_reports_arrive_as_they_were_meant(begin_string: str, message: ParentReport) -> None:
    expected: Any = meant(message, VENUE)
    assert isinstance(expected, VenueReport)
    if begin_string == "FIX.4.2":
        if message.exec_kind == "triggered":
            assert way(message, begin_string, VENUE) is None
            return
        reason = expected.ord_rej_reason
        expected = replace(expected, working=None, ord_rej_reason=0 if reason is not None and reason > 8 else reason)
        if message.exec_kind == "replaced" and expected.ord_status == "new":  # says where the order rests by its quantities
            rests = "filled" if not message.leaves_quantity_e9 else "partially_filled" if message.cum_quantity_e9 else "new"
            expected = replace(expected, ord_status=rests)
    assert way(message, begin_string, VENUE) == expected


@pytest.mark.parametrize("begin_string", DICTIONARIES)
@given(message=made.CANCEL_REJECTS)
def test_refused_requests_arrive_as_they_were_meant(begin_string: str, message: CancelReject) -> None:
    expected: Any = meant(message, VENUE)
    assert isinstance(expected, VenueCancelReject)
    if begin_string == "FIX.4.2" and message.cxl_rej_reason > 3:
        expected = replace(expected, reason=2)
    assert way(message, begin_string, VENUE) == expected


@pytest.mark.parametrize("begin_string", DICTIONARIES)
@given(message=made.MESSAGE_REJECTS)
def test_rejects_arrive_as_they_were_meant(begin_string: str, message: Outbound) -> None:
    assert way(message, begin_string, VENUE) == meant(message, VENUE)


@given(st.text(), st.sampled_from([CLIENT, VENUE]))
def test_no_text_raises(text: str, origin: Origin) -> None:
    assert isinstance(read(text, origin, OLD), Inbound)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("35 20 150 39 151 14 40 59 109 76 20012 20122 20999 453 448 447 452 78 79 80 11 41 17".split()),
            st.sampled_from(["D", "G", "8", "9", "1", "2", "3", "5", "A", "B", "7", "", "x"]),
        ),
        max_size=20,
    ),
    st.sampled_from([CLIENT, VENUE]),
)
def test_no_fields_raise(pairs: list[tuple[str, str]], origin: Origin) -> None:
    text = "".join(f"{tag}={value}\x01" for tag, value in pairs)
    assert isinstance(read(text, origin, OLD), Inbound)
    assert isinstance(OLD.outward(text), str)
