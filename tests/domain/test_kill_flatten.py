"""Flattening touches house positions alone, within its collar, and never without a price."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.kill_flatten import Execution, Flatten, flatten, house_positions
from domain.values import E9, Side

HOUSE = frozenset({"HOUSE", "MM"})
EXECUTIONS = st.lists(
    st.builds(
        Execution,
        account=st.sampled_from(["HOUSE", "MM", "FUND", "", "house", "HOUSE "]),
        instrument=st.sampled_from(["ABC", "XYZ"]),
        side=st.sampled_from(Side),
        quantity_e9=st.integers(1, 10**15),
    ),
    max_size=30,
)
PRICES = {"ABC": 100 * E9, "XYZ": 7 * E9}
TICKS = dict.fromkeys(PRICES, E9 // 100)


@given(EXECUTIONS)
def test_no_client_fill_changes_what_is_flattened(executions: list[Execution]) -> None:
    clients = [execution for execution in executions if execution.account not in HOUSE]
    house = [execution for execution in executions if execution.account in HOUSE]
    assert house_positions(executions, HOUSE) == house_positions(house, HOUSE)
    assert house_positions(clients, HOUSE) == {}
    orders, blind = flatten(house_positions(executions, HOUSE), PRICES, trip=5, collar_bps=100, tick_e9=TICKS)
    assert {order.account for order in orders} <= HOUSE
    assert blind == ()
    left = house_positions([*executions, *(Execution(*order[:4]) for order in orders)], HOUSE)
    assert left == {}, "filled in full, they leave the house flat"
    for order in orders:
        known_e9 = PRICES[order.instrument]
        assert abs(order.limit_price_e9 - known_e9) <= known_e9 // 100
        assert (order.limit_price_e9 >= known_e9) is (order.side is Side.BUY)
        assert (order.trip, order.limit_price_e9 % TICKS[order.instrument]) == (5, 0)


def test_nothing_flattens_blind() -> None:
    positions = {("HOUSE", "ABC"): 10 * E9, ("HOUSE", "XYZ"): -3 * E9}
    orders, blind = flatten(positions, {"XYZ": 7 * E9}, trip=1, collar_bps=100, tick_e9=TICKS)
    assert orders == (Flatten("HOUSE", "XYZ", Side.BUY, 3 * E9, 7_070_000_000, 1),)
    assert blind == (("HOUSE", "ABC"),)
