"""An algo wheel: orders are given to algorithms by chance, so that what they cost can be compared.

The draw of an order is the SHA-256 of the wheel's seed, the order's stratum and its number there: whoever has the events can
draw again. Strata are of the order's size beside an average day, of the spread, and of how far the price has moved since the
last close; each draws by a sequence of its own. Every assignment records the probability that it was made with, without which
results under weights that moved could not be compared.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.event import Event
from domain.refusal import Reason, Refusal
from domain.values import E9, StreamId, stream_id

WEIGHT_MIN_E9: Final = E9 // 100  # no arm is ever drawn more seldom: what is never drawn is never learned about
_DRAWS: Final = 2**64
UNKNOWN: Final = "?"


class Arm(BaseModel):
    """One algorithm on the wheel: one of ours with parameters, or a broker's as its fields (tag, value) select it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
    algo: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[int, str], ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.algo) == bool(self.fields):
            raise ValueError("an arm is an algorithm of ours or a broker's")
        return self


class Bounds(BaseModel):
    """Where strata divide. size: share of the average daily volume; spread and move in basis points."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: tuple[float, ...] = (0.005, 0.02)
    spread_bps: tuple[float, ...] = (5.0, 20.0)
    move_bps: tuple[float, ...] = (50.0, 150.0)


class Setting(NamedTuple):
    """What of an order its stratum is made of; None is not known, and a stratum of its own."""

    size: float | None
    spread_bps: float | None
    move_bps: float | None


class Opened(Event):
    """A named person begins a wheel, or begins it anew: what was drawn before is compared apart."""

    TOPIC: ClassVar[str] = "wheel.opened.v1"
    wheel: str
    seed: str
    arms: tuple[Arm, ...]
    weights_e9: tuple[int, ...]  # of the arms, in their order; they sum to 1
    bounds: Bounds
    reason: str


class Reweighted(Event):
    """The weights are others from now on: by a person, or by the rule that an always-valid comparison has spoken."""

    TOPIC: ClassVar[str] = "wheel.reweighted.v1"
    wheel: str
    weights_e9: tuple[int, ...]
    by: str  # person, rule
    reason: str


class Assigned(Event):
    """An order's algorithm was drawn."""

    TOPIC: ClassVar[str] = "wheel.assigned.v1"
    wheel: str
    round: int  # which opening of the wheel
    number: int  # of the assignment among the round's, from 1
    order: StreamId
    stratum: str
    draw: int  # of the stratum, from 1
    arm: str
    weights_e9: tuple[int, ...]  # the probabilities that it was drawn with
    setting: Setting


EVENTS = (Opened, Reweighted, Assigned)


class Wheel(NamedTuple):
    """What is in force. draws: of each stratum so far."""

    id: StreamId
    version: int
    name: str
    round: int
    seed: str
    arms: tuple[Arm, ...]
    weights_e9: tuple[int, ...]
    bounds: Bounds
    number: int = 0
    draws: tuple[tuple[str, int], ...] = ()


def key(wheel: str) -> StreamId:
    """The stream of a wheel."""
    return stream_id("wheel", wheel)


def weighed(arms: tuple[Arm, ...], weights_e9: tuple[int, ...]) -> Refusal | None:
    """Why a wheel cannot turn with these weights."""
    if len({arm.name for arm in arms}) != len(arms) or len(arms) < 2:
        return Refusal(Reason.BAD_PARAMETER, "a wheel has two arms or more, each with a name of its own")
    if len(weights_e9) != len(arms) or sum(weights_e9) != E9:
        return Refusal(Reason.BAD_PARAMETER, "each arm has a weight, and the weights sum to 1")
    if min(weights_e9) < WEIGHT_MIN_E9:
        return Refusal(Reason.BAD_PARAMETER, "no arm weighs less than 0.01: take it off the wheel instead")
    return None


def stratum(bounds: Bounds, setting: Setting) -> str:
    """As size, spread and move: the number of each one's class from 0, ? where it is not known."""

    def place(value: float | None, limits: tuple[float, ...]) -> str:
        return UNKNOWN if value is None else str(sum(value >= limit for limit in limits))

    found = zip(setting, (bounds.size, bounds.spread_bps, bounds.move_bps), strict=True)
    return "".join(place(value, limits) for value, limits in found)


def assign(state: Wheel, order: StreamId, setting: Setting) -> Assigned:
    """Draw an order's arm. Pure: the same wheel, at the same draw of the same stratum, gives the same arm."""
    cell = stratum(state.bounds, setting)
    draw = dict(state.draws).get(cell, 0) + 1
    told = "\x1f".join((state.seed, state.name, str(state.round), cell, str(draw)))
    ball = int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big")
    passed_e9, chosen = 0, state.arms[-1].name
    for arm, weight_e9 in zip(state.arms, state.weights_e9, strict=True):
        passed_e9 += weight_e9
        if ball * E9 < passed_e9 * _DRAWS:
            chosen = arm.name
            break
    return Assigned(
        wheel=state.name, round=state.round, number=state.number + 1, order=order, stratum=cell, draw=draw, arm=chosen,
        weights_e9=state.weights_e9, setting=setting,
    )  # fmt: skip


def evolve(state: Wheel | None, event: Event, *, stream: StreamId) -> Wheel:
    """Fold one event."""
    if isinstance(event, Opened):
        version, number = (state.version, state.round) if state is not None else (0, 0)
        return Wheel(stream, version + 1, event.wheel, number + 1, event.seed, event.arms, event.weights_e9, event.bounds)
    assert state is not None, event.TOPIC
    if isinstance(event, Reweighted):
        return state._replace(version=state.version + 1, weights_e9=event.weights_e9)
    assert isinstance(event, Assigned), event.TOPIC
    draws = tuple(sorted({**dict(state.draws), event.stratum: event.draw}.items()))
    return state._replace(version=state.version + 1, number=event.number, draws=draws)


def arm_of(state: Wheel, name: str) -> Arm:
    """An arm by its name."""
    return next(arm for arm in state.arms if arm.name == name)
