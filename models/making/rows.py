"""Who quotes, and how numbers that rules have are chosen: on training seeds, by the objective that all are judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from models.worlds.making_book import MakerBook
from models.worlds.making_events import MakingWorld
from models.worlds.making_run import AVELLANEDA_STOIKOV, FIXED, GLFT, Maker, run
from models.worlds.world import F64, TRAINING_SEEDS

NETS: Final = "maker"
_CHOSEN_BY: Final = 900_000  # of the training seeds
GAMMAS: Final = (0.01, 0.03, 0.1, 0.3, 1.0)
# In the event book a session has 300 s, so that the first rule's risk aversion is so much smaller.
SMALL_GAMMAS: Final = (0.00003, 0.0001, 0.0003, 0.001, 0.003)
DISTANCES_TICKS: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0)


class Rules(NamedTuple):
    """The three that are compared with, each with the number it was given."""

    fixed: Maker
    avellaneda_stoikov: Maker
    glft: Maker

    @property
    def numbers(self) -> dict[str, float]:
        """By name."""
        return {one.name: one.number for one in self}


def _best(name: str, kind: int, numbers: Sequence[float], worth: Callable[[Maker], F64]) -> Maker:
    makers = [Maker(name, kind, number) for number in numbers]
    return makers[int(np.argmax([worth(one).mean() for one in makers]))]


def _all(worth: Callable[[Maker], F64], distances: Sequence[float], gammas: Sequence[float]) -> Rules:
    return Rules(
        _best("fixed", FIXED, distances, worth),
        _best("avellaneda_stoikov", AVELLANEDA_STOIKOV, gammas, worth),
        _best("glft", GLFT, GAMMAS, worth),
    )


def rules_of_world(world: MakingWorld, paths: int = 400) -> Rules:
    """For the exact world and its grid. Constant quotes stand at 1 / kappa and what the middle jumps, as published."""
    drawn = world.draw(TRAINING_SEEDS[_CHOSEN_BY], paths, looks=False)
    constant = 1.0 / world.config.base.kappa + world.config.jump
    return _all(lambda one: run(world, drawn, one).value, (constant,), GAMMAS)


def rules_of_book(book: MakerBook, regime: str, sessions: int = 100) -> Rules:
    """For the event book in one regime."""
    seed = TRAINING_SEEDS[_CHOSEN_BY]
    return _all(lambda one: book.run(one, seed, sessions, regime).value, DISTANCES_TICKS, SMALL_GAMMAS)
