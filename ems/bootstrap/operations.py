"""What a person does to FIX sessions while the system runs: the supervisor's own door, behind `ems sessions`.

Each act is written by the desk before it is done. A new configuration is checked whole before anything is touched; then
only the gateways of the groups that it changes are started again. The desk goes over to it between two batches.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from adapters.fix.profile import Profile
from domain.errors import ConfigError, EmsError
from ems.bootstrap.brokers import brokers
from ems.bootstrap.desk_words import CONFIGURE
from ems.bootstrap.gateway import gateway_config
from ems.bootstrap.profiles import profiles
from ems.bootstrap.runtime import Runtime, of_group
from ems.bootstrap.system import System, gateway_child
from ems.config import Settings, load
from ems.health import StatusSocket, ask_socket
from ems.peer import proving
from ems.preflight import check_ports

DOOR: Final = "supervisor"  # the socket's name
ASK_S: Final = 180.0  # a reload starts processes
_CHANGED: Final = ("sessions", "routes")  # what a reload may change


@dataclass(frozen=True, slots=True)
class Change:
    """From one configuration to another.

    Attributes:
        gone, made, changed: session groups.
        acts: what is written of each session: its name, its group, what is done.
    """

    gone: tuple[str, ...]
    made: tuple[str, ...]
    changed: tuple[str, ...]
    acts: tuple[tuple[str, str, str], ...]


class Operations:
    """Answers the door.

    Args:
        config: the file that `reload` reads; None where the run has none.
    """

    def __init__(self, system: System, config: Path | None) -> None:
        self._system = system
        self._config = config
        self._profiles: Mapping[str, Profile] = profiles(system.runtime.settings)
        self._lock = asyncio.Lock()  # one act at a time
        self._socket = StatusSocket(
            system.runtime.socket(DOOR), self._status,
            proving(system.runtime.persons, self._command, relayed=False, voucher_key=system.runtime.voucher_key),
        )  # fmt: skip

    async def start(self) -> None:
        """Listen."""
        await self._socket.start()

    async def close(self) -> None:
        """Stop listening, after what is being done."""
        async with self._lock:
            await self._socket.close()

    def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"halted": self._system.supervisor.halted()}

    async def _command(self, asked: dict[str, Any]) -> dict[str, Any]:
        acts = {"stop": self._one, "start": self._one, "restart": self._one, "reload": self._reload}
        act, actor, reason = (str(asked.get(word, "")) for word in ("command", "actor", "reason"))
        if act not in acts or not actor or not reason:
            return {"ok": False, "text": f"a command is one of {', '.join(acts)}, with an actor and a reason"}
        async with self._lock:
            try:
                return {"ok": True, "text": await acts[act](asked)}
            except EmsError as error:
                return {"ok": False, "text": str(error)}

    # --------------------------------------------------------------------------------------- one of them

    async def _one(self, asked: dict[str, Any]) -> str:
        """Stop, start or restart a session, or the gateway of a group."""
        act, named, group = (str(asked.get(word, "")) for word in ("command", "session", "group"))
        sessions = self._system.runtime.settings.sessions
        concerned = [s for s in sessions if (s.name == named if named else s.group == group)]
        if not concerned or bool(named) == bool(group):
            raise ConfigError(f"there is no session {named!r}" if named else f"there is no session group {group!r}")
        await self._written(asked, tuple((s.name, s.group, act) for s in concerned))
        for step in ("stop", "start") if act == "restart" else (act,):
            await (self._session(step, named, concerned[0].group) if named else self._gateway(step, group))
        did = {"stop": "stopped", "start": "started", "restart": "started again"}[act]
        return f"session {named} is {did}" if named else f"the gateway of group {group} is {did}"

    async def _session(self, act: str, name: str, group: str) -> None:
        control = self._system.runtime.socket(of_group("gateway-control", group))
        answer = await ask_socket(control, {"command": act, "session": name})
        if not isinstance(answer, str):
            raise ConfigError(f"the gateway of group {group} does not answer")

    async def _gateway(self, act: str, group: str) -> None:
        supervisor, name = self._system.supervisor, of_group("gateway", group)
        await (supervisor.halt(name) if act == "stop" else supervisor.go(name))

    async def _written(self, asked: dict[str, Any], acts: tuple[tuple[str, str, str], ...]) -> None:
        """Have the desk write it first. Raises ConfigError where it does not: what is not written is not done."""
        if not acts:
            return
        question = {
            "command": "operate_sessions",
            "command_id": uuid4().hex,
            "actor": asked["actor"],
            "acts": acts,
            "reason": asked["reason"],
        }
        answer = await ask_socket(self._system.runtime.socket("desk"), question, timeout_s=15)
        if answer is None or not answer.get("ok"):
            raise ConfigError((answer or {}).get("text") or "the desk does not answer, and what is not written is not done")

    # ------------------------------------------------------------------------------------------- reload

    async def _reload(self, asked: dict[str, Any]) -> str:
        """Read the configuration again and go over to it. Raises ConfigError, and then nothing has changed."""
        if self._config is None:
            raise ConfigError("this run has no configuration file")
        before = self._system.runtime
        after = before.model_copy(update={"settings": load(self._config)})
        told = profiles(after.settings)
        change = compare(before, after)
        if not change.acts and after.settings == before.settings and told == self._profiles:
            return "nothing has changed"
        await self._written(asked, change.acts)
        try:
            await self._go_over(after, change)
        except EmsError as error:
            await self._go_back(before, change)
            text = f"{asked['reason']}: {error}"[:500]
            await self._written({**asked, "reason": text}, tuple((name, group, "fail") for name, group, _ in change.acts))
            raise ConfigError(f"{error}; everything is as it was") from error
        self._profiles = told
        return "; ".join(f"{name}: {act}" for name, _, act in change.acts) or "the desk has the new configuration"

    async def _go_over(self, after: Runtime, change: Change) -> None:
        supervisor = self._system.supervisor
        for group in (*change.gone, *change.changed):
            await supervisor.halt(of_group("gateway", group))
        self._system.runtime, file = after, after.save()
        await self._desk_told(change)
        for group in change.changed:
            await supervisor.go(of_group("gateway", group))
        for group in change.made:
            await supervisor.add(gateway_child(after, group, file), before="desk")
        for group in change.gone:
            await supervisor.remove(of_group("gateway", group))

    async def _go_back(self, before: Runtime, change: Change) -> None:
        """As it was, where something of the new configuration refused to start."""
        supervisor = self._system.supervisor
        names = supervisor.names()
        for group in change.made:
            if of_group("gateway", group) in names:
                await supervisor.remove(of_group("gateway", group))
        for group in change.changed:
            await supervisor.halt(of_group("gateway", group))
        self._system.runtime = before
        before.save()
        try:
            await self._desk_told(change)
        except ConfigError:
            await self._desk_again()
        for group in (*change.changed, *change.gone):
            await supervisor.go(of_group("gateway", group))

    async def _desk_told(self, change: Change) -> None:
        """Have the desk go over to the runtime's file as it is now. It goes on trading meanwhile. Raises ConfigError."""
        question = {"command": CONFIGURE, "restarted": (*change.gone, *change.changed)}
        answer = await ask_socket(self._system.runtime.socket("desk"), question, timeout_s=15)
        if answer is None or not answer.get("ok"):
            raise ConfigError((answer or {}).get("text") or "the desk does not answer")

    async def _desk_again(self) -> None:
        """The last resort: start the desk with the runtime's file as it is now, and wait until it leads."""
        await self._system.supervisor.halt("desk")
        await self._system.supervisor.go("desk")
        async with asyncio.timeout(ASK_S):
            while (await self._system.desk_status()).get("state") != "leading":  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def operated(system: System, config: Path | None) -> AsyncIterator[None]:
    """The door is open while the block runs."""
    operations = Operations(system, config)
    await operations.start()
    try:
        yield
    finally:
        await operations.close()


