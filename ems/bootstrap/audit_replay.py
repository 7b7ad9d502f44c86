"""`ems audit replay`: a source folded whole, verified, and stepped through."""

from __future__ import annotations

from typing import Any

from adapters.sandbox import deny_network
from domain.errors import TimeOutsideLog
from ems.audit.folding import Wanted
from ems.audit.replay import replay
from ems.audit.source import place_of, rows_of
from ems.audit.words import moment
from ems.bootstrap.audit_source import Place, moment_ns, opened


async def replayed(place: Place, until: str, every: int, steps: int, reader: str, *, network: bool) -> dict[str, Any]:
    """Fold from the first event to a place of the log.

    Args:
        until: a sequence number, a time, "" for the end.
        every: a digest each so many events.
        steps: the last so many events one by one, each with the digest after it.
        reader: who is shown it.
        network: leave the folding process its network.

    Raises:
        TimeOutsideLog: the log does not reach there, or does not begin with its first event.
        ChainBroken, LogError: it is not what was recorded, or cannot be folded.
    """
    async with opened(place) as there:
        source = there.source
        until_seq = await place_of(source, until, moment_ns(until))
        if not await source.rows([1]):
            raise TimeOutsideLog(f"the {source.name} does not begin with event 1: a fold needs everything before")
        first = max(1, until_seq - steps + 1) if steps else 0
        told = await replay(source, until_seq, Wanted(every, first), None if network else deny_network)
        shown = []
        if steps:
            after = dict(told.digests)
            async for page in source.pages(first - 1, until_seq):
                shown += [
                    {"seq": row.seq, "time": moment(row.recorded_time_ns), "topic": row.topic, "stream": row.stream,
                     "version": row.version, "digest": after[row.seq]}
                    for row in rows_of(page)
                ]  # fmt: skip
        await there.note(reader, "replay", f"events 1 to {until_seq}")
        return {**told.row(), "steps": shown}
