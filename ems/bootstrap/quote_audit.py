"""`ems quote verify` and `ems quote rerun`: sealed segments held against the log, and their calls made again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import quote as q
from domain.errors import JournalError
from ems.bootstrap.quoter_kernel import Replica, weights_for
from ems.quoting.rerun import Differing, Kernel, rerun
from ems.quoting.segments import Record, Segment, gigabytes_a_day, unpack
from ems.quoting_settings import QuotingSettings


class Run(NamedTuple):
    """One run of a quoter: its folder, and what the log says of it."""

    folder: Path
    opened: q.Opened
    sealed: tuple[q.SegmentSealed, ...]
    dropped: int  # the last segment that retention let go


async def run_of(dsn: str, folder: Path) -> Run:
    """Raises JournalError: the folder is no run's, or the log knows nothing of it. LogUnavailable."""
    try:
        opened = q.Opened.model_validate_json((folder / "opened.json").read_bytes())
    except (OSError, ValueError) as cause:
        raise JournalError(f"{folder} is no run of a quoter: {cause}") from cause
    stream = q.key(opened.quoter, opened.trade_date, opened.run)
    async with PostgresEventLog(dsn, q.topics(), WallClock()) as log:
        events = [recorded.event for recorded in await log.read(stream)]
    if not events or events[0] != opened:
        raise JournalError(f"the log does not know this beginning of run {opened.run}")
    sealed = tuple(event for event in events if isinstance(event, q.SegmentSealed))
    return Run(folder, opened, sealed, max([event.last for event in events if isinstance(event, q.SegmentsDropped)], default=0))


def segment_of(run: Run, sealed: q.SegmentSealed) -> Segment:
    """A segment that is what the log says. Raises JournalError where it is missing or another one."""
    path = run.folder / f"{sealed.number:08}.segment"
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise JournalError(f"segment {sealed.number} is missing: {cause.strerror}") from cause
    if hashlib.sha256(data).hexdigest() != sealed.sha256:
        raise JournalError(f"segment {sealed.number} is not what was sealed: the digest of its bytes differs")
    segment = unpack(data)
    if segment.root().hex() != sealed.merkle_root or (segment.records[0].number, segment.records[-1].number) != (
        sealed.first,
        sealed.last,
    ):
        raise JournalError(f"segment {sealed.number} does not hold what was sealed: its records differ")
    return segment


def verify(run: Run) -> dict[str, Any]:
    """Every segment against the log: counts, and a sentence for each that is wrong."""
    wrong, records, size = [], 0, 0
    for sealed in run.sealed[run.dropped :]:
        try:
            records += len(segment_of(run, sealed).records)
            size += sealed.bytes
        except JournalError as error:
            wrong.append(str(error))
    return {
        "run": run.opened.run, "segments": len(run.sealed) - run.dropped, "dropped": run.dropped, "records": records,
        "bytes": size, "bytes_per_record": size / max(records, 1), "gb_per_day": gigabytes_a_day(size / max(records, 1)),
        "wrong": wrong,
    }  # fmt: skip


def again(run: Run, directory: Path, first: int, last: int) -> dict[str, Any]:
    """Make the calls of segments first .. last again, from the nearest kept state before them.

    Args:
        directory: where versions of models are kept.

    Raises:
        JournalError: a segment or state is missing or not what the log says. WeightsError: the model is not here.
    """
    settings = QuotingSettings.model_validate_json(run.opened.configuration[:-1] + ',"password":"-"}')
    weights = weights_for(directory, run.opened.weights_sha256)
    wanted = [each for each in run.sealed if first <= each.number <= last]
    if not wanted:
        raise JournalError(f"the run has segments {run.dropped + 1} to {len(run.sealed)}")
    states = [each for each in run.sealed if each.number <= first and _state(run, each).exists()]
    if not states or states[-1].number <= run.dropped:
        raise JournalError(f"no state before segment {first} is kept any more")
    kernel = Replica(settings, weights)
    span = run.sealed[states[-1].number - 1 : last]
    records = sum(each.last - each.first + 1 for each in wanted)
    found = [each for each in walk(run, kernel, span) if wanted[0].first <= each.number <= wanted[-1].last]
    return {
        "run": run.opened.run, "segments": [first, last], "records": records, "from_record": span[0].first,
        "differing": [each._asdict() for each in found], "grade": "DIFFERENT" if found else "BIT_EXACT",
    }  # fmt: skip


def walk(run: Run, kernel: Kernel, span: tuple[q.SegmentSealed, ...]) -> Iterator[Differing]:
    """The calls of consecutive segments, each kept state taken up where it belongs."""

    def records() -> Iterator[Record]:
        for sealed in span:
            yield from segment_of(run, sealed).records

    pending: list[Record] = []
    taken_up = {each.first for each in span if _state(run, each).exists()}
    for record in records():
        if record.number in taken_up:
            yield from rerun(kernel, pending)
            pending = []
            kernel.restore(_kept(run, record.number))
        pending.append(record)
    yield from rerun(kernel, pending)


def _state(run: Run, sealed: q.SegmentSealed) -> Path:
    return run.folder / f"{sealed.first}.state"


def _kept(run: Run, first: int) -> bytes:
    data = (run.folder / f"{first}.state").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest not in [run.opened.checkpoint_sha256, *(each.state_sha256 for each in run.sealed if each.first == first)]:
        raise JournalError(f"the state before record {first} is not what was sealed")
    return data
