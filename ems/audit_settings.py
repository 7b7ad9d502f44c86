"""The [audit] table of the configuration: clocks, and what executions are reconciled with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field


class AuditSettings(BaseModel):
    """What is watched beside trading.

    Attributes:
        clock_limit_ms: what offset and uncertainty of the host's clock together may be; 0: none. 50 is CAT's.
        clock_every_s: how often a clock is written down although nothing has changed.
        executions: by venue session, the file in which its venue tells of executions as they happen. The simulated venue's own
            is known without being named.
        break_owner: whose a break is until somebody assigns it.
        grace_s: how long one side of an execution may be without the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clock_limit_ms: Annotated[float, Field(ge=0, le=60_000)] = 50.0
    clock_every_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    executions: Mapping[str, Path] = Field(default_factory=dict)
    break_owner: str = "operations"
    grace_s: Annotated[float, Field(ge=0.1, le=4.0)] = 3.0

    def under(self, folder: Path) -> AuditSettings:
        """With paths taken from a folder."""
        return self.model_copy(update={"executions": {name: (folder / path).resolve() for name, path in self.executions.items()}})


AUDIT_DEFAULT: Final = AuditSettings()
