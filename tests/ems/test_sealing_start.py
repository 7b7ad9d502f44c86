"""The sealing key at the first start and after, the anchors that a configuration names, and what it may not say."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.errors import SealError
from ems.bootstrap import sealing
from ems.bootstrap.runtime import Runtime
from ems.config import Settings, check
from ems.sealing_settings import SealingSettings


def runtime(folder: Path, **said: object) -> Runtime:
    return Runtime(settings=Settings(state_directory=folder, sealing=SealingSettings.model_validate(said)))


def test_the_first_start_makes_a_key_that_its_owner_alone_can_read_and_the_next_takes_it(tmp_path: Path) -> None:
    run = runtime(tmp_path)
    key = sealing.signer(run)
    private = tmp_path / "sealing" / "private.key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert private.parent.stat().st_mode & 0o077 == 0
    assert sealing.signer(run).public_key == key.public_key
    assert (tmp_path / "sealing" / "public.key").read_text() == key.public_key.hex() + "\n"
    checker = sealing.verifier(run, None)
    assert checker.verifies(b"said", key.sign(b"said"))
    assert not checker.verifies(b"Said", key.sign(b"said"))


def test_a_key_that_others_may_read_is_refused_and_one_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    run = runtime(tmp_path)
    sealing.signer(run)
    private = tmp_path / "sealing" / "private.key"
    private.chmod(0o640)
    with pytest.raises(SealError, match="others than its owner"):
        sealing.signer(run)
    private.unlink()
    with pytest.raises(SealError, match="is gone"):
        sealing.signer(run)
    private.write_text("no key")
    private.chmod(0o600)
    with pytest.raises(SealError, match="cannot be read"):
        sealing.signer(run)


def test_anchors_are_those_of_the_configuration(tmp_path: Path) -> None:
    assert [anchor.name for anchor in sealing.anchors(runtime(tmp_path))] == ["file"]
    both = runtime(tmp_path, worm_directory=tmp_path / "worm", worm_every_s=5)
    assert [(anchor.name, anchor.every_s) for anchor in sealing.anchors(both)] == [("file", 0), ("worm", 5)]
    with pytest.raises(SealError, match="there is no anchor"):
        sealing.kept(tmp_path / "none")


@pytest.mark.parametrize(
    "said",
    [
        {"tsa_url": "ftp://x", "tsa_certificate": "a"},
        {"tsa_url": "http://x"},
        {"tsa_certificate": "a"},
        {"worm_every_s": 0},
        {"x": 1},
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SealingSettings.model_validate(said)


def test_paths_are_taken_from_the_configurations_folder(tmp_path: Path) -> None:
    settings = check({"sealing": {"anchor_file": "kept/heads"}}, name="x", folder=tmp_path)
    assert settings.sealing.anchor_file == tmp_path / "kept" / "heads"
    assert settings.sealing.worm_directory is None
