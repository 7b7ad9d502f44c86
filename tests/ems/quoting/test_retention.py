"""Retention: the oldest segments go, never what a kept state needs, and the log says so first."""

from __future__ import annotations

from pathlib import Path

from domain import quote as q
from domain.quote import Ending
from ems.quoting import journal as j
from ems.quoting.retention import Retention
from tests.ems.quoting.standin import SESSION
from tests.ems.quoting.test_drainer import Room


async def filled(path: Path, segments: int, *, state_at: int = 0, over: bool = False) -> Room:
    """A room with segments of a hundred records; a kept state before one of them."""
    room = Room(path)
    (room.folder / "opened.json").write_text((await room.drainer())._opened.model_dump_json())
    drainer = await room.drainer(seal_ns=0)
    for number in range(1, segments + 1):
        if number == state_at:
            room.number += 1
            slot = room.writer.slot(room.number)
            j.put(slot.view("i8"), slot, room.number, j.STATE, SESSION, 1)
            room.writer.publish(room.number)
            await drainer.once()
            (room.folder / f"{room.number + 1}.state").write_bytes(bytes(100))
        room.write(100)
        await drainer.once()
    if over:
        room.writer.close()
        assert await drainer.once()
    return room


async def applied(room: Room, bytes_max: int) -> list[str]:
    await Retention(room.folder.parent, bytes_max, (await room.drainer())._parts).apply()
    return sorted(path.name for path in room.folder.glob("*.segment"))


async def test_all_is_kept_where_there_is_room_or_no_limit(tmp_path: Path) -> None:
    room = await filled(tmp_path, 3)
    assert len(await applied(room, 0)) == 3
    assert len(await applied(room, 10**9)) == 3
    assert await room.events(q.SegmentsDropped) == []


async def test_of_a_run_that_goes_on_what_begins_with_a_kept_state_stays(tmp_path: Path) -> None:
    room = await filled(tmp_path, 4, state_at=3)  # segments 1, 2, the state's own 3, then 4 and 5
    assert await applied(room, 1) == ["00000004.segment", "00000005.segment"]
    (dropped,) = await room.events(q.SegmentsDropped)
    assert (dropped.first, dropped.last) == (1, 3)
    assert dropped.bytes > 1000
    assert len(await applied(room, 1)) == 2
    assert len(await room.events(q.SegmentsDropped)) == 1


async def test_without_a_later_state_a_run_that_goes_on_keeps_everything(tmp_path: Path) -> None:
    room = await filled(tmp_path, 3)
    assert len(await applied(room, 1)) == 3


async def test_a_run_that_is_over_may_go_whole(tmp_path: Path) -> None:
    room = await filled(tmp_path, 3, over=True)
    assert await applied(room, 1) == []
    (stopped,) = await room.events(q.Stopped)
    assert stopped.ending is Ending.DIED
    (dropped,) = await room.events(q.SegmentsDropped)
    assert (dropped.first, dropped.last) == (1, 3)


async def test_no_more_goes_than_must(tmp_path: Path) -> None:
    room = await filled(tmp_path, 4, state_at=2)
    size = sum(path.stat().st_size for path in room.folder.glob("*.s*"))
    assert "00000003.segment" in await applied(room, size - 10)
