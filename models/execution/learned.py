"""The learned strategy: encode what is seen, remember, roll the nets out over the rest of the order, plan, buy, and look again.

In each interval z is encoded from book and trades; h has taken in every interval before with what we really bought in it. From
(z, h) the nets roll out to the end, without noise for the expected path or as the mean of samples. Behind each step stand the
move that the market is expected to make and, by the impact model, what an even slice would slip: `Outlook`, whose program says
how much to buy now. Nothing but book, trades and what any desk sees goes in.

The parts can be taken away one by one, which is how it is told what each is worth: `replans`, `foresees_moves`,
`foresees_liquidity`, and `shuffled`, by which every order is shown another order's market.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from domain.errors import EmsError, WeightsError
from models import world_model
from models.impact import ImpactModel, read_impact
from models.interval_examples import Propagator, action_of
from models.net_contract import HEAD, LATENT, NOISE
from models.planners.almgren_chriss import URGENCY, trajectory
from models.planners.program import Outlook, quadratic, solve_many
from models.weights_store import INTERVAL, read_weights
from models.world_model import Observation, WorldModel
from models.worlds.world import F64, Public, Seen, World

WEIGHTS: Final = Path(__file__).parents[1] / "weights"
SHIPPED: Final = WEIGHTS / "scheduler.safetensors"
SHIPPED_IMPACT: Final = WEIGHTS / "scheduler-impact.safetensors"
SCALES: Final = (1 / 3, 4.0)  # impact by an order's own fills, over what the nets foretell
CAUTION: Final = 0.7  # of expected moves is acted on: 0.91 of the gain stays where they are right, 0.49 of the loss if not


class Market(NamedTuple):
    """What was measured in one world's training orders (`models.market_measures`): how our buying moves the price, and the
    scale of the nets' forecasts there. A world that is not named has the usual ones."""

    propagator: Propagator
    follows: tuple[float, float] = (
        1.0,
        1.0,
    )  # the market's move over the one foretold: of the next interval; times for each later
    slips: tuple[float, ...] = ()  # (n,) what an even slice slips over what was foretold, by interval; none: 1


class Nets(NamedTuple):
    """One version of the scheduler's weights. markets: by the world's name; "" is for every other."""

    model: WorldModel
    impact: ImpactModel
    markets: dict[str, Market]
    digest: str

    def market(self, name: str) -> Market:
        """That of a world, or the usual one."""
        return self.markets[name if name in self.markets else ""]


def read_nets(path: Path = SHIPPED, impact: Path = SHIPPED_IMPACT) -> Nets:
    """The shipped version. Raises WeightsError where it is missing, damaged, or its step is no interval."""
    found = read_weights(path, step=INTERVAL)
    model = WorldModel()
    world_model.load(model, found.tensors)
    try:
        told = json.loads(found.metadata["markets"])
        markets = {
            name: Market(Propagator(*one["propagator"]), (one["follows"][0], one["follows"][1]), tuple(one["slips"]))
            for name, one in told.items()
        }
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise WeightsError(f"{path.name} does not say how its markets move: {error}") from error
    if "" not in markets:
        raise WeightsError(f"{path.name} says nothing of markets that it does not name")
    return Nets(model.eval(), read_impact(impact), markets, found.digest)


def markets_text(markets: dict[str, Market]) -> str:
    """As it stands in a weights file."""
    return json.dumps(
        {
            name: {"propagator": list(one.propagator), "follows": list(one.follows), "slips": list(one.slips)}
            for name, one in markets.items()
        }
    )


class Foreseen(NamedTuple):
    """(P, n - k) of the intervals that are left: expected moves and what an even slice slips, both in price units."""

    moves: F64
    slips: F64


@dataclass
class _Memory:
    """Of P orders: the market they are in, what they saw and did."""

    market: Market
    h: Tensor  # (P, 128)
    z: Tensor  # (P, 128) of the interval before
    displaced: F64  # (P,) basis points
    paid: F64  # (2, P) basis points: what each interval's fills have slipped, added up, and the same foretold
    usual: F64 | None = None  # (P, n) what an even slice slips as a rule, price units
    slope: F64 | None = None  # (P,) basis points that each share was expected to slip in the interval before, by the nets alone
    plan: F64 | None = None  # (P, n) of the first look


