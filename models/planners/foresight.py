"""From an observation to what is expected of each interval: encode, roll 500 futures out, and read the forecasts.

Expected moves and liquidity come from the path of the mean latent (no noise), for a mean over 500 futures is blurred by a
twenty-second of its spread; the futures say how uncertain each interval is. A step of the dynamics is ten events:
intervals take the steps that fall into them, and beyond the last step there is no expected move and the rest stays as it is.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import ForecastError
from domain.observation import Observation
from models import inference_layout as lay
from models.inference import ADVANCE, NAMES, WITH_HEADS, infer
from models.net_contract import ACTION, BOOK, CONTEXT, HEAD, LATENT, TAPE_ROWS, TRADES
from models.rollout import SAMPLES, STEPS, noise, roll
from models.sight import Sight

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
ARRAYS: Final = BOOK + TAPE_ROWS * TRADES + CONTEXT
_COMPRESSED_MAX: Final = 40.0  # log2 of what no market shows


class Foreseen(NamedTuple):
    """Of n intervals; prices in units of the observation's price, quantities in its sizes.

    moves, deviation: (n,) the middle's expected move and its standard deviation. spread, depth_bid, depth_ask: (n,) what is
    shown. volume: (n,) what trades. paths: (samples, n) each future's moves. latents: (n + 1, 128), now and at each end.
    """

    moves: F64
    deviation: F64
    spread: F64
    volume: F64
    depth_bid: F64
    depth_ask: F64
    paths: F64
    latents: F32


def foresee(
    seen: Sight, observation: Observation, edges_ns: NDArray[np.int64], *, seed: int, samples: int = SAMPLES, threads: int = 2
) -> Foreseen:
    """What is expected between the edges, (n + 1,) nanoseconds after the observation, rising from 0 or later.

    Raises:
        ForecastError: the observation is not of the contract's shape, or it or what follows from it is no number.
    """
    inputs, state = read_observation(observation)
    results = np.zeros(lay.RESULTS, np.float32)
    h = state[:LATENT].copy()
    if said := infer(seen.core, inputs, state, results, ADVANCE | WITH_HEADS):
        raise ForecastError(f"{NAMES[said]}: no forecast")
    z = results[lay.OUT_Z : lay.OUT_Z + LATENT].copy()
    actions = np.zeros((STEPS, ACTION), np.float32)
    mean = roll(seen.packed, z, h, actions, np.zeros((1, STEPS, noise(0, 1, 1).shape[-1]), np.float32))
    futures = roll(seen.packed, z, h, actions, noise(seed, samples, STEPS), threads=threads)
    steps_ns = np.arange(STEPS + 1) * float(observation.step_ns)
    share = overlap(steps_ns, edges_ns)  # (n, STEPS)
    now, ahead = results[lay.OUT_HEADS :].astype(np.float64), mean.heads[0].astype(np.float64)
    book = inputs[:BOOK].astype(np.float64).reshape(-1, 4)
    spread_now, bid_now, ask_now = _standing(book)
    drawn = futures.heads.astype(np.float64)
    means, scales, tails = (drawn[:, :, HEAD[f"return_{part}"]] for part in ("mean", "log_scale", "tail"))  # (samples, STEPS)
    own = _variance(scales, tails).mean(0)  # (STEPS,)
    chance = noise(seed + 1, samples, STEPS)[:, :, 0].astype(np.float64)
    paths = (means + _drawn(scales, tails, chance)) @ share.T  # (samples, n)
    spans = np.diff(edges_ns) / steps_ns[1]  # steps an interval lasts
    beyond = np.maximum(spans - share.sum(1), 0.0) * (own.mean() + means.var(0).mean())
    deviation = np.sqrt((means @ share.T).var(0) + share @ own + beyond)
    ends = np.minimum(np.searchsorted(steps_ns, edges_ns, side="right") - 1, STEPS)  # steps done by each edge
    latents = np.concatenate([z[None], mean.latents[0]])[np.maximum(ends, 0)]
    quantity = {name: _held(ahead[:, HEAD[f"{name}_mean"]], share) for name in ("spread", "volume", "depth_bid", "depth_ask")}
    return Foreseen(
        moves=share @ ahead[:, HEAD["return_mean"]],
        deviation=deviation,
        spread=_expand(quantity["spread"] + spread_now - now[HEAD["spread_mean"]]),
        volume=_expand(quantity["volume"]) * spans,
        depth_bid=_expand(quantity["depth_bid"] + bid_now - now[HEAD["depth_bid_mean"]]),
        depth_ask=_expand(quantity["depth_ask"] + ask_now - now[HEAD["depth_ask_mean"]]),
        paths=paths,
        latents=latents,
    )


def read_observation(observation: Observation) -> tuple[F32, F32]:
    """Inputs (INPUTS,) and state (STATE,) of the core. Raises ForecastError."""
    arrays, hidden = _floats(observation.arrays), _floats(observation.hidden)
    if arrays.shape != (ARRAYS,) or hidden.shape not in ((0,), (LATENT,)):
        raise ForecastError(f"an observation of {len(arrays)} and {len(hidden)} numbers, not {ARRAYS} and {LATENT}")
    if not (np.isfinite(arrays).all() and np.isfinite(hidden).all()):
        raise ForecastError("an observation that holds what is no number")
    if min(observation.price_unit_e9, observation.size_unit_e9, observation.step_ns) <= 0:
        raise ForecastError("an observation whose units are not above 0")
    inputs, state = np.zeros(lay.INPUTS, np.float32), np.zeros(lay.STATE, np.float32)
    inputs[:ARRAYS] = arrays
    state[: len(hidden)] = hidden
    return inputs, state


def text_of(array: F32) -> str:
    """An array's bytes, little-endian float32, in base64."""
    return base64.b64encode(np.ascontiguousarray(array).astype("<f4").tobytes()).decode()


