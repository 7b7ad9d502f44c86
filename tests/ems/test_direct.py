"""Direct orders: what the venue says of the child is the client's order, word for word, whatever crosses what."""

from __future__ import annotations

from domain.instructions import Instructions
from domain.messages import DontKnowTrade, OrderStatusQuery
from domain.order_life import OrdStatus
from domain.sending import ParentReport, SendChild, SendChildCancel, SendChildReplace, SendStatusQuery
from domain.session_policy import SessionPolicy
from domain.values import E9, OrdType, TimeInForce
from tests.ems.direct import REF, opened, replace, told, venue_refuses, venue_replaces, working
from tests.ems.room import Room, session, topics


async def test_it_goes_to_the_venue_as_it_is_and_is_new_when_the_venue_says_so() -> None:
    stop = Instructions(stop_price_e9=98 * E9, exec_inst="H")
    room = await opened(ord_type=OrdType.STOP, limit_price_e9=None, time_in_force=TimeInForce.GTC, instructions=stop)
    (sent,) = room.take(SendChild)
    assert (sent.ord_type, sent.time_in_force, sent.instructions, sent.quantity_e9) == (
        OrdType.STOP, TimeInForce.GTC, stop, 10_000 * E9,
    )  # fmt: skip
    assert room.parent().status is OrdStatus.PENDING_NEW
    await room.report("new", working=False)
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_status, report.working, report.instructions) == ("new", OrdStatus.NEW, False, stop)
    await room.report("triggered")
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_status, report.working) == ("triggered", OrdStatus.NEW, True)


async def test_the_venues_rejection_is_the_clients_with_its_reason() -> None:
    room = await opened()
    await room.report("rejected", ord_rej_reason=7, text="had it by telephone")
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_status, report.ord_rej_reason, report.leaves_quantity_e9) == (
        "rejected", OrdStatus.REJECTED, 7, 0,
    )  # fmt: skip
    assert room.parent().finished


async def test_without_a_session_to_the_venue_it_is_turned_down_at_once() -> None:
    room = Room()
    await room.open()
    await room.wait(0, session("VENUE", up=False))
    await room.order(algo="", parameters=())
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, "down" in report.text) == ("rejected", True)
    assert "child_order.created" not in await topics(room)


async def test_fills_count_and_a_fill_before_the_acknowledgement_acknowledges() -> None:
    room = await opened()
    await room.fill(2_000, "E1")
    assert told(room) == [
        ("new", "new", "A1", "", 10_000, 0, 10_000),
        ("trade", "partially_filled", "A1", "", 10_000, 2_000, 8_000),
    ]
    await room.fill(8_000, "E2")
    assert told(room) == [("trade", "filled", "A1", "", 10_000, 10_000, 0)]
    assert room.parent().finished


async def test_an_exchange_style_client_gets_the_acknowledgement_bundled() -> None:
    room = await opened(SessionPolicy(acknowledge_first=False))
    await room.fill(10_000, "E1")
    assert [kind for kind, *_ in told(room)] == ["trade"]


async def test_a_cancel_shows_when_the_venue_has_it_and_fills_count_until_it_is_done() -> None:
    room = await working(filled=2_000)
    await room.cancel("A2", "A1")
    assert [type(m) for m in room.take()] == [SendChildCancel]
    await room.fill(3_000, "E1")
    await room.report("pending_cancel")
    await room.fill(1_000, "E2")
    await room.report("canceled")
    assert told(room) == [
        ("trade", "partially_filled", "A1", "", 10_000, 5_000, 5_000),
        ("pending_cancel", "pending_cancel", "A2", "A1", 10_000, 5_000, 5_000),
        ("trade", "pending_cancel", "A1", "", 10_000, 6_000, 4_000),
        ("canceled", "canceled", "A2", "A1", 10_000, 6_000, 0),
    ]


async def test_a_cancel_that_a_fill_overtakes_is_refused_once_with_the_venues_reason() -> None:
    room = await working()
    await room.cancel("A2", "A1")
    await room.report("pending_cancel")
    await room.fill(10_000, "E1")
    await venue_refuses(room, "cancel", reason=0)
    assert told(room)[1:] == [
        ("trade", "pending_cancel", "A1", "", 10_000, 10_000, 0),
        ("cancel_reject", "filled", "A2", "A1", 0),
    ]
    assert (room.parent().finished, room.parent().pending) == (True, None)


async def test_a_refused_cancel_leaves_the_order_as_it_was_and_asks_nobody() -> None:
    room = await working()
    await room.cancel("A2", "A1")
    room.take()
    await venue_refuses(room, "cancel", reason=2)
    assert told(room) == [("cancel_reject", "new", "A2", "A1", 2)]
    assert room.child().status is OrdStatus.NEW


async def test_a_refusal_that_may_mean_the_end_makes_the_desk_ask() -> None:
    room = await working()
    await room.cancel("A2", "A1")
    await venue_refuses(room, "cancel", reason=1)
    assert room.child().status is OrdStatus.IN_DOUBT
    assert [type(m) for m in room.take() if isinstance(m, SendStatusQuery)] == [SendStatusQuery]
    assert room.parent().status is OrdStatus.NEW  # what the client knows does not change by our doubt


