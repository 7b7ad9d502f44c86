"""The leader's lease: an advisory lock on a connection of its own, and the epoch that it raises."""

from __future__ import annotations

import asyncio
import logging
from asyncio import Task
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import psycopg

from adapters.postgres.connection import AsyncConnection, connect, translated
from domain.errors import ConfigError, LogUnavailable

log = logging.getLogger(__name__)
_LOCK: Final = 0x454D53_4C454144  # one leader for each database
_PROBE_INTERVAL_S: Final = 1.0
_PROBE_TIMEOUT_S: Final = 3.0
_JOIN: Final = 0x454D53_4A4F494E  # who opens looks at the others while nobody else does
_GRACE_S: Final = 5.0  # a process that was killed just now is gone by then
_AGAIN_S: Final = 0.25
_REGAIN_S: Final = 0.1
_MEMBER: Final = "ems-lease-of-"
_NAME_MAX: Final = 63  # of an application_name
# A desk that waits for the lead and dies is noticed too: without this its backend waits on.
_NOTICE = "SELECT set_config('client_connection_check_interval', '1s', false)"
_OTHERS = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

_LOOK_S: Final = 0.5
_END_OWN: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND application_name = %s"
# Who holds the lock asks something every _PROBE_INTERVAL_S: when it last did is the database's own word, by its own clock.
_END_SILENT: Final = (
    "SELECT pg_terminate_backend(held.pid) FROM pg_locks AS held JOIN pg_stat_activity AS holder USING (pid)"
    " WHERE held.locktype = 'advisory' AND held.granted AND held.database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database()) AND held.classid = %s AND held.objid = %s AND held.objsubid = 1"
    " AND holder.state_change < clock_timestamp() - make_interval(secs => %s)"
)


@dataclass(frozen=True, slots=True)
class Membership:
    """What a desk is to the others on its log.

    Attributes:
        build: digest of its code.
        refusal: why it may not open beside others, given as name to build; "" if it may.
    """

    build: str
    refusal: Callable[[Mapping[str, str]], Awaitable[str]]


