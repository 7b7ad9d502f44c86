"""Markets as plain values: when each was last heard of, and, where that is asked for, its touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.market_state import MarketState


def told(markets: Mapping[str, MarketState], question: Mapping[str, Any]) -> dict[str, Any]:
    """By symbol. With {"touch": true}: bid, its size, ask, its size, last, at 1e-9; None where there is none."""
    found: dict[str, Any] = {"markets": {symbol: market.time_ns for symbol, market in markets.items()}}
    if question.get("touch"):
        found["touch"] = {
            symbol: [one.bid_e9, one.bid_size_e9, one.ask_e9, one.ask_size_e9, one.last_e9] for symbol, one in markets.items()
        }
    return found
