"""What the observer says of its own forecasts, as it arrives: for the watchdog, the monitor and the quoter.

It lives where observations come in, in the desk's process, and judges nothing: detectors do that where forecasts are made. A
figure is as old as the market that it is about, so that an observer that is gone, or sees nothing, is a figure that grows old.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from domain.messages import Input
from domain.observation import Observed
from domain.ports import Metrics
from domain.readings import Reading
from domain.standing import Standing, spread_e9, trust_e9
from domain.trigger_metrics import FORECASTS
from domain.values import E9
from ems.watch_book import INFORMATION

_log = structlog.get_logger("forecasts")
MODEL: Final = "world_model"  # as [watchdog] models calls it
STALE_NS: Final = 60 * E9  # in the desk's time: older than this a forecast is not trusted


class Forecasts:
    """One for a desk.

    Args:
        now_ns: the desk's clock. monotonic_ns: the host's, which readings are told by.
    """

    def __init__(self, metrics: Metrics, now_ns: Callable[[], int], monotonic_ns: Callable[[], int]) -> None:
        self._metrics, self._now_ns, self._monotonic_ns = metrics, now_ns, monotonic_ns
        self._seen: dict[str, Observed] = {}

    def take(self, inputs: Sequence[Input]) -> None:
        """Inputs on their way to the desk."""
        seen = [item for item in inputs if isinstance(item, Observed)]
        self._seen.update((item.instrument, item) for item in seen)
        if not seen:
            return
        try:
            self._publish()
        except OSError as error:  # the watchdog misses it, and that suspends
            _log.warning("the information coefficient cannot be published", error=str(error))

    def _publish(self) -> None:
        """The worst of all markets: the lowest, the oldest, the fewest; one that cannot be reckoned makes it no number."""
        standings = [item.standing or Standing() for item in self._seen.values()]
        values = [one.figures.get("ic") for one in standings]
        worst = math.nan if None in values else min(value for value in values if value is not None)
        age_ns = max(self._age_ns(item) for item in self._seen.values())
        size = min(FORECASTS, *(one.forecasts for one in standings))
        self._metrics.publish(f"{INFORMATION}{MODEL}", Reading(worst, self._monotonic_ns() - age_ns, size))

    def _age_ns(self, item: Observed) -> int:
        return max(0, self._now_ns() - item.observation.time_ns)

    def spread_e9(self, symbols: Sequence[str]) -> int:
        """How far quotes in these markets are to be moved out, by the least trusted that is monitored; 1 without any."""
        seen = [item for symbol in symbols if (item := self._seen.get(symbol)) is not None]
        return max((spread_e9(self._trust_e9(item)) for item in seen), default=E9)

    def _trust_e9(self, item: Observed) -> int:
        """What is monitored and old is not known; what nobody monitors has nothing that could grow old."""
        standing = item.standing or Standing()
        return trust_e9(standing) if self._age_ns(item) <= STALE_NS or not standing.monitored else trust_e9(None)

    def told(self) -> dict[str, Any]:
        """For the monitor: by market, age in the desk's seconds, ratios, figures, trust."""
        found = {}
        for symbol, item in self._seen.items():
            standing = item.standing or Standing(why="the observer does not judge them")
            found[symbol] = {
                "age_s": self._age_ns(item) / E9, "forecasts": standing.forecasts, "ratios": dict(standing.ratios),
                "figures": dict(standing.figures), "why": standing.why, "trust_e9": self._trust_e9(item),
            }  # fmt: skip
        return {"forecasts": found}
