"""The wire journal of a real gateway: every message of both directions, byte for byte, also over a kill and a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from adapters.fix.fields import cut
from adapters.fix.wire_journal import STRANGERS
from adapters.fix.wire_reader import Fault, Told, read, sessions
from adapters.fix.wire_record import Kind, WireRecord
from adapters.fix.wire_segments import WIRE_FOLDER, folder
from domain.messages import LinkUp, NewOrder
from tests.adapters.fix.kit import AN_ORDER, WAIT_S, Desk, GatewayProcess, a_child, a_report, is_child, started, venue_up
from tests.adapters.fix.raw import RawPeer, frame

MakeDesk = Callable[..., Desk]


class HeardPeer(RawPeer):
    """A raw peer that also keeps what it has sent, byte for byte."""

    def __init__(self, us: str, them: str) -> None:
        super().__init__(us, them)
        self.said: list[bytes] = []

    def send_raw(self, data: bytes) -> None:
        self.said.append(data)
        super().send_raw(data)


@pytest.fixture
async def client(gateway: GatewayProcess) -> AsyncIterator[HeardPeer]:
    peer = HeardPeer("OMS", "EMS")
    yield peer
    await peer.close()


@pytest.fixture
async def venue(gateway: GatewayProcess) -> AsyncIterator[HeardPeer]:
    peer = HeardPeer("VENUE", "EMS")
    await peer.listen(gateway.venue_port)
    yield peer
    await peer.close()


def journal(gateway: GatewayProcess, session: str) -> list[WireRecord]:
    """What the journal holds of a session; it must be whole."""
    found = list(read(folder(Path(gateway.config["directory"]) / WIRE_FOLDER, session)))
    assert [item for item in found if isinstance(item, Fault) and not item.torn] == []
    return [item.record for item in found if isinstance(item, Told)]


def wire(gateway: GatewayProcess, session: str, kind: Kind) -> list[bytes]:
    return [record.raw for record in journal(gateway, session) if record.kind == kind]


def marks(gateway: GatewayProcess, session: str) -> list[str]:
    return [record.mark()["mark"] for record in journal(gateway, session) if record.kind == Kind.MARK]


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, "the journal has not caught up"
        await asyncio.sleep(0.02)


async def written(gateway: GatewayProcess, session: str, peer: HeardPeer) -> None:
    """Until the journal has what the peer has sent and received; the gateway is then idle."""
    await until(lambda: len(wire(gateway, session, Kind.IN)) >= len(peer.said))
    await until(lambda: len(wire(gateway, session, Kind.OUT)) >= len(peer.texts))


def same(gateway: GatewayProcess, session: str, peer: HeardPeer) -> None:
    """The journal is the wire, in order, and its numbers are those of the messages."""
    assert wire(gateway, session, Kind.IN) == peer.said
    assert wire(gateway, session, Kind.OUT) == [text.encode() for text in peer.texts]
    messages = [record for record in journal(gateway, session) if record.kind in (Kind.IN, Kind.OUT)]
    assert [record.msg_seq_num for record in messages] == [int(cut(r.raw.decode("utf-8", "replace"))["34"]) for r in messages]
    assert [record.time_ns for record in messages] == sorted(record.time_ns for record in messages)


async def test_the_journal_is_the_wire_over_a_kill_and_a_restart(
    gateway: GatewayProcess, client: HeardPeer, venue: HeardPeer, desk_on: MakeDesk
) -> None:
    gateway.config["logout_wait_s"] = 5.0
    await started(gateway)
    await client.connect(gateway.client_port)
    desk = desk_on()
    await venue_up(desk)
    client.send("D", AN_ORDER.format("A1") + "58=Zürich €|")
    client.send("1", "112=are you there|")
    client.send_raw(frame(f"35=0|34={client.next_out}|49=OMS|52=20261122-15:00:00|56=EMS|", checksum=999))  # and ignores this
    await desk.take(NewOrder)
    desk.send(a_report("A1", event_seq=5), a_child(1))
    await client.take(lambda m: m["35"] == "8")
    await client.take(lambda m: m["35"] == "0" and m.get("112") == "are you there")
    await venue.take(is_child(1))
    await written(gateway, "OMS", client)
    await written(gateway, "VENUE", venue)
    gateway.kill()
    await client.drop()
    same(gateway, "OMS", client)
    same(gateway, "VENUE", venue)

    venues = len(venue.got("A"))
    await started(gateway)
    await venue.take(lambda m: m["35"] == "A" and len(venue.got("A")) > venues)
    await client.connect(gateway.client_port)
    seen = len(client.messages)
    client.send("2", "7=1|16=0|")
    again = await client.take(lambda m: m["35"] == "8" and m.get("43") == "Y", after=seen)
    client.send("1", "112=done|")
    await client.take(lambda m: m["35"] == "0" and m.get("112") == "done")
    client.send("D", "11=BAD|55=AMZN|")  # the engine itself rejects it
    await client.take(lambda m: m["35"] == "3")
    assert await asyncio.to_thread(gateway.stop) == 0
    await client.take(lambda m: m["35"] == "5")
    await venue.take(lambda m: m["35"] == "5")
    same(gateway, "OMS", client)
    same(gateway, "VENUE", venue)
    reports = [r for r in journal(gateway, "OMS") if r.kind == Kind.OUT and b"\x0135=8\x01" in r.raw]
    assert [(r.event_seq, r.msg_seq_num) for r in reports] == [(5, int(again["34"]))] * 2
    assert [r.event_seq for r in journal(gateway, "VENUE") if b"\x0135=D\x01" in r.raw] == [a_child(1).event_seq]
    assert marks(gateway, "OMS") == ["segment", "start", "start", "stop"]


async def test_a_report_kept_for_a_peer_that_is_away_has_its_event_when_it_is_sent(
    gateway: GatewayProcess, client: HeardPeer, desk_on: MakeDesk
) -> None:
    await started(gateway)
    await client.connect(gateway.client_port)
    await client.drop()
    await asyncio.to_thread(gateway.wait_session, "OMS", up=False)
    desk = desk_on()
    await desk.take(LinkUp)
    desk.send(a_report("A1", event_seq=7))
    await until(lambda: bool(wire(gateway, "OMS", Kind.KEPT)))
    await client.connect(gateway.client_port)
    await client.take(lambda m: m["35"] == "8")
    await written(gateway, "OMS", client)
    told = [(r.kind, r.msg_seq_num) for r in journal(gateway, "OMS") if r.event_seq == 7]
    assert told == [(Kind.KEPT, 2), (Kind.OUT, 2)]


async def test_a_reset_begins_the_next_epoch_with_its_logons(gateway: GatewayProcess, client: HeardPeer) -> None:
    await started(gateway)
    await client.connect(gateway.client_port)
    await client.drop()
    await asyncio.to_thread(gateway.wait_session, "OMS", up=False)
    client.next_out, client.expected = 1, 1
    await client.connect(gateway.client_port, logon="98=0|108=30|141=Y|")
    client.send("1", "112=x|")
    await client.take(lambda m: m["35"] == "0" and m.get("112") == "x")
    await written(gateway, "OMS", client)
    records = [r for r in journal(gateway, "OMS") if r.kind != Kind.MARK]
    assert [(r.kind, r.reset_epoch, r.msg_seq_num) for r in records] == [
        (Kind.IN, 0, 1), (Kind.OUT, 0, 1),
        (Kind.IN, 1, 1), (Kind.OUT, 1, 1), (Kind.IN, 1, 2), (Kind.OUT, 1, 2),
    ]  # fmt: skip


async def test_passwords_are_nowhere_in_the_journal(gateway: GatewayProcess, client: HeardPeer, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("opensesame")
    gateway.config["sessions"][0]["rules"] = {"username": "joe", "password_file": str(password)}
    await started(gateway)
    logon = "98=0|108=30|553=joe|554=opensesame|95=10|96=opensesame|"
    torn = logon.replace("95=10|96=", "95=14|96=raw|")  # data with a separator inside: no session takes it
    for name in ("WHO", "OMS"):
        stranger = HeardPeer(name, "EMS")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await stranger.connect(gateway.client_port, logon=torn)
        await stranger.close()
        if name == "WHO":
            said = stranger.said
    await client.connect(gateway.client_port, logon=logon)
    await written(gateway, "OMS", client)
    assert await asyncio.to_thread(gateway.stop) == 0
    came = [r.raw.split(b"553=joe\x01")[1] for r in journal(gateway, "OMS") if r.kind == Kind.IN and b"35=A" in r.raw]
    assert [raw.split(b"\x0110=")[0] for raw in came] == [
        b"554=***\x0195=14\x0196=***",
        b"554=***\x0195=10\x0196=***",
    ]
    assert [raw.split(b"554=")[0] for raw in wire(gateway, STRANGERS, Kind.IN)] == [raw.split(b"554=")[0] for raw in said]
    files = [path.read_bytes() for path in (Path(gateway.config["directory"]) / WIRE_FOLDER).rglob("*") if path.is_file()]
    assert len(files) == 3
    assert not [data for data in files if b"sesame" in data]


async def test_sessions_of_any_name_have_files_of_their_own(gateway: GatewayProcess) -> None:
    gateway.config["sessions"][0]["name"] = "../OMS/%2E."
    gateway.config["sessions"][1]["name"] = ".."
    await started(gateway)
    assert await asyncio.to_thread(gateway.stop) == 0
    assert sessions(Path(gateway.config["directory"]) / WIRE_FOLDER) == sorted((STRANGERS, "../OMS/%2E.", ".."))
