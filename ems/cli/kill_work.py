"""What the commands of `ems kill` do, with each part that may be dead left out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from domain import kill_host
from domain import kill_switch as ks
from domain.errors import LatchUnreadable, LogError
from domain.kill_host import KillHosts
from domain.kill_latch import Source
from domain.kill_refusal import KillRefusal
from domain.kill_scope import Scope
from domain.kill_switch import KillSwitches
from domain.kill_table import Level
from domain.values import E9
from ems.bootstrap import kill
from ems.bootstrap.runtime import Runtime
from ems.config import Settings
from ems.kill import KillService
from ems.kill_drill import LOG_S, SEEN_S, drill, flushed
from ems.persons import Persons

Told = dict[str, Any]


@contextlib.asynccontextmanager
async def _service(runtime: Runtime) -> AsyncIterator[KillService]:
    async with kill.log_of(runtime) as log:
        yield kill.service(runtime, log)


async def trip_scope(settings: Settings, scope: Scope, level: Level, actor: str, reason: str, wait_s: float) -> Told:
    """Latch, gateways, log, proof, in this order. Only the first must work."""
    runtime = kill.runtime_of(settings)
    tripped = kill.service(runtime, None).trip(scope, level, actor=actor, reason=reason)
    told: Told = {"scope": scope.text, "level": level.name, "trip": tripped.trip, "at_ns": tripped.at_ns}
    async with _service(runtime) as service:
        seen, logged = await asyncio.gather(_seen(runtime, tripped.trip, level), flushed(service))
        report = await _report(service, tripped.trip, wait_s) if logged else None
    cancels = sum(gateway["trips"].get(tripped.trip, {}).get("cancels", 0) for gateway in seen)
    return told | {"gateways": len(seen), "cancels": cancels, "logged": logged, "report": report}


async def _seen(runtime: Runtime, trip: str, level: Level) -> list[Mapping[str, Any]]:
    """The gateways that have the trip in their latch, and, where it cancels, had the time to act."""
    deadline, found = time.monotonic() + SEEN_S, list[Mapping[str, Any]]()
    while time.monotonic() < deadline:
        gateways = await kill.ask_gateways(runtime)
        found = [gateway for gateway in gateways if trip in [slot[2] for slot in gateway["scopes"]]]
        acted = level < Level.HARD or all(trip in gateway["trips"] for gateway in found)
        if not gateways or (len(found) == len(gateways) and acted):
            break
        await asyncio.sleep(0.02)
    return found


async def _report(service: KillService, trip: str, wait_s: float) -> Told | None:
    """The proof of flat, as soon as a desk has written it."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        with contextlib.suppress(LogError):
            if reports := [event for event in await service.reports() if event.trip == trip]:
                return reports[-1].model_dump(mode="json")
        await asyncio.sleep(0.1)
    return None


async def state_of(settings: Settings) -> Told:
    """The latch's own word, and what the others say."""
    runtime = kill.runtime_of(settings)
    service = kill.service(runtime, None)
    try:
        slots, readable = service.slots(), True
    except LatchUnreadable:
        slots, readable = (), False
    told = [
        {
            "scope": slot.scope.text,
            "level": slot.effective.name,
            "trip": f"{slot.trip:016x}" if slot.trip else "",
            "since_ns": slot.since_ns,
            "paused_before_ns": slot.paused_before_ns,
            "suspended": [source.name for source in Source if source & slot.suspended],
        }
        for slot in slots
    ]
    gateways = await kill.ask_gateways(runtime)
    notes, switches, hosts = [], None, kill_host.NOBODY
    async with _service(runtime) as with_log:
        try:
            switches, hosts = await asyncio.wait_for(_told(with_log), LOG_S)
        except (LogError, TimeoutError):
            notes.append("the log does not answer")
    notes += [f"{s.scope.text}: {s.request.person} wants it armed, a second person must agree" for s in _asked(switches)]
    waiting = {s.trip: hosts.silent(s.trip) for s in switches.switches.values() if s.level} if switches else {}
    notes += [f"{', '.join(silent)} has not acknowledged trip {trip}" for trip, silent in waiting.items() if silent]
    watchdog = _watchdog(runtime)
    notes += [] if watchdog is None else [_beat_line(watchdog)]
    notes.append(f"{len(gateways)} gateways answer, {sum(g['stopped'] for g in gateways)} messages stopped")
    return {
        "readable": readable, "scopes": told, "gateways": gateways, "logged": switches is not None, "notes": notes,
        "watchdog": watchdog, "hosts": sorted(hosts.trips), "not_acknowledged": waiting,
    }  # fmt: skip


