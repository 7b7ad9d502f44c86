"""Runs a file of plain SQL inside the migration's transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import op

_SQL = Path(__file__).parent / "sql"


def run(name: str) -> None:
    """Execute sql/<name> as it stands: no parameters, several statements."""
    op.get_bind().connection.driver_connection.execute((_SQL / name).read_text())
