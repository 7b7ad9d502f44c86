"""Profiles of counterparties: their files read and checked, so that a bad one is refused before anything starts."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from adapters.fix.profile import Profile
from domain.errors import ConfigError
from domain.session_policy import DEFAULT, SessionPolicy
from ems.config import FIX_DEFAULT, Session, Settings
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


def profile_of(session: Session) -> Profile | None:
    """The profile that a session names, None where it names none.

    Raises:
        ConfigError: as load_profile; or the session says otherwise than its profile.
    """
    if session.profile is None:
        return None
    profile = load_profile(session.profile)
    for what, own, theirs in (
        ("begin_string", session.begin_string, profile.version),
        ("reset", session.reset, profile.reset),
    ):
        if own not in (None, theirs):
            raise ConfigError(f"session {session.name}: its {what} is {own}, but its profile {session.profile} says {theirs}")
    return profile


def begin_string(session: Session) -> str:
    """The BeginString (8) of a session. Raises ConfigError, as profile_of."""
    profile = profile_of(session)
    return profile.version if profile is not None else session.begin_string or FIX_DEFAULT


def profiles(settings: Settings) -> dict[str, Profile]:
    """By session, of those that have one. Raises ConfigError, as profile_of."""
    found = {session.name: profile_of(session) for session in settings.sessions}
    return {name: profile for name, profile in found.items() if profile is not None}


def policies(settings: Settings) -> dict[str, SessionPolicy]:
    """How the desk treats each session: as its profile has it; allocation is the configuration's."""
    agreed = settings.policies()
    for name, profile in profiles(settings).items():
        agreed[name] = replace(profile.policy, allocation=agreed.get(name, DEFAULT).allocation)
    return agreed
