"""A version of any kind of net, from its file: what the registry keeps and audits."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from models.impact import impact_weights
from models.weights_store import Weights, read_file, read_weights


class Version(NamedTuple):
    """Weights, which contract they keep, and what one step of their dynamics is ("" where nothing goes on)."""

    weights: Weights
    contract: int
    step: str


def read_version(path: Path) -> Version:
    """The impact model's two heads, or the world model with any step.

    Raises:
        WeightsError: it is neither.
    """
    if "impact" in read_file(path).metadata:
        found = impact_weights(path)
        return Version(found, int(found.metadata["impact"]), "")
    found = read_weights(path, step=None)
    return Version(found, int(found.metadata["contract"]), found.metadata["step"])
