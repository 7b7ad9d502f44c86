"""A counterparty's profile: what its FIX text says otherwise than ours, declared in one file and checked whole.

Tables that translate are written `ours = theirs` and read both ways, so both sides of each must be unique.
`adapters.fix.profile_steps` makes the dialect of a session from it. Pure: reading the file is the configuration's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.session_policy import SessionPolicy
from domain.values import OrdType, TimeInForce

Tag = Annotated[int, Field(ge=1, le=39_999)]
MsgType = Annotated[str, Field(pattern="^[A-Za-z0-9]{1,2}$")]
Text = Annotated[str, Field(min_length=1, max_length=200, pattern="^[^\x01\x00=]+$")]
Source = Literal["symbol", "ric", "sedol", "isin", "figi", "cusip"]
SOURCE_CODES: Final[Mapping[Source, str]] = {  # SecurityIDSource (22)
    "symbol": "8",
    "ric": "5",
    "sedol": "2",
    "isin": "4",
    "figi": "S",
    "cusip": "1",
}
Quiet = Literal[
    "pending_new", "pending_cancel", "pending_replace", "triggered", "suspended", "stopped", "calculated", "done_for_day",
    "restated",
]  # fmt: skip

_SESSION: Final = frozenset([8, 9, 10, 34, 35, 43, 49, 52, 56, 89, 93, 97, 122])
_IDENTIFYING: Final = frozenset([11, 17, 19, 37, 41, 60])  # the gateway and the engine rely on them
_GROUPED: Final = frozenset(
    [78, 79, 80, 467, 447, 448, 452, 453, 454, 455, 456, 523, 802, 803, 957, 958, 959, 960, 2376, 2593, 2594, 2595]
)
_NEEDED: Final = frozenset([6, 14, 20, 38, 39, 40, 54, 55, 127, 150, 151, 372, 380, 434])


def _both_ways(table: Mapping[str, str], name: str) -> Mapping[str, str]:
    if twice := _twice(table.values()):
        raise ValueError(f"{name} gives {twice} to two of ours, so it could not be read back")
    return table


def _twice(values: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


class _Part(BaseModel):
    """A table of the file: nothing unknown in it, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TagMap(_Part):
    """A field that they call otherwise, or whose values they do. types: the messages, all where empty."""

    ours: Tag
    theirs: Tag
    types: tuple[MsgType, ...] = ()
    values: Mapping[Text, Text] = {}

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for tag in (self.ours, self.theirs):
            if tag in _SESSION | _IDENTIFYING:
                raise ValueError(f"tag {tag} belongs to the session or identifies an order, and stays as it is")
            if tag in _GROUPED:
                raise ValueError(f"tag {tag} is part of a repeating group, which a tag map cannot change")
        _both_ways(self.values, "values")
        return self


class Enrichment(_Part):
    """A field that is added to what they are sent: a value, or that of another field. Ours stands unless override."""

    types: Annotated[tuple[MsgType, ...], Field(min_length=1)]
    tag: Tag
    value: Text | None = None
    copy_of: Tag | None = None
    override: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.value is None) == (self.copy_of is None):
            raise ValueError("an added field needs either a value or the tag that it is a copy_of")
        if self.tag in _SESSION | _IDENTIFYING | _GROUPED:
            raise ValueError(f"tag {self.tag} cannot be added by a profile")
        return self


class Suppression(_Part):
    """What they are not sent: fields by message type ("*" for every type), and kinds of reports."""

    tags: Mapping[MsgType | Literal["*"], tuple[Tag, ...]] = {}
    reports: tuple[Quiet, ...] = ()

    @field_validator("tags")
    @classmethod
    def _may_go(cls, tags: Mapping[str, tuple[int, ...]]) -> Mapping[str, tuple[int, ...]]:
        for tag in sorted({tag for of_type in tags.values() for tag in of_type}):
            if tag in _SESSION | _IDENTIFYING | _NEEDED:
                raise ValueError(f"tag {tag} is needed in every message that has it")
            if tag in _GROUPED - {78, 453, 454, 957, 2593}:
                raise ValueError(f"tag {tag} is part of a repeating group: name the group's counter instead")
        return tags


