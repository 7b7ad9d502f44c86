"""The FIX gateway's process."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from adapters.disk import DiskReserve
from adapters.fix.dialect_42 import PARTY_TAGS
from adapters.fix.process import Host, run_gateway
from adapters.fix.profile_steps import own_tags
from adapters.fix.sessions import GatewayConfig, SessionConfig
from adapters.shm.lead import SharedLead
from adapters.shm.metrics import SharedMetrics
from domain.disk import MB
from ems import ending, lifeline
from ems.bootstrap import kill
from ems.bootstrap.brokers import order_tags
from ems.bootstrap.build import build_digest
from ems.bootstrap.logs import recorder_of
from ems.bootstrap.profiles import begin_string, profile_of
from ems.bootstrap.runtime import Runtime, of_group
from ems.config import MAIN_GROUP, Session, Settings


def run(runtime_file: Path, group: str = MAIN_GROUP) -> int:
    """Run one session group's gateway until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    lifeline.watch()
    config = replace(gateway_config(runtime, group), build=build_digest())
    reserve = DiskReserve(config.directory, runtime.settings.disk.reserve_mb * MB)
    reserve.watch()
    host = Host(
        SharedMetrics(runtime.metrics),
        recorder_of(runtime.state, of_group("gateway", group)),
        SharedLead(runtime.lead) if runtime.settings.failover.host else None,
        reserve,
    )
    return run_gateway(config, kill.read_latch(runtime), ending.on_signals(), host)


def gateway_config(runtime: Runtime, group: str = MAIN_GROUP) -> GatewayConfig:
    """A session group's part of the configuration. Raises ConfigError and ReferenceDataError for a file that cannot be used."""
    return GatewayConfig(
        directory=runtime.gateway_directory(group),
        link_path=runtime.socket(of_group("link", group)),
        control_path=runtime.socket(of_group("gateway-control", group)),
        sessions=tuple(_with_list_tags(runtime.settings, s) for s in runtime.settings.sessions if s.group == group),
        environment=runtime.settings.mode,
        wire_days=runtime.settings.wire_days,
        house_accounts=runtime.settings.kill.house_accounts,
    )


def session_config(session: Session) -> SessionConfig:
    """A session as the FIX wing takes it. Raises ConfigError for a profile that cannot be meant."""
    profile = profile_of(session)
    known = {field.name for field in fields(SessionConfig)}
    values = {name: getattr(session, name) for name in type(session).model_fields if name in known}
    values["begin_string"] = begin_string(session)
    values["reset"] = session.reset or (profile.reset if profile is not None else "continue")
    return SessionConfig(**values)


def _with_list_tags(settings: Settings, session: Session) -> SessionConfig:
    """A session whose client may put the tags of its profile, and of every broker's algorithm, into the orders of a list."""
    config = session_config(session)
    if session.role != "client":
        return config
    profile = profile_of(session)
    tags = {*order_tags(settings), *(own_tags(profile) if profile is not None else ())}
    if config.begin_string == "FIX.4.2":
        tags.update(PARTY_TAGS)
    return replace(config, list_tags=tuple(sorted(tags)))


def oms_session(settings: Settings, name: str = "") -> SessionConfig | None:
    """The other end of a client session: what a small OMS logs on with. None where there is no such session.

    Args:
        name: of the session; the first client session by default.
    """
    for session in settings.sessions:
        if session.role == "client" and name in ("", session.name):
            host = "127.0.0.1" if session.host == "0.0.0.0" else session.host  # noqa: S104 (anyone may connect: so may we)
            return SessionConfig(
                name=session.name,
                role="client",
                kind="initiator",
                sender_comp_id=session.target_comp_id,
                target_comp_id=session.sender_comp_id,
                host=host,
                port=session.port,
                begin_string=begin_string(session),
                heart_bt_int_s=session.heart_bt_int_s,
                environment=session.environment,
            )
    return None
