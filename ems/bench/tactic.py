"""`ems bench tactic`: what placing children by their chance to be filled is worth against always crossing, on the same markets.

A real desk works one TWAP order of ten minutes in a generated market (`ems.bench.desk_day`, `models.market.flow`), once with each
placement: the same seed is the same flow, whatever our orders do. Selling is the mirror. Shortfalls are basis points of the
middle at arrival; what is not filled by the end is counted at the far touch then. Intervals: 10,000 draws of whole orders, with
replacement.

The flow knows nothing of what comes: nobody trades against a resting order because he knows better. What resting is worth here is
therefore at the upper end of what it can be worth.
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import numpy as np
import structlog

from domain.instrument import Instrument, TickBand, TickTable
from domain.trading_day import TradingDay
from domain.values import E9, Side
from ems.bench.desk_day import DeskDay
from ems.bench.output import emit
from ems.pace import Pace
from ems.tactic import Placement
from models.market.calls import AuctionMarket
from models.market.flow import FlowParameters, GeneratedFlow

ORDERS: Final = 40
DRAWS: Final = 10_000
PRICE_TICKS: Final = 10_000
LASTS_NS: Final = 600 * E9
OPEN_NS: Final = 1_772_461_800 * E9  # 2026-03-02 14:30 UTC
DAY: Final = TradingDay("2026-03-02", OPEN_NS, OPEN_NS + 23_400 * E9)
MADE: Final = Instrument(
    symbol="MADE", currency="USD", mic="XNAS", lot_e9=E9,
    tick_tables=(TickTable(valid_from=date(2020, 1, 1), bands=(TickBand(0, E9 // 100),)),),
)  # fmt: skip
MARKETS: Final = {  # how the market goes, and shares of an order
    "tight": (FlowParameters(PRICE_TICKS), 6_000),
    "wide": (FlowParameters(PRICE_TICKS, limit_rate=1.5, market_rate=0.3, distance_p=0.12, opening_orders=30), 1_500),
    "quiet": (FlowParameters(PRICE_TICKS, limit_rate=1.5, market_rate=0.03, distance_p=0.12, opening_orders=30), 600),
}


class Worked(NamedTuple):
    """One order at its end."""

    shortfall_bps: float
    filled: float  # share of the order by its end
    rested: float  # share of what was filled that passive children were


def run(*, orders: int = ORDERS, markets: tuple[str, ...] = tuple(MARKETS)) -> dict[str, Any]:
    """The figures, by market: each placement's means, and differences from always crossing with their intervals."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    told: dict[str, Any] = {"orders": orders, "lasts_s": LASTS_NS // E9}
    for name in markets:
        found = {kind: [asyncio.run(worked(name, kind, seed)) for seed in range(orders)] for kind in get_args(Placement)}
        told[name] = {kind: _means(rows) for kind, rows in found.items()}
        for kind in ("mixed", "passive"):
            told[name][f"{kind}_less_aggressive_bps"] = _paired(found[kind], found["aggressive"])
        told[name]["mixed_less_passive_bps"] = _paired(found["mixed"], found["passive"])
    return told


async def worked(market: str, kind: Placement, seed: int) -> Worked:
    """One order from its arrival to its end. Orders with an odd seed sell."""
    parameters, shares = MARKETS[market]
    flow = GeneratedFlow(np.random.default_rng(seed), parameters, open_ns=OPEN_NS)
    side = Side.SELL if seed % 2 else Side.BUY
    begin_ns = OPEN_NS + 120 * E9
    with tempfile.TemporaryDirectory() as home:
        market_at = AuctionMarket(flow)
        day = DeskDay(market_at, MADE, DAY, now_ns=begin_ns, home=Path(home) / "ledger.jsonl", pace=Pace(placement=kind))
        await day.open()
        await day.until(begin_ns + 10 * E9)  # trading is known
        order = await day.order(side=side, quantity_e9=shares * E9, parameters=(("DurationMinutes", str(LASTS_NS // 60 // E9)),))
        await day.until(day.ns + LASTS_NS + 5 * E9)
        return _cost(day, side, shares, order.arrival.mid_e9 if order.arrival is not None else None)


def _cost(day: DeskDay, side: Side, shares: int, mid_e9: int | None) -> Worked:
    parent, top = day.parent(), day.desk.markets[MADE.symbol]
    far_e9 = top.ask_e9 if side is Side.BUY else top.bid_e9
    assert mid_e9 is not None and far_e9 is not None, "these markets always have two sides"
    left_e9 = shares * E9 - parent.cum_quantity_e9
    paid = (parent.notional_e18 + left_e9 * far_e9) / (shares * E9)
    rested_e9 = sum(child.cum_quantity_e9 for child in day.children() if child.tactic == "passive")
    filled = parent.cum_quantity_e9 / (shares * E9)
    return Worked(side.sign * (paid / mid_e9 - 1.0) * 10_000, filled, rested_e9 / max(1, parent.cum_quantity_e9))


def _means(rows: list[Worked]) -> dict[str, float]:
    return {name: round(float(np.mean([getattr(row, name) for row in rows])), 4) for name in Worked._fields}


def _paired(ours: list[Worked], others: list[Worked]) -> dict[str, float]:
    """Mean difference of the shortfalls, order by order, with the middle 95 % of the draws."""
    gaps = np.array([one.shortfall_bps - other.shortfall_bps for one, other in zip(ours, others, strict=True)])
    draws = np.random.default_rng(7).choice(gaps, (DRAWS, len(gaps))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return {"mean": round(float(gaps.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def main(json_output: bool) -> int:
    """Exit status."""
    emit(run(), json_output)
    return 0
