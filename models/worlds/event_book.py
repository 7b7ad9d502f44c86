"""The event book as a world: parent orders worked with real child orders in a matching book, against seeded flow.

What happens in a second is in `models.worlds.event_market`, what drives it in `models.worlds.event_flow`, and its settings in
`models.worlds.event_settings`. Half of the orders sell: what is seen of them, their prices and their costs are mirrored, so that
every order here looks like one that buys. Every strategy's shares become the same child orders: six pieces an interval, each
a marketable order, or (`passive`) in part an order that waits at the near touch until the next piece.

Fills are the venue's book's own. In the last interval what the book could not sell is asked for once more, as far as it
reaches; what is still left is priced `residual_bps` beyond the middle, and counts as not filled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from domain.errors import ConfigError, InvariantBroken
from domain.tape import empty_tape
from models.feature_arrays import make_features
from models.market.layout import I64, N_CROSSED, N_INVALID, N_LOCKED, N_OUTSIDE, N_OVERFLOW, N_SHORT, N_UNKNOWN, make_book
from models.market.matching import FILL_COLUMNS
from models.observation import make_watch
from models.worlds import event_flow as ef
from models.worlds.event_flow import F64, INTERVALS, SLOTS, WARM, Drive, key_of
from models.worlds.event_market import COUNTS, DONE, LIVES, ORDERS, PAID, Market, finish, interval
from models.worlds.event_seen import seen_of
from models.worlds.event_settings import TOXIC, EventBookConfig, curve, parameters, volume
from models.worlds.event_truth import truth_of
from models.worlds.world import ARRIVAL, CAP_SLICES, REGIMES, Cost, Public, Seen, Truth, config_sha256, regime_named

_ORDERS_LIVE: Final = 1024  # of a path, most at a time


class EventState(NamedTuple):
    """Orders before interval k. The market itself goes on: only the newest state of it can be traded in."""

    k: int
    regime: str
    market: Market
    sides: I64  # (P,)
    total: F64  # (P,)
    mids: F64  # (P, k + 1) of the buyer's frame
    volume: F64  # (P, k)
    bought: F64  # (P, k)
    prices: F64  # (P, k)
    seen: Seen
    missed: F64  # (P,) shares that the book never had
    passed: I64  # (1,) how far the market has gone


@dataclass(frozen=True)
class EventBook:
    """The world; see `models.worlds.world.World`."""

    config: EventBookConfig = field(default_factory=EventBookConfig)
    name: str = "event-book"
    intervals: int = INTERVALS

    @property
    def config_sha256(self) -> str:
        """Of the settings and the regimes."""
        return config_sha256(self.name, self.config)

    @property
    def regimes(self) -> tuple[str, ...]:
        """All but the one whose prices run backward, which no book can do."""
        return tuple(name for name in REGIMES if name != "backward")

    def start(self, seed: int, paths: int, regime: str = "mixed") -> EventState:
        """P orders have arrived: sides and sizes alternate.

        Raises:
            ConfigError: no such regime, or more orders would come than the market has room for.
        """
        known = regime_named(regime, self.regimes)
        sides = np.where(np.arange(paths) % 2 == 0, 1, -1).astype(np.int64)
        one = parameters(self.config, regime, known)
        most = one[ef.LIMITS] * one[ef.THICK] * (1 + one[ef.OPENING] + one[ef.CLOSING]) * LIVES
        if most >= ORDERS:
            raise ConfigError(f"regime {regime}: {most:.0f} limit orders in {LIVES} s; there is room for {ORDERS}")
        par = np.tile(one, (paths, 1))
        par[:, ef.DRIFT] *= sides
        market = _market(self.config, seed, par)
        share = np.array(self.config.participations)[np.arange(paths) // 2 % len(self.config.participations)]
        total = np.round(share * volume(self.config, regime))
        mids: F64 = np.full(paths, np.nan)
        traded = np.zeros(paths)
        nothing = np.zeros(paths, np.int64)
        interval(market, -WARM, WARM, sides, nothing, nothing, 0.0, mids, traded)
        mids = np.where(np.isnan(mids), market.drive.x[:, ef.M], mids)  # a side is empty, which lasts for a moment
        first = (sides * mids)[:, None]
        seen = _look(market, sides, np.ones(paths), 1.0)
        none = np.zeros((paths, 0))
        return EventState(0, regime, market, sides, total, first, none, none, none, seen, np.zeros(paths), np.zeros(1, np.int64))

    def seen(self, state: EventState) -> Seen:
        """What the desk's book, features and observation say, mirrored for orders that sell."""
        return state.seen

    def public(self, state: EventState) -> Public:
        """What any desk sees."""
        total, n = state.total, self.intervals
        mids = state.mids - state.mids[:, :1] + ARRIVAL
        prices = np.where(state.bought > 0, state.prices - state.mids[:, :1] + ARRIVAL, 0.0)
        return Public(
            state.k, n, total, total - state.bought.sum(axis=1) - state.missed, CAP_SLICES * total / n, mids[:, -1], mids,
            state.volume, state.bought, prices, curve(state.regime), np.full(len(total), volume(self.config, state.regime)),
        )  # fmt: skip

    def trade(self, state: EventState, shares: F64) -> EventState:
        """Work shares (P,) in the interval, in whole shares: what rounding or the book has left over is worked in the next."""
        if state.passed[0] != state.k:
            raise InvariantBroken(f"the market of this state has gone on to interval {state.passed[0]}")
        market, sides, last = state.market, state.sides, state.k == self.intervals - 1
        left = state.total - state.bought.sum(axis=1)
        want = left if last else np.clip(np.round(shares), 0, left)
        mids, traded = state.mids[:, -1] * sides, np.zeros(len(sides))
        whole = left.astype(np.int64), want.astype(np.int64)
        interval(market, state.k * SLOTS, SLOTS, sides, *whole, self.config.passive, mids, traded)
        missed = np.zeros(len(sides), np.int64)
        if last:
            finish(market, (state.k + 1) * SLOTS, sides, missed)
        state.passed[0] += 1
        done = market.own[:, DONE].astype(np.float64)
        prices = np.where(done > 0, sides * market.own[:, PAID] / np.maximum(done, 1.0), 0.0)
        bought, time_left = np.column_stack([state.bought, done]), 1.0 - (state.k + 1) / self.intervals
        seen = _look(market, sides, (state.total - bought.sum(axis=1)) / state.total, time_left)
        return state._replace(
            k=state.k + 1, mids=np.column_stack([state.mids, mids * sides]), volume=np.column_stack([state.volume, traded]),
            bought=bought, prices=np.column_stack([state.prices, prices]), seen=seen, missed=missed.astype(np.float64),
        )  # fmt: skip

    def cost(self, state: EventState) -> Cost:
        """Shortfall against the middle at arrival, of fills in the book and of the penalty for what it never had.

        The noise of the fundamental, times what was still to trade when it came, is integrated out of `expected_bps` by summing
        by parts: nothing that an order could know foretells it. Where flow is toxic or an order rests, something could, and
        the two are the same.
        """
        arrival = state.mids[:, :1]
        paid = (state.bought * (state.prices - arrival)).sum(axis=1)
        paid += state.missed * (state.mids[:, -1] + self.config.residual_bps - arrival[:, 0])
        bps = paid / state.total
        noise = state.sides * state.market.drive.x[:, ef.CARRIED] / state.total
        foretold = state.regime in TOXIC or self.config.passive > 0
        return Cost(bps, bps if foretold else bps - noise, state.bought.sum(axis=1) / state.total)

    def truth(self, state: EventState) -> Truth:
        """See `models.worlds.event_truth`."""
        left = state.total - state.bought.sum(axis=1)
        usual = volume(self.config, state.regime) * curve(state.regime)[state.k :]
        return truth_of(state.market.drive, state.k, state.sides, left, self.config.walk_bps, self.config.sigma_bps, usual)

    def faults(self, state: EventState) -> dict[str, int]:
        """What must be nought: orders without room in the book or on its ladder, records that the desk did not understand."""
        venue, desk = state.market.venue.meta, state.market.desk.meta
        unheard = desk[:, [N_UNKNOWN, N_OVERFLOW, N_OUTSIDE, N_INVALID, N_SHORT, N_CROSSED, N_LOCKED]]
        return {
            "outside": int(venue[:, N_OUTSIDE].sum()),
            "overflow": int(venue[:, N_OVERFLOW].sum()),
            "unheard": int(unheard.sum()),
        }