class InstrumentIds(_Part):
    """How they name instruments: in Symbol (55), in SecurityID (48), in SecurityAltIDGrp (454), with the market in 207."""

    symbol: Source = "symbol"
    security_id: Source | None = None
    alternatives: tuple[Source, ...] = ()
    exchange: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if len(set(self.alternatives)) != len(self.alternatives):
            raise ValueError("alternatives names a source twice")
        return self


class Accounts(_Part):
    """names: our account = theirs. only: an order for an account that is not among them is refused."""

    names: Mapping[Text, Text] = {}
    only: bool = False

    @field_validator("names")
    @classmethod
    def _unique(cls, names: Mapping[str, str]) -> Mapping[str, str]:
        return _both_ways(names, "names")


class Routes(_Part):
    """Where orders are to go: in ExDestination (100), or in TargetSubID (57), which is one for the whole session."""

    tag: Literal[100, 57] = 100
    default: Text | None = None
    names: Mapping[Text, Text] = {}

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _both_ways(self.names, "names")
        if self.tag == 57 and (self.names or self.default is None):
            raise ValueError("TargetSubID (57) takes a default alone: a cancel does not carry the route of its order")
        if self.default is not None and self.default in self.names.values():
            raise ValueError(f"the default {self.default} is one of the names too, so a route could not be read back")
        return self


class FlatParameter(_Part):
    """A parameter of an algorithm that they send in a field of its own. Ours is theirs times factor."""

    name: Text
    tag: Tag
    factor: Literal["1", "100", "10000", "0.01", "0.0001"] = "1"


class Orders(_Part):
    """What orders of theirs are taken; empty: all that are known here."""

    types: tuple[OrdType, ...] = ()
    times: tuple[TimeInForce, ...] = ()


class Profile(_Part):
    """One counterparty. policy: how the desk treats its orders, or for a broker what it takes of ours; but not allocation,
    which is the house's own."""

    name: Text
    version: Literal["FIX.4.2", "FIX.4.4", "FIXT.1.1"] = "FIX.4.4"
    reset: Literal["continue", "logon"] = "continue"
    keep: tuple[Tag, ...] = ()  # tags later than their version that they take all the same
    tags: tuple[TagMap, ...] = ()
    enrich: tuple[Enrichment, ...] = ()
    suppress: Suppression = Suppression()
    instruments: InstrumentIds = InstrumentIds()
    accounts: Accounts = Accounts()
    routes: Routes = Routes()
    parameters: tuple[FlatParameter, ...] = ()
    orders: Orders = Orders()
    policy: SessionPolicy = SessionPolicy()

    @field_validator("policy", mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        known = [field.name for field in fields(SessionPolicy) if field.name != "allocation"]
        if isinstance(given, dict) and (unknown := [name for name in given if name not in known]):
            raise ValueError(f"{unknown[0]} is not one of {', '.join(known)}")
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.version == "FIX.4.2" and self.instruments.alternatives:
            raise ValueError("FIX.4.2 has no alternative ids (454): name one security_id")
        flat = [parameter.tag for parameter in self.parameters]
        if twice := _twice([parameter.name for parameter in self.parameters]):
            raise ValueError(f"the parameter {twice} stands twice in parameters")
        mapped = [(kind, one.theirs) for one in self.tags for kind in one.types or ("*",)]
        mapped += [("*", tag) for tag in flat]
        for kind, tag in mapped:
            if mapped.count((kind, tag)) > 1 or (kind != "*" and ("*", tag) in mapped):
                raise ValueError(f"two fields of ours would become tag {tag}")
        if bad := next((tag for tag in flat if tag in _SESSION | _IDENTIFYING | _GROUPED | _NEEDED), None):
            raise ValueError(f"tag {bad} cannot carry a parameter")
        return self
