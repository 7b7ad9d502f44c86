"""`ems load`: from a directory of files to a day that is open."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.reference import start_of_day, write
from adapters.reference.start_of_day import Checked, Progress
from domain.catalogue import TOPICS
from domain.day_load import Load, Manifest, Problem
from domain.day_rows import cells
from domain.errors import ReferenceDataError
from domain.parent_order import ParentOrder
from domain.values import from_e9
from ems import opening
from ems.bootstrap.build import build_digest
from ems.bootstrap.database import log_to_append
from ems.bootstrap.day import kept, today
from ems.config import Settings
from ems.opening import Outcome


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a load. check: only look; trade_date: None is today."""

    folder: Path
    trade_date: date | None = None
    check: bool = False
    amend: bool = False
    person: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found and done. carried: orders for a person to decide on, each as plain values."""

    trade_date: date
    checked: Checked
    problems: tuple[Problem, ...] = ()
    outcome: Outcome | None = None
    carried: list[dict[str, Any]] = field(default_factory=list)


def load_day(settings: Settings, wish: Wish, progress: Progress) -> Report:
    """Check a directory and, where nothing is wrong and more than a look was asked for, open the day with it.

    Raises:
        ReferenceDataError: the files cannot be kept.
        ConfigError: the state directory is in use by something else than a running EMS, or belongs to another mode.
        LogError: the log cannot be reached.
    """
    on = wish.trade_date or today(settings)
    checked = start_of_day.check(wish.folder, on, progress)
    if wish.check or checked.opened is None:
        return Report(on, checked, checked.problems)
    assert checked.manifest is not None
    load = Load(checked.manifest, wish.person, wish.amend, wish.reason)
    store = kept(settings)
    for content in checked.contents.values():
        store.put(content)  # before the event that names them
    with log_to_append(settings) as dsn:
        outcome, carried = asyncio.run(_record(dsn, load, checked))
    if isinstance(outcome, Problem):
        return Report(on, checked, (outcome,))
    return Report(on, checked, (), outcome, [order_row(parent) for parent in carried])


async def _record(dsn: str, load: Load, checked: Checked) -> tuple[Outcome | Problem, list[ParentOrder]]:
    clock = WallClock()
    assert checked.opened is not None
    async with PostgresEventLog(dsn, TOPICS, clock) as log:
        outcome = await opening.record(log, load, now_ns=clock.now_ns(), build=build_digest())
        return outcome, await opening.carried_orders(log, checked.opened.actions)


def order_row(parent: ParentOrder) -> dict[str, Any]:
    """An order as plain values; prices and quantities are decimal text."""
    terms = parent.terms
    limit_e9 = terms.limit_price_e9
    return {
        "cl_ord_id": parent.cl_ord_id,
        "session": parent.client_session,
        "symbol": parent.instrument,
        "side": parent.side.value,
        "quantity": f"{from_e9(terms.quantity_e9):f}",
        "filled": f"{from_e9(parent.cum_quantity_e9):f}",
        "limit": "" if limit_e9 is None else f"{from_e9(limit_e9):f}",
        "time_in_force": terms.time_in_force.value,
    }


# --------------------------------------------------------------------------------------- directories


def write_sample(folder: Path, on: date) -> Manifest:
    """Write an example that loads for a trade date. Raises ReferenceDataError."""
    return write.write_sample(folder, on)


def write_manifest(folder: Path, on: date, *, base_currency: str, calendar: str, source: str) -> Manifest:
    """Write the manifest of a directory. Raises ReferenceDataError."""
    if not folder.is_dir():
        raise ReferenceDataError(f"there is no directory {folder}")
    return write.write_manifest(folder, {"trade_date": on, "base_currency": base_currency, "calendar": calendar}, source)


def action_cells(report: Report) -> list[dict[str, str]]:
    """The corporate actions that take effect with the day, as text."""
    opened = report.checked.opened
    return [] if opened is None else [cells(action) for action in opened.actions]
