"""Where everything lies in the inference core's arrays: inputs, state, results, packed weights, activations.

A dense layer is packed in panels of outputs: the panel's biases, then a row of the panel's weights for every input, in the
order in which `models.inference_kernels` reads them. What a panel has too much is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.net_contract import (
    ACTION,
    BOOK,
    BOOK_HIDDEN,
    BOOK_OUT,
    CONTEXT,
    KERNEL,
    LATENT,
    N_HEADS,
    NOISE,
    OWN_STATE,
    TAPE_OUT,
    TAPE_ROWS,
    TRADES,
    TRUNK,
)

F32 = NDArray[np.float32]
VECTOR: Final = 16
PANEL: Final = 64  # outputs that a wide dense layer forms at once
ACTOR1: Final = 128
ACTOR2: Final = 64


def _wide(n: int) -> int:
    return -(-n // VECTOR) * VECTOR


def _places(sizes: list[int]) -> list[int]:
    """Where each part begins, every one on a whole vector; the total last."""
    return np.concatenate([[0], np.cumsum([_wide(size) for size in sizes])]).tolist()


# An observation and own state, (INPUTS,); the recurrent state, (STATE,); the results, (RESULTS,).
IN_BOOK: Final = 0
IN_TAPE: Final = BOOK
IN_CONTEXT: Final = IN_TAPE + TAPE_ROWS * TRADES
IN_OWN: Final = IN_CONTEXT + CONTEXT
INPUTS: Final = IN_OWN + OWN_STATE
STATE_H: Final = 0
STATE_ACTION: Final = LATENT  # what was done in the step that is ending
STATE: Final = LATENT + ACTION
OUT_ACTION, OUT_HEADS, OUT_Z, OUT_NEXT, RESULTS = _places([ACTION, N_HEADS, LATENT, LATENT])

# The activations, (WORK,). What one layer reads lies together: book, tape and context for the fusion; z, action and h for the
# recurrent unit; next z and own state for the controller.
ROW: Final = TRADES + KERNEL - 1  # a row of the tape with its zeros at both ends
(
    AT_BOOK, AT_TAPE, AT_HIDDEN, AT_FUSION, AT_FUSED, AT_X, AT_GATES, AT_NEXT_H, AT_SEEN, AT_ACTOR1, AT_ACTOR2, AT_RAW, AT_TRUNK,
    AT_HEADS, WORK,
) = _places([
    BOOK, TAPE_ROWS * ROW, BOOK_HIDDEN, BOOK_OUT + TAPE_OUT + CONTEXT, LATENT, LATENT + ACTION + LATENT, 4 * LATENT, LATENT,
    LATENT + OWN_STATE, ACTOR1, ACTOR2, ACTION, TRUNK, N_HEADS,
])  # fmt: skip

_X: Final = LATENT + ACTION
_GRU: Final = 2 * LATENT * (_X + LATENT + 1) + LATENT * (_X + 1) + LATENT * (LATENT + 1)
_FUSION_IN: Final = BOOK_OUT + TAPE_OUT + CONTEXT
# The packed weights of one version, (WEIGHTS,).
(
    W_BOOK_MEAN, W_BOOK_RATE, W_TAPE_NORM, W_CONTEXT_MEAN, W_CONTEXT_RATE, W_TAPE, W_BOOK1, W_BOOK2, W_FUSION, W_ENCODER_NORM,
    W_GRU, W_DYNAMICS_NORM, W_ACTOR1, W_ACTOR2, W_ACTOR3, W_TRUNK, W_HEADS, W_NOISE_SCALE, W_NOISE_OUT, WEIGHTS,
) = _places([
    BOOK, BOOK, 2 * TAPE_ROWS, CONTEXT, CONTEXT, TAPE_OUT * (1 + TAPE_ROWS * KERNEL), BOOK_HIDDEN * (BOOK + 1),
    BOOK_OUT * (BOOK_HIDDEN + 1), LATENT * (_FUSION_IN + 1), 2 * LATENT, _GRU, 2 * LATENT, ACTOR1 * (LATENT + OWN_STATE + 1),
    ACTOR2 * (ACTOR1 + 1), _wide(ACTION) * (ACTOR2 + 1), TRUNK * (LATENT + 1), _wide(N_HEADS) * (TRUNK + 1), NOISE * (LATENT + 1),
    LATENT * (NOISE + 1),
])  # fmt: skip


def aligned(*shape: int) -> F32:
    """Zeros that begin on a cache line, as every row does whose length is a whole number of vectors."""
    count = int(np.prod(shape))
    raw = np.zeros(count + VECTOR, np.float32)
    start = (-raw.ctypes.data // 4) % VECTOR
    return raw[start : start + count].reshape(shape)


def pack(tensors: Mapping[str, F32]) -> F32:
    """The tensors of a weights file as the kernels read them, (WEIGHTS,).

    Raises:
        KeyError: a tensor of the net contract is missing.
    """
    slab = np.zeros(WEIGHTS, np.float32)

    def put(at: int, part: F32) -> None:
        slab[at : at + part.size] = part.ravel()

    def layer(at: int, name: str, panel: int = PANEL) -> None:
        put(at, panels(tensors[f"{name}.weight"], tensors[f"{name}.bias"], panel))

    put(W_BOOK_MEAN, tensors["norm.book_mean"])
    put(W_BOOK_RATE, np.reciprocal(tensors["norm.book_scale"]))
    put(W_TAPE_NORM, np.concatenate([tensors["norm.tape_mean"], np.reciprocal(tensors["norm.tape_scale"])]))
    put(W_CONTEXT_MEAN, tensors["norm.context_mean"])
    put(W_CONTEXT_RATE, np.reciprocal(tensors["norm.context_scale"]))
    taps = tensors["encoder.tape.weight"].transpose(1, 2, 0)  # (3, 5, 32)
    put(W_TAPE, np.concatenate([tensors["encoder.tape.bias"], taps.ravel()]))
    layer(W_BOOK1, "encoder.book1")
    layer(W_BOOK2, "encoder.book2")
    layer(W_FUSION, "encoder.fusion")
    put(W_ENCODER_NORM, np.concatenate([tensors["encoder.norm.weight"], tensors["encoder.norm.bias"]]))
    put(W_GRU, _gru(tensors))
    put(W_DYNAMICS_NORM, np.concatenate([tensors["dynamics.norm.weight"], tensors["dynamics.norm.bias"]]))
    layer(W_ACTOR1, "controller.actor1")
    layer(W_ACTOR2, "controller.actor2")
    layer(W_ACTOR3, "controller.actor3", VECTOR)
    layer(W_TRUNK, "heads.trunk")
    layer(W_HEADS, "heads.out", VECTOR)
    layer(W_NOISE_SCALE, "dynamics.noise_scale", VECTOR)
    put(W_NOISE_OUT, panels(tensors["dynamics.noise_out"], np.zeros(LATENT, np.float32), PANEL))
    return slab


def panels(weight: F32, bias: F32, panel: int) -> F32:
    """weight (n_out, n_in) and bias (n_out,) -> (n_out rounded up to whole panels x (n_in + 1),)."""
    n_out, n_in = weight.shape
    count = -(-n_out // panel)
    rows = np.zeros((n_in + 1, count * panel), np.float32)
    rows[0, :n_out], rows[1:, :n_out] = bias, weight.T
    return rows.reshape(n_in + 1, count, panel).transpose(1, 0, 2).ravel()


def _gru(tensors: Mapping[str, F32]) -> F32:
    """Reset and update gates of input and hidden state in one layer; the candidate's two halves apart."""
    w_i, w_h, b_i, b_h = (tensors[f"dynamics.gru.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    both = 2 * LATENT
    return np.concatenate([
        panels(np.hstack([w_i[:both], w_h[:both]]), b_i[:both] + b_h[:both], PANEL),
        panels(w_i[both:], b_i[both:], PANEL),
        panels(w_h[both:], b_h[both:], PANEL),
    ])  # fmt: skip
