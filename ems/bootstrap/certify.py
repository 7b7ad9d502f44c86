"""The scripted counterparty's process: the other end of a venue session, or whatever a client's EMS connects to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import structlog

from adapters.clock import WallClock
from adapters.fix.dialect import Dialect
from adapters.fix.dialect_42 import Fix42
from adapters.fix.sessions import DICTIONARIES, DICTIONARY
from adapters.fix.venue_front import FrontConfig, VenueFront
from domain.errors import ConfigError
from ems import ending
from ems.bootstrap.logs import log_plain
from ems.bootstrap.profiles import begin_string
from ems.certify import CertifyVenue
from ems.config import Settings
from ems.preflight import check_ports, state_lock

_log = structlog.get_logger("certify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparty:
    """Who it is and who may log on. Market data is for the client's CompID with "-MD" behind it."""

    comp_id: str
    client: str
    port: int
    directory: Path
    host: str = "127.0.0.1"
    begin_string: str = "FIX.4.4"


def counterparty(settings: Settings, session: str = "") -> Counterparty:
    """The other end of a venue session of a configuration.

    Args:
        session: its name; the first venue session by default.

    Raises:
        ConfigError: there is none, it is not one that connects, or it has a profile.
    """
    found = [one for one in settings.sessions if one.role == "venue" and session in ("", one.name)]
    if not found:
        raise ConfigError(
            f"the configuration has no venue session{f' {session}' if session else ''} whose other end could be played"
        )
    one = found[0]
    if one.kind != "initiator" or one.profile is not None:
        raise ConfigError(f"session {one.name} must be an initiator without a profile for its other end to be played")
    directory = settings.state_directory / f"certify-{one.name}"
    return Counterparty(
        comp_id=one.target_comp_id,
        client=one.sender_comp_id,
        port=one.port,
        directory=directory,
        host=one.host,
        begin_string=begin_string(one),
    )


def run_certify(party: Counterparty) -> NoReturn:
    """Perform the table's scripts until SIGTERM or SIGINT; then log everybody out and end with status 0.

    Raises:
        ConfigError: the version is not spoken, the port is taken, or another process has the directory.
    """
    if party.begin_string not in DICTIONARIES:
        raise ConfigError(f"{party.begin_string} is not spoken here, only {', '.join(DICTIONARIES)}")
    log_plain()
    stop = ending.on_signals()
    party.directory.mkdir(parents=True, exist_ok=True)
    with state_lock(party.directory):
        check_ports([("the scripted counterparty", party.host, party.port)])
        store = party.directory / "store"
        front = VenueFront(
            FrontConfig(
                party.host, party.port, party.comp_id, (party.client,), store, dictionary=DICTIONARY,
                begin_string=party.begin_string, dialect=Dialect((Fix42(),)) if party.begin_string == "FIX.4.2" else None,
            )
        )  # fmt: skip
        venue = CertifyVenue(party.comp_id, WallClock())
        venue.start(front)
        _log.info("the scripted counterparty is open", comp_id=party.comp_id, client=party.client, port=party.port)
        venue.run(stop)
        front.leave()
