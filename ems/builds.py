"""Which builds may be mixed, as the log has it: read by who opens, told by two people."""

from __future__ import annotations

from typing import Final

from domain import builds
from domain.builds import Approvals, BuildApproved
from domain.errors import VersionConflict
from domain.event import Entry, Meta
from domain.kill_refusal import KillRefusal
from domain.ports import Clock, EventLog

_ATTEMPTS: Final = 5  # at a log that others write to


async def approvals(log: EventLog) -> Approvals:
    """As the log has it. Raises LogError."""
    return builds.fold([one.event for one in await log.read(builds.key())])


async def approve(
    log: EventLog, clock: Clock, digest: str, *, person: str, reason: str, hours: int, build: str
) -> BuildApproved | KillRefusal:
    """Write an authenticated person's word.

    Args:
        build: of the code that writes.

    Raises:
        LogError: nothing is approved.
    """
    for attempt in range(_ATTEMPTS):
        state, at_ns = await approvals(log), clock.now_ns()
        decided = builds.approve(state, digest, person=person, reason=reason, hours=hours, at_ns=at_ns)
        if isinstance(decided, KillRefusal):
            return decided
        meta = Meta(at_ns, f"person:{person}", correlation=builds.key(), causation="command:build", build=build)
        try:
            await log.append([Entry(builds.key(), state.version, (decided,), meta)])
            return decided
        except VersionConflict:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")
