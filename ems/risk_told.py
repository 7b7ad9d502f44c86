"""Verdicts and what an order's cost is reckoned from, as plain values for screens."""

from __future__ import annotations

from typing import Any

from domain.market_state import MarketState
from domain.risk_verdicts import Verdict
from domain.values import from_e9


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """One check for a person. observed and limit are decimal text of the limit's unit, None where not known."""
    return {
        "check": verdict.check.value, "outcome": verdict.outcome.value, "scope": verdict.scope, "version": verdict.limit_version,
        "observed": _text(verdict.observed), "limit": _text(verdict.limit), "data": verdict.data or None,
    }  # fmt: skip


def market_facts(market: MarketState | None, adv_e9: int | None, notional_e9: int | None) -> dict[str, Any]:
    """The touch, the spread in basis points, the average daily volume, and what an order is worth."""
    touch = None
    spread_bps = None
    if market is not None:
        told = {"bid": market.bid_e9, "ask": market.ask_e9, "last": market.last_e9}
        touch = {name: _text(value) for name, value in told.items()} | {"time_ns": str(market.time_ns)}
        if market.mid_e9 and market.bid_e9 is not None and market.ask_e9 is not None:
            spread_bps = 10_000 * (market.ask_e9 - market.bid_e9) / market.mid_e9
    return {"touch": touch, "spread_bps": spread_bps, "adv_e9": adv_e9, "notional": _text(notional_e9)}


def _text(value_e9: int | None) -> str | None:
    return None if value_e9 is None else f"{from_e9(value_e9):f}"
