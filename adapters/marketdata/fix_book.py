"""FIX market data to a market state: MarketDataSnapshotFullRefresh (35=W) as the simulated venue publishes it.

55 symbol; 5060 the state's time in nanoseconds since 1970 UTC; 5061 the session's traded money; and 268 entries of
269 = 0 bid, 1 offer (270 price, 271 size), 2 last trade (270), B volume (271), 9 session VWAP (270).
"""

from __future__ import annotations

from domain.errors import NumberError
from domain.market_state import MarketState
from domain.values import multiply_e9, to_e9

_SOH = "\x01"
_ENTRY_TAGS = frozenset({"270", "271"})  # of a 268 entry; what else follows belongs to the message, in whatever order


def read_market(text: str) -> MarketState | None:
    """The state that a message tells, None for any other message or one that cannot be read."""
    head: dict[str, str] = {}
    entries: dict[str, dict[str, str]] = {}
    entry: dict[str, str] = {}
    for part in text.split(_SOH):
        tag, _, value = part.partition("=")
        if tag == "269":
            entry = entries.setdefault(value, {})
        elif tag in _ENTRY_TAGS:
            entry[tag] = value
        else:
            head[tag] = value
    if head.get("35") != "W" or not head.get("55"):
        return None
    try:
        return _state(head, entries)
    except (NumberError, ValueError, KeyError):
        return None


def _state(head: dict[str, str], entries: dict[str, dict[str, str]]) -> MarketState:
    bid_e9, bid_size_e9 = _level(entries.get("0"))
    ask_e9, ask_size_e9 = _level(entries.get("1"))
    volume_e9 = to_e9(entries["B"]["271"]) if "B" in entries else 0
    vwap_e9 = to_e9(entries["9"]["270"]) if "9" in entries else 0
    return MarketState(
        instrument=head["55"],
        time_ns=int(head["5060"]) if "5060" in head else 0,
        bid_e9=bid_e9,
        bid_size_e9=bid_size_e9,
        ask_e9=ask_e9,
        ask_size_e9=ask_size_e9,
        last_e9=_level(entries.get("2"))[0],
        volume_e9=volume_e9,
        notional_e9=to_e9(head["5061"]) if "5061" in head else multiply_e9(vwap_e9, volume_e9),
    )


def _level(entry: dict[str, str] | None) -> tuple[int | None, int]:
    if entry is None or "270" not in entry:
        return None, 0
    return to_e9(entry["270"]), to_e9(entry["271"]) if "271" in entry else 0
