"""What a schedule's cost depends on, and the quadratic form that it is of the shares bought in each interval.

For a buyer of X shares, u_k of them in interval k = 0..n-1 (a seller changes the sign of every price):

    cost(u) = sum_k [ q' (alpha_k + gamma u_k) + u_k (D_k + (eta_k + kappa_k/2 + gamma/2) u_k) + risk_k q'^2 ]
    q' = what is left after interval k,  D_{k+1} = decay_k (D_k + kappa_k u_k),  sum u = X

which is the implementation shortfall against the price at the start, by parts: what is left bears every move that is expected
and every risk. Temporary impact eta is paid once; transient impact kappa decays; permanent impact gamma stays, and
costs gamma X^2 / 2 whatever the schedule is, since all is bought in the end. It is therefore in the constant and not in G.

A closing auction is one more interval after the last, with a temporary impact and a cap of its own: what is not bought before
goes there, bears the last interval's move and pays what displacement is still left.

**No dynamic arbitrage.** The transient part is positive semidefinite if and only if kappa_{k+1} >= decay_k^2 kappa_k:
displacement must not be bought dear and be undone cheap (Gatheral 2010 for constant kappa; for one that changes the kernel is
psi(s) psi(t) v(min(s, t)), which is a covariance where v does not fall). Where that and the temporary impact together leave
G not positive semidefinite, `convex` adds the least multiple of the identity that makes it so, which is temporary impact added
to every interval alike, and says how much.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import ProgramInput

F64 = NDArray[np.float64]
_MARGIN: Final = 1e-12  # of the largest entry: an eigenvalue this close below 0 is rounding


class Closing(NamedTuple):
    """A closing auction as the last leg.

    eta: temporary impact in it, price per share. cap: shares that it may take.
    """

    eta: float
    cap: float


class Outlook(NamedTuple):
    """What is expected of n intervals, from the buyer's side. Arrays are (n,), or (P, n) for P orders at once.

    alpha: price move expected over each interval, price units per share. eta, kappa, gamma: temporary, transient and permanent
    impact, price per share. decay: share of the displacement that is left after each interval, 0 to 1. risk: aversion times the
    variance of the interval's move, >= 0. displacement: what is left of earlier buying at the start, price units.
    gamma and displacement are numbers, or (P,).
    """

    alpha: F64
    eta: F64
    kappa: F64
    decay: F64
    gamma: float | F64
    risk: F64
    displacement: float | F64 = 0.0
    closing: Closing | None = None


class Quadratic(NamedTuple):
    """cost(u) = 1/2 u'Gu + b'u + constant where sum u = total.

    G: (..., n, n) symmetric and positive semidefinite. b: (..., n). constant: (...). lifted: (...), temporary impact
    that was added to make it so, price per share; 0 nearly always.
    """

    G: F64
    b: F64
    constant: F64
    lifted: F64


def quadratic(outlook: Outlook, total: float | F64) -> Quadratic:
    """The cost of buying `total` shares, with one place more than the outlook where it has a closing auction.

    Args:
        total: shares, a number or (P,).

    Raises:
        ProgramInput: shapes that do not fit, what is no number, an impact or risk below 0, or a decay outside 0 to 1.
    """
    alpha, eta, kappa, decay, risk = _checked(outlook, total)
    n = alpha.shape[-1]
    start, carried = _carried(decay)  # (..., n), (..., n, n)
    transient = carried * kappa[..., None, :]  # (..., n, n) strictly below the diagonal: what j displaces k pays
    owing = np.flip(np.cumsum(np.flip(risk, -1), -1), -1)  # (..., n) risk from interval k on
    later = np.maximum(np.arange(n)[:, None], np.arange(n)[None, :])  # (n, n)
    G = transient + np.swapaxes(transient, -1, -2) + 2.0 * owing[..., later]  # noqa: N806 (the field's letter)
    places = np.arange(n)
    G[..., places, places] += 2.0 * eta + kappa
    X = np.asarray(total, np.float64)[..., None]  # noqa: N806 (..., 1)
    ahead = np.flip(np.cumsum(np.flip(alpha, -1), -1), -1)  # (..., n) moves from interval k on, avoided by buying in k
    b = np.asarray(outlook.displacement)[..., None] * start - ahead - 2.0 * X * owing
    X = X[..., 0]  # noqa: N806
    constant = X * alpha.sum(-1) + X * X * (risk.sum(-1) + np.asarray(outlook.gamma) / 2.0)
    smooth = _decays(kappa, decay)
    return convex(G, b, constant, smooth)


def convex(G: F64, b: F64, constant: F64, known: NDArray[np.bool_]) -> Quadratic:  # noqa: N803
    """With G made positive semidefinite by the least multiple of the identity, where it is not `known` to be."""
    lifted = np.zeros(G.shape[:-2])
    doubtful = ~known
    some = G[doubtful]
    try:
        np.linalg.cholesky(some)
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(some)[..., 0]
        margin = _MARGIN * np.abs(some).max(axis=(-1, -2))
        lifted[doubtful] = np.where(least < -margin, margin - least, 0.0)
        places = np.arange(G.shape[-1])
        G[..., places, places] += lifted[..., None]
    return Quadratic(G, b, constant, lifted / 2.0)


def expected_cost(form: Quadratic, shares: F64) -> F64:
    """What shares (..., n) are expected to cost against the price at the start, price units times shares."""
    moved = np.einsum("...ij,...j->...i", form.G, shares)
    lift = form.lifted * (shares * shares).sum(-1)
    return (shares * (0.5 * moved + form.b)).sum(-1) + form.constant - lift


def _checked(outlook: Outlook, total: float | F64) -> tuple[F64, F64, F64, F64, F64]:
    """The five arrays of one shape, with the closing auction as one more place."""
    names = ("alpha", "eta", "kappa", "decay", "risk")
    arrays = [np.asarray(getattr(outlook, name), np.float64) for name in names]
    others = [np.asarray(each, np.float64) for each in (outlook.gamma, outlook.displacement, total)]
    try:
        lead = np.broadcast_shapes(*(each.shape[:-1] for each in arrays), *(each.shape for each in others))
        arrays = [np.broadcast_to(each, (*lead, each.shape[-1])) for each in arrays]
    except (ValueError, IndexError) as error:
        raise ProgramInput(f"an outlook of shapes {[each.shape for each in (*arrays, *others)]}") from error
    if len({each.shape[-1] for each in arrays}) != 1:
        raise ProgramInput(f"an outlook whose arrays are {dict(zip(names, (each.shape for each in arrays), strict=True))}")
    if outlook.closing is not None:
        last = {"alpha": 0.0, "eta": outlook.closing.eta, "kappa": 0.0, "decay": 1.0, "risk": 0.0}
        arrays = [np.concatenate([each, np.full((*lead, 1), last[name])], -1) for name, each in zip(names, arrays, strict=True)]
    for name, each in (*zip(names, arrays, strict=True), *zip(("gamma", "displacement", "total"), others, strict=True)):
        if not np.isfinite(each).all():
            raise ProgramInput(f"an outlook whose {name} is not a number")
        if name not in ("alpha", "displacement") and (each < 0).any():
            raise ProgramInput(f"an outlook whose {name} is below 0")
    if (arrays[3] > 1).any():
        raise ProgramInput("an outlook whose displacement grows instead of decaying")
    return arrays[0], arrays[1], arrays[2], arrays[3], arrays[4]


def _carried(decay: F64) -> tuple[F64, F64]:
    """What is left in interval k of a displacement at the start, (..., n), and of one made in j < k, (..., n, n)."""
    n = decay.shape[-1]
    start = np.ones_like(decay)
    carried = np.zeros((*decay.shape, n))
    for k in range(1, n):
        start[..., k] = start[..., k - 1] * decay[..., k - 1]
        carried[..., k, : k - 1] = carried[..., k - 1, : k - 1] * decay[..., k - 1, None]
        carried[..., k, k - 1] = decay[..., k - 1]
    return start, carried


def _decays(kappa: F64, decay: F64) -> NDArray[np.bool_]:
    """Is the transient part alone free of arbitrage?"""
    held = kappa[..., 1:] >= decay[..., :-1] ** 2 * kappa[..., :-1] * (1.0 - _MARGIN)
    return np.asarray(held.all(-1))
