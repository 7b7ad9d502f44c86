"""Explanations from memory: every kind of order, every kind of id, what is missing and what does not apply."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from domain import child_order as co
from domain import model_version as mv
from domain import parent_order as po
from domain import risk
from domain.errors import ConfigError, TimeOutsideLog
from domain.risk_verdicts import CheckedV1
from domain.stored import StoredRow
from domain.values import StreamId
from ems.audit import render
from ems.audit.explain import Means, explain
from ems.audit.explanation import SECTIONS, Explanation, Status
from ems.audit.wire import Expected, Journal, Message
from ems.bootstrap.explain import reading
from models.net_contract import BOOK, CONTEXT, FEATURE_NAMES, TAPE_ROWS, TRADES
from tests.domain.model_cards import card
from tests.ems.audit.histories import MemoryRows
from tests.ems.exports.days import busy_day, put
from tests.ems.room import Room
from tests.ems.test_adaptive_planning import answered, at, ordered
from tests.ems.test_deviations import evidence

GOLDEN = Path(__file__).parents[2] / "golden"

SEEN = base64.b64encode(
    struct.pack(f"<{BOOK + TAPE_ROWS * TRADES + CONTEXT}f", *range(BOOK + TAPE_ROWS * TRADES + CONTEXT))
).decode()


async def proved(row: StoredRow) -> tuple[dict[str, Any] | None, str]:
    return {"inclusion": [], "lines": ["proved"]}, ""


def everything(wanted: Expected, *_: int) -> Journal:
    """A journal that has it all."""
    came = [
        Message(ref.session, "in", 1, ref.reset_epoch, ref.msg_seq_num, 0, b"8=FIX", "f", intact=True) for ref in wanted.received
    ]
    left = [
        Message(session, "out", 2, 0, n, seq, b"8=FIX", "f", intact=True) for n, (seq, session) in enumerate(wanted.sent.items())
    ]
    return Journal((*came, *left))


MEANS = Means(reading, everything, proved)


async def told(room: Room, asked: str, at: str = "", means: Means = MEANS, at_ns: int | None = None) -> Explanation:
    return await explain(MemoryRows.of(room.log), asked, at, at_ns, means)


def by_name(explanation: Explanation) -> dict[str, Any]:
    return {section.name: section for section in explanation.sections}


def worked(room: Room) -> po.ParentOrder:
    """The day's order of an algorithm: C1."""
    return next(p for p in room.desk.state.parents.values() if isinstance(p, po.ParentOrder) and p.terms.algo == "twap")


async def test_every_kind_of_id_of_an_order_finds_it() -> None:
    room = await busy_day()
    parent = worked(room)
    child = room.desk.state.children[co.key(parent.id, 1)]
    kinds = {
        "C1": "parent_order", parent.order_id: "parent_order", parent.id: "parent_order", child.cl_ord_id: "child_order",
        co.cl_ord_id(child.id, cancel=1): "child_order", child.id: "child_order", "X2": "fill", risk.check_key(child.id): "risk",
        "C2": "parent_order", "V9": "child_order",
    }  # fmt: skip
    for asked, kind in kinds.items():
        identity = by_name(await told(room, asked))["identity"].content
        assert identity["kind"] == kind and identity["parent"] == parent.id, asked
    with pytest.raises(ConfigError, match="knows no 'nobody'"):
        await told(room, "nobody")


async def test_an_id_of_two_days_is_asked_for_again() -> None:
    room = await busy_day()
    twin = po.Rejected(
        client_session="OMS", trade_date="2026-11-30", cl_ord_id="C1", order_id="O", symbol="ABC", side=None, quantity_e9=1,
        reason=next(iter(po.Reason)), text="",
    )  # fmt: skip
    await put(room, po.key("OMS", "2026-11-30", "C1"), [twin], actor="client:OMS")
    with pytest.raises(ConfigError, match="names 2 things"):
        await told(room, "C1")


@pytest.mark.parametrize("asked", ["A1", "B1", "C1"])
async def test_a_desks_own_orders_lack_nothing_but_limits(asked: str) -> None:
    """Direct, turned down and worked: where nothing limits an order there is still a verdict on it."""
    sections = by_name(await told(await busy_day(), asked))
    assert tuple(sections) == SECTIONS
    assert {name for name, section in sections.items() if section.status is Status.MISSING} <= {"risk"}
    assert sections["plan"].status is (Status.PRESENT if asked == "C1" else Status.DOES_NOT_APPLY)
    assert sections["forecast"].status is Status.DOES_NOT_APPLY