def compare(before: Runtime, after: Runtime) -> Change:
    """What going over would do. Raises ConfigError for what cannot be gone over to while the system runs."""
    old, new = before.settings, after.settings
    _allowed(old, new)
    brokers(new)
    groups = (old.groups(), new.groups())
    made = tuple(group for group in groups[1] if group not in groups[0])
    gone = tuple(group for group in groups[0] if group not in groups[1])
    for group in groups[1]:
        gateway_config(after, group).check()
    listened = {port for _, _, port in old.ports()}
    check_ports([one for one in new.ports() if one[2] not in listened])
    changed = tuple(g for g in groups[1] if g in groups[0] and gateway_config(before, g) != gateway_config(after, g))
    return Change(gone, made, changed, tuple(_acts(old, new, changed)))


def _allowed(old: Settings, new: Settings) -> None:
    same = new.model_copy(update={field: getattr(old, field) for field in _CHANGED})
    if same != old:
        differs = next(field for field in type(old).model_fields if getattr(same, field) != getattr(old, field))
        raise ConfigError(f"{differs} cannot be changed while the system runs, only {' and '.join(_CHANGED)}: start it again")
    if not new.sessions:
        raise ConfigError("a system that runs keeps at least one session")
    if new.venue is not None and new.venue_clients() != old.venue_clients():
        raise ConfigError("the simulated venue knows its sessions from its start on: start the system again to change them")


def _acts(old: Settings, new: Settings, changed: tuple[str, ...]) -> list[tuple[str, str, str]]:
    known, wanted = ({session.name: session for session in settings.sessions} for settings in (old, new))
    acts = [(name, session.group, "remove") for name, session in known.items() if name not in wanted]
    for name, session in wanted.items():
        if name not in known:
            acts.append((name, session.group, "add"))
        elif session != known[name]:
            acts.append((name, session.group, "change"))
        elif session.group in changed:
            acts.append((name, session.group, "restart"))
    return acts


async def rows(runtime: Runtime) -> list[dict[str, Any]]:
    """Every session of the configuration as it stands."""
    groups = runtime.settings.groups()
    controls = [runtime.socket(of_group("gateway-control", group)) for group in groups]
    asked = [ask_socket(control, {"command": "sessions"}) for control in controls]
    door, *told = await asyncio.gather(ask_socket(runtime.socket(DOOR), {}), *asked)
    halted = set((door or {}).get("halted", ()))
    known: dict[str, dict[str, Any]] = {one["name"]: one for answer in told for one in answer or ()}
    sessions = runtime.settings.sessions
    return [_row(session, known.get(session.name), of_group("gateway", session.group) in halted) for session in sessions]


def _row(session: Any, told: dict[str, Any] | None, halted: bool) -> dict[str, Any]:
    row = {"session": session.name, "group": session.group, "role": session.role, "kind": session.kind}
    if told is None:
        why = "its gateway was stopped by hand" if halted else "its gateway does not answer"
        return {**row, "up": False, "why": why, "inbound": None, "outbound": None, "heard_ns": None, "waiting": None}
    numbers = {name: told[name] for name in ("inbound", "outbound", "reset_epoch", "heard_ns", "waiting")}
    return {**row, "up": told["up"], "why": told["stopped"], **numbers}
