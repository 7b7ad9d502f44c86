"""The implementation shortfall of one order, and the parts it is made of. Pure; money is exact, as integers at 1e-18.

A part is positive where it is a cost, for buys and sells alike (s is +1 for a buy, -1 for a sell). With the decision price
P_d, the arrival price P_a, executions i of x_i shares at p_i while the mid was m_i, an order of X shares, and the price at
its end P_e:

    impact       s sum x_i (p_i - m_i)            what we paid beyond the mid of that moment: spread and pressure
    timing       s sum x_i (m_i - P_d)            what the market moved between the decision and each execution
      delay      s sum x_i (P_a - P_d)            ... of it before the order was with us
      drift      s sum x_i (m_i - P_a)            ... of it while we worked
    opportunity  s (X - sum x_i) (P_e - P_d)      what was not executed, at the move that it missed
    explicit     sum of fees and commissions      `ems.tca.charges`
    total        s (sum x_i p_i + (X - sum x_i) P_e - X P_d) + explicit

Total is the paper portfolio's value less the real one's (A. Perold, The Implementation Shortfall, Journal of Portfolio
Management 14(3), 1988); the division follows W. Wagner and M. Edwards, Best Execution, Financial Analysts Journal 49(1), 1993,
and R. Kissell, The Expanded Implementation Shortfall, Journal of Trading 1(3), 2006. Each line is reckoned by its own formula,
none as what the others leave over; that they add up is algebra, which a test holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.errors import InvariantBroken
from domain.values import E9, Side, divide_round

BPS: Final = 10_000


class Execution(NamedTuple):
    """One fill as it counts. mid_e9: the market's mid when it was executed, None where nothing recorded says."""

    quantity_e9: int
    price_e9: int
    mid_e9: int | None


class Prices(NamedTuple):
    """What an order is measured against; None where it is not known."""

    decision_e9: int | None
    arrival_e9: int | None
    end_e9: int | None  # at the order's end, or now while it works


class Parts(NamedTuple):
    """The shortfall and its parts in money at 1e-18, None where a price or a charge that it needs is missing.

    missing: what each None lacks, as sentences.
    """

    impact_e18: int | None
    timing_e18: int | None
    delay_e18: int | None
    drift_e18: int | None
    opportunity_e18: int | None
    explicit_e18: int | None
    total_e18: int | None
    before_charges_e18: int | None  # the total without the explicit part
    paper_e18: int | None  # what the whole order was worth at the decision: what basis points are of
    missing: tuple[str, ...]


def split(
    side: Side,
    quantity_e9: int,
    executions: Sequence[Execution],
    prices: Prices,
    explicit_e18: int | None,
    multiplier_e9: int = E9,
) -> Parts:
    """Divide an order's shortfall.

    Args:
        quantity_e9: what the order was for, at least what was executed.
        explicit_e18: fees and commissions, None where they are not known.
        multiplier_e9: of the instrument: what turns price times quantity into money.

    Raises:
        InvariantBroken: a quantity or price that no order has.
    """
    filled_e9 = sum(one.quantity_e9 for one in executions)
    if quantity_e9 < filled_e9 or any(one.quantity_e9 <= 0 or one.price_e9 <= 0 for one in executions):
        raise InvariantBroken("executions have positive quantities and prices, and come to no more than their order")
    left_e9, (decision_e9, arrival_e9, end_e9) = quantity_e9 - filled_e9, prices
    marked = all(one.mid_e9 is not None for one in executions)
    mids = [(one.quantity_e9, one.price_e9, one.mid_e9) for one in executions if one.mid_e9 is not None]
    known, arrived = decision_e9 is not None, arrival_e9 is not None
    ends = end_e9 is not None or not left_e9
    start_e9, stop_e9, came_e9 = decision_e9 or 0, end_e9 or 0, arrival_e9 or 0

    def cost(amount_e18: int, basis: bool) -> int | None:
        return side.sign * scaled(amount_e18, multiplier_e9) if basis else None

    paid_e18 = sum(one.quantity_e9 * one.price_e9 for one in executions)
    before_e18 = cost(paid_e18 + left_e9 * stop_e9 - quantity_e9 * start_e9, known and ends)
    return Parts(
        impact_e18=cost(sum(x * (p - m) for x, p, m in mids), marked),
        timing_e18=cost(sum(x * (m - start_e9) for x, _, m in mids), marked and known),
        delay_e18=cost(filled_e9 * (came_e9 - start_e9), known and arrived),
        drift_e18=cost(sum(x * (m - came_e9) for x, _, m in mids), marked and arrived),
        opportunity_e18=cost(left_e9 * (stop_e9 - start_e9), known and ends),
        explicit_e18=explicit_e18,
        total_e18=before_e18 + explicit_e18 if before_e18 is not None and explicit_e18 is not None else None,
        before_charges_e18=before_e18,
        paper_e18=scaled(quantity_e9 * start_e9, multiplier_e9) if known else None,
        missing=tuple(_missing(executions, prices, left_e9)),
    )


def _missing(executions: Sequence[Execution], prices: Prices, left_e9: int) -> list[str]:
    unmarked = sum(one.mid_e9 is None for one in executions)
    found = [f"{unmarked} of {len(executions)} executions have no mark of the market at their time"] if unmarked else []
    found += ["no decision price"] if prices.decision_e9 is None else []
    found += ["no arrival price"] if prices.arrival_e9 is None else []
    return found + (["no price at the end for what was not executed"] if left_e9 and prices.end_e9 is None else [])


def against(side: Side, executions: Sequence[Execution], benchmark_e9: int | None) -> int | None:
    """Cost of what was executed against one price: s sum x_i (p_i - B), at 1e-18."""
    if benchmark_e9 is None or not executions:
        return None
    return side.sign * sum(one.quantity_e9 * (one.price_e9 - benchmark_e9) for one in executions)


def bps(cost_e18: int | None, of_e18: int | None) -> float | None:
    """A cost in basis points of a notional."""
    return None if cost_e18 is None or not of_e18 else BPS * cost_e18 / of_e18


def scaled(amount_e18: int, multiplier_e9: int) -> int:
    """Price times quantity as money; exact for a whole multiplier."""
    return amount_e18 if multiplier_e9 == E9 else divide_round(amount_e18 * multiplier_e9, E9)


def money_e9(amount_e18: int | None) -> int | None:
    """Rounded to 1e-9 of the currency."""
    return None if amount_e18 is None else divide_round(amount_e18, E9)
