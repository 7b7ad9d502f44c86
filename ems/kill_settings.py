"""The [kill] table of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field


class KillSettings(BaseModel):
    """The kill switch.

    Attributes:
        outage_s: a suspension that lasts longer than this becomes SOFT.
        house_accounts: whose positions a PANIC may flatten, and no other's.
        collar_bps: how far from the last known price a flattening order may go, in basis points.
        persons: who may re-arm, with their hashed secrets; made by `ems kill enroll`. None: in the state directory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    outage_s: Annotated[float, Field(gt=0, le=3_600)] = 30
    house_accounts: tuple[str, ...] = ()
    collar_bps: Annotated[int, Field(ge=1, le=2_000)] = 100
    persons: Path | None = None


KILL_DEFAULT: Final = KillSettings()
