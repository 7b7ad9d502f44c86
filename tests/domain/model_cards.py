"""Versions of models, for the tests of the registry."""

from __future__ import annotations

from domain.model_version import ModelCard

OLD, NEW, NEXT = "a" * 64, "b" * 64, "c" * 64


def card(digest: str = NEW, model: str = "world-model", **changed: object) -> ModelCard:
    said = {
        "digest": digest, "model": model, "contract": 1, "step": "events:10", "data": (("a tape", "d" * 64),),
        "metrics": (("mcc_gain", 0.03),),
    }  # fmt: skip
    return ModelCard.model_validate(said | changed)
