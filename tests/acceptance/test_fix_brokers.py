"""An OMS's order for a broker's algorithm: `ems up` between raw peers, on real sockets; the broker gets it in its own fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from ems.loopback import free_ports
from tests.acceptance.between import between
from tests.adapters.fix.raw import SOH, RawPeer
from tests.adapters.fixatdl.broker import WITH_PAIR

pytestmark = pytest.mark.slow
TABLES = """
[[sessions]]
name = "BROKER1"
role = "venue"
kind = "initiator"
sender_comp_id = "EMS"
target_comp_id = "BROKER1"
port = {port}

[[brokers]]
session = "BROKER1"
atdl = ["broker1.xml"]
"""
ORDER = "1=ACC|55=DEMO|54=1|60=20260302-15:00:00|38=1000|40=2|44=200|59=0|"
TICKET = "7000=FLT|7103=12.5|7104=C|7105=TWO ONE|957=2|958=Note|959=14|960=quick|958=Sweep|959=13|960=1|"
WIRE = "7000=FLT|7001=3|7103=12.5|7104=C|7105=TWO ONE|7107=PT|7108="
GROUP = "957=2|958=Note|959=14|960=quick|958=Sweep|959=13|960=1|"


def last(peer: RawPeer, msg_type: str) -> str:
    return [text for text in peer.texts if f"{SOH}35={msg_type}{SOH}" in text][-1].replace(SOH, "|")


async def test_it_reaches_the_broker_in_its_fields_and_comes_back_in_reports(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    broker = RawPeer("BROKER1", "EMS")
    await broker.listen(port)
    try:
        async with between(tmp_path, more=TABLES.format(port=port), files={"broker1.xml": WITH_PAIR}) as (oms, venue):
            await broker.take(lambda m: m["35"] == "A")
            await played(oms, broker)
            assert venue.got("D") == []
            for peer in (oms, venue, broker):
                assert peer.got("3") == peer.got("j") == []
    finally:
        await broker.close()


async def played(oms: RawPeer, broker: RawPeer) -> None:
    oms.send("D", f"11=A0|{ORDER}7000=FLT|7103=60|")
    refused = await oms.take(lambda m: m["35"] == "8" and m["11"] == "A0")
    assert (refused["150"], refused["58"]) == ("8", "Float: Rate: 0.60 is above 0.5")

    oms.send("D", f"11=A1|{ORDER}{TICKET}")
    sent = await broker.take(lambda m: m["35"] == "D")
    assert all(field in last(broker, "D") for field in f"|{WIRE}".strip("|").split("|")), last(broker, "D")
    assert GROUP in last(broker, "D")
    broker.send("8", f"37=B1|11={sent['11']}|17=X1|150=0|39=0|55=DEMO|54=1|38=1000|151=1000|14=0|6=0|")
    await oms.take(lambda m: m["35"] == "8" and m["11"] == "A1" and m["150"] == "0")
    assert GROUP in last(oms, "8")

    oms.send("G", f"11=A2|41=A1|{ORDER}{TICKET.replace('7104=C', '7104=H')}")
    refused = await oms.take(lambda m: m["35"] == "9")
    assert refused["58"] == "Float: Style cannot be changed by a replace"
    oms.send("G", f"11=A3|41=A1|{ORDER}7000=FLT|7103=20|7104=C|")
    replaced = await broker.take(lambda m: m["35"] == "G")
    assert (replaced["41"], replaced["7103"], replaced["7104"]) == (sent["11"], "20", "C")
    await basket_played(oms, broker)


async def basket_played(oms: RawPeer, broker: RawPeer) -> None:
    """The orders of a list, each with its entry of the broker's group, and what they share said once for the list."""
    legs = [f"11=P{n}|67={n}|{ORDER}7201={n}|957=1|958=Leg|959=14|960=leg{n}|" for n in (1, 2)]
    oms.send("E", f"66=L1|394=3|433=1|68=2|7000=PAIR|7203=0.5|73=2|{''.join(legs)}")
    taken = await oms.take(lambda m: m["35"] in "N3j")
    assert (taken["35"], taken.get("66")) == ("N", "L1"), last(oms, taken["35"])
    await broker.take(lambda m: m["35"] == "D" and m.get("7211") == "2")
    sent = [text.replace(SOH, "|") for text in broker.texts if f"{SOH}7000=PAIR{SOH}" in text]
    for n, text in enumerate(sent, 1):
        assert f"|7201={n}|7203=0.5|7210=" in text, "the engine puts a message's fields in the order of their tags"
        assert f"|7211={n}|7212=2|" in text
        assert f"957=1|958=Leg|959=14|960=leg{n}|" in text
    assert len(sent) == 2

    oms.send("E", f"66=L2|394=3|433=1|68=1|7000=PAIR|7203=0.5|73=1|{legs[0].replace('11=P1', '11=P9')}")
    await oms.take(lambda m: m["35"] == "N" and m["66"] == "L2")
    assert "|58=Pair: a basket of 1 orders where 2 to 3 are taken|" in last(oms, "N")
