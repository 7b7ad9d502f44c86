"""What another schedule would have got: the simulated venue's market run again from its beginning, without our other orders.

Both schedules, TWAP's and the one that was traded, go into that market as market orders at the moments at which they traded or
would have released, so that they are compared on one tape and by one tactic. Only what they themselves trade is missing
in the market afterwards; that later orders of others would have answered them is not known, and not claimed.
"""

from __future__ import annotations

from typing import Any, Final

from domain.ports_market import ORDER_ID_MIN, VenueOrder, VenueTif
from domain.schedule import PlanRequest
from domain.values import E9, Algo, Side, to_e9
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.venue import open_again
from ems.projections import Projections
from models.planners.twap import Twap

HOW: Final = "market orders in the same market run again from its beginning"
Release = tuple[int, int]  # (time_ns, quantity_e9)


def compared(runtime: Runtime, rows: Projections, parent: str) -> dict[str, Any]:
    """Basis points against the middle at the order's start: twap_bps, and same_tactic_bps for the schedule that was traded.

    None where the order did not trade, or the market could not take it all.
    """
    found = rows.of_parent(parent)
    assert found is not None
    row = found["parent"]
    mine = sorted((int(fill["time_ns"]), to_e9(fill["quantity"])) for fill in found["fills"])
    if not mine:
        return {"twap_bps": None, "same_tactic_bps": None, "how": HOW}
    side, begin_ns = Side(row["side"]), int(row["start_ns"])
    twap = _twap(row, side, sum(quantity for _, quantity in mine))
    costs = [_cost_bps(runtime, row["symbol"], side, begin_ns, releases) for releases in (twap, mine)]
    return {"twap_bps": costs[0], "same_tactic_bps": costs[1], "how": HOW}


def _twap(row: dict[str, Any], side: Side, quantity_e9: int) -> list[Release]:
    begin_ns = int(row["start_ns"])
    request = PlanRequest(
        parent=row["id"], parent_version=0, plan_number=1, reason="compared", instrument=row["symbol"], side=side, algo=Algo.TWAP,
        remaining_e9=quantity_e9, filled_e9=0, lot_e9=E9, now_ns=begin_ns, start_ns=begin_ns, end_ns=int(row["end_ns"]),
        participation_e9=None, market=None, started_volume_e9=0,
    )  # fmt: skip
    return [(each.start_ns, each.quantity_e9) for each in Twap().plan(request).slices]


def _cost_bps(runtime: Runtime, symbol: str, side: Side, begin_ns: int, releases: list[Release]) -> float | None:
    listing, market = open_again(runtime, symbol)
    market.advance(begin_ns)
    top = market.top()
    middle = (top.bid_ticks + top.ask_ticks) / 2
    if not top.bid_lots or not top.ask_lots:
        return None
    lots = paid = missing = 0
    for number, (at_ns, quantity_e9) in enumerate(releases):
        market.advance(at_ns)
        wanted = quantity_e9 // listing.lot_size_e9 + missing
        order = VenueOrder(ORDER_ID_MIN + number, side.sign, wanted, is_market=True, tif=VenueTif.IOC)
        done = market.submit(order, at_ns).executions
        lots += sum(each.quantity_lots for each in done)
        paid += sum(each.quantity_lots * each.price_ticks for each in done)
        missing = wanted - sum(each.quantity_lots for each in done)
    if missing or not lots:
        return None
    return side.sign * (paid / lots / middle - 1.0) * 10_000
