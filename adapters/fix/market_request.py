"""The market data requests (35=V) of a session that subscribes to prices."""

from __future__ import annotations

from typing import Final

from adapters.fix.vocabulary import SOH

_TYPES: Final = ("0", "1", "2", "B", "9")  # MDEntryTypes asked for: bid, offer, trade, volume, session VWAP

_DEPTH_TYPES: Final = ("0", "1", "2")  # bid, offer, trade


def market_data_request(request_id: str, symbols: tuple[str, ...]) -> str:
    """Snapshots and updates of the touch of these symbols, as text that begins with MsgType (35)."""
    types = "".join(f"269={kind}{SOH}" for kind in _TYPES)
    instruments = "".join(f"55={symbol}{SOH}" for symbol in symbols)
    head = f"35=V{SOH}262={request_id}{SOH}263=1{SOH}264=1{SOH}265=0{SOH}"
    return f"{head}267={len(_TYPES)}{SOH}{types}146={len(symbols)}{SOH}{instruments}"


def depth_request(request_id: str, symbols: tuple[str, ...], *, subscribe: bool) -> str:
    """Every level and trade of these symbols as a snapshot and, where it subscribes, increments from then on."""
    types = "".join(f"269={kind}{SOH}" for kind in _DEPTH_TYPES)
    instruments = "".join(f"55={symbol}{SOH}" for symbol in symbols)
    head = f"35=V{SOH}262={request_id}{SOH}263={int(subscribe)}{SOH}264=0{SOH}265=1{SOH}266=Y{SOH}"
    return f"{head}267={len(_DEPTH_TYPES)}{SOH}{types}146={len(symbols)}{SOH}{instruments}"
