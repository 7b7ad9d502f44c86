"""How far a market has gone from where a plan foresaw it, in the latent space of the plan's model."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.schedule import Evidence

LATENT: Final = 128
_ROW: Final = struct.Struct(f"<{LATENT}e")


class LatentPath(NamedTuple):
    """Where a market was foreseen to be at some moments, in order of time."""

    moments_ns: tuple[int, ...]
    latents: tuple[tuple[float, ...], ...]

    def at(self, now_ns: int) -> tuple[float, ...]:
        """Between two moments on the straight line, beyond them the nearest."""
        after = next((i for i, moment_ns in enumerate(self.moments_ns) if moment_ns > now_ns), len(self.moments_ns))
        if after in (0, len(self.moments_ns)):
            return self.latents[max(0, after - 1)]
        begin_ns, end_ns = self.moments_ns[after - 1], self.moments_ns[after]
        part = (now_ns - begin_ns) / (end_ns - begin_ns)
        return tuple(a + part * (b - a) for a, b in zip(self.latents[after - 1], self.latents[after], strict=True))

    def deviation(self, now_ns: int, latent: Sequence[float]) -> float:
        """Root mean square over the latent's places, which are normalised: 0 where it was foreseen, about 1.4 anywhere else."""
        return math.dist(self.at(now_ns), latent) / math.sqrt(LATENT)


def path_of(evidence: Evidence | None) -> LatentPath | None:
    """The path that a plan keeps, None where it keeps none. Raises ValueError for one that is damaged."""
    if evidence is None or not evidence.latents_ns:
        return None
    rows = tuple(_ROW.iter_unpack(bytes.fromhex(evidence.latents)))
    if len(rows) != len(evidence.latents_ns):
        raise ValueError(f"{len(rows)} latents for {len(evidence.latents_ns)} moments")
    return LatentPath(evidence.latents_ns, rows)


def conformal(errors: Sequence[float], miss: float) -> float:
    """The threshold that a market which behaves as before exceeds with probability `miss` at most: the
    ceil((n + 1)(1 - miss))-th smallest of n errors (split conformal prediction, Vovk et al. 2005); infinite where n is too small.
    """
    if not 0 < miss < 1:
        raise ValueError(f"a miss of {miss}")
    place = math.ceil((len(errors) + 1) * (1 - miss))
    return sorted(errors)[place - 1] if 1 <= place <= len(errors) else math.inf
