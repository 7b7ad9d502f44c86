"""Seeded orders in the event book: the same market with and without the trade, so that the difference is its impact.

An episode is one seed: a generated market whose liquidity the seed decides, watched for a minute. Then each trade is a copy of
that market into which a schedule goes: a side, a share of the volume and a number of market orders over the next minute, all
by chance and none by what the market looks like (off-policy), so that impact cannot be taken for a signal. The middle with the
trade less the middle without it, on the same events, is the impact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from domain.ports_market import ORDER_ID_MIN, VenueOrder, VenueTif
from domain.tape import Tape
from models.dataset import event
from models.feature_arrays import make_features
from models.market.continuous import ContinuousMarket
from models.market.flow import FlowParameters, GeneratedFlow, RecordedFlow
from models.market.layout import make_book
from models.net_contract import BOOK, CONTEXT, TAPE_ROWS, TRADES
from models.observation import PRICE, SIZE, make_watch, observe
from models.world_model import Observation, WorldModel

F64 = NDArray[np.float64]
_S: Final = 1_000_000_000
WATCHED_S: Final = 60
WINDOW_S: Final = 60
AFTER_S: Final = (0, 5, 10, 20, 40, 60)  # behind the window, when the middle is looked at again
_SECONDS_AFTER: Final = tuple(WATCHED_S + WINDOW_S + after for after in AFTER_S[1:])
TRADES_EACH: Final = 3  # of an episode, beside the one market without a trade
_FAIR: Final = 10_000
_LADDER: Final = 4_000
TRAINING_SEEDS: Final = range(1_000_000, 1_100_000)
JUDGING_SEEDS: Final = range(2_000_000, 2_100_000)


class Orders(NamedTuple):
    """N trades. Observations are those of the moment before; distances are in price units, sizes in size units."""

    episode: NDArray[np.int64]  # (N,) the seed
    book: NDArray[np.float32]  # (N, 40)
    tape: NDArray[np.float32]  # (N, 3, 50)
    context: NDArray[np.float32]  # (N, 18)
    size: F64  # (N,)
    participation: F64  # (N,) share of the volume of a minute, as the minute before had it
    volatility: F64  # (N,) of a minute, as the minute before had it
    paid: F64  # (N,) average price against the middle at the same moments in the market without it
    moved: F64  # (N, len(AFTER_S)) the middle against the market without it, signed for the trader

    def latents(self, model: WorldModel) -> torch.Tensor:
        """z (N, 128) of what was seen."""
        seen = Observation(*(torch.from_numpy(one) for one in (self.book, self.tape, self.context)))
        with torch.no_grad():
            return model.encode(seen)


def run_orders(seeds: range) -> Orders:
    """Every trade of the episodes of these seeds."""
    rows = [row for seed in seeds for row in _episode(seed)]
    columns = [np.stack([np.asarray(one) for one in column]) for column in zip(*rows, strict=True)]
    return Orders(*columns)


class _Watched(NamedTuple):
    """The market as anybody saw it: observation, units, lots of a minute, the middle in ticks, volatility in price units."""

    book: NDArray[np.float32]
    tape: NDArray[np.float32]
    context: NDArray[np.float32]
    price_ticks: float
    size_lots: float
    volume_lots: float
    volatility: float


def _parameters(chance: np.random.Generator) -> FlowParameters:
    """A market between thin and deep, calm and lively."""
    return FlowParameters(
        fair_ticks=_FAIR,
        limit_rate=float(chance.uniform(5, 16)),
        market_rate=float(chance.uniform(0.6, 1.8)),
        lifetime_s=float(chance.uniform(8, 30)),
        distance_p=float(chance.uniform(0.12, 0.5)),
        fair_sd_ticks=float(chance.uniform(0.2, 0.9)),
    )


def _episode(seed: int) -> list[tuple[object, ...]]:
    chance = np.random.default_rng([seed, 0])
    flow = GeneratedFlow(np.random.default_rng([seed, 1]), _parameters(chance), open_ns=0)
    tape = flow.until((WATCHED_S + WINDOW_S + AFTER_S[-1] + 1) * _S)
    quiet = _market(tape)
    seen = _watch(quiet)
    still = _middles(quiet, range(WATCHED_S + 1, WATCHED_S + WINDOW_S + 1))  # each second's, without a trade
    after = np.array([still[-1], *_middles(quiet, _SECONDS_AFTER)])
    rows: list[tuple[object, ...]] = []
    for _ in range(TRADES_EACH):
        share = float(np.exp(chance.uniform(np.log(0.01), np.log(0.5))))
        side, slices = int(chance.choice([1, -1])), int(chance.integers(1, 13))
        lots = max(slices, round(share * seen.volume_lots))
        traded = _market(tape)
        paid = _trade(traded, side, lots, slices, still)
        if paid is None:  # the book ran out: there is no price for the rest, and no impact to learn from
            continue
        unit = seen.price_ticks
        moved = side * (np.array([_middle(traded), *_middles(traded, _SECONDS_AFTER)]) - after) / unit
        rows.append((
            seed, seen.book, seen.tape, seen.context, lots / seen.size_lots, lots / seen.volume_lots,
            seen.volatility, paid / unit, moved,
        ))  # fmt: skip
    return rows


def _market(tape: Tape) -> ContinuousMarket:
    return ContinuousMarket(
        RecordedFlow(tape), base_ticks=_FAIR - _LADDER // 2, window=_LADDER, capacity=1 << 13, shows=True
    )  # fmt: skip


def _middles(market: ContinuousMarket, seconds: Iterable[int]) -> list[float]:
    """The middle at these seconds."""
    found = []
    for second in seconds:
        market.advance(second * _S)
        market.take_shown()
        found.append(_middle(market))
    return found


def _middle(market: ContinuousMarket) -> float:
    top = market.top()
    return 0.5 * (top.bid_ticks + top.ask_ticks)


def _watch(market: ContinuousMarket) -> _Watched:
    """Follow what the market displays for a minute and observe it, as a desk would."""
    book, features, watch = make_book(None, 1 << 13, 1 << 13), make_features(bucket_lots=5_000), make_watch()
    middles, prints = [], np.zeros((4096, 4), np.int64)
    for second in range(1, WATCHED_S + 1):
        market.advance(second * _S)
        shown = market.take_shown()
        shown["instrument"] = 0
        ends = np.flatnonzero(np.append(np.diff(shown["ts_event_ns"]) != 0, True)) + 1 if shown.size else np.zeros(0, np.int64)
        begin = 0
        for end in ends.tolist():
            event(book, features, watch, shown, begin, end, prints)
            begin = end
        middles.append(_middle(market))
    seen = np.zeros(BOOK, np.float32), np.zeros((TAPE_ROWS, TRADES), np.float32), np.zeros(CONTEXT, np.float32)
    assert observe(watch, features, book, 0, *seen), "a minute of the generated market is enough for an observation"
    unit = float(watch.units[0, PRICE])
    volatility = float(np.std(np.diff(middles[5:]))) * WINDOW_S**0.5 / unit
    return _Watched(*seen, unit, float(watch.units[0, SIZE]), float(market.top().volume_lots), max(volatility, 1e-3))


def _trade(market: ContinuousMarket, side: int, lots: int, slices: int, still: list[float]) -> float | None:
    """A schedule of market orders, evenly spaced over the window, each on a full second.

    Returns:
        Average price in ticks beyond the middle of the market without it, signed for the trader; None where not all was done.
    """
    done, beyond = 0, 0.0
    for n in range(slices):
        second = WINDOW_S * (n + 1) // slices
        market.advance((WATCHED_S + second) * _S)
        wanted = lots * (n + 1) // slices - lots * n // slices
        order = VenueOrder(ORDER_ID_MIN + n, side, wanted, is_market=True, tif=VenueTif.IOC)
        for fill in market.submit(order, (WATCHED_S + second) * _S).executions:
            done += fill.quantity_lots
            beyond += fill.quantity_lots * side * (fill.price_ticks - still[second - 1])
    return beyond / done if done == lots else None
