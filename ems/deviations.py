"""Which orders' plans the market has left: how far it is from where each plan foresaw it, and since when that counts.

A plan may rest for a while after it was made (`Pace.deviation_rest_ns`), or a market that goes its own way would have an order
planned at every observation. The threshold is a number, or conformal: what a market that behaves as it lately has exceeds
once in twenty plans, from the errors of the last plans' first steps; the number holds until there are enough of them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final

from domain.latent_path import LatentPath, conformal, path_of
from domain.observation import Observation, Observed
from domain.schedule import Evidence
from domain.standing import trust_e9
from domain.values import StreamId
from ems.pace import Pace

MISS: Final = 0.05
ERRORS_MAX: Final = 500
DEFAULT: Final = 0.15


class Deviations:
    """One for the desk's planning. What it remembers is only when to plan again."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._seen: dict[str, Observed] = {}
        self._paths: defaultdict[str, dict[StreamId, tuple[LatentPath, int]]] = defaultdict(dict)  # and when it was planned
        self._untried: set[StreamId] = set()  # plans whose first step is not over
        self._said: dict[StreamId, str] = {}
        self._errors: deque[float] = deque(maxlen=ERRORS_MAX)

    def seen(self, instrument: str) -> Observed | None:
        """The newest of a market."""
        return self._seen.get(instrument)

    def observation(self, instrument: str) -> Observation | None:
        """The newest of a market."""
        seen = self._seen.get(instrument)
        return None if seen is None else seen.observation

    def trust_e9(self, instrument: str) -> int | None:
        """In what is foreseen of a market, None where nobody judges it: it is whole."""
        seen = self._seen.get(instrument)
        judged = seen is not None and seen.standing is not None and seen.standing.monitored
        return trust_e9(seen.standing) if seen is not None and judged else None

    def said(self, parent: StreamId) -> str:
        """Why an order should be planned again, "" where nothing says so."""
        return self._said.get(parent, "")

    def threshold(self) -> float:
        """Beyond which a plan is made anew."""
        if self._pace.deviation_max is not None:
            return self._pace.deviation_max
        found = conformal(self._errors, MISS)
        return DEFAULT if found == float("inf") else found

    def observed(self, item: Observed, now_ns: int) -> list[StreamId]:
        """A market is seen anew; the orders to plan again."""
        self._seen[item.instrument] = item
        due, limit = [], self.threshold()
        for parent, (path, planned_ns) in self._paths[item.instrument].items():
            distance = path.deviation(item.observation.time_ns, item.latent)
            if parent in self._untried and len(path.moments_ns) > 1 and item.observation.time_ns >= path.moments_ns[1]:
                self._untried.discard(parent)
                self._errors.append(distance)
                limit = self.threshold()
            if distance > limit and now_ns - planned_ns >= self._pace.deviation_rest_ns:
                self._said[parent] = f"deviation {distance:.3f} over {limit:.3f}"
                due.append(parent)
        return due

    def planned(self, parent: StreamId, instrument: str, evidence: Evidence | None, now_ns: int) -> None:
        """There is a new plan; one without foresight is never left by the market."""
        self.forget(parent)
        if (path := path_of(evidence)) is not None:
            self._paths[instrument][parent] = (path, now_ns)
            self._untried.add(parent)

    def forget(self, parent: StreamId) -> None:
        """The order, or its plan, is over."""
        self._said.pop(parent, None)
        self._untried.discard(parent)
        for paths in self._paths.values():
            paths.pop(parent, None)
