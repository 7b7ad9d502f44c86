"""Other markets that could have been: what is seen is mirrored, counted in other lots, or seen with fewer levels.

A market has two sides that the nets should not tell apart, instruments that differ in scale, and feeds that tell one level or
ten; recorded days are too few to teach that. Each sequence of a batch is changed by chance, labels and path with it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import feature_arrays as fa
from models.net_contract import LEVELS

_MIRRORED: Final = 0.5
_SHALLOW: Final = 0.3  # of the sequences are seen with 1 or 5 levels
_SCALES: Final = 0.5  # standard deviation of the size unit's power of two
_SWAPPED: Final = np.arange(4 * LEVELS).reshape(LEVELS, 2, 2)[:, ::-1].ravel()  # bid for ask


class Parts(NamedTuple):
    """b sequences of L steps: book (b, L, 40), tape (b, L, 3, 50), context (b, L, 18), moves (b, L, 4), path (b, L, 5),
    units (b, L, 2), other (b, L, 4), as `models.sequences.Batch` has them."""

    book: NDArray[np.float32]
    tape: NDArray[np.float32]
    context: NDArray[np.float32]
    moves: NDArray[np.int64]
    path: NDArray[np.float64]
    units: NDArray[np.float64]
    other: NDArray[np.float32]


def augmented(parts: Parts, chance: np.random.Generator) -> Parts:
    """Parts of b sequences (b, L, ...) changed by chance; the given ones stay as they are."""
    b = len(parts.moves)
    size = np.exp2(_SCALES * chance.standard_normal((b, 1, 1)))
    shallow, deepest = chance.random(b) < _SHALLOW, chance.choice([1, 5], b)
    parts = _rescaled(parts, size)
    seen = np.arange(LEVELS) < np.where(shallow, deepest, LEVELS)[:, None]  # (b, 10)
    parts = parts._replace(book=parts.book * np.repeat(seen, 4, axis=1)[:, None].astype(np.float32))
    return _mirrored(parts, chance.random(b) < _MIRRORED)


def _rescaled(parts: Parts, size: NDArray[np.float64]) -> Parts:
    """As if the size unit were larger by these factors (b, 1, 1). The price unit says what moves are to be expected: it stays."""
    book, tape, context = parts.book.copy(), parts.tape.copy(), parts.context.copy()
    book[..., 1::2] = _times(book[..., 1::2], 1 / size)
    tape[..., 1, :] = _times(tape[..., 1, :], 1 / size)
    slope = context[..., fa.SLOPE]
    slope = slope / (1 - np.minimum(np.abs(slope), 0.999)) * size[..., 0]
    context[..., fa.SLOPE] = slope / (1 + np.abs(slope))
    units = parts.units * np.concatenate([np.ones_like(size), size], axis=2)
    return parts._replace(book=book, tape=tape, context=context, units=units)


def _times(x: NDArray[np.float32], factor: NDArray[np.float64]) -> NDArray[Any]:
    """Compressed values whose plain ones are multiplied."""
    return np.sign(x) * np.log2(1 + np.expm1(np.abs(x) * np.log(2.0)) * factor)


def _mirrored(parts: Parts, which: NDArray[np.bool_]) -> Parts:
    """Bids for asks, up for down, bought for sold, in the sequences which (b,)."""
    one = which[:, None, None]
    swapped = parts.book[..., _SWAPPED]
    swapped[..., ::2] *= -1
    flipped = parts.tape * np.array([-1, 1, -1], np.float32)[:, None]
    signs = np.ones(parts.context.shape[-1], np.float32)
    signs[[fa.OFI, fa.QUEUE]] = -1
    path = parts.path[..., [0, 1, 2, 4, 3]] * np.array([-1.0, 1, 1, 1, 1])
    return Parts(
        book=np.where(one, swapped, parts.book),
        tape=np.where(one[..., None], flipped, parts.tape),
        context=np.where(one, parts.context * signs, parts.context),
        moves=np.where(one, 2 - parts.moves, parts.moves),
        path=np.where(one, path, parts.path),
        units=parts.units,
        other=np.where(one, parts.other[..., [0, 2, 1, 3]], parts.other),
    )
