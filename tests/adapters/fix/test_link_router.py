"""Two gateways behind one port: each has its own sessions and frames, and one that goes does not concern the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.fix.link import FixLink, Hello
from adapters.fix.link_router import LinkRouter
from domain.errors import ConfigError
from domain.messages import Input, LinkDown, LinkUp, NewOrder, SessionChange
from tests.adapters.fix.kit import AN_ORDER, GatewayProcess, a_report, started
from tests.adapters.fix.raw import RawPeer
from tests.domain.orders import new_order
from tests.waiting import until


@dataclass
class Two:
    """Gateways `east` and `west`, each with the client session of its name, and a desk that only records."""

    gateways: dict[str, GatewayProcess]
    router: LinkRouter
    clients: dict[str, RawPeer]
    running: asyncio.Task[None]
    inputs: list[Input] = field(default_factory=list)

    def orders(self) -> list[NewOrder]:
        return [item for item in self.inputs if isinstance(item, NewOrder)]

    def changes(self) -> list[tuple[str, bool]]:
        return [(item.session, item.up) for item in self.inputs if isinstance(item, SessionChange)]

    async def health(self, name: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.gateways[name].wait_health, lambda _: True)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    gateways, clients, inputs = {}, {}, []
    for name in ("east", "west"):
        (tmp_path / name).mkdir()
        gateway = gateways[name] = GatewayProcess(tmp_path / name)
        gateway.config["sessions"] = [{**gateway.config["sessions"][0], "name": name, "target_comp_id": name}]
        clients[name] = RawPeer(name, "EMS")
        await started(gateway)

    def link(group: str, deliver: Any) -> FixLink:
        return FixLink(gateways[group].link_path, hello=lambda: Hello(epoch=1), deliver=deliver)

    router = LinkRouter({"east": "east", "west": "west"}, link, inputs.extend)
    running = asyncio.create_task(router.run())
    await until(lambda: router.up)
    made = Two(gateways, router, clients, running, inputs)
    for name, client in clients.items():
        await client.connect(gateways[name].client_port)
    await until(lambda: {("east", True), ("west", True)} <= set(made.changes()))
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for name, gateway in gateways.items():
        await clients[name].close()
        await asyncio.to_thread(gateway.stop)


async def test_messages_of_both_are_numbered_as_one_and_acknowledged_each_to_its_own(two: Two) -> None:
    for number, name in enumerate(("east", "west", "west", "east", "west"), 1):
        two.clients[name].send("D", AN_ORDER.format(f"A{number}"))
        await until(lambda number=number: len(two.orders()) == number)  # type: ignore[misc]
    assert [(order.ref.session, order.frame) for order in two.orders()] == [
        ("east", 1), ("west", 2), ("west", 3), ("east", 4), ("west", 5),
    ]  # fmt: skip
    two.router.acknowledge(3)  # east's first, and west's first two
    for name, acknowledged in (("east", 1), ("west", 2)):
        await asyncio.to_thread(two.gateways[name].wait_health, lambda h, n=acknowledged: h["spool_acknowledged"] == n)
    two.router.acknowledge(5)
    for name, acknowledged in (("east", 2), ("west", 3)):
        await asyncio.to_thread(two.gateways[name].wait_health, lambda h, n=acknowledged: h["spool_acknowledged"] == n)


async def test_a_report_goes_to_its_sessions_gateway(two: Two) -> None:
    reports = [a_report(f"A{n}", event_seq=n, session=name) for n, name in enumerate(("west", "east", "west"), 1)]
    two.router.send(reports, epoch=1)
    await two.clients["west"].take(lambda m: m.get("11") == "A3")
    await two.clients["east"].take(lambda m: m.get("11") == "A2")
    assert [m["11"] for m in two.clients["west"].got("8")] == ["A1", "A3"]
    two.router.send([a_report("A4", session="north"), a_report("A5", session="east")], epoch=1)  # nobody has north
    await two.clients["east"].take(lambda m: m.get("11") == "A5")


async def test_a_gateway_that_goes_takes_only_its_own_sessions_down(two: Two) -> None:
    two.clients["west"].send("D", AN_ORDER.format("A1"))
    await until(lambda: len(two.orders()) == 1)
    two.inputs.clear()
    two.gateways["west"].kill()
    await until(lambda: bool(two.inputs))
    assert two.inputs == [LinkDown(sessions=frozenset({"west"}))]
    two.clients["east"].send("D", AN_ORDER.format("A2"))
    await until(lambda: len(two.orders()) == 1)
    two.router.acknowledge(two.orders()[0].frame)
    await asyncio.to_thread(two.gateways["east"].wait_health, lambda health: health["spool_acknowledged"] == 1)
    two.inputs.clear()
    await asyncio.to_thread(two.gateways["west"].start)
    await until(lambda: bool(two.orders()))
    assert [dict(item.sent_seq) for item in two.inputs if isinstance(item, LinkUp)] == [{"west": 0}]
    assert [order.cl_ord_id for order in two.orders()] == ["A1"]  # it was not acknowledged
    two.router.acknowledge(two.orders()[0].frame)
    await asyncio.to_thread(two.gateways["west"].wait_health, lambda health: health["spool_acknowledged"] == 1)


async def test_a_desk_that_one_gateway_refuses_leaves_all(two: Two) -> None:
    newer = FixLink(two.gateways["west"].link_path, hello=lambda: Hello(epoch=2), deliver=lambda _: None)
    leading = asyncio.create_task(newer.run())
    with pytest.raises(ConfigError, match="another desk leads"):
        await two.running
    assert not two.router.up
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)


async def test_a_reset_brings_everything_that_is_owed_again(two: Two) -> None:
    two.clients["east"].send("D", AN_ORDER.format("A1"))
    await until(lambda: len(two.orders()) == 1)  # the first: to acknowledge a later one would acknowledge it too
    two.clients["west"].send("D", AN_ORDER.format("A2"))
    await until(lambda: len(two.orders()) == 2)
    two.router.acknowledge(next(order.frame for order in two.orders() if order.cl_ord_id == "A1"))
    await asyncio.to_thread(two.gateways["east"].wait_health, lambda health: health["spool_acknowledged"] == 1)
    two.inputs.clear()
    two.router.reset()
    await until(lambda: bool(two.orders()) and {("east", True), ("west", True)} <= set(two.changes()))
    assert [order.cl_ord_id for order in two.orders()] == ["A2"]
    two.router.acknowledge(two.orders()[0].frame)
    await asyncio.to_thread(two.gateways["west"].wait_health, lambda health: health["spool_acknowledged"] == 1)


@dataclass
class FakeLink:
    """Port `Link`: keeps what it is told; never leaves by itself."""

    deliver: Any
    acknowledged: list[int] = field(default_factory=list)
    resets: int = 0
    closed: bool = False
    up: bool = True
    ran: bool = False

    async def run(self) -> None:
        self.ran = True
        await asyncio.Event().wait()

    def send(self, messages: Any, *, epoch: int) -> None:
        raise AssertionError("nothing is sent here")

    def acknowledge(self, frame_number: int) -> None:
        self.acknowledged.append(frame_number)

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closed = True


class Regrouped:
    """A router whose links are fakes by group."""

    def __init__(self, groups: dict[str, str]) -> None:
        self.links: dict[str, FakeLink] = {}
        self.inputs: list[Any] = []
        self.router = LinkRouter(groups, self._connect, self.inputs.extend)

    def _connect(self, group: str, deliver: Any) -> Any:
        self.links[group] = FakeLink(deliver)
        return self.links[group]

    def comes(self, group: str, *frames: int) -> list[int]:
        """Frames of a gateway; the numbers that the desk sees."""
        self.inputs.clear()
        self.links[group].deliver([new_order(frame=frame) for frame in frames])
        return [item.frame for item in self.inputs]


async def test_one_group_alone_keeps_its_own_numbers() -> None:
    one = Regrouped({"A": "main", "B": "main"})
    assert one.comes("main", 5, 6) == [5, 6]
    one.router.acknowledge(6)
    assert one.links["main"].acknowledged == [6]
    one.inputs.clear()
    one.links["main"].deliver([LinkDown()])
    assert one.inputs == [LinkDown(sessions=frozenset({"A", "B"}))]


async def test_a_group_that_joins_is_run_and_what_came_before_it_is_still_acknowledged() -> None:
    one = Regrouped({"A": "main"})
    running = asyncio.create_task(one.router.run())
    assert one.comes("main", 5, 6) == [5, 6]
    one.router.regroup({"A": "main", "B": "other"}, ())
    await until(lambda: one.links["other"].ran)
    assert one.links["main"].resets == 0, "the link of a group that stays is not touched"
    assert one.comes("other", 1) == [7]
    assert one.comes("main", 7) == [8]
    one.router.acknowledge(5)
    assert (one.links["main"].acknowledged, one.links["other"].acknowledged) == ([], [])
    one.router.acknowledge(7)
    assert (one.links["main"].acknowledged, one.links["other"].acknowledged) == ([6], [1])
    one.router.acknowledge(8)
    assert one.links["main"].acknowledged == [6, 7]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_group_that_goes_is_left_and_the_others_are_run_on() -> None:
    one = Regrouped({"A": "main", "B": "other"})
    running = asyncio.create_task(one.router.run())
    await until(lambda: one.links["main"].ran and one.links["other"].ran)
    one.comes("other", 1)
    one.inputs.clear()
    one.router.regroup({"A": "main"}, ())
    assert one.inputs == [LinkDown(sessions=frozenset({"B"}))]
    assert one.links["other"].closed
    assert one.comes("other", 2) == [], "what still comes from it is nobody's"
    assert one.comes("main", 1) == [2]
    one.router.acknowledge(2)
    assert (one.links["main"].acknowledged, one.links["other"].acknowledged) == ([1], [])
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_link_of_a_group_whose_gateway_starts_again_delivers_nothing_old() -> None:
    one = Regrouped({"A": "main", "B": "other"})
    one.comes("other", 1)
    one.inputs.clear()
    one.router.regroup({"A": "main", "B": "other", "C": "other"}, ["other"])
    assert one.inputs == [LinkDown(sessions=frozenset({"B"}))]
    assert (one.links["other"].resets, one.links["main"].resets) == (1, 0)
    one.router.acknowledge(1)
    assert one.links["other"].acknowledged == [], "it was not of this connection"
    one.links["other"].deliver([LinkDown()])
    assert one.inputs[-1] == LinkDown(sessions=frozenset({"B", "C"}))


async def test_the_only_group_makes_place_for_another_one() -> None:
    one = Regrouped({"A": "main"})
    one.comes("main", 5)
    one.router.regroup({"A": "new"}, ())
    one.router.acknowledge(5)
    assert one.links["new"].acknowledged == [], "numbers of one gateway are none of another's"
    assert one.comes("new", 1) == [6]
    one.router.acknowledge(6)
    assert one.links["new"].acknowledged == [1]
