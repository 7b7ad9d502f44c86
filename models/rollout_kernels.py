"""Rollouts in compiled code: some samples over all steps, each row's sums in the order of the inference core's."""

from __future__ import annotations

from typing import Final

import numpy as np

from models import inference_layout as lay
from models.compiled import hot, inlined
from models.inference_kernels import biases, dense_narrow, dense_rows, gated, layer_norm, silu_all, softplus
from models.inference_layout import F32, PANEL, VECTOR
from models.net_contract import ACTION, LATENT, LAYER_NORM_EPS, N_HEADS, NOISE, TRUNK
from models.vectors import load, store

_EPS: Final = np.float32(LAYER_NORM_EPS)
_X: Final = LATENT + ACTION
_GATES: Final = 4 * LATENT
_HEADS: Final = -(-N_HEADS // VECTOR) * VECTOR
# A row of the work array: z, action, h; the gates; the new h; scaled noise; the trunk; the heads.
ROW_X, ROW_GATES, ROW_H = 0, -(-(_X + LATENT) // VECTOR) * VECTOR, -(-(_X + LATENT) // VECTOR) * VECTOR + _GATES
ROW_NOISE: Final = ROW_H + LATENT
ROW_TRUNK: Final = ROW_NOISE + NOISE
ROW_HEADS: Final = ROW_TRUNK + TRUNK
ROW: Final = ROW_HEADS + _HEADS
_CANDIDATE: Final = lay.W_GRU + 2 * LATENT * (_X + LATENT + 1)
_CANDIDATE_H: Final = _CANDIDATE + LATENT * (_X + 1)


@hot
def roll_rows(w: F32, z: F32, h: F32, actions: F32, noise: F32, work: F32, latents: F32, heads: F32) -> None:
    """Some samples from one beginning.

    Args:
        w: (WEIGHTS,), packed.
        z, h: (128,), the beginning.
        actions: (n or 1, T, 4), each sample's or everybody's.
        noise: (n, T, 16), standard normal.
        work: (n rounded up to a multiple of 4, ROW) as one flat array.
        latents: (n, T, 128), filled. heads: (n, T, N_HEADS), filled.
    """
    n, steps = latents.shape[0], latents.shape[1]
    rows = (n + 3) // 4 * 4
    for row in range(rows):
        for i in range(LATENT):
            work[row * ROW + ROW_X + i] = z[i]
            work[row * ROW + ROW_X + _X + i] = h[i]
    for t in range(steps):
        for row in range(n):
            own = row if actions.shape[0] > 1 else 0
            for i in range(ACTION):
                work[row * ROW + ROW_X + LATENT + i] = actions[own, t, i]
            for i in range(NOISE):
                work[row * ROW + ROW_NOISE + i] = noise[row, t, i]
        _hidden(w, work, rows)
        for row in range(rows):
            _next(w, work, row * ROW)
        _noise(w, work, rows)
        _heads(w, work, rows)
        for row in range(n):
            for i in range(LATENT):
                latents[row, t, i] = work[row * ROW + ROW_X + i]
            for i in range(N_HEADS):
                heads[row, t, i] = work[row * ROW + ROW_HEADS + i]


@inlined
def _hidden(w: F32, k: F32, rows: int) -> None:
    """The gates of every row."""
    wide, half = 2 * LATENT // PANEL, LATENT // PANEL
    biases(w, lay.W_GRU, _X + LATENT, wide, k, ROW_GATES, ROW, rows)
    biases(w, _CANDIDATE, _X, half, k, ROW_GATES + 2 * LATENT, ROW, rows)
    biases(w, _CANDIDATE_H, LATENT, half, k, ROW_GATES + 3 * LATENT, ROW, rows)
    dense_rows(w, lay.W_GRU, _X + LATENT, wide, k, ROW_X, ROW, k, ROW_GATES, ROW, rows)
    dense_rows(w, _CANDIDATE, _X, half, k, ROW_X, ROW, k, ROW_GATES + 2 * LATENT, ROW, rows)
    dense_rows(w, _CANDIDATE_H, LATENT, half, k, ROW_X + _X, ROW, k, ROW_GATES + 3 * LATENT, ROW, rows)


@inlined
def _next(w: F32, k: F32, at: int) -> None:
    """One row: the new h, the mean of the next z, and the noise scaled by what h says."""
    gated(LATENT, k, at + ROW_X + _X, k, at + ROW_GATES, k, at + ROW_H)
    for i in range(0, LATENT, VECTOR):
        store(k, at + ROW_X + _X + i, load(k, at + ROW_H + i))
    layer_norm(w, lay.W_DYNAMICS_NORM, k, at + ROW_H, LATENT, _EPS, k, at + ROW_X)
    dense_narrow(w, lay.W_NOISE_SCALE, LATENT, 1, k, at + ROW_H, k, at + ROW_GATES)
    store(k, at + ROW_NOISE, softplus(load(k, at + ROW_GATES)) * load(k, at + ROW_NOISE))


@inlined
def _noise(w: F32, k: F32, rows: int) -> None:
    """z += N (scaled noise), every row."""
    dense_rows(w, lay.W_NOISE_OUT, NOISE, LATENT // PANEL, k, ROW_NOISE, ROW, k, ROW_X, ROW, rows)


@inlined
def _heads(w: F32, k: F32, rows: int) -> None:
    """The heads at z, every row."""
    biases(w, lay.W_TRUNK, LATENT, 1, k, ROW_TRUNK, ROW, rows)
    dense_rows(w, lay.W_TRUNK, LATENT, 1, k, ROW_X, ROW, k, ROW_TRUNK, ROW, rows)
    for row in range(rows):
        silu_all(k, row * ROW + ROW_TRUNK, TRUNK)
        dense_narrow(w, lay.W_HEADS, TRUNK, _HEADS // VECTOR, k, row * ROW + ROW_TRUNK, k, row * ROW + ROW_HEADS)
