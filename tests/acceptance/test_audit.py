"""The twenty-five statements that an auditor tests, one test each, on one demo day with every process real.

Statements whose full drill is long have it in a file of its own, which the test names; here the same room runs it small.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.sandbox import HOOK, SECCOMP
from domain import child_order as co
from domain import fill as fl
from domain import limits
from domain import model_version as mv
from domain import parent_order as po
from domain.catalogue import TOPICS
from domain.errors import TimeOutsideLog
from domain.risk_verdicts import Checked
from domain.values import StreamId, stream_id
from ems.audit.explanation import SECTIONS
from ems.bootstrap import audit
from ems.bootstrap.audit_replay import replayed
from ems.bootstrap.audit_source import Place
from ems.bootstrap.replay import state_at
from tests.acceptance import audit_room
from tests.acceptance.audit_room import Day
from tests.adapters.postgres import test_subjects
from tests.conftest import Database
from tests.ems import (
    test_clock_watch,
    test_kill,
    test_kill_keeper,
    test_reconciler,
    test_risk_checks,
    test_risk_drills,
    test_throttle,
)
from tests.ems.exports import test_cat, test_european
from tests.ems.sealing_room import Room as SealedRoom

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    with audit_room.demo_day() as made:
        yield made


def test_statement_01_any_clordid_at_any_nanosecond_and_non_zero_if_a_part_is_missing(day: Day) -> None:
    created = day.all(co.Created)[2]
    cl_ord_id = created.event.cl_ord_id
    done = day.program.run("audit", "explain", cl_ord_id, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["missing"]) == (0, []), told["missing"]
    assert tuple(told["sections"]) == SECTIONS
    sections = told["sections"]
    assert sections["plan"]["content"]["request_intact"] and sections["book"]["content"]["seen"]
    verdicts = [verdict for one in sections["risk"]["content"] for verdict in one["verdicts"]]
    assert all(verdict["limit_seq"] for verdict in verdicts if verdict["limit_version"])
    sent = [m for m in sections["wire"]["content"] if m["direction"] == "out" and f"|11={cl_ord_id}|" in m["text"]]
    assert len(sent) == 1 and sent[0]["event_seq"] == created.seq
    assert sections["proof"]["content"]["hash_holds"] and sections["proof"]["content"]["inclusion"]
    assert {sections[name]["status"] for name in ("features", "model", "forecast")} == {"does_not_apply"}, "vwap asks no net"

    before = day.explain(cl_ord_id, str(created.seq))
    assert {s.name: s.content for s in before.sections}["state"]["children"][0]["filled"] == "0"
    without = day.explain(cl_ord_id, place=Place(Path("ems.toml"), dsn=day.server.app_dsn))
    assert set(without.missing) == {"wire", "proof"}, "no journal and no key were named"
    done = day.program.run("audit", "explain", "nobody")
    assert done.returncode == 2 and "knows no 'nobody'" in done.stderr and done.stderr.count("\n") == 1 and not done.stdout
    with pytest.raises(TimeOutsideLog, match="there is no event 999999"):
        day.explain(cl_ord_id, "999999")


@pytest.fixture
async def sealed(database: Database, tmp_path: Path) -> Any:
    room = SealedRoom(database.app_dsn, tmp_path)
    for _ in range(3):
        await room.append(20)
        await room.sealer.turn()
    yield room
    await room.close()


async def test_statement_02_one_bit_is_found_and_located(sealed: SealedRoom, database: Database) -> None:
    """The drill of two hundred is test_tamper.py."""
    flip = "UPDATE events SET state = set_bit(state, 77, 1 - get_bit(state, 77)) WHERE seq = 17"
    found = await audit_room.tampered(database, sealed, flip)
    with psycopg.connect(database.app_dsn) as connection:
        (stream, version) = connection.execute("SELECT stream::text, version FROM events WHERE seq = 17").fetchone()
    assert found[17][:2] == (stream, version)


async def test_statement_03_a_cut_tail_and_an_old_backup_are_found_by_the_anchor(sealed: SealedRoom, database: Database) -> None:
    found = await audit_room.tampered(
        database, sealed, "DELETE FROM events WHERE seq > 40", "DELETE FROM sealed_heads WHERE size > 40",
        "UPDATE log_head SET (seq, hash) = (SELECT seq, hash FROM events WHERE seq = 40)",
    )  # fmt: skip
    assert found, "database, head and sealed heads agree with each other: only what lies outside knows better"


async def test_statement_04_swapped_and_inserted_events_are_found(sealed: SealedRoom, database: Database) -> None:
    swap = "UPDATE events SET seq = CASE seq WHEN 8 THEN -9 ELSE -8 END WHERE seq IN (8, 9)"
    found = await audit_room.tampered(database, sealed, swap, "UPDATE events SET seq = -seq WHERE seq < 0")
    assert {8, 9} & found.keys()


def test_statement_05_an_outsider_verifies_with_the_export_and_a_public_key_alone(day: Day, tmp_path: Path) -> None:
    """One file of the standard library, in a folder of its own; what it finds in bad bundles: test_verify_bundle.py."""
    done = audit_room.verified_alone(day, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_statement_06_many_writers_and_no_false_alarm(sealed: SealedRoom) -> None:
    """64 callers, a few commits each; test_tamper.py has three processes and a minute of it."""
    async with PostgresEventLog(sealed.dsn, TOPICS, WallClock()) as log:
        for _ in range(3):
            await asyncio.gather(*(log.append([sealed.entry(stream_id("writer", str(n)))]) for n in range(64)))
            await sealed.sealer.turn()
            report = await sealed.verify()
            assert report.faults == []
    assert report.events == report.sealed == 60 + 3 * 64


async def test_statement_07_the_app_role_may_not_and_a_superuser_who_rehashes_is_caught(
    sealed: SealedRoom, database: Database
) -> None:
    with psycopg.connect(database.app_dsn, autocommit=True) as connection:
        for statement in audit_room.FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    found = await audit_room.tampered(
        database, sealed, "UPDATE events SET state = state || ' ' WHERE seq = 60", *audit_room.REHASH
    )
    assert 60 in found


async def test_statement_08_no_reader_ever_misses_an_event(app_dsn: str) -> None:
    """Three writers of one database, each with connections of its own; a subscriber sees each number once, in order."""
    assert await audit_room.three_writers_and_a_reader(app_dsn, 20) == list(range(1, 121))


def test_statement_09_replay_without_snapshots_is_byte_identical_at_any_place_and_elsewhere(day: Day) -> None:
    end = len(day.events)
    here = asyncio.run(replayed(Place(Path(), dsn=day.server.app_dsn), str(end), 40, 0, "examiner", network=False))
    elsewhere = asyncio.run(replayed(Place(Path(), bundles=(day.bundle,)), str(end), 40, 0, "examiner", network=False))
    assert here["digests"] == elsewhere["digests"] and len(here["digests"]) > end // 40 - 1
    assert (here["hash"], here["root"], here["snapshots"]) == (elsewhere["hash"], elsewhere["root"], 0)
    for seq, digest in here["digests"][::3]:
        assert asyncio.run(state_at(day.server.app_dsn, str(seq)))["digest"] == digest, "the desk's own recovery"


def test_statement_10_replay_opens_no_socket_and_sends_nothing(day: Day) -> None:
    how, *tried = audit_room.tried_in_the_sandbox()
    assert tried == ["denied", "denied"] and how in (SECCOMP, HOOK)
    told = asyncio.run(replayed(Place(Path(), bundles=(day.bundle,)), "", 0, 0, "examiner", network=False))
    assert told["network"] == how and told["sent"] == 0 and told["events_per_s"] > 0


def test_statement_11_every_earlier_version_loads_and_raw_and_read_forms_are_both_shown(day: Day) -> None:
    assert all(event is not None for event in audit_room.golden_events())
    told = day.explain(day.all(co.Created)[0].stream)
    shown = {s.name: s.content for s in told.sections}["events"]
    assert all(row["data"] is not None and len(row["hash"]) == 64 for row in shown)


def test_statement_12_no_orphans_and_children_never_above_their_parent(day: Day) -> None:
    assert day.orphans() == [] and len(day.all(fl.Recorded)) == day.figures["fills"]
    asked = {one.stream: one.event.terms.quantity_e9 for one in day.all(po.Accepted)}
    done: dict[StreamId, int] = defaultdict(int)
    for one in day.all(po.Filled):
        done[one.stream] += one.event.quantity_e9
        assert done[one.stream] <= asked[one.stream]
    assert sum(done.values()) == day.figures["filled"] * 10**9


async def test_statement_13_a_days_cat_records_pass_their_schema_and_no_error_is_predicted() -> None:
    """Planted faults of each code are in tests/ems/exports/test_cat.py."""
    await test_cat.test_a_day_passes_the_schema_and_no_error_is_predicted()
    test_cat.test_times_are_cut_off_in_eastern_time_and_ids_lose_delimiters()


def test_statement_14_exports_are_regenerated_byte_for_byte_with_each_fields_source(day: Day, tmp_path: Path) -> None:
    digests = {asyncio.run(audit_room.exported(day.state, day.server, tmp_path / name)) for name in ("one.tar", "other.tar")}
    assert len(digests) == 1
    test_european.test_fifty_one_fields_are_numbered_and_each_names_its_source_or_is_empty()
    test_european.test_times_are_cut_off_in_utc()


async def test_statement_15_each_order_names_decider_and_executor_and_no_id_is_reused_for_other_code() -> None:
    await test_european.test_an_orders_events_with_who_decided_and_who_executed()
    test_european.test_other_code_has_another_designation()


async def test_statement_16_clock_offset_is_stored_and_an_excursion_alerts_within_five_seconds() -> None:
    await test_clock_watch.test_what_is_written_and_that_an_excursion_is_told_within_five_seconds()


def test_statement_16_an_explanation_states_the_clock_or_that_it_is_unknown(day: Day) -> None:
    told = {s.name: s for s in day.explain(day.all(po.Accepted)[0].stream).sections}["clock"]
    assert told.lines[0].startswith("offset ") and told.content["event_time_ns"] > 0


async def test_statement_17_a_trip_stops_at_once_and_its_proof_tells_the_times(tmp_path: Path) -> None:
    """Under load, with every process real and at each level: test_kill.py, test_kill_panic.py."""
    world = test_kill_keeper.World(tmp_path)
    await world.room.open()
    await test_kill_keeper.test_a_trip_ends_in_a_proof_when_every_order_has_ended_by_its_venues_word(world)


async def test_statement_18_the_kill_state_survives_and_two_people_re_arm(tmp_path: Path) -> None:
    """Processes killed with the database away: test_kill.py."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    await test_kill.test_a_latch_that_is_there_and_unreadable_starts_tripped(test_kill.Desk(tmp_path / "a"))
    await test_kill.test_two_people_arm_and_one_resumes(test_kill.Desk(tmp_path / "b"))


