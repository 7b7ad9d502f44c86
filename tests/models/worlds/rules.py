"""Two rules that tests of worlds run: the even schedule, and the optimum that is told everything."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.worlds.bounds import optimum
from models.worlds.world import F64, Public, Seen, Truth, World


class Even:
    name, looks = "even", False

    def begin(self, world: World[Any], paths: int, seed: int) -> None:
        pass

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        return left / (public.intervals - k)


class Optimum:
    """Of a world with one scenario, in one regime."""

    name, looks, uncapped = "optimum", False, True

    def __init__(self, regime: str = "mixed") -> None:
        self.regime = regime

    def begin(self, world: Any, paths: int, seed: int) -> None:
        self.rule = optimum(world, self.regime).gains  # (n, R, 3)

    def tell(self, truth: Truth) -> None:
        self.truth = truth

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        t = self.truth
        thin = (t.kappas[:, 0] > t.kappas.mean()).astype(int) if self.rule.shape[1] > 1 else np.zeros(len(left), int)
        return (self.rule[k][thin] * np.column_stack([left, t.displacement, t.alpha[:, 0]])).sum(axis=1)
