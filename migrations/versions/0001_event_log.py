"""The event log: events, the head of the chain, the rights to append to it and nothing else."""

from __future__ import annotations

from migrations.plain_sql import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the log."""
    run("0001_event_log.sql")


def downgrade() -> None:
    """Refused: a log that can be dropped by a command is not a log."""
    raise NotImplementedError("the event log is not removed by a migration")
