"""Joint and independent planning in the exact world of baskets (`models.worlds.lq_basket`), beside its optimum.

Rows:
- `optimum`: the Riccati rule that sees signals and liquidity as they are. Nothing costs less on average.
- `true_means`: joint planning on true expectations, made anew in each interval, without limits. A linear rule: its cost is exact.
- `apart`: each order at its own optimum, as if the others were not there. Exact.
- `twap`. Exact.
- `joint_program`: the shipped program (`models.planners.basket`) on true expectations, which never trades against an order's side
  and no more than three even slices; `apart_program`: the same of each order by itself. Both on the same baskets.

rho = (C - V*) / (C of TWAP - V*). The margin is what planning apart costs more than the optimum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from models.execution import statistics
from models.planners import basket as planner
from models.planners.basket_terms import Basket, Weights
from models.planners.outlook import Outlook
from models.worlds.lq_basket import BasketConfig, BasketState, BasketWorld
from models.worlds.riccati_basket import BasketRule, apart, expected_cost, schedule_gains, solve
from models.worlds.world import F64, JUDGING_SEEDS

BASKETS: Final = 200
URGENCIES: Final = (0.0, 1.0, 2.0, 3.0, 5.0)
Told = Callable[[str, int, int], None]


def judge(world: BasketWorld, told: Told, baskets: int = BASKETS) -> dict[str, Any]:
    """Exact costs, and the program's on judging seeds with intervals by resampling baskets."""
    exact = exact_bps(world)
    best, even = exact["optimum"], exact["twap"]
    margin = exact["apart"] - best
    found = run(world, told, JUDGING_SEEDS[0], baskets)  # (N, 3)
    drawn = statistics.resample(found, found, np.zeros(len(found), np.int64)).expected  # (draws, 3)
    mean = found.mean(axis=0)

    def against(one: int, other: int, over: float = 1.0) -> statistics.Interval:
        return statistics.interval(float((mean[one] - mean[other]) / over), (drawn[:, one] - drawn[:, other]) / over)

    out: dict[str, Any] = {
        "world": world.name, "config_sha256": world.config_sha256, "baskets": baskets, "exact_bps": exact,
        "rho_true_means": (exact["true_means"] - best) / (even - best), "rho_apart": margin / (even - best),
        "margin_bps": margin, "margin_won_true_means": (exact["apart"] - exact["true_means"]) / margin,
        "by_urgency": [_by_urgency(world.config, each) for each in URGENCIES],
    }  # fmt: skip
    figures = {
        "rho_joint_program": against(1, 0, even - best), "rho_apart_program": against(2, 0, even - best),
        "apart_less_joint_bps": against(2, 1), "margin_won": against(2, 1, margin),
    }  # fmt: skip
    for name, figure in figures.items():
        out |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
    return out


def exact_bps(world: BasketWorld) -> dict[str, float]:
    """Expected cost and risk of the linear rules, basis points of the gross value."""
    chain, shares = world.chain(), world.signs * world.totals
    rules: dict[str, F64 | None] = {
        "optimum": None, "true_means": replanned(world), "apart": apart(chain),
        "twap": schedule_gains(np.ones(world.intervals), world.orders),
    }  # fmt: skip
    return {name: expected_cost(chain, solve(chain, gains), shares) / world.gross for name, gains in rules.items()}


def replanned(world: BasketWorld) -> F64:
    """(n, R, m, 3 m) of planning jointly on true expectations anew in each interval, without limits.

    min 1/2 u'H u + b'u with sum u = q by Lagrange's equations, b linear in (q, D, a); the first interval of it is traded.
    """
    chain, n, m = world.chain(), world.intervals, world.orders
    gains = np.zeros((n, len(world.factors), m, 3 * m))
    for k in range(n):
        for r, factor in enumerate(world.factors):
            gains[k, r] = _first(world, world.expected_factors(np.array(factor), n - k), chain.risk)
    return gains


def _first(world: BasketWorld, factors: F64, risk: F64) -> F64:
    """(m, 3 m) of what the first of the intervals ahead trades, factors (N,) of impact."""
    m, ahead, decay, phi = world.orders, len(factors), world.alone.decay, world.alone.phi
    eta, kappa, one = world.mixed(world.impact.eta), np.diag(world.impact.kappa), np.eye(m)
    H, b = np.zeros((ahead, m, ahead, m)), np.zeros((ahead, m, 3 * m))  # noqa: N806 (the field's letter)
    for j in range(ahead):
        H[j, :, j] = factors[j] * (2 * eta + kappa)
        for i in range(j):
            H[j, :, i] = H[i, :, j] = decay ** (j - i) * factors[i] * kappa
        b[j] = np.hstack([-2 * (ahead - j) * risk, decay**j * one, -sum(phi**i for i in range(j, ahead)) * one])
    later = np.maximum(np.arange(ahead)[:, None], np.arange(ahead))
    H = H + 2 * (ahead - later)[:, None, :, None] * risk[None, :, None, :]  # noqa: N806
    size, sums = ahead * m, np.tile(one, (1, ahead))  # (m, size)
    system = np.block([[H.reshape(size, size), sums.T], [sums, np.zeros((m, m))]])
    right = np.concatenate([-b.reshape(size, 3 * m), np.hstack([one, np.zeros((m, 2 * m))])])
    return np.asarray(np.linalg.solve(system, right)[:m])


