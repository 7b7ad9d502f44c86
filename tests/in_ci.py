"""The programs under .ci, which are no package, as modules."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

CI = Path(__file__).resolve().parents[1] / ".ci"


def load(name: str) -> ModuleType:
    """One of them, imported anew; those that it imports lie beside it."""
    if str(CI) not in sys.path:
        sys.path.append(str(CI))
    spec = importlib.util.spec_from_file_location(name, CI / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
