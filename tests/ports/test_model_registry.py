"""The contract of `domain.ports_models.ModelRegistry`: MLflow on a database of its own and the twin in memory both keep it."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.memory.model_registry import MemoryModelRegistry
from adapters.registry.mlflow_registry import MlflowRegistry
from domain.errors import RegistryUnavailable
from domain.model_version import Alias
from domain.ports_models import ModelRegistry
from tests.domain.model_cards import NEW, OLD, card

HAS_MLFLOW = importlib.util.find_spec("mlflow") is not None
needs_mlflow = pytest.mark.skipif(not HAS_MLFLOW, reason="MLflow is not installed: the extra `registry`")


@pytest.fixture(params=[pytest.param("mlflow", marks=[needs_mlflow, pytest.mark.slow]), "memory"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModelRegistry]:
    if request.param == "memory":
        yield MemoryModelRegistry()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        yield MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db")


def test_it_repeats_what_it_is_told_and_a_repetition_changes_nothing(registry: ModelRegistry) -> None:
    assert registry.versions("world-model") == {} and registry.aliases("world-model") == {}
    for _ in range(2):
        registry.note(card(OLD), "file:///weights/old")
        registry.note(card(NEW), "file:///weights/new")
        registry.point("world-model", Alias.CHAMPION, OLD)
        registry.point("world-model", Alias.SHADOW, OLD)
        registry.point("world-model", Alias.CHAMPION, NEW)
    assert registry.versions("world-model") == {OLD: "", NEW: ""}
    assert registry.aliases("world-model") == {Alias.CHAMPION: NEW, Alias.SHADOW: OLD}
    for _ in range(2):
        registry.point("world-model", Alias.SHADOW, None)
        registry.retire(OLD, "a fault in its tape")
    assert registry.aliases("world-model") == {Alias.CHAMPION: NEW}
    assert registry.versions("world-model") == {OLD: "a fault in its tape", NEW: ""}


def test_kinds_are_apart_and_what_was_not_noted_has_no_place(registry: ModelRegistry) -> None:
    registry.note(card(OLD, "scheduler"), "file:///weights/scheduler")
    registry.note(card(NEW), "file:///weights/new")
    registry.point("scheduler", Alias.CHAMPION, OLD)
    assert (registry.versions("scheduler"), registry.aliases("world-model")) == ({OLD: ""}, {})
    with pytest.raises(KeyError):
        registry.retire("f" * 64, "why")
    with pytest.raises(KeyError):
        registry.point("world-model", Alias.CHAMPION, "f" * 64)


@pytest.mark.skipif(HAS_MLFLOW, reason="MLflow is installed")
def test_without_mlflow_it_says_which_extra_has_it() -> None:
    with pytest.raises(RegistryUnavailable, match="extra `registry`"):
        MlflowRegistry("sqlite:///nowhere.db")


@needs_mlflow
@pytest.mark.slow
def test_a_database_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database\n" * 100)
    with pytest.raises(RegistryUnavailable, match="MLflow"):
        MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db").versions("world-model")
