"""A full disk over real FIX, judged at the venue's socket: suspended with its reason, cancels leave, nothing is lost; it clears.

The whole system, its Postgres and its spool lie on one small volume of the test's own (a tmpfs), which is filled to the last
byte. Where that may not be mounted, the same is done on the machine's own disk with the configured limit just below what is
free: then the limit is crossed by a real file, and no write fails.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain import kill_switch as ks
from domain import parent_order as po
from domain.disk import MB
from domain.kill_table import Level
from ems.bootstrap import kill
from ems.health import ask_socket
from tests.acceptance.kill_room import WAIT_S, Room, room, until

pytestmark = pytest.mark.slow
VOLUME_MB, STOP_MB, RESERVE_MB = 512, 96, 16
ORDERS = 40
DESK = "desk:desk"


class Volume:
    """Where the system lives, and how to fill it. full: does a write really fail on it?"""

    def __init__(self, home: Path, *, full: bool) -> None:
        self.home, self.full = home, full
        self._filler = home / "filler"

    def free_mb(self) -> int:
        told = os.statvfs(self.home)
        return told.f_bavail * told.f_frsize // MB

    @property
    def stop_mb(self) -> int:
        return STOP_MB if self.full else self.free_mb() - 1_024

    def fill(self) -> None:
        with self._filler.open("wb", buffering=0) as file:
            if not self.full:
                os.posix_fallocate(file.fileno(), 0, 2_048 * MB)
                return
            try:
                while True:
                    file.write(bytes(MB))
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 (how many writes it takes is not known)

    def empty(self) -> None:
        self._filler.unlink()


@pytest.fixture
def volume() -> Iterator[Volume]:
    home = Path(tempfile.mkdtemp(prefix="ems-disk-"))
    home.chmod(0o755)  # the server's account must get through
    mount = ["mount", "-t", "tmpfs", "-o", f"size={VOLUME_MB}m,mode=755", "tmpfs", str(home)]
    mounted = shutil.which("mount") is not None and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield Volume(home, full=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(home)], check=True)
        shutil.rmtree(home)


async def status(up: Room) -> dict[str, Any]:
    """The desk's own words."""
    return await ask_socket(up.runtime.socket("desk"), {}) or {}


async def test_a_full_disk_suspends_cancels_leave_and_it_clears_when_there_is_room(volume: Volume) -> None:
    disk = f"\n[disk]\nwarn_mb = {volume.stop_mb}\nstop_mb = {volume.stop_mb}\nreserve_mb = {RESERVE_MB}\n"
    async with room(volume.home, disk, embedded=True) as up:
        reserves = [volume.home / "state" / place / "disk.reserve" for place in ("gateway", "postgres")]
        await until(lambda: all(one.exists() for one in reserves))
        async with asyncio.timeout(WAIT_S):
            while "VENUE" not in (await status(up)).get("sessions_up", ()):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)
        latch = kill.read_latch(up.runtime)
        await until(lambda: latch.verdict(()).level is Level.ARMED and DESK not in up.levels())  # the watchdog beats
        orders = [up.oms.order(side=1) for _ in range(ORDERS)]
        await until(lambda: len(up.oms.told) == ORDERS and "A" not in up.oms.told.values())
        assert len(up.venue.open) == ORDERS, up.oms.texts_of

        volume.fill()
        await until(lambda: up.levels().get(DESK) == "SUSPENDED")
        await until(lambda: not volume.full or not all(one.exists() for one in reserves))  # one bridges all of a volume
        told = (await status(up))["disk"]
        assert not told["up"]
        assert "MB left" in told["full"]

        before = len(up.venue.arrivals)
        refused = up.oms.order(side=1)
        for order in orders:
            up.oms.cancel(order)
        await until(lambda: not up.venue.open and all(up.oms.told.get(f"C{one}") == "4" for one in orders))
        assert [a.msg_type for a in up.venue.arrivals[before:]].count("F") == ORDERS
        assert "D" not in [a.msg_type for a in up.venue.arrivals[before:]]
        assert up.oms.told[refused] == "8"
        assert any("SUSPENDED" in text for text in up.oms.texts_of), up.oms.texts_of

        volume.empty()
        await until(lambda: up.levels().get(DESK, "ARMED") == "ARMED")
        again = up.oms.order(side=1)
        await until(lambda: len(up.venue.open) == 1 and up.oms.told.get(again) == "0")
        await until(lambda: all(one.exists() for one in reserves))
        await _told_in_the_log(up)


async def _told_in_the_log(up: Room) -> None:
    """Why and how long, every order, and a chain that holds."""
    async with kill.log_of(up.runtime) as log:
        async with asyncio.timeout(20):
            while not (await kill.service(up.runtime, log).state()).switches:  # noqa: ASYNC110 (another process tells it)
                await asyncio.sleep(0.1)
        events = [one.event async for page in log.read_pages() for one in page]
    suspended = [event for event in events if isinstance(event, ks.Suspended) and event.source == "disk"]
    assert len(suspended) == 1
    assert "MB left" in suspended[0].reason
    assert [event.source for event in events if isinstance(event, ks.Cleared)].count("disk") == 1
    assert sum(isinstance(event, po.Accepted) for event in events) == ORDERS + 2
    assert sum(isinstance(event, po.Canceled) for event in events) == ORDERS
