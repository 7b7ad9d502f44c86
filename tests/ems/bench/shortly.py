"""What the tests of benches share."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests import warm


def short(run: str, directory: Path) -> dict[str, Any]:
    """The figures of a short run of a whole-system bench (tests/ems/bench/short.py)."""
    done = warm.run([sys.executable, "-m", "tests.ems.bench.short", run, str(directory)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-5000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))
