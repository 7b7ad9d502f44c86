"""How well a decision that was computed again agrees with the one that is stored."""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import NamedTuple


class Grade(StrEnum):
    """From best to worst."""

    BIT_EXACT = "bit_exact"  # every stored number again, bit for bit
    DECISION_EQUAL = "decision_equal"  # numbers differ, what was decided does not
    DIFFERENT = "different"


class Agreement(NamedTuple):
    """A grade, and the largest distance of any number in units in the last place."""

    grade: Grade
    largest_ulp: int


def agreement(stored: bytes, again: bytes, decided: object, decided_again: object) -> Agreement:
    """Two results as little-endian float32, and what was decided on each.

    Raises:
        ValueError: results of different lengths, or no whole number of floats.
    """
    if stored == again and decided == decided_again:
        return Agreement(Grade.BIT_EXACT, 0)
    ulp = largest_ulp(stored, again)
    return Agreement(Grade.DECISION_EQUAL if decided == decided_again else Grade.DIFFERENT, ulp)


def largest_ulp(first: bytes, second: bytes) -> int:
    """The most float32 numbers that lie between two of the same place; +0 and -0 are one number.

    Raises:
        ValueError: arrays of different lengths, or no whole number of floats.
    """
    if len(first) != len(second) or len(first) % 4:
        raise ValueError(f"arrays of {len(first)} and {len(second)} bytes")
    places = f"<{len(first) // 4}i"
    pairs = zip(struct.unpack(places, first), struct.unpack(places, second), strict=True)
    return max((abs(_order(a) - _order(b)) for a, b in pairs), default=0)


def _order(bits: int) -> int:
    """Bits of a float32, read as a signed integer, on a line on which neighbours differ by 1."""
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def worst(agreements: list[Agreement]) -> Agreement:
    """The worst grade among some, and the largest distance. Raises ValueError where there are none."""
    order = list(Grade)
    return Agreement(max((each.grade for each in agreements), key=order.index), max(each.largest_ulp for each in agreements))
