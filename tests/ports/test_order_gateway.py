"""The contract of `domain.ports.OrderGateway`: the FIX gateway behind its link, and its in-memory twin, both keep it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.fix.link import Hello
from adapters.memory.order_gateway import MemoryOrderGateway
from domain.errors import ConfigError
from domain.event import InboundRef
from domain.messages import Input, LinkUp, NewOrder, SessionChange, VenueRefusal
from domain.ports import OrderGateway
from domain.sending import Forget, Keep, Outbound, SendChild, SendStatusQuery
from domain.values import E9, OrdType, Side, TimeInForce
from tests.adapters.fix.kit import WAIT_S, Desk, GatewayProcess, a_child
from tests.adapters.fix.raw import RawPeer


def child(number: int) -> SendChild:
    return replace(a_child(), event_seq=number, cl_ord_id=f"C{number}")


def query(number: int) -> SendStatusQuery:
    return SendStatusQuery(
        session="VENUE", event_seq=number, cl_ord_id=f"C{number}", order_id="", instrument="AMZN", side=Side.BUY
    )


async def until(condition: Callable[[], bool]) -> None:
    """Both worlds have other events to wait for, so this looks again and again. Raises TimeoutError."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class DeskSeat:
    """Where a desk sits: what it has been delivered, and its port."""

    def __init__(self, gateway: OrderGateway, inputs: list[Input], epoch: int) -> None:
        self.gateway, self.inputs, self.epoch = gateway, inputs, epoch

    def send(self, *messages: Outbound) -> None:
        self.gateway.send(messages, epoch=self.epoch)

    async def until(self, condition: Callable[[list[Input]], bool]) -> None:
        await until(lambda: condition(self.inputs))

    def orders(self) -> list[NewOrder]:
        return [item for item in self.inputs if isinstance(item, NewOrder)]


class World(ABC):
    """A gateway with a client session OMS and a venue session VENUE, whatever it is made of."""

    @abstractmethod
    async def desk(self, epoch: int) -> DeskSeat: ...

    @abstractmethod
    async def leave(self, seat: DeskSeat) -> None: ...

    @abstractmethod
    async def client_sends(self, cl_ord_id: str) -> None: ...

    @abstractmethod
    async def venue(self, *, up: bool) -> None: ...

    @abstractmethod
    async def venue_got(self, count: int) -> list[str]:
        """ClOrdIDs in the order of arrival, once there are so many."""

    @abstractmethod
    async def is_fenced(self, seat: DeskSeat) -> bool: ...

    @abstractmethod
    async def live_orders(self, count: int) -> None:
        """Until so many are kept."""

    @abstractmethod
    async def spooled(self, owed: int) -> None:
        """Until so many frames are owed."""


class MemoryWorld(World):
    def __init__(self) -> None:
        self._left: list[str] = []
        sessions = [
            SessionChange(session=name, role=role, up=False, reset_epoch=0, outbound_seq_num=1)  # type: ignore[arg-type]
            for name, role in (("OMS", "client"), ("VENUE", "venue"))
        ]
        self._gateway = MemoryOrderGateway(sessions, self._out)
        self._gateway.change_session("OMS", up=True)
        self._number = 1

    def _out(self, message: Outbound) -> None:
        assert isinstance(message, SendChild | SendStatusQuery)
        self._left.append(message.cl_ord_id)

    async def desk(self, epoch: int) -> DeskSeat:
        inputs: list[Input] = []
        self._gateway.attach(inputs.extend, epoch=epoch)
        return DeskSeat(self._gateway, inputs, epoch)

    async def leave(self, seat: DeskSeat) -> None:
        self._gateway.detach()

    async def client_sends(self, cl_ord_id: str) -> None:
        self._number += 1
        order = NewOrder(
            ref=InboundRef("OMS", 0, self._number), cl_ord_id=cl_ord_id, symbol="AMZN", side=Side.BUY, quantity_e9=E9,
            ord_type=OrdType.MARKET, limit_price_e9=None, time_in_force=TimeInForce.DAY, account="", algo="vwap",
        )  # fmt: skip
        self._gateway.receive(order)

    async def venue(self, *, up: bool) -> None:
        self._gateway.change_session("VENUE", up=up)

    async def venue_got(self, count: int) -> list[str]:
        assert len(self._left) == count
        return self._left

    async def is_fenced(self, seat: DeskSeat) -> bool:
        return self._gateway.fenced_count > 0

    async def live_orders(self, count: int) -> None:
        assert len(self._gateway.live) == count

    async def spooled(self, owed: int) -> None:
        assert len(self._gateway.unacknowledged()) == owed


