"""Tables of what is not in the log: asked of whoever knows it, while somebody looks. They have no past to replay."""

from __future__ import annotations

from typing import ClassVar

from ems.read_models.table import Stored
from ems.read_models.topic import MODEL_MS, Column, Topic


class Asked(Stored):
    """Filled from outside with `replace`."""


class Sessions(Asked):
    """FIX sessions as their gateways have them."""

    topic: ClassVar[Topic] = Topic(
        "sessions",
        "FIX sessions",
        (
            Column("session", "Session", "text", 120, pin="left"),
            Column("group", "Group", "text", 90),
            Column("role", "Role", "text", 90),
            Column("kind", "Kind", "text", 90),
            Column("up", "Up", "flag", 60),
            Column("why", "Why not", "text", 220),
            Column("inbound", "Next in", "int", 90),
            Column("outbound", "Next out", "int", 90),
            Column("reset_epoch", "Resets", "int", 80),
            Column("heard_ns", "Last heard", "time", 100),
            Column("waiting", "Waiting", "int", 80),
        ),
        key="session",
        flush_ms=MODEL_MS,
        filters=("group", "role", "up"),
    )


class Processes(Asked):
    """Every process and whether it answers."""

    topic: ClassVar[Topic] = Topic(
        "processes",
        "Processes",
        (
            Column("process", "Process", "text", 130, pin="left"),
            Column("up", "Up", "flag", 60),
            Column("text", "What it says", "text", 600),
        ),
        key="process",
        flush_ms=2 * MODEL_MS,
    )


class Accounts(Asked):
    """Who may sign in."""

    topic: ClassVar[Topic] = Topic(
        "accounts",
        "Accounts",
        (
            Column("user", "User", "text", 110, pin="left"),
            Column("name", "Name", "text", 140),
            Column("roles", "Roles", "list", 240),
            Column("entitlements", "Entitled to", "list", 260),
            Column("disabled", "Disabled", "flag", 80),
            Column("by", "Signs in by", "text", 100),
            Column("changed_ns", "Changed", "time", 100),
        ),
        key="user",
        flush_ms=MODEL_MS,
        roles=frozenset({"admin", "auditor"}),
    )


class Tokens(Asked):
    """What machines sign in with."""

    topic: ClassVar[Topic] = Topic(
        "tokens",
        "Tokens",
        (
            Column("name", "Token", "text", 130, pin="left"),
            Column("account", "Acts as", "text", 110),
            Column("roles", "Roles", "list", 220),
            Column("made_by", "Made by", "text", 100),
            Column("created_ns", "Made", "time", 100),
            Column("expires_ns", "Expires", "time", 100),
            Column("revoked", "Revoked", "flag", 80),
        ),
        key="name",
        flush_ms=MODEL_MS,
        roles=frozenset({"admin", "auditor"}),
    )


class CommandLog(Asked):
    """What was asked here, and became of it."""

    topic: ClassVar[Topic] = Topic(
        "commands",
        "Commands",
        (
            Column("command_id", "Command", "id", 150, pin="left"),
            Column("user", "By", "text", 100),
            Column("verb", "What", "text", 140),
            Column("state", "State", "status", 100),
            Column("rows", "On", "list", 200),
            Column("text", "What became of it", "text", 320),
            Column("asked_ns", "Asked", "time", 100),
        ),
        key="command_id",
        flush_ms=MODEL_MS,
        own="user",
        filters=("user", "verb", "state"),
    )


ASKED: tuple[type[Asked], ...] = (Sessions, Processes, Accounts, Tokens, CommandLog)
