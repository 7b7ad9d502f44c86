"""`ems day`: the steps of a trade date's start and end on a real system, each from what is there, none from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.reference import files, start_of_day
from domain import day_procedure as dp
from domain.calendar import Calendar
from domain.carried_terms import Adjusted, CarriedTerms, adjusted
from domain.catalogue import TOPICS
from domain.day_checks import Opened
from domain.day_procedure import DayProcedure, Part, Step
from domain.errors import ConfigError, SealError
from domain.instrument import Instrument
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.ports import Clock, EventLog
from domain.values import E9, from_e9
from ems import day_procedure, opening, recovery
from ems.bootstrap import breaks, exporting, kill, sealing
from ems.bootstrap.build import build_digest
from ems.bootstrap.database import log_to_append
from ems.bootstrap.day import date_of
from ems.bootstrap.runtime import Runtime
from ems.config import Settings
from ems.day_procedure import Do, Who
from ems.exports.archive import parts

SEAL_WAIT_S = 10.0
SHOWN = 5


class Wish(NamedTuple):
    """What is asked for.

    Attributes:
        market: a MIC; by default that of the files that the day was loaded with.
        to: where archives and bundle go.
    """

    part: Part
    person: str
    trade_date: str = ""
    market: str = ""
    to: Path | None = None
    waive: Step | None = None
    reason: str = ""


async def run(settings: Settings, wish: Wish, tell: Callable[[str], None]) -> tuple[str, DayProcedure]:
    """Do what is left of it; the trade date, and where it stands then. Raises as `ems.day_procedure.run` and `waive`."""
    runtime = kill.runtime_of(settings)
    clock = runtime.clock()
    on = wish.trade_date or date_of(settings)(clock.now_ns())
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            who = Who(on, wish.part, wish.person, build_digest())
            if wish.waive is not None:
                await day_procedure.waive(log, clock, who, wish.waive, wish.reason)
            day = _Day(settings, runtime.model_copy(update={"app_dsn": dsn}), log, clock, wish, date.fromisoformat(on))
            return on, await day_procedure.run(log, clock, who, day.steps(), tell=tell)


async def status(settings: Settings, trade_date: str) -> tuple[str, dict[Part, DayProcedure]]:
    """Where both parts of a date stand. Raises LogError."""
    on = trade_date or date_of(settings)(kill.runtime_of(settings).clock().now_ns())
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            return on, {part: await day_procedure.standing(log, on, part) for part in dp.STEPS}


class _Day:
    """One date's steps."""

    def __init__(self, settings: Settings, runtime: Runtime, log: EventLog, clock: Clock, wish: Wish, on: date) -> None:
        self._settings, self._runtime, self._log, self._clock = settings, runtime, log, clock
        self._wish, self._on = wish, on

    def steps(self) -> Mapping[Step, Do]:
        """How each is done."""
        return {
            Step.CALENDAR: self._calendar, Step.YESTERDAY: self._yesterday, Step.FILES: self._files, Step.CARRIED: self._carried,
            Step.CLOSED: self._closed, Step.ORDERS: self._orders, Step.BREAKS: self._breaks, Step.SEALED: self._sealed,
            Step.ARCHIVED: self._archived, Step.BUNDLED: self._bundled,
        }  # fmt: skip

    # -------------------------------------------------------------------------------------------------- start

    async def _market(self) -> Calendar:
        """The calendar of the firm's days."""
        folder = self._settings.instruments
        data = await asyncio.to_thread(files.load, folder or files.SAMPLE)
        loaded = await opening.of_day(self._log, self._on)
        mic = self._wish.market or (loaded.loaded.calendar if loaded is not None else "") or sorted(data.calendars)[0]
        if mic not in data.calendars:
            raise ConfigError(f"--market {mic} has no calendar; there are {', '.join(sorted(data.calendars))}")
        return data.calendars[mic]

    async def _calendar(self) -> str:
        market = await self._market()
        if not market.is_trading_day(self._on):
            opens = market.date_at(market.next_open(market.midnight_ns(self._on)))
            why = "a weekend" if self._on.weekday() not in market.weekdays else "a holiday"
            raise ConfigError(f"{market.mic} does not trade on {self._on}, {why}: it opens next on {opens}")
        half = ", a half day" if market.is_half_day(self._on) else ""
        return f"{market.mic} trades until {_utc(market.open_close_ns(self._on)[1])}{half}"

    async def _yesterday(self) -> str:
        before = (await self._market()).previous_trading_day(self._on)
        if (await self._log.head()).seq == 0 or not await self._traded(before):
            return f"nothing was recorded on {before}"
        ended = await day_procedure.standing(self._log, before.isoformat(), "end")
        if (step := dp.next_step(ended, "end")) is not None:
            raise ConfigError(f"{before} has not been ended, it stands before {step}: ems day end --trade-date {before}")
        return f"{before} was ended"

    async def _traded(self, on: date) -> bool:
        """Was there a parent order on that date?"""
        state = await recovery.fold(self._log)
        return any(isinstance(one, ParentOrder) and one.trade_date == on.isoformat() for one in state.parents.values())

    async def _files(self) -> str:
        found = await opening.of_day(self._log, self._on)
        if found is not None:
            return f"{len(found.loaded.files)} files, version {found.version}, loaded by {found.loaded.person}"
        if self._settings.mode == "LIVE":
            raise ConfigError(f"nothing is loaded for {self._on}: ems load DIRECTORY --trade-date {self._on}")
        return "nothing is loaded; a PAPER desk takes what its configuration names"

    async def _carried(self) -> str:
        carried = [
            one
            for one in (await recovery.fold(self._log)).parents.values()
            if isinstance(one, ParentOrder) and one.live and one.carried and one.trade_date < self._on.isoformat()
        ]
        opened = await asyncio.to_thread(self._opened)
        universe = (await asyncio.to_thread(files.load, self._settings.instruments or files.SAMPLE)).universe
        known = [(one, universe.get(one.instrument)) for one in carried] if opened is not None else []
        told = [word for one, of in known if of and opened and (word := expected(one, of, opened, self._on))]
        return "; ".join([f"{len(carried)} orders are carried", *told])

    def _opened(self) -> Opened | None:
        folder = self._settings.instruments
        return None if folder is None else start_of_day.check(folder, self._on).opened

    # ---------------------------------------------------------------------------------------------------- end

    async def _closed(self) -> str:
        closes_ns = (await self._market()).open_close_ns(self._on)[1]
        ends_ns = closes_ns + self._settings.scheduler_pace().close_grace_ns
        if (left_ns := ends_ns - self._clock.now_ns()) > 0:
            raise ConfigError(f"the market closes at {_utc(closes_ns)}: the day can be ended in {left_ns // E9} s")
        return f"closed at {_utc(closes_ns)}"

    async def _orders(self) -> str:
        state = await recovery.fold(self._log)
        live = [one for one in map(state.parent, state.working) if one.trade_date <= self._on.isoformat()]
        open_ = [one.cl_ord_id for one in live if not (one.carried and one.status is OrdStatus.DONE_FOR_DAY)]
        if open_:
            raise ConfigError(f"{len(open_)} orders have not ended their day: {', '.join(open_[:SHOWN])}")
        return f"all have ended; {len(live)} are carried to the next day"

    async def _breaks(self) -> str:
        found = [one for one in await breaks.open_breaks(self._settings) if one["trade_date"] <= self._on.isoformat()]
        if found:
            raise ConfigError(f"{len(found)} breaks are open: {', '.join(one['break'] for one in found[:SHOWN])}")
        return "none is open"

    async def _sealed(self) -> str:
        seq = (await self._log.head()).seq
        async with PostgresSealedLog(self._runtime.app_dsn) as sealed:
            for _ in range(int(SEAL_WAIT_S / 0.5)):
                head = await sealed.last_head()
                if head is not None and head.size >= seq:
                    break
                await asyncio.sleep(0.5)
            else:
                raise SealError(f"event {seq} is not sealed: is the sealer up (ems health)?")
        report = await sealing.verified(self._runtime, None, None)
        if not report.ok:
            raise SealError(f"the chain does not verify: {report.faults[0]}")
        return f"head {head.number} vouches for {head.size} events, root {head.root.hex()[:16]}; the chain verifies"

    async def _archived(self) -> str:
        before = self._on.isoformat()  # a day whose last events are still to come, these among them, is archived by the next one
        if not await self._sealed_before(before):
            return f"nothing is sealed of a day before {before}"
        done = await exporting.archive(self._settings, self._to(), before=before, person=self._wish.person)
        return f"{', '.join(one.file.name for one in done)} in {self._to()}" if done else "every earlier day is archived already"

    async def _sealed_before(self, before: str) -> bool:
        async with PostgresSealedLog(self._runtime.app_dsn) as sealed:
            head = await sealed.last_head()
        zone = ZoneInfo(self._settings.home_time_zone)
        async with PostgresEventLog(self._runtime.app_dsn, TOPICS, WallClock()) as log:
            return bool(await parts(log, before, zone, head.size if head is not None else 0))

    async def _bundled(self) -> str:
        path = self._to() / f"bundle-{self._on}.tar"
        done = await exporting.export(
            self._settings, path, day=self._on.isoformat(), person=self._wish.person, purpose="the end of the day"
        )
        told: dict[str, Any] = done.told()
        return f"{path.name}, SHA-256 {told['sha256'][:16]}, {told['predicted_errors']} errors are to be expected"

    def _to(self) -> Path:
        to = self._wish.to or self._settings.state_directory / "archive"
        to.mkdir(parents=True, exist_ok=True)
        return to


