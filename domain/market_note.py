"""What the desk saw of the markets that it works in, written down as it goes: what costs are measured against afterwards."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from domain.event import Event
from domain.market_state import MarketState
from domain.values import StreamId, stream_id


class Noted(Event):
    """Markets at the event's time. One that is noted again without a change was followed and stood still."""

    TOPIC: ClassVar[str] = "market.noted.v1"
    trade_date: str
    markets: tuple[MarketState, ...]


class DecisionNoted(Event):
    """What a client's portfolio manager decided at: the price, and when. The last one told of an order counts."""

    TOPIC: ClassVar[str] = "benchmark.decision_noted.v1"
    parent: StreamId
    price_e9: int
    decided_ns: int
    reason: str  # where it is from


class Notes(NamedTuple):
    """All that the desk keeps of such a stream: how many events it has. Who reckons costs reads what they say."""

    version: int


EVENTS = (Noted, DecisionNoted)


def key(trade_date: str) -> StreamId:
    """The stream of a trade date's notes."""
    return stream_id("market_note", trade_date)


def decision_key(parent: StreamId) -> StreamId:
    """The stream of what an order was decided at."""
    return stream_id("decision_price", parent)


def evolve(state: Notes | None) -> Notes:
    """One event more."""
    return Notes(1 if state is None else state.version + 1)
