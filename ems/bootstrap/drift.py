"""`ems drill drift`: planted shifts and undisturbed days through the detectors, and the reference that comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any


def drill(
    *, reference_days: int, days: int, shifts: int, hours: float, workers: int, tapes: Sequence[Path] = (),
    save: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The drill's figures. tapes: stored ones, judged beside. save: where the shipped champion's reference is written to.

    Raises:
        TapeError: a tape cannot be read.
    """
    from models import drift_drill

    told, reference = drift_drill.run(
        reference_days=reference_days, quiet_days=days, shifts=shifts, seconds=round(hours * 3_600), workers=workers,
        recorded=[partial(_recorded, path) for path in tapes],
    )  # fmt: skip
    if save is not None:
        reference.write(save)
    enough = all(told[f"{name}_found_in_window"] == told[f"{name}_days"] for name in ("covariate", "label", "latency"))
    return {**told, "passed": enough and told["false_alarms_per_20_days"] <= 1}


def _recorded(path: Path) -> Any:
    from models.drift_days import observed
    from models.sight import sight
    from models.tape_store import open_tape

    stored = open_tape(path)
    return observed(sight(), stored.records(0, 1 << 22).copy())
