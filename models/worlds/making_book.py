"""The event book as a maker's world: sessions of quotes in the queues of seeded markets, and what they brought.

Everything the others do comes from the seed, whoever quotes; what differs is what our quotes did to the queues. Money is in ticks
times quotes (a tick is a basis point, a quote the configured size). The **objective** is the specification's reward summed over a
session:

    spread captured - 0.01 x seconds x (inventory - 0)^2 - 0.5 x adverse selection loss

Spread captured: the fill's distance from the others' middle just before it. Inventory in quotes. Adverse selection loss of a
fill: by how much that middle has gone against it 5 s later, if it has. **P&L** is what it is: cash, and what is left sold at
the far touch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from domain.errors import ConfigError, InvariantBroken
from models import inference_layout as lay
from models.market.layout import N_OVERFLOW, N_UNKNOWN
from models.worlds import event_flow as ef
from models.worlds.event_book import market_of
from models.worlds.event_flow import F64, WARM
from models.worlds.event_market import I64, LIVES, ORDERS, Market, interval
from models.worlds.event_settings import EventBookConfig, parameters
from models.worlds.making_market import (
    CASH,
    EDGE,
    ENDED,
    F_LOOK,
    F_LOTS,
    F_MID2,
    F_PRICE,
    F_WAY,
    FILL,
    FILLS,
    INVENTORY,
    KEPT,
    LATENCY_NS,
    LIFE_NS,
    LIMIT,
    LOOKS_A_SECOND,
    PLACED,
    PLACED_LOTS,
    REFUSED,
    ROLLING,
    SIDE,
    SIDES,
    SIZE,
    TERMS,
    WHO,
    Seat,
    exits,
    session,
)  # fmt: skip
from models.worlds.making_run import SEEN, Maker
from models.worlds.world import F32, chance, config_sha256, regime_named

MARKOUTS_S: Final = (1, 5, 30)
_ROOM: Final = 2_048  # fills of a session, at most
_TERMS: Final = 31  # a stream


@dataclass(frozen=True)
class MakerBookConfig:
    """Settings of the maker's world."""

    market: EventBookConfig = field(default_factory=EventBookConfig)
    seconds: int = 300
    size_lots: int = 100
    limit_sizes: int = 10
    latency_ms: float = 20.0
    edge_half_ticks: int = 1
    inventory_weight: float = 0.01  # lambda_inventory of the specification, by the second
    adverse_weight: float = 0.5  # lambda_adverse
    adverse_s: int = 5


class Drawn(NamedTuple):
    """What may differ from one market to the next, where learning draws it: factors of arrivals, and latencies."""

    limits: tuple[float, float] = (1.0, 1.0)
    markets: tuple[float, float] = (1.0, 1.0)
    latency_ms: tuple[float, float] = (20.0, 20.0)


RANDOMISED: Final = Drawn((0.7, 1.4), (0.7, 1.4), (5.0, 100.0))


class Sessions(NamedTuple):
    """What P makers did in sessions of T looks. Money in ticks x quotes."""

    reward: F64  # (P, T) of the objective
    pnl: F64  # (P,)
    captured: F64  # (P,) spread
    adverse: F64  # (P,) loss by adverse selection
    held: F64  # (P, T) inventory at each look, quotes
    wealth: F64  # (P, T) cash and inventory at the middle
    markouts: F64  # (P, 3) sums over fills of how far the middle was on our side of the price 1, 5, 30 s later, times quotes
    fills: I64  # (P,)
    filled: F64  # (P,) quotes
    placed: F64  # (P,) quotes
    counts: I64  # (P, 4) orders placed, kept, refused, ended
    life_s: F64  # (P,) summed over ended orders
    breaches: I64  # (P,) looks beyond the limit
    seen: F32  # (P, T, 132) and raw (P, T, 4): of a net that learns
    raw: F32
    taught: F32  # (P, T, 2) what a teacher would have quoted, price units

    @property
    def value(self) -> F64:
        """(P,) the objective."""
        return self.reward.sum(axis=1)


