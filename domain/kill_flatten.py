"""PANIC: which orders bring a scope's house positions to zero. What was filled for anybody else is never among them.

A position is the house's because its account is one that the configuration names as the house's own, and for no other reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from domain.values import Side

_BPS = 10_000


class Execution(NamedTuple):
    """What counts of a fill. quantity_e9 is positive."""

    account: str
    instrument: str
    side: Side
    quantity_e9: int


class Flatten(NamedTuple):
    """One order to send: it carries the trip's id through the last look."""

    account: str
    instrument: str
    side: Side
    quantity_e9: int
    limit_price_e9: int
    trip: int


def house_positions(executions: Iterable[Execution], house_accounts: Collection[str]) -> dict[tuple[str, str], int]:
    """Signed quantity by (account, instrument) of house accounts; others are left out before anything is added up."""
    net_e9: defaultdict[tuple[str, str], int] = defaultdict(int)
    for execution in executions:
        if execution.account in house_accounts:
            net_e9[execution.account, execution.instrument] += execution.side.sign * execution.quantity_e9
    return {key: quantity_e9 for key, quantity_e9 in net_e9.items() if quantity_e9}


def flatten(
    positions: dict[tuple[str, str], int], prices_e9: dict[str, int], *, trip: int, collar_bps: int, tick_e9: dict[str, int]
) -> tuple[tuple[Flatten, ...], tuple[tuple[str, str], ...]]:
    """An order for each position, no worse than a collar around the last known price; and the positions that have none.

    A position without a price is not flattened: nothing flattens blind.

    Args:
        positions: of `house_positions`.
        prices_e9: the last known price by instrument; fresh enough is the caller's to judge.
        collar_bps: how far from that an order may go, in basis points.
        tick_e9: price increments by instrument; a limit is rounded towards the known price.
    """
    orders, blind = [], []
    for (account, instrument), quantity_e9 in sorted(positions.items()):
        price_e9, tick = prices_e9.get(instrument, 0), tick_e9.get(instrument, 0)
        if price_e9 <= 0 or tick <= 0:
            blind.append((account, instrument))
            continue
        side = Side.SELL if quantity_e9 > 0 else Side.BUY
        limit_e9 = price_e9 + side.sign * (price_e9 * collar_bps // _BPS)
        rounded_e9 = limit_e9 // tick * tick if side is Side.BUY else -(-limit_e9 // tick) * tick
        orders.append(Flatten(account, instrument, side, abs(quantity_e9), rounded_e9, trip))
    return tuple(orders), tuple(blind)
