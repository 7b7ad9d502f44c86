"""Baskets in whole lots: every limit holds for what is planned, not only for what was solved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Infeasible
from domain.values import E9
from models.planners.basket_lots import plan
from models.planners.basket_terms import Band, Basket, BasketLimits, Group, Weights, gross
from tests.models.planners.baskets import basket


@st.composite
def limited(draw: st.DrawFn) -> tuple[Basket, tuple[int, ...], BasketLimits, Weights]:
    """Baskets with caps, bands and lots of all sorts, many of them without room."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    m, n = draw(st.integers(1, 4)), draw(st.sampled_from([3, 6]))
    made = basket(chance, m, n, cross=draw(st.sampled_from([0.0, 0.5])))
    if draw(st.booleans()):
        made = made._replace(totals=made.totals + np.round(chance.uniform(0, 1, m), 9))
    if draw(st.booleans()):
        made = made._replace(caps=np.round(chance.uniform(0, 3, (m, n)) * made.totals[:, None] / n, 9))
    value, lots = gross(made), tuple(int(each) for each in chance.choice([1, E9, 10 * E9, 100 * E9], m))
    band = st.one_of(st.none(), st.floats(0.02, 1.2).map(lambda each: Band(-each * value, each * value)))
    groups = tuple(
        Group(f"g{i}", chance.integers(0, 2, m).astype(np.float64), each)
        for i in range(draw(st.integers(0, 2)))
        if (each := draw(band))
    )
    least = chance.uniform(0, 1, m) if draw(st.booleans()) else None
    return made, lots, BasketLimits(draw(band), draw(band), groups, least), Weights(draw(st.sampled_from([0.0, 1e-3])), 1e-3)


@given(case=limited())
@settings(max_examples=150, deadline=None)
def test_slices_are_whole_lots_within_every_limit_or_the_error_has_a_name(
    case: tuple[Basket, tuple[int, ...], BasketLimits, Weights],
) -> None:
    made, lots, limits, weights = case
    try:
        found = plan(made, lots, limits, weights)
    except Infeasible:
        return
    slices = np.array(found.slices_e9, object)
    for i, row in enumerate(found.slices_e9):
        total = round(float(made.totals[i]) * E9)
        assert sum(row) + found.left_e9[i] == total and found.left_e9[i] >= 0
        assert limits.least is not None or found.left_e9[i] == 0
        assert sum(each % lots[i] != 0 for each in row) <= (1 if total % lots[i] else 0), "whole lots but for the odd rest"
        assert all(0 <= each <= cap * E9 for each, cap in zip(row, made.caps[i], strict=True))
        if limits.least is not None:
            assert sum(row) >= limits.least[i] * total * (1 - 1e-8) - lots[i]
    traded, price, room = (slices / E9).astype(np.float64), (made.signs * made.prices)[:, None], 1e-6 * gross(made)
    paid, left = (price * traded).sum(axis=0), price * (made.totals[:, None] - traded.cumsum(axis=1))
    held = [(limits.cash, paid), (limits.running, paid.cumsum()), *((each.band, each.weights @ left) for each in limits.groups)]
    for band, values in held:
        assert band is None or (np.all(values >= band.low - room) and np.all(values <= band.high + room))


def test_most_baskets_with_room_are_planned() -> None:
    """The property above would hold of a planner that always refuses."""
    chance = np.random.default_rng(12)
    for _ in range(20):
        made = basket(chance)
        wide = BasketLimits(
            running=Band(-gross(made), gross(made)), groups=(Group("all", np.ones(4), Band(-gross(made), gross(made))),)
        )
        assert sum(map(sum, plan(made, (E9,) * 4, wide, Weights(1e-3)).slices_e9)) == round(made.totals.sum() * E9)


def test_what_leaves_no_room_in_whole_lots_is_named() -> None:
    made = basket(np.random.default_rng(13), signs=np.array([1.0, 1.0, -1.0, -1.0]))
    with pytest.raises(Infeasible, match="running cash leave no room for whole lots, whose rounding may come to"):
        plan(
            made,
            (100 * E9,) * 4,
            BasketLimits(running=Band(-50.0, 50.0), least=np.zeros(4)),
        )
    caps = np.full((4, 6), 0.9)
    with pytest.raises(Infeasible, match="S0: its limits leave no room in whole lots"):
        plan(made._replace(totals=np.full(4, 5.0), caps=caps), (E9,) * 4)