async def test_two_replaces_go_to_the_venue_one_after_the_other() -> None:
    room = await working(filled=1_000)
    await replace(room, "A2", "A1", 8_000)
    await replace(room, "A3", "A2", 7_000)
    assert [m.quantity_e9 // E9 for m in room.take(SendChildReplace)] == [8_000]
    await room.report("pending_replace")
    await venue_replaces(room)
    sent = [m for m in room.gateway.sent if isinstance(m, SendChildReplace)]
    assert [(m.quantity_e9 // E9, m.orig_cl_ord_id) for m in sent] == [(7_000, room.child().cl_ord_id)]
    await room.report("pending_replace")
    await venue_replaces(room)
    await room.fill(6_000, "E1")
    assert told(room) == [
        ("pending_replace", "pending_replace", "A2", "A1", 10_000, 1_000, 9_000),
        ("replaced", "partially_filled", "A2", "A1", 8_000, 1_000, 7_000),
        ("pending_replace", "pending_replace", "A3", "A2", 8_000, 1_000, 7_000),
        ("replaced", "partially_filled", "A3", "A2", 7_000, 1_000, 6_000),
        ("trade", "filled", "A3", "", 7_000, 7_000, 0),
    ]


async def test_refused_replaces_do_not_move_the_chain() -> None:
    room = await working(filled=1_000)
    await replace(room, "A2", "A1", 8_000)
    await replace(room, "A3", "A2", 7_000)
    for _ in range(2):
        await room.report("pending_replace")
        await venue_refuses(room, "replace")
    await room.fill(6_000, "E1")
    assert told(room) == [
        ("pending_replace", "pending_replace", "A2", "A1", 10_000, 1_000, 9_000),
        ("replace_reject", "partially_filled", "A2", "A1", 99),
        ("pending_replace", "pending_replace", "A3", "A1", 10_000, 1_000, 9_000),
        ("replace_reject", "partially_filled", "A3", "A1", 99),
        ("trade", "partially_filled", "A1", "", 10_000, 7_000, 3_000),
    ]


async def test_a_cancel_does_not_wait_behind_a_replace() -> None:
    room = await working()
    await replace(room, "A2", "A1", 8_000)
    await room.cancel("A3", "A2")
    assert [type(m) for m in room.take()] == [SendChildReplace, SendChildCancel]
    await room.report("canceled")
    assert told(room) == [
        ("canceled", "canceled", "A3", "A1", 10_000, 0, 0),
        ("replace_reject", "canceled", "A2", "A3", 0),
    ]


async def test_a_client_may_want_a_second_request_refused() -> None:
    room = await opened(SessionPolicy(requests="refuse"))
    await room.report("new")
    await replace(room, "A2", "A1", 8_000)
    room.take()
    await replace(room, "A3", "A2", 7_000)
    assert told(room) == [("replace_reject", "new", "A3", "A1", 3)]


async def test_a_replace_below_what_is_filled_becomes_what_is_filled() -> None:
    room = await working()
    await replace(room, "A2", "A1", 7_000)
    await room.fill(8_000, "E1")
    await venue_replaces(room, 8_000)
    assert told(room)[-1] == ("replaced", "filled", "A2", "A1", 8_000, 8_000, 0)


async def test_money_becomes_whole_lots_at_the_limit() -> None:
    cash = Instructions(cash_quantity_e9=10_050 * E9, currency="EUR")
    room = await opened(quantity_e9=0, limit_price_e9=20 * E9, instructions=cash)
    (sent,) = room.take(SendChild)
    assert sent.quantity_e9 % E9 == 0
    assert 0 <= 10_050 * E9 - 20 * sent.quantity_e9 < 20 * 100 * E9


async def test_a_status_query_says_where_nothing_was_done() -> None:
    room = await working()
    await room.client(OrderStatusQuery(ref=REF, cl_ord_id="A1"))
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_status, report.text) == ("status", OrdStatus.NEW, "Nothing Done")


async def test_a_trade_that_the_client_does_not_know_is_written_on_its_order() -> None:
    room = await working(filled=1_000)
    await room.client(DontKnowTrade(ref=REF, order_id=room.parent().order_id, exec_id="X", reason="C"))
    await room.client(DontKnowTrade(ref=REF, order_id="NOBODYS", exec_id="X", reason="C"))
    assert [t for t in await topics(room) if "disputed" in t or "refused" in t] == [
        "parent_order.execution_disputed", "fix_session.message_refused",
    ]  # fmt: skip


async def test_a_successor_knows_what_was_asked_and_what_the_venue_owes() -> None:
    room = await working()
    await replace(room, "A2", "A1", 8_000)
    heir = await room.successor()
    await heir.open()
    assert heir.child().status is OrdStatus.IN_DOUBT
    asked = heir.child().replacing
    assert asked is not None
    await heir.report("status", ord_status="pending_replace", cum_quantity_e9=0)
    await heir.report("replaced", cl_ord_id=asked.cl_ord_id, quantity_e9=8_000 * E9)
    assert (heir.parent().terms.quantity_e9, heir.parent().cl_ord_id, heir.parent().pending) == (8_000 * E9, "A2", None)


async def test_an_end_that_nobody_asked_for_names_no_request() -> None:
    room = await working()
    await replace(room, "A2", "A1", 8_000)
    await venue_replaces(room)
    room.take()
    await room.report("canceled", restatement_reason=2)
    assert told(room) == [("canceled", "canceled", "A2", "", 8_000, 0, 0)]


async def test_a_suspended_order_that_the_venue_takes_up_again_is_new_again_for_its_client() -> None:
    room = await working(filled=1_000)
    await room.report("suspended", exec_id="S1")
    await room.report("new", order_id="V1", poss_resend=True)
    await room.report("new", order_id="V1")
    assert [(kind, status) for kind, status, *_ in told(room)] == [("suspended", "suspended"), ("new", "partially_filled")]
