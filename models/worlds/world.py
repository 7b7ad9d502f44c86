"""What every world in which execution is judged gives, what a strategy may see of it, and which seeds and regimes are whose.

An order buys `total` shares over `intervals` intervals; selling is the mirror. P orders run beside each other, one row each.
**Prices are in basis points of the price at arrival**, so a world's price differences are basis points, and its own "price units"
(`Seen.units`) are what the nets see prices in. Before interval k the strategy looks (`seen`, `public`), names shares, and the
world trades them. In the last interval everything that is left is bought.

Everything that the market does by itself is drawn from the seed alone, and drawn row by row: every strategy meets the same
market, and the first rows of more orders are those of fewer.

Seeds and regimes are split here and nowhere else. What learns or chooses settings uses TRAINING_SEEDS and TRAINING_REGIMES; what
is told uses JUDGING_SEEDS. HELD_OUT_REGIMES are judged in, and never learnt from.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from domain.errors import ConfigError
from models.net_contract import BOOK, CONTEXT, OWN_STATE, TAPE_ROWS, TRADES

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
INTERVALS: Final = 20
ARRIVAL: Final = 10_000.0  # the middle when the order arrives, so that a price difference is in basis points
CAP_SLICES: Final = 3.0  # no interval may buy more than this times the even slice

TRAINING_SEEDS: Final = range(1_000_000, 2_000_000)
JUDGING_SEEDS: Final = range(7_000_000, 8_000_000)


class Regime(NamedTuple):
    """How a regime differs from the world's usual day. What a world cannot do (a drift in a replayed tape) it refuses by name."""

    volatility: float = 1.0  # times the usual, of noise and signal alike
    impact: float = 1.0  # times the usual: the inverse of depth
    switching: bool = True  # liquidity switches between a deep and a thin state
    drift: float = 0.0  # expected move over the horizon against the order, in standard deviations of the horizon's move
    signal: float = 1.0  # times the usual standard deviation of the signal
    power_law: bool = False  # what is displaced comes back by a power law instead of exponentially
    backward: bool = False  # what books foretell comes after the order, run backward: prices do not follow them


REGIMES: Final[dict[str, Regime]] = {
    "mixed": Regime(),
    "calm": Regime(volatility=0.7, impact=0.7),
    "volatile": Regime(volatility=2.5, impact=1.5),
    "adverse": Regime(drift=0.45),
    "favourable": Regime(drift=-0.45),
    "open": Regime(volatility=1.8, impact=1.3),
    "close": Regime(volatility=1.2, impact=0.6),
    "toxic": Regime(signal=1.6, impact=1.3),
    "drought": Regime(impact=1 / 0.3, switching=False),
    "power_law": Regime(power_law=True),
    "no_alpha": Regime(signal=0.0, switching=False),
    "backward": Regime(backward=True, switching=False),
}
TRAINING_REGIMES: Final = ("mixed", "calm", "volatile", "adverse", "favourable", "open", "close")
HELD_OUT_REGIMES: Final = ("toxic", "drought", "power_law")
CHECK_REGIMES: Final = ("no_alpha", "backward")  # in which there must be nothing to gain


class Seen(NamedTuple):
    """What the nets see, in the net contract's observation units (`models.net_contract`)."""

    book: F32  # (P, 40)
    tape: F32  # (P, 3, 50)
    context: F32  # (P, 18)
    own: F32  # (P, 4): share of the order that is left, 0, 0, share of the time that is left
    units: F64  # (P, 2): the price unit in basis points, the size unit in shares: the desk's own running averages


class Public(NamedTuple):
    """What any desk sees besides book and trades. Rows are orders; columns the intervals that are over."""

    k: int
    intervals: int
    total: F64  # (P,) shares
    left: F64  # (P,)
    cap: F64  # (P,) the most that this interval may buy
    mid: F64  # (P,)
    mids: F64  # (P, k + 1) the middle at the beginning of each interval so far, this one with them
    volume: F64  # (P, k) shares that the market traded
    bought: F64  # (P, k) shares that we bought
    prices: F64  # (P, k) average price of each interval's purchases, 0 where there were none
    curve: F64  # (n,) the usual share of the horizon's volume, by interval
    usual_volume: F64  # (P,) shares that the market usually trades over the horizon


class Truth(NamedTuple):
    """What only the world knows, for the rows that are marked as bounds. Columns are the intervals k .. n - 1."""

    alpha: F64  # (P, n - k) expected moves given everything that is known before k, basis points
    eta: F64  # (P, n - k) expected temporary impact, bps per share
    kappa: F64  # (P, n - k) expected transient impact
    decay: F64  # (P, n - k) share of the displacement that is left an interval later
    gamma: F64  # (P,) permanent impact
    risk: F64  # (P, n - k)
    displacement: F64  # (P,) what was displaced and has not come back
    moves: F64  # (P, n - k) the moves that will happen: for oracles
    alphas: F64  # (P, n - k) the signal's values that will be: for oracles
    etas: F64  # (P, n - k) temporary impact that will be
    kappas: F64  # (P, n - k) transient impact that will be
    volume: F64  # (P, n - k) shares that the market will trade: for the oracle of volume
    factor: F64  # (P, n - k) expected impact over the usual of this order
    impact: F64  # (P,) usual impact of this order's regime and scenario, over the world's
    volatility: F64  # (P,) the same of volatility