def run(world: BasketWorld, told: Told, seed: int, baskets: int) -> F64:
    """(N, 3) of the optimal rule, the joint program and the program of each order by itself, on the same baskets."""
    rule, m = solve(world.chain()), world.orders
    states = [world.start(seed, baskets) for _ in range(3)]
    for k in range(world.intervals):
        told("baskets: intervals", k, world.intervals)
        traded = [_by_rule(world, rule, states[0]), np.zeros((baskets, m)), np.zeros((baskets, m))]
        if k < world.intervals - 1:
            for p in range(baskets):
                traded[1][p] = by_program(world, states[1], p, together=True)
                traded[2][p] = by_program(world, states[2], p, together=False)
        states = [world.trade(state, shares) for state, shares in zip(states, traded, strict=True)]
    return np.stack([world.judged_bps(state) for state in states], axis=1)


def by_program(world: BasketWorld, state: BasketState, p: int, *, together: bool) -> F64:
    """(m,) what the shipped program trades of basket p in the interval, sales below 0."""
    made, weights = basket_of(world, state, p), Weights(aversion=world.aversion)
    if not (made.totals > 0).any():
        return np.zeros(world.orders)
    found = planner.solve(made, weights=weights) if together else planner.apart(made, weights)
    return made.signs * found.shares[:, 0]


def basket_of(world: BasketWorld, state: BasketState, p: int) -> Basket:
    """True expectations of basket p before interval k, as the planner takes them."""
    k, signs, m = state.k, world.signs, world.orders
    ahead = world.intervals - k
    factor = world.expected_factors(state.factor[p, k], ahead)  # (N,)
    eta, kappa = (each[:, None] * factor for each in (world.impact.eta, world.impact.kappa))
    outlook = Outlook(
        alpha=(signs * state.signal[p, k])[:, None] * world.alone.phi ** np.arange(ahead), eta=eta, kappa=kappa,
        decay=np.full((m, ahead), world.alone.decay), gamma=world.impact.gamma,
        risk=np.zeros((m, ahead)), displacement=signs * state.displaced[p],
    )  # fmt: skip
    names = tuple(f"order {i}" for i in range(m))
    left, caps = np.maximum(signs * state.left[p], 0.0), np.repeat(world.caps[:, None], ahead, axis=1)
    volatility = np.repeat(world.sigma[:, None], ahead, axis=1)
    return Basket(names, signs, left, np.ones(m), outlook, volatility, world.correlation, caps, world.config.cross)


def _by_rule(world: BasketWorld, rule: BasketRule, state: BasketState) -> F64:
    k = state.k
    thin = (state.factor[:, k] > world.factors.mean()).astype(int)
    seen = np.concatenate([state.left, state.displaced, state.signal[:, k]], axis=1)  # (P, 3m)
    return np.einsum("pij,pj->pi", rule.gains[k][thin], seen)


def _by_urgency(config: BasketConfig, urgency: float) -> dict[str, float]:
    """How the margin depends on how much risk weighs, exact."""
    exact = exact_bps(BasketWorld(BasketConfig(**{**config.__dict__, "urgency": urgency})))
    return {"urgency": urgency, **exact, "margin_bps": exact["apart"] - exact["optimum"]}


def table(figures: dict[str, Any]) -> list[str]:
    """The figures as text that a person reads."""
    lines = [f"world {figures['world']}, settings {figures['config_sha256'][:12]}, {figures['baskets']} baskets"]
    lines += [f"  {'urgency':<9}{'optimum':>9}{'true means':>12}{'apart':>9}{'TWAP':>9}{'margin':>9}   basis points, exact"]
    for row in figures["by_urgency"]:
        costs = f"{row['optimum']:>9.3f}{row['true_means']:>12.3f}{row['apart']:>9.3f}{row['twap']:>9.3f}"
        lines.append(f"  {row['urgency']:<9g}{costs}{row['margin_bps']:>9.3f}")
    lines.append(f"{'rho_true_means':<22} {figures['rho_true_means']:.4f}, exact; apart {figures['rho_apart']:.4f}")
    lines.append(
        f"{'margin':<22} {figures['margin_bps']:.3f} bps, of it won by true means {figures['margin_won_true_means']:.3f}"
    )
    for name in ("rho_joint_program", "rho_apart_program", "apart_less_joint_bps", "margin_won"):
        lines.append(f"{name:<22} {figures[name]:.3f} [{figures[name + '_low']:.3f}, {figures[name + '_high']:.3f}]")
    return lines
