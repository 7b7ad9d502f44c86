"""How people steer an algorithm's order while it works: what they may ask, and what is in force. See `domain.steering_rules`."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.terms import Terms

Urgency = Literal["low", "normal", "high"]
Act = Literal["switch", "urgency", "complete", "pause", "resume", "take_over", "place"]


class Steered(Event):
    """A named person, the event's actor, changed how an order is worked."""

    TOPIC: ClassVar[str] = "parent_order.steered.v1"
    act: Act
    reason: str
    terms: Terms | None = None  # of a switch: those in force from now on
    urgency: Urgency | None = None
    quantity_e9: int = 0  # of an order placed by hand
    limit_price_e9: int = 0


class Wanted(NamedTuple):
    """A child order that a person has placed and that is not out yet."""

    quantity_e9: int
    limit_price_e9: int


class Steering(NamedTuple):
    """What is in force. mode: who releases child orders."""

    mode: Literal["algo", "paused", "by_hand"] = "algo"
    urgency: Urgency = "normal"
    complete: bool = False  # all that is left goes out now, at the far touch
    wanted: Wanted | None = None


FREE: Final = Steering()
BY_HAND: Final = Steering(mode="by_hand")
EVENTS = (Steered,)
