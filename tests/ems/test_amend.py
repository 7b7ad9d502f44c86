"""Orders amended at the desk: what was entered there, judged as a client's replace; a client's own order never."""

from __future__ import annotations

from typing import Any

import pytest

from domain.commands import AmendOrder, Answer, Commanded, EnterOrder
from domain.sending import ParentReport
from domain.values import E9, OrdType
from domain.wire_parameter import parse_utc_ns, utc_text
from tests.domain.orders import NOW_NS
from tests.ems.room import Room, topics

MINUTE_NS = 60 * E9


async def asked(room: Room, command: Any) -> Answer:
    answers: list[Answer] = []
    await room.desk.cycle([Commanded(command, answers.append)])
    (answer,) = answers
    return answer


async def entered(room: Room, **changes: Any) -> str:
    """An order of the desk's own; its OrderID."""
    fields: dict[str, Any] = {
        "command_id": "C1", "actor": "person:jane", "client_session": "OMS", "symbol": "ABC", "side": "buy", "algo": "twap",
        "quantity_e9": 10_000 * E9, "ord_type": OrdType.LIMIT, "limit_price_e9": 100 * E9,
        "parameters": (("DurationMinutes", "30"), ("MaxParticipation", "20")),
    }  # fmt: skip
    answer = await asked(room, EnterOrder(**{**fields, **changes}))
    assert answer.ok, answer.text
    return str(dict(answer.ids)["order_id"])


def amend(order_id: str, **changes: Any) -> AmendOrder:
    return AmendOrder(**{"command_id": "A1", "actor": "person:jane", "order_id": order_id, "reason": "as telephoned", **changes})


async def test_what_is_said_changes_and_the_rest_stays_also_its_end() -> None:
    room = await Room().open()
    order_id = await entered(room)
    before = room.parent().terms
    room.take()
    assert (await asked(room, amend(order_id, quantity_e9=12_000 * E9, limit_price_e9=101 * E9))).text == "amended"
    after = room.parent()
    assert (after.terms.quantity_e9, after.terms.limit_price_e9) == (12_000 * E9, 101 * E9)
    assert (after.terms.end_ns, after.terms.max_participation_e9) == (before.end_ns, before.max_participation_e9)
    (told,) = room.take(ParentReport)
    assert (told.session, told.exec_kind, told.cl_ord_id) == ("OMS", "replaced", after.cl_ord_id)
    (replaced,) = [r async for page in room.log.read_pages() for r in page if r.event.TOPIC == "parent_order.replaced.v1"]
    assert (replaced.meta.actor, replaced.meta.causation) == ("person:jane", "command:A1")


async def test_an_end_and_parameters_are_amended() -> None:
    room = await Room().open()
    order_id = await entered(room)
    end_ns = room.parent().terms.end_ns + 5 * MINUTE_NS
    assert (await asked(room, amend(order_id, end_ns=end_ns, parameters=(("MaxParticipation", "10"),)))).ok
    assert (room.parent().terms.end_ns, room.parent().terms.max_participation_e9) == (end_ns, E9 // 10)
    assert (await asked(room, amend(order_id, command_id="A2", parameters=(("DurationMinutes", "10"),)))).ok
    assert room.parent().terms.end_ns < end_ns and room.parent().terms.max_participation_e9 is None


async def test_what_rests_is_withdrawn_first() -> None:
    room = await Room().open()
    order_id = await entered(room, algo="", parameters=())
    await room.report("new")
    room.take()
    answer = await asked(room, amend(order_id, quantity_e9=5_000 * E9))
    assert answer.ok and answer.text.startswith("asked for")
    assert room.parent().pending is not None or "parent_order.request_queued" in await topics(room)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "so already"),
        ({"quantity_e9": 10_000 * E9}, "so already"),
        ({"limit_price_e9": 100 * E9 + 1}, "tick"),
        ({"end_ns": NOW_NS - MINUTE_NS}, "EndTime"),
        ({"parameters": (("Guess", "1"),)}, "Guess"),
        ({"order_id": "NOPE"}, "no order has"),
        ({"actor": "algo:twap"}, "not a person"),
    ],
)
async def test_what_is_wrong_with_it_is_said_and_nothing_changes(changes: dict[str, Any], said: str) -> None:
    room = await Room().open()
    order_id = await entered(room)
    before = room.parent()
    answer = await asked(room, amend(changes.pop("order_id", order_id), **changes))
    assert not answer.ok and said in answer.text
    assert room.parent() == before


async def test_a_clients_own_order_is_its_clients_to_amend() -> None:
    room = await Room().open()
    await room.order()
    answer = await asked(room, amend(room.parent().order_id, quantity_e9=1 * E9))
    assert not answer.ok and "client's replace" in answer.text


def test_a_moment_is_written_as_it_is_read() -> None:
    assert utc_text(parse_utc_ns("20120621-13:30:00.123456789")) == "20120621-13:30:00.123456789"
    assert parse_utc_ns(utc_text(0)) == 0
