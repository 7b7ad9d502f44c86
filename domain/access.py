"""Who came in, who was turned away, whose rights changed, and who read the log. Accounts by their ids alone.

Each account has a stream; what strangers tried is on one stream of the day.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from domain.event import Event
from domain.values import StreamId, stream_id

STRANGER = "?"  # of somebody who has not said who it is, or whom nobody knows


class SignedIn(Event):
    TOPIC: ClassVar[str] = "access.signed_in.v1"
    user: str
    by: Literal["password", "oidc", "invite", "token"]
    address: str


class SignedOut(Event):
    TOPIC: ClassVar[str] = "access.signed_out.v1"
    user: str


class Refused(Event):
    """Somebody was turned away. count: how many alike, where they came too fast to write each."""

    TOPIC: ClassVar[str] = "access.refused.v1"
    user: str
    what: str
    why: str
    address: str
    count: int = 1


class AccountChanged(Event):
    """An administrator, the event's actor, made an account or changed what it may do."""

    TOPIC: ClassVar[str] = "access.account_changed.v1"
    user: str
    act: Literal["made", "roles", "entitlements", "password", "disabled", "enabled", "token_made", "token_revoked"]
    roles: tuple[str, ...]
    entitlements: tuple[tuple[str, str], ...]


class LogRead(Event):
    """Somebody read events, or took a table away as a file."""

    TOPIC: ClassVar[str] = "access.log_read.v1"
    user: str
    what: str
    rows: int


EVENTS = (SignedIn, SignedOut, Refused, AccountChanged, LogRead)


def key(user: str) -> StreamId:
    """An account's stream."""
    return stream_id("access", user)
