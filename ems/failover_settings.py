"""The [failover] table of the configuration."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field


class FailoverSettings(BaseModel):
    """One of several hosts on one log.

    Attributes:
        host: this host's name in the log, "" where there is but one. Gateways of a host that has a name log on while a desk
            of the host leads, and at no other time.
        lease_s: a leader that the database has not heard of for so long leads no more, and the next desk in line takes over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9.]{0,23})?$")] = ""
    lease_s: Annotated[float, Field(ge=2, le=60)] = 5


FAILOVER_DEFAULT: Final = FailoverSettings()
