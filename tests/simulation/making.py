"""Orders as a client of the simulation makes them: for an algorithm or direct to the venue, good ones and spoiled ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.event import InboundRef
from domain.instructions import Instructions
from domain.messages import NewOrder
from domain.refusal import Reason, Refusal
from domain.values import E9, OrdType, Side, TimeInForce
from tests.simulation.reference import LOT_E9, SYMBOLS, TICK_E9
from tests.simulation.world import START_NS, S, World


def good(world: World, session: str, cl_ord_id: str, *, direct: bool = False) -> NewOrder:
    """An order that must be taken."""
    random = world.random
    side = random.choice((Side.BUY, Side.SELL))
    limit = random.random() < 0.3
    algo, parameters = ("", ()) if direct else _algo(world)
    order = NewOrder(
        ref=InboundRef(session, 0, 0),
        cl_ord_id=cl_ord_id,
        symbol=random.choice(SYMBOLS),
        side=side,
        quantity_e9=random.randint(3, 60) * LOT_E9,
        ord_type=OrdType.LIMIT if limit else OrdType.MARKET,
        limit_price_e9=(100 * E9 + side.sign * random.randint(-5, 40) * TICK_E9) if limit else None,
        time_in_force=TimeInForce.DAY,
        account="A1",
        algo=algo,
        parameters=parameters,
    )
    if direct and random.random() < 0.3:
        order = replace(order, time_in_force=TimeInForce.GTC)
    if direct and not limit and random.random() < 0.3:
        order = replace(order, ord_type=OrdType.STOP, instructions=Instructions(stop_price_e9=101 * E9))
    return order


def _algo(world: World) -> tuple[str, tuple[tuple[str, str], ...]]:
    random = world.random
    algo = random.choice(("twap", "vwap", "pov"))
    parameters = [("DurationMinutes", str(random.choice(("0.5", "1", "2", "4"))))]
    if algo == "pov":
        parameters.append(("ParticipationRate", random.choice(("10", "30"))))
    if random.random() < 0.15:
        parameters.append(("MaxParticipation", "20"))
    if random.random() < 0.15:
        parameters.append(("WouldPrice", f"{random.randint(9990, 10010) / 100:.2f}"))
    if random.random() < 0.1:
        seconds = (world.now_ns - START_NS) // S + random.randint(10, 60)
        parameters.append(("StartTime", f"20260302-15:{seconds // 60:02d}:{seconds % 60:02d}"))
    return algo, tuple(parameters)


def spoiled(world: World, order: NewOrder) -> NewOrder:
    """An order that must be refused."""
    spoils: tuple[dict[str, Any], ...] = (
        {"symbol": "NONE"},
        {"quantity_e9": 0},
        {"quantity_e9": -LOT_E9},
        {"quantity_e9": LOT_E9 // 2},
        {"ord_type": OrdType.LIMIT, "limit_price_e9": 100 * E9 + 1},
        {"ord_type": OrdType.LIMIT, "limit_price_e9": None},
        {"ord_type": None},
        {"side": None},
        {"algo": "guess"},
        {"parameters": (("Urgency", "high"),)},
        {"parameters": (("DurationMinutes", "-1"),)},
        {"refusal": Refusal(Reason.UNREADABLE, "OrderQty is not a number")},
    )
    if order.algo:
        spoils += ({"time_in_force": TimeInForce.GTC},)
    return replace(order, **world.random.choice(spoils))
