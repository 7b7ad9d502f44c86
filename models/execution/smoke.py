"""Generated days, worked by the shipped strategies in a matching book: a smoke test of a build, not a judgement of a strategy.

A day is a market of its own, from the seed and the day's number, in one regime after the other. On each the same orders are
worked by every strategy. What must hold of each day is counted; what it cost is told, and how far above TWAP.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from models.execution.learned import Learned, read_nets
from models.execution.policies import Pov, almgren_chriss, twap
from models.worlds.event_book import EventBook
from models.worlds.world import CAP_SLICES, F64, Policy, blind, capped

URGENCY: Final = 1.5  # of Almgren-Chriss here; nothing is chosen in a smoke test
SLACK: Final = 1e-9


class Day(NamedTuple):
    """One strategy's day: costs in basis points (P,), what was wrong by name, and a digest of all that it bought."""

    bps: F64
    filled: float
    wrong: dict[str, int]
    digest: str


def strategies(world: EventBook) -> list[Policy]:
    """The shipped nets first, and what they are held beside. Raises WeightsError."""
    others: list[Policy] = [twap(world.intervals), Pov("pov"), almgren_chriss(world.intervals, URGENCY)]
    return [Learned(read_nets()), *others]


def work(world: EventBook, policy: Policy, seed: int, orders: int, regime: str) -> Day:
    """One day. Raises ConfigError: the world does not show the regime."""
    state = world.start(seed, orders, regime)
    policy.begin(world, orders, seed)
    total, over = state.total, 0
    for k in range(world.intervals):
        public = world.public(state)
        seen = world.seen(state) if policy.looks else blind(orders)
        shares = np.asarray(policy.shares(k, public.left, seen, public), np.float64)
        over += int((~np.isfinite(shares)).sum())
        state = world.trade(state, capped(np.nan_to_num(shares, posinf=0.0, neginf=0.0), public))
    cost, bought = world.cost(state), state.bought
    wrong = {
        **world.faults(state),
        "no_number": over + int((~np.isfinite(cost.bps)).sum()),
        "above_the_order": int((bought.sum(axis=1) + state.missed > total + SLACK).sum()),
        "unaccounted": int((np.abs(bought.sum(axis=1) + state.missed - total) > SLACK).sum()),
        "above_the_cap": int((bought[:, :-1] > np.ceil(CAP_SLICES * total / world.intervals)[:, None] + SLACK).sum()),
        "below_nothing": int((bought < 0).sum()),
    }
    return Day(cost.bps, float(cost.filled.mean()), wrong, hashlib.sha256(bought.tobytes() + cost.bps.tobytes()).hexdigest())


def backtest(days: int, seed: int, orders: int, told: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Every strategy on every day, and the first day once more, which must be the same to the bit.

    Returns:
        `days seed orders is_bps` (by strategy) `over_twap_bps filled wrong` (what happened that must not, by name: none is
        well) `same_again digest`.
    """
    world = EventBook()
    found: dict[str, list[Day]] = {}
    policies = strategies(world)
    for day in range(days):
        for policy in policies:
            one = work(world, policy, seed + day, orders, world.regimes[day % len(world.regimes)])
            found.setdefault(policy.name, []).append(one)
        told("day", day + 1, days)
    again = work(world, policies[0], seed, orders, world.regimes[0])
    costs = {name: float(np.concatenate([day.bps for day in all_days]).mean()) for name, all_days in found.items()}
    return {
        "days": days, "seed": seed, "orders": orders, "is_bps": costs,
        "over_twap_bps": costs[policies[0].name] - costs["twap"],
        "filled": float(np.mean([day.filled for day in found[policies[0].name]])),
        "wrong": _counted(found.values()),
        "same_again": again.digest == found[policies[0].name][0].digest,
        "digest": hashlib.sha256("".join(day.digest for all_days in found.values() for day in all_days).encode()).hexdigest(),
    }  # fmt: skip


def _counted(found: Any) -> dict[str, int]:
    sums: dict[str, int] = {}
    for day in (day for all_days in found for day in all_days):
        for name, number in day.wrong.items():
            if number:
                sums[name] = sums.get(name, 0) + number
    return sums
