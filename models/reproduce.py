"""Decisions of the inference core as events, and the same decisions computed again from them.

An event holds the bytes of everything that a decision depends on: the observation and own state, the recurrent state
it started from, the version's digest and, where futures were rolled out, seed and how many. What came out is a fact; computing it
again is a separate check. The order in which decisions are computed again does not matter, nor what stands between them.
"""

from __future__ import annotations

import base64
import hashlib
import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain import model_version as mv
from domain.errors import ForecastError
from domain.model_decision import Decided, Declined, NoDecision, Use
from domain.model_version import Registry
from domain.reproduction import Agreement, agreement
from models import inference_layout as lay
from models.environment import environment_digest
from models.inference import ADVANCE, NAMES, QUOTER, SCHEDULER, SLOT, WITH_HEADS, Core, admit, infer, make_core, put_weights
from models.net_contract import ACTION, BOOK, HEAD, LATENT, LEVELS, MOVE_EVENTS
from models.rollout import STEPS, Paths, noise, roll
from models.weights_store import Weights

F32 = NDArray[np.float32]
AGE_NS_MAX: Final = 5_000_000_000  # of an observation that may be decided on
_STEPS_PER_UNIT: Final = 1_000  # what two actions are compared by: thousandths of a price unit, of a size, of participation
_NORMAL_95: Final = 1.959963984540054
_HALF: Final = {Use.QUOTER: QUOTER, Use.SCHEDULER: SCHEDULER}
_TAIL: Final = (0.01, 2.5)  # as `models.losses.quantities` bounds them
_LOG_SCALE: Final = (-6.0, 4.0)


class Moment(NamedTuple):
    """Whose decision, and when. subject: a parent's stream or an instrument; number: counts its decisions, from 1; heard_ns: when
    the market was last heard of; levels: how many a side the feed tells when it is well."""

    subject: str
    number: int
    at_ns: int
    heard_ns: int
    levels: int = 1


class Decider:
    """A version ready to decide, live or again."""

    def __init__(self, weights: Weights, use: Use = Use.QUOTER) -> None:
        self.digest, self.use = weights.digest, use
        self.core: Core = make_core(_HALF[use])
        assert put_weights(self.core, weights.tensors, weights.digest)
        self.packed = self.core.weights[int(self.core.control[SLOT])]
        self.environment = environment_digest()

    def decide(
        self, inputs: F32, state: F32, when: Moment, registry: Registry, *, trades: bool = False, seed: int | None = None,
        samples: int = 0,
    ) -> Decided | Declined:  # fmt: skip
        """Decide and remember; `state` moves on. Or why there is no decision: then nothing does.

        Args:
            inputs, state: (INPUTS,) and (STATE,), as for `infer`.
            registry: what is not in it, or was retired there, decides nothing.
            trades: may orders come of it?
            seed, samples: roll out so many futures of 20 steps under the decided action.

        Raises:
            ForecastError: futures that come to what is no number.
        """
        if (refused := mv.refusal(registry, self.digest, trades=trades)) is not None:
            return self._declined(NoDecision(refused.reason.value), refused.text, inputs, state, when)
        if said := admit(when.at_ns, when.heard_ns, AGE_NS_MAX):
            text = f"the market was last heard of {when.at_ns - when.heard_ns} ns ago"
            return self._declined(NoDecision(NAMES[said]), text, inputs, state, when)
        if (there := levels(inputs)) < when.levels:
            return self._declined(NoDecision.TOO_FEW_LEVELS, f"{there} levels of {when.levels}", inputs, state, when)
        before, results = state.copy(), np.zeros(lay.RESULTS, np.float32)
        if said := infer(self.core, inputs, state, results, ADVANCE | WITH_HEADS):
            return self._declined(NoDecision(NAMES[said]), "the core decides nothing", inputs, state, when)
        paths = self._futures(before, results, seed, samples)
        mean, low, high = interval(results)
        action = results[lay.OUT_ACTION : lay.OUT_ACTION + ACTION].tolist()
        return Decided(
            **_seen(self, inputs, before, when), latent_sha256=hashlib.sha256(_latent(results)).hexdigest(),
            results=text_of(results), action=(action[0], action[1], action[2], action[3]), return_mean=mean, return_low=low,
            return_high=high, seed=seed, samples=samples, paths_sha256=_digest(paths),
        )  # fmt: skip

    def _declined(self, reason: NoDecision, text: str, inputs: F32, state: F32, when: Moment) -> Declined:
        return Declined(**_seen(self, inputs, state, when), reason=reason, text=text)

    def again(self, decided: Decided) -> Agreement:
        """A decision, computed again and compared.

        Raises:
            ForecastError: it is another version's or use's, its input is not what its digest says, or there is none now.
        """
        if (decided.weights_sha256, decided.use) != (self.digest, self.use):
            text = f"a {decided.use} decision of version {decided.weights_sha256[:12]}"
            raise ForecastError(f"{text}, not {self.use} of {self.digest[:12]}")
        inputs, state, stored = (floats(text) for text in (decided.inputs, decided.state, decided.results))
        if hashlib.sha256(inputs.tobytes()).hexdigest() != decided.inputs_sha256:
            raise ForecastError("a decision whose input is not what its digest says")
        before, results = state.copy(), np.zeros(lay.RESULTS, np.float32)
        if said := infer(self.core, inputs, state, results, ADVANCE | WITH_HEADS):
            raise ForecastError(f"{NAMES[said]}: no decision")
        rolled = _digest(self._futures(before, results, decided.seed, decided.samples)) == decided.paths_sha256
        return agreement(stored.tobytes(), results.tobytes(), (decision(stored), True), (decision(results), rolled))

    def _futures(self, before: F32, results: F32, seed: int | None, samples: int) -> Paths | None:
        if seed is None:
            return None
        actions = np.tile(results[lay.OUT_ACTION : lay.OUT_ACTION + ACTION], (STEPS, 1))
        z = results[lay.OUT_Z : lay.OUT_Z + LATENT]
        return roll(self.packed, z, before[:LATENT].copy(), actions, noise(seed, samples, STEPS))


