"""Training the world model on tapes: seeded, stopped early, and gone on with after an interruption as if there had been none.

Batch n and its noise come from (seed, n) alone, so that a checkpoint needs the weights, the optimiser and what was best so far,
and the same tapes and seed give the same digest on one machine, interrupted or not. One thread: sums have one order.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from domain.errors import TapeError, WeightsError
from models import controller, world_model
from models.dataset import Examples
from models.losses import Losses, losses, reader
from models.net_contract import BOOK_OUT, CONTEXT, TAPE_OUT
from models.sequences import Split, draw, fit_normalisation, gather, split
from models.world_model import WorldModel

JUDGED: Final = 256  # sequences, the same ones each time
Progress = Callable[[int, int, float], None]  # batch, of how many, loss on the tapes' ends


@dataclass(frozen=True)
class Training:
    """How to train. Each number was chosen on the ends of the tapes that are learnt from, never on tapes left out."""

    seed: int = 7
    batches: int = 600
    size: int = 64  # sequences in a batch
    burn: int = 10  # steps seen before the rollout
    ahead: int = 8  # steps rolled out
    samples: int = 4
    rate: float = 2e-3  # AdamW's, falling to 0 as a cosine
    decay: float = 1e-3
    clip: float = 1.0
    judge_every: int = 50
    patience: int = 5  # judgements without a better one

    @property
    def steps(self) -> int:
        """Of a sequence."""
        return self.burn + self.ahead


class Judgement(NamedTuple):
    """After so many batches: mean losses on the batches since the last one, and on the tapes' ends."""

    batch: int
    learnt: dict[str, float]
    judged: dict[str, float]


class Trained(NamedTuple):
    """The best model by the tapes' ends, and how it came about."""

    model: WorldModel
    history: list[Judgement]
    best_batch: int


def train(
    files: Sequence[Examples], how: Training, *, checkpoint: Path | None = None, progress: Progress = lambda *_: None
) -> Trained:
    """Train a model.

    Args:
        checkpoint: written after each judgement; where it is there already, training goes on with it.

    Raises:
        TapeError: no tape is long enough for a sequence.
        WeightsError: the checkpoint is of another training.
    """
    places = split(files, how.steps)
    if sum(map(len, places.learn)) == 0 or sum(map(len, places.judge)) == 0:
        raise TapeError(f"no tape is long enough for sequences of {how.steps} steps to learn from and to judge by")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    run = _Run(files, how, places)
    if checkpoint is not None and checkpoint.exists():
        run.resume(checkpoint)
    while run.batch < how.batches and not run.stopped():
        run.learn()
        if run.batch % how.judge_every == 0 or run.batch == how.batches:
            run.judge()
            progress(run.batch, how.batches, run.history[-1].judged["total"])
            if checkpoint is not None:
                run.save(checkpoint)
    run.model.load_state_dict(run.best)
    run.model.eval()
    return Trained(run.model, run.history, run.best_batch)


