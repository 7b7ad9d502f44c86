"""What a strategy sees in a world of books: the desk's own observation, mirrored for orders that sell."""

from __future__ import annotations

from typing import Final

import numpy as np

from models import feature_arrays as fa
from models.compiled import hot
from models.feature_arrays import Features
from models.market.layout import I64, Book
from models.net_contract import BOOK, CONTEXT, OWN_STATE, TAPE_ROWS, TRADES
from models.observation import F32, F64, PRICE, SIZE, Watch, observe
from models.worlds.world import Seen

_SWAPPED: Final = np.arange(BOOK).reshape(-1, 2, 2)[:, ::-1].reshape(-1)  # bid for ask, level by level


@hot
def observe_all(watch: Watch, features: Features, desk: Book, book: F32, tape: F32, context: F32) -> None:
    """What the nets see of every instrument; where there is nothing to be seen, nothing is written."""
    for p in range(book.shape[0]):
        observe(watch, features, desk, p, book[p], tape[p], context[p])


def seen_of(watch: Watch, features: Features, desk: Book, sides: I64, left: F64, time_left: float) -> Seen:
    """Observations (P, ...). Where the book has no two sides everything is as if missing.

    Args:
        sides: (P,) +1 the order buys, -1 it sells. left: (P,) share of it. time_left: share of the horizon.
    """
    paths = len(sides)
    book, tape = np.zeros((paths, BOOK), np.float32), np.zeros((paths, TAPE_ROWS, TRADES), np.float32)
    context, own = np.zeros((paths, CONTEXT), np.float32), np.zeros((paths, OWN_STATE), np.float32)
    observe_all(watch, features, desk, book, tape, context)
    sells = sides < 0
    swapped = book[sells][:, _SWAPPED]
    swapped[:, ::2] *= -1
    book[sells] = swapped
    tape[sells] *= np.array([-1, 1, -1], np.float32)[:, None]
    context[np.ix_(sells, np.array([fa.OFI, fa.QUEUE]))] *= -1
    own[:, 0], own[:, 3] = left, time_left
    return Seen(book, tape, context, own, watch.units[:, [PRICE, SIZE]].copy())