class FixWorld(World):
    def __init__(self, directory: Path) -> None:
        self.process = GatewayProcess(directory)
        self.client = RawPeer("OMS", "EMS")
        self.venue_peer = RawPeer("VENUE", "EMS")
        self._desks: dict[int, Desk] = {}

    async def open(self) -> None:
        await asyncio.to_thread(self.process.start)
        await self.client.connect(self.process.client_port)

    async def close(self) -> None:
        for desk in self._desks.values():
            await desk.leave()
        await self.client.close()
        await self.venue_peer.close()
        await asyncio.to_thread(self.process.stop)

    async def desk(self, epoch: int) -> DeskSeat:
        made = Desk(self.process.link_path, Hello(epoch=epoch))
        seat = DeskSeat(made.link, made.inputs, epoch)
        self._desks[id(seat)] = made
        if not any(other.epoch > epoch for other in self._desks.values()):
            await made.take(LinkUp)
        return seat

    async def leave(self, seat: DeskSeat) -> None:
        await self._desks[id(seat)].leave()

    async def client_sends(self, cl_ord_id: str) -> None:
        self.client.send("D", f"11={cl_ord_id}|55=AMZN|54=1|38=1|40=1|60=20261122-15:00:00|847=1|")

    async def venue(self, *, up: bool) -> None:
        if up:
            await self.venue_peer.listen(self.process.venue_port)
        else:
            await self.venue_peer.close()
        await asyncio.to_thread(self.process.wait_session, "VENUE", up=up)

    async def venue_got(self, count: int) -> list[str]:
        def got() -> list[str]:
            return [m["11"] for m in self.venue_peer.messages if m["35"] in "DFGH"]

        await until(lambda: len(got()) >= count)
        return got()

    async def is_fenced(self, seat: DeskSeat) -> bool:
        with pytest.raises(ConfigError, match="another desk leads"):
            await self._desks[id(seat)].task
        return True

    async def live_orders(self, count: int) -> None:
        await asyncio.to_thread(self.process.wait_health, lambda health: health["live_orders"] == count)

    async def spooled(self, owed: int) -> None:
        def owes(health: dict[str, Any]) -> bool:
            return bool(health["spool_last"] - health["spool_acknowledged"] == owed)

        await asyncio.to_thread(self.process.wait_health, owes)


@pytest.fixture(params=["fix", "memory"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    real = FixWorld(tmp_path)
    await real.open()
    yield real
    await real.close()


async def test_a_desk_is_told_first_that_the_link_is_up_and_how_sessions_stand(world: World) -> None:
    await world.venue(up=True)
    seat = await world.desk(1)
    assert isinstance(seat.inputs[0], LinkUp)
    changes = [item for item in seat.inputs if isinstance(item, SessionChange)]
    assert {change.session: (change.role, change.up) for change in changes} == {"OMS": ("client", True), "VENUE": ("venue", True)}


async def test_what_came_without_a_desk_is_delivered_in_order(world: World) -> None:
    for name in ("A1", "A2", "A3"):
        await world.client_sends(name)
    await world.spooled(3)
    seat = await world.desk(1)
    await seat.until(lambda _: len(seat.orders()) == 3)
    assert [order.cl_ord_id for order in seat.orders()] == ["A1", "A2", "A3"]
    numbers = [order.frame for order in seat.orders()]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0


async def test_only_what_is_acknowledged_is_forgotten(world: World) -> None:
    first = await world.desk(1)
    for name in ("A1", "A2", "A3"):
        await world.client_sends(name)
    await first.until(lambda _: len(first.orders()) == 3)
    first.gateway.acknowledge(first.orders()[0].frame)
    await world.spooled(2)
    await world.leave(first)
    second = await world.desk(2)
    await second.until(lambda _: len(second.orders()) == 2)
    assert [order.cl_ord_id for order in second.orders()] == ["A2", "A3"]
    assert [order.frame for order in second.orders()] == [order.frame for order in first.orders()[1:]]


async def test_what_is_sent_leaves_in_order_and_is_told_to_the_next_desk(world: World) -> None:
    await world.venue(up=True)
    first = await world.desk(1)
    first.send(child(1), child(2))
    first.send(query(3))
    assert await world.venue_got(3) == ["C1", "C2", "C3"]
    await world.leave(first)
    second = await world.desk(1)
    up = second.inputs[0]
    assert isinstance(up, LinkUp)
    assert dict(up.sent_seq)["VENUE"] == 3


async def test_a_desk_whose_epoch_has_ended_sends_nothing(world: World) -> None:
    await world.venue(up=True)
    old = await world.desk(1)
    await world.leave(old)
    new = await world.desk(2)
    stale = await world.desk(1)
    stale.send(child(1))
    assert await world.is_fenced(stale)
    new.send(child(2))
    assert await world.venue_got(1) == ["C2"]


async def test_an_order_for_a_session_that_is_down_is_certainly_not_sent(world: World) -> None:
    seat = await world.desk(1)
    seat.send(child(1))
    await seat.until(lambda inputs: any(isinstance(item, VenueRefusal) for item in inputs))
    refusal = next(item for item in seat.inputs if isinstance(item, VenueRefusal))
    assert (refusal.ref_cl_ord_id, refusal.ref_msg_type) == ("C1", "D")
    assert refusal.frame > 0
    await world.venue(up=True)
    seat.send(child(2))
    assert await world.venue_got(1) == ["C2"]


async def test_live_orders_are_kept_until_they_may_be_forgotten(world: World) -> None:
    await world.venue(up=True)
    seat = await world.desk(1)
    seat.send(child(1), child(2))
    await world.live_orders(2)
    seat.send(Forget(session="VENUE", event_seq=3, cl_ord_id="C1"))
    await world.live_orders(1)
    seat.send(Keep(session="VENUE", event_seq=4, orders=(child(1), child(2))))
    await world.live_orders(2)
