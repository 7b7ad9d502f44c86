"""Powers of one half without a mathematics library, so that the same input gives the same bits on every machine."""

from __future__ import annotations

from typing import Final

import numpy as np

from models.compiled import inlined

_PARTS: Final = 64
_WHOLE: Final = 0.5 ** np.arange(float(_PARTS))
_PART: Final = 0.5 ** (np.arange(float(_PARTS)) / _PARTS)
_LN2: Final = 0.6931471805599453


@inlined
def half_lives(age_ns: int, half_life_ns: float) -> float:
    """2^(-age / half-life) for age >= 0, to a relative 1e-14; 0.0 from 64 half-lives on.

    Whole half-lives and 64ths of one are read from tables; what is left is exp(-x), x < 0.011, by its series.
    """
    age = age_ns / half_life_ns
    if age >= _PARTS:
        return 0.0
    whole = int(age)
    part = int((age - whole) * _PARTS)
    x = _LN2 * (age - whole - part / _PARTS)
    y = 1.0 - x * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0 - x / 120.0))))
    return float(_WHOLE[whole] * _PART[part] * y)
