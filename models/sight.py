"""A version of the world model as planners and observers look through it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.inference import SCHEDULER, Core, make_core, put_weights
from models.weights_store import CHAMPION, INTERVAL, Weights, read_weights

F32 = NDArray[np.float32]
SCHEDULER_WEIGHTS: Final = CHAMPION.with_name("scheduler.safetensors")


@dataclass(frozen=True, slots=True)
class Sight:
    """A version ready to foresee."""

    digest: str
    core: Core
    packed: F32
    by_interval: bool  # one step is one interval


def sight(path: Path | None = None) -> Sight:
    """The scheduler's own weights where they are shipped, else the champion's. Raises WeightsError."""
    if path is None:
        path = SCHEDULER_WEIGHTS if SCHEDULER_WEIGHTS.exists() else CHAMPION
    return of_weights(read_weights(path, step=None))


def of_weights(weights: Weights) -> Sight:
    """A version from its tensors."""
    core = make_core(SCHEDULER)
    assert put_weights(core, weights.tensors, weights.digest)
    packed = core.weights[int(core.control[1])]
    return Sight(weights.digest, core, packed, weights.metadata.get("step") == INTERVAL)
