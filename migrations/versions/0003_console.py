"""Accounts, sessions, entitlements, layouts and commands of the console."""

from __future__ import annotations

from migrations.plain_sql import run

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    run("0003_console.sql")


def downgrade() -> None:
    """Refused: who asked for what is not forgotten by a migration."""
    raise NotImplementedError("the accounts are not removed by a migration")
