"""A session goes on after gaps that the engine alone would wait in for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from adapters.fix.link import SessionMarks
from domain.messages import EngineRefusal, NewOrder
from tests.adapters.fix.kit import AN_ORDER, WAIT_S, Desk, GatewayProcess, started
from tests.adapters.fix.raw import RawPeer, frame

MakeDesk = Callable[..., Desk]
WITHOUT_SIDE = AN_ORDER.replace("54=1|", "")


async def set_back(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> Desk:
    """An order, a TestRequest and an order that the engine rejects; then a kill, and a start that asks from the TestRequest on.

    The peer is logged on again and has not answered yet.
    """
    await started(gateway)
    await client.connect(gateway.client_port)
    client.send("D", AN_ORDER.format("A1"))
    client.send("1", "112=T|")
    client.send("D", WITHOUT_SIDE.format("A2"))
    await client.take(lambda m: m["35"] == "3" and m["45"] == "4")
    gateway.kill()
    await client.drop()
    gateway.config["hello_wait_s"] = WAIT_S
    gateway.start(wait=False)
    return desk_on(sessions={"OMS": SessionMarks(inbound=(0, 2))})


async def test_a_rejected_message_that_is_repeated_does_not_stop_the_session(
    gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk
) -> None:
    """The peer asks for a resend of its own while it is asked, and fills the gap over its Logon and that request in one."""
    desk = await set_back(gateway, client, desk_on)
    client.connect_then = [("2", "7=1|16=0|"), ("D", AN_ORDER.format("A3"))]
    await client.connect(gateway.client_port)
    order = await desk.take(NewOrder, lambda order: order.cl_ord_id == "A3")
    assert order.ref.msg_seq_num == 7
    assert [m["7"] for m in client.got("2")] == ["3", "6"]
    client.send("1", "112=well|")
    await client.take(lambda m: m["35"] == "0" and m.get("112") == "well")
    assert {item.ref.msg_seq_num for item in desk.all(EngineRefusal)} == {4}
    assert [order.cl_ord_id for order in desk.all(NewOrder)] == ["A1", "A3"]


async def test_a_gap_after_a_rejected_message_is_asked_for(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    """The engine still waits for what it has, so it would not ask for the message that is garbled after it."""
    desk = await set_back(gateway, client, desk_on)
    await client.connect(gateway.client_port)
    await asyncio.to_thread(gateway.wait_health, lambda health: health["sessions"]["OMS"]["refused"] == 1)
    client.send_raw(frame(f"35=0|34={client.next_out}|49=OMS|52=20261122-15:00:00|56=EMS|", checksum=999))
    client.next_out += 1
    client.send("D", AN_ORDER.format("A3"))
    order = await desk.take(NewOrder, lambda order: order.cl_ord_id == "A3")
    assert order.ref.msg_seq_num == 7
    assert [m["7"] for m in client.got("2")] == ["3", "6"]
