"""Makers beside each other in the worlds: figures with intervals, on judging seeds.

All makers meet the same markets; differences are taken path by path and session by session, and intervals are from 2.5 % to
97.5 % of 10,000 draws of whole paths with replacement. In the exact world and its grid

    rho = (V* - J) / (V* - J of constant quotes): 0 is the optimum, 1 is constant quotes

V* is exact, and so is J of constant quotes in the exact world. J is V* less the mean difference to the optimum's own quotes on
the same paths, which takes most of the noise out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from domain.errors import ConfigError
from domain.ports_spread import Mapper
from domain.tape import Kind
from models.execution.statistics import DRAWS, Interval, interval
from models.inference import Core
from models.making.rows import NETS, Rules, rules_of_book, rules_of_world
from models.spread import IN_PROCESS, spread
from models.worlds.making_book import MARKOUTS_S, MakerBook, Sessions
from models.worlds.making_events import MakingPaths, MakingWorld
from models.worlds.making_exact import fixed_value
from models.worlds.making_grid import LOOKS, Optimum, solve
from models.worlds.making_hft import interpreter, replay_elsewhere
from models.worlds.making_run import NET, Maker, Run, run
from models.worlds.making_tape import Recorded, replay
from models.worlds.world import F64, HELD_OUT_REGIMES, JUDGING_SEEDS, TRAINING_REGIMES

Told = Callable[[str, int, int], None]
# What a market does by its own impact does not arise where only we quote and nobody is moved by it.
REGIMES: Final = (*TRAINING_REGIMES, *(name for name in HELD_OUT_REGIMES if name != "power_law"))
_BATCH: Final = 100  # paths and sessions of one seed
_CHUNK: Final = 500
TAPES_NOTE: Final = (
    "Tapes are plumbing, not profit: minutes long, blind to our orders, maker fee 0, and the frozen nets learnt from these tapes."
)


def drawn_means(values: F64, seed: int = 0) -> F64:
    """(DRAWS, C) means of rows (N, C) drawn with replacement."""
    chance, n = np.random.Generator(np.random.Philox(key=seed)), len(values)
    parts = []
    for begin in range(0, DRAWS, _CHUNK):
        draws = min(_CHUNK, DRAWS - begin)
        times = chance.multinomial(n, np.full(n, 1.0 / n), draws).astype(np.float64)
        parts.append(times @ values / n)
    return np.concatenate(parts)


def mean_of(values: F64) -> Interval:
    """The mean of (N,) with its interval."""
    return interval(float(values.mean()), drawn_means(values[:, None])[:, 0])


def flat(name: str, found: Interval) -> dict[str, float]:
    """Three keys."""
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def judge_world(world: MakingWorld, core: Core, paths: int, told: Told, mapper: Mapper = IN_PROCESS) -> dict[str, Any]:
    """The exact world or its grid. mapper: who runs the paths."""
    optimum, rules = solve(world.config), rules_of_world(world)
    net = Maker(NETS, NET, core=core)
    makers = [net, Maker.optimal(optimum), *rules]
    if world.config.coins:
        makers += [Maker("maker_shuffled_z", NET, core=core), _blind(world, optimum)]
    runs = spread(mapper, partial(_runs, world, makers), _batches(paths), partial(told, world.name))
    done = {one.name: [batch[n] for batch in runs] for n, one in enumerate(makers)}
    return _rho_rows(world, optimum, rules, done)


def _batches(count: int) -> list[tuple[int, int]]:
    """(which seed, how many of it)."""
    return [(n, min(_BATCH, count - n * _BATCH)) for n in range(-(-count // _BATCH))]


def _runs(world: MakingWorld, makers: Sequence[Maker], batch: tuple[int, int]) -> list[Run]:
    """Of each maker on one seed's paths."""
    drawn = world.draw(JUDGING_SEEDS[batch[0]], batch[1])
    return [run(world, _others(drawn) if one.name == "maker_shuffled_z" else drawn, one) for one in makers]


