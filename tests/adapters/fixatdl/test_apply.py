"""Orders for a broker's algorithm: what is checked, and the fields they become."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from adapters.fixatdl.apply import Applied, apply
from adapters.fixatdl.day import Day
from adapters.fixatdl.read import read
from domain.instructions import Basket
from domain.refusal import Reason, Refusal
from tests.adapters.fixatdl.broker import BROKER, WITH_PAIR

DOCUMENT = read("broker.xml", BROKER.encode())
FLOAT = DOCUMENT.strategies[0]
DAY = Day(date(2026, 11, 27), ZoneInfo("America/New_York"))
Values = Mapping[str, str]
Order = Mapping[str, str | None]
ORDER: Order = {"Side": "1", "OrderQty": "500", "Price": None}
ALWAYS = ((7000, "FLT"), (7001, "3"))
CONSTANT = ((7107, "PT"), (7108, "20:45:00"))  # 15:45 in New York, in winter


def asked(values: Values, order: Order = ORDER, day: Day = DAY, original: Values | None = None) -> Applied | tuple[Refusal, ...]:
    return apply(DOCUMENT, FLOAT, values, order=order, day=day, original=original)


def made(values: Values, order: Order = ORDER, day: Day = DAY, original: Values | None = None) -> Applied:
    found = asked(values, order, day, original)
    assert isinstance(found, Applied), found
    return found


def refused(values: Values, order: Order = ORDER, original: Values | None = None) -> list[Refusal]:
    found = asked(values, order, DAY, original)
    assert isinstance(found, tuple)
    return list(found)


def test_an_order_with_everything() -> None:
    values = {
        "Start": "20261127-15:00:00", "End": "20261127-16:00:00", "Rate": "0.125", "Style": "e_Calm", "Pools": "p_Two p_One",
        "Limit": "10.005", "Note": "quick", "Sweep": "true",
    }  # fmt: skip
    found = made(values)
    assert found.tags == (
        *ALWAYS, (7101, "20261127-15:00:00"), (7102, "20261127-16:00:00"), (7103, "12.5"), (7104, "C"), (7105, "TWO ONE"),
        (7106, "10.01"), *CONSTANT,
    )  # fmt: skip
    assert found.parameters == (("Note", 14, "quick"), ("Sweep", 13, "1"))
    assert found.unchecked == ()
    assert found.fields() == (
        *found.tags, (957, "2"), (958, "Note"), (959, "14"), (960, "quick"), (958, "Sweep"), (959, "13"), (960, "1"),
    )  # fmt: skip


def test_no_group_where_nothing_is_in_it() -> None:
    assert made({"Rate": "0.1"}).fields() == (*ALWAYS, (7103, "10"), *CONSTANT)


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"Style": "H", "Limit": "5"}, ((7104, "H"), (7106, "5"))),  # by its wire value
        ({"Style": "e_Default"}, ()),  # whose wire value is empty
        ({"Style": "", "Note": "{NULL}"}, ()),
        ({"Sweep": "N"}, ()),  # whose false is not sent
        ({"Limit": "5.1"}, ((7106, "5.1"),)),
        ({"Limit": "5.125"}, ((7106, "5.13"),)),
        ({"Desk": "PT"}, ()),
    ],
)
def test_values_on_the_wire(values: dict[str, str], fields: tuple[tuple[int, str], ...]) -> None:
    assert made({"Rate": "0.1", **values}).fields() == (*ALWAYS, (7103, "10"), *fields, *CONSTANT)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "Float needs Rate"),
        ({"Rate": "0.1", "Urgency": "9"}, "Float has no parameter 'Urgency'; it has Start, End"),
        ({"Rate": "ten"}, "Rate: 'ten' is not a decimal number"),
        ({"Rate": "1e-1"}, "Rate: '1e-1' is not a decimal number"),
        ({"Rate": "0.009"}, "Rate: 0.009 is below 0.01"),
        ({"Rate": "0.51"}, "Rate: 0.51 is above 0.5"),
        ({"Rate": "0.1", "Style": "e_Angry"}, "Style: 'e_Angry' is not one of e_Default, e_Calm, e_Hasty"),
        ({"Rate": "0.1", "Pools": "p_One p_Six"}, "Pools: 'p_Six' is not one of p_One, p_Two"),
        ({"Rate": "0.1", "Pools": "p_One ONE"}, "Pools: 'p_One ONE' says something twice"),
        ({"Rate": "0.1", "Note": "a"}, "Note: 'a' has 1 characters where at least 2 are needed"),
        ({"Rate": "0.1", "Note": "abcdef"}, "Note: 'abcdef' has 6 characters where at most 5 are taken"),
        ({"Rate": "0.1", "Note": "a\x01b"}, "Note: 'a\\x01b' is empty or has characters that FIX does not carry"),
        ({"Rate": "0.1", "Sweep": "perhaps"}, "Sweep: 'perhaps' is neither Y nor N"),
        ({"Rate": "0.1", "Desk": "DMA"}, "Desk: it is always PT, not DMA"),
        ({"Rate": "0.1", "Start": "20261127-14:29:59"}, "Start: 20261127-14:29:59 is below 09:30:00"),
        ({"Rate": "0.1", "End": "20261127-21:00:00.001"}, "End: 20261127-21:00:00.001 is above 16:00:00"),
        ({"Rate": "0.1", "End": "99991231-23:59:59"}, "above 16:00:00"),
        ({"Rate": "0.1", "Start": "20261127-16:00:00", "End": "20261127-16:00:00"}, "Float: Start must precede End"),
        ({"Rate": "0.1", "Style": "e_Hasty"}, "Float: A hasty buy needs a limit"),
    ],
)
def test_refused(values: dict[str, str], why: str) -> None:
    (refusal,) = refused(values)
    assert why in refusal.text
    assert refusal.reason is (Reason.UNKNOWN_PARAMETER if "Urgency" in values else Reason.BAD_PARAMETER)


def test_everything_that_is_wrong_is_said() -> None:
    assert [refusal.text.split(": ")[1] for refusal in refused({"Rate": "2", "Style": "x", "Note": "a"})] == [
        "Rate",
        "Style",
        "Note",
    ]
    rules = refused({"Rate": "0.3", "Style": "H"}, {"Side": "1", "OrderQty": "20000"})
    assert [refusal.text for refusal in rules] == [
        "Float: A hasty buy needs a limit",
        "Float: The rate must stay below a quarter of a large order",
    ]


def test_rules_look_at_the_order() -> None:
    assert made({"Rate": "0.1", "Style": "H"}, {**ORDER, "Side": "2"}).unchecked == ()
    assert made({"Rate": "0.3"}, {**ORDER, "OrderQty": "10000"}).unchecked == ()


def test_a_rule_about_what_is_not_known_is_passed_over_and_said() -> None:
    line = FLOAT.strategy_edits[2].line
    assert made({"Rate": "0.3"}, {"Side": "1"}).unchecked == (f"the rule of line {line}: nothing is known of FIX_OrderQty",)


def test_a_rule_over_values_that_do_not_compare_is_passed_over_and_said() -> None:
    document = read("f", BROKER.replace('operator="LT" value="0.25"', 'operator="LT" value="low"').encode())
    found = apply(document, document.strategies[0], {"Rate": "0.3"}, order={"Side": "1", "OrderQty": "20000"}, day=DAY)
    assert isinstance(found, Applied)
    assert found.unchecked[0].endswith("'low' is not a decimal number")


def test_a_bound_whose_zone_nobody_knows_is_not_held_and_said() -> None:
    found = made({"Rate": "0.1", "End": "20261127-23:00:00"}, day=Day(date(2026, 11, 27)))
    assert found.unchecked == ("End: the zone of its bound 16:00:00 is not known",)


def test_a_local_time_follows_the_clock_of_its_day() -> None:
    summer = Day(date(2026, 7, 1), ZoneInfo("America/New_York"))
    found = made({"Rate": "0.1", "Start": "20260701-13:30:00"}, day=summer)
    assert found.tags[-1] == (7108, "19:45:00")


def test_a_constant_time_without_a_zone_is_refused() -> None:
    document = read("f", BROKER.replace('constValue="15:45:00" localMktTz="America/New_York"', 'constValue="15:45:00"').encode())
    found = apply(document, document.strategies[0], {"Rate": "0.1"}, order=ORDER, day=Day(date(2026, 11, 27)))
    assert isinstance(found, tuple)
    assert found[0].text == "Float: Cut: the zone of the constant 15:45:00 is not known"


def test_two_that_share_a_tag_are_not_sent_together() -> None:
    document = read("f", BROKER.replace('fixTag="7106"', 'fixTag="7104"').encode())
    found = apply(document, document.strategies[0], {"Rate": "0.1", "Style": "C", "Limit": "5"}, order=ORDER, day=DAY)
    assert isinstance(found, tuple)
    assert found[0].text == "Float: Style and Limit share the tag 7104, and both are given"


def test_inverted_lists_send_what_is_not_chosen() -> None:
    document = read("f", BROKER.replace('fixTag="7105"', 'fixTag="7105" invertOnWire="true"').encode())
    found = apply(document, document.strategies[0], {"Rate": "0.1", "Pools": "p_One"}, order=ORDER, day=DAY)
    assert isinstance(found, Applied)
    assert (7105, "TWO") in found.tags


def test_a_draft_flag_says_that_an_order_is_none() -> None:
    document = read("f", BROKER.replace('versionIdentifierTag="7001"', 'draftFlagIdentifierTag="7002"').encode())
    found = apply(document, document.strategies[0], {"Rate": "0.1"}, order=ORDER, day=DAY)
    assert isinstance(found, Applied)
    assert found.tags[:2] == ((7000, "FLT"), (7002, "N"))


def test_what_an_editable_list_lets_one_type_is_sent() -> None:
    content = BROKER.replace('xsi:type="lay:DropDownList_t"', 'xsi:type="lay:EditableDropDownList_t"')
    document = read("f", content.encode())
    found = apply(document, document.strategies[0], {"Rate": "0.1", "Style": "Z"}, order=ORDER, day=DAY)
    assert isinstance(found, Applied)
    assert (7104, "Z") in found.tags


# ---------------------------------------------------------------------------------------------- replaces


def test_what_may_not_change_is_sent_again_as_it_was() -> None:
    assert (7104, "C") in made({"Rate": "0.2"}, original={"Rate": "0.1", "Style": "C"}).tags
    assert (7104, "C") in made({"Rate": "0.2", "Style": "C"}, original={"Rate": "0.1", "Style": "C"}).tags


@pytest.mark.parametrize("original", [{"Rate": "0.1", "Style": "C"}, {"Rate": "0.1"}])
def test_what_may_not_change_does_not(original: dict[str, str]) -> None:
    (refusal,) = refused({"Rate": "0.2", "Style": "H", "Limit": "1"}, original=original)
    assert (refusal.reason, refusal.text) == (Reason.NOT_AMENDABLE, "Float: Style cannot be changed by a replace")


def test_what_reverts_is_not_sent_but_counts_in_rules() -> None:
    original = {"Rate": "0.1", "Style": "H", "Limit": "5"}
    found = made({"Rate": "0.2"}, original=original)
    assert 7106 not in dict(found.tags)
    assert refused({"Rate": "0.2"}, original={"Rate": "0.1", "Style": "H"})[0].text == "Float: A hasty buy needs a limit"


# --------------------------------------------------------------------------------------- repeating groups

SECOND_OF_TWO = Basket(id="B1", number=2, orders=2)
ENTRY = {"Spread": "0.5", "Ratio": "-2", "Leg": "far"}


def pair(
    values: Values, basket: Basket | None = SECOND_OF_TWO, *, file: str = WITH_PAIR, original: Values | None = None
) -> Applied | tuple[Refusal, ...]:
    document = read("pair.xml", file.encode())
    return apply(document, document.strategies[1], values, order=ORDER, day=DAY, basket=basket, original=original)


def test_an_order_of_a_basket_says_its_place_and_carries_its_entry() -> None:
    found = pair(ENTRY)
    assert isinstance(found, Applied)
    assert found.tags == ((7000, "PAIR"), (7210, "B1"), (7211, "2"), (7212, "2"), (7203, "0.5"), (7201, "-2"))
    assert found.parameters == (("Leg", 14, "far"),), "what has no fixTag is in StrategyParametersGrp"


def test_a_place_is_said_where_the_file_has_a_tag_for_it() -> None:
    found = pair(ENTRY, file=WITH_PAIR.replace(' commonIDTag="7210" orderSequenceTag="7211"', ""))
    assert isinstance(found, Applied)
    assert found.tags == ((7000, "PAIR"), (7212, "2"), (7203, "0.5"), (7201, "-2"))


@pytest.mark.parametrize(
    ("values", "orders", "was", "now", "why"),
    [
        (ENTRY, 1, "", "", "Pair: a basket of 1 orders where 2 to 3 are taken"),
        (ENTRY, 4, "", "", "Pair: a basket of 4 orders where 2 to 3 are taken"),
        (ENTRY, 4, ' maxSize="3"', "", ""),
        (ENTRY, 2, "totalOrdersTag=", 'totalOrders="3" totalOrdersTag=', "Pair: a basket of 2 orders where 3 are taken"),
        (ENTRY, 0, "", "", "Pair: it works the orders of a basket together, so they have to come in a list"),
        (ENTRY, 2, 'wireValue="PAIR"', 'wireValue="PAIR" fixMsgType="E"', "Pair: it wants NewOrderList (35=E), and brokers get"),
        (ENTRY, 2, 'fixTag="68"', 'name="NoLegs"', "Pair: it wants NewOrderMultileg (35=AB), and brokers get"),
        ({**ENTRY, "Ratio": "10"}, 2, "", "", "Pair: Ratio: 10 is above 9"),
        ({**ENTRY, "Ratio": "0"}, 2, "", "", "Pair: A spread needs a ratio that is not 0"),
        ({"Spread": "1"}, 2, "", "", "Pair needs Ratio"),
        ({"Ratio": "1"}, 2, "", "", "Pair needs Spread"),
        ({**ENTRY, "Rate": "1"}, 2, "", "", "Pair has no parameter 'Rate'; it has Spread, Ratio, Leg"),
    ],
)
def test_orders_of_baskets_that_are_refused(values: dict[str, str], orders: int, was: str, now: str, why: str) -> None:
    assert was in WITH_PAIR
    basket = Basket(id="B1", number=1, orders=orders) if orders else None
    found = pair(values, basket, file=WITH_PAIR.replace(was, now) if was else WITH_PAIR)
    assert isinstance(found, Applied) == (not why)
    assert isinstance(found, Applied) or why in found[0].text


def test_a_replace_keeps_what_its_entry_may_not_change() -> None:
    found = pair({"Spread": "0.7", "Ratio": "-2"}, original=ENTRY)
    assert isinstance(found, Applied)
    assert found.parameters == (("Leg", 14, "far"),)
    refused = pair({**ENTRY, "Leg": "near"}, original=ENTRY)
    assert isinstance(refused, tuple)
    assert refused[0].text == "Pair: Leg cannot be changed by a replace"


def test_a_strategy_that_wants_another_message_than_a_single_order_is_refused() -> None:
    document = read("f", BROKER.replace('fixMsgType="D"', 'fixMsgType="s"').encode())
    found = apply(document, document.strategies[0], {"Rate": "0.1"}, order=ORDER, day=DAY)
    assert isinstance(found, tuple)
    assert found[0].text == "Float: it wants NewOrderCross (35=s), and brokers get NewOrderSingle (35=D) here"
