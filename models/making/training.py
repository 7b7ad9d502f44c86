"""Training the maker's controller: cloned from what is known to be good, and then PPO in three worlds at once.

Encoder and dynamics are the champion's, frozen: the controller learns to quote on z as they make it of books that a world
emits. The worlds are the exact one, its grid with signal and regimes, and the event book.

1. **Cloning** (disclosed on the card): the net quotes, and learns what a teacher would have quoted where it came to (Ross,
   Gordon and Bagnell 2011). In the exact world and the grid the teacher is the optimum, which knows the hidden state; in the
   event book it is GLFT on rolling estimates, one of the baselines.
2. **PPO** (`models.ppo`) on what the worlds pay. The critic learns alone at first. The curriculum begins with quiet markets as
   they are; then come all training regimes with rates of arrival and latencies drawn anew for every market.

All seeds are training seeds (`models.worlds.world`); what is drawn is drawn from the seed of the training and a counter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from models import controller as nets
from models import ppo
from models.controller import ControllerModule
from models.inference import Core, make_core, put_weights
from models.net_contract import LATENT
from models.ppo import Horizons, Ppo
from models.world_model import tensors_of
from models.worlds.making_book import RANDOMISED, MakerBook, Sessions
from models.worlds.making_events import PRICE_UNIT, MakingPaths, MakingWorld
from models.worlds.making_grid import LOOKS, GridConfig, Optimum, solve
from models.worlds.making_run import NET, Maker, Run, run
from models.worlds.world import F32, REGIMES, TRAINING_REGIMES, TRAINING_SEEDS

Progress = Callable[[str, int, int, float], None]
QUIET: Final = ("mixed", "calm")
_OWN_GAIN: Final = 10.0  # own state is four small numbers beside 128: its columns begin so much greater
_PAYS: Final = 3.0  # rewards are divided by this: then they are of about 1
_MOST: Final = 3.0  # what one look pays in learning, at most: heavy tails would be all that is learnt from
_CLONED, _LEARNT = 0, 500_000  # where the training seeds of the two parts begin


@dataclass(frozen=True)
class MakerTraining:
    """How to train. Chosen on training seeds alone."""

    seed: int = 7
    clones: int = 16
    clone_rate: float = 1e-3
    clone_passes: int = 2
    kept: int = 8  # rounds of cloning that are learnt from at a time
    teacher: float = 0.1  # gamma of GLFT
    updates: int = 120
    critic_alone: int = 6
    paths: int = 24  # of the exact world, and of the grid, an update
    sessions: int = 12  # of the event book, of each regime
    regimes: int = 3  # of an update
    quiet: float = 0.2  # share of the updates with quiet markets alone
    deviations: tuple[float, float] = (0.25, 0.08)  # of raw actions, first and last
    rate: float = 4e-5  # of the actor


class Trained(NamedTuple):
    """The controller, and what was told of its updates: value of the three worlds by update, per path."""

    module: ControllerModule
    curve: list[dict[str, float]]


class Worlds(NamedTuple):
    """Where it learns."""

    plain: tuple[MakingWorld, ...]
    optima: tuple[Optimum, ...]
    book: MakerBook


def worlds() -> Worlds:
    """The exact world, its grid and the event book, with their settings as they are judged."""
    plain = MakingWorld(), MakingWorld(GridConfig(), "grid")
    return Worlds(plain, tuple(solve(one.config) for one in plain), MakerBook())


def core_of(frozen: dict[str, F32], module: ControllerModule) -> Core:
    """The compiled core with the frozen nets and a controller."""
    core = make_core()
    put_weights(core, frozen | tensors_of(module), "f" * 64)
    return core


def train(frozen: dict[str, F32], how: MakerTraining, places: Worlds, progress: Progress = lambda *_: None) -> Trained:
    """Train a controller on frozen nets. frozen: all tensors of a version, of which the controller's are not used."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    module = nets.initialised(how.seed)
    with torch.no_grad():
        for layer in (module.controller.actor1, module.controller.critic1):
            layer.weight[:, LATENT:] *= _OWN_GAIN
    clone(frozen, module, how, places, progress)
    return Trained(module.eval(), learn(frozen, module, how, places, progress))


def clone(frozen: dict[str, F32], module: ControllerModule, how: MakerTraining, places: Worlds, progress: Progress) -> None:
    """The actor learns what teachers would have quoted where it came to."""
    optimiser = torch.optim.Adam(module.parameters(), how.clone_rate)
    shown: list[tuple[F32, F32]] = []
    for n in range(how.clones):
        seed, core = TRAINING_SEEDS[_CLONED + n], core_of(frozen, module)
        for world, optimum in zip(places.plain, places.optima, strict=True):
            paths = world.draw(seed, how.paths)
            done = run(world, paths, Maker("net", NET, core=core), _noise(how, n, paths.kind.shape, 0.2), keeps=True)
            shown.append(_taught_by_optimum(world, optimum, paths, done))
        regime = TRAINING_REGIMES[n % len(TRAINING_REGIMES)]
        noise = _noise(how, n, (how.sessions, places.book.looks), 0.2)
        sessions = places.book.run(
            Maker("net", NET, core=core),
            seed,
            how.sessions,
            regime,
            drawn=RANDOMISED,
            noise=noise,
            keeps=True,
            teacher=how.teacher,
        )
        shown.append(_taught_by_rule(sessions))
        shown = shown[-3 * how.kept :]
        loss = _imitate(module, optimiser, shown, how.clone_passes * (1 if n + 1 < how.clones else 4), [how.seed, n])
        progress("cloning", n + 1, how.clones, loss)