def _others(paths: MakingPaths) -> MakingPaths:
    """Every path is shown the books of another."""
    return paths._replace(inputs=np.roll(paths.inputs, 1, axis=0))


def _blind(world: MakingWorld, optimum: Optimum) -> Maker:
    """The optimum of who takes signal and regime for their means always: what inventory and time alone are worth."""
    middle = optimum.quotes[:, len(world.config.regimes) // 2, world.config.coins // 2]
    shape = optimum.quotes.shape
    return Maker.optimal(optimum._replace(quotes=np.ascontiguousarray(np.broadcast_to(middle[:, None, None], shape))), "blind")


def _rho_rows(world: MakingWorld, optimum: Optimum, rules: Rules, done: dict[str, list[Run]]) -> dict[str, Any]:
    values = {name: np.concatenate([one.value for one in runs]) for name, runs in done.items()}
    best, limit = values["optimum"], world.config.base.limit
    plain = world.config.coins == 0
    gap_fixed = best - values["fixed"]
    scale = optimum.value - fixed_value(world.config.base) if plain else float(gap_fixed.mean())
    rows: dict[str, Any] = {}
    for name, runs in done.items():
        gaps = drawn_means(np.column_stack([best - values[name], gap_fixed]))
        rho = interval(float((best - values[name]).mean() / scale), gaps[:, 0] / (scale if plain else gaps[:, 1]))
        held, fills = np.concatenate([one.inventory.ravel() for one in runs]), np.concatenate([one.fills for one in runs])
        rows[name] = flat("rho", rho) | {
            "value": optimum.value - float((best - values[name]).mean()), **flat("simulated", mean_of(values[name])),
            "gained": float(np.concatenate([one.gained for one in runs]).mean()), "fills": float(fills.mean()),
            "inventory_max": float(np.abs(held).max()), "within_limit": float((np.abs(held) <= limit).mean()),
            "value_sd": float(values[name].std()),
        }  # fmt: skip
    return {
        "optimum": optimum.value, "fixed": optimum.value - scale, "paths": len(best), "limit": limit, "looks_of_the_table": LOOKS,
        "numbers": rules.numbers, "no_decision": float(sum(one.failed[0] for one in done[NETS])), "rows": rows,
        **{key: rows[NETS][key] for key in ("rho", "rho_low", "rho_high")},
    }  # fmt: skip


def judge_book(
    book: MakerBook, core: Core, sessions: int, regimes: Sequence[str], told: Told, mapper: Mapper = IN_PROCESS
) -> dict[str, Any]:
    """The event book, regime by regime. Numbers of rules are chosen in the regime itself; where nothing may be learnt from it, in
    the usual one."""
    of = {regime: regime if regime in TRAINING_REGIMES else "mixed" for regime in regimes}
    learnt = list(dict.fromkeys(of.values()))
    chosen = spread(mapper, partial(rules_of_book, book), learnt, partial(told, "event book: choosing"))
    rules = dict(zip(learnt, chosen, strict=True))
    makers = {regime: [Maker(NETS, NET, core=core), *rules[of[regime]]] for regime in regimes}
    pieces = [(regime, *batch) for regime in regimes for batch in _batches(sessions)]
    sat = spread(mapper, partial(_sessions, book, makers), pieces, partial(told, "event book"))
    found: dict[str, Any] = {}
    for regime in regimes:
        parts = [one for (where, *_), one in zip(pieces, sat, strict=True) if where == regime]
        done = {one.name: [part[n] for part in parts] for n, one in enumerate(makers[regime])}
        found[regime] = {"numbers": rules[of[regime]].numbers} | book_rows(book, done)
    return {"config_sha256": book.config_sha256, "sessions": sessions, "seconds": book.config.seconds, "regimes": found}


def _sessions(book: MakerBook, makers: Mapping[str, Sequence[Maker]], piece: tuple[str, int, int]) -> list[Sessions]:
    """Of each maker in one regime's market of one seed."""
    regime, n, size = piece
    return [book.run(one, JUDGING_SEEDS[n], size, regime) for one in makers[regime]]


def book_rows(book: MakerBook, done: dict[str, list[Sessions]]) -> dict[str, Any]:
    """Rows by maker, and the first maker's differences to the others by session."""
    whole = {name: joined(parts) for name, parts in done.items()}
    first = next(iter(whole))
    rows = {name: figures(one, book.config.limit_sizes) for name, one in whole.items()}
    better = {}
    for name, one in whole.items():
        if name != first:
            apart = {"objective": whole[first].value - one.value, "pnl": whole[first].pnl - one.pnl}
            better[name] = {key: value for what, by in apart.items() for key, value in flat(what, mean_of(by)).items()}
    return {"rows": rows, "better_by": better}


def joined(parts: Sequence[Sessions]) -> Sessions:
    """Sessions of several seeds as one."""
    return Sessions(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def figures(one: Sessions, limit: int) -> dict[str, float]:
    """Of one maker, means per session, ticks x quotes; markouts in ticks per quote filled."""
    falls = np.maximum.accumulate(one.wealth, axis=1) - one.wealth
    filled = max(float(one.filled.sum()), 1e-12)
    told = flat("objective", mean_of(one.value)) | flat("pnl", mean_of(one.pnl))
    told |= {f"markout_{seconds}s": float(one.markouts[:, n].sum()) / filled for n, seconds in enumerate(MARKOUTS_S)}
    return told | {
        "pnl_sd": float(one.pnl.std()), "spread_captured": float(one.captured.mean()), "adverse_loss": float(one.adverse.mean()),
        "inventory_sd": float(one.held.std()), "inventory_mean_abs": float(np.abs(one.held).mean()),
        "inventory_max": float(np.abs(one.held).max()), "within_limit": 1.0 - float(one.breaches.sum()) / one.held.size,
        "limit": float(limit), "fills": float(one.fills.mean()), "filled_quotes": float(one.filled.mean()),
        "fill_ratio": float(one.filled.sum() / max(one.placed.sum(), 1e-12)),
        "quote_life_s": float(one.life_s.sum() / max(one.counts[:, 3].sum(), 1)),
        "orders": float(one.counts[:, 0].mean()), "kept": float(one.counts[:, 1].mean()),
        "refused": float(one.counts[:, 2].mean()), "drawdown": float(falls.max(axis=1).mean()),
        "pnl_over_mean_abs_inventory": float(one.pnl.mean() / max(np.abs(one.held).mean(), 1e-12)),
    }  # fmt: skip


def judge_tapes(tapes: Sequence[Recorded], core: Core, told: Told) -> dict[str, Any]:
    """Recorded tapes, one session each, without intervals: one session has none. Numbers of rules are those of the event book."""
    rules = rules_of_book(MakerBook(), "mixed") if tapes else None
    found: dict[str, Any] = {}
    try:
        python, elsewhere = interpreter(), "hftbacktest"
    except ConfigError as error:
        python, elsewhere = "", str(error)
    for n, one in enumerate(tapes):
        told(f"tape {one.name}", n, len(tapes))
        makers = [Maker(NETS, NET, core=core), *(rules or ())]
        done = {maker.name: replay(one, maker) for maker in makers}
        limit = MakerBook().config.limit_sizes
        rows = {name: figures(session, limit) for name, session in done.items()}
        found[one.name] = {"seconds": one.seconds, "size_lots": one.size_lots, "maker_fee": 0.0, "rows": rows}
        if python and (one.tape["kind"] == Kind.LEVEL).any():
            found[one.name]["hftbacktest"] = {maker.name: replay_elsewhere(one, maker, python) for maker in makers}
    numbers = rules.numbers if rules else {}
    return {"label": "plumbing", "note": TAPES_NOTE, "hftbacktest": elsewhere, "numbers": numbers, "tapes": found}