class _Run:
    def __init__(self, files: Sequence[Examples], how: Training, places: Split) -> None:
        self.files, self.how, self.places = files, how, places
        self.model = world_model.initialised(how.seed)
        fit_normalisation(self.model.norm, files, places.learn)
        _silence_what_never_varied(self.model)
        self.reader = reader(how.seed)
        self.optimiser = torch.optim.AdamW(self._parameters(), lr=how.rate, weight_decay=how.decay)
        self.batch, self.best_batch, self.best_loss = 0, 0, math.inf
        self.best = copy.deepcopy(self.model.state_dict())
        self.history: list[Judgement] = []
        self._sums: list[list[float]] = []
        self._judged = [
            gather(files, draw(np.random.default_rng([how.seed, 1 << 30, n]), places.judge, how.size), how.steps)
            for n in range(max(1, JUDGED // how.size))
        ]

    def learn(self) -> None:
        """One batch."""
        how, n = self.how, self.batch
        chance = np.random.default_rng([how.seed, n])
        batch = gather(self.files, draw(chance, self.places.learn, how.size), how.steps, chance)
        for group in self.optimiser.param_groups:
            group["lr"] = how.rate * min(1.0, (n + 1) / 20) * 0.5 * (1 + math.cos(math.pi * n / how.batches))
        found = losses(self.model, self.reader, batch, how.burn, how.samples, _noise(how.seed, n))
        self.optimiser.zero_grad()
        found.total().backward()
        torch.nn.utils.clip_grad_norm_(self._parameters(), how.clip)
        self.optimiser.step()
        self._sums.append(_plain(found))
        self.batch += 1

    def _parameters(self) -> list[torch.nn.Parameter]:
        return [*self.model.parameters(), *self.reader.parameters()]

    def judge(self) -> None:
        """The ends of the tapes, with the same sequences and the same noise each time."""
        with torch.no_grad():
            found = [
                _plain(
                    losses(self.model, self.reader, one, self.how.burn, self.how.samples, _noise(self.how.seed, (1 << 30) + n))
                )
                for n, one in enumerate(self._judged)
            ]
        judged = _named(found)
        self.history.append(Judgement(self.batch, _named(self._sums), judged))
        self._sums = []
        if judged["total"] < self.best_loss:
            self.best_loss, self.best_batch = judged["total"], self.batch
            self.best = copy.deepcopy(self.model.state_dict())

    def stopped(self) -> bool:
        """Whether there was nothing better for long enough."""
        return self.batch - self.best_batch >= self.how.patience * self.how.judge_every

    def save(self, path: Path) -> None:
        """Everything that goes on, all of it or nothing."""
        new = path.with_name(f"{path.name}.new")
        torch.save(self._state(), new)
        new.replace(path)

    def resume(self, path: Path) -> None:
        """Go on with what was saved. Raises WeightsError where it was another training."""
        saved: dict[str, Any] = torch.load(path, weights_only=True)
        if saved["how"] != asdict(self.how) or saved["tapes"] != self._tapes():
            raise WeightsError(f"{path.name} is the checkpoint of another training: other settings, or other tapes")
        self.model.load_state_dict(saved["model"])
        self.reader.load_state_dict(saved["reader"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.batch, self.best_batch, self.best_loss, self.best = (saved[k] for k in ("batch", "best_batch", "best_loss", "best"))
        self.history = [Judgement(*one) for one in saved["history"]]

    def _state(self) -> dict[str, Any]:
        return {
            "how": asdict(self.how), "tapes": self._tapes(), "model": self.model.state_dict(),
            "reader": self.reader.state_dict(),
            "optimiser": self.optimiser.state_dict(), "batch": self.batch, "best_batch": self.best_batch,
            "best_loss": self.best_loss, "best": self.best, "history": [tuple(one) for one in self.history],
        }  # fmt: skip

    def _tapes(self) -> list[str]:
        return [f"{one.name} {one.digest} {len(one)}" for one in self.files]


def tensors(model: WorldModel, seed: int) -> dict[str, NDArray[np.float32]]:
    """The tensors of a weights file: the model with a controller that nothing has trained yet."""
    return world_model.tensors_of(model, controller.initialised(seed))


def _silence_what_never_varied(model: WorldModel) -> None:
    """A part of the context that was the same throughout taught nothing: it must not speak when it is different one day."""
    constant = model.norm.context_scale == 1.0
    with torch.no_grad():
        model.encoder.fusion.weight[:, BOOK_OUT + TAPE_OUT :][:, constant[:CONTEXT]] = 0.0


def _noise(seed: int, n: int) -> torch.Generator:
    return torch.Generator().manual_seed(int(np.random.SeedSequence([seed, n]).generate_state(1, np.uint64)[0] >> np.uint64(1)))


def _plain(found: Losses) -> list[float]:
    return [float(part.detach()) for part in (*found, found.total())]


def _named(rows: list[list[float]]) -> dict[str, float]:
    means = np.mean(rows, axis=0) if rows else np.full(len(Losses._fields) + 1, np.nan)
    return dict(zip((*Losses._fields, "total"), means.tolist(), strict=True))
