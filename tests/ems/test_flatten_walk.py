"""Random walks through a PANIC: whatever fills, is canceled or falls into doubt, the house's position never crosses zero, and
comes to it.
"""

from __future__ import annotations

from random import Random

import pytest

from domain.child_order import ChildOrder
from domain.exposure import ACCOUNT
from domain.kill_scope import FIRM
from domain.kill_table import Level
from domain.order_life import OrdStatus
from domain.values import E9, Side
from tests.domain.orders import venue_report
from tests.ems.house_room import bought, house, left, look
from tests.ems.test_kill_gate import Gated

LOT = 10


def held(room: Gated, account: str) -> int:
    state = room.desk.state
    state.risk.exposure.settle()
    return sum(ledger.amounts()[0] for ledger in state.risk.exposure.of("ABC") if ledger.key[ACCOUNT] == account) // E9


def live(room: Gated) -> list[ChildOrder]:
    return sorted(room.desk.state.live_children(), key=lambda child: child.cl_ord_id)


async def step(room: Gated, random: Random, number: int) -> None:
    """One thing that a venue may do to one order, or time."""
    found = live(room)
    what = random.choice(["fill", "fill", "cancel", "wait", "look", "look"])
    if what == "look" or not found:
        await look(room, after_s=random.choice([0.1, 1, 3]))
    elif what == "wait":
        room.clock.ns += 3 * E9
        await look(room, after_s=0)
    else:
        child = random.choice(found)
        ids = {"cl_ord_id": child.cl_ord_id, "side": child.side}
        if what == "cancel" or not child.leaves_e9:
            await room.venue(venue_report("canceled", **ids))
        else:
            lots = random.randint(1, child.leaves_e9 // E9 // LOT)
            fill = {"exec_id": f"X{number}", "last_quantity_e9": lots * LOT * E9, "last_price_e9": 100 * E9}
            await room.venue(venue_report("trade", **ids, **fill))


@pytest.mark.parametrize("seed", range(40))
async def test_a_position_comes_to_zero_and_never_past_it(seed: int) -> None:
    random = Random(seed)
    side = random.choice(list(Side))
    room = await house()
    await bought(room, "H1", 500, side=side)
    reducing = Side.SELL if side is Side.BUY else Side.BUY
    for number in range(random.randint(0, 3)):  # the house's own orders, which may fill before their cancels are answered
        await room.client_order(f"W{number}", account="MM", side=reducing, quantity_e9=random.randint(1, 15) * LOT * E9)
    await bought(room, "C1", 300, account="FUND")
    room.latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, 9, room.clock.ns))
    for number in range(60):
        await step(room, random, number)
        assert held(room, "MM") * side.sign >= 0, "past zero"
    while found := live(room):  # every venue has answered in the end
        for child in found:
            await room.venue(venue_report("canceled", cl_ord_id=child.cl_ord_id, side=child.side))
    for attempt in range(6):
        for sent in await look(room, after_s=3):
            await room.venue(
                venue_report(
                    "trade", cl_ord_id=sent.cl_ord_id, side=sent.side, exec_id=f"E{attempt}",
                    last_quantity_e9=sent.quantity_e9, last_price_e9=100 * E9,
                )
            )  # fmt: skip
    gave_up = any("have not flattened it" in why for *_, why in left(room))
    assert held(room, "MM") == 0 or gave_up, left(room)
    assert held(room, "FUND") == 300
    assert not any(child.status is OrdStatus.IN_DOUBT for child in room.desk.state.children.values())
