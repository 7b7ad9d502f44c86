"""What a corporate action makes of an order that is carried over it. Pure, exact, and nothing is sent by it.

The rule is that of US markets for open orders (FINRA Rule 5330, adjustment of orders), which the primary markets follow: on the
ex-date of a cash dividend the limit of an open order to buy and the stop price of one to sell come down by the dividend, to the
next lower tick, unless the order says Do Not Reduce (ExecInst 18=F); on a split that gives more shares they are divided by it in
the same way and the quantity is multiplied, to the next lower round lot; on a reverse split every open order is canceled. Orders
to sell above the market and stops to buy are not changed by a dividend. Other markets have rules of their own: the venue's
restatement (150=D, 378=0) is what counts, this is what to hold it against.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, NamedTuple

from domain.day_rows import CorporateAction
from domain.values import Side

DO_NOT_REDUCE: Final = "F"


class CarriedTerms(NamedTuple):
    """What an adjustment looks at and changes. quantity_e9: what is left to trade. At 1e-9; None: none."""

    quantity_e9: int
    limit_price_e9: int | None
    stop_price_e9: int | None


class Adjusted(NamedTuple):
    """terms: None where the order is to be canceled. why: what was done, in words."""

    terms: CarriedTerms | None
    why: str


def adjusted(
    terms: CarriedTerms, side: Side, exec_inst: str, actions: Iterable[CorporateAction], *, tick_e9: int, lot_e9: int
) -> Adjusted:
    """The terms after every action, in their order.

    Args:
        exec_inst: ExecInst (18): characters with blanks between.
        tick_e9, lot_e9: of the instrument, on the new date.
    """
    said: list[str] = []
    for action in actions:
        if action.kind == "split":
            assert action.new_shares is not None and action.old_shares is not None
            by = Fraction(action.new_shares, action.old_shares)
            if by < 1:
                return Adjusted(None, f"{action.id}: a reverse split, {action.new_shares} for {action.old_shares}, cancels it")
            terms = _divided(terms, by, tick_e9, lot_e9)
            said.append(f"{action.id}: {action.new_shares} for {action.old_shares}")
        elif action.kind == "dividend" and _reduces(terms, side):
            if DO_NOT_REDUCE in exec_inst.split():
                said.append(f"{action.id}: Do Not Reduce")
                continue
            assert action.amount_e9 is not None
            terms = _reduced(terms, side, action.amount_e9, tick_e9)
            said.append(f"{action.id}: reduced by the dividend")
    if _below_nothing(terms):
        return Adjusted(None, "; ".join([*said, "nothing is left of it"]))
    return Adjusted(terms, "; ".join(said) or "not changed")


def _reduces(terms: CarriedTerms, side: Side) -> bool:
    return terms.limit_price_e9 is not None if side is Side.BUY else terms.stop_price_e9 is not None


def _reduced(terms: CarriedTerms, side: Side, amount_e9: int, tick_e9: int) -> CarriedTerms:
    if side is Side.BUY:
        return terms._replace(limit_price_e9=_down(terms.limit_price_e9, 1, amount_e9, tick_e9))
    stop, limit = terms.stop_price_e9, terms.limit_price_e9
    return terms._replace(stop_price_e9=_down(stop, 1, amount_e9, tick_e9), limit_price_e9=_down(limit, 1, amount_e9, tick_e9))


def _divided(terms: CarriedTerms, by: Fraction, tick_e9: int, lot_e9: int) -> CarriedTerms:
    quantity_e9 = int(terms.quantity_e9 * by)
    return CarriedTerms(
        quantity_e9 - quantity_e9 % lot_e9 if quantity_e9 >= lot_e9 else quantity_e9,  # an odd lot stays one
        _down(terms.limit_price_e9, by, 0, tick_e9),
        _down(terms.stop_price_e9, by, 0, tick_e9),
    )


def _down(price_e9: int | None, by: Fraction | int, amount_e9: int, tick_e9: int) -> int | None:
    """To the next lower tick."""
    return None if price_e9 is None else int((price_e9 / Fraction(by) - amount_e9) // tick_e9) * tick_e9


def _below_nothing(terms: CarriedTerms) -> bool:
    prices = (terms.limit_price_e9, terms.stop_price_e9)
    return terms.quantity_e9 <= 0 or any(price_e9 is not None and price_e9 <= 0 for price_e9 in prices)
