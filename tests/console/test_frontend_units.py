"""The page's own unit tests and its types, as one test of ours: Vitest and tsc, without a browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "ems" / "console"


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_page_s_own(script: str) -> None:
    npm = shutil.which("npm")
    if npm is None or not (SOURCE / "node_modules").is_dir():
        pytest.skip("Node.js or its packages are missing: install Node.js and run make setup")
    done = subprocess.run([npm, "run", script], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
