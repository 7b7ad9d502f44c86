"""Throttles: a client that sends too much is refused, a venue that takes little is sent no more; cancels always pass."""

from __future__ import annotations

from domain.sending import CancelReject, ParentReport, SendChild, SendChildCancel
from domain.session_policy import SessionPolicy
from domain.values import E9
from ems.throttle import Throttle
from tests.ems.room import Room


def test_the_window_slides() -> None:
    throttle = Throttle({"OMS": SessionPolicy(throttle_count=2, throttle_window_ns=10)})
    assert [throttle.passes("OMS", at_ns) for at_ns in (0, 5, 9, 10, 11, 15)] == [True, True, False, True, False, True]
    assert throttle.free_ns("OMS", 16) == 20
    assert all(throttle.passes("FREE", 0) for _ in range(1000))


async def test_orders_above_the_clients_limit_are_refused_and_cancels_pass() -> None:
    room = await Room(policies={"OMS": SessionPolicy(throttle_count=1, throttle_window_ns=E9)}).open()
    room.take()
    await room.order(algo="", parameters=())
    await room.client_order("A5")
    (refused,) = room.take(ParentReport)
    assert (refused.exec_kind, refused.ord_rej_reason, "cancels pass" in refused.text) == ("rejected", 99, True)
    await room.report("new")
    await room.cancel("A2", "A1")
    sent = room.take()
    assert any(isinstance(m, SendChildCancel) for m in sent)
    assert not any(isinstance(m, CancelReject) for m in sent)
    await room.wait(2)
    await room.client_order("A6")
    assert len(room.take(SendChild)) == 1


async def test_a_venue_is_sent_what_it_takes_and_the_rest_when_the_window_is_free() -> None:
    room = await Room(policies={"VENUE": SessionPolicy(throttle_count=1, throttle_window_ns=E9)}).open()
    room.take()
    await room.order(algo="", parameters=())
    await room.client_order("A5")
    assert len(room.take(SendChild)) == 1
    await room.wait(1)
    assert len(room.take(SendChild)) == 1