class Cost(NamedTuple):
    """Implementation shortfall of finished orders against arrival."""

    bps: F64  # (P,) as it happened
    expected_bps: F64  # (P,) with the price's own noise integrated out where the world can, else the same
    filled: F64  # (P,) share of the order


S = TypeVar("S")


class World(Protocol[S]):
    """A market, and orders that run in it. A state is never changed after it was made."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in weights files."""
        ...

    @property
    def intervals(self) -> int:
        """Of an order."""
        ...

    @property
    def config_sha256(self) -> str:
        """Of everything that decides how the world behaves."""
        ...

    @property
    def regimes(self) -> tuple[str, ...]:
        """Those of REGIMES that the world can show."""
        ...

    def start(self, seed: int, paths: int, regime: str = "mixed") -> S:
        """P orders have arrived.

        Raises:
            ConfigError: the world does not know the regime.
        """
        ...

    def seen(self, state: S) -> Seen:
        """The same however often it is asked."""
        ...

    def public(self, state: S) -> Public:
        """What any desk sees."""
        ...

    def truth(self, state: S) -> Truth:
        """For bounds alone.

        Raises:
            ConfigError: this world does not know it itself.
        """
        ...

    def trade(self, state: S, shares: F64) -> S:
        """Buy shares (P,) in the interval; in the last one, whatever is left."""
        ...

    def cost(self, state: S) -> Cost:
        """After the last interval."""
        ...


class Policy(Protocol):
    """A strategy. It may remember what it saw from `begin` on, for these orders alone."""

    name: str
    looks: bool  # at books and trades; one that does not is handed empty ones, which is quicker

    def begin(self, world: World[Any], paths: int, seed: int) -> None:
        """New orders have arrived; forget the ones before."""
        ...

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) to buy in interval k. The harness keeps them within 0 and the cap, and lets the last interval buy what is left."""
        ...


@runtime_checkable
class Knowing(Protocol):
    """A bound, not a strategy: told before each interval what only the world knows. Some are held to no cap."""

    uncapped: bool

    def tell(self, truth: Truth) -> None:
        """Before `shares` is asked."""
        ...


def regime_named(name: str, known: tuple[str, ...] = tuple(REGIMES)) -> Regime:
    """One of REGIMES.

    Raises:
        ConfigError: there is none of that name, or the world does not show it.
    """
    if name not in known or name not in REGIMES:
        raise ConfigError(f"no regime {name!r}; there are {', '.join(known)}")
    return REGIMES[name]


def config_sha256(name: str, config: Any) -> str:
    """Of a world's name, its settings (a dataclass) and the regimes' definitions, as JSON with sorted keys."""
    told = {"world": name, "config": asdict(config), "regimes": REGIMES, "cap_slices": CAP_SLICES}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def chance(seed: int, stream: int) -> np.random.Generator:
    """Of one stream of a seed. Streams of different numbers have nothing to do with each other."""
    return np.random.Generator(np.random.Philox(key=[seed, stream]))


def capped(shares: F64, public: Public) -> F64:
    """Between 0, the interval's cap and what is left; never so little that later caps could not finish the order."""
    later = (public.intervals - 1 - public.k) * public.cap
    least = np.maximum(0.0, public.left - later)
    return np.clip(shares, least, np.minimum(public.cap, public.left))


def blind(paths: int) -> Seen:
    """Nothing seen."""
    book, tape, context = np.zeros((paths, BOOK), np.float32), np.zeros((paths, TAPE_ROWS, TRADES), np.float32), (paths, CONTEXT)
    return Seen(book, tape, np.zeros(context, np.float32), np.zeros((paths, OWN_STATE), np.float32), np.ones((paths, 2)))


@dataclass(frozen=True)
class Finished:
    """Costs of one strategy's orders, and what it bought: (P, n) shares."""

    cost: Cost
    bought: F64


def run(world: World[S], policy: Policy, seed: int, paths: int, regime: str = "mixed") -> Finished:
    """Work P orders from arrival to the end."""
    state = world.start(seed, paths, regime)
    policy.begin(world, paths, seed)
    for k in range(world.intervals):
        public = world.public(state)
        if isinstance(policy, Knowing):
            policy.tell(world.truth(state))
        seen = world.seen(state) if policy.looks else blind(paths)
        shares = np.asarray(policy.shares(k, public.left, seen, public), np.float64)
        free = isinstance(policy, Knowing) and policy.uncapped
        state = world.trade(state, shares if free else capped(shares, public))
    return Finished(world.cost(state), world.public(state).bought)
