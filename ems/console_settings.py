"""The [console] table of the configuration."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field


class ConsoleSettings(BaseModel):
    """The web page and its API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8410


CONSOLE_DEFAULT: Final = ConsoleSettings()
