"""Whether a window of a tape may be learnt of and judged by: every reason against it is told, and one is enough.

A window is held against the rules that hold for every market, against the window before it, and by the population stability index
against what was learnt of before, on ten bins that the reference fixes (the specification's sketch lets each sample choose its
own). The index of an hour against the hours before it is large on honest days (0.5 to 2 on recorded ones), so that the bound
here is far above the one that only alerts. VPIN and the averaged spread move so slowly that an hour holds a few values of them:
their index (up to 7 on recorded days) says nothing of an hour, and they are not held against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.tape import Tape
from models.dataset import MIDDLE, SPREAD, Examples
from models.net_contract import FEATURE_NAMES, FEATURES
from models.tape_quality import Quality

F64 = NDArray[np.float64]
BINS: Final = 10
EXAMPLES_MIN: Final = 200
REFERENCE_MIN: Final = 2_000  # examples before an index says anything
_SLOW: Final = ("vpin", "spread")
_LEAST: Final = 1e-4  # share of a bin that is empty


class Bounds(NamedTuple):
    """Shares are of records; leap: of the middle from the last window's median to this one's, either way; psi: of any input."""

    crossed_share: float = 0.01
    backward_share: float = 0.001
    outside_share: float = 0.1
    gaps: int = 0
    leap: float = 1.25
    psi: float = 4.0
    spread_times: float = 10.0


BOUNDS: Final = Bounds()


def faults(tape: Tape, one: Examples, before: Sequence[Examples], bounds: Bounds = BOUNDS) -> tuple[str, ...]:
    """Every reason why nobody should learn of a window.

    Args:
        tape: its records, all instruments. one: its examples. before: the windows that were learnt of, oldest first.
    """
    return (*_feed(tape, bounds), *_examples(one), *(_beside(one, before, bounds) if len(one) else ()))


def _feed(tape: Tape, bounds: Bounds) -> list[str]:
    quality = Quality()
    quality.tell(tape)
    told, records = quality.report(), max(1, len(tape))
    found = []
    if told["gaps"] > bounds.gaps or told["disconnects"]:
        found.append(f"{told['gaps']} gaps with {told['lost']} lost messages, {told['disconnects']} disconnects")
    if told["crossed_share"] > bounds.crossed_share:
        found.append(f"the book is crossed after {told['crossed_share']:.1%} of the records")
    if (back := (told["backward_event"] + told["backward_receive"]) / records) > bounds.backward_share:
        found.append(f"time goes back at {back:.1%} of the records")
    if told["outside_share"] > bounds.outside_share:
        found.append(f"{told['outside_share']:.1%} of the trades lie outside of the spread")
    return found


def _examples(one: Examples) -> list[str]:
    if len(one) < EXAMPLES_MIN:
        return [f"{len(one)} examples are too few to say anything by"]
    finite = all(np.isfinite(array).all() for array in (one.book, one.tape, one.context, one.units))
    return [] if finite else ["an input is no number"]


def _beside(one: Examples, before: Sequence[Examples], bounds: Bounds) -> list[str]:
    alike = [each for each in before if each.name == one.name or each.half_spread_ticks == one.half_spread_ticks]
    if not alike:
        return []
    found, last = [], alike[-1]
    price, spread = (_median(one, column) / max(1.0, _median(last, column)) for column in (MIDDLE, SPREAD))
    if not 1 / bounds.leap <= price <= bounds.leap:
        found.append(f"the middle is {price:.3g} times what it was in the window before")
    if not 1 / bounds.spread_times <= spread <= bounds.spread_times:
        found.append(f"the spread is {spread:.3g} times what it was in the window before")
    if sum(map(len, alike)) >= REFERENCE_MIN:
        found += [f"{name} has shifted: {value:.2f}" for name, value in stability(alike, one).items() if not value <= bounds.psi]
    return found


def stability(reference: Sequence[Examples], one: Examples) -> dict[str, float]:
    """The population stability index of each fast feature, where it is known, and of the sizes at the best prices."""
    found = {}
    for n, name in enumerate(FEATURE_NAMES):
        if name in _SLOW:
            continue
        was = np.concatenate([each.context[each.context[:, FEATURES + n] > 0, n] for each in reference])
        now = one.context[one.context[:, FEATURES + n] > 0, n]
        if len(was) and len(now):
            found[name] = psi(was, now)
    for name, column in (("bid_size", 1), ("ask_size", 3)):
        found[name] = psi(np.concatenate([each.book[:, column] for each in reference]), one.book[:, column])
    return found


def psi(reference: NDArray[np.floating], sample: NDArray[np.floating]) -> float:
    """sum (p - q) ln(p / q) over BINS quantiles of the reference; shares in place of densities, an empty bin counts _LEAST."""
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    p, q = (
        np.maximum(np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) / len(values), _LEAST)
        for values in (sample, reference)
    )
    return float(((p - q) * np.log(p / q)).sum())


def _median(one: Examples, column: int) -> float:
    return float(np.median(one.states[one.at, column]))
