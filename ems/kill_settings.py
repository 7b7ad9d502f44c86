"""The [kill] table of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from domain.values import E9
from ems.house import HouseTerms


class KillSettings(BaseModel):
    """The kill switch.

    Attributes:
        outage_s: a suspension that lasts longer than this becomes SOFT.
        house_accounts: whose positions a PANIC may flatten, and no other's.
        house_sessions: client sessions that trade for the house. What any other traded is a client's, whatever account it named.
        collar_bps: how far from the last known price a flattening order may go, in basis points.
        price_age_s: a price that is older is not known: nothing flattens by it.
        persons: who may re-arm, with their hashed secrets; made by `ems kill enroll`. None: in the state directory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    outage_s: Annotated[float, Field(gt=0, le=3_600)] = 30
    house_accounts: tuple[str, ...] = ()
    house_sessions: tuple[str, ...] = ()
    collar_bps: Annotated[int, Field(ge=1, le=2_000)] = 100
    price_age_s: Annotated[float, Field(gt=0, le=3_600)] = 5
    persons: Path | None = None

    def house(self) -> HouseTerms:
        """What a PANIC may flatten, and how."""
        return HouseTerms(
            accounts=frozenset(self.house_accounts),
            sessions=frozenset(self.house_sessions),
            collar_bps=self.collar_bps,
            price_age_ns=int(self.price_age_s * E9),
        )


KILL_DEFAULT: Final = KillSettings()
