"""`ems up` between two raw peers, an OMS and a venue, on real sockets and a real log, for tests that play both."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from ems.loopback import free_ports
from tests.acceptance.conftest import Program, watched
from tests.adapters.fix.raw import RawPeer

CONFIGURATION = """
mode = "PAPER"
state_directory = "state"

[[sessions]]
name = "OMS"
role = "client"
kind = "acceptor"
sender_comp_id = "EMS"
target_comp_id = "OMS"
port = {client}
{of_oms}

[[sessions]]
name = "VENUE"
role = "venue"
kind = "initiator"
sender_comp_id = "EMS"
target_comp_id = "VENUE"
port = {venue}
{of_venue}

{more}

[routes]
"*" = "VENUE"

[console]
enabled = false
"""


@contextlib.asynccontextmanager
async def between(
    home: Path,
    *,
    of_oms: str = "",
    of_venue: str = "",
    more: str = "",
    files: Mapping[str, str] | None = None,
    oms_begin_string: str = "FIX.4.4",
) -> AsyncIterator[tuple[RawPeer, RawPeer]]:
    """Everything running and logged on: the OMS and the venue. It must end in order, with nothing in its error output.

    Args:
        of_oms, of_venue: further lines of these sessions of the configuration.
        more: further tables of it.
        files: what it names, written beside it.
        oms_begin_string: the version that the OMS speaks; its session has to speak it too.
    """
    with watched(Program(home)) as program:
        client_port, venue_port = free_ports(2)
        said = CONFIGURATION.format(client=client_port, venue=venue_port, of_oms=of_oms, of_venue=of_venue, more=more)
        for name, text in {"ems.toml": said, **(files or {})}.items():
            (home / name).write_text(text)
        venue, oms = RawPeer("VENUE", "EMS"), RawPeer("OMS", "EMS")
        oms.begin_string = oms_begin_string
        await venue.listen(venue_port)
        up = program.start("up")
        try:
            assert up.stdout is not None
            printed = []
            while "is up" not in (line := await asyncio.to_thread(up.stdout.readline)):
                printed.append(line)
                assert line, "".join(printed)
            await oms.connect(client_port)
            await venue.take(lambda m: m["35"] == "A")
            yield oms, venue
        finally:
            await oms.close()
            await venue.close()
            up.send_signal(signal.SIGINT)
            await asyncio.to_thread(up.communicate, timeout=60)
    assert up.returncode == 0
