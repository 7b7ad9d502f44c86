"""A database belongs to PAPER or LIVE, says so once, and never anything else."""

from __future__ import annotations

import psycopg
import pytest

from adapters.postgres.deployment import answers, claim_mode
from domain.errors import ConfigError, LogUnavailable


def test_the_first_to_come_decides_for_ever(app_dsn: str) -> None:
    claim_mode(app_dsn, "PAPER")
    claim_mode(app_dsn, "PAPER")
    with pytest.raises(ConfigError, match="the database belongs to PAPER, but the configuration says mode LIVE"):
        claim_mode(app_dsn, "LIVE")
    claim_mode(app_dsn, "PAPER")


def test_not_even_the_owner_changes_it(app_dsn: str, postgres_dsn: str) -> None:
    claim_mode(app_dsn, "LIVE")
    for statement in ("UPDATE deployment SET mode = 'PAPER'", "DELETE FROM deployment", "TRUNCATE deployment"):
        with psycopg.connect(postgres_dsn) as connection, pytest.raises(psycopg.Error, match="is refused"):
            connection.execute(statement)
    with psycopg.connect(app_dsn) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("INSERT INTO deployment (mode) VALUES ('PAPER')")
    claim_mode(app_dsn, "LIVE")


def test_a_database_answers_or_it_does_not(app_dsn: str) -> None:
    nowhere = psycopg.conninfo.make_conninfo(app_dsn, dbname="nowhere")
    assert answers(app_dsn)
    assert not answers(nowhere)
    with pytest.raises(LogUnavailable):
        claim_mode(nowhere, "PAPER")
