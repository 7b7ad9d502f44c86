"""Models wired: weights files kept by their digest, their cards for the registry, and what the first start registers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.errors import ConfigError, WeightsError
from domain.model_lineage import Lineage, figures_of
from domain.model_version import ModelCard
from ems import model_registry
from ems.bootstrap.algo_codes import algo_codes
from ems.bootstrap.build import build_digest
from ems.bootstrap.model_signing import verified
from ems.bootstrap.runtime import Runtime

_KINDS: Final = {"champion": "world-model"}  # a shipped file's stem is its kind, but for this one
_BY_TAPE: Final = {"files", "probes"}  # of an evaluation's figures: told by the card, too many for the log
_FIGURES: Final = "metrics"  # of the file's metadata: a JSON object of numbers


def shipped() -> list[tuple[Path, str]]:
    """The weights files that come with the code, and the kind of each."""
    from models.weights_store import CHAMPION

    return [(path, _KINDS.get(path.stem, path.stem)) for path in sorted(CHAMPION.parent.glob("*.safetensors"))]


def card_of(path: Path, model: str, figures: Path | None = None) -> ModelCard:
    """What a weights file says of itself.

    Args:
        figures: what an evaluation wrote; the file's own figures otherwise.

    Raises:
        WeightsError: it is no version that this code could decide with.
        ConfigError: figures that are none.
    """
    from models.versions import read_version

    found, contract, step = read_version(path)
    told = _read(figures) if figures is not None else json.loads(found.metadata.get(_FIGURES, "{}"))
    data = json.loads(found.metadata.get("data", "{}"))
    return ModelCard(
        digest=found.digest, model=model, contract=contract, step=step,
        data=tuple(sorted(data.items())), metrics=tuple(_numbers(told)),
    )  # fmt: skip


def lineage_of(path: Path, card: ModelCard) -> Lineage:
    """Where a weights file says that it comes from. Raises WeightsError where it cannot be read."""
    from models.weights_store import read_file

    told = read_file(path).metadata
    return Lineage(
        code_sha256=told.get("code", ""), seed=int(told.get("seed", 0)), trained_until=told.get("trained_until", ""),
        universe=tuple(name for name, _ in card.data), parent=told.get("parent", ""), figures=figures_of(card),
    )  # fmt: skip


def weights_of(directory: Path, digest: str) -> Path:
    """The file of a version: kept here, or come with the code. Whoever reads it asks for the digest again.

    Raises:
        WeightsError: it is not here, or is kept without a signature that is trusted.
    """
    from models.versions import read_version

    kept = directory / f"{digest}.safetensors"
    if kept.exists():
        verified(kept)
        return kept
    for path, _ in shipped():
        if read_version(path).weights.digest == digest:
            return path
    raise WeightsError(f"no weights of version {digest[:12]} are kept here")


def kept_in(runtime: Runtime) -> Path:
    """Where a run keeps its versions' files."""
    return runtime.settings.state_directory / "models"


async def prepare(runtime: Runtime) -> None:
    """What comes with the code is registered, models and algorithms, before anything starts that would decide with it.

    Raises:
        WeightsError: a shipped file is not what it must be: nobody should trade on it.
        LogError: the log does not take it.
        ConfigError: an algorithm's id means other code than this.
    """
    cards = [card_of(path, model) for path, model in shipped()]
    async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock()) as log:
        await model_registry.ship(log, runtime.clock(), cards, build=build_digest(), algos=algo_codes())


async def mirror(runtime: Runtime, to: str) -> int:
    """Bring an MLflow registry to what the log says; how many versions it has then.

    Raises:
        RegistryUnavailable, LogError: one of the two cannot be reached.
        WeightsError: the weights of a version are not here.
    """
    async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock()) as log:
        state = await model_registry.registry(log)
    directory = kept_in(runtime)

    def copy() -> int:
        from adapters.registry.mlflow_registry import MlflowRegistry

        return model_registry.copy(state, MlflowRegistry(to), lambda digest: weights_of(directory, digest).resolve().as_uri())

    return await asyncio.to_thread(copy)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _numbers(told: Any, at: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of nested objects, names joined by dots, in order of the names."""
    if isinstance(told, dict):
        for name in sorted(told.keys() - _BY_TAPE):
            yield from _numbers(told[name], f"{at}.{name}" if at else str(name))
    elif isinstance(told, int | float) and not isinstance(told, bool):
        yield at, float(told)