def _noise(how: MakerTraining, n: int, shape: tuple[int, ...], deviation: float) -> F32:
    """(*shape, 4) of round n."""
    chance = np.random.default_rng([how.seed, n, shape[0], shape[1]])
    return (deviation * chance.standard_normal((*shape, 4), dtype=np.float32)).astype(np.float32)


def _taught_by_optimum(world: MakingWorld, optimum: Optimum, paths: MakingPaths, done: Run) -> tuple[F32, F32]:
    """(B, 132) seen and (B, 4) actions: the optimum's distances, and whole sizes."""
    there = np.arange(paths.kind.shape[1]) < paths.length[:, None]
    at, held = np.rint((1.0 - paths.left) * LOOKS).astype(int), (done.inventory + world.config.base.limit).astype(int)
    quotes = optimum.quotes[at, paths.state[:, :, 0], paths.state[:, :, 1], held] / PRICE_UNIT  # (P, T, 2)
    return done.seen[there], _whole(quotes[there])


def _taught_by_rule(sessions: Sessions) -> tuple[F32, F32]:
    there = sessions.seen[:, :, :LATENT].any(axis=2)
    return sessions.seen[there], _whole(sessions.taught[there])


def _whole(quotes: Any) -> F32:
    """(B, 2) distances in price units -> (B, 4) actions that can be done."""
    return np.column_stack([np.clip(quotes, 0.0, 2.0 * nets.OFFSET_HALF), np.ones((len(quotes), 2))]).astype(np.float32)


def _imitate(
    module: ControllerModule, optimiser: torch.optim.Optimizer, shown: list[tuple[F32, F32]], passes: int, seed: list[int]
) -> float:
    """Least squares of squashed actions. The mean loss of the last pass."""
    seen, wanted = (torch.from_numpy(np.concatenate(column)) for column in zip(*shown, strict=True))
    chance, told = np.random.default_rng(seed), 0.0
    for _ in range(passes):
        parts = torch.from_numpy(chance.permutation(len(seen))).split(2_048)
        told = 0.0
        for rows in parts:
            raw, _ = module.controller(seen[rows, :LATENT], seen[rows, LATENT:])
            loss: Tensor = ((nets.quote(raw) - wanted[rows]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            told += float(loss.detach()) / len(parts)
    return told


def learn(
    frozen: dict[str, F32], module: ControllerModule, how: MakerTraining, places: Worlds, progress: Progress
) -> list[dict[str, float]]:
    """PPO. What each update's horizons were worth, per path."""
    recipe = Ppo(rate=how.rate)
    optimiser = ppo.optimiser_of(module.controller, recipe)
    first = [group["lr"] for group in optimiser.param_groups]
    curve: list[dict[str, float]] = []
    for n in range(how.updates):
        done = n / max(1, how.updates - 1)
        deviation = how.deviations[0] * (how.deviations[1] / how.deviations[0]) ** done
        for group, rate in zip(optimiser.param_groups, first, strict=True):
            group["lr"] = rate * (1.0 - 0.9 * done)
        horizons, values = collect(core_of(frozen, module), how, places, n, deviation)
        learnt = ppo.update(
            module.controller, optimiser, horizons, recipe, deviation, np.random.default_rng([how.seed, n]),
            critic_alone=n < how.critic_alone,
        )  # fmt: skip
        curve.append(values | learnt._asdict())
        progress("learning", n + 1, how.updates, learnt.value_loss)
    return curve


def collect(core: Core, how: MakerTraining, places: Worlds, n: int, deviation: float) -> tuple[list[Horizons], dict[str, float]]:
    """Horizons of update n in all worlds, and their mean values."""
    seed, maker = TRAINING_SEEDS[_LEARNT + n], Maker("net", NET, core=core)
    horizons, values = [], {}
    for world in places.plain:
        paths = world.draw(seed, how.paths)
        done = run(world, paths, maker, _noise(how, n, paths.kind.shape, deviation), keeps=True)
        horizons.append(Horizons(done.seen, done.raw, done.reward / _PAYS, paths.length))
        values[world.name] = float(done.value.mean())
    quiet = n < how.quiet * how.updates
    chosen = QUIET if quiet else TRAINING_REGIMES
    parts = []
    for j in range(how.regimes):
        regime = chosen[(n * how.regimes + j) % len(chosen)]
        noise = _noise(how, n * how.regimes + j, (how.sessions, places.book.looks), deviation)
        sessions = places.book.run(
            maker, seed + 1_000 * j, how.sessions, regime, drawn=None if quiet else RANDOMISED, noise=noise, keeps=True
        )
        parts.append(sessions)
        paid = np.clip(sessions.reward / (_PAYS * REGIMES[regime].volatility ** 2), -_MOST, _MOST)
        horizons.append(Horizons(sessions.seen, sessions.raw, paid, np.full(how.sessions, places.book.looks)))
    values[places.book.name] = float(np.mean([one.value.mean() for one in parts]))
    return horizons, values


def settings(how: MakerTraining) -> str:
    """In words, for the card."""
    return ", ".join(f"{name} {value}" for name, value in asdict(how).items())
