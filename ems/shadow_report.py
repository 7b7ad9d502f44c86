"""`ems shadow report`: what a version would have cost beside the champion, on the same orders and the same markets.

**The score** of a plan is the implementation shortfall that it would be expected to have had in the market as it then was: every
slice at the middle of its beginning as the desk noted it (`market.noted.v1`), plus half the spread shown there, plus what the
slice itself would have moved the price by the stated impact model, of the volatility and the volume that were then realised; in
basis points of the middle at the request, against the side of the order. What a plan leaves over is at the last middle.

**What it cannot know**: the market was moved by what the champion really traded, not by what the shadow would have; a resting
order's fills and its place in a queue; and each plan is taken as if nothing had been planned anew. Both plans are wronged alike,
but a shadow that trades much more at other times than the champion is judged too kindly.

An order's plans depend on one another: the unit of every interval is the order, its plans' mean. Intervals are always valid
(`domain.wheel_results.half_width`), so that the report may be asked for at any time.
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain import shadow
from domain.decision import Planned
from domain.event import Recorded
from domain.market_note import Noted
from domain.market_state import MarketState
from domain.schedule import PlanRequest, Schedule
from domain.values import Side
from domain.wheel_results import ALPHA, Series, half_width

PASS, FAIL, OPEN = "pass", "fail", "not enough"
# Price per share of trading at a rate: volatility (price) and volume (shares) of the interval, spread (price), depth (shares).
Eta = Callable[[float, float, float, float], float]
_BP: Final = 1e4


class Path(NamedTuple):
    """An instrument's notes in order of their time, those with two sides."""

    times_ns: list[int]
    states: list[MarketState]

    def at(self, time_ns: int) -> MarketState | None:
        """The newest note of then or before."""
        n = bisect.bisect_right(self.times_ns, time_ns)
        return self.states[n - 1] if n else None


def paths_of(events: Iterable[Recorded]) -> dict[str, Path]:
    """By instrument."""
    found: defaultdict[str, dict[int, MarketState]] = defaultdict(dict)
    for one in events:
        if isinstance(one.event, Noted):
            for state in one.event.markets:
                if state.mid_e9 is not None:
                    found[state.instrument][one.meta.event_time_ns] = state
    return {name: Path(sorted(states), [states[at] for at in sorted(states)]) for name, states in found.items()}


def score(request: PlanRequest, plan: Schedule, path: Path, eta: Eta) -> float | None:
    """Expected shortfall of a plan in basis points; None where the market was not noted from the request to the last slice."""
    first = path.at(request.now_ns)
    last_ns = max((one.start_ns for one in plan.slices), default=request.now_ns)
    if first is None or first.mid_e9 is None or request.remaining_e9 <= 0 or not path.times_ns or path.times_ns[-1] < last_ns:
        return None
    sign = 1 if request.side is Side.BUY else -1
    a_second = _volatility(path, request.now_ns, request.end_ns)
    cost, left_e9 = 0.0, request.remaining_e9
    for begin_ns, end_ns, quantity_e9 in plan.slices:
        now, then = path.at(max(begin_ns, request.now_ns)), path.at(end_ns)
        assert now is not None and then is not None and now.mid_e9 is not None
        assert now.bid_e9 is not None and now.ask_e9 is not None
        spread, lasted = float(now.ask_e9 - now.bid_e9), max(1.0, (end_ns - begin_ns) / 1e9)
        volume = max(request.lot_e9, then.volume_e9 - now.volume_e9) / 1e9
        depth = max(request.lot_e9, now.ask_size_e9 if sign > 0 else now.bid_size_e9) / 1e9
        own = eta(a_second * math.sqrt(lasted), volume, spread, depth) * quantity_e9 / 1e9
        cost += quantity_e9 * (sign * (now.mid_e9 - first.mid_e9) + 0.5 * spread + own)
        left_e9 -= quantity_e9
    end = path.at(max(last_ns, min(request.end_ns, path.times_ns[-1])))
    assert end is not None and end.mid_e9 is not None
    cost += left_e9 * sign * (end.mid_e9 - first.mid_e9)
    return _BP * cost / (request.remaining_e9 * first.mid_e9)


