"""`ems up` between an OMS of the tests and two scripted counterparties: one whose session stays up, one that shakes it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from ems.certify_table import SESSIONS, Script
from ems.loopback import free_port
from tests.acceptance.conftest import ROOT, Program
from tests.acceptance.fix.oms import Mailbox, Oms
from tests.acceptance.fix.peer import Peer
from tests.acceptance.fix.versions import Fields, Version

UP_S: Final = 60.0
ANSWER_S: Final = 25.0
STEADY, SHAKY = "STEADY", "SHAKY"  # symbols, and the venue sessions that they go to
SAMPLE: Final = ROOT / "adapters" / "reference" / "sample"


class CertifyRoom:
    """The system, its counterparties and its client, as `open_room` yields them."""

    def __init__(self, home: Path, version: Version) -> None:
        self.version = version
        self.program = Program(home)
        self.ports = {name: free_port() for name in ("OMS", STEADY, SHAKY)}
        self.processes: list[subprocess.Popen[str]] = []
        self.peer = Peer(version, "OMS", "EMS")
        self.oms = Oms(self.peer)
        self.peer.received = self.oms.received

    def configure(self) -> None:
        """Write configuration and reference data."""
        folder = self.program.home / "instruments"
        shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("manifest.toml"))  # it is of the sample as it is
        rows = [f'{name},"{name}",XSIM,EUR,,,1,1,US' for name in (STEADY, SHAKY)]
        head = "symbol,name,mic,currency,isin,figi,lot,multiplier,tick_table"
        (folder / "instruments.csv").write_text("\n".join([head, *rows]) + "\n")
        (folder / "identifiers.csv").write_text("symbol,source,id\n")
        sessions = [self._session("OMS", "client", "acceptor")]
        sessions += [self._session(name, "venue", "initiator") for name in (STEADY, SHAKY)]
        text = f'mode = "PAPER"\nstate_directory = "state"\ninstruments = "instruments"\n{"".join(sessions)}\n'
        text += f'[routes]\n"*" = "{STEADY}"\n{SHAKY} = "{SHAKY}"\n[console]\nenabled = false\n'
        (self.program.home / "ems.toml").write_text(text)

    def _session(self, name: str, role: str, kind: str) -> str:
        return (
            f'\n[[sessions]]\nname = "{name}"\nrole = "{role}"\nkind = "{kind}"\nsender_comp_id = "EMS"\n'
            f'target_comp_id = "{name}"\nport = {self.ports[name]}\nheart_bt_int_s = 5\n'
            f'begin_string = "{self.version.begin_string}"\n'
        )

    async def start(self) -> None:
        """Everybody is logged on when this returns."""
        for name in (STEADY, SHAKY):
            self.processes.append(self.program.start("venue", "--certify", "--session", name))
        self.processes.append(self.program.start("up"))
        async with asyncio.timeout(UP_S):
            for process, word in zip(self.processes, ("is open", "is open", "is up"), strict=True):
                await asyncio.to_thread(_until_said, process, word)
            await self.peer.connect(self.ports["OMS"])
            await asyncio.to_thread(self._venues_up)

    def _venues_up(self) -> None:
        """Ask the desk until both venues are there."""
        up: set[str] = set()
        while not {STEADY, SHAKY} <= up:
            up = set(json.loads(self.program.run("health", "--json").stdout)["desk"].get("sessions_up", ()))

    async def stop(self) -> list[int]:
        """End everything in order; the exit statuses."""
        await self.peer.close()
        for process in reversed(self.processes):
            process.send_signal(signal.SIGINT)
            await asyncio.to_thread(process.communicate, timeout=60)
        return [process.returncode for process in self.processes]


class Played:
    """What a client is told of one order of the table."""

    def __init__(self, room: CertifyRoom, script: Script) -> None:
        self._room, self.script = room, script
        self.box = Mailbox()
        self.reports: list[Fields] = []
        self._asked = False

    async def play(self) -> None:
        """Send what is to be sent and take what comes, until all that is expected has come or nothing more does."""
        self._send("D")
        for _ in self.script.told or ("",):
            try:
                async with asyncio.timeout(ANSWER_S if self.script.told else 8):
                    self.reports.append(await self.box.messages.get())
            except TimeoutError:
                return
            if self.script.request and not self._asked:
                self._asked = True
                self._send("F" if self.script.request == "cancel" else "G")

    async def ask(self) -> None:
        """How it stands, behind everything else that was told: what came in between is kept."""
        self._send("H")
        try:
            async with asyncio.timeout(ANSWER_S):
                while (message := await self.box.messages.get()).get("150") != "I":
                    self.reports.append(message)
        except TimeoutError:
            self.reports.append({"35": "no answer to the question at the end"})

    def told(self) -> tuple[str, ...]:
        """As the table writes it."""
        return tuple(
            f"9/{m['39']}/{m['102']}" if m["35"] == "9" else f"{m['150']}/{m['39']}" if m["35"] == "8" else m["35"]
            for m in self.reports
        )

    def _send(self, kind: str) -> None:
        number = self.script.quantity
        last = next((m for m in reversed(self.reports) if m.get("150") == "5"), None)
        name = f"C{number}R" if kind in "FG" or (kind == "H" and last is not None) else f"C{number}"
        self._room.oms.watch(name, self.box)
        symbol = SHAKY if self.script in SESSIONS else STEADY
        fields = {"11": name, "55": symbol, "54": "1", "60": now()}
        if kind in "FG":
            fields["41"] = f"C{number}"
        if kind in "DG":
            quantity = number if kind == "D" else 2 * number
            stop = {"40": "4", "99": "51"} if number // 100 == 17 else {"40": "2"}
            force = {"59": "1" if self.script.good_till_cancel else "0"}
            fields |= {"1": f"A{number}", "38": str(quantity), "44": "50", **stop, **force}
        if kind == "H":
            fields.pop("60")
        self._room.peer.send(kind, fields)


def now() -> str:
    """TransactTime of this moment."""
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


def inconsistent(reports: list[Fields]) -> str:
    """What is wrong with the quantities of an order's reports, empty where nothing is."""
    seen: set[str] = set()
    executions: defaultdict[str, Decimal] = defaultdict(Decimal)
    for m in (m for m in reports if m["35"] == "8"):
        if m["17"] in seen:
            return f"ExecID {m['17']} twice"
        seen.add(m["17"])
        if m["150"] in "GH":
            executions[m["19"]] = Decimal(0)
        if m["150"] in "FG":
            executions[m["17"]] = Decimal(m["32"])
        if Decimal(m["14"]) != sum(executions.values()):
            return f"CumQty (14) is {m['14']}, but executions make {sum(executions.values())}"
        leaves = max(Decimal(0), Decimal(m["38"]) - Decimal(m["14"]))
        if Decimal(m["151"]) not in (leaves, Decimal(0)) or (m["39"] in "01" and Decimal(m["151"]) != leaves):
            return f"LeavesQty (151) is {m['151']} of {m['38']} with {m['14']} filled, and the order {m['39']}"
    return ""


def _until_said(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if word in line:
            return
    raise AssertionError(f"it ended: {''.join(said)}")


@contextlib.asynccontextmanager
async def open_room(home: Path, version: Version) -> AsyncIterator[CertifyRoom]:
    """Everything, running and logged on; all of it ended when the block ends."""
    room = CertifyRoom(home, version)
    room.configure()
    try:
        await room.start()
        yield room
    finally:
        statuses = await room.stop()
    assert statuses == [0, 0, 0], "everybody ends in order"
