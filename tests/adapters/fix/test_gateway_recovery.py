"""Nothing is lost when the gateway, the desk or their files go: what was owed comes again, in order and once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from adapters.fix.engine import EXIT_CALLBACK_FAILED
from adapters.fix.link import SessionMarks
from adapters.fix.oms import Oms
from domain.errors import ConfigError
from domain.event import InboundRef
from domain.messages import (
    LinkDown,
    LinkUp,
    NewOrder,
    SessionChange,
    SessionNews,
)
from tests.adapters.fix.kit import (
    AN_ORDER,
    WAIT_S,
    Desk,
    GatewayProcess,
    a_child,
    an_order,
    control,
    started,
    venue_up,
)
from tests.adapters.fix.raw import RawPeer

MakeDesk = Callable[..., Desk]


async def test_what_arrives_without_a_desk_waits_for_one(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    await client.connect(gateway.client_port)
    for name in ("A1", "A2", "A3"):
        client.send("D", AN_ORDER.format(name))
    await asyncio.to_thread(gateway.wait_health, lambda health: health["spool_last"] == 3)
    desk = desk_on()
    await desk.take(NewOrder, lambda order: order.cl_ord_id == "A3")
    assert [order.cl_ord_id for order in desk.all(NewOrder)] == ["A1", "A2", "A3"]
    assert isinstance(desk.inputs[0], LinkUp)


async def test_a_killed_gateway_repeats_what_was_not_acknowledged(
    gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk
) -> None:
    await started(gateway)
    desk = desk_on()
    await client.connect(gateway.client_port)
    for number in range(1, 6):
        client.send("D", AN_ORDER.format(f"A{number}"))
    second = await desk.take(NewOrder, lambda order: order.cl_ord_id == "A2")
    desk.link.acknowledge(second.frame)
    await asyncio.to_thread(gateway.wait_health, lambda h: h["spool_acknowledged"] == second.frame and h["spool_last"] == 5)
    gateway.kill()
    await desk.take(LinkDown)
    desk.inputs.clear()
    await started(gateway)
    await desk.take(NewOrder, lambda order: order.cl_ord_id == "A5")
    assert [order.cl_ord_id for order in desk.all(NewOrder)] == ["A3", "A4", "A5"]


async def test_an_order_sent_to_a_dead_gateway_arrives_after_its_restart(
    gateway: GatewayProcess, oms: Oms, desk_on: MakeDesk
) -> None:
    await started(gateway)
    await asyncio.to_thread(oms.start)
    gateway.kill()
    sent = [oms.place(an_order()) for _ in range(3)]
    await started(gateway)
    desk = desk_on()
    await desk.take(NewOrder, lambda order: order.cl_ord_id == sent[-1])
    assert sorted({order.cl_ord_id for order in desk.all(NewOrder)}) == sorted(sent)


async def test_what_was_not_durable_is_asked_for_again(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    """The spool is lost with its disk; the desk's watermark brings the messages back through FIX itself."""
    await started(gateway)
    await client.connect(gateway.client_port)
    for number in range(1, 5):
        client.send("D", AN_ORDER.format(f"A{number}"))
    await asyncio.to_thread(gateway.wait_health, lambda health: health["spool_last"] == 4)
    await client.drop()
    await asyncio.to_thread(gateway.wait_session, "OMS", up=False)
    gateway.kill()
    for path in (gateway.directory / "gateway" / "spool").glob("*.spool"):
        path.unlink()
    gateway.config["hello_wait_s"] = WAIT_S
    gateway.start(wait=False)
    desk = desk_on(sessions={"OMS": SessionMarks(inbound=(0, 3))})
    await client.connect(gateway.client_port)
    await desk.take(NewOrder, lambda order: order.cl_ord_id == "A4")
    assert [(order.cl_ord_id, order.poss_dup) for order in desk.all(NewOrder)] == [("A3", True), ("A4", True)]


async def test_a_peer_that_will_not_repeat_is_told_to_the_desk(
    gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk
) -> None:
    await started(gateway)
    await client.connect(gateway.client_port)
    client.send("D", AN_ORDER.format("A1"))
    await asyncio.to_thread(gateway.wait_health, lambda health: health["spool_last"] == 1)
    await client.drop()
    await asyncio.to_thread(gateway.wait_session, "OMS", up=False)
    gateway.kill()
    for path in (gateway.directory / "gateway" / "spool").glob("*.spool"):
        path.unlink()
    client.sent.clear()  # so that it fills the gap instead
    gateway.config["hello_wait_s"] = WAIT_S
    gateway.start(wait=False)
    desk = desk_on(sessions={"OMS": SessionMarks(inbound=(0, 1))})
    await client.connect(gateway.client_port)
    news = await desk.take(SessionNews)
    assert json.loads(news.raw) == {"from": 2, "to": 2}


