"""Signed heads of the log, and subtrees of its tree."""

from __future__ import annotations

from migrations.plain_sql import run

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    run("0004_sealed_heads.sql")


def downgrade() -> None:
    """Refused: what was signed stays."""
    raise NotImplementedError("sealed heads are not removed by a migration")
