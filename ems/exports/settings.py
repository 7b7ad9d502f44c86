"""The configuration's part on reporting: what only the firm can say. Nothing here is guessed: what is not said stays empty in
every export and is listed in its coverage table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Destination(_Part):
    """Where a venue session leads, in CAT's words. internal: the firm itself executes there, so it reports the trades."""

    id: str
    type: Literal["E", "F", "N", "O"] = "E"  # exchange, industry member, ...: as CAT's destinationType has it
    session: str = ""  # the exchange's name of the session; "": ours
    internal: bool = False
    mic: str = ""  # ISO 10383 of the segment, for the European records


class AccountTerms(_Part):
    """An account as the firm has registered it. capacity: of executions for it."""

    fdid: str = ""  # firm designated id: never the account's own number
    holder: str = ""  # accountHolderType
    capacity: Literal["", "A", "P", "R"] = ""
    lei: str = ""  # of the client behind it
    fulfilled: bool = False  # its orders are filled from a representative order: every fill is a fulfillment
    dea: bool | None = None  # does the client trade by direct electronic access?


class CatSettings(_Part):
    """Of the CAT reporter."""

    submitter: str = ""
    imid: str = ""
    department: str = ""  # deptType
    timestamps: Literal["eastern", "epoch"] = "eastern"
    trading_session: str = ""
    affiliate: bool | None = None
    solicited: bool | None = None
    display_instruction: bool | None = None
    negotiated: bool | None = None
    clients: Mapping[str, str] = Field(default_factory=dict)  # client session -> IMID: industry members, whose orders are MEOA


class ReportingSettings(_Part):
    """All of it."""

    lei: str = ""  # of the firm
    cat: CatSettings = CatSettings()
    destinations: Mapping[str, Destination] = Field(default_factory=dict)  # by venue session
    accounts: Mapping[str, AccountTerms] = Field(default_factory=dict)
    algorithm_digits: Annotated[int, Field(ge=8, le=16)] = 12  # of a build's or model's digest in an algorithm's designation


NOTHING_SAID: Final = ReportingSettings()
