"""The gateway as a process, between a real OMS or a raw client, a raw venue, and a desk on its link."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from adapters.fix.control import ask
from adapters.fix.engine import EXIT_CALLBACK_FAILED
from adapters.fix.link import SessionMarks
from adapters.fix.oms import Oms
from domain.errors import ConfigError
from domain.event import InboundRef
from domain.messages import (
    EngineRefusal,
    Forget,
    LinkDown,
    LinkUp,
    NewOrder,
    ParentReport,
    SendChild,
    SendStatusQuery,
    SessionChange,
    SessionNews,
    VenueRefusal,
    VenueReport,
)
from domain.order_life import OrdStatus
from domain.values import E9, OrdType, Side, TimeInForce
from tests.adapters.fix.kit import WAIT_S, Desk, GatewayProcess, an_order
from tests.adapters.fix.raw import RawPeer, frame

MakeDesk = Callable[..., Desk]
AN_ORDER = "11={}|55=AMZN|54=1|38=100|40=2|44=12.5|59=0|60=20261122-15:00:00.000|847=1|"


def a_report(cl_ord_id: str, *, event_seq: int = 1, **changes: Any) -> ParentReport:
    terms: dict[str, Any] = {
        "session": "OMS",
        "event_seq": event_seq,
        "exec_kind": "new",
        "ord_status": OrdStatus.NEW,
        "exec_id": f"E{event_seq}",
        "order_id": "O1",
        "cl_ord_id": cl_ord_id,
        "orig_cl_ord_id": "",
        "symbol": "AMZN",
        "side": Side.BUY,
        "quantity_e9": 100 * E9,
        "limit_price_e9": None,
        "last_quantity_e9": 0,
        "last_price_e9": 0,
        "cum_quantity_e9": 0,
        "leaves_quantity_e9": 100 * E9,
        "average_price_e9": 0,
        "transact_time_ns": 1_795_000_000_000_000_000,
        **changes,
    }
    return ParentReport(**terms)


def a_child(number: int = 1) -> SendChild:
    return SendChild(
        session="VENUE",
        event_seq=10 + number,
        cl_ord_id=f"CHILD{number:011d}",
        instrument="AMZN",
        side=Side.BUY,
        quantity_e9=100 * E9,
        ord_type=OrdType.LIMIT,
        limit_price_e9=220_120_000_000,
        time_in_force=TimeInForce.DAY,
        account="",
        transact_time_ns=1_795_000_000_000_000_000,
    )


def is_child(number: int) -> Callable[[dict[str, str]], bool]:
    return lambda m: m["35"] == "D" and m["11"] == f"CHILD{number:011d}"


async def venue_up(desk: Desk) -> None:
    await desk.take(SessionChange, lambda change: change.session == "VENUE" and change.up)


async def control(gateway: GatewayProcess, **request: Any) -> Any:
    return await asyncio.to_thread(ask, gateway.control_path, request)


async def started(gateway: GatewayProcess) -> GatewayProcess:
    await asyncio.to_thread(gateway.start)
    return gateway


# ------------------------------------------------------------------------------------------ there and back


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


# ---------------------------------------------------------------------------------------- nothing is lost


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
    await client.connect(gateway.client_port)
    client.send("D", AN_ORDER.format("A1"))
    assert (await desk.take(NewOrder)).ref == InboundRef("OMS", 2, 2)


# -------------------------------------------------------------------------------------------- bad messages


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


# --------------------------------------------------------------------------------------------- never twice


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
    assert "957=2|958=StartTime|959=14|960=x|958=EndTime|959=14|960=y|" in client.texts[-1].replace("\x01", "|")


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


# ------------------------------------------------------------------------------------------------- fencing


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


# ----------------------------------------------------------------------------------------------- emergency


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


# ------------------------------------------------------------------------------------------ start and stop


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