@dataclass
class Learned:
    """The strategy, or one of its ablations. plans, fallbacks: since `begin`; without replanning an order has one."""

    nets: Nets
    name: str = "adaptive"
    replans: bool = True
    foresees_moves: bool = True
    foresees_liquidity: bool = True
    shuffled: bool = False
    samples: int = 0  # 0: the path without noise
    caution: float = CAUTION
    looks: bool = True
    seed: int = 0
    plans: int = 0
    fallbacks: int = 0  # plans that Almgren-Chriss made, where the program had none
    memory: _Memory = field(init=False, repr=False)

    def begin(self, world: World[Any], paths: int, seed: int) -> None:
        """Forget the orders before."""
        self.plans = self.fallbacks = 0
        none = torch.zeros(paths, LATENT)
        self.seed = seed
        self.memory = _Memory(self.nets.market(world.name), none, none, np.zeros(paths), np.zeros((2, paths)))

    @torch.no_grad()
    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares to buy now."""
        memory = self.memory
        if k:
            self._remember(k, public)
        if memory.plan is not None and not self.replans:
            rest = memory.plan[:, k:]
            return left * rest[:, 0] / np.maximum(rest.sum(axis=1), 1e-12)
        memory.z = self.nets.model.encode(_observation(seen))
        if self.shuffled:
            memory.z = memory.z[torch.from_numpy(np.random.default_rng([self.seed, k]).permutation(len(left)))]
        memory.plan = np.zeros((len(left), public.intervals))
        memory.plan[:, k:], failed = _schedule(self._outlook(k, seen, public), left, public)
        self.plans, self.fallbacks = self.plans + len(left), self.fallbacks + failed
        return memory.plan[:, k]

    def _remember(self, k: int, public: Public) -> None:
        """What we bought in the interval that is over enters h, and displaces the price."""
        memory, before = self.memory, public._replace(k=k - 1)
        _, memory.h = self.nets.model.step(memory.z, torch.from_numpy(action_of(public.bought[:, k - 1], before)), memory.h)
        p, bought = memory.market.propagator, public.bought[:, k - 1]
        slipped = np.where(bought > 0, public.prices[:, k - 1] - public.mids[:, k - 1], 0.0)
        foretold = bought * (0.0 if memory.slope is None else memory.slope)
        if p.within:
            slipped = foretold  # what was paid is mostly what the market did meanwhile
        memory.paid = memory.paid + np.stack([slipped, foretold])
        memory.displaced = p.decay * (memory.displaced + p.displaces(public.curve[k - 1] * public.intervals) * slipped)

    def _outlook(self, k: int, seen: Seen, public: Public) -> Outlook:
        """In basis points and shares."""
        memory, p = self.memory, self.memory.market.propagator
        told = self._foreseen(k, seen, public)
        unit, even = seen.units[:, :1], public.total[:, None] / public.intervals
        first, later = memory.market.follows
        alpha = self.caution * first * later ** np.arange(told.moves.shape[1]) * told.moves * unit * self.foresees_moves
        # A purchase pays a part of the move of its own interval: from one purchase to the next it is this that the price moves.
        alpha = (1 - p.within) * alpha + p.within * np.concatenate([alpha[:, 1:], alpha[:, -1:]], axis=1)
        slips = told.slips * (np.array(memory.market.slips)[k:] if memory.market.slips else 1.0)
        if memory.usual is None:
            memory.usual = self._without_news(slips, public)
        slope = (slips if self.foresees_liquidity else memory.usual[:, k:]) * unit / even  # bps that each share slips
        memory.slope = slope[:, 0]
        if not k:  # as if an even slice had slipped what is foretold
            memory.paid = np.stack([slope[:, 0] * even[:, 0]] * 2)
        slope = slope * np.clip(memory.paid[0] / memory.paid[1], *SCALES)[:, None]
        kappa = p.displaces(public.curve[k:] * public.intervals) * slope
        permanent = p.permanent * unit[:, 0] * np.sqrt(public.total / public.usual_volume) / even[:, 0]
        return Outlook(
            alpha=alpha, eta=np.maximum(slope - kappa / 2 - permanent[:, None] / 2, 0.02 * slope), kappa=kappa,
            decay=np.full_like(slope, p.decay), gamma=permanent, risk=np.zeros_like(slope), displacement=memory.displaced,
        )  # fmt: skip

    def _without_news(self, slips: F64, public: Public) -> F64:
        """(P, n) slips as they are as a rule, asked when the last interval is as far away as it ever is.

        The orders' average by interval, in the scale of what the order's last interval is expected to slip.
        """
        shape = slips.mean(axis=0) / slips[:, -1].mean()
        return slips[:, -1:] * shape

    def _foreseen(self, k: int, seen: Seen, public: Public) -> Foreseen:
        """Roll out while buying evenly what is left."""
        nets, steps, paths = self.nets, public.intervals - k, len(public.total)
        actions = [torch.from_numpy(action_of(public.left / steps, public._replace(k=j))) for j in range(k, public.intervals)]
        each = max(1, self.samples)
        chance = torch.Generator().manual_seed(self.seed * 1_000 + k)
        z, h = (one.repeat(each, 1) for one in (self.memory.z, self.memory.h))
        even = torch.from_numpy(public.total / public.intervals / seen.units[:, 1]).float()
        moves, slips = [], []
        for j, action in enumerate(actions):
            eps = torch.randn(each * paths, NOISE, generator=chance) if self.samples else None
            z, h = nets.model.step(z, action.repeat(each, 1), h, eps)
            share = torch.from_numpy(public.total / public.intervals / (public.usual_volume * public.curve[k + j])).float()
            moves.append(nets.model.forecast(z)[:, HEAD["return_mean"]].view(each, paths).mean(dim=0))
            told = nets.impact(z, even.repeat(each), share.repeat(each)).temporary
            slips.append(told.view(each, paths).mean(dim=0))
        return Foreseen(*(torch.stack(one, dim=1).double().numpy() for one in (moves, slips)))


def _schedule(outlook: Outlook, left: F64, public: Public) -> tuple[F64, int]:
    """(P, n - k) shares of least expected cost under the caps, and how many orders had none and follow Almgren-Chriss."""
    left, rest = np.maximum(left, 0.0), public.intervals - public.k  # a finished order may lack a rounding of nothing
    caps = np.minimum(np.maximum(public.cap, left / rest)[:, None], left[:, None]) * np.ones(rest)
    try:
        return _solved(outlook, left, caps), 0
    except EmsError:  # one order's program fails them all: each by itself
        shares, failed = left[:, None] * trajectory(rest, URGENCY), 0
        for i in range(len(left)):
            row = slice(i, i + 1)
            arrays: dict[str, Any] = outlook._asdict()
            alone = {name: each[row] if np.ndim(each) else each for name, each in arrays.items()}
            try:
                shares[row] = _solved(Outlook(**alone), left[row], caps[row])
            except EmsError:
                failed += 1
        return shares, failed


def _solved(outlook: Outlook, left: F64, caps: F64) -> F64:
    form = quadratic(outlook, left)
    return solve_many(form.G, form.b, left, caps)


def _observation(seen: Seen) -> Observation:
    return Observation(*(torch.from_numpy(np.ascontiguousarray(one)) for one in (seen.book, seen.tape, seen.context)))


def ablations(nets: Nets) -> list[Learned]:
    """The strategy, and what is left of it without one part after the other."""
    return [
        Learned(nets),
        Learned(nets, "no_replan", replans=False),
        Learned(nets, "no_alpha", foresees_moves=False),
        Learned(nets, "no_liquidity", foresees_liquidity=False),
        Learned(nets, "shuffled_z", shuffled=True),
    ]
