"""The tables of the start of day: one frozen model a table, one field a column.

A column is named as its field without the unit: `quantity_e9` is the column `quantity`, a plain decimal number in the file
and an integer at 1e-9 here; `begins_ns` is the column `begins`, a moment with its offset there and nanoseconds UTC here.
Everything else is the text of the cell. An empty cell is a value that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from domain.cells import iso_day, moment_ns, moment_text, number_e9, number_text, plain_text, short, whole
from domain.values import E9_MAX

Text = Annotated[str, AfterValidator(plain_text)]
Day = Annotated[date, BeforeValidator(iso_day)]
MomentNs = Annotated[int, BeforeValidator(moment_ns), Field(ge=0)]
SignedE9 = Annotated[int, BeforeValidator(number_e9), Field(ge=-E9_MAX, le=E9_MAX)]
AmountE9 = Annotated[int, BeforeValidator(number_e9), Field(ge=0, le=E9_MAX)]
PositiveE9 = Annotated[int, BeforeValidator(number_e9), Field(gt=0, le=E9_MAX)]
Count = Annotated[int, BeforeValidator(whole), Field(ge=1, le=9_999_999)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Mic = Annotated[str, Field(pattern="^[A-Z0-9]{4}$")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
ScopeKind = Literal["firm", "desk", "trader", "account", "client", "strategy"]
AS_OF: Final = "the day whose close the row is of: an action that takes effect after it still changes the row"


class DayRow(BaseModel):
    """A row. Two rows of a table may not agree in all fields of KEY."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    KEY: ClassVar[tuple[str, ...]]
    ABOUT: ClassVar[str] = ""  # the column that is named where several do not go together

    def get(self, field: str) -> Any:
        """A field that not every table has, None where this one has it not."""
        return getattr(self, field) if field in type(self).model_fields else None

    def key(self) -> tuple[Any, ...]:
        """What makes the row the only one of its kind."""
        return tuple(getattr(self, name) for name in self.KEY)


class Position(DayRow):
    """What each account holds at the start, as the back office knows it. An account with a row is known whole."""

    KEY = ("account", "symbol")
    account: Text = Field(description="the account")
    symbol: Text = Field(description="the instrument")
    quantity_e9: SignedE9 = Field(description="shares or contracts; below zero is short")
    as_of: Day = Field(description=AS_OF)


class ScopedRow(DayRow):
    """A row about the firm or one of its parts."""

    ABOUT = "scope_id"
    scope_kind: ScopeKind = Field(description="firm, desk, trader, account, client or strategy")
    scope_id: Text | Literal[""] = Field(default="", description="which one; empty for the firm")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.scope_kind == "firm") == bool(self.scope_id):
            raise ValueError("the firm has no scope_id, and everything else has one")
        return self


class Cash(ScopedRow):
    """Cash by scope and currency."""

    KEY = ("scope_kind", "scope_id", "currency")
    currency: Currency = Field(description="ISO 4217, or a minor unit such as GBX")
    cash_e9: SignedE9 = Field(description="units of the currency; below zero is owed")


class Capital(ScopedRow):
    """The stated capital of each scope, which losses are measured against. The firm must have a row."""

    KEY = ("scope_kind", "scope_id")
    currency: Currency = Field(description="the base currency of the manifest")
    capital_e9: PositiveE9 = Field(description="units of the currency")


class Locate(DayRow):
    """Shares that a lender holds ready for short sales of an account."""

    KEY = ("id",)
    id: Text = Field(description="the lender's id")
    account: Text = Field(description="the account that may sell short")
    symbol: Text = Field(description="the instrument")
    quantity_e9: PositiveE9 = Field(description="shares")
    expires: Day = Field(description="the last trade date on which it may be used")
    as_of: Day = Field(description=AS_OF)


class AverageVolume(DayRow):
    """The average daily volume of each instrument."""

    KEY = ("symbol",)
    symbol: Text = Field(description="the instrument")
    average_daily_volume_e9: AmountE9 = Field(description="shares or contracts a day")
    as_of: Day = Field(description=AS_OF)


class ReferencePrice(DayRow):
    """The previous close of each instrument."""

    KEY = ("symbol",)
    symbol: Text = Field(description="the instrument")
    close_e9: PositiveE9 = Field(description="the instrument's currency a share or contract")
    as_of: Day = Field(description=AS_OF)


class Fee(DayRow):
    """What a market charges; parts below zero are rebates."""

    KEY = ("mic", "liquidity")
    mic: Mic = Field(description="the market")
    liquidity: Literal["add", "remove", "auction"] = Field(description="add, remove or auction")
    currency: Currency = Field(description="of the amounts")
    per_share_e9: SignedE9 = Field(description="units of the currency a share")
    rate_bps_e9: SignedE9 = Field(description="basis points of the notional")
    minimum_e9: AmountE9 = Field(description="units of the currency an order, at least")


class Commission(DayRow):
    """What the broker behind a venue session charges beside its market's fees. A row for the account goes before one for any."""

    KEY = ("venue", "account", "currency")
    venue: Text = Field(description="the venue session; * is any")
    account: Text = Field(description="the client's account; * is any")
    currency: Currency = Field(description="of the amounts")
    per_share_e9: AmountE9 = Field(description="units of the currency a share")
    rate_bps_e9: AmountE9 = Field(description="basis points of the notional")
    minimum_e9: AmountE9 = Field(description="units of the currency an order, at least")


class FxRate(DayRow):
    """What one unit of a currency is worth in the base currency of the manifest."""

    KEY = ("currency",)
    currency: Currency = Field(description="ISO 4217, or a minor unit such as GBX")
    rate_e9: PositiveE9 = Field(description="units of the base currency for one")
    as_of: Day = Field(description="the day that the rate is of")


