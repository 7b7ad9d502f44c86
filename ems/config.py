"""The configuration: one TOML file, overridden by EMS_ variables, checked whole before anything starts.

Everything that can be wrong with it is told as one sentence that names the file, the line or variable, and the field.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from domain.errors import ConfigError
from domain.session_policy import SessionPolicy
from domain.session_rules import NO_RULES, SessionRules
from ems.allocation_settings import AS_USUAL, AllocationSettings
from ems.audit_settings import AUDIT_DEFAULT, AuditSettings
from ems.broker_settings import BrokerSettings, wrong
from ems.care_settings import NO_CARE_SETTINGS, CareSettings
from ems.config_text import place, sentence
from ems.console_settings import CONSOLE_DEFAULT, ConsoleSettings
from ems.disk_settings import DISK_DEFAULT, DiskSettings
from ems.exports.settings import NOTHING_SAID, ReportingSettings
from ems.failover_settings import FAILOVER_DEFAULT, FailoverSettings
from ems.kill_settings import KILL_DEFAULT, KillSettings
from ems.market_settings import ClockSettings, ObserverSettings, VenueSettings
from ems.monitoring_settings import MonitoringSettings
from ems.observe_settings import OBSERVE_DEFAULT, ObserveSettings
from ems.pace import Pace
from ems.pace_settings import PaceSettings
from ems.quoting_settings import QuotingSettings
from ems.risk_settings import RiskSettings
from ems.sealing_settings import SEALING_DEFAULT, SealingSettings
from ems.watch_settings import WatchSettings

Mode = Literal["PAPER", "LIVE"]
Port = Annotated[int, Field(ge=1, le=65535)]
ANY_SYMBOL: Final = "*"
FIX_DEFAULT: Final = "FIX.4.4"
MAIN_GROUP: Final = "main"


class _Part(BaseModel):
    """A table of the file: nothing unknown in it, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Session(_Part):
    """One FIX session, seen from our side; names are for ever: events carry them."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    role: Literal["client", "venue", "marketdata", "dropcopy"]
    kind: Literal["acceptor", "initiator"]
    group: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,11}$")] = MAIN_GROUP  # its sessions share one FIX engine's process
    sender_comp_id: Annotated[str, Field(min_length=1)]
    target_comp_id: Annotated[str, Field(min_length=1)]
    host: str = "127.0.0.1"
    port: Port
    begin_string: Literal["FIX.4.2", "FIX.4.4", "FIXT.1.1"] | None = None  # None: its profile's, FIX.4.4 without one
    heart_bt_int_s: Annotated[int, Field(ge=1, le=3600)] = 30
    reset: Literal["continue", "logon"] | None = None  # None: its profile's, continue without one
    profile: Path | None = None  # what the counterparty's FIX says otherwise: a TOML file
    environment: Mode = "PAPER"
    symbols: tuple[str, ...] = ()
    allowed_addresses: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # of a drop copy: the client sessions and the accounts it is told of, all by default
    accounts: tuple[str, ...] = ()
    allocation: AllocationSettings = AS_USUAL
    rules: SessionRules = NO_RULES
    levers: tuple[Literal["mass_cancel", "logout"], ...] = ()  # of a venue's: what the kill switch can do there


class Settings(_Part):
    """The whole file. Paths are absolute once it is loaded."""

    mode: Mode = "PAPER"
    name: str = "desk"  # who leads, in the log's head
    state_directory: Path = Path("var/ems")
    database_url: str = ""  # empty: the embedded Postgres in the state directory
    database_owner_url: str = ""  # for migrations; empty: database_url
    home_time_zone: str = "America/New_York"  # whose date is the trade date
    instruments: Path | None = None  # folder of reference data; none: the built-in sample
    bars: Path | None = None  # folder of one-minute bars, or of `ems tape tables`, that volume curves are learned from
    sessions: tuple[Session, ...] = ()
    routes: Mapping[str, str] = {}
    brokers: tuple[BrokerSettings, ...] = ()  # FIXatdl files of brokers' algorithms
    wire_days: Annotated[int, Field(ge=0)] = 30  # how many days back the gateway keeps raw messages; 0: all
    clock: ClockSettings = ClockSettings()
    pace: PaceSettings = PaceSettings()
    console: ConsoleSettings = CONSOLE_DEFAULT
    venue: VenueSettings | None = None
    observer: ObserverSettings | None = None
    quoting: QuotingSettings | None = None  # market making; none: no quoter runs
    risk: RiskSettings = RiskSettings()
    kill: KillSettings = KILL_DEFAULT
    disk: DiskSettings = DISK_DEFAULT
    care: CareSettings = NO_CARE_SETTINGS
    watchdog: WatchSettings = WatchSettings()
    observe: ObserveSettings = OBSERVE_DEFAULT
    monitoring: MonitoringSettings | None = None  # none: no monitor runs
    audit: AuditSettings = AUDIT_DEFAULT
    reporting: ReportingSettings = NOTHING_SAID
    sealing: SealingSettings = SEALING_DEFAULT
    failover: FailoverSettings = FAILOVER_DEFAULT

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for check in (self._one_mode, self._names, self._copied, self._routed, self._simulated, self._apart):
            if why := check():
                raise ValueError(why)
        return self

    def _one_mode(self) -> str:
        for session in self.sessions:
            if session.environment != self.mode:
                return f"a {self.mode} desk does not log on to session {session.name}, which is {session.environment}"
        if self.mode == "LIVE" and (self.venue is not None or self.clock.kind != "wall"):
            return "a LIVE desk has no simulated venue and runs on the wall's clock"
        if self.failover.host and not (self.database_url and self.watchdog.enabled):
            return "one of several hosts ([failover] host) needs a database_url that all of them use, and its watchdog"
        return self.watchdog.not_live(self.mode)

    def _names(self) -> str:
        names = [session.name for session in self.sessions]
        if twice := [name for name in names if names.count(name) > 1]:
            return f"two sessions have the name {twice[0]}"
        try:
            ZoneInfo(self.home_time_zone)
        except (OSError, ValueError, KeyError):
            return f"home_time_zone {self.home_time_zone!r} is no time zone, such as America/New_York"
        return ""

    def _copied(self) -> str:
        clients = {session.name for session in self.sessions if session.role == "client"}
        for s in self.sessions:
            if s.role != "dropcopy" and (s.sources or s.accounts):
                return f"only a dropcopy session has sources and accounts, but {s.name} is a {s.role} session"
            if unknown := sorted(set(s.sources) - clients):
                return f"session {s.name} copies {unknown[0]!r}, which is none of the client sessions {sorted(clients)}"
        return ""

    def _routed(self) -> str:
        venues = {session.name for session in self.sessions if session.role == "venue"}
        for symbol, session in self.routes.items():
            if session not in venues:
                return f"the route of {symbol} leads to {session!r}, which is none of the venue sessions {sorted(venues)}"
        if self.sessions and ANY_SYMBOL not in self.routes and len(venues) != 1:
            return f'routes needs a line "{ANY_SYMBOL}" = "<venue session>" for symbols without a route of their own'
        clients = {session.name for session in self.sessions if session.role == "client"}
        return wrong(self.brokers, venues) or self.care.wrong(clients, self.kill.house_accounts)

    def _simulated(self) -> str:
        if self.venue is not None and self.venue.tape is not None and len(self.venue.symbols) != 1:
            return f"a tape is of one instrument, but the simulated venue lists {len(self.venue.symbols)}"
        if self.venue is not None and self.venue.tape is not None and self.clock.kind != "tape":
            return "a venue on a tape needs a tape clock"
        if self.venue is not None and not self.venue_clients():
            return f"no venue session connects to the simulated venue (target_comp_id {self.venue.comp_id}, its port)"
        accounts = self.venue.ouch.accounts if self.venue is not None and self.venue.ouch is not None else {}
        if twice := sorted(set(accounts) & set(self.venue_clients())):
            return f"{twice[0]} is a FIX client of the simulated venue and an OUCH account of it"
        return ""

    def _apart(self) -> str:
        own: dict[int, str] = {}
        groups: dict[int, str] = {}
        for session in self.sessions:
            if session.kind == "acceptor":
                own[session.port] = f"session {session.name}"
                if groups.setdefault(session.port, session.group) != session.group:
                    return f"port {session.port} is listened on by the groups {groups[session.port]} and {session.group}"
        for what, port in (
            ("the simulated venue", self.venue.port if self.venue else None),
            ("the simulated venue's OUCH", self.venue.ouch.port if self.venue and self.venue.ouch else None),
            ("the console", self.console.port if self.console.enabled else None),
        ):
            if port is not None and own.setdefault(port, what) != what:
                return f"{own[port]} and {what} both want port {port}"
        return ""

    def groups(self) -> tuple[str, ...]:
        """The session groups in the order of the file; one where there are no sessions."""
        return tuple(dict.fromkeys(session.group for session in self.sessions)) or (MAIN_GROUP,)

    def venue_clients(self) -> tuple[str, ...]:
        """CompIDs under which our order sessions log on to the simulated venue."""
        there = (self.venue.comp_id, self.venue.port) if self.venue is not None else None
        return tuple(s.sender_comp_id for s in self.sessions if s.role == "venue" and (s.target_comp_id, s.port) == there)

    def route(self, symbol: str) -> str:
        """The venue session that child orders of a symbol go to."""
        only = next((s.name for s in self.sessions if s.role == "venue"), "")
        return self.routes.get(symbol) or self.routes.get(ANY_SYMBOL) or only

    def policies(self) -> dict[str, SessionPolicy]:
        """What is agreed with each client about its orders, by session."""
        return {s.name: SessionPolicy(allocation=s.allocation.policy()) for s in self.sessions if s.role == "client"}

    def scheduler_pace(self) -> Pace:
        """The pace in the desk's clock."""
        return self.pace.pace(self.clock.speed)

    def ports(self) -> list[tuple[str, str, int]]:
        """Every port that we listen on: what for, the host, the port."""
        everywhere = "0.0.0.0"  # noqa: S104 (the FIX engine knows no other way; who may connect is checked by address)
        listening = [(f"session {s.name}", everywhere, s.port) for s in self.sessions if s.kind == "acceptor"]
        if self.venue is not None:
            listening.append(("the simulated venue", self.venue.host, self.venue.port))
            if self.venue.ouch is not None:
                listening.append(("the simulated venue's OUCH", self.venue.ouch.host, self.venue.ouch.port))
        if self.console.enabled:
            listening.append(("the console", self.console.host, self.console.port))
        return list({port: (what, host, port) for what, host, port in reversed(listening)}.values())[::-1]


