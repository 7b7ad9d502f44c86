"""No sequence of orders, fills, cancels, replaces, busts, doubts and restarts lets exposure exceed a limit or leak."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.messages import VenueCancelReject
from domain.order_life import OrdStatus
from domain.risk import Check
from domain.risk_data import RiskFacts
from domain.values import E9, ScopeKind, Side
from ems.risk_day import RiskTerms
from tests.domain.orders import REF, replace_order, venue_report
from tests.ems.risk_scene import limit
from tests.ems.room import Room, session

POSITION, OPEN, GROSS = 500 * E9, 60_000 * E9, 70_000 * E9
LIMITS = (
    limit(Check.POSITION, POSITION, "quantity", scope=ScopeKind.ACCOUNT, scope_id="*"),
    limit(Check.OPEN_ORDERS, OPEN, "money"),
    limit(Check.GROSS_EXPOSURE, GROSS, "money"),
)
STEPS = ("order", "fill", "cancel", "canceled", "replace", "replaced", "refused", "bust", "correct", "doubt", "restart", "reject")


class Walk:
    """A desk and a venue that does whatever the next step says, to whichever order it says."""

    def __init__(self) -> None:
        data = RiskFacts(positions={}, reference_prices={"ABC": 100 * E9})
        self.room = Room(risk=RiskTerms(limits=LIMITS, digest="d"), risk_data=data)
        self.orders = self.executions = 0
        self.fills: list[tuple[str, str, int]] = []  # ExecID, ClOrdID, quantity
        self.restated = False

    async def step(self, what: str, pick: int, size: int) -> None:
        """One step, if there is an order for it."""
        children = [child for child in self.room.desk.state.children.values() if child.live or child.replacing]
        quantity = 10 * (1 + size % 40)
        if what == "order":
            self.orders += 1
            side, price = (Side.BUY, 99 + pick % 3) if pick % 2 else (Side.SELL, 99 + size % 3)
            await self.room.client_order(f"O{self.orders}", side=side, quantity_e9=quantity * E9, limit_price_e9=price * E9)
        elif what == "restart":
            self.room = await (await self.room.successor()).open()
        elif what == "doubt":
            await self.room.desk.cycle([session("VENUE", up=False)])
            await self.room.desk.cycle([session("VENUE")])
        elif what in ("bust", "correct") and self.fills:
            await self._restate(what, *self.fills.pop(pick % len(self.fills)), size)
        elif children:
            await self._venue(what, children[pick % len(children)], quantity)

    async def _restate(self, what: str, exec_id: str, cl_ord_id: str, quantity: int, size: int) -> None:
        self.executions += 1
        self.restated = True
        now = 0 if what == "bust" else 1 + size % quantity
        await self.room.venue(
            venue_report(
                "trade_cancel" if what == "bust" else "trade_correct", exec_id=f"R{self.executions}", exec_ref_id=exec_id,
                cl_ord_id=cl_ord_id, last_quantity_e9=now * E9, last_price_e9=100 * E9,
            )
        )  # fmt: skip

    async def _venue(self, what: str, child: Any, quantity: int) -> None:
        told: dict[str, Any] = {"cl_ord_id": child.cl_ord_id, "order_id": "V"}
        self.executions += 1
        parent = self.room.desk.state.parent(child.parent)
        match what:
            case "fill" if child.leaves_e9:
                filled = min(quantity, child.leaves_e9 // E9)
                exec_id = f"E{self.executions}"
                self.fills.append((exec_id, child.cl_ord_id, filled))
                filled_e9 = {"last_quantity_e9": filled * E9, "last_price_e9": child.limit_price_e9}
                await self.room.venue(venue_report("trade", exec_id=exec_id, **told, **filled_e9))
            case "cancel":
                await self.room.cancel(f"X{self.executions}", parent.cl_ord_id)
            case "replace":
                await self.room.client(
                    replace_order(
                        cl_ord_id=f"X{self.executions}", orig_cl_ord_id=parent.cl_ord_id, algo="", parameters=(),
                        side=child.side, quantity_e9=quantity * E9, limit_price_e9=child.limit_price_e9,
                    )
                )  # fmt: skip
            case "replaced" if child.replacing is not None:
                ids = {"cl_ord_id": child.replacing.cl_ord_id, "orig_cl_ord_id": child.cl_ord_id}
                price_e9 = child.replacing.limit_price_e9
                new = {"quantity_e9": child.replacing.quantity_e9, "limit_price_e9": price_e9}
                await self.room.venue(venue_report("replaced", **{**told, **ids, **new}))
            case "refused" if child.replacing is not None:
                reject = VenueCancelReject(
                    ref=REF, cl_ord_id=child.replacing.cl_ord_id, orig_cl_ord_id=child.cl_ord_id, response_to="replace", reason=2,
                    ord_status="new",
                )  # fmt: skip
                await self.room.venue(reject)
            case "canceled" | "new":
                await self.room.venue(venue_report(what, exec_id=f"E{self.executions}", **told))
            case "reject" if child.status is OrdStatus.PENDING_NEW:
                await self.room.venue(venue_report("rejected", exec_id=f"E{self.executions}", **told))
            case _:
                await self.room.venue(venue_report("new", exec_id=f"E{self.executions}", **told))

    def check(self) -> None:
        """What is reserved is what may trade, counted anew; and no limit is exceeded but by what a venue took back."""
        state = self.room.desk.state
        risk = state.risk
        expected, position, reserved = {}, 0, {Side.BUY: 0, Side.SELL: 0}
        for child in state.children.values():
            asked = child.replacing
            position += child.side.sign * child.cum_quantity_e9
            open_e9 = max(child.quantity_e9, asked.quantity_e9 if asked else 0) - child.cum_quantity_e9
            if (child.live or (asked and child.status is OrdStatus.FILLED)) and open_e9 > 0:
                expected[child.id] = open_e9
                reserved[child.side] += open_e9
        assert risk.exposure.all_reserved() == expected
        risk.totals.settle()
        row = risk.totals.row((ScopeKind.ACCOUNT, "ACC"), "ABC")
        assert (row.position_e9, row.buying_e9, row.selling_e9) == (position, reserved[Side.BUY], reserved[Side.SELL])
        if not self.restated:
            assert row.position_e9 + row.buying_e9 <= POSITION and row.selling_e9 - row.position_e9 <= POSITION
            money = risk.totals.money((ScopeKind.FIRM, ""))
            assert money.buying_e9 + money.selling_e9 <= OPEN
        assert risk.exposure.flow("ABC", Side.BUY).out_e9 == row.buying_e9 + sum(
            c.cum_quantity_e9 for c in state.children.values() if c.side is Side.BUY
        )


async def walk(steps: list[tuple[str, int, int]]) -> Walk:
    walking = Walk()
    await walking.room.open()
    for step in steps:
        await walking.step(*step)
        walking.check()
    return walking


STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, 50), st.integers(0, 50))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=40))
def test_no_sequence_leaks_a_reservation_or_exceeds_a_limit(steps: list[tuple[str, int, int]]) -> None:
    asyncio.run(walk(steps))


@pytest.mark.parametrize("seed", range(6))
def test_a_long_walk_uses_every_step_and_ends_with_nothing_reserved(seed: int) -> None:
    chance = random.Random(seed)
    weights = [6, 6, 2, 3, 3, 3, 1, 0, 0, 1, 1, 1]
    steps = [(what, chance.randrange(50), chance.randrange(50)) for what in chance.choices(STEPS, weights, k=250)]
    walking = asyncio.run(walk([*steps, *[(end, n, 0) for end in ("refused", "canceled") for n in range(100)]]))
    risk = walking.room.desk.state.risk
    assert risk.exposure.all_reserved() == {}
    refused = [c for c in risk.clearances.values() if not c.passed]
    assert walking.orders > 30 and walking.fills and refused, "the limits were reached"


@pytest.mark.parametrize("seed", range(3))
def test_busts_and_corrections_restate_what_is_held(seed: int) -> None:
    chance = random.Random(seed)
    steps = [(what, chance.randrange(50), chance.randrange(50)) for what in chance.choices(STEPS, k=200)]
    walking = asyncio.run(walk(steps))
    assert walking.restated
