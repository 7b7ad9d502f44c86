"""The [disk] table of the configuration."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.disk import MB, DiskTerms

Megabytes = Annotated[int, Field(ge=0, le=1 << 30)]


class DiskSettings(BaseModel):
    """When a volume of ours is low or full.

    Attributes:
        warn_mb: with less than that left, `ems health` says so.
        stop_mb: with less than that left the desk is suspended: nothing new leaves, cancels pass.
        reserve_mb: held by the database's keeper and by each gateway on its volume, and given away when that is full.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    warn_mb: Megabytes = 2_048
    stop_mb: Megabytes = 256
    reserve_mb: Megabytes = 32

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.stop_mb > self.warn_mb:
            raise ValueError("warn_mb must not be below stop_mb")
        if self.stop_mb and self.stop_mb < 3 * self.reserve_mb:
            raise ValueError("stop_mb must be three times reserve_mb or more: two reserves given away are no room to go on")
        return self

    def terms(self) -> DiskTerms:
        """In bytes."""
        return DiskTerms(self.warn_mb * MB, self.stop_mb * MB)


DISK_DEFAULT: Final = DiskSettings()
