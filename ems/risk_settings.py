"""The configuration's part on risk: the firm's currency and its limits."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.errors import NumberError
from domain.limit_rules import RULES, Unit
from domain.limits import Applies, Asked, LimitBook, LimitSet, set_limit
from domain.refusal import Refusal
from domain.risk import Check, Level
from domain.values import ScopeKind, to_e9
from ems.risk_day import RiskTerms

_NS: Final = 1_000_000_000
_REVIEWED: Final = "config:"


class LimitSettings(BaseModel):
    """One limit. value is a quantity, money in the firm's currency, a fraction, a count, or seconds, as the unit says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: Check
    scope: ScopeKind = ScopeKind.FIRM
    id: str = ""  # of the scope; "*" for each of its kind
    applies: Applies = "any"
    level: Level = "hard"
    value: Decimal = Decimal(0)
    unit: Unit | None = None  # None: the first that the check has
    window_s: Annotated[float, Field(ge=0, le=86_400)] = 0

    @model_validator(mode="after")
    def _possible(self) -> Self:
        try:
            limit = self.event()
        except NumberError as cause:
            raise ValueError(str(cause)) from cause
        decided = set_limit(LimitBook(), Asked(limit, _REVIEWED))
        if isinstance(decided, Refusal):
            raise ValueError(decided.text)
        return self

    def event(self) -> LimitSet:
        """The limit as it is written."""
        units = RULES[self.check].units
        unit = self.unit or (units[0] if units else "flag")
        return LimitSet(
            check=self.check,
            scope=self.scope,
            scope_id=self.id,
            applies=self.applies,
            level=self.level,
            value_e9=to_e9(self.value),  # seconds come out as nanoseconds
            unit=unit,
            window_ns=int(self.window_s * _NS),
            from_ns=0,
            until_ns=None,
            approver=_REVIEWED,
            reason="configuration",
        )


# In force where a configuration says nothing of limits: wide, and in need of no reference data. A desk for real money says more.
WIDE: Final = (
    LimitSettings(check=Check.MAX_QUANTITY, value=Decimal(1_000_000_000)),
    LimitSettings(check=Check.MESSAGE_RATE, scope=ScopeKind.VENUE, id="*", value=Decimal(10_000), window_s=1),
    LimitSettings(check=Check.REPEATED_EXECUTION, scope=ScopeKind.STRATEGY, id="*", value=Decimal(10_000), window_s=60),
)


class RiskSettings(BaseModel):
    """Limits and what they are in. mark_s: how often positions are valued for loss limits, in seconds of the desk's clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    mark_s: Annotated[float, Field(gt=0, le=3600)] = 5
    limits: tuple[LimitSettings, ...] = WIDE

    def terms(self, desk: str, *, watched: bool = False) -> RiskTerms:
        """As the risk gate takes them. watched: does the watchdog look at losses too?"""
        limits = tuple(limit.event() for limit in self.limits)
        text = "\n".join(limit.model_dump_json() for limit in limits)
        return RiskTerms(
            desk=desk,
            currency=self.currency,
            mark_every_ns=int(self.mark_s * _NS),
            limits=limits,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            watched=watched,
        )
