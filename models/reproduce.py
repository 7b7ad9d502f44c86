"""Decisions of the inference core as records, and the same decisions computed again from them.

A record holds the bytes of everything that a decision depends on: the observation and own state, the recurrent state
it started from, the version's digest and, where futures were rolled out, seed and how many. What came out is a fact; computing it
again is a separate check. The order in which records are computed again does not matter, nor what stands between them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from domain.errors import ForecastError
from domain.reproduction import Agreement, agreement
from models import inference_layout as lay
from models.environment import environment_digest
from models.inference import ADVANCE, NAMES, QUOTER, WITH_HEADS, Core, admit, infer, make_core, put_weights
from models.net_contract import ACTION, HEAD, LATENT, MOVE_EVENTS
from models.rollout import STEPS, Paths, noise, roll
from models.weights_store import Weights

F32 = NDArray[np.float32]
AGE_NS_MAX: Final = 5_000_000_000  # of an observation that may be decided on
_STEPS_PER_UNIT: Final = 1_000  # what two actions are compared by: thousandths of a price unit, of a size, of participation


@dataclass(frozen=True, slots=True)
class Record:
    """One decision. Arrays are their bytes, little-endian float32, in base64."""

    timestamp_ns: int
    weights_sha256: str
    inputs: str  # (INPUTS,)
    inputs_sha256: str
    state: str  # (STATE,), before the decision
    latent_sha256: str
    results: str  # (RESULTS,)
    seed: int | None  # of the futures, where some were rolled out
    samples: int
    paths_sha256: str
    environment_sha256: str

    def key(self) -> str:
        """SHA-256 of the record, by which what is said of it later is found."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Decider:
    """A version ready to decide, live or again."""

    def __init__(self, weights: Weights, half: tuple[float, float, float, float] = QUOTER) -> None:
        self.digest = weights.digest
        self.core: Core = make_core(half)
        assert put_weights(self.core, weights.tensors, weights.digest)
        self.packed = self.core.weights[int(self.core.control[1])]
        self.environment = environment_digest()

    def decide(self, inputs: F32, state: F32, *, at_ns: int, heard_ns: int, seed: int | None = None, samples: int = 0) -> Record:
        """Decide and remember; `state` moves on.

        Args:
            inputs, state: (INPUTS,) and (STATE,), as for `infer`.
            heard_ns: when the market was last heard of.
            seed, samples: roll out so many futures of 20 steps under the decided action.

        Raises:
            ForecastError: there is no decision; the message begins with the reason's name.
        """
        if said := admit(at_ns, heard_ns, AGE_NS_MAX):
            raise ForecastError(f"{NAMES[said]}: the market was last heard of {at_ns - heard_ns} ns ago")
        before = state.copy()
        results, paths = self._compute(inputs, state, seed, samples)
        return Record(
            timestamp_ns=at_ns,
            weights_sha256=self.digest,
            inputs=_text(inputs),
            inputs_sha256=hashlib.sha256(inputs.tobytes()).hexdigest(),
            state=_text(before),
            latent_sha256=hashlib.sha256(_latent(results)).hexdigest(),
            results=_text(results),
            seed=seed,
            samples=samples,
            paths_sha256=_digest(paths),
            environment_sha256=self.environment,
        )

    def again(self, record: Record) -> Agreement:
        """The decision of a record, computed again and compared.

        Raises:
            ForecastError: the record is of another version, or its input is not what its digest says.
        """
        if record.weights_sha256 != self.digest:
            raise ForecastError(f"a decision of version {record.weights_sha256[:12]}, not {self.digest[:12]}")
        inputs, state, stored = (floats(text) for text in (record.inputs, record.state, record.results))
        if hashlib.sha256(inputs.tobytes()).hexdigest() != record.inputs_sha256:
            raise ForecastError("a record whose input is not what its digest says")
        results, paths = self._compute(inputs, state, record.seed, record.samples)
        rolled = _digest(paths) == record.paths_sha256
        decided = (decision(stored), True), (decision(results), rolled)
        return agreement(stored.tobytes(), results.tobytes(), *decided)

    def _compute(self, inputs: F32, state: F32, seed: int | None, samples: int) -> tuple[F32, Paths | None]:
        h, results = state[:LATENT].copy(), np.zeros(lay.RESULTS, np.float32)
        if said := infer(self.core, inputs, state, results, ADVANCE | WITH_HEADS):
            raise ForecastError(f"{NAMES[said]}: no decision")
        if seed is None:
            return results, None
        actions = np.tile(results[lay.OUT_ACTION : lay.OUT_ACTION + ACTION], (STEPS, 1))
        z = results[lay.OUT_Z : lay.OUT_Z + LATENT]
        return results, roll(self.packed, z, h, actions, noise(seed, samples, STEPS))


def decision(results: F32) -> tuple[int, ...]:
    """What results come to: the action in thousandths, and the likeliest move of the middle at each horizon."""
    action = np.rint(results[lay.OUT_ACTION : lay.OUT_ACTION + ACTION].astype(np.float64) * _STEPS_PER_UNIT).astype(int)
    heads = results[lay.OUT_HEADS :]
    moves = [int(np.argmax(heads[HEAD[f"move_{k}_down"] : HEAD[f"move_{k}_up"] + 1])) for k in MOVE_EVENTS]
    return (*action.tolist(), *moves)


def write_records(path: Path, records: Iterable[Record]) -> None:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(asdict(record)) + "\n" for record in records), "utf-8")


def read_records(path: Path) -> list[Record]:
    """Raises ForecastError where a line is no record."""
    try:
        return [Record(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    except (TypeError, ValueError) as error:
        raise ForecastError(f"{path.name} holds a line that is no record: {error}") from error


def _text(array: F32) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def floats(text: str) -> F32:
    """An array of a record, flat."""
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)


def _latent(results: F32) -> bytes:
    return results[lay.OUT_Z : lay.OUT_Z + LATENT].tobytes()


def _digest(paths: Paths | None) -> str:
    return "" if paths is None else hashlib.sha256(paths.latents.tobytes() + paths.heads.tobytes()).hexdigest()
