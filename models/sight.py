"""A version of the world model as planners and observers look through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.errors import WeightsError
from models.drift_reference import SUFFIX, Reference, beside, reference_in
from models.inference import SCHEDULER, Core, make_core, put_weights
from models.weights_store import CHAMPION, Weights, read_weights

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sight:
    """A version ready to foresee."""

    digest: str
    core: Core
    packed: F32
    reference: Reference | None = None  # what is usual for it
    unmonitored: str = ""  # why there is none


def sight(path: Path = CHAMPION) -> Sight:
    """The champion's weights, learnt from tapes. The scheduler's own know made markets alone, whose units and whose impact were
    measured for them (`models.execution.learned`): on a live book they would be numbers of nothing. Raises WeightsError."""
    return _monitored(of_weights(read_weights(path)), beside(path))


Sights = Callable[[str], Sight]  # a version by its digest, "": the shipped champion. Raises WeightsError where it is not here


def sights(kept: Path | None = None, accepts: Callable[[Path], None] = lambda _: None) -> Sights:
    """Versions by their digests: the shipped champion, and what a folder keeps as `<digest>.safetensors`. Each is read once; four
    are remembered: two while one takes the other's place, and those that look on.

    Args:
        accepts: raises WeightsError for a kept file that may not be read; what comes with the code is not asked about.
    """

    @lru_cache(maxsize=4)
    def found(digest: str) -> Sight:
        path = CHAMPION if kept is None else kept / f"{digest}.safetensors"
        if not digest or not path.exists():
            path = CHAMPION
        if path is not CHAMPION:
            accepts(path)
        seen = of_weights(read_weights(path, digest or None))
        own = () if kept is None else (kept / f"{seen.digest}{SUFFIX}",)  # a desk's own, of a shipped version too
        return _monitored(seen, *own, beside(path))

    return found


shipped: Sights = sights()


def _monitored(seen: Sight, *places: Path) -> Sight:
    """With its reference, from the first of these files; where there is none, or another's, it is unmonitored."""
    try:
        return replace(seen, reference=reference_in(places, seen.digest))
    except WeightsError as error:
        return replace(seen, unmonitored=str(error))


def of_weights(weights: Weights) -> Sight:
    """A version from its tensors."""
    core = make_core(SCHEDULER)
    assert put_weights(core, weights.tensors, weights.digest)
    packed = core.weights[int(core.control[1])]
    return Sight(weights.digest, core, packed)
