"""Orders over a corporate action: the rule's own cases, to the tick and the round lot."""

from __future__ import annotations

from datetime import date

import pytest

from domain.carried_terms import CarriedTerms, adjusted
from domain.day_rows import CorporateAction
from domain.values import E9, Side

CENT = E9 // 100
ON = date(2026, 11, 27)


def dividend(amount_e9: int) -> CorporateAction:
    return CorporateAction(id="D1", symbol="IBM", kind="dividend", effective=ON, amount_e9=amount_e9, currency="USD")


def split(new: int, old: int) -> CorporateAction:
    return CorporateAction(id="S1", symbol="IBM", kind="split", effective=ON, new_shares=new, old_shares=old)


def terms(quantity: int, limit: float | None = None, stop: float | None = None) -> CarriedTerms:
    prices = [None if price is None else round(price * 100) * CENT for price in (limit, stop)]
    return CarriedTerms(quantity * E9, *prices)


@pytest.mark.parametrize(
    ("before", "side", "exec_inst", "action", "after"),
    [
        (terms(300, 20.00), Side.BUY, "", dividend(335_000_000), terms(300, 19.66)),  # 19.665 to the next lower cent
        (terms(300, 20.00), Side.BUY, "G F", dividend(335_000_000), terms(300, 20.00)),  # Do Not Reduce
        (terms(300, 20.00), Side.SELL, "", dividend(335_000_000), terms(300, 20.00)),  # a limit to sell stays
        (terms(300, stop=20.00), Side.SELL, "", dividend(250_000_000), terms(300, stop=19.75)),
        (terms(300, 19.90, 20.00), Side.SELL, "", dividend(250_000_000), terms(300, 19.65, 19.75)),
        (terms(300, stop=20.00), Side.BUY, "", dividend(250_000_000), terms(300, stop=20.00)),
        (terms(100, 50.00), Side.BUY, "F", split(3, 2), terms(100, 33.33)),  # 150 shares to the next lower round lot
        (terms(200, 50.00), Side.SELL, "", split(2, 1), terms(400, 25.00)),
        (terms(30, 50.00), Side.BUY, "", split(2, 1), terms(60, 25.00)),  # an odd lot stays one
        (terms(200, 50.00), Side.BUY, "", split(1, 10), None),  # a reverse split
        (terms(200, 0.30), Side.BUY, "", dividend(500_000_000), None),  # nothing is left of its limit
    ],
)
def test_what_an_action_makes_of_an_order(
    before: CarriedTerms, side: Side, exec_inst: str, action: CorporateAction, after: CarriedTerms | None
) -> None:
    assert adjusted(before, side, exec_inst, [action], tick_e9=CENT, lot_e9=100 * E9).terms == after


def test_several_actions_are_taken_in_their_order_and_named() -> None:
    found = adjusted(terms(100, 50.00), Side.BUY, "", [split(2, 1), dividend(E9)], tick_e9=CENT, lot_e9=100 * E9)
    assert found.terms == terms(200, 24.00)
    assert found.why == "S1: 2 for 1; D1: reduced by the dividend"
    assert adjusted(terms(1), Side.BUY, "", [dividend(E9)], tick_e9=CENT, lot_e9=E9).why == "not changed"
