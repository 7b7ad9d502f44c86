"""What every command of a person's has."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=64)]


class PersonsCommand(BaseModel):
    """A person's doing, and it has a reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command_id: Name
    actor: Name  # person:jane
    reason: Annotated[str, Field(min_length=1, max_length=500)]
