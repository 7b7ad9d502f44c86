"""The inference core: one observation in, the latent state, the forecasts and an action out, by one compiled function.

`infer` is encode, step, act and, where asked for, the heads, at batch 1 in fixed memory, callable from compiled code:

    z      = encode(observation)                      what the market is now
    z', h' = step(z, action of the step before, h)    what it will be in one step if that action stands
    action = act(z', own state)                       softsign of the actor, scaled for who acts
    heads  = forecast(z)

It says OK, or why there is no decision: then neither the state nor the results have changed. Weights are in two slots.
`put_weights` fills the idle one while `infer` goes on reading the other, and then turns the slot; before the next version may
be written, a new call of `infer` must have begun, because one that is under way still reads what it began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import inference_layout as lay
from models.compiled import hot, inlined
from models.hot_clock import now_ns
from models.inference_kernels import convolve, dense, dense_narrow, gru, layer_norm, silu_all
from models.inference_layout import F32
from models.net_contract import (
    ACTION,
    BOOK,
    BOOK_HIDDEN,
    BOOK_OUT,
    CONTEXT,
    FEATURES,
    LATENT,
    LAYER_NORM_EPS,
    N_HEADS,
    OWN_STATE,
    TAPE_OUT,
    TAPE_ROWS,
    TRADES,
    TRUNK,
)
from models.vectors import any_not_finite
from models.words import add_to_word, read_word, swap_word

# What `infer` says, as bits: 0 is a decision.
OK: Final = 0
NO_WEIGHTS: Final = 1
INPUT_NOT_FINITE: Final = 2
STATE_NOT_FINITE: Final = 4
RESULT_NOT_FINITE: Final = 8
INPUT_STALE: Final = 16
NAMES: Final = {
    NO_WEIGHTS: "no_weights",
    INPUT_NOT_FINITE: "input_not_finite",
    STATE_NOT_FINITE: "state_not_finite",
    RESULT_NOT_FINITE: "result_not_finite",
    INPUT_STALE: "input_stale",
}
# What it is asked for, as bits.
ADVANCE: Final = 1  # h' and the action become the state
WITH_HEADS: Final = 2
# Places in the control words.
TICKS, SLOT, TURNED, DECIDED_BY, VERSIONS = 0, 1, 2, 3, 4

QUOTER: Final = (2.0, 2.0, 1.0, 1.0)  # half of the widest offsets in price units, and of the largest size factors
SCHEDULER: Final = (0.5, 0.5, 0.0, 0.0)  # half of all participation and of all aggression
_EPS: Final = np.float32(LAYER_NORM_EPS)
_ONE: Final = np.float32(1.0)


class Core(NamedTuple):
    """Everything that `infer` touches beside its arguments. One thread at a time may call `infer` with one core."""

    weights: F32  # (2, WEIGHTS)
    control: NDArray[np.int64]  # (6,): calls begun, slot in use, calls at the last turn, version of the last decision, versions
    half: F32  # (4,): action = half x (1 + softsign(raw))
    work: F32  # (WORK,)


def make_core(half: tuple[float, float, float, float] = QUOTER) -> Core:
    """A core without weights: it decides nothing."""
    control = np.zeros(VERSIONS + 2, np.int64)
    control[TURNED] = -1
    scale = np.asarray(half, np.float32)
    return Core(lay.aligned(2, lay.WEIGHTS), control, scale, lay.aligned(lay.WORK))


def version_number(digest: str) -> int:
    """The digest of a version as the number in its slot: its first 63 bits, never 0."""
    return int(digest[:16], 16) >> 1 | 1


def put_weights(core: Core, tensors: Mapping[str, F32], digest: str) -> bool:
    """A version into the idle slot, and the slot turned. False: too early, no call of `infer` has begun since the last turn.

    Raises:
        ValueError: packed weights that are not finite.
    """
    slab = lay.pack(tensors)
    if not np.isfinite(slab).all():
        raise ValueError("weights that are not finite")
    if core.control[TICKS] <= core.control[TURNED]:
        return False
    idle = 1 - int(core.control[SLOT])
    core.weights[idle] = slab
    core.control[VERSIONS + idle] = version_number(digest)
    _turn(core.control, idle)
    return True


@hot
def _turn(control: NDArray[np.int64], slot: int) -> None:
    """The slot in use, and then how many calls had begun: each of them may still read the other slot, no later one will."""
    swap_word(control, SLOT, slot)
    control[TURNED] = read_word(control, TICKS)


@inlined
def admit(now_ns: int, heard_ns: int, age_ns_max: int) -> int:
    """OK, or INPUT_STALE: the market was last heard of longer ago than that, or at a time that has not come yet."""
    return OK if 0 <= now_ns - heard_ns <= age_ns_max else INPUT_STALE


@inlined
def _normalise(w: F32, inputs: F32, k: F32) -> None:
    """(x - mean) / scale; 0 where a level or a trade has no size, or a feature's known bit is 0."""
    zero = np.float32(0.0)
    for i in range(0, BOOK, 2):
        there = inputs[lay.IN_BOOK + i + 1] > zero
        for j in range(i, i + 2):
            x = (inputs[lay.IN_BOOK + j] - w[lay.W_BOOK_MEAN + j]) * w[lay.W_BOOK_RATE + j]
            k[lay.AT_BOOK + j] = x if there else zero
    for row in range(TAPE_ROWS):
        mean, rate = w[lay.W_TAPE_NORM + row], w[lay.W_TAPE_NORM + TAPE_ROWS + row]
        for i in range(TRADES):
            x = (inputs[lay.IN_TAPE + row * TRADES + i] - mean) * rate
            k[lay.AT_TAPE + row * lay.ROW + 2 + i] = x if inputs[lay.IN_TAPE + TRADES + i] > zero else zero
    for i in range(CONTEXT):
        x = (inputs[lay.IN_CONTEXT + i] - w[lay.W_CONTEXT_MEAN + i]) * w[lay.W_CONTEXT_RATE + i]
        known = i >= FEATURES or inputs[lay.IN_CONTEXT + FEATURES + i] > zero
        k[lay.AT_FUSION + BOOK_OUT + TAPE_OUT + i] = x if known else zero


