"""Makers in the exact world and its grid: one compiled pass over paths that are already drawn. See `models.worlds.making_events`.

A maker is a net (through `models.inference.infer`, from book, tape and own state alone), or one of the rules that the field
compares with. All rules get the same events and the same limit, which the world keeps: at it the side is not quoted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from models import inference_layout as lay
from models.compiled import hot, inlined
from models.inference import ADVANCE, OK, Core, infer, make_core
from models.net_contract import ACTION, LATENT, OWN_STATE
from models.worlds.making_events import BUY, END, PRICE_UNIT, SELL, MakingPaths, MakingWorld
from models.worlds.making_exact import F64
from models.worlds.making_grid import LOOKS, Optimum
from models.worlds.world import F32

NET, FIXED, TABLE, AVELLANEDA_STOIKOV, GLFT = 0, 1, 2, 3, 4
SEEN: Final = LATENT + OWN_STATE
_SATURATED: Final = np.float32(0.9995)
_ONE, _HALF, _NOTHING = np.float32(1.0), np.float32(0.5), np.float32(0.0)
_NEVER: Final = 1e12  # from the middle, prices: no quote
_FAR: Final = 1e9


@dataclass(frozen=True)
class Maker:
    """Who quotes. kind: NET, FIXED at `number` from the middle, TABLE, or a rule with the risk aversion `number`."""

    name: str
    kind: int
    number: float = 0.0
    table: F64 = field(default_factory=lambda: np.zeros((LOOKS + 1, 1, 1, 1, 2)))
    core: Core = field(default_factory=make_core)

    @staticmethod
    def optimal(optimum: Optimum, name: str = "optimum") -> Maker:
        """One who knows inventory, signal and regime."""
        return Maker(name, TABLE, table=optimum.quotes)


class Run(NamedTuple):
    """What P makers did. seen and raw are of nets alone and else have no rows."""

    reward: F64  # (P, T) the objective's parts, by the event at whose beginning the quotes stood
    inventory: F64  # (P, T) before each event
    gained: F64  # (P,) distances of fills from the middle, less jumps
    fills: F64  # (P,)
    final: F64  # (P,) inventory at the end
    seen: F32  # (P, T, 132) next z and own state
    raw: F32  # (P, T, 4) actions before squashing
    failed: F64  # (1,) events at which the core said no

    @property
    def value(self) -> F64:
        """(P,) the objective."""
        return self.reward.sum(axis=1)


class _Scratch(NamedTuple):
    state: F32
    results: F32
    quotes: F64  # (2,) distances of bid and ask


def run(world: MakingWorld, paths: MakingPaths, maker: Maker, noise: F32 | None = None, *, keeps: bool = False) -> Run:
    """Let a maker work P horizons.

    Args:
        noise: (P, T, 4) that is added to raw actions, for learning.
        keeps: what a net saw and did.
    """
    shape = paths.kind.shape
    rows = shape if keeps else (0, 0)
    chosen = np.zeros((1, 1, ACTION), np.float32) if noise is None else noise
    out = Run(
        np.zeros(shape), np.zeros(shape), np.zeros(shape[0]), np.zeros(shape[0]), np.zeros(shape[0]),
        np.zeros((*rows, SEEN), np.float32), np.zeros((*rows, ACTION), np.float32), np.zeros(1),
    )  # fmt: skip
    base = world.config.base
    numbers = np.array([maker.number, base.running, base.terminal, world.config.jump, float(base.limit)])
    scratch = _Scratch(lay.aligned(lay.STATE), lay.aligned(lay.RESULTS), np.zeros(2))
    _run(paths, maker.kind, numbers, maker.table, maker.core, chosen, noise is not None, scratch, out)
    return out


@inlined
def rule(kind: int, number: float, left: float, q: float, rolling: F64, quotes: F64) -> None:
    """Distances of a rule, prices. `number` is a fixed distance, or gamma, inventory in shares.

    Avellaneda and Stoikov (2008): r = s - q gamma sigma^2 (T - t), spread gamma sigma^2 (T - t) + 2 / gamma ln(1 + gamma / k).
    Gueant, Lehalle and Fernandez-Tapia (2013), asymptotic: 1 / gamma ln(1 + gamma / k) + (1 +- 2 q) / 2 x
    sqrt(sigma^2 gamma / (2 k A) (1 + gamma / k)^(1 + k / gamma)).
    """
    arrivals, k, sigma = rolling[0], rolling[1], rolling[2]
    if kind == FIXED:
        quotes[0], quotes[1] = number, number
    elif kind == AVELLANEDA_STOIKOV:
        half = 0.5 * number * sigma * sigma * left + math.log(1.0 + number / k) / number
        lean = q * number * sigma * sigma * left
        quotes[0], quotes[1] = half + lean, half - lean
    else:
        first = math.log(1.0 + number / k) / number
        root = math.sqrt(sigma * sigma * number / (2.0 * k * arrivals) * (1.0 + number / k) ** (1.0 + k / number))
        quotes[0], quotes[1] = first + (1.0 + 2.0 * q) / 2.0 * root, first + (1.0 - 2.0 * q) / 2.0 * root


@inlined
def look(core: Core, inputs: F32, state: F32, results: F32, noise: F32, explores: bool, advances: bool) -> bool:
    """One look of a net: its action, explored where it learns, lies in `results`, and in `state` where a step of the dynamics
    is over. False: the core said no."""
    if infer(core, inputs, state, results, ADVANCE if advances else 0) != OK:
        return False
    if explores:
        for i in range(ACTION):
            u = raw_of(results[lay.OUT_ACTION + i], core.half[i]) + noise[i]
            results[lay.OUT_ACTION + i] = core.half[i] * (_ONE + u / (_ONE + abs(u)))
            if advances:
                state[lay.STATE_ACTION + i] = results[lay.OUT_ACTION + i]
    return True


@inlined
def raw_of(action: Any, half: Any) -> Any:
    """What was squashed: action = half (1 + u / (1 + abs(u))), of a squashed part of at most 0.9995."""
    share = min(max(action / half - _ONE, -_SATURATED), _SATURATED)
    return share / (_ONE - abs(share))


@inlined
def keep(core: Core, inputs: F32, results: F32, seen: F32, raw: F32) -> None:
    """What a net saw (132,) and did (4,)."""
    for i in range(LATENT):
        seen[i] = results[lay.OUT_NEXT + i]
    for i in range(OWN_STATE):
        seen[LATENT + i] = inputs[lay.IN_OWN + i]
    for i in range(ACTION):
        raw[i] = raw_of(results[lay.OUT_ACTION + i], core.half[i])


@inlined
def _own(inputs: F32, q: float, limit: float, quotes: F64, left: float) -> None:
    """Own state as the net contract has it; the sides that are not quoted are 0."""
    inputs[lay.IN_OWN], inputs[lay.IN_OWN + 3] = q / limit, left
    for i in range(2):
        inputs[lay.IN_OWN + 1 + i] = quotes[i] / PRICE_UNIT if quotes[i] < _FAR else 0.0


@hot
def _run(
    paths: MakingPaths, kind: int, numbers: F64, table: F64, core: Core, noise: F32, explores: bool, scratch: _Scratch, out: Run
) -> None:
    number, running, terminal, jump, limit = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    state, results, quotes = scratch.state, scratch.results, scratch.quotes
    for p in range(paths.kind.shape[0]):
        state[:] = _NOTHING
        quotes[:] = 0.0
        q = 0.0
        for t in range(paths.length[p]):
            left, dt = paths.left[p, t], paths.wait[p, t]
            out.inventory[p, t] = q
            if kind == NET:
                inputs = paths.inputs[p, t]
                _own(inputs, q, limit, quotes, left)
                said = look(core, inputs, state, results, noise[p, t] if explores else noise[0, 0], explores, True)
                _offsets(results, said, quotes)
                out.failed[0] += 0.0 if said else 1.0
                if out.seen.shape[0] > 0:
                    keep(core, inputs, results, out.seen[p, t], out.raw[p, t])
            elif kind == TABLE:
                r, a, i = paths.state[p, t, 0], paths.state[p, t, 1], int(q + limit)
                at = round((1.0 - left) * LOOKS)
                quotes[0], quotes[1] = table[at, r, a, i, 0], table[at, r, a, i, 1]
            else:
                rule(kind, number, left, q, paths.rolling[p, t], quotes)
            reward = (paths.signal[p, t] * q - running * q * q) * dt
            what = paths.kind[p, t]
            gain = 0.0
            if what == BUY and q > -limit and quotes[1] < paths.reach[p, t]:
                gain = quotes[1] - jump
                q -= 1.0
                out.fills[p] += 1.0
            elif what == SELL and q < limit and quotes[0] < paths.reach[p, t]:
                gain = quotes[0] - jump
                q += 1.0
                out.fills[p] += 1.0
            elif what == END:
                reward -= terminal * q * q
            out.gained[p] += gain
            out.reward[p, t] = reward + gain
        out.final[p] = q


@inlined
def _offsets(results: F32, said: bool, quotes: F64) -> None:
    """A net's distances in prices; a side whose size factor is below a half of a share is not quoted."""
    for i in range(2):
        quoted = said and results[lay.OUT_ACTION + 2 + i] >= _HALF
        quotes[i] = PRICE_UNIT * results[lay.OUT_ACTION + i] if quoted else _NEVER
