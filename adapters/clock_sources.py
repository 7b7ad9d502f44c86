"""How right this host's clock is, by whoever disciplines it: chrony, a PTP daemon, or nobody that can be asked.

Each question is one short run of the daemon's own tool, whose words are kept. What cannot be asked or understood is `unknown`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from domain.clock_reading import Reading

TIMEOUT_S: Final = 2.0
_CHRONY_FIELDS: Final = 14
_NS: Final = 1_000_000_000
_DETAIL_MAX: Final = 500

Run = Callable[[Sequence[str]], str | None]


def run(command: Sequence[str]) -> str | None:
    """What a tool prints, None where it is not there, fails, or takes too long."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def read_clock(ask: Run = run) -> Reading:
    """The first source that answers, chrony before PTP."""
    for name, command, parse in _SOURCES:
        told = ask(command)
        if told is not None and (found := parse(told)) is not None:
            return found._replace(detail=f"{name}: {' '.join(told.split())}"[:_DETAIL_MAX])
    return Reading("unknown", detail="neither chrony nor a PTP daemon answers")


def chrony(told: str) -> Reading | None:
    """`chronyc -c -n tracking`: reference id and name, stratum, times and offsets in seconds, separated by commas.

    The clock is off by the system's own offset, and may be off by root dispersion and half of the root delay beside that.
    """
    cells = told.strip().split(",")
    if len(cells) < _CHRONY_FIELDS or cells[-1].strip() == "Not synchronised" or cells[0] == "00000000":
        return None
    try:
        offset, delay, dispersion = (_ns(cells[place]) for place in (4, 10, 11))
        return Reading("chrony", cells[1], int(cells[2]), offset, dispersion + delay // 2)
    except ValueError:
        return None


_OFFSET: Final = re.compile(r"offsetFromMaster\s+(-?[0-9.]+)")
_DELAY: Final = re.compile(r"meanPathDelay\s+(-?[0-9.]+)")
_STEPS: Final = re.compile(r"stepsRemoved\s+([0-9]+)")
_PARENT: Final = re.compile(r"grandmasterIdentity\s+(\S+)")


def ptp(told: str) -> Reading | None:
    """`pmc -u -b 0 'GET CURRENT_DATA_SET' 'GET PARENT_DATA_SET'`: nanoseconds to the master, path delay, steps removed.

    An asymmetric path can hide an error of up to the delay, so that is the uncertainty.
    """
    offset, delay = _OFFSET.search(told), _DELAY.search(told)
    if offset is None or delay is None:
        return None
    steps, parent = _STEPS.search(told), _PARENT.search(told)
    if steps is not None and steps[1] == "0":
        return None  # nobody's slave: it follows nothing
    reference = parent[1] if parent is not None else ""
    return Reading("ptp", reference, int(steps[1]) if steps else None, round(float(offset[1])), abs(round(float(delay[1]))))


def _ns(seconds: str) -> int:
    """Whole nanoseconds of a decimal number of seconds, rounded away from zero. Raises ValueError."""
    value = float(seconds) * _NS
    return int(value) + (1 if value > int(value) else -1 if value < int(value) else 0)


_SOURCES: Final = (
    ("chronyc", ("chronyc", "-c", "-n", "tracking"), chrony),
    ("pmc", ("pmc", "-u", "-b", "0", "GET CURRENT_DATA_SET", "GET PARENT_DATA_SET"), ptp),
)
