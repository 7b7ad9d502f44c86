"""The gateway's last look: alone, in a gateway's process, and from the latch alone when nobody tells it anything."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.fix import frames
from adapters.fix.fields import cut
from adapters.fix.frames import Frame
from adapters.fix.last_look import LastLook, action_of
from adapters.fix.link import Hello
from adapters.memory.latch import MemoryLatch
from domain.kill_scope import ACCOUNT_AT, FIRM, KINDS, Scope, digests
from domain.kill_table import Action, KillMark, Level
from domain.messages import SessionNews, VenueRefusal
from domain.sending import SendChildCancel, SendChildReplace
from domain.values import ScopeKind
from tests.adapters.fix.kit import WAIT_S, Desk, GatewayProcess, a_child, control, is_child, started, venue_up
from tests.adapters.fix.raw import RawPeer

SOH = "\x01"
VENUE = Scope(ScopeKind.VENUE, "VENUE")
HOUSE = Scope(ScopeKind.ACCOUNT, "HOUSE")


def a_frame(action: int = 0, *, account: str = "", trip: int = 0) -> Frame:
    packed = frames.pack(
        frames.SEND, b"", flags=frames.action_flags(action), trip=trip, scope=digests({ScopeKind.ACCOUNT: account})
    )
    found = frames.unpack(packed)
    assert found is not None
    return found[0]


def text(msg_type: str) -> str:
    return f"35={msg_type}{SOH}11=A{SOH}"


@pytest.mark.parametrize("msg_type", ["F", "q", "H", "AF", "Q", "j"])
def test_cancels_and_questions_are_never_asked_about(msg_type: str) -> None:
    assert action_of(text(msg_type), Action.NEW) is None


@pytest.mark.parametrize(
    ("msg_type", "declared", "action"),
    [
        ("D", 0, Action.NEW),
        ("D", Action.NEW, Action.NEW),
        ("D", Action.FLATTEN, Action.FLATTEN),
        ("D", Action.CANCEL, Action.NEW),
        ("D", Action.REPLACE_DOWN, Action.NEW),
        ("G", 0, Action.REPLACE_UP),
        ("G", Action.REPLACE_DOWN, Action.REPLACE_DOWN),
        ("G", Action.CANCEL, Action.REPLACE_UP),
        ("E", Action.CANCEL, Action.NEW),
        ("i", 7, Action.NEW),
    ],
)
def test_what_a_desk_declares_is_believed_only_where_it_can_be_meant(msg_type: str, declared: int, action: Action) -> None:
    assert action_of(text(msg_type), declared) is action


def tripped(level: Level, scope: Scope = FIRM, trip: int = 9) -> LastLook:
    latch = MemoryLatch()
    latch.change(scope, lambda slot: slot.tripped(level, trip, 1))
    return LastLook(latch, ["HOUSE"])


def test_only_the_trips_own_order_for_a_house_account_flattens() -> None:
    look = tripped(Level.PANIC)
    assert look.refusal(a_frame(Action.FLATTEN, account="HOUSE", trip=9), text("D"), VENUE.digest) == ""
    assert "PANIC" in look.refusal(a_frame(Action.FLATTEN, account="FUND", trip=9), text("D"), VENUE.digest)
    assert "PANIC" in look.refusal(a_frame(Action.FLATTEN, account="HOUSE", trip=8), text("D"), VENUE.digest)
    assert "PANIC" in look.refusal(a_frame(Action.NEW, account="HOUSE", trip=9), text("D"), VENUE.digest)
    assert look.stopped_count == 3
    assert KINDS[ACCOUNT_AT] is ScopeKind.ACCOUNT


def test_the_sessions_own_scope_holds_whatever_the_desk_says() -> None:
    look = tripped(Level.HARD, VENUE)
    assert "HARD" in look.refusal(a_frame(), text("D"), VENUE.digest)
    assert look.refusal(a_frame(), text("D"), Scope(ScopeKind.VENUE, "OTHER").digest) == ""


def test_it_looks_at_every_message_anew() -> None:
    latch = MemoryLatch()
    look = LastLook(latch, [])
    assert look.refusal(a_frame(), text("D"), VENUE.digest) == ""
    latch.change(FIRM, lambda slot: slot.tripped(Level.SOFT, 1, 1))
    assert look.refusal(a_frame(), text("D"), VENUE.digest).startswith("kill switch: SOFT, trip 0000000000000001")
    latch.broken = True
    assert "cannot be read" in look.refusal(a_frame(), text("D"), VENUE.digest)


# ------------------------------------------------------------------------------------------ in a gateway


def marked(**ids: str) -> KillMark:
    return KillMark(Action.NEW, digests({ScopeKind(kind): id_ for kind, id_ in ids.items()}))


async def desk_on(gateway: GatewayProcess, mark: KillMark) -> Desk:
    desk = Desk(gateway.link_path, Hello(epoch=1))
    desk.link._mark_of = lambda _: mark
    await venue_up(desk)
    return desk


async def test_a_tripped_gateway_sends_no_order_and_says_so(tmp_path: Path) -> None:
    gateway, venue = GatewayProcess(tmp_path), RawPeer("VENUE", "EMS")
    await venue.listen(gateway.venue_port)
    await started(gateway)
    desk = await desk_on(gateway, marked(client="OMS1"))
    try:
        desk.send(a_child(1))
        await venue.take(is_child(1))
        gateway.latch.change(Scope(ScopeKind.CLIENT, "OMS1"), lambda slot: slot.tripped(Level.SOFT, 5, 1))
        sent = a_child(1)
        more = SendChildReplace(
            session="VENUE", event_seq=20, cl_ord_id="CHILD00000000001R1", orig_cl_ord_id=sent.cl_ord_id, order_id="",
            instrument=sent.instrument, side=sent.side, quantity_e9=sent.quantity_e9 * 2, ord_type=sent.ord_type,
            limit_price_e9=sent.limit_price_e9, time_in_force=sent.time_in_force, account="", transact_time_ns=1,
        )  # fmt: skip
        cancel = SendChildCancel(
            session="VENUE", event_seq=21, cl_ord_id="CHILD00000000001C1", orig_cl_ord_id=sent.cl_ord_id, order_id="",
            instrument=sent.instrument, side=sent.side, quantity_e9=sent.quantity_e9, transact_time_ns=1,
        )  # fmt: skip
        desk.send(replace(a_child(2), event_seq=19), more, cancel)
        await venue.take(lambda m: m["35"] == "F")
        told = [await desk.take(VenueRefusal, lambda r, k=kind: r.ref_msg_type == k) for kind in "DG"]
        assert [refusal.ref_cl_ord_id for refusal in told] == [a_child(2).cl_ord_id, more.cl_ord_id]
        assert all("kill switch: SOFT, trip 0000000000000005" in refusal.text for refusal in told)
        assert [m["11"] for m in venue.messages if m["35"] in "DG"] == [sent.cl_ord_id]
        health = await control(gateway, command="health")
        assert (health["stopped_by_kill_switch"], health["live_orders"]) == (2, 1)
    finally:
        await desk.leave()
        await venue.close()
        await asyncio.to_thread(gateway.stop)


async def test_a_trip_cancels_its_scope_from_the_latch_alone_also_at_the_next_logon(tmp_path: Path) -> None:
    gateway, venue = GatewayProcess(tmp_path), RawPeer("VENUE", "EMS")
    venue_config: dict[str, Any] = gateway.config["sessions"][1]
    venue_config["levers"] = ["mass_cancel"]
    await venue.listen(gateway.venue_port)
    await started(gateway)
    desk = await desk_on(gateway, marked(client="OMS1"))
    try:
        desk.send(a_child(1))
        await venue.take(is_child(1))
        desk.link._mark_of = lambda _: marked(client="OMS2")
        desk.send(a_child(2))
        await venue.take(is_child(2))
        await desk.leave()

        gateway.latch.change(Scope(ScopeKind.CLIENT, "OMS1"), lambda slot: slot.tripped(Level.HARD, 5, 1))
        cancel = await venue.take(lambda m: m["35"] == "F")
        assert (cancel["41"], cancel["11"]) == (a_child(1).cl_ord_id, f"{a_child(1).cl_ord_id}K1")
        assert venue.got("q") == [], "a mass cancel would take other clients' orders"

        gateway.kill()
        await venue.close()
        gateway.latch.change(VENUE, lambda slot: slot.tripped(Level.HARD, 6, 1))
        await started(gateway)
        await venue.listen(gateway.venue_port)
        await venue.take(lambda m: m["35"] == "F" and m["41"] == a_child(2).cl_ord_id)
        assert (await venue.take(lambda m: m["35"] == "q"))["530"] == "7"
        async with asyncio.timeout(WAIT_S):
            while "0000000000000006" not in (told := await control(gateway, command="kill"))["trips"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert sorted(told["trips"]["0000000000000006"]["orders"]) == [a_child(1).cl_ord_id, a_child(2).cl_ord_id]

        late = Desk(gateway.link_path, Hello(epoch=2))
        news = await late.take(SessionNews, lambda item: "trip 0000000000000005" in item.text)
        assert "sent 1 cancels: kill switch: HARD on client:OMS1" in news.text
        await late.leave()
    finally:
        await venue.close()
        await asyncio.to_thread(gateway.stop)


async def test_a_latch_that_is_lost_stops_orders_at_once_and_soon_cancels_everything(tmp_path: Path) -> None:
    gateway, venue = GatewayProcess(tmp_path), RawPeer("VENUE", "EMS")
    await venue.listen(gateway.venue_port)
    await started(gateway)
    desk = await desk_on(gateway, marked(client="OMS1"))
    try:
        desk.send(a_child(1))
        await venue.take(is_child(1))
        (tmp_path / "latch").unlink()
        await venue.take(lambda m: m["35"] == "F" and m["41"] == a_child(1).cl_ord_id)
        desk.send(replace(a_child(2), event_seq=19))
        told = await desk.take(VenueRefusal)
        assert told.text == "not sent: kill switch: its latch cannot be read, which counts as HARD"
        assert [m["11"] for m in venue.got("D")] == [a_child(1).cl_ord_id]
    finally:
        await desk.leave()
        await venue.close()
        await asyncio.to_thread(gateway.stop)


async def test_a_panic_logs_a_session_out_where_that_is_a_lever(tmp_path: Path) -> None:
    gateway, venue = GatewayProcess(tmp_path), RawPeer("VENUE", "EMS")
    gateway.config["sessions"][1]["levers"] = ["logout"]
    await venue.listen(gateway.venue_port)
    await started(gateway)
    try:
        await asyncio.to_thread(gateway.wait_session, "VENUE")
        gateway.latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, 7, 1))
        await venue.take(lambda m: m["35"] == "5")
        await asyncio.to_thread(gateway.wait_session, "VENUE", up=False)
        sessions = {session["name"]: session for session in await control(gateway, command="sessions")}
        assert sessions["VENUE"]["stopped"]
        assert cut(venue.texts[-1])["35"] == "5"
    finally:
        await venue.close()
        await asyncio.to_thread(gateway.stop)


async def test_where_the_house_may_be_flattened_a_session_stays_for_its_orders(tmp_path: Path) -> None:
    gateway, venue = GatewayProcess(tmp_path), RawPeer("VENUE", "EMS")
    gateway.config["sessions"][1]["levers"] = ["logout"]
    gateway.config["house_accounts"] = ["HOUSE"]
    await venue.listen(gateway.venue_port)
    await started(gateway)
    desk = await desk_on(gateway, marked(account="HOUSE")._replace(action=Action.FLATTEN, trip=7))
    try:
        gateway.latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, 7, 1))
        await asyncio.sleep(2.5)  # longer than a session without house accounts is kept, which had nothing to cancel
        desk.send(a_child(1))
        await venue.take(is_child(1))
        await venue.take(lambda m: m["35"] == "5")
        assert [m["35"] for m in venue.messages if m["35"] in "D5"] == ["D", "5"]
    finally:
        await desk.leave()
        await venue.close()
        await asyncio.to_thread(gateway.stop)
