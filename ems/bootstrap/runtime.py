"""What the supervisor tells its children: settings, database, shared tape time, where everything lies. One private file."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from adapters.clock import TapeClock, TapeTime, WallClock
from domain.errors import ConfigError
from domain.ports import Clock
from ems.config import MAIN_GROUP, Settings

STAMPS: Final = "commits.stamps"  # of the desk's commits, for who makes traces
_SOCKET_PATH_MAX: Final = 90  # of the 103 bytes that a Unix socket's name may have on every system


class Runtime(BaseModel):
    """One run of the system."""

    model_config = ConfigDict(frozen=True)

    settings: Settings
    app_dsn: str = ""  # reads and appends
    owner_dsn: str = ""  # migrates
    tape_origin_ns: int = 0  # wall time at which the tape clock's start is played

    # ------------------------------------------------------------------------------------------ places

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.settings.state_directory

    @property
    def logs(self) -> Path:
        """One file of JSON lines for each process."""
        return self.state / "logs"

    @property
    def voucher_key(self) -> Path:
        """What the api vouches for its signed-in people with."""
        return self.state / "api.key"

    @property
    def invite_file(self) -> Path:
        """The one-time link by which the first account is made."""
        return self.state / "console.invite"

    @property
    def venue_directory(self) -> Path:
        """Ledger and FIX store of the simulated venue."""
        return self.state / "venue"

    @property
    def venue_ledger(self) -> Path:
        """The simulated venue's own ledger."""
        return self.venue_directory / "ledger.jsonl"

    @property
    def kill_directory(self) -> Path:
        """The kill switch's latch, and what of it the log has yet to be told."""
        return self.state / "kill"

    @property
    def latch(self) -> Path:
        """The kill switch's latch."""
        return self.kill_directory / "latch"

    @property
    def exposure(self) -> Path:
        """The firm's exposure as numbers, from the desk to the quoter."""
        return self.kill_directory / "exposure"

    @property
    def metrics(self) -> Path:
        """Readings that the processes leave for the watchdog."""
        return self.kill_directory / "metrics"

    @property
    def persons(self) -> Path:
        """Who may re-arm."""
        return self.settings.kill.persons or self.kill_directory / "persons.json"

    @property
    def quoter_directory(self) -> Path:
        """The quoter's runs: each with its journal."""
        return self.state / "quoter"

    def gateway_directory(self, group: str = MAIN_GROUP) -> Path:
        """Spool, live orders and FIX store of a session group's gateway."""
        return self.state / of_group("gateway", group)

    @property
    def embedded(self) -> Path | None:
        """The embedded database's directory, None where the settings name a database."""
        return None if self.settings.database_url else self.state / "postgres"

    def socket(self, name: str) -> Path:
        """A Unix socket of this run: in the state directory, or where the name is short enough for a socket."""
        return socket_directory(self.state) / f"{name}.sock"

    # ------------------------------------------------------------------------------------------ clock

    def clock(self) -> Clock:
        """The desk's clock, the same in every process of the run."""
        settings = self.settings.clock
        if settings.kind == "wall" or settings.start is None:
            return WallClock()
        origin_ns = self.tape_origin_ns or WallClock().now_ns()  # not yet told: the day has not begun, it stands at its start
        return TapeClock(TapeTime(int(settings.start.timestamp()) * 1_000_000_000, origin_ns, settings.speed))

    # ------------------------------------------------------------------------------------------ the file

    def walled(self) -> Self:
        """What a quoter's process is told: no database, and nobody's session or broker."""
        settings: dict[str, object] = {
            "database_url": "",
            "database_owner_url": "",
            "sessions": (),
            "routes": {},
            "brokers": (),
            "venue": None,
        }
        return self.model_copy(update={"settings": self.settings.model_copy(update=settings), "app_dsn": "", "owner_dsn": ""})

    def save(self, name: str = "runtime.json") -> Path:
        """Write the file for the children; it holds passwords, so it is the owner's alone."""
        path = self.state / name
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.model_dump_json(indent=1))
        fresh.replace(path)
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file of a run. Raises ConfigError when there is none."""
        try:
            return cls.model_validate_json(path.read_text())
        except OSError as cause:
            raise ConfigError(f"nothing has been started in {path.parent}: {path.name} is missing") from cause


def of_group(name: str, group: str) -> str:
    """The name of a file, socket or process of a session group's gateway; the main group's are without its name."""
    return name if group == MAIN_GROUP else f"{name}-{group}"


def socket_directory(state: Path) -> Path:
    """Where a state directory's sockets lie."""
    name = f"ems-{os.getuid()}-{hashlib.sha256(os.fsencode(state)).hexdigest()[:16]}"
    places = (state / "sockets", Path(tempfile.gettempdir()) / name, Path("/tmp") / name)  # noqa: S108 (the last resort)
    length_max = _SOCKET_PATH_MAX - len("/gateway-control-123456789012.sock")  # with the longest name of a group
    directory = next((place for place in places if len(os.fsencode(place)) <= length_max), places[-1])
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
