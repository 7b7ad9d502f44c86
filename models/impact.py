"""What our own trading does to the price, and how fast a forecast of it loses its worth.

**Impact.** Two heads on [z (128), trade size, participation] -> 64 (SiLU) -> 1, one temporary and one permanent. A head's output
is not the impact but its slope, made positive by softplus, so that impact is monotone in size whatever the weights are:

- temporary: slopes at fixed shares of the volume, added up in steps of the square root of participation. It is mean-reverting:
  it decays as an exponential and leaves nothing.
- permanent: one slope at a reference size, so it is linear in size (Huberman and Stanzl 2004: any other permanent impact lets a
  round trip make money).

**No dynamic arbitrage.** With impact v^delta and decay t^-beta no round trip makes money only where beta + delta >= 1
(Gatheral 2010). The temporary part here acts on the trade that makes it (no memory), the displacement it leaves is linear in
size and decays as one exponential, which is positive definite, and the permanent part is linear with one slope for a whole
schedule. `round_trip_cost` computes what a schedule pays by this impact alone; it is never negative.

**Alpha decay.** A forecast f made now tells f rho^j of the return j intervals ahead; `alpha_half_life` estimates the half-life
from forecasts and the returns that followed.

Sizes are in the size unit and impact in the price unit of the moment, as `models.net_contract` has them, of one side: a buyer
and a seller of the same size pay the same.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional as fn

from domain.errors import ForecastError, WeightsError
from models.net_contract import LATENT
from models.weights_store import Weights, digest_of, read_file

F64 = NDArray[np.float64]
SHIPPED: Final = Path(__file__).parent / "weights" / "impact.safetensors"
HIDDEN: Final = 64
NODES: Final = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # shares of the volume at which the temporary slope is asked for
REFERENCE: Final = 0.1  # share of the volume at which the permanent slope is asked for
_CONTRACT: Final = "1"
_OPEN: Final = 1e-9


class ImpactHead(nn.Module):
    """[z, size, participation] -> 64 (SiLU) -> 1, as the specification has it; size is compressed as log2(1 + size)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(LATENT + 2, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(self, z: Tensor, size: Tensor, participation: Tensor) -> Tensor:
        """z (B, 128), size and participation (B,) -> a slope above 0, (B,)."""
        seen = torch.cat([z, torch.log2(1 + size)[:, None], participation[:, None]], dim=1)  # (B, 130)
        return fn.softplus(self.out(fn.silu(self.hidden(seen)))).squeeze(1)


class Impact(NamedTuple):
    """Of a trade, price units, (B,): what decays again, and what stays."""

    temporary: Tensor
    permanent: Tensor


class ImpactModel(nn.Module):
    """Both heads, and the share of the temporary displacement that is left after one interval."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = ImpactHead()
        self.permanent = ImpactHead()
        self.register_buffer("decay", torch.tensor([0.5]))
        self.decay: Tensor

    def forward(self, z: Tensor, size: Tensor, participation: Tensor) -> Impact:
        """Impact just behind a trade.

        Args:
            z: (B, 128). size: (B,) >= 0, size units. participation: (B,) >= 0, share of the volume traded meanwhile.

        Both grow with the size of the trade when the volume is what it is: participation = size / volume.
        """
        volume = torch.where(participation > 0, size / participation.clamp_min(_OPEN), 0.0)
        return Impact(self._temporary(z, volume, participation), self._permanent(z, volume) * participation)

    def _temporary(self, z: Tensor, volume: Tensor, participation: Tensor) -> Tensor:
        """The sum of slopes over the part of each step that the trade reaches; the last step goes on for ever."""
        root = torch.tensor(NODES, dtype=z.dtype).sqrt()
        reached = participation.clamp_min(0.0).sqrt()
        told = torch.zeros_like(participation)
        for low, high in pairwise(root):
            middle = ((low + high) / 2) ** 2
            slope = self.temporary(z, volume * middle, middle.expand_as(volume))
            top = reached if high == root[-1] else torch.minimum(reached, high)
            told = told + slope * (top - low).clamp_min(0.0)
        return told

    def _permanent(self, z: Tensor, volume: Tensor) -> Tensor:
        return self.permanent(z, volume * REFERENCE, torch.full_like(volume, REFERENCE))


def initialised(seed: int) -> ImpactModel:
    """Untrained; the seed decides, and the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ImpactModel()


def consistent(beta: float, delta: float) -> bool:
    """Whether impact v^delta that decays as t^-beta lets no round trip make money (Gatheral 2010): beta + delta >= 1."""
    return beta + delta >= 1.0


def round_trip_cost(shares: F64, eta: F64, exponent: float, kappa: float, decay: float, gamma: float) -> float:
    """What a schedule pays by its own impact alone, price units times shares; at least 0 where the shares sum to 0.

    Args:
        shares: (n,) bought in each interval, below 0 sold. eta: (n,) >= 0 temporary impact of one share, growing as
            share^exponent. kappa, decay: displacement left by a share, and what is left of it after an interval.
        gamma: permanent impact of a share.

    Raises:
        ForecastError: a coefficient is negative, the decay is not in [0, 1], or the schedule is not a round trip.
    """
    if min(eta.min(), exponent, kappa, gamma) < 0 or not 0 <= decay <= 1:
        raise ForecastError("impact must not be negative, and the decay lies between 0 and 1")
    if abs(shares.sum()) > 1e-9 * max(1.0, float(np.abs(shares).sum())):
        raise ForecastError("the shares of a round trip sum to 0")
    displaced, moved, paid = 0.0, 0.0, 0.0
    for u, own in zip(shares.tolist(), eta.tolist(), strict=True):
        paid += u * (moved + displaced + (kappa + gamma) / 2 * u) + own * abs(u) ** (1 + exponent)
        displaced, moved = decay * (displaced + kappa * u), moved + gamma * u
    return paid


class HalfLife(NamedTuple):
    """Of a forecast, in intervals, with a 95 % interval by bootstrap over the paths."""

    intervals: float
    low: float
    high: float


def alpha_half_life(forecast: F64, returns: F64, *, seed: int = 7, draws: int = 200) -> HalfLife:
    """How fast a forecast loses its worth.

    Args:
        forecast: (P,) of the first interval's return. returns: (P, J) of the intervals from then on, J >= 3.

    Raises:
        ForecastError: too few numbers, or a forecast that is always the same.
    """
    if len(forecast) < 30 or returns.shape[1] < 3 or np.ptp(forecast) == 0 or not np.isfinite(returns).all():
        raise ForecastError("an alpha's half-life needs 30 forecasts that differ and three returns after each")
    chance = np.random.default_rng(seed)
    told = [_half_life(forecast, returns)]
    for _ in range(draws):
        rows = chance.integers(0, len(forecast), len(forecast))
        told.append(_half_life(forecast[rows], returns[rows]))
    return HalfLife(told[0], *(float(q) for q in np.quantile(told[1:], [0.025, 0.975])))


def _half_life(forecast: F64, returns: F64) -> float:
    """Least squares of the lagged slopes b_j on scale x rho^j, over a grid of half-lives."""
    centred = forecast - forecast.mean()
    slopes = centred @ returns / (centred @ centred)  # (J,)
    grid = np.geomspace(0.25, 64.0, 97)
    shape = 0.5 ** (np.arange(len(slopes)) / grid[:, None])  # (97, J)
    fitted = (shape @ slopes) ** 2 / (shape**2).sum(axis=1)  # what each explains
    return float(grid[int(np.argmax(fitted))])


def write_impact(path: Path, model: ImpactModel, metadata: dict[str, str]) -> str:
    """Write a version; its digest. Raises WeightsError where it cannot be written or holds what is no number."""
    tensors = {name: value.detach().numpy().astype(np.float32) for name, value in model.state_dict().items()}
    if not all(np.isfinite(value).all() for value in tensors.values()):
        raise WeightsError(f"{path.name}: what is no number cannot be a weight")
    new = path.with_name(f"{path.name}.new")
    try:
        save_file({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}, new, {"impact": _CONTRACT} | metadata)
        new.replace(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be written: {error}") from error
    return digest_of(tensors)


def read_impact(path: Path = SHIPPED) -> ImpactModel:
    """A version from its file. Raises WeightsError as `impact_weights`."""
    model = initialised(0)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in impact_weights(path).tensors.items()})
    return model.eval()


def impact_weights(path: Path) -> Weights:
    """A version's tensors.

    Raises:
        WeightsError: there is none, it is damaged, of another contract, or its decay is not between 0 and 1.
    """
    found = read_file(path)
    wanted = {name: tuple(value.shape) for name, value in initialised(0).state_dict().items()}
    if found.metadata.get("impact") != _CONTRACT or {name: value.shape for name, value in found.tensors.items()} != wanted:
        raise WeightsError(f"{path.name} is no impact model of contract {_CONTRACT}")
    if not all(np.isfinite(value).all() for value in found.tensors.values()) or not 0 <= found.tensors["decay"].item() <= 1:
        raise WeightsError(f"{path.name} holds what is no number, or a decay that is none")
    return found


def half_life_of(decay: float) -> float:
    """Intervals after which half of a displacement is left."""
    return math.inf if decay >= 1 else 0.0 if decay <= 0 else math.log(0.5) / math.log(decay)