async def _told(service: KillService) -> tuple[KillSwitches, KillHosts]:
    return await service.state(), await service.hosts()


def _beat_line(watchdog: Told) -> str:
    age_s = watchdog["age_s"]
    seen = "the watchdog has not beaten yet" if age_s is None else f"the watchdog beat {age_s:.1f} s ago"
    return seen if watchdog["beats"] else f"{seen}, and {watchdog['beat_max_s']:g} s is allowed: nothing new leaves"


def _watchdog(runtime: Runtime) -> Told | None:
    """Its last beat, by the latch itself; None where the configuration has none."""
    watch = runtime.settings.watchdog
    if not watch.enabled:
        return None
    age_ns = kill.read_latch(runtime).beaten_ns()
    age_s = None if age_ns is None else round(age_ns / E9, 3)
    return {"beats": age_s is not None and age_s <= watch.beat_max_s, "age_s": age_s, "beat_max_s": watch.beat_max_s}


def _asked(switches: ks.KillSwitches | None) -> list[Any]:
    return [switch for switch in (switches.switches.values() if switches else ()) if switch.request is not None]


async def rearm_scope(settings: Settings, scope: Scope, person: str, secret: str, reason: str) -> Told:
    """One person's word."""
    runtime = kill.runtime_of(settings)
    if (refusal := Persons(runtime.persons).authenticate(person, secret)) is not None:
        return _refused(refusal)
    async with _service(runtime) as service:
        decided = await service.rearm(scope, person=person, reason=reason)
    if isinstance(decided, KillRefusal):
        return _refused(decided)
    if isinstance(decided, ks.Rearmed):
        text = f"{scope.text} is armed, agreed by {' and '.join(decided.persons)}; orders of before wait for `ems kill resume`"
        return {"ok": True, "armed": True, "text": text}
    return {"ok": True, "armed": False, "text": f"{person} wants {scope.text} armed; a second person must agree within an hour"}


async def resume_scope(settings: Settings, scope: Scope, person: str, secret: str, reason: str) -> Told:
    """A person lets the paused orders work."""
    runtime = kill.runtime_of(settings)
    if (refusal := Persons(runtime.persons).authenticate(person, secret)) is not None:
        return _refused(refusal)
    async with _service(runtime) as service:
        decided = await service.resume(scope, person=person, reason=reason)
    return _refused(decided) if isinstance(decided, KillRefusal) else {"ok": True, "text": f"orders of {scope.text} work again"}


def _refused(refusal: KillRefusal) -> Told:
    return {"ok": False, "reason": refusal.reason.value, "text": refusal.text}


async def run_drill(settings: Settings) -> Told:
    """Suspend a scope that no order has, see who notices, clear it."""
    runtime = kill.runtime_of(settings)
    groups = len(runtime.settings.groups())
    told = await drill(kill.service(runtime, None), lambda: kill.ask_gateways(runtime), groups, actor="system:drill")
    async with _service(runtime) as service:
        told["logged"] = await flushed(service)
    persons = len(Persons(runtime.persons).names())
    return told | {"persons": persons, "ok": told["gateways_seen"] == told["gateways"] and told["logged"] and persons >= 2}
