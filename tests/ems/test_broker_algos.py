"""Orders for brokers' algorithms: text in, the broker's own rules, text out on the broker's session, and back."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.fix.fields import cut
from adapters.fix.inbound import Origin, read
from adapters.fix.outbound import write
from adapters.fixatdl.read import read as read_atdl
from domain.errors import ConfigError
from domain.instructions import Basket
from domain.list_messages import ListStatus
from domain.sending import CancelReject, ParentReport, SendChild, SendChildReplace
from ems.bootstrap.brokers import FixatdlBrokers
from tests.adapters.fixatdl.broker import BROKER, PAIR, WITH_PAIR
from tests.ems.room import Room, session, topics

OMS = Origin("OMS", "client", 0, 1)
TWO = (
    '  <Strategy name="Two" wireValue="TWO"><Parameter name="Ratio" xsi:type="Int_t" fixTag="7201"/></Strategy>\n</Strategies>\n'
)
WITH_TWO = WITH_PAIR.replace("</Strategies>\n", TWO)
BROKER1 = read_atdl("broker1.xml", WITH_TWO.encode())
OTHER = BROKER.replace('strategyIdentifierTag="7000"', 'strategyIdentifierTag="847"')
BROKER2 = read_atdl("broker2.xml", OTHER.replace('"FLT"', '"1001"').encode())
TICKET = "7000=FLT|7101=20260302-15:30:00|7103=12.5|7104=C|7105=TWO ONE|957=2|958=Note|959=14|960=quick|958=Sweep|959=13|960=1|"
WIRE = (
    "7000=FLT|7001=3|7101=20260302-15:30:00|7103=12.5|7104=C|7105=TWO ONE|7107=PT|7108=20:45:00|"
    "957=2|958=Note|959=14|960=quick|958=Sweep|959=13|960=1|"
)


def plain_order(cl_ord_id: str = "A1", orig: str = "") -> str:
    kind = f"35=G|41={orig}|" if orig else "35=D|"
    return f"{kind}11={cl_ord_id}|1=ACC|55=ABC|54=1|38=1000|40=2|44=100|59=0|60=20260302-15:00:00|"


async def opened(*documents: Any) -> Room:
    brokers = {"BROKER1": documents or (BROKER1,)}
    room = Room(brokers=FixatdlBrokers(brokers if documents else {**brokers, "BROKER2": (BROKER2,)}))
    await room.open()
    await room.wait(0, session("BROKER1"), session("BROKER2"))
    return room


async def says(room: Room, text: str) -> list[Any]:
    """An OMS sends this; what leaves."""
    room.take()
    await room.client(read(f"34=1|{text}".replace("|", "\x01"), OMS))
    return room.take()


def told(message: Any) -> str:
    return write(message).replace("\x01", "|")


async def test_an_order_for_a_brokers_algorithm_goes_to_the_broker_in_the_brokers_fields() -> None:
    room = await opened()
    (sent,) = await says(room, plain_order() + TICKET)
    assert isinstance(sent, SendChild)
    assert sent.session == "BROKER1"
    assert told(sent).endswith(f"|59=0|{WIRE}")
    await room.report("new", number=1)
    (report,) = room.take(ParentReport)
    assert told(report).endswith(WIRE)
    strategy = room.parent().terms.instructions.strategy  # type: ignore[union-attr]
    assert strategy is not None
    assert (strategy.name, strategy.rules) == ("Float", BROKER1.sha256)
    assert dict(strategy.values)["Rate"] == "0.125", "a percentage on the wire is a ratio to the rules"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("7000=FLT|7101=20260302-15:30:00|", "Float needs Rate"),
        ("7000=FLT|7103=60|", "Rate: 0.60 is above 0.5"),
        ("7000=FLT|7103=10|7104=e_Calm|", "Style: 'e_Calm' is not one of"),
        ("7000=FLT|7103=10|7103=11|", "the tag 7103 is given twice"),
        ("7000=FLT|7103=10|957=1|958=Rate|959=11|960=10|", "Rate is given twice"),
        ("7000=FLT|7103=10|957=1|958=Sweep|959=13|960=yes|", "Sweep: 'yes' is neither 1 nor {NULL}"),
        ("7000=FLT|7103=10|957=1|958=Speed|959=14|960=2|", "Float has no parameter 'Speed'"),
        ("7000=FLT|7103=10|7101=20260302-16:30:00|7102=20260302-16:00:00|", "Float: Start must precede End"),
        ("7000=FLT|7103=10|7104=H|", "Float: A hasty buy needs a limit"),
        ("7000=FLT|7103=10|7107=XX|", "Desk: it is always PT, not XX"),
        ("7000=PAIR|7203=1|7201=1|", "Pair: it works the orders of a basket together, so they have to come in a list (35=E)"),
        ("847=77|", "847=77 is neither one of our algorithms nor an algorithm of a broker's"),
        ("847=twap|", "847=twap is neither one of our algorithms"),
        ("847=77|100=BROKER1|", "847=77 is neither one of our algorithms nor an algorithm of BROKER1"),
        ("7000=NEW|7103=10|", "7000=NEW is neither one of our algorithms nor an algorithm of a broker's"),
        ("7000=FLT|7103=10|100=BROKER2|", "7000=FLT is neither one of our algorithms nor an algorithm of BROKER2"),
    ],
)
async def test_what_the_brokers_rules_exclude_is_refused_with_their_words_before_anything_is_sent(fields: str, said: str) -> None:
    room = await opened()
    (report,) = await says(room, plain_order() + fields)
    assert isinstance(report, ParentReport)
    assert (report.exec_kind, said in report.text) == ("rejected", True), report.text
    assert (await topics(room))[-1] == "parent_order.rejected"


async def test_a_desk_without_brokers_refuses_an_algorithm_that_is_not_its_own() -> None:
    room = await Room().open()
    for said in ("77", "twap", "direct"):
        (report,) = await says(room, plain_order(said) + f"847={said}|")
        assert report.text == f"the algorithm '847={said}' is neither ours (twap, vwap, pov, ac, adaptive) nor a broker's"
    (sent,) = await says(room, plain_order("A9") + "7000=NEW|")
    assert isinstance(sent, SendChild), "without a broker's file the tag is a client's own"


async def test_what_is_wrong_with_the_order_itself_is_said_first() -> None:
    room = await opened()
    (report,) = await says(room, plain_order().replace("44=100", "44=100.001") + "7000=FLT|")
    assert "off the tick" in report.text


async def test_a_replace_keeps_what_may_not_change_and_changes_the_rest() -> None:
    room = await opened()
    await says(room, plain_order() + TICKET)
    await room.report("new", number=1)
    (refused,) = await says(room, plain_order("A2", "A1") + TICKET.replace("7104=C", "7104=H"))
    assert isinstance(refused, CancelReject)
    assert (refused.response_to, refused.text) == ("replace", "Float: Style cannot be changed by a replace")
    (plain,) = await says(room, plain_order("A3", "A1"))
    assert plain.text == "a broker's algorithm is neither given to an order nor taken from it"
    (sent,) = await says(room, plain_order("A4", "A1") + "7000=FLT|7103=20|7104=C|")
    assert isinstance(sent, SendChildReplace)
    assert told(sent).endswith("|59=0|7000=FLT|7001=3|7103=20|7104=C|7107=PT|7108=20:45:00|")
    replacing = room.child().replacing
    assert replacing is not None
    await room.report("replaced", cl_ord_id=replacing.cl_ord_id, quantity_e9=replacing.quantity_e9)
    (report,) = room.take(ParentReport)
    assert "|7103=20|" in told(report)


async def test_an_algorithm_stays_unless_the_broker_lets_it_change() -> None:
    room = await opened(BROKER1)
    await says(room, plain_order() + "7000=FLT|7103=10|")
    await room.report("new", number=1)
    (refused,) = await says(room, plain_order("A2", "A1") + "7000=TWO|7201=1|")
    assert refused.text == "the order is for Float of BROKER1 and stays with it"
    changes = WITH_TWO.replace("strategyIdentifierTag=", 'changeStrategyOnCxlRpl="true" strategyIdentifierTag=')
    changing = read_atdl("b.xml", changes.encode())
    room = await opened(changing)
    await says(room, plain_order() + "7000=FLT|7103=10|")
    await room.report("new", number=1)
    (sent,) = await says(room, plain_order("A2", "A1") + "7000=TWO|7201=1|")
    assert told(sent).endswith("|7000=TWO|7201=1|")


async def test_where_a_code_is_ours_too_the_destination_says_that_the_brokers_is_meant() -> None:
    room = await opened()
    for number, beside in enumerate(("", "9999=x|")):
        await says(room, plain_order(f"A{number}") + f"847=1001|{beside}")
        assert (room.parent().cl_ord_id, room.parent().terms.algo) == (f"A{number}", "twap")
    (sent,) = await says(room, plain_order("B1") + "847=1001|7103=10|100=BROKER2|")
    assert (sent.session, "|847=1001|" in told(sent), "100" in cut(write(sent))) == ("BROKER2", True, False)


async def test_a_code_of_two_brokers_needs_a_destination() -> None:
    same = read_atdl("b.xml", OTHER.replace('"FLT"', '"77"').encode())
    room = Room(brokers=FixatdlBrokers({"BROKER1": (same,), "BROKER2": (same,)}))
    await room.open()
    await room.wait(0, session("BROKER1"), session("BROKER2"))
    (refused,) = await says(room, plain_order() + "847=77|7103=10|")
    assert "BROKER1 and BROKER2 both have this algorithm" in refused.text
    (sent,) = await says(room, plain_order("B1") + "847=77|7103=10|100=BROKER1|")
    assert sent.session == "BROKER1"


async def test_a_field_that_the_order_itself_has_is_sent_once_and_never_against_the_order() -> None:
    shown = '<Parameter name="Show" xsi:type="Qty_t" fixTag="111"/><Parameter name="Life" xsi:type="Char_t" fixTag="59"'
    own = BROKER.replace('    <val:Edit id="noTimes"', f'    {shown} constValue="0"/>\n    <val:Edit id="noTimes"')
    room = await opened(read_atdl("b.xml", own.encode()))
    (sent,) = await says(room, plain_order() + "7000=FLT|7103=10|111=300|")
    assert told(sent).count("|111=300|") == told(sent).count("|59=0|") == 1
    (refused,) = await says(room, plain_order("B1").replace("59=0", "59=1") + "7000=FLT|7103=10|")
    assert "Life: it is always 0, not 1" in refused.text


async def test_an_order_of_a_list_may_be_for_a_broker_too() -> None:
    room = await opened()
    entry = plain_order().removeprefix("35=D|").replace("11=A1|", "11=A1|67=1|")
    await says(room, f"35=E|66=L1|394=3|433=1|68=1|73=1|{entry}{TICKET}")
    strategy = room.parent().terms.instructions.strategy  # type: ignore[union-attr]
    assert strategy is not None
    assert strategy.name == "Float"


def entry(number: int, more: str, cl_ord_id: str = "") -> str:
    return plain_order(cl_ord_id or f"A{number}").removeprefix("35=D|").replace("|1=ACC|", f"|67={number}|1=ACC|") + more


def listed(*entries: str, head: str = "394=3|433=1|", tail: str = "") -> str:
    return f"35=E|66=L1|{head}68={len(entries)}|73={len(entries)}|{''.join(entries)}{tail}"


WITH_LIST = BROKER.replace("</Strategies>\n", PAIR)


async def with_pair() -> Room:
    return await opened(read_atdl("b.xml", WITH_LIST.encode()))


async def test_the_orders_of_a_list_that_a_broker_works_together_go_out_one_by_one_with_their_place() -> None:
    room = await with_pair()
    sent = await says(room, listed(entry(1, "7000=PAIR|7203=1|7201=1|"), entry(2, "7000=PAIR|7203=1|7201=-2|")))
    orders = [told(message) for message in sent if isinstance(message, SendChild)]
    basket = next(field for field in orders[0].split("|") if field.startswith("7210="))
    assert len(basket) == len("7210=") + 16
    assert [text[text.index("7000=") :] for text in orders] == [
        f"7000=PAIR|{basket}|7211=1|7212=2|7203=1|7201=1|",
        f"7000=PAIR|{basket}|7211=2|7212=2|7203=1|7201=-2|",
    ]
    (first,) = [parent for parent in room.desk.state.parents.values() if parent.cl_ord_id == "A1"]
    assert first.terms.instructions.strategy.basket == Basket(id=basket[5:], number=1, orders=2)


async def test_fields_of_the_list_itself_are_every_orders() -> None:
    room = await with_pair()
    own = [entry(1, "7201=1|"), entry(2, "7201=-2|7203=2|")]
    sent = await says(room, listed(*own, head="", tail="394=3|433=1|7000=PAIR|7203=1|"))
    orders = [told(message) for message in sent if isinstance(message, SendChild)]
    assert [text[text.index("|7203=") :] for text in orders] == ["|7203=1|7201=1|", "|7203=2|7201=-2|"]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("7000=PAIR|7203=1|", "1 of 2 orders were refused, and Pair of BROKER1 works them together"),
        ("7000=FLT|7103=10|", "1 of 2 orders were refused, and Pair of BROKER1 works them together"),
        ("", "1 of 2 orders were refused, and Pair of BROKER1 works them together"),
    ],
)
async def test_a_list_that_is_worked_together_is_taken_whole_or_not_at_all(second: str, said: str) -> None:
    room = await with_pair()
    out = await says(room, listed(entry(1, "7000=PAIR|7203=1|7201=1|"), entry(2, second)))
    assert [message for message in out if isinstance(message, SendChild)] == []
    (status,) = [told(message) for message in out if isinstance(message, ListStatus)]
    assert f"|444={said}" in status


async def test_an_order_that_replaces_one_of_a_basket_keeps_its_place() -> None:
    room = await with_pair()
    sent = await says(room, listed(entry(1, "7000=PAIR|7203=1|7201=1|"), entry(2, "7000=PAIR|7203=1|7201=-2|")))
    first = next(message for message in sent if isinstance(message, SendChild))
    child = next(c for c in room.desk.state.children.values() if c.cl_ord_id == first.cl_ord_id)
    await room.report("new", cl_ord_id=child.cl_ord_id)
    (again,) = await says(room, plain_order("B1", "A1") + "7000=PAIR|7203=3|7201=1|")
    assert isinstance(again, SendChildReplace)
    assert "|7211=1|7212=2|7203=3|7201=1|" in told(again)


async def test_a_successor_sends_what_was_not_sent_in_the_same_fields() -> None:
    room = await opened()
    await says(room, plain_order() + TICKET)
    heir = await room.successor()
    await heir.open()
    assert heir.child().instructions == room.child().instructions
    assert heir.child().venue_session == "BROKER1"


def test_two_algorithms_of_one_broker_that_look_alike_are_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match=r"Float in a\.xml and Float in b\.xml are both 7000=FLT"):
        FixatdlBrokers({"BROKER1": (read_atdl("a.xml", BROKER.encode()), read_atdl("b.xml", BROKER.encode()))})