def test_statement_19_each_check_on_its_limit_and_one_unit_over(day: Day) -> None:
    """Every row of the checks' own table; the day's verdicts name version, observed value and reference."""
    for row in test_risk_checks.ROWS:
        test_risk_checks.test_on_the_limit_one_unit_over_and_with_the_data_missing(row)
    test_risk_checks.test_every_check_has_its_rows()
    for one in day.all(Checked):
        assert one.event.passed and one.event.reference_price_e9
        assert any(verdict.limit_version and verdict.observed is not None for verdict in one.event.verdicts)


async def test_statement_20_a_looping_strategy_is_disabled_until_a_person_enables_it(monkeypatch: pytest.MonkeyPatch) -> None:
    await test_risk_drills.test_knight_children_that_come_back_at_once_are_stopped_before_twenty_orders(monkeypatch)
    await test_throttle.test_orders_above_the_clients_limit_are_refused_and_cancels_pass()


async def test_statement_21_knight_is_stopped_before_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mixed builds block the open: test_builds.py."""
    await test_risk_drills.test_knight_children_that_fill_beyond_their_parent_are_a_fault_that_stops_the_strategy(monkeypatch)
    await test_risk_drills.test_knight_the_notional_limit_stops_it_without_any_count(monkeypatch)


async def test_statement_22_citi_is_blocked_as_a_list_and_slice_by_slice() -> None:
    await test_risk_drills.test_citi_money_typed_as_a_quantity_is_blocked_as_a_list_and_nobody_may_override_it()
    await test_risk_drills.test_citi_slice_by_slice_is_stopped_by_what_a_client_may_enter_in_an_hour()


async def test_statement_23_recorded_decisions_come_out_again_bit_by_bit(day: Day) -> None:
    """Nets: tests/models/test_reproduce.py, also as if on a processor without AVX-512."""
    told = await audit.reproduce(day.server.app_dsn, day.state / "models")
    assert told["bit_exact"] == day.figures["plans"] and told["failed"] == {}


def test_statement_23_on_two_processor_vendors() -> None:
    pytest.skip("one machine has one processor: run `ems audit reproduce` on a bundle's log on the other vendor's")


async def test_statement_24_breaks_with_a_drop_copy_are_events_with_an_owner_and_no_order_is_sent_twice(day: Day) -> None:
    """Crashes between append and send: test_kill9.py."""
    await test_reconciler.test_a_missing_execution_is_a_break_with_an_owner_after_the_grace_and_resolves_when_it_comes()
    await test_reconciler.test_a_break_shows_as_an_alert_until_a_person_resolves_it()
    sent = [one.event.cl_ord_id for one in day.all(co.Created)]
    assert len(sent) == len(set(sent)) == day.figures["children"]


async def test_statement_25_erasing_a_persons_key_makes_the_data_unreadable_and_every_proof_holds(
    database: Database, tmp_path: Path
) -> None:
    await test_subjects.test_erasing_a_key_makes_the_data_unreadable_in_every_copy_and_all_proofs_still_hold(database, tmp_path)


def test_statement_25_every_change_of_a_limit_or_a_model_says_when_who_on_whose_word_and_what(day: Day) -> None:
    changes = day.all(limits.LimitSet, mv.Registered, mv.Promoted)
    assert {one.event.TOPIC for one in changes} >= {"risk.limit_set.v1", "model_version.registered.v1"}
    for one in changes:
        told = one.event
        by = told.approver if isinstance(told, limits.LimitSet) else told.person
        assert one.meta.actor and one.meta.event_time_ns and by and told.reason, one


def test_from_a_bundle_the_same_answer_and_a_damaged_one_is_one_sentence(day: Day, tmp_path: Path) -> None:
    audit_room.answered_from_a_bundle(day, tmp_path)


def test_from_a_restored_backup_the_same_answer(day: Day) -> None:
    audit_room.answered_from_a_backup(day)
