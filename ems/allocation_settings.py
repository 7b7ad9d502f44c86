"""The table [sessions.allocation] of the configuration: how a client's executions are divided where it does not say."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.allocation_terms import AllocationPolicy, Method
from domain.proration import Remainder, Rounding
from domain.values import to_e9

_Quantity = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=9)]
_Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=9)]


class AllocationSettings(BaseModel):
    """As `domain.allocation_terms.AllocationPolicy`, in whole shares, percent and prices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = Method.PRORATION
    remainder: Remainder = Remainder.LARGEST_REMAINDER
    lot: _Quantity | None = None
    percentages: Mapping[str, _Amount] = {}
    minimum_ticket: _Amount = Decimal(0)
    price_decimals: Annotated[int, Field(ge=0, le=9)] = 4
    rounding: Rounding = Rounding.HALF_EVEN
    price_tolerance: _Amount = Decimal(0)
    accounts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.method is Method.PERCENTAGE and not any(self.percentages.values()):
            raise ValueError('the method percentage needs percentages, such as { "FUND-A" = 60, "FUND-B" = 40 }')
        if self.remainder is Remainder.MINIMUM_TICKET and not self.minimum_ticket:
            raise ValueError("the remainder minimum_ticket needs a minimum_ticket")
        return self

    def policy(self) -> AllocationPolicy:
        """In the desk's units."""
        return AllocationPolicy(
            method=self.method,
            remainder=self.remainder,
            lot_e9=to_e9(self.lot) if self.lot is not None else None,
            percentages={account: to_e9(percent) for account, percent in self.percentages.items()},
            minimum_ticket_e9=to_e9(self.minimum_ticket),
            price_decimals=self.price_decimals,
            rounding=self.rounding,
            price_tolerance_e9=to_e9(self.price_tolerance),
            accounts=frozenset(self.accounts),
        )


AS_USUAL: Final = AllocationSettings()
