"""A version of the world model as planners and observers look through it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.inference import SCHEDULER, Core, make_core, put_weights
from models.weights_store import CHAMPION, Weights, read_weights

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sight:
    """A version ready to foresee."""

    digest: str
    core: Core
    packed: F32


def sight(path: Path = CHAMPION) -> Sight:
    """The champion's weights, learnt from tapes. The scheduler's own know made markets alone, whose units and whose impact were
    measured for them (`models.execution.learned`): on a live book they would be numbers of nothing. Raises WeightsError."""
    return of_weights(read_weights(path))


def of_weights(weights: Weights) -> Sight:
    """A version from its tensors."""
    core = make_core(SCHEDULER)
    assert put_weights(core, weights.tensors, weights.digest)
    packed = core.weights[int(core.control[1])]
    return Sight(weights.digest, core, packed)
