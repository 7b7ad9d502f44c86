"""Who may arm again: secrets hashed, one each, in a file for its owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from domain.errors import ConfigError
from domain.kill_refusal import KillReason
from ems.persons import Persons


def test_a_secret_belongs_to_one_person(tmp_path: Path) -> None:
    persons = Persons(tmp_path / "kill" / "persons.json")
    assert persons.enroll("jane", "a long secret") is None
    assert persons.enroll("omar", "another secret") is None
    assert persons.names() == ["jane", "omar"]
    assert persons.authenticate("jane", "a long secret") is None
    for person, secret in (("jane", "another secret"), ("omar", "a long secret"), ("eve", "a long secret"), ("jane", "")):
        refusal = persons.authenticate(person, secret)
        assert refusal is not None
        assert refusal.reason is KillReason.NOT_AUTHENTICATED


def test_two_people_cannot_share_one(tmp_path: Path) -> None:
    persons = Persons(tmp_path / "persons.json")
    assert persons.enroll("jane", "a long secret") is None
    assert persons.enroll("omar", "a long secret") is not None
    assert persons.names() == ["jane"]


@pytest.mark.parametrize(("person", "secret"), [("jane", "short"), ("", "a long secret"), ("a b", "a long secret")])
def test_what_is_no_person_or_no_secret_is_refused(tmp_path: Path, person: str, secret: str) -> None:
    assert Persons(tmp_path / "persons.json").enroll(person, secret) is not None


def test_the_file_is_its_owners_alone_and_holds_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "persons.json"
    Persons(path).enroll("jane", "a long secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "a long secret" not in path.read_text()
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="0600"):
        Persons(path).authenticate("jane", "a long secret")


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "persons.json"
    path.write_text("[]")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not a file of persons"):
        Persons(path).names()
