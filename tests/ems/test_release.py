"""What goes out: a bill of materials that the standard's own schema takes, and a signature over all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner

from domain.errors import ConfigError, SealError
from ems.bootstrap import release
from ems.bootstrap.build import build_digest
from ems.cli import app


def test_the_bill_is_one_by_the_standard_and_the_same_again() -> None:
    text = release.text_of_bill()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == release.text_of_bill()


def test_the_bill_has_what_runs_as_it_is_installed_and_nothing_else() -> None:
    told = release.bill()
    parts = {part["name"]: part for part in told["components"]}
    import quickfix  # noqa: F401  (it is installed)

    assert parts["quickfix"]["version"] == "1.16.0" and parts["numpy"]["purl"].startswith("pkg:pypi/numpy@2.2.")
    assert "pytest" not in parts and "mkdocs" not in parts, "tools are not part of what runs"
    assert parts["pydantic-core"], "what is needed by what we need is"
    assert told["metadata"]["component"]["properties"] == [{"name": "ems:build", "value": build_digest()}]
    refs = {part["purl"] for part in parts.values()} | {told["metadata"]["component"]["purl"]}
    assert {each["ref"] for each in told["dependencies"]} == refs
    assert {ref for each in told["dependencies"] for ref in each["dependsOn"]} <= refs


def test_a_bill_without_ours_or_with_a_gap_is_none() -> None:
    here = list(distributions())
    with pytest.raises(ConfigError, match="no installed ems"):
        release.bill(each for each in here if each.metadata["Name"] != "ems")
    with pytest.raises(ConfigError, match="needs numpy, which is not installed"):
        release.bill(each for each in here if each.metadata["Name"] != "numpy")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A directory as a release is, and a key beside it."""
    directory = tmp_path / "dist"
    directory.mkdir()
    (directory / "ems-0.1.0-py3-none-any.whl").write_bytes(b"wheel")
    (directory / "sbom.json").write_text("{}")
    (directory / "constraints.txt").write_text("a==1\n")
    assert CliRunner().invoke(app, ["release", "keygen", str(tmp_path / "key")]).exit_code == 0
    return directory


def signed(out: Path) -> Path:
    done = CliRunner().invoke(app, ["release", "sign", str(out), "--key", str(out.parent / "key")])
    assert done.exit_code == 0, done.output
    return out


def test_signed_and_checked(out: Path) -> None:
    done = CliRunner().invoke(app, ["release", "verify", str(signed(out)), "--key", str(out.parent / "key.pub")])
    assert (done.exit_code, done.stdout) == (0, f"0.1.0, build {build_digest()}: 3 files, all as they were signed\n")
    told = json.loads((out / "release.json").read_text())
    assert sorted(told["files"]) == ["constraints.txt", "ems-0.1.0-py3-none-any.whl", "sbom.json"]
    assert CliRunner().invoke(app, ["release", "sign", str(out), "--key", str(out.parent / "key")]).exit_code == 0, "again"


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (lambda out: (out / "ems-0.1.0-py3-none-any.whl").write_bytes(b"whee1"), "not what was signed"),
    "a file gone": (lambda out: (out / "sbom.json").unlink(), "not what was signed"),
    "a file more": (lambda out: (out / "more.whl").write_bytes(b""), "was not signed"),
    "the list": (
        lambda out: (out / "release.json").write_text((out / "release.json").read_text().replace("0.1.0", "0.1.1")),
        "not signed by the key",
    ),
    "the signature": (lambda out: (out / "release.sig").write_text("00" * 64), "not signed by the key"),
    "no signature": (lambda out: (out / "release.sig").unlink(), "no signed release"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_is_found(out: Path, what: str) -> None:
    change, word = CHANGES[what]
    change(signed(out))
    with pytest.raises(SealError, match=word):
        release.verify(out, out.parent / "key.pub")


def test_another_key_with_its_own_signature_is_not_ours(out: Path, tmp_path: Path) -> None:
    release.make_key(tmp_path / "other")
    signed(out)
    with pytest.raises(SealError, match="not signed by the key"):
        release.verify(out, tmp_path / "other.pub")


def test_what_cannot_be_signed(out: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    with pytest.raises(ConfigError, match="no file of"):
        release.sign(out, key, [key])
    with pytest.raises(ConfigError, match="has 0"):
        release.sign(out, key, [out / "sbom.json"])
    key.chmod(0o644)
    with pytest.raises(SealError, match="others than its owner"):
        release.sign(out, key, out.iterdir())