def _market(config: EventBookConfig, seed: int, par: F64) -> Market:
    """Empty books around the fundamental, and drivers in their long-run distribution."""
    paths = len(par)
    x = np.zeros((paths, ef.STATE))
    x[:, ef.M], key = config.window / 2 + 0.5, np.array([key_of(seed, p) for p in range(paths)], np.uint64)
    rng = np.stack([key ^ np.uint64(0x5851F42D4C957F2D), key ^ np.uint64(0x14057B7EF767814F)], axis=1)  # (P, 2)
    drive = Drive(x, par, rng, key, np.zeros((paths, ef.PARENTS, 2), np.int64))
    ef.begin(drive)

    venue, desk = (make_book(0, config.window, _ORDERS_LIVE * paths, paths) for _ in range(2))
    return Market(
        venue=venue._replace(shown=empty_tape(1 << 16)), desk=desk, drive=drive,
        features=make_features(paths, bucket_lots=int(config.usual_volume / INTERVALS / 20)), watch=make_watch(paths),
        due=np.zeros((paths, LIVES), np.int32), chain=np.zeros((paths, ORDERS), np.int32),
        ids=np.zeros((paths, ORDERS), np.int64), serial=np.zeros(paths, np.int64),
        own=np.zeros((paths, COUNTS), np.int64), fills=np.zeros((512, FILL_COLUMNS), np.int64),
    )  # fmt: skip


def _look(market: Market, sides: I64, left: F64, time_left: float) -> Seen:
    return seen_of(market.watch, market.features, market.desk, sides, left, time_left)
