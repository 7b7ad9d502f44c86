"""The world model trained on while it is used: a few careful steps on the newest data, and scores of what nobody learnt of.

The numbers are the specification's: of a buffer of the 100,000 newest examples the 10,000 most recent are learnt of, by 10 steps
of AdamW at 1e-5 with the gradient's norm clipped at 1.0, after every 60 minutes of data. Normalisation and controller stay as
they are: the statistics belong to the version that people promoted, and the controller was trained on the latents of that
version, which such steps hardly move.

**Scores.** At every 20th event a version says how likely the middle is to move up and down within the next 20 events (the
specification asks for a Sharpe ratio and does not say of what; this is ours): it holds p_up - p_down of a unit for them and
earns that times the middle's move, in basis points, without costs. It is what a plan that leans on the forecast would gain or
lose by it per unit of quantity moved, not what a strategy would earn. Ten neighbouring holdings are a block. Beside it stands
the log loss over all four horizons, which is a proper score.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from domain.errors import TapeError
from models import world_model
from models.baselines import of_model
from models.dataset import AHEAD, EVERY, MIDDLE, Examples
from models.losses import Losses, losses, reader
from models.net_contract import MOVE_EVENTS
from models.scores import log_losses
from models.sequences import Batch, draw, gather, starts
from models.world_model import WorldModel

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Tensors = Mapping[str, F32]
BUFFER: Final = 100_000
WINDOW_NS: Final = 3_600 * 1_000_000_000
BLOCK: Final = 10  # holdings
_HOLDING: Final = 1  # of MOVE_EVENTS: 20 events
_BP: Final = 1e4


@dataclass(frozen=True)
class Update:
    """How to go on. The first five are the specification's."""

    recent: int = 10_000  # examples that are learnt of
    steps: int = 10
    rate: float = 1e-5
    clip: float = 1.0
    decay: float = 1e-3
    size: int = 64  # sequences in a step
    burn: int = 10
    ahead: int = 8
    samples: int = 4
    seed: int = 7


class Learnt(NamedTuple):
    """A version that has gone on: all tensors of the contract; losses on what it learnt of, before and after; which rows."""

    tensors: dict[str, F32]
    loss_before: float
    loss_after: float
    rows: int
    data_sha256: str


class Scores(NamedTuple):
    """earned: (b,) of each block, basis points, mean of its holdings. log_loss: (m,) of each moment, nats."""

    earned: F64
    log_loss: F64


class Buffer:
    """Windows of examples, the newest BUFFER of them; what is older is forgotten, oldest rows first."""

    def __init__(self, capacity: int = BUFFER) -> None:
        self._capacity = capacity
        self.windows: list[Examples] = []

    def __len__(self) -> int:
        return sum(len(one) for one in self.windows)

    def add(self, one: Examples) -> None:
        """A window that comes behind all that are here."""
        self.windows.append(one)
        while (over := len(self) - self._capacity) > 0:
            oldest = self.windows.pop(0)
            if len(oldest) > over:
                self.windows.insert(0, rows_of(oldest, np.arange(over, len(oldest))))

    def recent(self, count: int) -> list[Examples]:
        """The newest `count` examples."""
        found: list[Examples] = []
        for one in reversed(self.windows):
            if (left := count - sum(map(len, found))) <= 0:
                break
            found.insert(0, one if len(one) <= left else rows_of(one, np.arange(len(one) - left, len(one))))
        return found


def rows_of(one: Examples, rows: I64) -> Examples:
    """Some of the examples; the states of all events stay."""
    names = "book tape context at units moves toxic filled_bid filled_ask volatility".split()
    return replace(one, **{name: getattr(one, name)[rows] for name in names})


def window(one: Examples, event_ns: I64, from_ns: int, to_ns: int) -> Examples:
    """The examples of [from_ns, to_ns) whose labels end within it, so that no window knows of the next one.

    Args:
        event_ns: (E,) when each event was.
    """
    begin, stop = np.searchsorted(event_ns, [from_ns, to_ns])
    return rows_of(one, np.flatnonzero((one.at >= begin) & (one.at + AHEAD < stop)))


