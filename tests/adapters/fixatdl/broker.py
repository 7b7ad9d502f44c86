"""A small broker's file that uses most of what FIXatdl 1.1 has, and how to spoil a line of it."""

from __future__ import annotations

BROKER = """<?xml version="1.0" encoding="UTF-8"?>
<Strategies xmlns="http://www.fixprotocol.org/FIXatdl-1-1/Core" xmlns:val="http://www.fixprotocol.org/FIXatdl-1-1/Validation"
    xmlns:lay="http://www.fixprotocol.org/FIXatdl-1-1/Layout" xmlns:flow="http://www.fixprotocol.org/FIXatdl-1-1/Flow"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    strategyIdentifierTag="7000" versionIdentifierTag="7001" tag957Support="true">
  <val:Edit id="noEnd" field="End" operator="NX"/>
  <Strategy name="Float" uiRep="Float with it" wireValue="FLT" version="3" fixMsgType="D" providerID="BRK">
    <Description>Goes   with
      the market.</Description>
    <Regions>
      <Region name="TheAmericas" inclusion="Include"><Country CountryCode="CA" inclusion="Exclude"/></Region>
    </Regions>
    <Markets><Market MICCode="XNYS" inclusion="Include"/></Markets>
    <SecurityTypes><SecurityType name="CS" inclusion="Include"/></SecurityTypes>
    <Parameter name="Start" xsi:type="UTCTimestamp_t" fixTag="7101" minValue="09:30:00" localMktTz="America/New_York"/>
    <Parameter name="End" xsi:type="UTCTimestamp_t" fixTag="7102" maxValue="16:00:00"/>
    <Parameter name="Rate" xsi:type="Percentage_t" fixTag="7103" use="required" minValue="0.01" maxValue="0.5"
      multiplyBy100="true"/>
    <Parameter name="Style" xsi:type="Char_t" fixTag="7104" mutableOnCxlRpl="false">
      <EnumPair enumID="e_Default" wireValue=""/>
      <EnumPair enumID="e_Calm" wireValue="C"/>
      <EnumPair enumID="e_Hasty" wireValue="H"/>
    </Parameter>
    <Parameter name="Pools" xsi:type="MultipleStringValue_t" fixTag="7105">
      <EnumPair enumID="p_One" wireValue="ONE"/>
      <EnumPair enumID="p_Two" wireValue="TWO"/>
    </Parameter>
    <Parameter name="Limit" xsi:type="Float_t" fixTag="7106" precision="2" minValue="0" revertOnCxlRpl="true"/>
    <Parameter name="Note" xsi:type="String_t" minLength="2" maxLength="5"/>
    <Parameter name="Sweep" xsi:type="Boolean_t" trueWireValue="1" falseWireValue="{NULL}"/>
    <Parameter name="Desk" xsi:type="String_t" fixTag="7107" constValue="PT"/>
    <Parameter name="Cut" xsi:type="UTCTimeOnly_t" fixTag="7108" constValue="15:45:00" localMktTz="America/New_York"/>
    <val:Edit id="noTimes" logicOperator="AND"><val:Edit field="Start" operator="NX"/><val:EditRef id="noEnd"/></val:Edit>
    <lay:StrategyLayout>
      <lay:StrategyPanel title="All" orientation="VERTICAL" collapsible="false">
        <lay:Control ID="c_Style" xsi:type="lay:DropDownList_t" parameterRef="Style" label="Style" initValue="e_Default">
          <lay:ListItem enumID="e_Default" uiRep=""/>
          <lay:ListItem enumID="e_Calm" uiRep="Calm"/>
          <lay:ListItem enumID="e_Hasty" uiRep="Hasty"/>
        </lay:Control>
        <lay:StrategyPanel title="Inner" orientation="HORIZONTAL">
          <lay:Control ID="c_On" xsi:type="lay:CheckBox_t" initValue="false"/>
          <lay:Control ID="c_Limit" xsi:type="lay:SingleSpinner_t" parameterRef="Limit">
            <flow:StateRule enabled="false" value="{NULL}"><val:Edit field="c_On" operator="EQ" value="false"/></flow:StateRule>
          </lay:Control>
        </lay:StrategyPanel>
      </lay:StrategyPanel>
    </lay:StrategyLayout>
    <val:StrategyEdit errorMessage="Start must precede End">
      <val:Edit logicOperator="OR">
        <val:EditRef id="noTimes"/>
        <val:Edit field="Start" operator="NX"/>
        <val:EditRef id="noEnd"/>
        <val:Edit field="Start" operator="LT" field2="End"/>
      </val:Edit>
    </val:StrategyEdit>
    <val:StrategyEdit errorMessage="A hasty buy needs a limit">
      <val:Edit logicOperator="NOT">
        <val:Edit logicOperator="AND">
          <val:Edit field="Style" operator="EQ" value="e_Hasty"/>
          <val:Edit field="FIX_Side" operator="EQ" value="1"/>
          <val:Edit field="Limit" operator="NX"/>
        </val:Edit>
      </val:Edit>
    </val:StrategyEdit>
    <val:StrategyEdit errorMessage="The rate must stay below a quarter of a large order">
      <val:Edit logicOperator="OR">
        <val:Edit field="FIX_OrderQty" operator="LE" value="10000"/>
        <val:Edit field="Rate" operator="LT" value="0.25"/>
      </val:Edit>
    </val:StrategyEdit>
  </Strategy>
</Strategies>
"""
PAIR = """  <Strategy name="Pair" wireValue="PAIR" commonIDTag="7210" orderSequenceTag="7211" totalOrdersTag="7212">
    <Parameter name="Spread" xsi:type="Float_t" fixTag="7203" use="required"/>
    <RepeatingGroup fixTag="68" minSize="2" maxSize="3">
      <Parameter name="Ratio" xsi:type="Int_t" fixTag="7201" use="required" minValue="-9" maxValue="9"/>
      <Parameter name="Leg" xsi:type="String_t" mutableOnCxlRpl="false"/>
    </RepeatingGroup>
    <val:StrategyEdit errorMessage="A spread needs a ratio that is not 0">
      <val:Edit logicOperator="OR">
        <val:Edit field="Spread" operator="EQ" value="0"/>
        <val:Edit field="Ratio" operator="NE" value="0"/>
      </val:Edit>
    </val:StrategyEdit>
  </Strategy>
</Strategies>
"""
WITH_PAIR = BROKER.replace("</Strategies>\n", PAIR)


def line_of(text: str, file: str = BROKER) -> int:
    """The line on which a text stands."""
    return file[: file.index(text)].count("\n") + 1


def spoiled(was: str, now: str) -> bytes:
    """The file with one thing wrong."""
    assert BROKER.count(was) == 1, was
    return BROKER.replace(was, now).encode()