async def test_a_place_before_the_order_and_one_outside_of_the_log() -> None:
    room = await busy_day()
    began = next(row.seq for row in room.log.rows if row.stream == worked(room).id)
    with pytest.raises(TimeOutsideLog, match=f"C1 began at event {began}: at event {began - 1} it did not exist"):
        await told(room, "C1", str(began - 1))
    state = by_name(await told(room, "C1", str(began)))["state"].content
    assert state["parent"]["filled"] == "0" and state["children"] == []
    last_ns = room.log.rows[-1].recorded_time_ns
    for at_ns, said in ((1, "before the log's first event"), (last_ns + 1, "after the log's last event")):
        with pytest.raises(TimeOutsideLog, match=said):
            await told(room, "C1", "then", at_ns=at_ns)


async def test_a_message_that_the_journal_lacks_or_has_altered_makes_it_incomplete() -> None:
    room = await busy_day()

    def without_sent(wanted: Expected, *times: int) -> Journal:
        return Journal(tuple(m for m in everything(wanted, *times).messages if m.direction == "in"))

    def altered(wanted: Expected, *times: int) -> Journal:
        first, *rest = everything(wanted, *times).messages
        return Journal((first._replace(intact=False), *rest))

    for find, said in ((without_sent, "not in the journal: the message to"), (altered, "altered at f")):
        explanation = await told(room, "C1", means=MEANS._replace(find=find))
        assert "wire" in explanation.missing and said in by_name(explanation)["wire"].why
        assert "INCOMPLETE: " in render.verdict(explanation)


async def planned() -> Room:
    """An adaptive order with its plan, by a registered version, on an observation with numbers that are known."""
    room = await ordered()
    await put(room, mv.key(), [mv.Registered(card=card("w" * 64), person="ann", reason="trained", at_ns=1)], actor="person:ann")
    seen = at(room, -1, 0.0)
    await room.desk.cycle([seen._replace(observation=seen.observation.model_copy(update={"arrays": SEEN}))])
    await room.wait(61)
    await answered(room, evidence=evidence(0.0, 0.0).model_copy(update={"duals": (0.02, 0.0, -0.5)}))
    return room


async def test_a_plan_of_a_model_tells_features_version_forecast_and_what_bound_it() -> None:
    room = await planned()
    sections = by_name(await told(room, "A1"))
    plan = sections["plan"].content
    assert [(one["of"], one["binds"]) for one in plan["binding"]] == [
        ("the whole quantity", True), ("the cap of interval 1", False), ("the cap of interval 2", True),
    ]  # fmt: skip
    features = sections["features"].content["plan"]["features"]
    assert tuple(features) == FEATURE_NAMES
    assert sections["forecast"].content["plan"]["samples"] == plan["schedule"]["evidence"]["samples"]
    assert sections["model"].status is Status.MISSING, "the version that planned is not the registered one"


async def test_what_was_stored_as_an_older_version_is_shown_in_both_forms() -> None:
    room = await busy_day()
    parent = worked(room).id
    sample = json.loads((GOLDEN / "risk.checked.v1.json").read_bytes())
    old = CheckedV1.sample(**{**sample, "order": parent, "parent": parent})
    await put(room, StreamId(risk.check_key(parent)), [old], actor="system:desk")
    rows = by_name(await told(room, "C1"))["events"].content
    both = [row for row in rows if "read_as" in row]
    assert [(row["topic"], row["read_as"]["topic"]) for row in both] == [("risk.checked.v1", "risk.checked.v2")]
    assert "verdicts" in both[0]["data"] and "terms" in both[0]["read_as"]["data"]


async def test_the_page_is_whole_and_lets_nothing_in() -> None:
    room = await busy_day()
    explanation = await told(room, "C1")
    page = render.html(explanation)
    assert all(f"<h2>{name}</h2>" in page for name in SECTIONS) and page.count("<section") == len(SECTIONS)
    hostile = Explanation("<script>", "memory", 1, 1, 1, explanation.sections)
    assert "<script>" not in render.html(hostile) and "&lt;script&gt;" in render.html(hostile)
    assert [line for line in render.text(explanation) if line.startswith("PLAN")]
