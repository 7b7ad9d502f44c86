"""A broker's file as values; and each way in which one can be wrong, with its line and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.fixatdl.document import Combine, Compare, Document, EnumPair, Scope
from adapters.fixatdl.read import load, read
from domain.errors import ReferenceDataError
from domain.wire_parameter import FixType
from tests.adapters.fixatdl.broker import BROKER, WITH_PAIR, line_of, spoiled

# What becomes wrong is another element than the one that is spoiled.
ELSEWHERE = {
    (' tag957Support="true"', ""): '<Parameter name="Note"',
    ('enumID="p_One"', 'enumID="p_Two"'): '<EnumPair enumID="p_Two"',
    ('<lay:ListItem enumID="e_Calm"', '<lay:ListItem enumID="e_Angry"'): '<lay:Control ID="c_Style"',
    ('<val:Edit id="noEnd"', '<val:Edit id="never"'): '<val:Edit id="noTimes"',
}


@pytest.fixture(scope="module")
def document() -> Document:
    return read("broker.xml", BROKER.encode())


def test_the_file(document: Document) -> None:
    assert (document.strategy_identifier_tag, document.version_identifier_tag, document.draft_flag_identifier_tag) == (
        7000,
        7001,
        None,
    )
    assert (document.tag_957_support, document.change_strategy_on_cxl_rpl, document.notes) == (True, False, ())
    assert len(document.sha256) == 64
    strategy = document.strategy("Float")
    assert strategy is not None
    assert (strategy.ui_rep, strategy.wire_value, strategy.version) == ("Float with it", "FLT", "3")
    assert (strategy.provider_id, strategy.fix_msg_type, strategy.description) == ("BRK", "D", "Goes with the market.")
    assert strategy.regions == (Scope("TheAmericas", True),)
    assert strategy.countries == (Scope("CA", False),)
    assert strategy.markets == (Scope("XNYS", True),)
    assert strategy.security_types == (Scope("CS", True),)
    assert document.strategy("Sink") is None


def test_parameters(document: Document) -> None:
    strategy = document.strategies[0]
    start, _, rate, style, pools, limit, note, sweep, desk, cut = strategy.parameters
    assert (start.type, start.fix_tag, start.minimum, start.local_mkt_tz) == (
        FixType.UTC_TIMESTAMP, 7101, "09:30:00", "America/New_York",
    )  # fmt: skip
    assert (start.required, rate.required, rate.multiply_by_100, rate.maximum) == (False, True, True, "0.5")
    assert (style.mutable_on_cxl_rpl, style.default) == (False, "e_Default")
    assert style.enum_pairs == (EnumPair("e_Default", "", ""), EnumPair("e_Calm", "C", "Calm"), EnumPair("e_Hasty", "H", "Hasty"))
    assert [pair.wire_value for pair in pools.enum_pairs] == ["ONE", "TWO"]
    assert (limit.precision, limit.minimum, limit.revert_on_cxl_rpl) == (2, "0", True)
    assert (note.fix_tag, note.minimum_length, note.maximum_length) == (None, 2, 5)
    assert (sweep.true_wire_value, sweep.false_wire_value) == ("1", "{NULL}")
    assert (desk.const, cut.const) == ("PT", "15:45:00")
    assert start.line == line_of('<Parameter name="Start"')


def test_rules_with_their_references_in_place(document: Document) -> None:
    first, second, _ = document.strategies[0].strategy_edits
    assert first.error_message == "Start must precede End"
    assert isinstance(first.edit, Combine)
    times, start, end, order = first.edit.edits
    assert isinstance(times, Combine)
    assert (times.operator, [type(part) for part in times.edits]) == ("AND", [Compare, Compare])
    assert times.edits[1] == end == Compare("NX", "End", line_of('<val:Edit id="noEnd"'))
    assert order == Compare("LT", "Start", line_of('operator="LT" field2="End"'), None, "End")
    assert isinstance(start, Compare)
    assert isinstance(second.edit, Combine)
    assert second.edit.operator == "NOT"


def test_controls_and_state_rules(document: Document) -> None:
    strategy = document.strategies[0]
    assert [(control.id, control.type, control.parameter_ref) for control in strategy.controls()] == [
        ("c_Style", "DropDownList_t", "Style"),
        ("c_On", "CheckBox_t", None),
        ("c_Limit", "SingleSpinner_t", "Limit"),
    ]
    (rule,) = list(strategy.controls())[2].state_rules
    assert (rule.enabled, rule.visible, rule.value) == (False, None, "{NULL}")
    assert rule.edit == Compare("EQ", "c_On", rule.line, "false")


def test_a_repeating_group() -> None:
    strategy = read("f", WITH_PAIR.encode()).strategies[1]
    group = strategy.repeating_group
    assert group is not None
    assert (group.name, group.fix_tag, group.minimum_size, group.maximum_size) == ("TotNoOrders", 68, 2, 3)
    assert [parameter.name for parameter in group.parameters] == ["Ratio", "Leg"]
    assert [parameter.name for parameter in strategy.of_order()] == ["Spread", "Ratio", "Leg"]
    assert (strategy.basket_tags(), strategy.total_orders, strategy.works_baskets()) == ((7210, 7211, 7212), None, True)


def test_a_basket_may_be_told_by_its_size_alone() -> None:
    alone = BROKER.replace('wireValue="FLT"', 'wireValue="FLT" totalOrders="2"')
    (strategy,) = read("f", alone.encode()).strategies
    assert (strategy.total_orders, strategy.works_baskets()) == (2, True)
    assert not read("f", BROKER.encode()).strategies[0].works_baskets()


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        (
            "FIXatdl-1-1/Core",
            "FIXatdl-1-2/Core",
            "the root is Strategies in the namespace 'http://www.fixprotocol.org/FIXatdl-1-2/Core'",
        ),
        (' strategyIdentifierTag="7000"', "", "Strategies lacks its strategyIdentifierTag"),
        ('strategyIdentifierTag="7000"', 'strategyIdentifierTag="x"', "strategyIdentifierTag 'x' is not a number"),
        ('strategyIdentifierTag="7000"', 'strategyIdentifierTag="0"', "strategyIdentifierTag 0 is not a tag"),
        ('strategyIdentifierTag="7000"', 'strategyIdentifierTag="54"', "identifier tag 54 belongs to the message"),
        ('strategyIdentifierTag="7000"', 'strategyIdentifierTag="958"', "identifier tag 958 belongs to the message"),
        ('versionIdentifierTag="7001"', 'versionIdentifierTag="7000"', "must differ"),
        ('tag957Support="true"', 'tag957Support="maybe"', "tag957Support 'maybe' is neither true nor false"),
        (' tag957Support="true"', "", "Note has no fixTag, and the file does not support tag 957"),
        ('<Strategy name="Float" ', "<Strategy ", "Strategy lacks its name"),
        ('<Strategy name="Float"', '<Strategy name="4"', "name '4' is not a name"),
        (' wireValue="FLT"', "", "Strategy lacks its wireValue"),
        ('wireValue="FLT"', 'wireValue="FL&#10;T"', "characters that a FIX field does not carry"),
        ("<Description>Goes", "<Goal/><Description>Goes", "Strategy has no child Goal of the Core namespace"),
        (
            "<Description>Goes",
            '<Edit xmlns=""/><Description>Goes',
            "Edit is in the namespace '', which FIXatdl 1.1",
        ),
        ('inclusion="Exclude"', 'inclusion="Perhaps"', "inclusion 'Perhaps' is neither Include nor Exclude"),
        (' MICCode="XNYS"', "", "Market lacks its MICCode"),
        (' xsi:type="Char_t"', "", "Parameter Style lacks its xsi:type"),
        ("Char_t", "Colour_t", "xsi:type 'Colour_t' of http://www.fixprotocol.org/FIXatdl-1-1/Core is not a parameter type"),
        ("Char_t", "lay:Char_t", "is not a parameter type"),
        ('name="End"', 'name="Start"', "a second parameter has the name Start"),
        ('fixTag="7102"', 'fixTag="38"', "fixTag 38 belongs to the message or to the order itself"),
        ('fixTag="7102"', 'fixTag="10"', "fixTag 10 belongs to the message or to the order itself"),
        ('fixTag="7102"', 'fixTag="7000"', "fixTag 7000 identifies the strategy"),
        ('fixTag="7102"', 'fixTag="-1"', "fixTag '-1' is not a number"),
        ('use="required"', 'use="always"', "use 'always' is neither required nor optional"),
        ('minValue="0.01"', 'minValue="low"', "minValue 'low' is not a decimal number"),
        ('minValue="0.01"', 'minValue="0.51"', "Rate: minValue 0.51 is above maxValue 0.5"),
        ('minValue="0.01"', 'minValue="0.01" constValue="0.001"', "Rate: constValue 0.001 is outside its own bounds"),
        ('minValue="0.01"', 'constValue="0.6"', "Rate: constValue 0.6 is outside its own bounds"),
        ('maxValue="16:00:00"', 'maxValue="16:00:60"', "End: maxValue '16:00:60' is not a time of day"),
        ('minLength="2"', 'minLength="6"', "Note: minLength 6 is above maxLength 5"),
        ('minLength="2"', 'minLength="two"', "minLength 'two' is not a number"),
        ('fixTag="7104" mutableOnCxlRpl="false"', 'mutableOnCxlRpl="no"', "mutableOnCxlRpl 'no' is neither true nor false"),
        ('minValue="09:30:00" localMktTz="America/New_York"', 'localMktTz="../../etc/passwd"', "is not a time zone"),
        ('minValue="09:30:00" localMktTz="America/New_York"', 'localMktTz="America/Gotham"', "is not a time zone"),
        ('enumID="p_One" wireValue="ONE"', 'enumID="p_One"', "EnumPair p_One lacks its wireValue"),
        ('enumID="p_One"', 'enumID="p_Two"', "a second EnumPair has the enumID p_Two"),
        ('enumID="p_One"', 'enumID="p One"', "enumID 'p One' has blanks"),
        ('wireValue="H"/>', 'wireValue="HASTY"/>', "wireValue 'HASTY' is not one character"),
        (' ID="c_On"', "", "Control lacks its ID"),
        ('ID="c_On"', 'ID="c_Style"', "a second control has the ID c_Style"),
        ('xsi:type="lay:CheckBox_t"', 'xsi:type="lay:Lever_t"', "xsi:type 'Lever_t'"),
        ('xsi:type="lay:CheckBox_t"', 'xsi:type="CheckBox_t"', "is not a control"),
        ('xsi:type="lay:CheckBox_t" ', "", "Control c_On lacks its xsi:type"),
        ('parameterRef="Limit"', 'parameterRef="Limits"', "c_Limit is for 'Limits', and there is no such parameter"),
        (
            '<lay:ListItem enumID="e_Calm"',
            '<lay:ListItem enumID="e_Angry"',
            "'e_Angry', which is no EnumPair of Style",
        ),
        ('orientation="HORIZONTAL"', 'orientation="UP"', "orientation 'UP' is neither"),
        (' enabled="false" value="{NULL}"', "", "a StateRule changes nothing"),
        ('errorMessage="Start must precede End"', "", "StrategyEdit lacks its errorMessage"),
        ('<val:Edit id="noEnd"', '<val:Edit id="never"', "EditRef names 'noEnd', and there is no such Edit"),
    ],
    ids=lambda value: value[:40],
)
def test_refused_with_line_and_reason(was: str, now: str, why: str) -> None:
    content = spoiled(was, now)
    with pytest.raises(ReferenceDataError) as refused:
        read("broker.xml", content)
    place, _, reason = str(refused.value).partition(": ")
    assert why in reason
    element = BROKER[BROKER.rindex("<", 0, BROKER.index(was) + 1) :]
    assert place == f"broker.xml line {line_of(ELSEWHERE.get((was, now), element))}"


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ('minSize="2" ', "", "RepeatingGroup lacks its minSize"),
        ('maxSize="3"', 'maxSize="0"', "minSize 2 is above maxSize 0"),
        ('fixTag="68"', 'fixTag="7200"', r"fixTag 7200 of a RepeatingGroup is neither of 68 \(TotNoOrders\) and 555 \(NoLegs\)"),
        ('fixTag="68"', 'name="NoPairs"', "the name 'NoPairs' of a RepeatingGroup is neither of TotNoOrders and NoLegs"),
        ('fixTag="68"', 'fixTag="68" name="NoLegs"', "the fixTag 68 of a RepeatingGroup is not that of its name NoLegs"),
        ('name="Leg"', 'name="Ratio"', "a second parameter has the name Ratio"),
        ('name="Leg"', 'name="Spread"', "Spread: the name or fixTag is used outside the repeating group too"),
        ('<Strategy name="Pair"', '<Strategy name="Float"', "a second strategy has the name Float"),
        ('fixTag="7201"', 'fixTag="7000"', "fixTag 7000 identifies the strategy"),
        ('fixTag="7201"', 'fixTag="7211"', "fixTag 7211 says which basket an order is of"),
        (
            'orderSequenceTag="7211"',
            'orderSequenceTag="7210"',
            "Pair: the tag 7210 of its baskets says something else",
        ),
        ('commonIDTag="7210"', 'commonIDTag="7001"', "Pair: the tag 7001 of its baskets says something else too"),
        (
            'commonIDTag="7210"',
            'commonIDTag="11"',
            "Pair: the tag 11 of its baskets belongs to the message or to the order itself",
        ),
    ],
)
def test_repeating_groups_that_are_refused(was: str, now: str, why: str) -> None:
    with pytest.raises(ReferenceDataError, match=why):
        read("f", WITH_PAIR.replace(was, now).encode())


def test_a_strategy_of_nothing_and_a_file_of_none() -> None:
    with pytest.raises(ReferenceDataError, match="there is no Strategy in it"):
        read("f", (BROKER[: BROKER.index("  <Strategy ")] + "</Strategies>").encode())


@pytest.mark.parametrize(
    ("was", "now", "note"),
    [
        ('version="3"', 'version="3" colour="red"', "Strategy has an attribute 'colour' that is not read"),
        ('wireValue="ONE"', 'wireValue="ONE" minValue="3"', "EnumPair has an attribute 'minValue' that is not read"),
        ('minLength="2"', 'minLength="2" minValue="2"', "Parameter has an attribute 'minValue' that is not read"),
        ("<Description>Goes", '<v:Extra xmlns:v="urn:vendor"/><Description>Goes', "the element Extra of urn:vendor is not read"),
        ('enumID="p_One"', 'enumID="p_%One"', "enumID 'p_%One' is not a name of letters, digits and underscores"),
        ('fixTag="7102"', 'fixTag="7101"', "Start and End share the fixTag 7101: an order that sets both is refused"),
        ('field="c_On" operator="EQ"', 'field="c_Off" operator="EQ"', "passed over, because Float has no control 'c_Off'"),
        ('operator="LT" value="0.25"', 'operator="LT" value="low"', "for Rate 'low' is not a decimal number"),
        ('field="Limit" operator="NX"', 'field="Limits" operator="NX"', "passed over, because Float has no parameter 'Limits'"),
    ],
    ids=lambda value: value[:40],
)
def test_what_is_found_and_not_used_is_said(was: str, now: str, note: str) -> None:
    (said,) = read("f", spoiled(was, now)).notes
    assert note in said
    assert said.startswith("line ")


def test_a_version_in_a_tag_of_the_group_is_noted_where_the_group_is_not_used() -> None:
    alone = BROKER.replace(' tag957Support="true"', "").replace('"7001"', '"958"')
    alone = alone.replace('name="Note"', 'name="Note" fixTag="7110"').replace('name="Sweep"', 'name="Sweep" fixTag="7111"')
    said = "line 2: the identifier tag 958 belongs to StrategyParametersGrp, and is used outside it"
    assert read("f", alone.encode()).notes == (said,)


def test_load_reads_a_file_and_says_when_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "broker.xml"
    path.write_text(BROKER, "utf-8")
    assert load(path) == read("broker.xml", BROKER.encode())
    with pytest.raises(ReferenceDataError, match="cannot be read: No such file"):
        load(tmp_path / "gone.xml")
