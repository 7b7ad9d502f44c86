"""What sealing costs those who append: rounds with a sealer at work and rounds without, in turn, on one server.

The sealer is a process of its own, niced, as in a running system. Before each round it seals what is there, so that it has no
more to do in a round than the round brings.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from adapters.anchor.files import FileAnchor
from adapters.clock import WallClock
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.signing.ed25519 import KeySigner, KeyVerifier
from domain.errors import InvariantBroken
from ems.sealer import EVERY_S, Sealer
from ems.verification import verify

PAIRS: Final = 3
EVENTS_A_ROUND: Final = 51_200  # some seconds: most of a round's events are sealed within it
_KEY: Final = bytes(range(32))
_NICE: Final = 10

# A round of so many events; returns the seconds that it took and the latency of each.
Round = Callable[[int], Awaitable[tuple[float, list[float]]]]


async def compared(dsn: str, directory: Path, run: Round) -> dict[str, Any]:
    """Rounds in pairs, the order within a pair in turn.

    Returns:
        sealed_eps_ratio and sealed_p99_ratio: with sealing over without; and what was sealed.

    Raises:
        InvariantBroken: what was sealed is not what was appended.
    """
    elapsed_s = {"on": 0.0, "off": 0.0}
    latencies_s: dict[str, list[float]] = {"on": [], "off": []}
    with _sealing(dsn, directory) as sealer:
        for pair in range(PAIRS):
            for way in ("off", "on") if pair % 2 == 0 else ("on", "off"):
                _tell(sealer, way)
                took_s, latencies = await run(EVENTS_A_ROUND)
                elapsed_s[way] += took_s
                latencies_s[way] += latencies
        heads, sealed = _tell(sealer, "off")
    verifier = KeyVerifier(KeySigner(_KEY).public_key)
    async with PostgresSealedLog(dsn) as log:
        report = await verify(log, [FileAnchor(directory / "heads")], verifier)
    if not report.ok or report.sealed != sealed or report.events != sealed:
        raise InvariantBroken(f"{sealed} events were sealed, of {report.events}: {report.faults[:1]}")
    p99_s = {way: sorted(found)[len(found) * 99 // 100] for way, found in latencies_s.items()}
    return {
        "sealed_eps_ratio": round(elapsed_s["off"] / elapsed_s["on"], 3),
        "sealed_p99_ratio": round(p99_s["on"] / p99_s["off"], 3),
        "sealed_events": sealed,
        "sealed_heads": heads,
    }


@contextmanager
def _sealing(dsn: str, directory: Path) -> Iterator[Connection]:
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_process, args=(dsn, directory, theirs), daemon=True)
    process.start()
    theirs.close()  # so that its end is seen here
    try:
        yield ours
        ours.send("stop")
        process.join()
    finally:
        process.kill()
        process.join()
        process.close()


def _tell(sealer: Connection, word: str) -> tuple[int, int]:
    """Switch it; returns how many heads and events there are once it has caught up."""
    sealer.send(word)
    heads, events = sealer.recv()
    return heads, events


def _process(dsn: str, directory: Path, words: Connection) -> None:
    os.nice(_NICE)
    asyncio.run(_seal(dsn, directory, words))


async def _seal(dsn: str, directory: Path, words: Connection) -> None:
    signer = KeySigner(_KEY)
    async with PostgresSealedLog(dsn) as log:
        sealer = Sealer(log, signer, KeyVerifier(signer.public_key), [FileAnchor(directory / "heads")], WallClock())
        at_work = False
        while True:
            if not words.poll(EVERY_S if at_work else None):
                await sealer.turn()
                continue
            if (word := words.recv()) == "stop":
                return
            at_work = word == "on"
            await sealer.turn()
            status = sealer.status()
            words.send((status["heads"], status["sealed"]))
