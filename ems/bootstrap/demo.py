"""What the demo needs of the wings: the sample, the tape's beginning, the log, and the venue's own ledger as a judge."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from adapters.clock import WallClock
from adapters.marketdata.lobster import midnight_ns
from adapters.postgres.event_log import PostgresEventLog
from adapters.reference import files
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from domain.instrument import ReferenceData
from domain.ports import EventLog
from domain.values import E9, from_e9
from ems.bootstrap.runtime import Runtime
from ems.projections import Projections

_OPEN_S = 34_200  # New York's session begins at 09:30


def sample_data() -> ReferenceData:
    """The built-in instruments and calendars."""
    return files.load_sample()


def tape_open(path: Path) -> datetime:
    """When a recorded day begins, by the date in its file's name.

    Raises:
        ConfigError: there is no such file.
        ReferenceDataError: there is no date in its name.
    """
    if not path.exists():
        raise ConfigError(f"there is no tape {path}")
    return datetime.fromtimestamp(midnight_ns(path.name) // E9 + _OPEN_S, UTC)


def open_log(runtime: Runtime) -> PostgresEventLog:
    """The log of a run, to read."""
    return PostgresEventLog(runtime.app_dsn, TOPICS, WallClock())


class Follower:
    """The demo's own eyes: the log's events as the terminal's rows, read apart from the console."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.rows = Projections()

    async def run(self) -> None:
        """Follow until cancelled. Raises LogError: a demo whose database is gone is over."""
        async for recorded in self._log.subscribe(after_seq=self.rows.seq):
            self.rows.apply(recorded)


@dataclass(frozen=True, slots=True)
class Agreement:
    """An order in our log and in the venue's own ledger."""

    children: int
    fills: int
    quantity: Decimal
    venue_quantity: Decimal
    agrees: bool  # the same executions, each with the same quantity and price


def judge_venue(runtime: Runtime, rows: Projections, parent: str) -> Agreement:
    """Compare the fills of a parent with what the venue wrote down about its children, execution by execution."""
    found = rows.of_parent(parent) or {"children": [], "fills": []}
    ids = {child["cl_ord_id"] for child in found["children"]}
    ours = {fill["exec_id"]: (Decimal(fill["quantity"]), Decimal(fill["price"])) for fill in found["fills"]}
    theirs: dict[str, tuple[Decimal, Decimal]] = {}
    order_ids: set[str] = set()
    for line in map(json.loads, runtime.venue_ledger.read_text("utf-8").splitlines()):
        if line["k"] == "order" and {line["cl_ord_id"], line["orig_cl_ord_id"]} & ids:
            order_ids.add(line["order_id"])
        if line["k"] == "exec" and line["order_id"] in order_ids:
            theirs[line["exec_id"]] = (from_e9(line["quantity_e9"]), from_e9(line["price_e9"]))
    quantities = [sum((quantity for quantity, _ in side.values()), Decimal()) for side in (ours, theirs)]
    return Agreement(len(ids), len(ours), quantities[0], quantities[1], ours == theirs)