@inlined
def _encode(w: F32, inputs: F32, k: F32) -> None:
    """The observation into z, at AT_X."""
    _normalise(w, inputs, k)
    dense(w, lay.W_BOOK1, BOOK, BOOK_HIDDEN // lay.PANEL, k, lay.AT_BOOK, k, lay.AT_HIDDEN)
    silu_all(k, lay.AT_HIDDEN, BOOK_HIDDEN)
    dense(w, lay.W_BOOK2, BOOK_HIDDEN, BOOK_OUT // lay.PANEL, k, lay.AT_HIDDEN, k, lay.AT_FUSION)
    silu_all(k, lay.AT_FUSION, BOOK_OUT)
    convolve(w, lay.W_TAPE, k, lay.AT_TAPE, lay.ROW, k, lay.AT_FUSION + BOOK_OUT)
    dense(w, lay.W_FUSION, BOOK_OUT + TAPE_OUT + CONTEXT, LATENT // lay.PANEL, k, lay.AT_FUSION, k, lay.AT_FUSED)
    layer_norm(w, lay.W_ENCODER_NORM, k, lay.AT_FUSED, LATENT, _EPS, k, lay.AT_X)


@inlined
def _step(w: F32, state: F32, k: F32) -> None:
    """z, the action before and h into h' at AT_NEXT_H and next z at AT_SEEN."""
    for i in range(ACTION):
        k[lay.AT_X + LATENT + i] = state[lay.STATE_ACTION + i]
    for i in range(LATENT):
        k[lay.AT_X + LATENT + ACTION + i] = state[lay.STATE_H + i]
    gru(w, lay.W_GRU, LATENT + ACTION, LATENT, k, lay.AT_X, k, lay.AT_GATES, k, lay.AT_NEXT_H)
    layer_norm(w, lay.W_DYNAMICS_NORM, k, lay.AT_NEXT_H, LATENT, _EPS, k, lay.AT_SEEN)


@inlined
def _act(w: F32, half: F32, inputs: F32, k: F32) -> None:
    """Next z and own state into the action, at AT_RAW."""
    for i in range(OWN_STATE):
        k[lay.AT_SEEN + LATENT + i] = inputs[lay.IN_OWN + i]
    dense(w, lay.W_ACTOR1, LATENT + OWN_STATE, lay.ACTOR1 // lay.PANEL, k, lay.AT_SEEN, k, lay.AT_ACTOR1)
    silu_all(k, lay.AT_ACTOR1, lay.ACTOR1)
    dense(w, lay.W_ACTOR2, lay.ACTOR1, lay.ACTOR2 // lay.PANEL, k, lay.AT_ACTOR1, k, lay.AT_ACTOR2)
    silu_all(k, lay.AT_ACTOR2, lay.ACTOR2)
    dense_narrow(w, lay.W_ACTOR3, lay.ACTOR2, 1, k, lay.AT_ACTOR2, k, lay.AT_RAW)
    for i in range(ACTION):
        u = k[lay.AT_RAW + i]
        k[lay.AT_RAW + i] = half[i] * (_ONE + u / (_ONE + abs(u)))


@inlined
def _forecast(w: F32, k: F32) -> None:
    """z into the heads, at AT_HEADS."""
    dense(w, lay.W_TRUNK, LATENT, TRUNK // lay.PANEL, k, lay.AT_X, k, lay.AT_TRUNK)
    silu_all(k, lay.AT_TRUNK, TRUNK)
    dense_narrow(w, lay.W_HEADS, TRUNK, -(-N_HEADS // lay.VECTOR), k, lay.AT_TRUNK, k, lay.AT_HEADS)


@hot
def infer(
    core: Core, inputs: F32, state: F32, results: F32, asked: int, stamps: NDArray[np.int64] | None = None, at: int = 0
) -> int:
    """Encode, step, act and the heads.

    Args:
        core: of `make_core`, with weights.
        inputs: (INPUTS,), book (40,), tape (3, 50), context (18,), own state (4,), as the net contract has them.
        state: (STATE,), h (128,) and the action of the step before (4,); afterwards, where ADVANCE is asked for, h' and the
            action.
        results: (RESULTS,), action at OUT_ACTION, heads at OUT_HEADS (as they were, unless asked for), z at OUT_Z and next z at
            OUT_NEXT. Unchanged where there is no decision.
        asked: ADVANCE and WITH_HEADS, or 0.
        stamps: where the monotonic clock is written to, from `at` on, after encode, after step and after act with the heads;
            None: it is not read. No decision depends on it.

    Returns:
        OK, or the bit of what forbids a decision. control[DECIDED_BY] is the version that the call read, decision or not.
    """
    control, k = core.control, core.work
    add_to_word(control, TICKS, 1)
    slot = read_word(control, SLOT)
    control[DECIDED_BY] = control[VERSIONS + slot]
    if control[VERSIONS + slot] == 0:
        return NO_WEIGHTS
    if any_not_finite(inputs, 0, lay.INPUTS):
        return INPUT_NOT_FINITE
    if any_not_finite(state, 0, lay.STATE):
        return STATE_NOT_FINITE
    w = core.weights[slot]
    _encode(w, inputs, k)
    if stamps is not None:
        stamps[at] = now_ns()
    _step(w, state, k)
    if stamps is not None:
        stamps[at + 1] = now_ns()
    _act(w, core.half, inputs, k)
    bad = any_not_finite(k, lay.AT_X, lay.AT_X + LATENT) or any_not_finite(k, lay.AT_NEXT_H, lay.AT_RAW + ACTION)
    if asked & WITH_HEADS:
        _forecast(w, k)
        bad = bad or any_not_finite(k, lay.AT_HEADS, lay.AT_HEADS + N_HEADS)
    if stamps is not None:
        stamps[at + 2] = now_ns()
    if bad:
        return RESULT_NOT_FINITE
    _hand_over(k, state, results, asked)
    return OK


@inlined
def _hand_over(k: F32, state: F32, results: F32, asked: int) -> None:
    """From the work array to the caller's."""
    for i in range(ACTION):
        results[lay.OUT_ACTION + i] = k[lay.AT_RAW + i]
    for i in range(LATENT):
        results[lay.OUT_Z + i] = k[lay.AT_X + i]
        results[lay.OUT_NEXT + i] = k[lay.AT_SEEN + i]
    if asked & WITH_HEADS:
        for i in range(N_HEADS):
            results[lay.OUT_HEADS + i] = k[lay.AT_HEADS + i]
    if asked & ADVANCE:
        for i in range(ACTION):
            state[lay.STATE_ACTION + i] = k[lay.AT_RAW + i]
        for i in range(LATENT):
            state[lay.STATE_H + i] = k[lay.AT_NEXT_H + i]
