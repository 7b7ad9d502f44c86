"""The sealer on a real database: heads follow what is committed, and nothing is signed that does not continue what was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from adapters.anchor.files import FileAnchor
from domain.errors import ChainBroken, SealError
from domain.merkle import root
from domain.sealing import TILE, Anchored, leaves
from ems.log_proof import prove
from ems.sealer import Sealer
from tests.conftest import Database
from tests.ems.sealing_room import VERIFIER, Room
from tests.waiting import until


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(database.app_dsn, tmp_path)
    yield room
    await room.close()


async def test_a_head_follows_the_events_and_nothing_follows_nothing(room: Room) -> None:
    await room.sealer.turn()
    assert room.sealer.status()["heads"] == 0
    assert (await room.verify()).ok
    await room.append(5)
    report = await room.verify()
    assert (report.ok, report.faults, report.warnings) == (False, [], ["no signed head vouches for this log"])
    await room.sealer.turn()
    await room.sealer.turn()
    await room.append(3)
    await room.sealer.turn()
    heads = [head async for head in room.log.heads()]
    assert [(head.number, head.size) for head in heads] == [(1, 5), (2, 8)]
    hashes = await room.log.hashes(0, 8)
    assert [head.root for head in heads] == [root(leaves(hashes[: head.size], 1)) for head in heads]
    assert [head.chain_hash for head in heads] == [hashes[4], hashes[7]]
    assert heads[1].previous == heads[0].digest
    for anchor in room.fresh_anchors():
        assert [kept.head for kept in anchor.kept()] == heads
    report = await room.verify()
    assert (report.ok, report.events, report.sealed, report.warnings) == (True, 8, 8, [])
    assert report.heads == {"file": 2, "worm": 2, "the log": 2}


async def test_a_sealer_goes_on_where_another_was_killed(room: Room) -> None:
    await room.append(TILE + 300)
    await room.sealer.turn()
    await room.append(2 * TILE)
    await room.sealer.close()  # as a kill does: its lock goes with its connection
    room.sealer = room.new_sealer()
    await room.sealer.turn()
    report = await room.verify()
    assert (report.ok, report.sealed, report.heads["file"]) == (True, 3 * TILE + 300, 2)
    assert await room.log.tiles(0, 9) == [
        root(leaves(await room.log.hashes(n * TILE, (n + 1) * TILE), n * TILE + 1)) for n in range(3)
    ]


async def test_heads_that_an_anchor_was_not_told_of_are_told_later(room: Room) -> None:
    alone = Sealer(room.log, room.sealer._signer, VERIFIER, [], room.sealer._clock)
    for _ in range(3):
        await room.append(4)
        await alone.turn()
    await alone.close()
    report = await room.verify()
    assert report.ok
    assert "keeps no head" in report.warnings[0]
    await room.sealer.turn()
    kept = list(room.fresh_anchors()[0].kept())
    assert [(one.head.number, len(one.shorts)) for one in kept] == [(1, 32), (2, 32), (3, 32)]
    report = await room.verify()
    assert (report.ok, report.warnings) == (True, [])


async def test_only_one_seals_and_the_next_takes_over(room: Room) -> None:
    await room.append(2)
    await room.sealer.turn()
    other = room.new_sealer()
    await room.append(2)
    await other.turn()
    assert (other.status()["state"], other.status()["up"]) == ("standing by", True)
    await room.sealer.close()
    try:
        async with asyncio.timeout(10):  # the server lets the lock go when it sees the connection end, not before
            while other.status()["state"] == "standing by":
                await other.turn()
        assert other.status()["sealed"] == 4
    finally:
        await other.close()


async def test_what_is_not_as_it_was_committed_is_not_signed(room: Room, database: Database) -> None:
    await room.append(5)
    await room.sealer.turn()
    await room.append(5)
    with psycopg.connect(database.superuser_dsn, autocommit=True) as intruder:
        intruder.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        intruder.execute("UPDATE events SET state = set_byte(state, 40, get_byte(state, 40) # 1) WHERE seq = 8")
        with pytest.raises(ChainBroken, match="event 8: one bit of state"):
            await room.sealer.turn()
        assert room.sealer.status()["sealed"] == 5
        intruder.execute("UPDATE events SET state = set_byte(state, 40, get_byte(state, 40) # 1) WHERE seq = 8")
    await room.sealer.turn()
    assert room.sealer.status()["sealed"] == 10


async def test_a_restored_backup_is_not_sealed_on(room: Room, database: Database) -> None:
    await room.append(5)
    await room.sealer.turn()
    await room.sealer.close()
    with psycopg.connect(database.superuser_dsn, autocommit=True) as intruder:
        for table in ("sealed_heads", "sealed_tiles"):
            intruder.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            intruder.execute(f"DELETE FROM {table}")
    room.sealer = room.new_sealer()
    with pytest.raises(ChainBroken, match="older copy of the database"):
        await room.sealer.turn()


async def test_it_runs_until_it_is_told_to_stop_and_seals_what_is_left(room: Room) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(room.sealer.run(stop))
    await room.append(3)
    await until(lambda: room.sealer.status()["sealed"] == 3)
    await room.append(3)
    stop.set()
    await running
    assert room.sealer.status()["sealed"] == 6
    assert (await room.verify()).ok


async def test_an_anchor_that_fails_holds_up_neither_sealing_nor_the_others(room: Room, tmp_path: Path) -> None:
    class Full(FileAnchor):
        def keep(self, anchored: Anchored) -> None:
            raise SealError("no space left")

    broken = Full(tmp_path / "full", "broken")
    room.sealer._anchors = [broken, *room.anchors]
    await room.append(3)
    await room.sealer.turn()
    status = room.sealer.status()
    assert (status["sealed"], status["anchored"]["file"], status["anchored"]["broken"]) == (3, 1, 0)
    assert "not anchoring" in status["state"]
    assert not status["up"]


async def test_every_event_is_proved_and_one_that_is_not_there_is_not(room: Room) -> None:
    for events in (3, TILE, 700, TILE + 9):
        await room.append(events)
        await room.sealer.turn()
    for seq in (1, 3, 4, 1024, 1025, 1500, 2000, 3 + 2 * TILE + 709):
        proof = await prove(room.log, seq, VERIFIER)
        assert proof["event"]["seq"] == seq
        assert proof["last_head"]["number"] == 4
    for seq, why in ((0, "no event 0"), (-3, "no event"), (99_999, "no event 99999")):
        with pytest.raises(SealError, match=why):
            await prove(room.log, seq, VERIFIER)
    await room.append(1)
    with pytest.raises(SealError, match="not sealed yet"):
        await prove(room.log, 3 + 2 * TILE + 710, VERIFIER)
