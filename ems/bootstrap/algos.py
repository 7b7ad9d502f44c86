"""Algorithms at the edge: ours published as FIXatdl, brokers' read from their files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from adapters.fix.vocabulary import TARGET_STRATEGY
from adapters.fixatdl.document import Document
from adapters.fixatdl.read import load
from adapters.fixatdl.write import write
from domain.algo_parameters import MODELS
from domain.errors import ConfigError


def target_strategies() -> dict[str, str]:
    """TargetStrategy (847) of each of our algorithms, by name."""
    return {str(algo): TARGET_STRATEGY[algo] for algo in MODELS}


def published(provider: str = "EMS") -> str:
    """Our algorithms as the text of a FIXatdl 1.1 file."""
    return write(MODELS.values(), {algo: TARGET_STRATEGY[algo] for algo in MODELS}, provider)


def broker_algos(paths: Iterable[Path]) -> dict[str, Document]:
    """Brokers' files by their names, each read whole.

    Raises:
        ReferenceDataError: a file is refused, with its line and reason.
        ConfigError: two files have one name.
    """
    found: dict[str, Document] = {}
    for path in paths:
        if path.stem in found:
            raise ConfigError(f"two files of broker algorithms are called {path.stem}: an order could not say which it means")
        found[path.stem] = load(path)
    return found
