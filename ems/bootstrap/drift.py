"""`ems drill drift` and `ems train drift-reference`: what the detectors find, and the reference that they judge by."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from domain.errors import ConfigError


class Made(NamedTuple):
    """A reference: whose it is, of which market, and of how much."""

    digest: str
    market: str
    days: int
    forecasts: int


def drill(
    *, reference_days: int, days: int, shifts: int, hours: float, workers: int, tapes: Sequence[Path] = (),
    save: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The drill's figures. tapes: stored ones, judged beside. save: where its reference of the generated market is written to.

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


def reference(tapes: Sequence[Path], out: Path, weights: Path | None = None) -> Made:
    """Make a version's drift reference of days of one market. weights: of another version than the shipped champion.

    Raises:
        ConfigError: too few days, or of several markets: that is no reference.
        TapeError, WeightsError: a tape, or the weights, cannot be read.
    """
    from models.drift_days import observed
    from models.drift_drill import reference_of
    from models.drift_reference import DAYS_LEAST
    from models.sight import sight
    from models.tape_store import open_tape
    from models.weights_store import CHAMPION

    stored = [open_tape(path) for path in tapes]
    markets = sorted({one.header.instruments[0].symbol for one in stored})
    if len(markets) != 1 or len(stored) < DAYS_LEAST:
        raise ConfigError(
            f"a drift reference is made of {DAYS_LEAST} days of one market or more; "
            f"these are {len(stored)} of {', '.join(markets) or 'none'}"
        )
    seen = sight(weights or CHAMPION)
    made = reference_of([observed(seen, one.records(0, len(one))) for one in stored], seen.digest, markets[0])
    made.write(out)
    return Made(made.weights_sha256, made.market, made.days, made.forecasts)


def _recorded(path: Path) -> Any:
    from models.drift_days import observed
    from models.sight import sight
    from models.tape_store import open_tape

    stored = open_tape(path)
    return observed(sight(), stored.records(0, 1 << 22).copy())