@dataclass(frozen=True)
class MakerBook:
    """The world."""

    config: MakerBookConfig = field(default_factory=MakerBookConfig)
    name: str = "event-book"

    @property
    def config_sha256(self) -> str:
        """Of the settings and the regimes."""
        return config_sha256(self.name, self.config)

    @property
    def looks(self) -> int:
        """T, of a session."""
        return self.config.seconds * LOOKS_A_SECOND

    def run(
        self, maker: Maker, seed: int, paths: int, regime: str = "mixed", *, drawn: Drawn | None = None, noise: F32 | None = None,
        keeps: bool = False, teacher: float = 0.0,
    ) -> Sessions:  # fmt: skip
        """P sessions of a maker; drifts of the regime go up in one market and down in the next.

        Args:
            drawn: None: the settings as they are.
            noise: (P, T, 4) that is added to raw actions, for learning. keeps: what a net saw and did.
            teacher: gamma of the GLFT rule whose quotes are kept beside it; 0: of none.

        Raises:
            ConfigError: no such regime, or more orders would come than the market has room for.
        """
        c = self.config
        par = np.tile(parameters(c.market, regime, regime_named(regime)), (paths, 1))
        par[:, ef.DRIFT] *= np.where(np.arange(paths) % 2 == 0, 1.0, -1.0)
        latency: F64 = np.full(paths, c.latency_ms)
        if drawn is not None:
            uniform = chance(seed, _TERMS).random((paths, 3))
            for n, (column, (low, high)) in enumerate(((ef.LIMITS, drawn.limits), (ef.MARKETS, drawn.markets))):
                par[:, column] *= low * (high / low) ** uniform[:, n]
            latency = drawn.latency_ms[0] * (drawn.latency_ms[1] / drawn.latency_ms[0]) ** uniform[:, 2]
        most = float((par[:, ef.LIMITS] * par[:, ef.THICK] * (1 + par[:, ef.OPENING])).max()) * LIVES
        if most >= ORDERS:
            raise ConfigError(f"regime {regime}: {most:.0f} limit orders in {LIVES} s; there is room for {ORDERS}")
        market = market_of(c.market, seed, par)
        sides, nothing = np.ones(paths, np.int64), np.zeros(paths, np.int64)
        interval(market, -WARM, WARM, sides, nothing, nothing, 0.0, np.zeros(paths), np.zeros(paths))
        seat = self.seat(market, paths, latency, keeps, taught=teacher > 0)
        who = np.array([maker.kind, maker.number, float(noise is not None), teacher])
        chosen = np.zeros((1, 1, 4), np.float32) if noise is None else noise
        session(market, seat, c.seconds, who, maker.core, chosen)
        last = np.zeros((paths, 2), np.int64)
        exits(market, seat, last)
        if market.venue.meta[:, [N_OVERFLOW, N_UNKNOWN]].any() or (seat.who[:, FILLS] > _ROOM).any():
            raise InvariantBroken(f"a market of seed {seed} had no room for its orders or for our fills")
        return told(seat, last, c)

    def seat(self, market: Market, paths: int, latency_ms: F64, keeps: bool, taught: bool) -> Seat:
        c, looks = self.config, self.looks
        terms = np.zeros((paths, TERMS), np.int64)
        terms[:, SIZE], terms[:, LIMIT] = c.size_lots, c.limit_sizes * c.size_lots
        terms[:, LATENCY_NS], terms[:, EDGE] = np.round(latency_ms * 1e6), c.edge_half_ticks
        rolling = np.zeros((paths, ROLLING))
        rolling[:] = (100.0, 100.0 / c.market.markets_per_s, 100.0, 2.0, 0.0)
        rows = (paths, looks) if keeps else (0, 0)
        return Seat(
            who=np.zeros((paths, WHO), np.int64), terms=terms, rolling=rolling,
            state=np.zeros((paths, lay.STATE), np.float32), inputs=lay.aligned(lay.INPUTS), results=lay.aligned(lay.RESULTS),
            action=np.zeros(4, np.float32), quotes=np.zeros(2), estimates=np.zeros(3),
            fills=np.zeros((paths, _ROOM, FILL), np.int64), mid2=np.zeros((paths, looks), np.int64),
            held=np.zeros((paths, looks), np.int64), cash=np.zeros((paths, looks), np.int64),
            shown=np.zeros((paths, looks, 2), np.int64),
            seen=np.zeros((*rows, SEEN), np.float32), raw=np.zeros((*rows, 4), np.float32),
            taught=np.zeros((paths, looks, 2) if taught else (0, 0, 2), np.float32),
        )  # fmt: skip


