"""Weights as a deployment keeps them: under their digest, signed."""

from __future__ import annotations

from pathlib import Path

from domain.model_lineage import Lineage
from domain.model_version import ModelCard
from ems.bootstrap.model_signing import keep
from models.weights_store import Weights, write_weights


def keep_signed(directory: Path, weights: Weights) -> None:
    """Keep them in a directory; the key lies beside it."""
    file = directory.parent / f"{directory.name}-made.safetensors"
    write_weights(file, weights.tensors, {"seed": "1"})
    card = ModelCard(digest=weights.digest, model="world-model", contract=1, step="events:10", data=(), metrics=())
    keep(directory, file, card, Lineage(code_sha256="", seed=1, universe=(), trained_until=""))
    file.unlink()
