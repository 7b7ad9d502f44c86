"""Everything an order may say beside what is traded, how much, at what price and by which algorithm.

A direct order carries these to its venue as they came; every report echoes them.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.values import TimeInForce

CARRIED: Final = frozenset({TimeInForce.GTC, TimeInForce.GTD})  # orders that live beyond their first day
CORPORATE_ACTION: Final = 0  # ExecRestatementReason (378): of a carried order; what was executed may be another quantity now
NEW_DAY: Final = 1  # a carried order begins its day


class Party(BaseModel):
    """One entry of FIX Parties (453): who had which part in the order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    party_id: str  # PartyID (448): a short code, an LEI, the id of an algorithm
    source: str  # PartyIDSource (447)
    role: int  # PartyRole (452): 12 executing trader, 122 investment decision maker, 3 client, ...
    qualifier: int | None = None  # PartyRoleQualifier (2376): 22 algorithm, 24 natural person


class PreAllocation(BaseModel):
    """One account's part of an order, told before it trades (NoAllocs 78 on D and E)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    quantity_e9: int | None  # None: by the rule of the account
    individual_id: str = ""  # IndividualAllocID (467)


class Basket(BaseModel):
    """An order's place among those of a list that a broker's algorithm works together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    number: int  # from 1
    orders: int  # of the whole basket


class StrategyFields(BaseModel):
    """A broker's algorithm that an order is for: checked by the broker's own rules, in the broker's own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: str  # the venue session of the broker
    name: str  # of the algorithm in the broker's file
    values: tuple[tuple[str, str], ...] = ()  # parameters by name, as the rules know them
    tags: tuple[tuple[int, str], ...] = ()  # fields that the order carries beside its ordinary ones, in the order sent
    parameters: tuple[tuple[str, int, str], ...] = ()  # StrategyParametersGrp: name (958), type (959), value (960)
    unchecked: tuple[str, ...] = ()  # rules that could not be held against the order, and why
    rules: str = ""  # SHA-256 of the broker's file
    basket: Basket | None = None  # None for an algorithm that works one order


class Instructions(BaseModel):
    """As sent. A price or quantity that is None, and a text that is empty, was not given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop_price_e9: int | None = None
    expire_ns: int | None = None  # ExpireTime (126), or the end of ExpireDate (432)
    min_quantity_e9: int | None = None
    max_floor_e9: int | None = None  # MaxFloor (111): what is shown
    peg_offset_e9: int | None = None  # PegOffsetValue (211), in price
    exec_inst: str = ""  # ExecInst (18): characters with blanks between
    handl_inst: str = ""  # HandlInst (21)
    cash_quantity_e9: int | None = None  # CashOrderQty (152): money in place of a quantity
    currency: str = ""  # Currency (15)
    route: str = ""  # ExDestination (100): where the client wants it
    parties: tuple[Party, ...] = ()
    attributes: tuple[tuple[int, str], ...] = ()  # OrderAttributeType (2594), OrderAttributeValue (2595)
    allocations: tuple[PreAllocation, ...] = ()
    strategy: StrategyFields | None = None  # a broker's algorithm


PLAIN: Final = Instructions()