def filled_forward(mid2: I64) -> F64:
    """(P, T) middles in ticks; where there was none, the one before, or the first that there is."""
    there = mid2 > 0
    last = np.maximum.accumulate(np.where(there, np.arange(mid2.shape[1]), 0), axis=1)
    middle = np.take_along_axis(mid2, last, axis=1) / 2.0
    first = np.take_along_axis(mid2, there.argmax(axis=1)[:, None], axis=1) / 2.0
    return np.where(middle > 0, middle, first)


def told(seat: Seat, last: I64, c: MakerBookConfig) -> Sessions:
    """What sessions brought, from what was noted. last (P, 2): others' best prices at the end."""
    paths, looks = seat.mid2.shape
    size, middle = float(c.size_lots), filled_forward(seat.mid2)
    reward, captured, adverse = np.zeros((paths, looks)), np.zeros(paths), np.zeros(paths)
    markouts, filled = np.zeros((paths, len(MARKOUTS_S))), np.zeros(paths)
    counts = seat.who[:, FILLS]
    for p in range(paths):
        f = seat.fills[p, : min(counts[p], seat.fills.shape[1])]
        at, way, lots = f[:, F_LOOK], f[:, F_WAY].astype(np.float64), f[:, F_LOTS] / size
        before = np.where(f[:, F_MID2] > 0, f[:, F_MID2] / 2.0, middle[p, at])  # of a book that had a side empty, the last
        gained = way * (before - f[:, F_PRICE]) * lots
        later = middle[p, np.minimum(at + c.adverse_s * LOOKS_A_SECOND, looks - 1)]
        lost = np.maximum(0.0, -way * (later - before)) * lots
        np.add.at(reward[p], at, gained - c.adverse_weight * lost)
        captured[p], adverse[p], filled[p] = gained.sum(), lost.sum(), lots.sum()
        for n, seconds in enumerate(MARKOUTS_S):
            ahead = middle[p, np.minimum(at + seconds * LOOKS_A_SECOND, looks - 1)]
            markouts[p, n] = (way * (ahead - f[:, F_PRICE]) * lots).sum()
    final, cash = seat.who[:, INVENTORY], seat.who[:, CASH]
    held = np.column_stack([seat.held[:, 1:], final]) / size
    reward -= c.inventory_weight / LOOKS_A_SECOND * held**2
    far = np.where(final >= 0, last[:, 0], last[:, 1]).astype(np.float64)
    far = np.where(far > 0, far, middle[:, -1])
    side = seat.who[:, SIDES:].reshape(paths, 2, SIDE)
    return Sessions(
        reward=reward, pnl=(cash + final * far) / size, captured=captured, adverse=adverse, held=held,
        wealth=(seat.cash + seat.held * middle) / size, markouts=markouts, fills=counts.copy(), filled=filled,
        placed=seat.who[:, PLACED_LOTS] / size,
        counts=np.column_stack([seat.who[:, [PLACED, KEPT, REFUSED]], side[:, :, ENDED].sum(axis=1)]),
        life_s=side[:, :, LIFE_NS].sum(axis=1) / 1e9, breaches=(np.abs(seat.held) > seat.terms[:, [LIMIT]]).sum(axis=1),
        seen=seat.seen, raw=seat.raw, taught=seat.taught,
    )  # fmt: skip
