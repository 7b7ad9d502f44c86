"""A desk is measured at its ports: a real desk on a log in memory, its watch around it, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import structlog

from adapters.prometheus.registry import Registry
from domain.errors import LogUnavailable
from domain.messages import PlanReady
from domain.sending import Outbound, ParentReport
from domain.values import E9
from ems.desk_state import DeskState
from ems.desk_watch import KNOWN_MAX, NOTED_NS, DeskWatch, _keep
from ems.drop_copy import DropCopies, DropCopy
from ems.measured import DESK
from tests.domain.orders import MINUTE_NS, NOW_NS, PARENT, new_order
from tests.ems.room import Room

MS = 1_000_000


class Notes:
    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []

    def note(self, kind: str, text: str) -> None:
        self.notes.append((kind, text))


class WatchedRoom(Room):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.now_ns, self.notes = 10**15, Notes()
        self.commits: list[tuple[int, int, int, int]] = []
        self.meters = Registry(DESK)
        self.watch = DeskWatch(self.meters, self.notes, lambda *one: self.commits.append(one), lambda: self.now_ns)
        append = self.log.append

        async def slow(entries: Sequence[Any], *, epoch: int | None = None) -> Any:
            self.now_ns += 3 * MS
            return await append(entries, epoch=epoch)

        self.log.append = slow  # type: ignore[method-assign]
        ports = self.desk._ports
        log, gateway, planners = self.watch.log(self.log), self.watch.gateway(self.gateway), self.watch.planners(self.planners)
        self.desk._ports = replace(ports, log=log, gateway=gateway, planners=planners)
        self.desk._begin(DeskState())

    async def deliver(self, *inputs: Any) -> None:
        """As the process does: told to the watch, then decided; 1 ms lies between."""
        self.watch.arrived(inputs)
        self.now_ns += MS
        await self.desk.cycle(inputs)

    def value(self, name: str, **labels: str) -> float:
        return sum(one.value for one in self.meters.samples() if one.name == name and labels.items() <= dict(one.labels).items())


async def test_an_order_is_timed_to_its_answer_and_to_its_first_child() -> None:
    room = await WatchedRoom().open()
    await room.deliver(room.numbered(new_order()))
    assert room.value("ems_order_to_answer_seconds_count") == 1
    assert room.value("ems_order_to_answer_seconds_sum") == pytest.approx(0.004)
    assert room.value("ems_order_to_child_seconds_count") == 0, "it has no child yet"
    room.now_ns += 16 * MS
    request = room.planners.asked[-1]
    await room.plan(400, 600)
    assert room.value("ems_order_to_child_seconds_count") == 1
    assert room.value("ems_order_to_child_seconds_sum") == pytest.approx(0.023)  # 1 + 3 + 16 + 3
    await room.wait(60)
    assert room.value("ems_order_to_child_seconds_count") == 1, "the first alone is timed"
    room.watch.arrived([PlanReady(request, None, "no plan within 10 s")])
    assert room.value("ems_plan_seconds_sum", algo="twap") == pytest.approx(0.022)  # 16 + two commits of 3
    assert (
        room.value("ems_plan_failures_total") == 1
        and ("plan", f"failed for {request.parent}: no plan within 10 s") in room.notes.notes
    )


async def test_an_order_for_later_is_no_measure_of_our_speed() -> None:
    room = await WatchedRoom().open()
    later = (("StartTime", "20260302-15:30:00"), ("EndTime", "20260302-16:00:00"))
    await room.deliver(room.numbered(new_order(parameters=later)))
    assert room.parent().terms.start_ns == NOW_NS + 30 * MINUTE_NS
    room.clock.ns += 30 * MINUTE_NS
    await room.wait(1)
    await room.plan(1000)
    assert len(room.desk.state.children) == 1
    assert room.value("ems_order_to_child_seconds_count") == 0 and room.value("ems_order_to_answer_seconds_count") == 1


async def test_what_happens_is_counted_by_its_events() -> None:
    room = await WatchedRoom(copies=DropCopies([DropCopy(session="COPY")])).open()
    before = room.value("ems_events_appended_total")
    seq = room.desk.state.seq
    await room.deliver(room.numbered(new_order()))
    await room.plan(400, 600)
    await room.fill(400)
    await room.deliver(room.numbered(new_order(cl_ord_id="B", symbol="NONE")))
    assert room.value("ems_orders_accepted_total") == room.value("ems_orders_rejected_total") == 1
    assert room.value("ems_fills_total") == 1
    assert room.value("ems_events_appended_total") - before == room.desk.state.seq - seq
    assert room.value("ems_commit_events_sum") == room.value("ems_events_appended_total")
    reports = [one for one in room.gateway.sent if isinstance(one, ParentReport)]
    assert room.value("ems_messages_out_total", kind="ParentReport") == len(reports)
    assert room.value("ems_drop_copies_total") == sum(one.copied for one in reports) > 0
    assert [a for *_, a in room.commits] == sorted(a for *_, a in room.commits)
    assert all(ended - began == 3 * MS and first <= last for first, last, began, ended in room.commits)
    room.now_ns += 7 * E9
    assert room.watch.plan_age_s(room.desk.state.working) >= 7
    assert room.watch.plan_age_s([]) == 0


async def test_a_log_that_does_not_take_a_batch_is_counted_and_noted() -> None:
    room = await WatchedRoom().open()
    good = room.log.append
    errors = [LogUnavailable("the database is away")]

    async def once(entries: Sequence[Any], *, epoch: int | None = None) -> Any:
        if errors:
            raise errors.pop()
        return await good(entries, epoch=epoch)

    room.log.append = once  # type: ignore[method-assign]
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await room.deliver(room.numbered(new_order()))
    assert room.value("ems_commit_failures_total") == 1
    assert ("commit", "failed: the database is away") in room.notes.notes
    line = next(one for one in lines if "did not take" in one["event"])
    assert str(PARENT) in line["correlation"], "a line about a batch names its orders"
    structlog.contextvars.clear_contextvars()


async def test_commits_within_a_moment_are_one_note() -> None:
    room = await WatchedRoom().open()
    room.now_ns += NOTED_NS
    await room.deliver(room.numbered(new_order()))
    noted = len(room.notes.notes)
    for number in range(5):
        await room.deliver(room.numbered(new_order(cl_ord_id=f"C{number}")))
    assert len(room.notes.notes) == noted
    room.now_ns += NOTED_NS
    await room.deliver(room.numbered(new_order(cl_ord_id="D")))
    kind, text = room.notes.notes[-1]
    assert kind == "commit" and "commits 6" in text and "slowest_us 3000" in text


def test_what_is_remembered_is_bounded() -> None:
    known: dict[int, int] = {}
    for number in range(KNOWN_MAX + 5):
        _keep(known, number, number)
    assert len(known) == KNOWN_MAX and 4 not in known and 5 in known


async def test_messages_of_no_event_are_no_measure() -> None:
    room = await WatchedRoom().open()
    room.watch.sent([Outbound(session="OMS", event_seq=0)])
    assert room.value("ems_messages_out_total", kind="Outbound") == 1
    assert room.value("ems_order_to_answer_seconds_count") == 0
