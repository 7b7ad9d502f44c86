"""How much of the sealed journal is kept: the oldest segments go first, and the log says so before they do.

They go up to where a state of the kernel is kept, or whole runs that are over: what stays can be computed again.
"""

from __future__ import annotations

from pathlib import Path

from domain import quote as q
from domain.event import Entry, Meta
from ems.quoting.drainer import Parts


class Retention:
    """Of all runs in a folder.

    Args:
        bytes_max: of segments and states together; 0: everything is kept.
    """

    def __init__(self, folder: Path, bytes_max: int, parts: Parts) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._parts = parts

    async def apply(self) -> int:
        """Let go of what is too much; how many bytes went. Raises LogUnavailable: nothing went."""
        if self._bytes_max == 0:
            return 0
        runs = sorted(path.parent for path in self._folder.glob("*/opened.json"))
        sizes = [(run, sum(path.stat().st_size for path in _files(run))) for run in runs]
        surplus, gone = sum(size for _, size in sizes) - self._bytes_max, 0
        for run, _ in sizes:
            if surplus > gone:
                gone += await self._shorten(run, surplus - gone)
        return gone

    async def _shorten(self, run: Path, surplus: int) -> int:
        opened = q.Opened.model_validate_json((run / "opened.json").read_bytes())
        stream = q.key(opened.quoter, opened.trade_date, opened.run)
        sealed: list[q.SegmentSealed] = []
        state: q.Session | None = None
        for recorded in await self._parts.log.read(stream):
            state = q.evolve(state, recorded.event, stream=stream)
            if isinstance(recorded.event, q.SegmentSealed):
                sealed.append(recorded.event)
        if state is None:
            return 0
        going = _going([each for each in sealed if each.number > state.dropped], surplus, over=state.over)
        if not going:
            return 0
        paths = [
            path for each in going for path in (run / f"{each.number:08}.segment", run / f"{each.first}.state") if path.exists()
        ]
        gone = sum(path.stat().st_size for path in paths)
        said = f"{self._bytes_max / 1e9:g} GB of segments"
        dropped = q.SegmentsDropped(first=going[0].number, last=going[-1].number, bytes=gone, retention=said)
        meta = Meta(self._parts.clock.now_ns(), f"system:quoter {opened.quoter}", stream, "retention", self._parts.build)
        await self._parts.log.append([Entry(stream, state.version, (dropped,), meta)])
        for path in paths:
            path.unlink()
        return gone


def _files(run: Path) -> list[Path]:
    return [*run.glob("*.segment"), *run.glob("*.state")]


def _going(sealed: list[q.SegmentSealed], surplus: int, *, over: bool) -> list[q.SegmentSealed]:
    """The fewest of the first segments that come to the surplus, and end before one whose state is kept or with the run; else the
    most that end so."""
    size = going = 0
    for count, each in enumerate(sealed):
        if each.state_sha256 and count:
            going = count
            if size >= surplus:
                break
        size += each.bytes
    else:
        going = len(sealed) if over else going
    return sealed[:going]
