"""How far forecasts may be trusted, from how they have lately stood the test; and what follows from that. Pure.

Each detector says how far its statistic is on the way from what is usual (0) to where an alert is raised (1). One rule makes a
trust of it, one a part of a schedule, one a spread:

    trust    = min over the detectors of clip(1.5 - ratio, 0, 1); 0.5 where a detector has no figure; 1 where nobody monitors
    schedule = neutral + trust (planned - neutral)
    spread   = 2 - trust times what the maker asks for

So half way to an alert nothing has changed yet, at the alert half of what the forecasts made of a schedule is left, and as far
again beyond it nothing is: the schedule is the one of somebody who forecasts nothing.

A version that has no reference is *unmonitored*: nobody can say that it has gone astray, and nobody that it has not. It is used
as it was made, the monitor keeps an alert open that says so, and no figure is made up for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from domain.values import E9

UNKNOWN: Final = 0.5  # the trust where a detector has no figure: it is neither well nor ill
_WHOLE_UNTIL: Final = 0.5  # ratio up to which nothing is taken away


class Standing(NamedTuple):
    """Of one version in one market.

    Attributes:
        forecasts: whose outcome is known.
        ratios: by detector; None: there is no figure. Empty: the version is unmonitored.
        figures: the detectors' own statistics.
        why: why it is unmonitored.
    """

    forecasts: int = 0
    ratios: Mapping[str, float | None] = {}
    figures: Mapping[str, float | None] = {}
    why: str = ""

    @property
    def monitored(self) -> bool:
        """Is there a reference that its forecasts are held against?"""
        return bool(self.ratios)


def trust_e9(standing: Standing | None) -> int:
    """From 0 to 1 at 1e-9. None: what should tell it does not, which is UNKNOWN; unmonitored: 1."""
    if standing is None:
        return round(UNKNOWN * E9)
    if not standing.monitored:
        return E9
    return round(min(map(_trust, standing.ratios.values())) * E9)


def _trust(ratio: float | None) -> float:
    if ratio is None or not math.isfinite(ratio):
        return UNKNOWN
    return min(1.0, max(0.0, 1.0 + _WHOLE_UNTIL - ratio))


def spread_e9(trust: int) -> int:
    """How many times the distance from the middle that a quoter is to keep: 1 where forecasts are trusted, 2 where not at all."""
    return 2 * E9 - min(max(trust, 0), E9)
