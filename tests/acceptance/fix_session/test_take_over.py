"""A standby gateway without any file of the first one's takes over its sessions: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from tests.acceptance.fix_session.kit import LiveDesk
from tests.adapters.fix.kit import WAIT_S, GatewayProcess, started
from tests.adapters.fix.raw import RawPeer
from tests.waiting import until

ORDER = "11={}|55=NOSUCH|54=1|38=100|40=2|44=10|59=0|60=20261122-15:00:00.000|"


def reports(peer: RawPeer, cl_ord_id: str) -> list[dict[str, str]]:
    return [message for message in peer.got("8") if message["11"] == cl_ord_id]


async def order(peer: RawPeer, cl_ord_id: str) -> int:
    number = peer.send("D", ORDER.format(cl_ord_id))
    await peer.take(lambda m: m["35"] == "8" and m["11"] == cl_ord_id)
    return number


async def test_a_standby_with_an_empty_store_takes_over(tmp_path: Path) -> None:
    first, standby = GatewayProcess(tmp_path / "one"), GatewayProcess(tmp_path / "two")
    for gateway in (first, standby):
        gateway.directory.mkdir(exist_ok=True)
        gateway.config |= {"link_path": str(tmp_path / "link.sock"), "hello_wait_s": WAIT_S}
    standby.config["sessions"], standby.client_port = first.config["sessions"], first.client_port
    desk = LiveDesk(tmp_path / "link.sock", frozenset({"VENUE"}))
    client, venue = RawPeer("OMS", "EMS"), RawPeer("VENUE", "EMS")
    await venue.listen(first.venue_port)
    try:
        starting = asyncio.create_task(desk.start())
        await started(first)
        await starting
        await client.connect(first.client_port)
        await until(lambda: "OMS" in desk.log.logged_on)
        numbers = {name: await order(client, name) for name in ("A1", "A2", "A3")}
        highest = {peer.us: max(int(m["34"]) for m in peer.messages) for peer in (client, venue)}
        # The desk is away: an order arrives that only the first gateway's spool has, and with that it goes.
        await desk.leave()
        numbers["A4"] = client.send("D", ORDER.format("A4"))
        await asyncio.to_thread(first.wait_health, lambda health: health["spool_last"] > health["spool_acknowledged"])
        first.kill()
        await client.drop()
        before = len(client.messages)
        desk.come_back()
        await started(standby)
        await client.connect(standby.client_port)
        await client.take(lambda m: m["35"] == "8" and m["11"] == "A4")
        await client.take(lambda m: m["35"] == "8" and m["11"] == "A3" and m.get("97") == "Y")
        numbers["A5"] = await order(client, "A5")
        await asyncio.to_thread(standby.wait_session, "VENUE")
        _judge(desk, client, numbers, before)
        for peer in (client, venue):
            logon = peer.got("A")[-1]
            assert int(logon["34"]) > highest[peer.us]
            assert logon.get("141") != "Y"
    finally:
        await client.close()
        await venue.close()
        await desk.stop()
        await asyncio.to_thread(standby.stop)


def _judge(desk: LiveDesk, client: RawPeer, numbers: dict[str, int], before: int) -> None:
    """Each order was decided once; each has one ExecID; what was told before is told again as such, from the events."""
    assert {name: desk.log.caused["OMS", number] for name, number in numbers.items()} == dict.fromkeys(numbers, 1)
    exec_ids = {name: {report["17"] for report in reports(client, name)} for name in numbers}
    assert Counter(len(ids) for ids in exec_ids.values()) == {1: 5}
    assert len(set.union(*exec_ids.values())) == 5
    again = [m for m in client.messages[before:] if m["35"] == "8" and m["11"] in ("A1", "A2", "A3")]
    assert {m.get("97") for m in again} == {"Y"}
    # Under one number each; with PossDupFlag too, where the client's resend request came after the desk had sent them.
    assert [name for _, name in sorted({(int(m["34"]), m["11"]) for m in again})] == ["A1", "A2", "A3"]
    asked = [m for m in client.messages[before:] if m["35"] == "4"]
    assert asked, "the standby did not answer the client's resend request"
    assert asked[0]["123"] == "Y"
    assert client.expected == int(client.messages[-1]["34"]) + 1  # no number is missing any more