def loaded(tensors: Tensors) -> WorldModel:
    """The world model of a version's tensors."""
    model = WorldModel()
    world_model.load(model, tensors)
    return model


def learn(tensors: Tensors, windows: Sequence[Examples], how: Update) -> Learnt:
    """Go on from a version with the most recent examples.

    Raises:
        TapeError: they are too few, or too full of holes, for a sequence.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    count = how.burn + how.ahead
    places = [starts(one, count, 0, len(one)) for one in windows]
    if sum(map(len, places)) == 0:
        raise TapeError(f"no window is long enough for sequences of {count} steps to learn from")
    model, unread = loaded(tensors), reader(how.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=how.rate, weight_decay=how.decay)
    batches = [_batch(windows, places, how, n) for n in range(how.steps)]
    before = _loss(model, unread, batches, how)
    for n, batch in enumerate(batches):
        optimiser.zero_grad()
        _minimised(losses(model, unread, batch, how.burn, how.samples, _noise(how, n))).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), how.clip)
        optimiser.step()
    after = _loss(model, unread, batches, how)
    found = dict(tensors) | world_model.tensors_of(model)
    return Learnt(found, before, after, sum(map(len, windows)), digest_of(windows))


def _minimised(found: Losses) -> torch.Tensor:
    """As in training, but for the reading: its straight line is a part of training that no version keeps."""
    return 2 * found.moves + found.now + found.rollout + 0.5 * found.latent + 0.5 * found.rest


def _batch(windows: Sequence[Examples], places: Sequence[I64], how: Update, n: int) -> Batch:
    chance = np.random.default_rng([how.seed, n])
    return gather(windows, draw(chance, places, how.size), how.burn + how.ahead)


def _loss(model: WorldModel, unread: torch.nn.Linear, batches: Sequence[Batch], how: Update) -> float:
    with torch.no_grad():
        found = [
            float(_minimised(losses(model, unread, one, how.burn, how.samples, _noise(how, n)))) for n, one in enumerate(batches)
        ]
    return float(np.mean(found))


def _noise(how: Update, n: int) -> torch.Generator:
    drawn = np.random.SeedSequence([how.seed, n]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(drawn >> np.uint64(1)))


def distance(one: Tensors, other: Tensors) -> float:
    """Of two versions' trainable tensors: the norm of the difference over the norm of the second."""
    names = [name for name in other if not name.startswith("norm.")]
    apart = sum(float(np.square(one[name].astype(np.float64) - other[name]).sum()) for name in names)
    whole = sum(float(np.square(other[name].astype(np.float64)).sum()) for name in names)
    return float(np.sqrt(apart / whole))


def scores(model: WorldModel, one: Examples) -> Scores:
    """Of a window that the model did not learn of."""
    stride = MOVE_EVENTS[_HOLDING] // EVERY
    rows = np.arange(0, len(one), stride)
    probabilities = of_model(model)(one, rows)  # (m, 4, 3)
    begin, end = one.states[one.at[rows], MIDDLE], one.states[one.at[rows] + MOVE_EVENTS[_HOLDING], MIDDLE]
    moved = _BP * (end - begin) / np.maximum(begin, 1)
    held = probabilities[:, _HOLDING, 2] - probabilities[:, _HOLDING, 0]
    whole = len(rows) // BLOCK * BLOCK
    earned = (held * moved)[:whole].reshape(-1, BLOCK).mean(axis=1)
    told = np.mean([log_losses(one.moves[rows, j], probabilities[:, j]) for j in range(len(MOVE_EVENTS))], axis=0)
    return Scores(earned, told)


def digest_of(windows: Sequence[Examples]) -> str:
    """SHA-256 of what is learnt of: the arrays of the examples in order."""
    found = hashlib.sha256()
    for one in windows:
        found.update(one.digest.encode())
        for array in (one.at, one.book, one.tape, one.context, one.moves):
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