def expected(order: ParentOrder, instrument: Instrument, opened: Opened, on: date) -> str:
    """What the actions of a day make of an order that is carried into it, "" where they concern it not."""
    actions = [one for one in opened.actions if order.instrument in (one.symbol, one.old_symbol) and one.kind != "rename"]
    if not actions:
        return ""
    said = order.terms.instructions
    before = CarriedTerms(
        order.terms.quantity_e9 - order.cum_quantity_e9, order.terms.limit_price_e9, said.stop_price_e9 if said else None
    )
    price_e9 = before.limit_price_e9 or before.stop_price_e9 or E9
    after = adjusted(
        before, order.side, said.exec_inst if said else "", actions,
        tick_e9=instrument.tick_e9(price_e9, on), lot_e9=instrument.lot_e9,
    )  # fmt: skip
    return f"{order.cl_ord_id} {_words(before)} is to be {_outcome(after)} ({after.why})"


def _outcome(after: Adjusted) -> str:
    return "canceled" if after.terms is None else _words(after.terms)


def _words(terms: CarriedTerms) -> str:
    prices = (("at", terms.limit_price_e9), ("stop", terms.stop_price_e9))
    return " ".join([f"{from_e9(terms.quantity_e9):f}", *(f"{word} {from_e9(e9):f}" for word, e9 in prices if e9 is not None)])


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // E9, UTC):%F %H:%M} UTC"
