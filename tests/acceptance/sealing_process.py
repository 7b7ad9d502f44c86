"""A process of the alarm test: callers that append as fast as they can, or a sealer that is killed in the middle of its work."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.event import Entry
from domain.values import stream_id
from tests.ems.sealing_room import META, Room, filled

STREAMS = 5


async def write(dsn: str, name: str, callers: int, for_s: float) -> None:
    """Append from many callers, each to streams of its own, and say how many events."""
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        until_s = asyncio.get_running_loop().time() + for_s

        async def call(caller: int) -> int:
            turn = 0
            while asyncio.get_running_loop().time() < until_s:
                version, stream = divmod(turn, STREAMS)
                await log.append([Entry(stream_id(name, str(caller), str(stream)), version, (filled(turn),), META)])
                turn += 1
            return turn

        print(sum(await asyncio.gather(*map(call, range(callers)))))


async def seal(dsn: str, directory: str) -> None:
    """Seal without a pause until killed."""
    room = Room(dsn, Path(directory))
    while True:
        await room.sealer.turn()
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    print("up", flush=True)
    sys.stdin.readline()  # so that all begin at once, however long they took to start
    match sys.argv[1:]:
        case ["write", dsn, name, callers, for_s]:
            asyncio.run(write(dsn, name, int(callers), float(for_s)))
        case ["seal", dsn, directory]:
            asyncio.run(seal(dsn, directory))
