"""`ems bench plan`: a whole adaptive plan from a stored observation to whole lots, and what it is made of.

Futures, 500 of 20 steps with every forecast, are timed beside a bare GRU's; the program beside its bare solver; and a queue of
orders that one worker plans as their fills come, by how old their plans get. Last, the whole system: how soon an order's New
comes over FIX while 200 orders are planned anew at a fill a second each (`ems.bench.plan_live`).

The bare rollout is torch's GRUCell and LayerNorm, no heads and no noise, at the faster of one and two threads. Both take turns.
A figure is the median of the rounds.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domain.errors import InvariantBroken
from ems.bench import plan_live
from ems.bench.inference import version
from ems.bench.output import emit
from models.environment import cpu_name, environment_digest
from models.inference_layout import WEIGHTS, aligned, pack
from models.net_contract import ACTION, LATENT
from models.planners.adaptive import Adaptive, outlook_of, program
from models.planners.foresight import foresee
from models.planners.warm import made_request, warm
from models.rollout import SAMPLES, STEPS, noise, roll, roll_on
from models.sight import sight

ROUNDS: Final = 15
THREADS: Final = 2
PLANS: Final = 200
BOUND: Final = 1e-5
F32 = NDArray[np.float32]


def run(*, rounds: int = ROUNDS) -> dict[str, Any]:
    """The figures. Raises InvariantBroken where what was timed is not torch's answer, or depends on the threads."""
    model, _, tensors, digest = version()
    weights = aligned(WEIGHTS)
    weights[:] = pack(tensors)
    chance = np.random.default_rng(7)
    z, h = (chance.normal(scale=scale, size=LATENT).astype(np.float32) for scale in (1.0, 0.5))
    actions = np.full((STEPS, ACTION), 0.1, np.float32)
    difference = _verify(weights, model, z, h, actions)
    plain = _Plain(z, h, actions)

    def ours(threads: int) -> Callable[[], object]:
        return lambda: roll(weights, z, h, actions, noise(7), threads=threads)

    def theirs(threads: int) -> Callable[[], object]:
        def once() -> object:
            torch.set_num_threads(threads)
            return plain.roll()

        return once

    def reference() -> object:
        torch.set_num_threads(1)
        return roll_on(model, *(torch.from_numpy(part) for part in (z, h, actions, noise(7))))

    took = _rounds(
        rounds,
        {
            "rollout": ours(THREADS),
            "rollout_one_thread": ours(1),
            "gru": theirs(THREADS),
            "gru_one_thread": theirs(1),
            "torch_rollout": reference,
        },
    )
    took["gru_ms"] = min(took["gru_ms"], took.pop("gru_one_thread_ms"))
    return (
        took
        | _plans()
        | _solves()
        | _ages()
        | plan_live.run()
        | {
            "max_abs_diff": difference,
            "samples": SAMPLES,
            "steps": STEPS,
            "threads": THREADS,
            "version": digest,
            "cpu": cpu_name(),
            "environment": environment_digest(),
        }
    )


def _plans(count: int = PLANS) -> dict[str, float]:
    """A request in, a schedule of whole lots out."""
    warm()
    times = [_timed(lambda n=n: Adaptive().plan(made_request(n + 1))) for n in range(count)]  # type: ignore[misc]
    return {"p50_ms": round(statistics.median(times), 3), "p99_ms": round(float(np.quantile(times, 0.99)), 3)}


def _solves(count: int = 200) -> dict[str, float]:
    """The program with everything around its solver, and the solver alone on the same numbers; medians of the same solves."""
    request = made_request()
    assert request.observation is not None
    edges = np.arange(21) * 90 * 1_000_000_000 + 1_000_000_000
    outlook, caps = outlook_of(request, foresee(sight(), request.observation, edges, seed=1))
    solver, whole = [], []
    for _ in range(count):
        began = time.perf_counter()
        solver.append(program().solve(outlook, 10_000.0, caps).solve_ms)
        whole.append((time.perf_counter() - began) * 1e3)
    return {"qp_ms": round(statistics.median(whole), 3), "solver_ms": round(statistics.median(solver), 3)}


def _ages(orders: int = 200, fills_per_s: float = 1.0, seconds: float = 10.0) -> dict[str, Any]:
    """How old the plan of a fill is when it comes: `orders` live orders with a fill a second each, one worker's own time.

    Only the newest request of an order waits, as in the planner pool; time goes on by what each plan really takes.
    """
    chance = np.random.default_rng(3)
    comes = np.sort(chance.uniform(0.0, seconds, int(orders * fills_per_s * seconds)))
    whose = chance.integers(0, orders, len(comes))
    waiting: OrderedDict[int, float] = OrderedDict()
    ages, now_s, at, number = [], 0.0, 0, 0
    while at < len(comes) or waiting:
        if not waiting:
            now_s = max(now_s, comes[at])
        while at < len(comes) and comes[at] <= now_s:
            waiting.setdefault(int(whose[at]), float(comes[at]))
            at += 1
        _, asked_s = waiting.popitem(last=False)
        number += 1
        now_s += _timed(lambda n=number: Adaptive().plan(made_request(n))) / 1e3  # type: ignore[misc]
        ages.append(now_s - asked_s)
    return {"plan_age_p99_s": round(float(np.quantile(ages, 0.99)), 3), "live_orders": orders, "plans": number}


def _timed(act: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1e3


def main(json_output: bool) -> int:
    """Run and print."""
    emit(run(), json_output)
    return 0


class _Plain:
    """torch's own GRUCell and LayerNorm over the same samples and steps."""

    def __init__(self, z: F32, h: F32, actions: F32) -> None:
        self.z, self.h = (torch.from_numpy(part).expand(SAMPLES, -1) for part in (z, h))
        self.actions = torch.from_numpy(actions).expand(SAMPLES, -1, -1)
        self.gru, self.norm = nn.GRUCell(LATENT + ACTION, LATENT), nn.LayerNorm(LATENT)

    def roll(self) -> Tensor:
        z, h = self.z, self.h
        with torch.inference_mode():
            for step in range(STEPS):
                h = self.gru(torch.cat([z, self.actions[:, step]], dim=1), h)
                z = self.norm(h)
        return z


def _verify(weights: F32, model: Any, z: F32, h: F32, actions: F32) -> float:
    """The largest difference of any forecast of any sample to torch."""
    chance = noise(7)
    found = roll(weights, z, h, actions, chance, threads=THREADS)
    alone = roll(weights, z, h, actions, chance)
    if found.heads.tobytes() != alone.heads.tobytes() or found.latents.tobytes() != alone.latents.tobytes():
        raise InvariantBroken("a rollout that depends on the number of threads")
    torch.set_num_threads(1)
    arguments = [torch.from_numpy(part) for part in (z, h, actions, chance)]
    expected = roll_on(model, *arguments).numpy()
    largest = float(abs(found.heads - expected).max())
    if not largest <= BOUND:
        exact = roll_on(copy.deepcopy(model).double(), *(part.double() for part in arguments)).numpy()
        ours, theirs = (abs(heads - exact).max() for heads in (found.heads, expected))
        raise InvariantBroken(f"rollouts are {largest} from torch; in double precision they are {ours} off, and torch {theirs}")
    return largest


def _rounds(rounds: int, subjects: dict[str, Callable[[], object]]) -> dict[str, Any]:
    """Milliseconds of each, in turns; the first round warms."""
    took: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            began = time.perf_counter()
            subject()
            if number:
                took[name].append((time.perf_counter() - began) * 1e3)
    return {f"{name}_ms": round(statistics.median(each), 3) for name, each in took.items()}
