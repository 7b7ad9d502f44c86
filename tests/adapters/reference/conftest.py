"""Fixtures of the reference data's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.reference import write
from tests.adapters.reference.day_files import DAY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample as the files of DAY; a test may break them."""
    write.write_sample(tmp_path / "day", DAY)
    return tmp_path / "day"
