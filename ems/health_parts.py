"""What the answers of processes come to: which part of the system is well, what is wrong with it, and what to do.

Pure: an answer of None is a process that did not answer in time, dead, hung or stopped alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from domain.disk import DiskTerms, Room, free_mb, judge

Told = Mapping[str, Any] | None
Part = dict[str, Any]
TURNED_MS_MAX: Final = 5_000
SILENT: Final = "does not answer"

# What to do about a part that is red, by the first word of its name.
REMEDIES: Final[Mapping[str, str]] = {
    "supervisor": "nothing that ends is started again: end what is left of `ems up` and start it anew",
    "database": "see logs/postgres.jsonl, or the server of database_url; no new risk is taken until it answers",
    "gateway": "see logs/gateway.jsonl; it is started again after half a minute. `ems kill status` tells what is stopped",
    "sessions": "`ems sessions list` says why; ask the counterparty's desk, then `ems sessions restart`",
    "desk": "see logs/desk.jsonl; while it is away the gateway alone can cancel: `ems kill hard`",
    "planners": "orders go on by their last plan; the pool replaces a worker that is lost, else restart the desk",
    "observer": "plans are made without foresight; look at the market data session and logs/desk.jsonl",
    "risk": "risk is the desk's: see desk",
    "kill": "the latch cannot be read, which counts as tripped: see docs/kill-switch.md",
    "watchdog": "nothing new leaves without its beat; see logs/watchdog.jsonl and `ems kill status`",
    "audit_watch": "clock and reconciliation are not watched; see logs/audit_watch.jsonl",
    "clock": "`ems clock now` and the host's chrony or PTP: stamps may be wrong by more than is allowed",
    "monitor": "alerts are neither raised nor sent; see logs/monitor.jsonl",
    "sealer": "the log grows unsealed; see logs/sealer.jsonl and docs/sealing.md",
    "venue": "the simulated venue: see logs/venue.jsonl",
    "quoter": "the venue cancels its quotes; see logs/quoter.jsonl",
    "quote_journal": "quoting is suspended before the ring is full; see logs/quote_journal.jsonl",
    "tracer": "orders are not traced, trading is not touched; see logs/tracer.jsonl",
    "api": "console and metrics are away, trading is not; see logs/api.jsonl",
    "disk": "make room: docs/retention.md says what may go. A full disk suspends, and cancels still leave",
}


def part(up: bool, why: str, told: Told = None) -> Part:
    """An entry: `up`, and where it is not `why`; then what the process says of itself."""
    return {**(told or {}), "up": up, **({} if up else {"why": why})}


def answering(told: Told) -> Part:
    """Of a process that is well when it answers."""
    return part(told is not None, SILENT, told)


def with_state(told: Told, *wanted: str) -> Part:
    """Of a process that must have come to a state, or to another that is as good."""
    if told is None:
        return part(False, SILENT)
    return part(told.get("state") in wanted, f"is {told.get('state')}, not {wanted[0]}", told)


def sealer(told: Told) -> Part:
    """Of the sealer, which says itself whether it seals."""
    return part(False, SILENT) if told is None else part(bool(told["up"]), str(told["state"]), told)


def quoter(told: Told) -> Part:
    """Of the quoter, whose loop must turn: its answers come from a thread beside it."""
    if told is None:
        return part(False, SILENT)
    return part(told["turned_ms"] < TURNED_MS_MAX, f"has not turned for {told['turned_ms']} ms", told)


def venue_sessions(gateways: Iterable[Told], ours: Sequence[str]) -> Part:
    """Sessions that we depend on. One that is kept down on purpose is told, and no fault. ours: their names."""
    known = {str(one["name"]): one for told in gateways if told for one in told.get("sessions") or ()}
    kept = sorted(name for name in ours if name in known and known[name].get("stopped"))
    down = sorted(name for name in ours if name not in kept and not known.get(name, {}).get("up"))
    return part(not down, f"{', '.join(down)} not logged on", {"down": down, "kept_down": kept})


def workers(told: Sequence[Mapping[str, Any]] | None, what: str) -> Part:
    """Processes that the desk keeps: each has a pid and a state as the system tells it."""
    if told is None:
        return part(False, "the desk does not answer, and it alone knows them")
    bad = [one for one in told if one["state"] not in ("running", "sleeping", "disk-sleep", "idle", "waking")]
    why = f"no {what} runs" if not told else ", ".join(f"{what} {one['pid']} is {one['state']}" for one in bad)
    return part(bool(told) and not bad, why, {"pids": [one["pid"] for one in told]})


def clock(told: Told, *, live: bool) -> Part:
    """Of the host's clock as it was measured last: an excursion is red everywhere, an unknown clock on a LIVE desk."""
    if told is None:
        return part(False, "nobody measures it: audit_watch does not answer")
    state = str(told.get("clock", "unknown"))
    shown = {name: told[name] for name in ("source", "offset_ns", "uncertainty_ns", "limit_ns") if name in told}
    return part(state != "excursion" and not (live and state != "within"), f"is {state}", {"state": state, **shown})


def disk(rooms: Sequence[Room], terms: DiskTerms) -> Part:
    """Of the volumes that a run writes to: red when one is full, or does not answer; `low` is the warning before."""
    word = judge(rooms, terms)
    return part(not word.stops, word.stops, {"low": word.warns, "free_mb": free_mb(rooms)})


def judged(parts: Mapping[str, Part]) -> dict[str, Any]:
    """The whole: `up`, `red` by name, and beside each red part what to do about it."""
    told = {name: one if one["up"] else {**one, "do": REMEDIES[name.partition("-")[0]]} for name, one in parts.items()}
    red = [name for name, one in told.items() if not one["up"]]
    return {"up": not red, "red": red, **told}
