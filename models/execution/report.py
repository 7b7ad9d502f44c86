"""Costs -> the figures that are told: JSON with the keys that the command line promises, and the claims beside ours."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from domain.ports_spread import Mapper
from models.execution import statistics
from models.execution.harness import BOUNDS, MAIN, Costs, Plan, Told, costs, scenarios
from models.execution.statistics import MARGIN_BPS, Interval, Resampled
from models.spread import IN_PROCESS
from models.worlds.bounds import best_bps, exact_regimes, schedule_bps
from models.worlds.lq import LqWorld
from models.worlds.world import CHECK_REGIMES, HELD_OUT_REGIMES, JUDGING_SEEDS

RATIOS: Final = ("twap", "vwap", "pov", "ac")
# The specification's table: average shortfall and deviation in basis points, and its ratios as bounds to meet.
CHAPTER: Final = {"twap": (18.4, 12.1), "vwap": (14.2, 9.8), "ac": (11.6, 8.3), "pov": (13.1, 10.4), "adaptive": (8.9, 6.4)}
CLAIMS: Final = {"ratio_twap": 0.484, "ratio_vwap": 0.63, "ratio_ac": 0.77, "sd_ratio_twap": 0.53}
EVERYWHERE: Final = 1.05  # times TWAP: never above, in any regime


class _Drawn(NamedTuple):
    costs: Costs
    whole: Resampled
    draws: Resampled


def judge(plan: Plan, told: Told, mapper: Mapper = IN_PROCESS) -> dict[str, Any]:
    """Everything: by regime, and the main regime's figures of the judged strategy at the top. mapper: who works the orders."""
    drawn: dict[str, _Drawn] = {}
    for done, (regime, found) in enumerate(costs(plan, told, mapper).items()):
        kinds = scenarios(plan, len(found.expected))
        told("intervals", done, len(plan.regimes))
        drawn[regime] = _Drawn(
            found,
            statistics.figures(found.expected, found.happened, kinds),
            statistics.resample(found.expected, found.happened, kinds),
        )
    regimes = {name: _regime(plan, name, one) for name, one in drawn.items()}
    top, sensitivity = _top(plan, drawn), _sensitivity(drawn)
    claimed = claims(top) | {"worst_ratio_twap": _worst(plan, drawn), "sensitivity_bps": _calmest(plan, sensitivity)}
    return {
        "world": plan.world.name, "config_sha256": plan.world.config_sha256, "judged": plan.judged, **top,
        "first_seed": JUDGING_SEEDS[0], "choice": plan.choice._asdict(), "margin_bps": MARGIN_BPS,
        "claims": claimed, "sensitivity": sensitivity, "regimes": regimes,
    }  # fmt: skip


def _top(plan: Plan, drawn: dict[str, _Drawn]) -> dict[str, Any]:
    """Flat: ratios with their ends, and in the linear-quadratic world how much of what can be gained is not."""
    main = drawn[plan.main]
    out: dict[str, Any] = {}
    for other in RATIOS:
        out |= _flat(f"ratio_{other}", _ratio(main, plan.judged, other))
    by_scenario = main.whole.between.max() > 0
    out |= _flat("sd_ratio_twap", _sd_ratio(main, plan.judged, "between" if by_scenario else "deviation"))
    out |= _flat("sd_ratio_twap_orders", _sd_ratio(main, plan.judged, "deviation"))
    out["sd_is_of"] = "scenarios" if by_scenario else "orders"
    if isinstance(plan.world, LqWorld) and MAIN in drawn:
        out |= _flat("rho_true_means", rho(plan.world, main, "true_means_free"))
        out |= _flat("rho_true_means_capped", rho(plan.world, main, "true_means"))
        out |= _flat("rho_filter", rho(plan.world, main, "filter"))
        out |= _flat("rho_learned", rho(plan.world, main, plan.judged) if plan.judged not in BOUNDS else None)
    if "no_alpha" in drawn:
        out |= _flat("no_alpha_ratio", _ratio(drawn["no_alpha"], plan.judged, "twap"))
        if "true_means" in drawn["no_alpha"].costs.names:
            out["no_alpha_ratio_true_means"] = _flat("x", _ratio(drawn["no_alpha"], "true_means", "twap"))["x"]
    told = [one.costs.fallback.get(plan.judged) for one in drawn.values()]
    # What does not count its fallbacks has not shown that there are none.
    out["fallback_share"] = None if None in told else max(each for each in told if each is not None)
    return out


def rho(world: LqWorld, drawn: _Drawn, name: str) -> Interval:
    """(C - V*) / (C_twap - V*) in the main regime: 0 is the optimum, 1 is TWAP.

    V* and TWAP's cost are exact; C is V* plus the mean difference from the optimal rule on the same orders.
    """
    found = drawn.costs
    best, even = best_bps(world, MAIN), schedule_bps(world, np.ones(world.intervals), MAIN)
    one, optimal = (found.names.index(each) for each in (name, "lq_optimum"))
    gap, gaps = (each.expected[:, one] - each.expected[:, optimal] for each in (drawn.whole, drawn.draws))
    return statistics.interval(float(gap[0]) / (even - best), gaps / (even - best))


