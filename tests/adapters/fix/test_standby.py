"""The gateway of one of several hosts: up while a desk of its own host leads, and at no other time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.fix.link import SessionMarks
from adapters.shm.lead import SharedLead
from domain.errors import ConfigError
from domain.lead import Lead
from domain.messages import LinkUp
from tests.adapters.fix.kit import Desk, GatewayProcess, a_child, control, started, venue_up
from tests.adapters.fix.raw import RawPeer

MakeDesk = Callable[..., Desk]


@pytest.fixture
def lead(gateway: GatewayProcess) -> SharedLead:
    """What the gateway's host knows of the lead."""
    path = gateway.directory / "lead"
    gateway.config["lead"] = str(path)
    return SharedLead(path)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_nobody_logs_on_before_a_desk_of_the_host_leads(
    gateway: GatewayProcess, client: RawPeer, venue: RawPeer, desk_on: MakeDesk, lead: SharedLead
) -> None:
    lead.write(Lead(3, ours=False))
    await started(gateway)
    assert (await control(gateway, command="health"))["standing_by"] is True
    await asyncio.sleep(0.5)
    assert not listens(gateway.client_port)
    assert not venue.got("A")
    lead.write(Lead(4, ours=True))
    desk = desk_on(epoch=4, sessions={"OMS": SessionMarks(inbound=(0, 41), reserved=(0, 1, 5000))})
    await desk.take(LinkUp)
    await venue_up(desk)
    client.next_out = 42  # an empty store asks for nothing again that is durable
    await client.connect(gateway.client_port)
    assert client.got("A")[0]["34"] == "5001"
    assert not client.got("2")


async def test_it_leaves_the_sessions_to_the_host_that_leads(
    gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk, lead: SharedLead
) -> None:
    lead.write(Lead(3, ours=True))
    await started(gateway)
    await venue_up(desk_on(epoch=3))
    lead.write(Lead(4, ours=True))  # its own desk was started again
    await asyncio.sleep(0.3)
    assert (await control(gateway, command="health"))["standing_by"] is False
    lead.write(Lead(5, ours=False))
    assert await asyncio.to_thread(gateway.wait_exit) == 0
    assert venue.got("5"), "it logged out"


async def test_what_an_old_leader_sends_late_does_not_leave(
    gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk, lead: SharedLead
) -> None:
    """The host has heard of a later epoch before any desk has shown it here."""
    lead.write(Lead(3, ours=True))
    await started(gateway)
    desk = desk_on(epoch=3)
    await venue_up(desk)
    lead.write(Lead(4, ours=True))
    desk.link.send([a_child(1)], epoch=3)
    with pytest.raises(ConfigError, match="another desk leads"):
        await desk.task
    assert (await control(gateway, command="health"))["fenced_frames"] == 1
    assert not venue.got("D")
    with pytest.raises(ConfigError, match="another desk leads"):
        await desk_on(epoch=3).task


def test_the_lead_is_read_as_it_was_written(tmp_path: Path) -> None:
    writer, reader = SharedLead(tmp_path / "host" / "lead"), SharedLead(tmp_path / "host" / "lead")
    assert reader.read() == Lead(0, ours=False)
    for lead in (Lead(1, ours=True), Lead(2**40, ours=False), Lead(2**40 + 1, ours=True)):
        writer.write(lead)
        assert reader.read() == lead == SharedLead(tmp_path / "host" / "lead").read()
