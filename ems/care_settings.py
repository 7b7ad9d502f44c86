"""The [care] table of the configuration: which orders wait for a trader, and what traders may do."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.care_rules import CareRule, CareTerms
from domain.values import Side, to_e9

_Number = Annotated[Decimal, Field(gt=0, lt=Decimal(2**63) / 10**9, decimal_places=9)]


class RuleSettings(BaseModel):
    """One of [[care.rules]]. What is left out asks for nothing; numbers are bounds, themselves within.

    Attributes:
        handling: "stage": such an order waits for a trader; "work": it is worked at once.
        algo: as the order asks for it; "direct" for an order without one.
        manual: only orders whose client says so (HandlInst 21=3).
        notional_min, notional_max: of quantity x limit, or the market's price where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    handling: Literal["stage", "work"] = "stage"
    client: str = ""
    symbol: str = ""
    account: str = ""
    algo: str = ""
    side: Side | None = None
    manual: bool = False
    quantity_min: _Number | None = None
    quantity_max: _Number | None = None
    notional_min: _Number | None = None
    notional_max: _Number | None = None

    def rule(self) -> CareRule:
        """As the desk knows it."""
        plain = self.model_dump(include={"name", "handling", "client", "symbol", "account", "algo", "side", "manual"})
        return CareRule(
            **plain,
            quantity_min_e9=_e9(self.quantity_min),
            quantity_max_e9=_e9(self.quantity_max),
            notional_min_e9=_e9(self.notional_min),
            notional_max_e9=_e9(self.notional_max),
        )


class CareSettings(BaseModel):
    """The care desk.

    Attributes:
        rules: the first that fits an order decides; an order that none fits is worked at once.
        reserve_staged: what waits counts as open for limits on positions, exposure and open orders.
        house_account: takes the other side of blocks; it is one of [kill] house_accounts. "": no blocks.
        pull_back: how a client is told of what goes back to it: Canceled (150=4) or DoneForDay (150=3).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[RuleSettings, ...] = ()
    reserve_staged: bool = True
    house_account: str = ""
    pull_back: Literal["cancel", "done_for_day"] = "cancel"

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [rule.name for rule in self.rules]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two rules have the name {twice[0]}")
        return self

    def terms(self, venues: AbstractSet[str] | None = None) -> CareTerms:
        """As the desk knows it. venues: the sessions that orders can be routed to."""
        return CareTerms(
            rules=tuple(rule.rule() for rule in self.rules),
            reserve=self.reserve_staged,
            venues=venues,
            house_account=self.house_account,
            pull_back=self.pull_back,
        )

    def wrong(self, clients: set[str], house_accounts: tuple[str, ...]) -> str:
        """What of it names something that there is not, "" if nothing does."""
        if unknown := sorted({rule.client for rule in self.rules if rule.client} - clients):
            return f"a rule of [care] is about {unknown[0]!r}, which is none of the client sessions {sorted(clients)}"
        if self.house_account and self.house_account not in house_accounts:
            return f"[care] house_account {self.house_account!r} is none of [kill] house_accounts {sorted(house_accounts)}"
        return ""


def _e9(number: Decimal | None) -> int | None:
    return None if number is None else to_e9(number)


NO_CARE_SETTINGS: Final = CareSettings()
