"""The drift drill: are planted shifts found in time, and how often is there an alarm where nothing was planted?

Reference, undisturbed and disturbed days have seeds of their own. A shift begins in the middle of its day, so that the detectors
have seen half a day as usual. A delay is counted in forecasts, from the first that knows the shift; an alarm before that is a
false one. Covariates and labels shift in the market itself; for `concept` outcomes are turned round, for `latency` it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from typing import Any, Final, NamedTuple

import numpy as np

from models.drift import EVERY, WINDOW, looks, worst
from models.drift_days import generated, observed
from models.drift_reference import DETECTORS, Day, Reference, bare, calibrated
from models.latency import SLA_US, LatencyWindow
from models.latency import WINDOW as LATENCY_WINDOW
from models.market.flow import FlowParameters
from models.sight import sight

USUAL: Final = FlowParameters(10_000)
SHIFTS: Final = {
    "covariate": replace(USUAL, market_rate=3 * USUAL.market_rate, limit_rate=3 * USUAL.limit_rate),  # activity
    "label": replace(USUAL, fair_sd_ticks=4 * USUAL.fair_sd_ticks),  # how far prices move in a step
}
REFERENCE_SEED, QUIET_SEED, SHIFT_SEED = 1_000, 2_000, 3_000
BACK: Final = 60  # looks for which a detector must be within its level before its next alarm is another one
_S: Final = 1_000_000_000
_MEAN_LOG, _SD_LOG = np.log(60_000.0), 0.35  # of a forecast's latency, ns: p99 136 us
_SLOWER: Final = 1.8


class Asked(NamedTuple):
    """One day. shift: of SHIFTS, "": none."""

    seed: int
    seconds: int
    shift: str = ""


def day_of(asked: Asked) -> Day:
    """What the shipped champion forecasts of a generated day."""
    after = SHIFTS.get(asked.shift)
    return observed(sight(), generated(asked.seed, USUAL, seconds=asked.seconds, after=after, at_s=asked.seconds // 2))


def reference_of(days: Sequence[Day], digest: str, market: str, each: Callable[..., Iterable[Any]] = map) -> Reference:
    """A version's, from undisturbed days."""
    found = bare(days, digest, market)
    return calibrated(found, list(each(partial(worst, reference=found), days)))


def alarms(day: Day, reference: Reference) -> list[tuple[int, str]]:
    """When which detector rang: after how many forecasts, and its name; once until it has been well for a while."""
    found, since = [], dict.fromkeys(DETECTORS, BACK)
    for n, figures in enumerate(looks(day, reference), 1):
        for name, value in figures.items():
            ratio = reference.ratio(name, value)
            beyond = ratio is not None and ratio >= 1
            if beyond and since[name] >= BACK:
                found.append((n * EVERY, name))
            since[name] = 0 if beyond else since[name] + 1
    return found


def first_after(rung: Sequence[tuple[int, str]], at: int) -> tuple[int | None, str]:
    """The delay of the first alarm from a forecast on, and whose it was; None where there is none."""
    return next(((when - at, name) for when, name in rung if when > at), (None, ""))


def turned(day: Day, at: int) -> Day:
    """The day with its outcomes the other way round from a forecast on."""
    return day._replace(outcome=np.concatenate([day.outcome[:at], -day.outcome[at:]]))


def latency(seed: int, undisturbed: int) -> tuple[int | None, int]:
    """After how many forecasts of an SLA's breach it is seen, and how many alarms there were before."""
    chance, window = np.random.default_rng(seed), LatencyWindow()
    before = after = 0
    usual = chance.lognormal(_MEAN_LOG, _SD_LOG, undisturbed)
    for n, took in enumerate(np.concatenate([usual, _SLOWER * chance.lognormal(_MEAN_LOG, _SD_LOG, LATENCY_WINDOW)])):
        window.take(int(took))
        if n % EVERY == 0 and window.p99_us() > SLA_US:
            if n >= undisturbed:
                after = n - undisturbed + 1
                break
            before += 1
    return after or None, before


def run(
    *, reference_days: int, quiet_days: int, shifts: int, seconds: int, workers: int, recorded: Sequence[Callable[[], Day]] = ()
) -> tuple[dict[str, Any], Reference]:
    """The whole drill; its figures, and the reference that it has made.

    Args:
        shifts: days of each planted shift. recorded: tapes' days, the first half of each is its own reference.
    """
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        days = list(pool.map(day_of, [Asked(REFERENCE_SEED + n, seconds) for n in range(reference_days)]))
        reference = reference_of(days, sight().digest, "generated flow", pool.map)
        judge = partial(alarms, reference=reference)
        quiet_list = list(pool.map(day_of, [Asked(QUIET_SEED + n, seconds) for n in range(quiet_days)]))
        quiet = list(pool.map(judge, quiet_list))
        planted = {name: list(pool.map(day_of, [Asked(SHIFT_SEED + n, seconds, name) for n in range(shifts)])) for name in SHIFTS}
        planted["concept"] = [turned(day, _half(day, seconds)) for day in quiet_list[:shifts]]
        rung = {name: list(pool.map(judge, ones)) for name, ones in planted.items()}
    told: dict[str, Any] = {
        "reference_days": reference_days, "quiet_days": quiet_days, "day_s": seconds,
        "forecasts": sum(day.size for day in quiet_list),
        "false_alarms": sum(map(len, quiet)),
        "false_alarms_per_20_days": 20 * sum(map(len, quiet)) / quiet_days,
        "false_by": _counted(quiet),
        "alerts": {name: round(level, 4) for name, level in reference.alert.items()},
    }  # fmt: skip
    for name, ones in planted.items():
        found = [first_after(r, _half(day, seconds)) for r, day in zip(rung[name], ones, strict=True)]
        told |= _delays(name, found, WINDOW)
    slow = [latency(SHIFT_SEED + n, 3 * LATENCY_WINDOW) for n in range(shifts)]
    told |= _delays("latency", [(delay, "p99") for delay, _ in slow], LATENCY_WINDOW)
    told["latency_false"] = sum(before for _, before in slow)
    if recorded:
        told["recorded"] = [_recorded(read()) for read in recorded]
    return told, reference


def _half(day: Day, seconds: int) -> int:
    return int(np.searchsorted(day.at_ns, seconds // 2 * _S))


def _delays(name: str, found: Sequence[tuple[int | None, str]], window: int) -> dict[str, Any]:
    """found: of each day."""
    delays = [delay for delay, _ in found]
    return {
        f"{name}_delays": delays,
        f"{name}_by": sorted({by for _, by in found if by}),
        f"{name}_found_in_window": sum(delay is not None and delay <= window for delay in delays),
        f"{name}_days": len(delays),
        f"{name}_window": window,
    }


def _counted(rung: Sequence[Sequence[tuple[int, str]]]) -> dict[str, int]:
    names = [name for day in rung for _, name in day]
    return {name: names.count(name) for name in sorted(set(names))}


def _recorded(day: Day) -> dict[str, Any]:
    """A tape is minutes or hours long: the first half is cut into ten stretches as if they were days, the rest is judged."""
    half = day.size // 2
    cuts = np.linspace(0, half, 11).astype(int)
    stretches = [day.part(a, b) for a, b in pairwise(cuts)]
    if half < 10 * 2 * WINDOW:
        return {"forecasts": day.size, "judged": 0, "false_alarms": None}
    rung = alarms(day.part(half), reference_of(stretches, sight().digest, "tape"))
    return {"forecasts": day.size, "judged": day.size - half, "false_alarms": len(rung), "by": _counted([rung])}