def _regime(plan: Plan, regime: str, drawn: _Drawn) -> dict[str, Any]:
    found, rows = drawn.costs, {}
    against = {other: found.names.index(other) for other in ("twap", "ac")}
    tails, middles = statistics.tail_mean(found.happened), np.median(found.happened, axis=0)
    p_values: dict[str, float] = {}
    for place, name in enumerate(found.names):
        row: dict[str, Any] = {
            "mean_bps": float(drawn.whole.expected[0, place]), "median_bps": float(middles[place]),
            "sd_bps": float(drawn.whole.deviation[0, place]), "scenario_sd_bps": float(drawn.whole.between[0, place]),
            "cvar5_bps": float(tails[place]), "fill_rate": float(found.filled[place]), "bound": name in BOUNDS,
            "fallback_share": found.fallback.get(name),
        }  # fmt: skip
        row |= _flat("ratio_twap", _ratio(drawn, name, "twap"))
        for other, at in against.items():
            draws = drawn.draws.expected[:, place] - drawn.draws.expected[:, at]
            gap = statistics.interval(float(drawn.whole.expected[0, place] - drawn.whole.expected[0, at]), draws)
            row |= _flat(f"difference_{other}_bps", gap)
            if other == "twap" and name != "twap" and name not in BOUNDS:
                p_values[name] = statistics.p_value(draws)
                row["verdict"] = _verdict(gap)
        rows[name] = row
    for name, p in statistics.holm(p_values).items():
        rows[name]["p_holm"] = p
        if p >= 0.05:
            rows[name]["verdict"] = "no difference shown"
    told: dict[str, Any] = {"orders": len(found.expected), "held_out": regime in HELD_OUT_REGIMES, "strategies": rows}
    world = plan.world
    if isinstance(world, LqWorld) and regime in exact_regimes(world):
        told["optimum_bps"] = {known: best_bps(world, regime, known) for known in ("full", "shown", "blind")}
        told["twap_exact_bps"] = schedule_bps(world, np.ones(world.intervals), regime)
    return told


def _verdict(gap: Interval) -> str:
    if gap.high < -MARGIN_BPS:
        return "better"
    if gap.low > MARGIN_BPS:
        return "worse"
    return "within the margin" if gap.low > -MARGIN_BPS and gap.high < MARGIN_BPS else "margin not cleared"


def _ratio(drawn: _Drawn, one: str, other: str) -> Interval | None:
    a, b = (drawn.costs.names.index(name) for name in (one, other))
    whole, draws = drawn.whole.expected, drawn.draws.expected
    return statistics.ratio(whole[0, a], whole[0, b], draws[:, a], draws[:, b])


def _sd_ratio(drawn: _Drawn, name: str, which: str) -> Interval | None:
    a, b = drawn.costs.names.index(name), drawn.costs.names.index("twap")
    whole, draws = getattr(drawn.whole, which), getattr(drawn.draws, which)
    return statistics.ratio(whole[0, a], whole[0, b], draws[:, a], draws[:, b])


def _sensitivity(drawn: dict[str, _Drawn]) -> dict[str, dict[str, float | None]]:
    """Greatest less least over the regimes, checks and bounds left out: of the mean cost, and of the ratio to TWAP's."""
    kept = {name: one for name, one in drawn.items() if name not in CHECK_REGIMES}
    if not kept:
        return {}
    names = [name for name in next(iter(drawn.values())).costs.names if all(name in one.costs.names for one in kept.values())]
    out: dict[str, dict[str, float | None]] = {}
    for name in names:
        means = [float(one.costs.of(name).mean()) for one in kept.values()]
        ratios = [found.value for one in kept.values() if (found := _ratio(one, name, "twap"))]
        out[name] = {"bps": max(means) - min(means) if means else None, "ratio": max(ratios) - min(ratios) if ratios else None}
    return out


def _worst(plan: Plan, drawn: dict[str, _Drawn]) -> dict[str, Any]:
    """The judged strategy's greatest ratio to TWAP in any regime that is not a check."""
    ratios = [_ratio(one, plan.judged, "twap") for name, one in drawn.items() if name not in CHECK_REGIMES]
    return _claim(EVERYWHERE, max((each for each in ratios if each), default=None))


def _calmest(plan: Plan, sensitivity: dict[str, dict[str, float | None]]) -> dict[str, Any]:
    """Of all strategies, whose mean cost differs least between regimes."""
    own = {name: one["bps"] for name, one in sensitivity.items() if (name == plan.judged or name not in BOUNDS) and one["bps"]}
    lowest = min(own, key=lambda name: own[name] or 0.0, default=None)
    met = "not told: one regime" if lowest is None else "met" if lowest == plan.judged else f"not met: {lowest}"
    return {"claimed": "lowest", "ours": own.get(plan.judged), "low": None, "high": None, "met": met}


def claims(top: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The specification's ratios beside ours: met where the whole interval is at or below, missed where it is above."""
    figures = {name: [top[name + tail] for tail in ("", "_low", "_high")] for name in CLAIMS}
    return {name: _claim(CLAIMS[name], None if None in each else Interval(*each)) for name, each in figures.items()}


def _claim(claim: float, ours: Interval | None) -> dict[str, Any]:
    met = "not met" if ours is None or ours.low > claim else "met" if ours.high <= claim else "open"
    value, low, high = ours or (None, None, None)
    return {"claimed": claim, "ours": value, "low": low, "high": high, "met": met}


def _flat(name: str, figure: Interval | None) -> dict[str, float | None]:
    value, low, high = figure or (None, None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}