class _Loaded(BaseSettings, Settings):
    """Settings from a file's values, overridden by EMS_ variables: EMS_DATABASE_URL, EMS_CONSOLE__PORT, ..."""

    model_config = SettingsConfigDict(env_prefix="EMS_", env_nested_delimiter="__", frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the library calls it so)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load(path: Path) -> Settings:
    """Read and check a configuration file.

    Raises:
        ConfigError: it cannot be read, is not TOML, or says something that cannot be run.
    """
    values, text = _read(path)
    return check(values, name=str(path), text=text, folder=path.resolve().parent)


def state_directory(path: Path) -> Path:
    """Where the run of a configuration file keeps its state; of the file nothing else is looked at. Raises ConfigError."""
    said = os.environ.get("EMS_STATE_DIRECTORY") or _read(path)[0].get("state_directory")
    default: Path = Settings.model_fields["state_directory"].default
    return (path.resolve().parent / str(said or default)).resolve()


def _read(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_text("utf-8")
    except OSError as cause:
        raise ConfigError(f"{path} cannot be read: {cause.strerror} (ems init writes one)") from cause
    except UnicodeDecodeError as cause:
        raise ConfigError(f"{path}: byte {cause.start} is not UTF-8") from cause
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as cause:
        raise ConfigError(f"{path} is not TOML: {cause}") from cause


def check(values: dict[str, Any], *, name: str, text: str = "", folder: Path | None = None) -> Settings:
    """Settings from values already parsed; relative paths are taken from folder.

    Raises:
        ConfigError: as load.
    """
    try:
        loaded = _Loaded(**values)
    except ValidationError as cause:
        error = cause.errors()[0]
        raise ConfigError(f"{place(name, text, error['loc'])}{sentence(error)}") from cause
    settings = Settings.model_validate(loaded.model_dump())
    return settings if folder is None else _absolute(settings, folder)


def _absolute(settings: Settings, folder: Path) -> Settings:
    changed: dict[str, Any] = {"state_directory": (folder / settings.state_directory).resolve()}
    changed["sealing"] = settings.sealing.under(folder)
    for field in ("instruments", "bars"):
        if (value := getattr(settings, field)) is not None:
            changed[field] = (folder / value).resolve()
    changed["audit"], changed["observe"] = settings.audit.under(folder), settings.observe.under(folder)
    if settings.kill.persons is not None:
        changed["kill"] = settings.kill.model_copy(update={"persons": (folder / settings.kill.persons).resolve()})
    if settings.venue is not None and settings.venue.tape is not None:
        changed["venue"] = settings.venue.model_copy(update={"tape": (folder / settings.venue.tape).resolve()})
    changed["sessions"] = tuple(
        s if s.profile is None else s.model_copy(update={"profile": (folder / s.profile).resolve()}) for s in settings.sessions
    )
    return settings.model_copy(update={**changed, "brokers": tuple(broker.under(folder) for broker in settings.brokers)})
