"""Profiles of counterparties: their files read and checked, so that a bad one is refused before anything starts."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from adapters.fix.profile import Profile
from domain.errors import ConfigError
from ems.config_text import line_of, sentence


def load_profile(path: Path) -> Profile:
    """Read and check one profile.

    Raises:
        ConfigError: it cannot be read, is not TOML, or says something that cannot be meant; names file, line and field.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as cause:
        raise ConfigError(f"the profile {path} cannot be read: {cause.strerror}") from cause
    except UnicodeDecodeError as cause:
        raise ConfigError(f"{path}: byte {cause.start} is not UTF-8") from cause
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as cause:
        raise ConfigError(f"{path} is not TOML: {cause}") from cause
    except ValidationError as cause:
        error = cause.errors()[0]
        line = line_of(text, error["loc"])
        raise ConfigError(f"{path}, line {line}: {sentence(error)}" if line else f"{path}: {sentence(error)}") from cause
