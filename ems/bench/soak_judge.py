"""The judges of `ems soak`: what must hold of the log when the load is over, whoever wrote it. Each names what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from domain import child_order as co
from domain import decision
from domain import fill as fl
from domain.event import Recorded
from domain.ports import EventLog
from domain.values import E9
from ems.bench.soak_load import LoadClient
from ems.bootstrap import sealing
from ems.bootstrap.runtime import Runtime
from ems.desk_state import DeskState

SHOWN: Final = 5


@dataclass(slots=True)
class Told:
    """What the log says, read once from its first event to its last."""

    state: DeskState = field(default_factory=DeskState)
    events: int = 0
    too_much: list[str] = field(default_factory=list)  # parents whose children were ever for more than they are
    executions: dict[str, tuple[int, int]] = field(default_factory=dict)  # ExecID -> quantity, price, at 1e-9
    twice: list[str] = field(default_factory=list)
    plan_ages_s: list[float] = field(default_factory=list)
    filled_e9: dict[str, int] = field(default_factory=dict)  # by the client's ClOrdID, the last of its chain

    def take(self, recorded: Recorded) -> None:
        """Fold one event and look at what it did."""
        event, self.events = recorded.event, self.events + 1
        state = self.state.apply(recorded.stream, event, recorded.meta, seq=recorded.seq)
        if isinstance(event, fl.Recorded):
            if event.exec_id in self.executions:
                self.twice.append(event.exec_id)
            self.executions[event.exec_id] = (event.quantity_e9, event.price_e9)
        elif isinstance(event, decision.Planned):
            self.plan_ages_s.append((recorded.meta.event_time_ns - event.request.now_ns) / E9)
        elif isinstance(event, co.Created | co.Filled):
            self._within(self.state.parent(state.parent))

    def _within(self, parent: Any) -> None:
        out_e9 = sum(parent.open_e9.values()) + parent.cum_quantity_e9
        wished = parent.pending.terms if parent.pending is not None else None  # a replace that its venue has not answered yet
        asked_e9 = max(parent.terms.quantity_e9, wished.quantity_e9 if wished is not None else 0)
        if out_e9 > asked_e9:
            self.too_much.append(f"{parent.cl_ord_id}: {out_e9 / E9:g} of {asked_e9 / E9:g}")


async def read(log: EventLog) -> Told:
    """The log, folded."""
    told = Told()
    async for page in log.read_pages():
        for recorded in page:
            told.take(recorded)
    return told


def broken(told: Told, runtime: Runtime, client: LoadClient) -> Iterator[str]:
    """What does not hold, a sentence each."""
    yield from _some("children for more than their parent", told.too_much)
    yield from _some("fills counted twice", told.twice)
    yield from _some("executions that the client was told twice", client.doubled)
    theirs = _venue_executions(runtime)
    yield from _some("executions of the venue that the log has not", [one for one in theirs if one not in told.executions])
    yield from _some("fills of the log that the venue never made", [one for one in told.executions if one not in theirs])
    other = [one for one, terms in told.executions.items() if theirs.get(one, terms) != terms]
    yield from _some("executions of another quantity or price than the venue's", other)
    ours_e9, client_e9 = sum(q for q, _ in told.executions.values()), sum(client.filled_e9.values())
    if ours_e9 != client_e9:
        yield f"the client was told of {client_e9 / E9:g} shares, the log has {ours_e9 / E9:g}"
    yield from _some("orders that have not ended", [told.state.parent(one).cl_ord_id for one in told.state.working])
    yield from _some("orders refused by the desk", client.refused)


async def unproved(runtime: Runtime) -> list[str]:
    """Faults of the hash chain and the sealed heads."""
    report = await sealing.verified(runtime, None, None)
    found = [f"the chain does not verify: {fault}" for fault in report.faults[:SHOWN]]
    return found if report.ok or found else ["the chain does not verify: nothing is sealed"]


def _some(what: str, found: list[str]) -> Iterator[str]:
    if found:
        yield f"{what}: {len(found)} ({', '.join(found[:SHOWN])})"


def _venue_executions(runtime: Runtime) -> dict[str, tuple[int, int]]:
    lines = map(json.loads, runtime.venue_ledger.read_text("utf-8").splitlines())
    return {line["exec_id"]: (line["quantity_e9"], line["price_e9"]) for line in lines if line["k"] == "exec"}


# ------------------------------------------------------------------------------------------------------- bytes


def stored(runtime: Runtime) -> dict[str, Any]:
    """What the log takes on the disk: bytes with indexes, per event, and of each topic's content."""
    with psycopg.connect(runtime.owner_dsn) as database:
        count = _one(database, "SELECT count(*) FROM events")
        size = _one(database, "SELECT pg_total_relation_size('events')")
        wal = _one(database, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        topics = database.execute("SELECT topic, count(*), sum(length(state)) FROM events GROUP BY topic").fetchall()
    by_topic = {topic: {"events": n, "bytes_each": round(size_ / n)} for topic, n, size_ in topics}
    return {"rows": count, "bytes": size, "bytes_per_event": round(size / max(count, 1)), "wal_bytes": wal, "topics": by_topic}


def _one(database: psycopg.Connection[Any], query: str) -> int:
    row = database.execute(query).fetchone()
    assert row is not None
    return int(row[0])
