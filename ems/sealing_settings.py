"""The [sealing] table of the configuration: where the log's sealed heads are kept outside of the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class SealingSettings(BaseModel):
    """Sealing.

    Attributes:
        enabled: does the sealer run?
        key_file: the private key; made at the first start. None: in the state directory.
        anchor_file: takes each head; only appended to. None: in the state directory.
        worm_directory: takes a head each worm_every_s as a file of its own, for storage that lets nothing be changed.
        tsa_url: an RFC 3161 time stamp authority, asked for a stamp of a head each tsa_every_s.
        tsa_certificate: its certificate, or that of its issuer, as PEM: no other's stamp counts.
        tsa_directory: keeps the stamps. None: in the state directory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    key_file: Path | None = None
    anchor_file: Path | None = None
    worm_directory: Path | None = None
    worm_every_s: Seconds = 60
    tsa_url: str = ""
    tsa_certificate: Path | None = None
    tsa_directory: Path | None = None
    tsa_every_s: Seconds = 300

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.tsa_url and not self.tsa_url.startswith(("http://", "https://")):
            raise ValueError("tsa_url begins with http:// or https://")
        if bool(self.tsa_url) != (self.tsa_certificate is not None):
            raise ValueError("tsa_url and tsa_certificate are given together: a stamp counts by its authority's certificate")
        return self

    def under(self, folder: Path) -> SealingSettings:
        """With paths taken from a folder."""
        names = ("key_file", "anchor_file", "worm_directory", "tsa_certificate", "tsa_directory")
        paths = {name: (folder / value).resolve() for name in names if (value := getattr(self, name)) is not None}
        return self.model_copy(update=paths)


SEALING_DEFAULT: Final = SealingSettings()
