"""Cancel on disconnect: only where it was agreed, only the orders of the day, and not if the client is back in time."""

from __future__ import annotations

import pytest

from domain.sending import SendChildCancel
from domain.session_policy import SessionPolicy
from domain.values import E9, TimeInForce
from tests.ems.room import Room, session


async def lost(policy: SessionPolicy, *, logged_out: bool = False) -> Room:
    """A client with a working order of the day and a carried one whose session goes down."""
    room = await Room(policies={"OMS": policy}).open()
    await room.client_order("A1")
    await room.client_order("A5", time_in_force=TimeInForce.GTC)
    room.take()
    await room.wait(0, session("OMS", up=False, logged_out=logged_out))
    return room


def canceled(room: Room) -> int:
    return len(room.take(SendChildCancel))


@pytest.mark.parametrize(
    ("rule", "logged_out", "cancels"),
    [("off", False, 0), ("ungraceful", True, 0), ("ungraceful", False, 1), ("any", True, 1), ("any", False, 1)],
)
async def test_what_is_canceled_follows_the_rule(rule: str, logged_out: bool, cancels: int) -> None:
    room = await lost(SessionPolicy(cancel_on_disconnect=rule), logged_out=logged_out)  # type: ignore[arg-type]
    assert canceled(room) == cancels


async def test_a_client_that_is_back_in_time_keeps_its_orders() -> None:
    policy = SessionPolicy(cancel_on_disconnect="any", cancel_delay_ns=5 * E9)
    room = await lost(policy)
    await room.wait(4, session("OMS"))
    await room.wait(10)
    assert canceled(room) == 0
    room = await lost(policy)
    await room.wait(4)
    assert canceled(room) == 0
    await room.wait(2)
    assert canceled(room) == 1
    await room.wait(10)
    assert canceled(room) == 0
