"""`ems bench plan`: what a plan needs before it is solved, 500 futures of 20 steps with every forecast, beside a bare GRU's.

The bare rollout is torch's GRUCell and LayerNorm, no heads and no noise, at the faster of one and two threads. Both take turns. A
figure is the median of the rounds.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domain.errors import InvariantBroken
from ems.bench.inference import version
from ems.bench.output import emit
from models.environment import cpu_name, environment_digest
from models.inference_layout import WEIGHTS, aligned, pack
from models.net_contract import ACTION, LATENT
from models.rollout import SAMPLES, STEPS, noise, roll, roll_on

ROUNDS: Final = 15
THREADS: Final = 2
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
    return took | {
        "max_abs_diff": difference,
        "samples": SAMPLES,
        "steps": STEPS,
        "threads": THREADS,
        "version": digest,
        "cpu": cpu_name(),
        "environment": environment_digest(),
    }


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