def refused_weights(error: Exception, use: Use, when: Moment, weights_sha256: str = "") -> Declined:
    """No decision, because a version's file was refused whole: what `read_weights` raised."""
    return Declined(
        subject=when.subject, number=when.number, use=use, at_ns=when.at_ns, heard_ns=when.heard_ns,
        weights_sha256=weights_sha256, inputs="", inputs_sha256=hashlib.sha256(b"").hexdigest(), state="",
        environment_sha256=environment_digest(), reason=NoDecision.WEIGHTS_REFUSED, text=str(error),
    )  # fmt: skip


def levels(inputs: F32) -> int:
    """How many levels the thinner side of the observed book has; one with a NaN counts as there: the core says what it is."""
    sizes = inputs[1:BOOK:2].reshape(LEVELS, 2)
    return int((~(sizes <= 0)).sum(axis=0).min())


def interval(results: F32) -> tuple[float, float, float]:
    """Mean, and the ends of the central 95 % of the middle's move in the next step, price units (`models.net_contract.HEADS`)."""
    heads = results[lay.OUT_HEADS :]
    mean, log_scale, tail = (float(heads[HEAD[f"return_{name}"]]) for name in ("mean", "log_scale", "tail"))
    k = min(max(math.log1p(math.exp(-abs(tail))) + max(tail, 0.0), _TAIL[0]), _TAIL[1])
    wide = 2.0 ** min(max(log_scale, _LOG_SCALE[0]), _LOG_SCALE[1]) * math.sinh(k * _NORMAL_95) / k
    return mean, mean - wide, mean + wide


def decision(results: F32) -> tuple[int, ...]:
    """What results come to: the action in thousandths, and the likeliest move of the middle at each horizon."""
    action = np.rint(results[lay.OUT_ACTION : lay.OUT_ACTION + ACTION].astype(np.float64) * _STEPS_PER_UNIT).astype(int)
    heads = results[lay.OUT_HEADS :]
    moves = [int(np.argmax(heads[HEAD[f"move_{k}_down"] : HEAD[f"move_{k}_up"] + 1])) for k in MOVE_EVENTS]
    return (*action.tolist(), *moves)


def _seen(decider: Decider, inputs: F32, state: F32, when: Moment) -> dict[str, object]:
    return {
        "subject": when.subject, "number": when.number, "use": decider.use, "at_ns": when.at_ns, "heard_ns": when.heard_ns,
        "weights_sha256": decider.digest, "inputs": text_of(inputs), "state": text_of(state),
        "inputs_sha256": hashlib.sha256(inputs.tobytes()).hexdigest(), "environment_sha256": decider.environment,
    }  # fmt: skip


def text_of(array: F32) -> str:
    """Little-endian float32 in base64."""
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def floats(text: str) -> F32:
    """An array of a decision, flat. Raises ForecastError for a text that is none."""
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
    except ValueError as error:
        raise ForecastError(f"a stored array that is none: {error}") from error


def _latent(results: F32) -> bytes:
    return results[lay.OUT_Z : lay.OUT_Z + LATENT].tobytes()


def _digest(paths: Paths | None) -> str:
    return "" if paths is None else hashlib.sha256(paths.latents.tobytes() + paths.heads.tobytes()).hexdigest()
