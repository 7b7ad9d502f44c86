"""The gateway without a desk: cancel-all, start, stop, and what it says of a configuration that cannot be run."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable

import pytest

from domain.messages import LinkUp, SessionNews
from domain.sending import Forget
from tests.adapters.fix.kit import (
    Desk,
    GatewayProcess,
    a_child,
    control,
    is_child,
    started,
    venue_up,
)
from tests.adapters.fix.raw import RawPeer

MakeDesk = Callable[..., Desk]


async def test_cancel_all_needs_no_desk(gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await venue_up(desk)
    desk.send(a_child(1), a_child(2), a_child(3))
    desk.send(Forget(session="VENUE", event_seq=20, cl_ord_id=a_child(2).cl_ord_id))
    await asyncio.to_thread(gateway.wait_health, lambda health: health["live_orders"] == 2)
    await desk.leave()
    answer = await control(gateway, command="cancel_all", why="drill")
    assert (answer["cancels"], answer["failed"]) == (2, [])
    cancels = [await venue.take(lambda m, n=n: m["35"] == "F" and m["41"] == a_child(n).cl_ord_id) for n in (1, 3)]
    assert [m["11"] for m in cancels] == [f"{m['41']}K1" for m in cancels]
    assert {(m["55"], m["54"], m["38"]) for m in cancels} == {("AMZN", "1", "100")}
    back = desk_on()
    news = await back.take(SessionNews)
    assert "cancel-all 1 sent 2 cancels: drill" in news.text
    assert sorted(json.loads(news.raw)["orders"]) == [a_child(1).cl_ord_id, a_child(3).cl_ord_id]


async def test_live_orders_survive_a_kill_and_a_cancel_waits_for_the_venue(
    gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk
) -> None:
    await started(gateway)
    desk = desk_on()
    await venue_up(desk)
    desk.send(a_child(1))
    await venue.take(is_child(1))
    await desk.leave()
    gateway.kill()
    await venue.close()
    await started(gateway)
    answer = await control(gateway, command="cancel_all")
    assert answer["cancels"] == 1
    await venue.listen(gateway.venue_port)
    assert (await venue.take(lambda m: m["35"] == "F"))["41"] == a_child(1).cl_ord_id


async def test_a_desk_says_which_orders_live(gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk) -> None:
    """Entries that its log does not know as live go; those that this gateway lacks come."""
    await started(gateway)
    desk = desk_on()
    await venue_up(desk)
    desk.send(a_child(1), a_child(2))
    await venue.take(is_child(2))
    await desk.leave()
    desk_on(epoch=2, live=(a_child(2), a_child(3)))
    await asyncio.to_thread(gateway.wait_health, lambda health: health["epoch"] == 2 and health["live_orders"] == 2)
    answer = await control(gateway, command="cancel_all", session="VENUE")
    assert sorted(answer["orders"]) == [a_child(2).cl_ord_id, a_child(3).cl_ord_id]
    assert (await control(gateway, command="cancel_all", session="OMS"))["orders"] == []


async def test_sigterm_logs_out_and_ends_well(gateway: GatewayProcess, client: RawPeer, venue: RawPeer) -> None:
    gateway.config["logout_wait_s"] = 1.5
    await started(gateway)
    await client.connect(gateway.client_port)
    await venue.take(lambda m: m["35"] == "A")
    assert await asyncio.to_thread(gateway.stop) == 0
    await client.take(lambda m: m["35"] == "5")
    await venue.take(lambda m: m["35"] == "5")


def test_a_live_session_is_refused_by_a_paper_gateway(gateway: GatewayProcess) -> None:
    gateway.config["sessions"][1]["environment"] = "LIVE"
    gateway.start(wait=False)
    assert gateway.wait_exit() == 2
    assert gateway.log().splitlines()[-1] == "fix gateway: FIX session VENUE is LIVE but this gateway is PAPER"


def test_a_busy_port_is_one_sentence(gateway: GatewayProcess) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", gateway.client_port))
        taken.listen()
        gateway.start(wait=False)
        assert gateway.wait_exit() == 2
    assert f"cannot listen on port {gateway.client_port}" in gateway.log().splitlines()[-1]


def test_two_gateways_cannot_share_a_directory(gateway: GatewayProcess) -> None:
    gateway.start()
    other = GatewayProcess(gateway.directory)
    other.start(wait=False)
    assert other.wait_exit() == 2
    assert "another gateway uses the directory" in gateway.log()
    gateway.wait_health(lambda health: health["spool_last"] == 0)


@pytest.mark.parametrize("request_line", ["not json", '{"command": "dance"}', "[]", '{"command": "cancel_all", "scope": "x"}'])
async def test_the_control_socket_answers_nonsense_with_a_sentence(gateway: GatewayProcess, request_line: str) -> None:
    await started(gateway)
    reader, writer = await asyncio.open_unix_connection(str(gateway.control_path))
    writer.write(request_line.encode() + b"\n")
    assert "error" in json.loads(await reader.readline())
    writer.close()


async def test_a_frame_that_is_none_ends_only_that_connection(gateway: GatewayProcess, desk_on: MakeDesk) -> None:
    await started(gateway)
    reader, writer = await asyncio.open_unix_connection(str(gateway.link_path))
    writer.write(b"x" * 100)
    assert await reader.read() == b""
    writer.close()
    await desk_on().take(LinkUp)