class Lease:
    """Who holds the lock leads. The lock ends with its connection, so the connection is watched.

    A leader whose connection has ended takes the lock again as soon as it can. Where the epoch is still its own nobody led in
    between, and it leads on with what it knows; `lost` says that another did.
    """

    def __init__(self, dsn: str, membership: Membership | None = None, lease_s: float = 0) -> None:
        self._dsn = dsn
        self._lease_s = lease_s
        self._membership = membership
        self._connection: AsyncConnection | None = None
        self._name = ""  # of the connection
        self._watch: Task[None] | None = None
        self.lost = asyncio.Event()

    async def take(self, leader: str) -> int:
        """Wait for the lock, raise the epoch, return it.

        Args:
            leader: name of the desk, for the log's head.

        Raises:
            LogUnavailable: the connection was lost while waiting.
            ConfigError: it may not open beside those that are up.
        """
        await self.release()  # a desk that comes back leads anew, which also fences its own commit of unknown fate
        connection = await connect(self._dsn, "lease")
        try:
            if self._membership is not None:
                await self._join(connection, leader, self._membership)
            with translated():
                await self._wait_in_line(connection)
                self._name = await _name(connection)
                row = await (await connection.execute("SELECT log_lead(%s)", (leader,))).fetchone()
        except BaseException:
            await connection.close()
            raise
        if row is None:
            raise LogUnavailable("the log has no head")
        self.lost.clear()
        self._connection = connection
        self._watch = asyncio.create_task(self._keep(leader, int(row[0])))
        return int(row[0])

    async def _wait_in_line(self, connection: AsyncConnection) -> None:
        """Wait for the lock. A leader that the database has not heard of for a lease's time is ended: its connection may
        stand for ever, and the lock with it, though the process behind it is stopped or its host is gone.
        """
        if not self._lease_s:
            await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            return
        await connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{int(_LOOK_S * 1000)}ms",))
        while True:
            try:
                await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            except psycopg.errors.LockNotAvailable:
                await connection.execute(_END_SILENT, (_LOCK >> 32, _LOCK & 0xFFFFFFFF, self._lease_s))
                continue
            await connection.execute("SELECT set_config('lock_timeout', '0', false)")
            return

    async def _join(self, connection: AsyncConnection, name: str, member: Membership) -> None:
        """Be seen by the others as long as the connection lives, unless they forbid it. One at a time: of two that open at
        once, the second sees the first.
        """
        until_s = asyncio.get_running_loop().time() + _GRACE_S
        while True:
            with translated():
                await connection.execute("SELECT pg_advisory_lock(%s)", (_JOIN,))
                try:
                    found = await (await connection.execute(_OTHERS)).fetchall()
                    why = await member.refusal(_members(row[0] for row in found))
                    if not why:
                        await connection.execute(_NOTICE)
                        said = f"{_MEMBER}{member.build}-{name}"[:_NAME_MAX]
                        await connection.execute("SELECT set_config('application_name', %s, false)", (said,))
                        return
                finally:
                    await connection.execute("SELECT pg_advisory_unlock(%s)", (_JOIN,))
            if asyncio.get_running_loop().time() > until_s:
                raise ConfigError(why)
            await asyncio.sleep(_AGAIN_S)

    async def release(self) -> None:
        """Give the lead up, if it is held: the next desk in line takes it at once."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _keep(self, leader: str, epoch: int) -> None:
        """Hold the lock until another leads, which sets `lost`. So does a fault here: who cannot watch the lock does not lead."""
        try:
            await self._hold(leader, epoch)
        except Exception:
            log.exception("the lead cannot be watched any more: it is given up")
        self.lost.set()

    async def _hold(self, leader: str, epoch: int) -> None:
        """Return when another leads, or may."""
        while (connection := self._connection) is not None:
            await _until_ended(connection)
            before = connection.info.backend_pid, self._name
            await connection.close()
            log.warning("the lead's connection has ended")
            while (regained := await self._regained(leader, epoch, before)) is None:  # noqa: ASYNC110 (another process)
                await asyncio.sleep(_REGAIN_S)
            self._connection = regained or None

    async def _regained(self, leader: str, epoch: int, before: tuple[int, str]) -> AsyncConnection | Literal[False] | None:
        """A connection that holds the lock again, False if another leads or may, None if that cannot be known yet.

        Args:
            before: backend and name of the connection that held it, which may still stand at the database's end.
        """
        try:
            connection = await connect(self._dsn, "lease", timeout_s=_PROBE_TIMEOUT_S)
        except LogUnavailable:
            return None
        kept = False
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                await connection.execute(_END_OWN, before)
                locked = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))).fetchone()
                led = await (await connection.execute("SELECT epoch FROM log_head")).fetchone()
            if led != (epoch,):
                return False
            if locked != (True,):
                return None
            if self._membership is not None:
                await self._join(connection, leader, self._membership)
            self._name = await _name(connection)
            kept = True
        except ConfigError as error:
            log.error("may not lead beside those that are up: %s", error)
            return False
        except (psycopg.Error, LogUnavailable, TimeoutError):
            return None
        else:
            log.warning("the lead is held again, epoch %d", epoch)
            return connection
        finally:
            if not kept:
                await connection.close()


async def _until_ended(connection: AsyncConnection) -> None:
    """Return when the connection ends or does not answer."""
    try:
        while True:
            async for _ in connection.notifies(timeout=_PROBE_INTERVAL_S):  # ends early with the connection
                continue
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                await connection.execute("SELECT 1")
    except (psycopg.Error, TimeoutError):
        return


async def _name(connection: AsyncConnection) -> str:
    row = await (await connection.execute("SELECT current_setting('application_name')")).fetchone()
    return str(row[0]) if row is not None else ""


def _members(names: Iterable[str | None]) -> dict[str, str]:
    """Desks that are up, name to build, from the names of their connections."""
    found = [name.removeprefix(_MEMBER).partition("-") for name in names if name is not None and name.startswith(_MEMBER)]
    return {name: build for build, _, name in found}
