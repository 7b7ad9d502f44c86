"""Environments of decisions: kept by their digests, and what is different from one is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from domain.errors import ConfigError
from ems.bootstrap.environments import difference, keep
from models.environment import environment, environment_digest


def test_this_one_is_kept_once_and_differs_by_nothing(tmp_path: Path) -> None:
    assert keep(tmp_path) == keep(tmp_path) == environment_digest()
    assert difference(tmp_path, environment_digest()) == {}
    assert difference(tmp_path, "0" * 64) is None


def test_another_is_told_name_by_name_and_a_changed_file_is_none(tmp_path: Path) -> None:
    keep(tmp_path)
    text = json.dumps(environment() | {"numba": "0.1", "gone": "x"}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = tmp_path / "environments" / f"{digest}.json"
    path.write_text(text)
    assert difference(tmp_path, digest) == {"gone": ("", "x"), "numba": (environment()["numba"], "0.1")}
    path.write_text(text + " ")
    with pytest.raises(ConfigError, match="is not the environment"):
        difference(tmp_path, digest)
