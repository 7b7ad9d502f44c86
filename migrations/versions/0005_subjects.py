"""Personal data outside of the log, and the auditor's role."""

from __future__ import annotations

from migrations.plain_sql import run

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table and the role."""
    run("0005_subjects.sql")


def downgrade() -> None:
    """Refused: who may read is not taken away by a migration."""
    raise NotImplementedError("subjects are not removed by a migration")
