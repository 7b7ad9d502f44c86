"""The opening of a day in a real log: recorded once, amended for a reason, never by two at a time; the LIVE start; the files."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.reference import start_of_day, write
from domain import day_load
from domain.catalogue import TOPICS
from domain.day_load import Load, Problem
from domain.day_rows import CorporateAction
from domain.errors import ConfigError, ReferenceDataError
from domain.event import Meta, Recorded
from domain.values import E9, TimeInForce
from ems import opening
from ems.bootstrap import day as days
from ems.bootstrap import load as loading
from ems.bootstrap.load import Wish, load_day
from ems.bootstrap.running_day import RunningDay, same_instruments
from ems.bootstrap.runtime import Runtime
from ems.config import Settings
from ems.desk_state import DeskState
from ems.opening import Outcome, record
from ems.preflight import state_lock
from ems.projections import Projections
from tests.conftest import Database
from tests.ems.room import Room

DAY = date(2026, 11, 24)


@pytest.fixture
async def log(app_dsn: str) -> AsyncIterator[PostgresEventLog]:
    async with PostgresEventLog(app_dsn, TOPICS, WallClock()) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path, database: Database) -> Settings:
    """A LIVE desk on a fresh database, in a state directory of its own."""
    return Settings(
        mode="LIVE", state_directory=tmp_path / "state", database_url=database.app_dsn, database_owner_url=database.owner_dsn
    )


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """The files of today."""
    write.write_sample(tmp_path / "day", days.today(settings))
    return tmp_path / "day"


def wish_of(folder: Path, amend: bool = False, person: str = "jane", reason: str = "") -> Load:
    manifest = start_of_day.check(folder).manifest
    assert manifest is not None
    return Load(manifest, person, amend, reason)


def change(folder: Path, old: str = "HOUSE,AMZN,1000", new: str = "HOUSE,AMZN,2000") -> None:
    path = folder / "positions.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    on = start_of_day.check(folder).manifest
    assert on is not None
    write.write_manifest(folder, {"trade_date": on.trade_date}, "")


def made(folder: Path, on: date = DAY) -> Path:
    write.write_sample(folder, on)
    return folder


# --------------------------------------------------------------------------------------------- the event


async def test_a_load_is_one_event_and_the_same_again_is_none(log: PostgresEventLog, tmp_path: Path) -> None:
    load = wish_of(made(tmp_path / "day"))
    first = await record(log, load, now_ns=5, build="b")
    assert isinstance(first, Outcome) and (first.kind, first.version) == ("loaded", 1)
    (recorded,) = await log.read(day_load.key("2026-11-24"))
    assert recorded.event == first.loaded and recorded.meta.actor == "person:jane" and recorded.meta.event_time_ns == 5
    assert {file.table: file.rows for file in first.loaded.files}["holidays"] == 627
    again = await record(log, load._replace(person="john"), now_ns=6, build="b")
    assert isinstance(again, Outcome) and (again.kind, again.version) == ("unchanged", 1)
    assert (await log.head()).seq == 1


async def test_other_files_are_refused_and_then_amended(log: PostgresEventLog, tmp_path: Path) -> None:
    folder = made(tmp_path / "day")
    await record(log, wish_of(folder), now_ns=5, build="b")
    change(folder)
    refused = await record(log, wish_of(folder), now_ns=6, build="b")
    assert isinstance(refused, Problem) and "positions would change" in refused.what
    assert (await log.head()).seq == 1
    amended = await record(log, wish_of(folder, amend=True, reason="late trade"), now_ns=7, build="b")
    assert isinstance(amended, Outcome) and (amended.kind, amended.version) == ("amended", 2)
    state = await opening.of_day(log, DAY)
    assert state is not None and state.loaded.amends == 1 and state.loaded.reason == "late trade"
    assert await opening.of_day(log, DAY + timedelta(days=1)) is None


async def test_of_two_who_load_at_once_one_opens_the_day_and_the_other_is_told(app_dsn: str, tmp_path: Path) -> None:
    one, two = made(tmp_path / "one"), made(tmp_path / "two")
    change(two)
    async with PostgresEventLog(app_dsn, TOPICS, WallClock()) as left, PostgresEventLog(app_dsn, TOPICS, WallClock()) as right:
        found = await asyncio.gather(
            record(left, wish_of(one), now_ns=5, build="b"),
            record(right, wish_of(two, person="john"), now_ns=5, build="b"),
        )
        assert sorted(type(outcome).__name__ for outcome in found) == ["Outcome", "Problem"]
        assert (await left.head()).seq == 1


def test_a_desk_that_recovers_knows_no_more_than_one_that_ran(tmp_path: Path) -> None:
    event = day_load.decide(None, wish_of(made(tmp_path / "day")))
    assert isinstance(event, day_load.Loaded)
    stream, ran, recovered = day_load.key("2026-11-24"), DeskState(), DeskState()
    meta = Meta(5, "person:jane", stream, "command:load", "b")
    recovered.apply(stream, event, meta, seq=1)
    ran.seq = 1
    assert recovered.digest() == ran.digest() and recovered.version(stream) == 0
    assert Projections().apply(Recorded(1, stream, 1, 5, event, meta, b"", b"")) == []


# ------------------------------------------------------------------------------------------ carried orders


async def test_carried_orders_of_what_changes_are_told_and_left_alone() -> None:
    room = await Room().open()
    for number, tif in enumerate((TimeInForce.GTC, TimeInForce.DAY)):
        terms = {"algo": "", "parameters": (), "quantity_e9": 1000 * E9, "time_in_force": tif}
        await room.order(cl_ord_id=f"C{number}", **terms)
    before = (await room.log.head()).seq
    split = CorporateAction(id="1", symbol="ABC", kind="split", effective=DAY, new_shares=2, old_shares=1)
    found = await opening.carried_orders(room.log, [split])
    assert [order.cl_ord_id for order in found] == ["C0"]
    renamed = CorporateAction(id="1", symbol="ABD", kind="rename", effective=DAY, old_symbol="ABC")
    assert [order.cl_ord_id for order in await opening.carried_orders(room.log, [renamed])] == ["C0"]
    assert await opening.carried_orders(room.log, [split.model_copy(update={"symbol": "XYZ"})]) == []
    assert await opening.carried_orders(room.log, []) == []
    assert (await room.log.head()).seq == before
    row = loading.order_row(found[0])
    assert (row["symbol"], row["quantity"], row["time_in_force"]) == ("ABC", "1000", "gtc")


# ------------------------------------------------------------------------------------------- from the files


def test_what_was_loaded_is_kept_by_its_checksum(settings: Settings, folder: Path) -> None:
    report = load_day(settings, Wish(folder, person="jane"), lambda _: None)
    assert report.problems == () and report.outcome is not None and report.outcome.kind == "loaded"
    for file in report.outcome.loaded.files:
        assert days.kept(settings).get(file.sha256) == (folder / file.file).read_bytes()


def test_a_look_and_a_refusal_leave_nothing_behind(settings: Settings, folder: Path) -> None:
    looked = load_day(settings, Wish(folder, check=True), lambda _: None)
    assert looked.problems == () and looked.outcome is None
    change(folder, "HOUSE,AMZN", "HOUSE,NONE")
    refused = load_day(settings, Wish(folder, person="jane"), lambda _: None)
    assert len(refused.problems) == 1 and refused.outcome is None
    assert not settings.state_directory.exists()


def test_a_state_directory_in_use_by_something_that_is_no_running_system_is_left_alone(settings: Settings, folder: Path) -> None:
    embedded = settings.model_copy(update={"database_url": "", "database_owner_url": ""})
    with state_lock(settings.state_directory), pytest.raises(ConfigError, match="is in use by another supervisor"):
        load_day(embedded, Wish(folder, person="jane"), lambda _: None)
    assert not (settings.state_directory / "postgres").exists()


async def test_a_live_desk_starts_with_what_was_loaded_for_today_or_not_at_all(settings: Settings, folder: Path) -> None:
    runtime = Runtime(settings=settings, app_dsn=settings.database_url)
    with pytest.raises(ConfigError, match="a LIVE desk does not start without its day: nothing is loaded for 20"):
        await days.with_loaded_files(runtime)
    await asyncio.to_thread(load_day, settings, Wish(folder, person="jane"), lambda _: None)
    started = (await days.with_loaded_files(runtime)).settings
    assert started.instruments is not None and started.instruments.name == f"{days.today(settings)}.1"
    assert days.risk_data(started).start_position_e9("HOUSE", "AMZN") == 1000 * E9
    change(folder)
    amend = Wish(folder, amend=True, person="john", reason="late trade")
    assert (await asyncio.to_thread(load_day, settings, amend, lambda _: None)).problems == ()
    again = (await days.with_loaded_files(runtime)).settings
    assert again.instruments is not None and again.instruments.name == f"{days.today(settings)}.2"
    assert days.risk_data(again).start_position_e9("HOUSE", "AMZN") == 2000 * E9
    assert days.risk_data(started).start_position_e9("HOUSE", "AMZN") == 1000 * E9


async def test_a_desk_that_runs_finds_what_was_loaded_in_place_of_its_files(settings: Settings, folder: Path) -> None:
    runtime = Runtime(settings=settings, app_dsn=settings.database_url)
    await asyncio.to_thread(load_day, settings, Wish(folder, person="jane"), lambda _: None)
    started = (await days.with_loaded_files(runtime)).settings
    running = RunningDay(started)
    facts = running.facts
    async with PostgresEventLog(settings.database_url, TOPICS, WallClock()) as log:
        await running.look(log)
        assert await days.amended(settings.model_copy(update={"mode": "PAPER"}), log) is None
        change(folder)
        amend = Wish(folder, amend=True, person="john", reason="late trade")
        assert (await asyncio.to_thread(load_day, settings, amend, lambda _: None)).problems == ()
        assert (running.name, facts.port.start_position_e9("HOUSE", "AMZN")) == (f"{days.today(settings)}.1", 1000 * E9)
        await running.look(log)
        assert (running.name, facts.port.start_position_e9("HOUSE", "AMZN")) == (f"{days.today(settings)}.2", 2000 * E9)
        assert facts.port.start_positions_e9("HOUSE") == {"AMZN": 2000 * E9, "BAC": -500 * E9, "DEMO": 0}
        first, second = (settings.state_directory / "reference" / f"{days.today(settings)}.{n}" for n in (1, 2))
        assert same_instruments(first, second)


async def test_what_cannot_be_taken_leaves_a_desk_with_what_it_has(settings: Settings, folder: Path) -> None:
    runtime = Runtime(settings=settings, app_dsn=settings.database_url)
    await asyncio.to_thread(load_day, settings, Wish(folder, person="jane"), lambda _: None)
    running = RunningDay((await days.with_loaded_files(runtime)).settings)
    change(folder)
    amend = Wish(folder, amend=True, person="john", reason="late trade")
    report = await asyncio.to_thread(load_day, settings, amend, lambda _: None)
    assert report.outcome is not None
    positions = next(file for file in report.outcome.loaded.files if file.table == "positions")
    (settings.state_directory / "reference" / "objects" / positions.sha256).unlink()
    async with PostgresEventLog(settings.database_url, TOPICS, WallClock()) as log:
        await running.look(log)
    async with PostgresEventLog("postgresql://nobody@127.0.0.1:1/none", TOPICS, WallClock()) as gone:
        await running.look(gone)
    assert (running.name, running.facts.port.start_position_e9("HOUSE", "AMZN")) == (f"{days.today(settings)}.1", 1000 * E9)


async def test_a_live_desk_does_not_start_with_files_that_are_gone_or_have_changed(settings: Settings, folder: Path) -> None:
    report = await asyncio.to_thread(load_day, settings, Wish(folder, person="jane"), lambda _: None)
    assert report.outcome is not None
    path = settings.state_directory / "reference" / "objects" / report.outcome.loaded.files[0].sha256
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"\n")
    runtime = Runtime(settings=settings, app_dsn=settings.database_url)
    with pytest.raises(ReferenceDataError, match="has changed since it was kept; load the day's files again"):
        await days.with_loaded_files(runtime)
    again = await asyncio.to_thread(load_day, settings, Wish(folder, person="jane"), lambda _: None)
    assert again.outcome is not None and again.outcome.kind == "unchanged"
    await days.with_loaded_files(runtime)
    path.unlink()
    with pytest.raises(ReferenceDataError, match="cannot be read: No such file or directory; load the day's files again"):
        await days.with_loaded_files(runtime)
    await asyncio.to_thread(load_day, settings, Wish(folder, person="jane"), lambda _: None)
    await days.with_loaded_files(runtime)


async def test_a_paper_desk_starts_with_what_its_configuration_names(tmp_path: Path) -> None:
    paper = Runtime(settings=Settings(state_directory=tmp_path))
    assert await days.with_loaded_files(paper) == paper
    assert days.risk_data(paper.settings).capital_e9("firm") == 50_000_000 * E9
    without = paper.settings.model_copy(update={"instruments": tmp_path})
    assert days.risk_data(without).capital_e9("firm") is None
    live = without.model_copy(update={"mode": "LIVE"})
    with pytest.raises(ReferenceDataError, match=r"has no manifest\.toml"):
        days.risk_data(live)


def test_a_report_is_json(settings: Settings, folder: Path) -> None:
    from ems.cli.load import as_json

    report = load_day(settings, Wish(folder, person="jane"), lambda _: None)
    told = json.loads(json.dumps(as_json(report)))
    assert told["outcome"] == "loaded" and told["version"] == 1 and told["problems"] == []
    assert told["actions"][0]["kind"] == "dividend" and len(told["files"]) == 20
    shutil.rmtree(folder)
    gone = json.loads(json.dumps(as_json(load_day(settings, Wish(folder), lambda _: None))))
    assert gone["outcome"] == "refused" and gone["problems"][0]["where"] == "the manifest"