def _volatility(path: Path, from_ns: int, to_ns: int) -> float:
    """Of the middle over a second, price at 1e-9, as realised between two times."""
    begin, stop = bisect.bisect_left(path.times_ns, from_ns), bisect.bisect_right(path.times_ns, to_ns)
    squares = lasted = 0.0
    for n in range(max(begin, 1), stop):
        moved = (path.states[n].mid_e9 or 0) - (path.states[n - 1].mid_e9 or 0)
        squares, lasted = squares + moved * moved, lasted + (path.times_ns[n] - path.times_ns[n - 1]) / 1e9
    return math.sqrt(squares / lasted) if lasted > 0 else 0.0


def report(
    events: Sequence[Recorded], eta: Eta, *, since_ns: int, threshold_bps: float, margin_bps: float
) -> dict[str, Any]:  # fmt: skip
    """Of every version that planned as a shadow since then.

    Args:
        threshold_bps: what its shortfall may be. margin_bps: by how much it may be worse than the champion.
    """
    paths = paths_of(events)
    champion = {
        (one.event.request.parent, one.event.request.plan_number): one.event for one in events if isinstance(one.event, Planned)
    }
    pairs: defaultdict[str, defaultdict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    counts: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"planned": 0, "missed": 0, "unscored": 0})
    for one in events:
        said = one.event
        if not isinstance(said, shadow.Planned | shadow.Missed) or one.meta.event_time_ns < since_ns:
            continue
        beside = champion.get((said.parent, said.plan_number))
        counts[said.digest]["planned" if isinstance(said, shadow.Planned) else "missed"] += 1
        path = paths.get(beside.request.instrument) if beside is not None else None
        if isinstance(said, shadow.Missed):
            continue
        if beside is None or path is None or beside.request_sha256 != said.request_sha256:
            counts[said.digest]["unscored"] += 1
            continue
        its, ours = (score(beside.request, plan, path, eta) for plan in (said.schedule, beside.schedule))
        if its is None or ours is None:
            counts[said.digest]["unscored"] += 1
        else:
            pairs[said.digest][said.parent].append((its, ours))
    return {
        "threshold_bps": threshold_bps, "margin_bps": margin_bps, "since_ns": since_ns,
        "versions": [
            {"digest": digest, **counts[digest], **_judged(pairs[digest], threshold_bps, margin_bps)} for digest in sorted(counts)
        ],
    }  # fmt: skip


def _judged(parents: Mapping[str, Sequence[tuple[float, float]]], threshold_bps: float, margin_bps: float) -> dict[str, Any]:
    its, ours, apart = Series(), Series(), Series()
    for plans in parents.values():
        one, other = (sum(each) / len(plans) for each in zip(*plans, strict=True))
        its.add(one)
        ours.add(other)
        apart.add(one - other)
    found = {"orders": its.count, "is_bps": its.mean, "champion_is_bps": ours.mean, "difference_bps": apart.mean}
    wide, near = half_width(its.count, its.sd, ALPHA), half_width(apart.count, apart.sd, ALPHA)
    if wide is None or near is None:
        return found | {"is_low": None, "is_high": None, "difference_low": None, "difference_high": None, "verdict": OPEN}
    if its.mean - wide > threshold_bps or apart.mean - near > margin_bps:
        verdict = FAIL
    else:
        verdict = PASS if its.mean + wide <= threshold_bps and apart.mean + near <= margin_bps else OPEN
    return found | {
        "is_low": its.mean - wide, "is_high": its.mean + wide, "difference_low": apart.mean - near,
        "difference_high": apart.mean + near, "verdict": verdict,
    }  # fmt: skip
