"""Costs of many orders side by side: by strategy, venue, size and regime. Pure.

A group's figure is its cost in money over its worth at the decision, in basis points, and beside it the mean of its orders'
figures with a 95 % interval (Student's t, orders taken as independent). An order whose figure is missing is counted as such
and left out of both; nothing is put in its place.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ems.tca import parts
from ems.tca.costs import AtVenue, Costs, Markout

CALM_BPS, WILD_BPS = 5.0, 20.0  # a square root of a minute; a day of 2 % has 10
SIZES: Final = ((0.001, "under 0.1 % of a day"), (0.01, "0.1 to 1 %"), (0.05, "1 to 5 %"), (0.1, "5 to 10 %"))
UNKNOWN: Final = "not known"
# Student's t at 97.5 % by degrees of freedom (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2); beyond, the next
# lower one's, which is wider.
_T: Final = {
    1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 15: 2.131, 20: 2.086,
    30: 2.042, 60: 2.000, 120: 1.980,
}  # fmt: skip


class Group(NamedTuple):
    """One row of a table. Money at 1e-18; bps of the orders' worth at the decision, positive is a cost."""

    name: str
    orders: int
    missing: int  # of them without a figure
    paper_e18: int
    total_e18: int
    bps: float | None
    mean_bps: float | None
    low_bps: float | None
    high_bps: float | None
    impact_bps: float | None
    timing_bps: float | None
    opportunity_bps: float | None
    explicit_bps: float | None


class VenueGroup(NamedTuple):
    """What was executed at one venue over all orders: bps of what was traded there."""

    venue: str
    executions: int
    notional_e18: int
    impact_bps: float | None
    charges_bps: float | None
    markouts: tuple[Markout, ...]


def size_of(one: Costs) -> str:
    """How large an order was beside an average day."""
    if not one.adv_e9:
        return UNKNOWN
    share = one.quantity_e9 / one.adv_e9
    return next((name for limit, name in SIZES if share < limit), "10 % and more")


def regime_of(one: Costs) -> str:
    """How the market moved while it was worked."""
    if (found := one.volatility_bps) is None:
        return UNKNOWN
    return "calm" if found < CALM_BPS else "volatile" if found >= WILD_BPS else "normal"


BY: Final[Mapping[str, Callable[[Costs], str]]] = {
    "strategy": lambda one: one.order.strategy,
    "size": size_of,
    "regime": regime_of,
    "side": lambda one: one.order.side.value,
    "instrument": lambda one: one.order.instrument,
}


def grouped(costs: Iterable[Costs], by: str) -> list[Group]:
    """One row for each group and currency, by name."""
    found: defaultdict[str, list[Costs]] = defaultdict(list)
    for one in costs:
        found[f"{BY[by](one)}, {one.currency or UNKNOWN}"].append(one)
    return [_group(name, found[name]) for name in sorted(found)]


def _group(name: str, costs: Sequence[Costs]) -> Group:
    known = [one for one in costs if one.bps is not None]
    paper_e18 = sum(one.split.paper_e18 or 0 for one in known)
    total_e18 = sum(one.split.total_e18 or 0 for one in known)
    mean, low, high = interval([one.bps for one in known if one.bps is not None])

    def part(of: Callable[[Costs], int | None]) -> float | None:
        amounts = [of(one) for one in known]
        return None if None in amounts else parts.bps(sum(amount or 0 for amount in amounts), paper_e18)

    return Group(
        name, len(costs), len(costs) - len(known), paper_e18, total_e18, parts.bps(total_e18, paper_e18), mean, low, high,
        part(lambda one: one.split.impact_e18), part(lambda one: one.split.timing_e18),
        part(lambda one: one.split.opportunity_e18), part(lambda one: one.split.explicit_e18),
    )  # fmt: skip


def interval(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Mean and 95 % interval of it; no interval of fewer than two, no mean of none."""
    count = len(values)
    if not count:
        return None, None, None
    mean = math.fsum(values) / count
    if count < 2:
        return mean, None, None
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = _T[max(known for known in _T if known <= count - 1)] * sd / math.sqrt(count)
    return mean, mean - half, mean + half


def venues(costs: Iterable[Costs]) -> list[VenueGroup]:
    """One row for each venue and currency."""
    found: defaultdict[str, list[AtVenue]] = defaultdict(list)
    for one in costs:
        for at in one.venues:
            found[f"{at.venue}, {one.currency or UNKNOWN}"].append(at)
    return [_venue(name, found[name]) for name in sorted(found)]


def _venue(name: str, found: Sequence[AtVenue]) -> VenueGroup:
    notional_e18 = sum(at.notional_e18 for at in found)
    impact = [at.impact_e18 for at in found]
    charged = [at.charges_e18 for at in found]
    return VenueGroup(
        name, sum(at.executions for at in found), notional_e18,
        None if None in impact else parts.bps(sum(i or 0 for i in impact), notional_e18),
        None if None in charged else parts.bps(sum(c or 0 for c in charged), notional_e18), _markouts(found, notional_e18),
    )  # fmt: skip


def _markouts(found: Sequence[AtVenue], notional_e18: int) -> tuple[Markout, ...]:
    """Weighted by the notional that has a mark."""
    rows = []
    for number, first in enumerate(found[0].markouts):
        marked = [(at.notional_e18 * at.markouts[number].coverage, at.markouts[number].bps) for at in found]
        weight = math.fsum(w for w, bps in marked if bps is not None)
        mean = math.fsum(w * bps for w, bps in marked if bps is not None) / weight if weight else None
        rows.append(Markout(first.seconds, mean, weight / notional_e18 if notional_e18 else 0.0))
    return tuple(rows)
