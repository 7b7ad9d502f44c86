"""What an allocation is about: the orders whose executions it divides, the accounts it divides them among, and the rules
agreed with the client for what the client does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.proration import Remainder, Rounding, by_priority, prorate
from domain.values import Side, StreamId, from_e9


class Share(BaseModel):
    """One account's part as asked for (NoAllocs 78)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str  # AllocAccount (79)
    quantity_e9: int | None = None  # AllocQty (80); None: by the rule agreed with the client
    individual_id: str = ""  # IndividualAllocID (467)
    price_e9: int | None = None  # AllocPrice (366), to be compared with ours


class BookedOrder(BaseModel):
    """An order whose executions are allocated. booked_e9: so much of them at most; None: all that nobody else has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parent: StreamId
    cl_ord_id: str
    order_id: str
    booked_e9: int | None = None


class Terms(BaseModel):
    """An allocation as asked for: in an AllocationInstruction (J), or by the groups of the order itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alloc_id: str
    ref_alloc_id: str = ""
    pre_trade: bool = False
    alloc_type: int | None = None  # AllocType (626) as sent
    instrument: str
    side: Side
    quantity_e9: int | None = None  # Quantity (53); None: all that is executed
    average_price_e9: int | None = None  # AvgPx (6) as the client has it
    price_decimals: int | None = None  # AvgPxPrecision (74)
    orders: tuple[BookedOrder, ...]
    shares: tuple[Share, ...]


class Misfit(StrEnum):
    """Why an allocation is refused."""

    UNKNOWN_ACCOUNT = "unknown_account"
    WRONG_QUANTITY = "wrong_quantity"
    WRONG_PRICE = "wrong_price"
    UNKNOWN_ORDER_ID = "unknown_order_id"
    OTHER = "other"
    WRONG_ALLOCATED_QUANTITY = "wrong_allocated_quantity"
    MISMATCHED = "mismatched"
    UNKNOWN_CL_ORD_ID = "unknown_cl_ord_id"


ALLOC_REJ_CODE: Final[Mapping[Misfit, int]] = MappingProxyType(  # 88, and 776 of one account
    {
        Misfit.UNKNOWN_ACCOUNT: 0,
        Misfit.WRONG_QUANTITY: 1,
        Misfit.WRONG_PRICE: 2,
        Misfit.UNKNOWN_ORDER_ID: 5,
        Misfit.OTHER: 7,
        Misfit.WRONG_ALLOCATED_QUANTITY: 8,
        Misfit.MISMATCHED: 11,
        Misfit.UNKNOWN_CL_ORD_ID: 12,
    }
)


class AccountFault(BaseModel):
    """What is wrong with one account's entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    individual_id: str
    misfit: Misfit
    text: str


class Fault(NamedTuple):
    """A refused allocation: of the whole block, or where accounts are named of these alone."""

    misfit: Misfit
    text: str
    accounts: tuple[AccountFault, ...] = ()


class Method(StrEnum):
    """How a quantity is divided that is not what the accounts asked for together."""

    PRORATION = "proration"  # in proportion to what each asked for
    PRIORITY = "priority"  # in the order of the accounts, each up to what it asked for
    PERCENTAGE = "percentage"  # by a table agreed with the client
    FIXED = "fixed"  # not at all: the client has to say


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationPolicy:
    """What was agreed with one client about allocations.

    Attributes:
        lot_e9: parts are multiples of it; None: of the instrument's lot.
        percentages: for that method, account -> percent at 1e-9; they need not add up to a hundred.
        minimum_ticket_e9: for the remainder of that name, the smallest part worth having.
        price_decimals: of average prices where the client does not say (AvgPxPrecision 74).
        price_tolerance_e9: how far a client's average price may be from ours beyond what its decimals explain.
        accounts: those that the client may allocate to; empty: any.
    """

    method: Method = Method.PRORATION
    remainder: Remainder = Remainder.LARGEST_REMAINDER
    lot_e9: int | None = None
    percentages: Mapping[str, int] = field(default_factory=dict)
    minimum_ticket_e9: int = 0
    price_decimals: int = 4
    rounding: Rounding = Rounding.HALF_EVEN
    price_tolerance_e9: int = 0
    accounts: frozenset[str] = frozenset()

    def rule(self) -> str:
        """How parts are worked out, in words."""
        return f"{self.method} {self.remainder}"


ALLOCATION_DEFAULT: Final = AllocationPolicy()


def divide(quantity_e9: int, shares: tuple[Share, ...], policy: AllocationPolicy, lot_e9: int) -> tuple[int, ...] | Fault:
    """Each account's part of an executed quantity. What was asked for and adds up is given as asked, also off the lot.

    Args:
        lot_e9: the instrument's, where the policy has none.
    """
    asked = [share.quantity_e9 for share in shares if share.quantity_e9 is not None]
    if any(wanted_e9 < 0 for wanted_e9 in asked):
        return Fault(Misfit.WRONG_ALLOCATED_QUANTITY, "an AllocQty (80) is negative")
    if len(asked) == len(shares) and sum(asked) == quantity_e9:
        return tuple(asked)
    weights = _weights(quantity_e9, shares, policy)
    if isinstance(weights, Fault):
        return weights
    work_out = by_priority if policy.method is Method.PRIORITY else prorate
    return work_out(
        quantity_e9,
        weights,
        lot_e9=policy.lot_e9 or lot_e9,
        remainder=policy.remainder,
        minimum_ticket_e9=policy.minimum_ticket_e9,
    )


def _weights(quantity_e9: int, shares: tuple[Share, ...], policy: AllocationPolicy) -> tuple[int, ...] | Fault:
    """By what the parts are worked out: the percentages agreed, or what each account asked for."""
    if len(shares) == 1 and shares[0].quantity_e9 is None:
        return (1,) if policy.method is not Method.PRIORITY else (quantity_e9,)
    if policy.method is Method.PERCENTAGE:
        if missing := [share.account for share in shares if share.account not in policy.percentages]:
            return Fault(Misfit.WRONG_ALLOCATED_QUANTITY, f"no percentage is agreed for account {missing[0]}")
        weights = tuple(policy.percentages[share.account] for share in shares)
    else:
        if silent := [share.account for share in shares if share.quantity_e9 is None]:
            return Fault(Misfit.WRONG_ALLOCATED_QUANTITY, f"AllocQty (80) of account {silent[0]} is missing")
        weights = tuple(share.quantity_e9 or 0 for share in shares)
    if policy.method is Method.FIXED or not any(weights):
        said = f"the accounts ask for {from_e9(sum(weights))} together, {from_e9(quantity_e9)} is to be allocated"
        return Fault(Misfit.WRONG_ALLOCATED_QUANTITY, said)
    return weights
