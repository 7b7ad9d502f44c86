"""A log that is sealed: a database, a key, anchors in a directory, and events to put into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from adapters.anchor.files import FileAnchor, WormAnchor
from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.signing.ed25519 import KeySigner, KeyVerifier
from domain.catalogue import TOPICS
from domain.child_order import Filled
from domain.event import Entry, Meta
from domain.ports_sealing import Anchor
from domain.values import StreamId, stream_id
from ems.sealer import Sealer
from ems.verification import Report, verify

SIGNER = KeySigner(bytes(range(32)))
VERIFIER = KeyVerifier(SIGNER.public_key)
META = Meta(5, "system:desk", stream_id("test"), "test", "0ddba11")


@dataclass
class Room:
    """One log with its sealer."""

    dsn: str
    directory: Path
    versions: dict[StreamId, int] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.anchors: list[Anchor] = [FileAnchor(self.directory / "heads"), WormAnchor(self.directory / "worm", every_s=0)]
        self.log = PostgresSealedLog(self.dsn)
        self.sealer = self.new_sealer()

    def new_sealer(self) -> Sealer:
        """As after a start."""
        return Sealer(PostgresSealedLog(self.dsn), SIGNER, VERIFIER, self.fresh_anchors(), WallClock())

    def fresh_anchors(self) -> list[Anchor]:
        """Of the same places, as another process opens them."""
        return [FileAnchor(self.directory / "heads"), WormAnchor(self.directory / "worm", every_s=0)]

    def entry(self, stream: StreamId, events: int = 1) -> Entry:
        """What comes next in a stream."""
        version = self.versions.get(stream, 0)
        self.versions[stream] = version + events
        return Entry(stream, version, tuple(filled(next(self.numbers)) for _ in range(events)), META)

    async def append(self, events: int, streams: int = 7) -> None:
        """Events over several streams, one commit."""
        async with PostgresEventLog(self.dsn, TOPICS, WallClock()) as log:
            await log.append([self.entry(stream_id("child", str(n % streams))) for n in range(events)])

    async def verify(self) -> Report:
        """As `ems audit verify`."""
        async with PostgresSealedLog(self.dsn) as log:
            return await verify(log, self.fresh_anchors(), VERIFIER)

    async def close(self) -> None:
        """End the sealer's connections."""
        await self.sealer.close()
        await self.log.close()


def filled(number: int) -> Filled:
    """A fill like no other."""
    return Filled(fill=stream_id("fill", str(number)), exec_id=f"E{number}", quantity_e9=number * 10**9, price_e9=187_010_000_000)