def seed_of(parent: str, plan_number: int) -> int:
    """The seed of a plan's futures: another for each plan, the same whenever it is made again."""
    return int.from_bytes(hashlib.sha256(f"{parent} {plan_number}".encode()).digest()[:7], "big")


def overlap(steps_ns: NDArray[np.floating], edges_ns: NDArray[np.int64]) -> F64:
    """(n, steps): which part of each step lies in each interval."""
    low = np.maximum(steps_ns[None, :-1], edges_ns[:-1, None])
    high = np.minimum(steps_ns[None, 1:], edges_ns[1:, None])
    return np.asarray(np.maximum(high - low, 0.0) / (steps_ns[1] - steps_ns[0]))


def _held(values: F64, share: F64) -> F64:
    """(n,) the mean of the steps in each interval; where none is, the last one's."""
    weight = share.sum(1)
    known = share @ values / np.maximum(weight, 1e-12)
    return np.where(weight > 1e-9, known, values[-1])


def _expand(compressed: F64) -> F64:
    """Back from sign(x) log2(1 + abs(x)), for quantities that are not below 0."""
    return np.exp2(np.clip(compressed, 0.0, _COMPRESSED_MAX)) - 1.0


def _variance(log_scale: F64, tail: F64) -> F64:
    """Of mean + 2^log_scale sinh(k n) / k with k = softplus(tail): 4^log_scale (exp(2 k^2) - 1) / (2 k^2)."""
    k = _heaviness(tail)
    return np.exp2(2.0 * np.clip(log_scale, -_COMPRESSED_MAX, 20.0)) * np.expm1(2.0 * k * k) / (2.0 * k * k)


def _drawn(log_scale: F64, tail: F64, chance: F64) -> F64:
    """2^log_scale sinh(k n) / k."""
    k = _heaviness(tail)
    return np.exp2(np.clip(log_scale, -_COMPRESSED_MAX, 20.0)) * np.sinh(k * chance) / k


def _heaviness(tail: F64) -> F64:
    return np.clip(np.logaddexp(0.0, tail), 1e-3, 2.0)


def _standing(book: F64) -> tuple[float, float, float]:
    """Spread, and the lots of the visible levels of bid and ask, compressed, from the book (10, 4) as it is observed."""
    sign = np.sign(book[0, (0, 2)])
    away = sign * (np.exp2(np.minimum(np.abs(book[0, (0, 2)]), _COMPRESSED_MAX)) - 1.0)
    lots = _expand(book[:, 1]).sum(), _expand(book[:, 3]).sum()
    return float(np.log2(1.0 + max(0.0, away[1] - away[0]))), float(np.log2(1.0 + lots[0])), float(np.log2(1.0 + lots[1]))


def _floats(text: str) -> F32:
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
    except ValueError as error:
        raise ForecastError(f"an observation that is no array: {error}") from error
