"""Two versions of a model on the same moments: what the one gains over the other, told so that one may look whenever one likes.

The series are of blocks of neighbouring moments, so that what neighbours share is inside a block. The interval of the mean gain
is the confidence sequence of `domain.wheel_results`, which holds at all times at once. Only sums are kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.wheel_results import ALPHA, Series, half_width

SHARPE_MIN: Final = 0.1  # of a day of DAY_NS, not annualised: the gain that a promotion asks for beside certainty
DAY_NS: Final = 23_400 * 1_000_000_000  # an American session
BETTER, WORSE, OPEN = "better", "worse", "open"


class Sums(NamedTuple):
    """Of a series: how many, their mean, and the sum of squares about it."""

    blocks: int = 0
    mean: float = 0.0
    squares: float = 0.0


class Comparison(BaseModel):
    """Blocks of moments that two versions were judged on. gain: by block, what the one earns more than the other, basis points.

    one, other: what each earns itself. lasted_ns: the data's time.
    """

    model_config = ConfigDict(frozen=True)

    gain: Sums = Sums()
    one: Sums = Sums()
    other: Sums = Sums()
    lasted_ns: int = 0

    def more(self, one: Sequence[float], other: Sequence[float], lasted_ns: int) -> Comparison:
        """With the blocks of one more window, in order."""
        gains = [a - b for a, b in zip(one, other, strict=True)]
        return Comparison(
            gain=_added(self.gain, gains), one=_added(self.one, one), other=_added(self.other, other),
            lasted_ns=self.lasted_ns + lasted_ns,
        )  # fmt: skip

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the mean gain a block, at all times at once at 95 %; None while there are too few blocks."""
        blocks, mean, squares = self.gain
        radius = half_width(blocks, math.sqrt(squares / blocks), ALPHA) if blocks else None
        return None if radius is None else (mean - radius, mean + radius)

    @property
    def sharpe_gain(self) -> float:
        """The daily Sharpe ratio of the one less that of the other, by square-root-of-time from blocks to a day."""
        if not self.lasted_ns:
            return 0.0
        a_day = self.gain.blocks * DAY_NS / self.lasted_ns
        return (_ratio(self.one) - _ratio(self.other)) * math.sqrt(a_day)

    @property
    def verdict(self) -> str:
        """BETTER: by an interval above 0 and at least SHARPE_MIN. WORSE: by an interval below 0. OPEN otherwise."""
        if (found := self.interval) is None:
            return OPEN
        if found[1] < 0:
            return WORSE
        return BETTER if found[0] > 0 and self.sharpe_gain >= SHARPE_MIN else OPEN


def _added(sums: Sums, values: Iterable[float]) -> Sums:
    series = Series(*sums)
    for value in values:
        series.add(value)
    return Sums(series.count, series.mean, series.squares)


def _ratio(sums: Sums) -> float:
    sd = math.sqrt(sums.squares / sums.blocks) if sums.blocks else 0.0
    return sums.mean / sd if sd > 0 else 0.0
