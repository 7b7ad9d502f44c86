"""The mode that a database belongs to."""

from __future__ import annotations

from migrations.plain_sql import run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    run("0002_deployment.sql")


def downgrade() -> None:
    """Refused: a LIVE database does not forget that it is one."""
    raise NotImplementedError("the mode of a database is not removed by a migration")