async def test_outbound_numbers_start_above_the_reserved_block(
    gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk
) -> None:
    gateway.config["hello_wait_s"] = WAIT_S
    gateway.start(wait=False)
    desk = desk_on(sessions={"OMS": SessionMarks(reserved=(0, 1, 5000))})
    await client.connect(gateway.client_port)
    assert client.got("A")[0]["34"] == "5001"
    change = await desk.take(SessionChange, lambda change: change.session == "OMS" and change.up)
    assert change.outbound_seq_num == 5002


async def test_a_reset_of_the_numbering_starts_a_new_epoch(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await client.connect(gateway.client_port)
    client.send("D", AN_ORDER.format("A1"))
    assert (await desk.take(NewOrder)).ref.reset_epoch == 0
    await client.drop()
    await asyncio.to_thread(gateway.wait_session, "OMS", up=False)
    client.next_out = client.expected = 1
    await client.connect(gateway.client_port, logon="98=0|108=30|141=Y|")
    client.send("D", AN_ORDER.format("A2"))
    order = await desk.take(NewOrder, lambda order: order.cl_ord_id == "A2")
    assert (order.ref.reset_epoch, order.ref.msg_seq_num) == (1, 2)


async def test_a_gateway_that_lost_its_files_takes_the_numbering_from_the_desk(
    gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk
) -> None:
    """It ends when the desk comes late, for what it received counts as old; started again it waits for the desk's word."""
    await started(gateway)
    desk = desk_on(sessions={"OMS": SessionMarks(inbound=(2, 1))})
    assert await asyncio.to_thread(gateway.wait_exit) == EXIT_CALLBACK_FAILED
    gateway.config["hello_wait_s"] = WAIT_S
    gateway.start(wait=False)
    client.next_out = 2  # the client has sent what is durable
    await client.connect(gateway.client_port)
    client.send("D", AN_ORDER.format("A1"))
    assert (await desk.take(NewOrder)).ref == InboundRef("OMS", 2, 3)


async def test_a_desk_of_an_earlier_epoch_is_refused(gateway: GatewayProcess, desk_on: MakeDesk) -> None:
    await started(gateway)
    new = desk_on(epoch=2)
    await new.take(LinkUp)
    old = desk_on(epoch=1)
    with pytest.raises(ConfigError, match="another desk leads"):
        await old.task
    assert not old.inputs


async def test_what_a_fenced_desk_sends_does_not_leave(gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on(epoch=3)
    await venue_up(desk)
    desk.link.send([a_child(1)], epoch=2)
    with pytest.raises(ConfigError, match="another desk leads"):
        await desk.task
    health = await control(gateway, command="health")
    assert (health["fenced_frames"], health["live_orders"]) == (1, 0)
    assert not venue.got("D")


async def test_a_new_desk_takes_over_from_the_old(gateway: GatewayProcess, desk_on: MakeDesk) -> None:
    await started(gateway)
    old = desk_on(epoch=1)
    await old.take(LinkUp)
    new = desk_on(epoch=2)
    await new.take(LinkUp)
    await old.take(LinkDown)
    with pytest.raises(ConfigError, match="another desk leads"):
        await old.task


async def test_a_live_desk_may_not_use_a_paper_gateway(gateway: GatewayProcess, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on(environment="LIVE")
    with pytest.raises(ConfigError, match="LIVE may not use a gateway that is PAPER"):
        await desk.task


OLD, NEW = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"


@pytest.mark.parametrize("approved", [(OLD,), (NEW,)])
async def test_a_gateway_serves_a_desk_of_another_build_only_where_the_mix_is_approved(
    gateway: GatewayProcess, desk_on: MakeDesk, approved: tuple[str, ...]
) -> None:
    gateway.config["build"] = OLD
    await started(gateway)
    desk = desk_on(build=NEW)
    with pytest.raises(ConfigError, match=f"the gateway: this is build {OLD}, and the desk, which is up, is build {NEW}"):
        await desk.task
    await desk_on(build=NEW, approved=approved, epoch=2).take(LinkUp)
    await desk_on(build=OLD, epoch=3).take(LinkUp)
