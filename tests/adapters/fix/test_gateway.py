"""The gateway as a process, between a real OMS or a raw client, a raw venue, and a desk on its link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from adapters.fix.oms import Oms
from domain.messages import EngineRefusal, LinkUp, NewOrder, SessionChange, VenueRefusal, VenueReport
from domain.sending import SendStatusQuery
from domain.values import E9, Side
from tests.adapters.fix.kit import (
    AN_ORDER,
    WAIT_S,
    Desk,
    GatewayProcess,
    a_child,
    a_report,
    an_order,
    control,
    is_child,
    started,
    venue_up,
)
from tests.adapters.fix.raw import RawPeer, frame

MakeDesk = Callable[..., Desk]


async def test_an_order_reaches_the_desk_and_its_report_the_oms(gateway: GatewayProcess, oms: Oms, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await asyncio.to_thread(oms.start)
    sent = oms.place(an_order(parameters=(("StartTime", "20261122-14:30:00"), ("MaxParticipation", "10"))))
    order = await desk.take(NewOrder)
    assert (order.cl_ord_id, order.symbol, order.side, order.quantity_e9) == (sent, "AMZN", Side.BUY, 5000 * E9)
    assert (order.algo, order.parameters) == ("vwap", (("StartTime", "20261122-14:30:00"), ("MaxParticipation", "10")))
    assert (order.ref.session, order.ref.msg_seq_num) == ("OMS", 2)
    desk.send(a_report(sent, event_seq=17, algo=order.algo, parameters=order.parameters))
    report = await asyncio.to_thread(oms.wait_report, sent, "0", WAIT_S)
    assert (report[39], report[37], report[847], report[957]) == ("0", "O1", "1", "2")
    sessions = await control(gateway, command="sessions")
    assert {s["name"]: s["sent_seq"] for s in sessions} == {"OMS": 17, "VENUE": 0}


async def test_a_child_reaches_the_venue_and_its_fill_the_desk(
    gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk
) -> None:
    await started(gateway)
    desk = desk_on()
    await venue_up(desk)
    desk.send(a_child())
    order = await venue.take(is_child(1))
    assert (order["44"], order["38"], order["40"]) == ("220.12", "100", "2")
    venue.send("8", f"37=V1|11={order['11']}|17=X1|150=F|39=1|55=AMZN|54=1|32=40|31=220.115|151=60|14=40|6=220.115|")
    fill = await desk.take(VenueReport)
    assert (fill.exec_kind, fill.exec_id, fill.last_quantity_e9, fill.last_price_e9) == ("trade", "X1", 40 * E9, 220_115_000_000)


async def test_a_report_that_may_have_been_sent_says_so(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await client.connect(gateway.client_port)
    await desk.take(SessionChange, lambda change: change.session == "OMS" and change.up)
    desk.send(a_report("A1", poss_resend=True))
    assert (await client.take(lambda m: m["35"] == "8"))["97"] == "Y"


async def test_what_the_engine_refuses_is_told_to_the_desk(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await client.connect(gateway.client_port)
    number = client.send("D", AN_ORDER.format("A1").replace("54=1", "54=Z"))
    reject = await client.take(lambda m: m["35"] == "3")
    assert (reject["45"], reject["371"], reject["373"]) == (str(number), "54", "5")
    refusal = await desk.take(EngineRefusal)
    assert refusal.ref.msg_seq_num == number
    assert "54=Z" in refusal.raw
    assert "tag 54" in refusal.text


async def test_bytes_that_fix_ignores_are_told_to_the_desk(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await client.connect(gateway.client_port)
    client.send_raw(frame("35=D|34=2|49=OMS|52=20261122-15:00:00|56=EMS|" + AN_ORDER.format("A1"), checksum=7))
    refusal = await desk.take(EngineRefusal)
    assert "CheckSum" in refusal.text
    assert "11=A1" in refusal.raw
    client.send("D", AN_ORDER.format("A2"))
    assert (await desk.take(NewOrder)).cl_ord_id == "A2"


async def test_text_that_is_not_utf8_passes(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await client.connect(gateway.client_port)
    body = b"35=D\x0134=2\x0149=OMS\x0152=%s\x0156=EMS\x01" % client.messages[0]["52"].encode()
    body += (AN_ORDER.format("A1") + "58=").replace("|", "\x01").encode() + b"\xe9\xff\x01"
    head = b"8=FIX.4.4\x019=%d\x01" % len(body)
    client.send_raw(head + body + b"10=%03d\x01" % (sum(head + body) % 256))
    assert "58=\\xe9\\xff" in (await desk.take(NewOrder)).raw


async def test_a_session_reject_of_a_venue_names_the_order(gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await venue_up(desk)
    desk.send(a_child())
    order = await venue.take(is_child(1))
    venue.send("3", f"45={order['34']}|372=D|373=5|58=no such side|")
    refusal = await desk.take(VenueRefusal)
    assert (refusal.ref_cl_ord_id, refusal.ref_msg_type, refusal.text) == (order["11"], "D", "no such side")


async def test_an_order_is_gap_filled_and_a_query_repeated(gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await venue_up(desk)
    query = SendStatusQuery(session="VENUE", event_seq=12, cl_ord_id="CHILD", order_id="", instrument="AMZN", side=Side.BUY)
    desk.send(a_child(1), query)
    first = int((await venue.take(is_child(1)))["34"])
    await venue.take(lambda m: m["35"] == "H")
    seen = len(venue.messages)
    venue.send("2", f"7={first}|16=0|")
    repeated = await venue.take(lambda m: m["35"] == "H", after=seen)
    assert repeated["43"] == "Y"
    after = venue.messages[seen:]
    assert [m["35"] for m in after[:2]] == ["4", "H"]
    assert (after[0]["34"], after[0]["123"], after[0]["36"]) == (str(first), "Y", str(first + 1))


async def test_a_report_is_repeated_when_asked_for(gateway: GatewayProcess, client: RawPeer, desk_on: MakeDesk) -> None:
    await started(gateway)
    desk = desk_on()
    await client.connect(gateway.client_port)
    await desk.take(SessionChange, lambda change: change.session == "OMS" and change.up)
    desk.send(a_report("A1", algo="vwap", parameters=(("StartTime", "x"), ("EndTime", "y"))))
    number = (await client.take(lambda m: m["35"] == "8"))["34"]
    seen = len(client.messages)
    client.send("2", f"7={number}|16={number}|")
    repeated = await client.take(lambda m: m["35"] == "8", after=seen)
    assert (repeated["34"], repeated["43"]) == (number, "Y")
    assert "957=2|958=StartTime|959=19|960=x|958=EndTime|959=19|960=y|" in client.texts[-1].replace("\x01", "|")


async def test_a_child_for_a_venue_that_is_down_never_leaves(gateway: GatewayProcess, venue: RawPeer, desk_on: MakeDesk) -> None:
    await venue.close()
    await started(gateway)
    desk = desk_on()
    await desk.take(LinkUp)
    desk.send(a_child())
    refusal = await desk.take(VenueRefusal)
    assert (refusal.ref_cl_ord_id, refusal.ref_msg_type) == (a_child().cl_ord_id, "D")
    assert "not sent" in refusal.text
    assert (await control(gateway, command="health"))["live_orders"] == 0
