"""What only the event book knows, in the terms of the linear program: for the rows that are marked as bounds.

Signal and liquidity are exact. The impact is not linear: an order meets the line through nothing and what is displaced when
all that is left of it has been traded. So the rows made of it are good plans, not an optimum.
"""

from __future__ import annotations

import numpy as np

from models.market.layout import I64
from models.worlds import event_flow as ef
from models.worlds.event_flow import F64, INTERVALS, PARTS, SLOTS, Drive, foresee
from models.worlds.world import Truth


def truth_of(d: Drive, k: int, sides: I64, left: F64, walk_bps: float, sigma_bps: float, usual: F64) -> Truth:
    """Before interval k.

    Args:
        left: (P,) shares. walk_bps: what an even slice of a tenth of the usual volume walks into the book.
        sigma_bps: of a horizon of the usual day. usual: (n - k,) usual volume by interval, shares.
    """
    n, par, side = INTERVALS - k, d.par, sides[:, None]
    ahead = np.zeros((3, len(sides), n))  # moves, signal, depth
    foresee(d._replace(x=d.x.copy(), rng=d.rng.copy(), parents=d.parents.copy()), k * SLOTS, n, ahead)
    keep, ages = par[:, ef.SIGNAL_KEEP, None], np.arange(n)
    over = par[:, ef.SIGNAL_SD, None] * (1 - keep**SLOTS) / (1 - keep)  # an interval's move by a signal of 1
    drift, now = par[:, ef.DRIFT, None] * SLOTS, d.x[:, ef.SIGNAL, None]
    factor, (eta, kappa, gamma, decay, displaced) = _factor(d, ages), _impact(d, left, walk_bps, usual)
    mean = 0.5 / par[:, ef.THIN] + 0.5 / par[:, ef.THICK]
    return Truth(
        alpha=side * (drift + over * now * keep ** (SLOTS * ages)), eta=eta * factor, kappa=kappa[:, None] * factor,
        decay=np.repeat(decay[:, None], n, axis=1), gamma=gamma, risk=np.zeros((len(sides), n)), displacement=sides * displaced,
        moves=side * ahead[0], alphas=side * (drift + over * ahead[1]), etas=eta / ahead[2], kappas=kappa[:, None] / ahead[2],
        volume=np.tile(usual, (len(sides), 1)), factor=factor / mean[:, None], impact=mean,
        volatility=par[:, ef.SIGMA] * np.sqrt(SLOTS * INTERVALS) / sigma_bps,
    )  # fmt: skip


def _factor(d: Drive, ages: I64) -> F64:
    """(P, n) expected inverse of depth, given the liquidity of the moment."""
    thin, thick = d.par[:, ef.THIN, None], d.par[:, ef.THICK, None]
    is_thick = d.x[:, ef.DEPTH, None] > np.sqrt(thin * thick)
    likely = 0.5 + np.where(is_thick, 0.5, -0.5) * (1 - 2 * d.par[:, ef.SWITCH, None]) ** (SLOTS * ages)
    return np.asarray(likely / thick + (1 - likely) / thin)


def _impact(d: Drive, left: F64, walk_bps: float, usual: F64) -> tuple[F64, F64, F64, F64, F64]:
    """eta (1, n), kappa, gamma, decay and the displacement that comes back, (P,) each: basis points per share."""
    keeps, weights = d.par[:, ef.KEEP0 : ef.KEEP0 + PARTS], d.par[:, ef.WEIGHT0 : ef.WEIGHT0 + PARTS]
    parts = d.x[:, ef.E0 : ef.E0 + PARTS]
    held, back = np.abs(parts.sum(axis=1)), keeps < 1.0
    slope = d.par[:, ef.SCALE] / np.sqrt(np.maximum(held + left, 1.0))
    gone = np.maximum((weights * back).sum(axis=1), 1e-9)
    decay = (weights * back * keeps**SLOTS).sum(axis=1) / gone
    coming_back = (parts * back).sum(axis=1) / np.where(held > 0, parts.sum(axis=1), 1.0)
    eta = walk_bps / (0.1 * usual)[None, :]
    return eta, gone * slope, (1 - gone) * slope, decay, d.x[:, ef.IMPACT] * coming_back