class CorporateAction(DayRow):
    """Splits, dividends and new names. `new_shares` for `old_shares` is a split; `amount` in `currency` a dividend a share."""

    KEY = ("id",)
    ABOUT = "kind"
    id: Text = Field(description="the source's id")
    symbol: Text = Field(description="the instrument, by its new name if it gets one")
    kind: Literal["split", "dividend", "rename"] = Field(description="split, dividend or rename")
    effective: Day = Field(description="the first trade date under the new terms")
    new_shares: Count | None = Field(default=None, description="of a split: how many shares there are after it")
    old_shares: Count | None = Field(default=None, description="of a split: for how many before it")
    amount_e9: PositiveE9 | None = Field(default=None, description="of a dividend: units of the currency a share")
    currency: Currency | None = Field(default=None, description="of a dividend")
    old_symbol: Text | None = Field(default=None, description="of a rename: the name until then")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wanted = _ACTION_FIELDS[self.kind]
        for name in ("new_shares", "old_shares", "amount_e9", "currency", "old_symbol"):
            if (getattr(self, name) is not None) != (name in wanted):
                raise ValueError(f"a {self.kind} needs {' and '.join(map(column, wanted))}, and no other terms")
        if self.old_symbol == self.symbol:
            raise ValueError("a rename needs two names")
        return self


class Restriction(DayRow):
    """What may not be traded, and from when until when."""

    KEY = ("list_name", "symbol", "begins_ns")
    ABOUT = "ends"
    list_name: Text = Field(description="the list")
    symbol: Text = Field(description="the instrument")
    begins_ns: MomentNs = Field(description="the moment with its offset")
    ends_ns: MomentNs | None = Field(default=None, description="the first moment after it; empty: until further notice")
    reason: Text = Field(description="told to whoever is refused")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ends_ns is not None and self.ends_ns <= self.begins_ns:
            raise ValueError("it ends before it begins")
        return self


class Halt(DayRow):
    """What its market does not trade, and from when until when."""

    KEY = ("symbol", "begins_ns")
    ABOUT = "ends"
    symbol: Text = Field(description="the instrument")
    begins_ns: MomentNs = Field(description="the moment with its offset")
    ends_ns: MomentNs | None = Field(default=None, description="the first moment after it; empty: until further notice")
    reason: Text = Field(description="why, as the market says it")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ends_ns is not None and self.ends_ns <= self.begins_ns:
            raise ValueError("it ends before it begins")
        return self


class Permission(DayRow):
    """Who may trade what and where, where a limit asks for it; * is any. What no row allows is refused."""

    KEY = ("who", "strategy", "symbol", "venue")
    who: Text = Field(description="a client session, or person:NAME for orders entered at the desk")
    strategy: Text = Field(description="an algorithm, direct for orders without one")
    symbol: Text = Field(description="the instrument")
    venue: Text = Field(description="the venue session")


class RegisteredModel(DayRow):
    """The models from which orders may stem, by the digest of their weights: of those that the registry lets trade, no others."""

    KEY = ("digest",)
    digest: Digest = Field(description="SHA-256 of the weights, 64 hexadecimal digits")
    name: Text = Field(description="for people")


_ACTION_FIELDS: Final = {"split": ("new_shares", "old_shares"), "dividend": ("amount_e9", "currency"), "rename": ("old_symbol",)}
TABLES: Final[Mapping[str, type[DayRow]]] = {
    "positions": Position,
    "cash": Cash,
    "capital": Capital,
    "locates": Locate,
    "volumes": AverageVolume,
    "prices": ReferencePrice,
    "fees": Fee,
    "commissions": Commission,
    "fx_rates": FxRate,
    "corporate_actions": CorporateAction,
    "restricted": Restriction,
    "halts": Halt,
    "permissions": Permission,
    "models": RegisteredModel,
}
Row = TypeVar("Row", bound=DayRow)


class Bad(NamedTuple):
    """What is wrong with a cell."""

    column: str
    reason: str


@cache
def column(field: str) -> str:
    """The column of a field."""
    return field.removesuffix("_e9").removesuffix("_ns")


def columns(model: type[DayRow]) -> tuple[str, ...]:
    """The columns of a table, in their order."""
    return tuple(column(field) for field in model.model_fields)


def parse(model: type[Row], cells: Mapping[str, str]) -> Row | list[Bad]:
    """A row of text cells by column, or everything that is wrong with it. Each column of the table is there."""
    values = {field: text for field in model.model_fields if (text := cells[column(field)])}
    try:
        return model.model_validate(values)
    except ValidationError as cause:
        return list(_reasons(cause, model.ABOUT))


def _reasons(cause: ValidationError, about: str) -> Iterator[Bad]:
    for error in cause.errors(include_url=False):
        field = str(error["loc"][0]) if error["loc"] else about
        if error["type"] == "missing":
            yield Bad(column(field), "is empty")
        elif error["type"] == "value_error":
            yield Bad(column(field), str(error["ctx"]["error"]))
        else:
            seen = f", not {short(error['input'])}" if isinstance(error["input"], str) else ""
            yield Bad(column(field), error["msg"].replace("Input should", "must").replace("String should", "must") + seen)


def cells(row: DayRow) -> dict[str, str]:
    """The inverse of parse."""
    return {column(field): _text(field, getattr(row, field)) for field in type(row).model_fields}


def _text(field: str, value: Any) -> str:
    if value is None:
        return ""
    return number_text(value) if field.endswith("_e9") else moment_text(value) if field.endswith("_ns") else str(value)
