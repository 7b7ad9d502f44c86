"""The shortfall of whole histories: planted costs are found, the parts add up to the cent, what is not known is said."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import parent_order as po
from domain.errors import InvariantBroken
from domain.market_note import DecisionNoted, decision_key
from domain.values import E9, Side, to_e9
from ems.tca import parts, told
from ems.tca.costs import Costs, DayFacts, costs_of
from ems.tca.parts import Execution, Prices, split
from ems.tca.record import NOW
from tests.domain.orders import NOW_NS, PARENT, terms
from tests.ems.tca.histories import Facts, History, market

CENT_E18 = E9 * E9 // 100


def analysed(history: History, facts: Facts | None = None, known_ns: int = NOW) -> Costs:
    return costs_of(history.ledger, history.ledger.orders[PARENT], facts or Facts(), known_ns)


PRICE = st.integers(1, 10**13)
EXECUTIONS = st.lists(st.builds(Execution, st.integers(1, 10**14), PRICE, PRICE), max_size=12)


@given(
    EXECUTIONS,
    st.integers(0, 10**14),
    st.builds(Prices, PRICE, PRICE, PRICE),
    st.integers(-(10**20), 10**20),
    st.sampled_from(Side),
)
def test_the_parts_add_up_to_the_total(done: list[Execution], left_e9: int, prices: Prices, charged: int, side: Side) -> None:
    quantity_e9 = sum(one.quantity_e9 for one in done) + left_e9
    found = split(side, quantity_e9, done, prices, charged)
    four = (found.impact_e18, found.timing_e18, found.opportunity_e18, found.explicit_e18)
    assert sum(part for part in four if part is not None) == found.total_e18
    assert (found.delay_e18 or 0) + (found.drift_e18 or 0) == found.timing_e18
    shown = [parts.money_e9(part) for part in four]
    assert None not in shown
    assert abs(sum(part or 0 for part in shown) - (parts.money_e9(found.total_e18) or 0)) < CENT_E18 // E9


@given(EXECUTIONS, st.integers(0, 10**14), st.builds(Prices, PRICE, PRICE, PRICE), st.integers(1, 10**12))
def test_with_a_multiplier_they_add_up_to_the_cent(
    done: list[Execution], left_e9: int, prices: Prices, multiplier_e9: int
) -> None:
    found = split(Side.BUY, sum(one.quantity_e9 for one in done) + left_e9, done, prices, 0, multiplier_e9)
    four = (found.impact_e18, found.timing_e18, found.opportunity_e18, found.explicit_e18)
    assert abs(sum(part or 0 for part in four) - (found.total_e18 or 0)) < CENT_E18


PLANTED = st.lists(
    st.tuples(st.integers(1, 400), st.integers(-50, 50), st.integers(-20, 80), st.sampled_from(["aggressive", "passive"])),
    max_size=8,
)


@given(PLANTED, st.integers(0, 500), st.integers(-80, 80), st.integers(-60, 60), st.sampled_from(Side))
def test_planted_costs_are_found(
    planted: list[tuple[int, int, int, str]], left: int, delay_cents: int, end_cents: int, side: Side
) -> None:
    """Each execution is planted with how far the mid has moved and how far beyond it we pay, both against us in cents."""
    decided_e9, cent_e9 = 100 * E9, E9 // 100
    arrival_e9 = decided_e9 + side.sign * delay_cents * cent_e9
    history = History(side, sum(x for x, *_ in planted) + left or 10, arrival_e9=arrival_e9)
    left = left or (0 if planted else 10)
    noted = DecisionNoted(parent=PARENT, price_e9=decided_e9, decided_ns=NOW_NS - 60 * E9, reason="the manager")
    history.tell(decision_key(PARENT), noted, 1)
    moved = delay_cents
    impact = drift = fees = commissions = Fraction(0)
    for number, (quantity, move, pressure, tactic) in enumerate(planted):
        moved += move
        mid_e9 = decided_e9 + side.sign * moved * cent_e9
        history.note(mid_e9, 10 + number * 10)
        history.fill(quantity, mid_e9 + side.sign * pressure * cent_e9, 10 + number * 10, tactic=tactic)
        impact += Fraction(quantity * pressure, 100)
        drift += Fraction(quantity * (moved - delay_cents), 100)
        fees += quantity * (Fraction(3, 1000) if tactic == "aggressive" else Fraction(-2, 1000))
        price = Fraction(mid_e9 + side.sign * pressure * cent_e9, E9)
        commissions += max(Fraction(1), quantity * Fraction(5, 1000) + quantity * price / 20_000)
    history.end(decided_e9 + side.sign * end_cents * cent_e9, 100)
    found = analysed(history)
    filled = sum(x for x, *_ in planted)
    wanted = {
        "impact": impact,
        "delay": Fraction(filled * delay_cents, 100),
        "drift": drift,
        "timing": drift + Fraction(filled * delay_cents, 100),
        "opportunity": Fraction(left * end_cents, 100),
        "explicit": fees + commissions,
    }
    wanted["total"] = wanted["impact"] + wanted["timing"] + wanted["opportunity"] + wanted["explicit"]
    assert found.missing == ()
    for name, value in wanted.items():
        assert abs(getattr(found.split, f"{name}_e18") - value * E9 * E9) <= len(planted) + 1, name
    assert (found.split.paper_e18 or 0) == found.quantity_e9 * decided_e9


def worked() -> History:
    """300 of 1000 at 100.05 (mid 100.03), 200 at 100.10 (mid 100.08), the rest missed 20 cents."""
    history = History()
    history.note(to_e9("100.03"), 20, volume=1000, notional_e9=100_020 * E9)
    history.fill(300, to_e9("100.05"), 20)
    history.note(to_e9("100.08"), 30, volume=3000, notional_e9=300_150 * E9)
    history.fill(200, to_e9("100.10"), 30, venue="OTHER")
    history.note(to_e9("100.02"), 36)
    history.end(to_e9("100.20"), 40, volume=5000, notional_e9=500_400 * E9)
    return history


def test_a_worked_order_against_every_benchmark() -> None:
    found = analysed(worked(), Facts(DayFacts(closes_e9={"ABC": to_e9("99.50")})))
    against = {name: None if b.price_e9 is None else b.price_e9 / E9 for name, b in found.benchmarks.items()}
    assert against == {"decision": 100, "arrival": 100, "vwap": pytest.approx(100.08), "close": 99.5, "twap": None}
    assert found.average_e9 == to_e9("100.07")
    assert found.benchmarks["vwap"].bps == pytest.approx(-0.01 / 100.08 * 10_000)
    assert found.benchmarks["close"].cost_e18 == 500 * E9 * to_e9("0.57")
    assert found.participation == 0.1
    assert [at.venue for at in found.venues] == ["OTHER", "VENUE"]
    assert [at.impact_e18 for at in found.venues] == [200 * E9 * to_e9("0.02"), 300 * E9 * to_e9("0.02")]


def test_a_market_that_was_not_followed_has_no_twap_and_one_that_was_has() -> None:
    assert analysed(worked()).benchmarks["twap"].price_e9 is None  # nothing was noted between 0 s and 20 s
    history = History()
    for second in (10, 20):
        history.note((100 + second) * E9, second)
    history.end(200 * E9, 30)
    assert analysed(history).benchmarks["twap"].price_e9 == 110 * E9


def test_markouts_are_of_what_has_a_mark_so_long_after() -> None:
    found = {m.seconds: m for m in analysed(worked()).markouts}
    assert found[1].coverage == 1.0
    assert found[5].coverage == 1.0
    assert found[30].coverage == found[300].coverage == 0.0
    assert (found[30].bps, found[300].bps) == (None, None)
    paid = 300 * 100.05 + 200 * 100.10
    assert found[1].bps == pytest.approx(10_000 * (300 * 0.02 + 200 * 0.02) / paid)


def test_without_marks_impact_and_timing_are_missing_and_the_total_stands() -> None:
    history = History()
    history.fill(500, to_e9("100.50"), 60)
    history.end(to_e9("101"), 90)
    found = analysed(history)
    assert (found.split.impact_e18, found.split.timing_e18) == (None, None)
    assert found.split.opportunity_e18 == 500 * E9 * E9
    assert found.split.before_charges_e18 == 750 * E9 * E9
    assert found.split.total_e18 is not None
    assert found.missing == ("1 of 1 executions have no mark of the market at their time",)


def test_nothing_of_the_market_is_ever_made_up() -> None:
    history = History(arrival_e9=None)
    history.fill(500, 100 * E9, 60)
    history.end(None, 90)
    found = analysed(history, Facts(DayFacts(), {}))
    amounts = {name: getattr(found.split, f"{name}_e18") for name in told.PARTS}
    assert set(amounts.values()) == {None}
    assert found.missing == (
        "ABC is in no instrument table: its currency is not known",
        "1 of 1 executions have no mark of the market at their time",
        "no decision price",
        "no arrival price",
        "no price at the end for what was not executed",
        "no schedule of fees and commissions is loaded for the day",
    )
    assert found.estimated.mean_bps is None
    assert len(found.estimated.missing) == 3


def test_an_order_that_works_is_valued_at_the_last_mark() -> None:
    history = History()
    history.note(to_e9("100.10"), 10)
    history.fill(400, to_e9("100.12"), 10)
    history.note(to_e9("100.30"), 20)
    found = analysed(history)
    assert (found.status, found.end_price_e9) == ("working", to_e9("100.30"))
    assert found.split.opportunity_e18 == 600 * E9 * to_e9("0.30")


def test_a_bust_after_the_end_is_restated_and_what_was_known_then_stays() -> None:
    history = worked()
    then_ns = NOW_NS + 40 * E9
    before = analysed(history)
    history.restate("E2", 0, to_e9("100.10"), 600)
    history.restate("E1", 300, to_e9("100.04"), 700)
    then, now = analysed(history, known_ns=then_ns), analysed(history)
    assert then.split == before.split
    assert (then.filled_e9, now.filled_e9) == (500 * E9, 300 * E9)
    assert now.split.impact_e18 == 300 * E9 * to_e9("0.01")
    assert now.split.opportunity_e18 == 700 * E9 * to_e9("0.20")
    between = analysed(history, known_ns=NOW_NS + 650 * E9)
    assert between.split.impact_e18 == 300 * E9 * to_e9("0.02")
    assert now.status == "expired"  # what has ended stays ended


def test_a_list_is_decided_when_it_comes_and_arrives_when_it_is_executed() -> None:
    history = History(arrival_e9=100 * E9, staged=True, list_id="L1")
    history.tell(PARENT, po.Started(terms=terms(1000), arrival=market(101 * E9)), 60)
    history.note(101 * E9, 70)
    history.fill(1000, 101 * E9, 70)
    history.end(101 * E9, 80)
    found = analysed(history)
    assert (found.split.delay_e18, found.split.drift_e18, found.split.impact_e18) == (1000 * E9 * E9, 0, 0)


def test_a_switch_of_the_algorithm_is_told() -> None:
    history = History()
    pov = terms(1000, algo="pov", participation_e9=E9 // 10)
    history.tell(PARENT, po.Replaced(cl_ord_id="A2", terms=pov), 50)
    assert history.ledger.orders[PARENT].strategy == "twap"
    assert [name for _, name in history.ledger.orders[PARENT].switches] == ["pov"]


@pytest.mark.parametrize(("quantity_e9", "done"), [(1, (2, 1)), (5, (0, 1)), (5, (1, 0))])
def test_impossible_executions_are_refused(quantity_e9: int, done: tuple[int, int]) -> None:
    with pytest.raises(InvariantBroken):
        split(Side.BUY, quantity_e9, [Execution(*done, 1)], Prices(1, 1, 1), 0)
