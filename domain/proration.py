"""How an executed quantity is divided among accounts, and what each pays: arithmetic in whole numbers, nothing else.

Whatever the rule, the parts add up to the quantity to the last 1e-9, none is negative, and the same input gives the
same parts. Quantities lie on the lot as far as the total does: at most one account gets the piece below a lot.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from math import floor

from domain.values import E9


class Remainder(StrEnum):
    """Who gets the lots that whole shares leave over."""

    LARGEST_REMAINDER = "largest_remainder"  # one each to those whose share was cut most; ties in the order of accounts
    FIRST_ACCOUNT = "first_account"
    LAST_ACCOUNT = "last_account"
    MINIMUM_TICKET = "minimum_ticket"  # largest remainder, among accounts whose part reaches the smallest ticket


class Rounding(StrEnum):
    """How an average price is brought to its decimals."""

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    DOWN = "down"


def prorate(
    quantity_e9: int, weights: Sequence[int], *, lot_e9: int, remainder: Remainder, minimum_ticket_e9: int = 0
) -> tuple[int, ...]:
    """Parts in proportion to weights, in whole lots.

    Every account gets the whole lots of its exact share, and what these leave over goes by the rule; by largest remainder
    (Hamilton's method) each part is then less than a lot from its exact share, and more weight never gets less.

    Args:
        weights: of the accounts, none negative, at least one positive; in what unit does not matter.
        minimum_ticket_e9: for that rule, the smallest part worth having. The lightest account that would get less gets
            nothing, the last of equals first, until none is below it or one account is left.

    Returns:
        One part for each weight.
    """
    parts = _prorate(quantity_e9, weights, lot_e9, remainder)
    while remainder is Remainder.MINIMUM_TICKET:
        wanted = [at for at, weight in enumerate(weights) if weight]
        below = [at for at in wanted if parts[at] < minimum_ticket_e9]
        if not below or len(wanted) == 1:
            break
        dropped = min(below, key=lambda at: (weights[at], -at))
        weights = [0 if at == dropped else weight for at, weight in enumerate(weights)]
        parts = _prorate(quantity_e9, weights, lot_e9, remainder)
    return parts


def _prorate(quantity_e9: int, weights: Sequence[int], lot_e9: int, remainder: Remainder) -> tuple[int, ...]:
    total = sum(weights)
    lots, odd_e9 = divmod(quantity_e9, lot_e9)
    shares = [divmod(lots * weight, total) for weight in weights]
    parts = [whole * lot_e9 for whole, _ in shares]
    left = lots - sum(whole for whole, _ in shares)
    weighted = [at for at, weight in enumerate(weights) if weight]
    if remainder in (Remainder.FIRST_ACCOUNT, Remainder.LAST_ACCOUNT):
        parts[weighted[0 if remainder is Remainder.FIRST_ACCOUNT else -1]] += left * lot_e9 + odd_e9
        return tuple(parts)
    ranking = sorted(weighted, key=lambda at: (-shares[at][1], -weights[at], at))
    for at in ranking[:left]:
        parts[at] += lot_e9
    if odd_e9:
        parts[ranking[left]] += odd_e9  # the piece below a lot: next in line, for fewer than all had a remainder
    return tuple(parts)


def by_priority(
    quantity_e9: int, asked_e9: Sequence[int], *, lot_e9: int, remainder: Remainder, minimum_ticket_e9: int = 0
) -> tuple[int, ...]:
    """Accounts in their order, each up to what it asked for. What is beyond all of it is prorated by what was asked.

    More to divide never gives any account less, as long as it is not beyond what was asked.
    """
    parts: list[int] = []
    left_e9 = quantity_e9
    for wanted_e9 in asked_e9:
        parts.append(min(wanted_e9, left_e9))
        left_e9 -= parts[-1]
    if not left_e9:
        return tuple(parts)
    beyond = prorate(left_e9, asked_e9, lot_e9=lot_e9, remainder=remainder, minimum_ticket_e9=minimum_ticket_e9)
    return tuple(part + more for part, more in zip(parts, beyond, strict=True))


def average_price_e9(notional_e18: int | Fraction, quantity_e9: int, decimals: int, rounding: Rounding) -> int:
    """The price at which a quantity is booked, with so many decimals (0 to 9). Prices may be negative, as of a spread."""
    exact = Fraction(notional_e18) / (quantity_e9 * unit_e9(decimals))
    if rounding is Rounding.DOWN:
        units = int(exact)  # toward zero
    elif rounding is Rounding.HALF_UP:
        units = floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    else:
        units = round(exact)
    return units * unit_e9(decimals)


def unit_e9(decimals: int) -> int:
    """One in the last of so many decimals."""
    return int(10 ** (9 - decimals))


def rounding_max_e18(quantity_e9: int, decimals: int, rounding: Rounding) -> int:
    """By how much quantity x rounded price may differ from what was executed: half a unit of price, or less than one."""
    whole = quantity_e9 * unit_e9(decimals)
    return whole if rounding is Rounding.DOWN else -(-whole // 2)


_MINOR_DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("GBX ZAC ILA".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}


def money_e9(quantity_e9: int, price_e9: int, multiplier_e9: int, currency: str) -> int:
    """quantity x price x multiplier, rounded half to even to the smallest coin of the currency.

    ISO 4217 gives two decimals to most currencies, none or three to some; a minor unit such as GBX has none.
    """
    coin_e9 = unit_e9(_MINOR_DECIMALS.get(currency, 2))
    return round(Fraction(quantity_e9 * price_e9 * multiplier_e9, E9 * E9 * coin_e9)) * coin_e9
