"""The gateway as a process: starts in a fixed order, runs until told to stop, logs out, and ends at once."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import quickfix as fix

from adapters.fix.attendant import Attendant
from adapters.fix.control import ControlSocket
from adapters.fix.ending import leave_process, log_out
from adapters.fix.engine import EngineApplication, EngineLogs
from adapters.fix.gateway import Gateway
from adapters.fix.pulse import Pulse
from adapters.fix.sessions import GatewayConfig, settings_text
from adapters.fix.tally import Tally
from adapters.fix.wire_journal import WireJournal
from adapters.fix.wire_segments import WIRE_FOLDER
from domain.disk import Reserve
from domain.errors import ConfigError
from domain.flight import Recorder
from domain.lead import LeadMark
from domain.ports import KillLatch, Metrics

log = logging.getLogger(__name__)
EXIT_CONFIG = 2
LOOK_S: Final = 0.05  # at who leads
_SWITCH_INTERVAL_S = 0.0005  # a thread that computes must not hold up the engine's callbacks for the default 5 ms


class Host(NamedTuple):
    """What a gateway shares with the other processes of its host; any of it may be missing.

    Attributes:
        metrics: where its internal errors are published.
        recorder: where what its sessions did is noted; only with metrics, whose beat it is noted at.
        lead: of one of several hosts: what the host knows of who leads. Sessions are up while a desk of this host does.
        reserve: room on its volume, given away when nothing else is left.
    """

    metrics: Metrics | None = None
    recorder: Recorder | None = None
    lead: LeadMark | None = None
    reserve: Reserve | None = None


def run_gateway(config: GatewayConfig, latch: KillLatch, stop: threading.Event, host: Host | None = None) -> int:
    """Run until stop, then log out and end this process with exit status 0.

    Args:
        stop: where a signal handler sets it, one that is made for that.
        host: what else of its host the gateway is told.

    Returns:
        2, with one sentence on standard error, for a configuration that cannot be run. Otherwise it does not return.
    """
    try:
        config.check()
        lock = _own(config.directory)
        try:
            _run(config, latch, stop, host or Host())
        finally:
            os.close(lock)
    except ConfigError as error:
        sys.stderr.write(f"fix gateway: {error}\n")
        return EXIT_CONFIG


def _own(directory: Path) -> int:
    """Lock the directory for this process. Raises ConfigError when another gateway has it."""
    os.umask(0o077)  # spool, store and settings are nobody else's: they hold orders, and a password that we log on with
    directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigError(f"another gateway uses the directory {directory}") from None
    return lock


def _run(config: GatewayConfig, latch: KillLatch, stop: threading.Event, host: Host) -> NoReturn:
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    logs = EngineLogs()
    gateway = Gateway(config, latch, host.lead, host.reserve)
    logs.events = gateway
    wire = WireJournal(config.directory / WIRE_FOLDER, gateway.slots, config.wire_days)
    logs.wire, gateway.sender.wire = wire.of, wire
    wire.start()
    application = EngineApplication(gateway, logs)
    gateway.sender.register = application.sends_here
    pulse = Pulse(host.metrics, config.directory.name) if host.metrics is not None else None
    if pulse is not None:
        gateway.sender.count_error = pulse.add
        if host.recorder is not None:
            pulse.each = Tally(gateway.slots, gateway.port.health, host.recorder).note
        pulse.start()
    engines = _engines(config, application, logs)
    gateway.port.start()
    if host.lead is None:
        gateway.set_numbers(config.hello_wait_s)
    attendant = Attendant(gateway.slots, gateway.keeper, gateway.port)
    control = ControlSocket(
        config.control_path,
        {
            "health": lambda _: {**gateway.health(), **wire.health()},
            "sessions": lambda _: attendant.sessions(),
            "cancel_all": gateway.emergency.cancel_all,
            "kill": gateway.emergency.told,
            "stop": attendant.stop,
            "start": attendant.start,
        },
    )
    gateway.fence.await_desk(gateway.hello_came, stop)
    if not stop.is_set():
        if host.lead is not None:
            gateway.set_numbers(config.hello_wait_s)
        _serve(config, gateway, engines, stop)
    control.close()
    gateway.emergency.close()
    gateway.keeper.close()
    sessions = [slot.session() for slot in gateway.slots]
    log_out(sessions, lambda: any(slot.up for slot in gateway.slots), why="the gateway stops", wait_s=config.logout_wait_s)
    gateway.close()
    wire.close()
    if pulse is not None:
        pulse.close()
    leave_process()  # from here, where the engines are still held: to destroy one that runs crashes like stopping it


def _serve(config: GatewayConfig, gateway: Gateway, engines: list[fix.Acceptor | fix.Initiator], stop: threading.Event) -> None:
    """Hold the sessions until told to stop, or a desk of another host leads: its gateway logs on when this one has left."""
    for engine in engines:
        _start(engine, config)
    gateway.keeper.start()
    gateway.emergency.start()
    log.info("fix gateway runs, %d sessions", len(config.sessions))
    while not stop.wait(LOOK_S):
        if gateway.fence.elsewhere():
            log.warning("another host leads: the sessions are left to it")
            return


def _engines(config: GatewayConfig, application: EngineApplication, logs: EngineLogs) -> list[fix.Acceptor | fix.Initiator]:
    """One engine of a kind at most, each with one thread. Acceptors first: their ports may be taken."""
    engines: list[fix.Acceptor | fix.Initiator] = []
    for (kind, tls), make in _ENGINES.items():
        sessions = [session for session in config.sessions if (session.kind, session.rules.tls) == (kind, tls)]
        if sessions:
            path = config.directory / f"{'tls-' if tls else ''}{kind}.settings"
            path.write_text(settings_text(sessions, config.directory / "store"))
            try:
                settings = fix.SessionSettings(str(path))
                engines.append(getattr(fix, make)(application, fix.FileStoreFactory(settings), settings, logs))
            except fix.ConfigError as error:
                raise ConfigError(_refused(str(error), sessions[0].name)) from error
    return engines


_ENGINES: Final = {
    ("acceptor", False): "SocketAcceptor",
    ("acceptor", True): "SSLSocketAcceptor",
    ("initiator", False): "SocketInitiator",
    ("initiator", True): "SSLSocketInitiator",
}


def _refused(error: str, session: str) -> str:
    if "HAVE_SSL" in error:
        return f"FIX session {session}: this build of QuickFIX has no TLS, so let stunnel carry it as docs/fix-tls.md shows"
    return f"the FIX engine refuses its settings: {error}"


def _start(engine: fix.Acceptor | fix.Initiator, config: GatewayConfig) -> None:
    try:
        engine.start()
    except fix.FIXException as error:
        ports = sorted({str(session.port) for session in config.sessions if session.kind == "acceptor"})
        raise ConfigError(f"cannot listen on port {' or '.join(ports)}: {error}") from error
