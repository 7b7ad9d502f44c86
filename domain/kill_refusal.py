"""Why a person's request about the kill switch was refused. These are answers to people at the desk, not to FIX."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class KillReason(StrEnum):
    """The named refusals."""

    UNKNOWN_SCOPE = "unknown_scope"
    NOT_TRIPPED = "not_tripped"
    STILL_TRIPPED = "still_tripped"
    REASON_MISSING = "reason_missing"
    SECOND_PERSON_NEEDED = "second_person_needed"
    NOT_AUTHENTICATED = "not_authenticated"


@dataclass(frozen=True, slots=True)
class KillRefusal:
    """Its name and a sentence."""

    reason: KillReason
    text: str
