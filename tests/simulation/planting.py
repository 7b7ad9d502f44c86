"""How bugs are planted: each under its name, with the promise that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

Plant = Callable[[pytest.MonkeyPatch], None]


class Bug(NamedTuple):
    """name, the promise it breaks, and how it gets into the code."""

    name: str
    breaks: str
    plant: Plant


BUGS: list[Bug] = []


def bug(breaks: str) -> Callable[[Plant], Plant]:
    """Register a bug under its function's name."""

    def register(plant: Plant) -> Plant:
        BUGS.append(Bug(plant.__name__, breaks, plant))
        return plant

    return register
