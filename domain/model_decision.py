"""A decision of a net: what it saw, what it started from, what came out, and enough to decide it again to the bit.

A stream holds one decision, or the reason why there was none; then what became of it, and on demand why it was so. Outputs are
facts: a replay uses them. Computing them again is a separate check (`domain.reproduction`). Arrays are their bytes, little-endian
float32, in base64, with the layout of `models.inference_layout`.

`decision.planned.v1` says which schedule a parent got. What a net saw for it is here, and `Acted.plan` names that stream.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, NamedTuple

from domain.event import Event
from domain.model_version import ModelReason
from domain.values import StreamId, stream_id


class Use(StrEnum):
    """Who acts, which is how the four numbers of an action are scaled."""

    QUOTER = "quoter"
    SCHEDULER = "scheduler"


class NoDecision(StrEnum):
    """Why a net decided nothing, in the order in which it is looked at. The core's own names are the last ones."""

    WEIGHTS_REFUSED = "weights_refused"  # damaged, of another contract, or not the version that was asked for
    NOT_REGISTERED = ModelReason.NOT_REGISTERED.value
    RETIRED = ModelReason.RETIRED.value
    NOT_PROMOTED = ModelReason.NOT_PROMOTED.value
    INPUT_STALE = "input_stale"  # the market was last heard of too long ago, or in the future
    TOO_FEW_LEVELS = "too_few_levels"  # of the book, beside what its feed tells when it is well
    NO_WEIGHTS = "no_weights"
    INPUT_NOT_FINITE = "input_not_finite"
    STATE_NOT_FINITE = "state_not_finite"
    RESULT_NOT_FINITE = "result_not_finite"


class Seen(Event):
    """What both kinds have. subject: the parent's stream, or the instrument; number: counts the subject's decisions, from 1."""

    subject: str
    number: int
    use: Use
    at_ns: int
    heard_ns: int  # when the market was last heard of
    weights_sha256: str  # "" where there were none
    inputs: str  # (INPUTS,): observation and own state
    inputs_sha256: str
    state: str  # (STATE,): h and the action before, as they were before the decision
    environment_sha256: str  # of `models.environment.environment`


class Decided(Seen):
    """A decision. return_low and return_high: between them the middle's move in the next step lies with 95 %, price units."""

    TOPIC: ClassVar[str] = "model_decision.decided.v1"
    latent_sha256: str
    results: str  # (RESULTS,): action, heads, z and next z
    action: tuple[float, float, float, float]
    return_mean: float
    return_low: float
    return_high: float
    seed: int | None  # of the futures, where some were rolled out
    samples: int
    paths_sha256: str


class Declined(Seen):
    """No decision, and why; the recurrent state stayed as it was."""

    TOPIC: ClassVar[str] = "model_decision.declined.v1"
    reason: NoDecision
    text: str


class Acted(Event):
    """What became of a decision: a plan's stream, the orders that it led to, or why none did."""

    TOPIC: ClassVar[str] = "model_decision.acted.v1"
    plan: str = ""  # stream of the decision.planned.v1
    orders: tuple[str, ...] = ()
    refused: str = ""  # the risk check's words


class Explained(Event):
    """What each input did to one output of the decision, asked for afterwards: integrated gradients.

    value less baseline is the sum of the parts and of gap. features: the six features, each with its known bit.
    """

    TOPIC: ClassVar[str] = "model_decision.explained.v1"
    output: str
    value: float
    baseline: float
    gap: float
    features: dict[str, float]
    parts: str  # (INPUTS,), in the order of the input


EVENTS = (Decided, Declined, Acted, Explained)


class ModelDecision(NamedTuple):
    """A decision's stream. explained: outputs whose attribution is stored."""

    id: StreamId
    version: int
    made: Decided | Declined
    acted: bool = False
    explained: tuple[str, ...] = ()


def key(use: Use, subject: str, number: int) -> StreamId:
    """The stream of a subject's n-th decision."""
    return stream_id("model_decision", use, subject, str(number))


def evolve(state: ModelDecision | None, event: Event, *, stream: StreamId) -> ModelDecision:
    """Fold one event."""
    if isinstance(event, Decided | Declined):
        assert state is None
        return ModelDecision(stream, 1, event)
    assert state is not None and isinstance(state.made, Decided), event.TOPIC
    if isinstance(event, Acted):
        return state._replace(version=state.version + 1, acted=True)
    assert isinstance(event, Explained), event.TOPIC
    return state._replace(version=state.version + 1, explained=(*state.explained, event.output))
