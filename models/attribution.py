"""Why a decision: what each input did to one of its outputs, by integrated gradients, and what the six features did.

Integrated gradients (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017) along the straight line from a
baseline to the observation, by Captum. The line is drawn between normalised observations, after what is missing has become 0,
because there "nothing known, all average" is the zero vector: the baseline. The attributions add up to the output's difference
from the baseline, but for an error of the sum that is told (`gap`).

It is asked for afterwards, for a decision that is stored; it never stands in the way of one.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domain.errors import ForecastError
from domain.model_decision import Decided, Explained, Use
from models import inference_layout as lay
from models import world_model
from models.controller import ControllerModule, quote, share
from models.net_contract import BOOK, CONTEXT, FEATURE_NAMES, FEATURES, HEAD, LATENT, TAPE_ROWS, TRADES
from models.reproduce import floats, text_of
from models.weights_store import Weights
from models.world_model import Observation, WorldModel

F32 = NDArray[np.float32]
ACTIONS: Final = ("action_0", "action_1", "action_2", "action_3")
POINTS: Final = 64  # of the line, at Gauss and Legendre's places


class Attribution(NamedTuple):
    """What moved one output from what it is where nothing is known.

    Arrays have the shapes of the observation; units are the output's. features: feature -> its value's and its known bit's
    part together. own: (4,), own state.
    """

    output: str
    value: float
    baseline: float
    book: F32  # (40,)
    tape: F32  # (3, 50)
    context: F32  # (18,)
    own: F32  # (4,)
    features: dict[str, float]
    gap: float  # value - baseline - the sum of all parts


class _Output(nn.Module):
    """A normalised observation and own state to all outputs: the action (4), then the heads."""

    def __init__(self, model: WorldModel, actor: ControllerModule, h: Tensor, action: Tensor, use: Use) -> None:
        super().__init__()
        self.model, self.actor, self.h, self.action = model, actor, h, action
        self.squash = quote if use is Use.QUOTER else share

    def forward(self, book: Tensor, tape: Tensor, context: Tensor, own: Tensor) -> Tensor:
        """(B, 4 + N_HEADS)."""
        many = len(book)
        z = self.model.encoder(Observation(book, tape, context))
        after, _ = self.model.step(z, self.action.expand(many, -1), self.h.expand(many, -1))
        return torch.cat([self.squash(self.actor.controller(after, own)[0]), self.model.forecast(z)], dim=1)


def outputs() -> tuple[str, ...]:
    """What can be attributed: the action's components, then the heads."""
    return (*ACTIONS, *HEAD)


def attribute(weights: Weights, inputs: F32, state: F32, output: str, use: Use = Use.QUOTER) -> Attribution:
    """What each input did to one output of a decision.

    Args:
        inputs, state: (INPUTS,) and (STATE,) as the decision had them: of its record.
        output: a name of `outputs`.

    Raises:
        ForecastError: there is no such output, or the input is no number.
    """
    from captum.attr import IntegratedGradients

    if output not in outputs():
        raise ForecastError(f"no output {output!r}")
    if not (np.isfinite(inputs).all() and np.isfinite(state).all()):
        raise ForecastError("an observation that is no number has no attribution")
    model, actor = WorldModel(), ControllerModule()
    world_model.load(model, weights.tensors)
    world_model.load(actor, weights.tensors)
    seen = _normalised(model, inputs)
    parts = (*seen, torch.from_numpy(inputs[None, lay.IN_OWN :].copy()))
    before = torch.from_numpy(state[None].copy())
    whole = _Output(model, actor, before[:, :LATENT], before[:, LATENT:], use).eval()
    nothing = tuple(torch.zeros_like(part) for part in parts)
    place = outputs().index(output)
    found = IntegratedGradients(whole).attribute(parts, nothing, target=place, n_steps=POINTS, method="gausslegendre")
    with torch.no_grad():
        value, baseline = (float(whole(*each)[0, place]) for each in (parts, nothing))
    book, tape, context, own = (part.detach().numpy()[0].astype(np.float32) for part in found)
    return Attribution(
        output=output,
        value=value,
        baseline=baseline,
        book=book.reshape(BOOK),
        tape=tape.reshape(TAPE_ROWS, TRADES),
        context=context.reshape(CONTEXT),
        own=own,
        features={name: float(context[i] + context[FEATURES + i]) for i, name in enumerate(FEATURE_NAMES)},
        gap=value - baseline - sum(float(part.sum(dtype=np.float64)) for part in (book, tape, context, own)),
    )


def _normalised(model: WorldModel, inputs: F32) -> Observation:
    rows = torch.from_numpy(inputs[None].copy())
    tape = rows[:, lay.IN_TAPE : lay.IN_CONTEXT].reshape(1, TAPE_ROWS, TRADES)
    with torch.no_grad():
        seen: Any = model.norm(Observation(rows[:, :BOOK], tape, rows[:, lay.IN_CONTEXT : lay.IN_OWN]))
    return Observation(*(part.float() for part in seen))


def explained(weights: Weights, decided: Decided, output: str) -> Explained:
    """Why a stored decision had this output, as an event for its stream: the same decision and output give the same event.

    Raises:
        ForecastError: the decision is another version's, or has no such output.
    """
    if decided.weights_sha256 != weights.digest:
        raise ForecastError(f"a decision of version {decided.weights_sha256[:12]}, not {weights.digest[:12]}")
    found = attribute(weights, floats(decided.inputs), floats(decided.state), output, decided.use)
    parts = np.concatenate([found.book, found.tape.ravel(), found.context, found.own])
    return Explained(
        output=output, value=found.value, baseline=found.baseline, gap=found.gap, features=found.features, parts=text_of(parts)
    )  # fmt: skip
