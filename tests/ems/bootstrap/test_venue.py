"""The simulated venue's days: a ledger of an earlier date is put aside, and what lived in it goes on in a new one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.reference import files
from domain.ports_market import VenueTif
from domain.values import E9
from ems.bootstrap.venue import _left_over, _put_aside, auctions
from ems.venue_ledger import Ledger
from tests.ems.venue_room import OPEN_NS, VenueRoom

DAY_NS = 86_400 * E9


def ledger_of_a_day(home: Path) -> Path:
    """A DAY and a GTC order rest, and a third is filled."""
    room = VenueRoom(home, [(-1, 10_010, 1, False)])
    room.pass_s(2)
    room.new(1, price=10_000)
    room.new(2, price=10_000, tif=VenueTif.GTC)
    room.new(1, price=10_010)
    room.ledger.close()
    return room.path


def test_a_ledger_of_today_stays(tmp_path: Path) -> None:
    path = ledger_of_a_day(tmp_path)
    _put_aside(path, OPEN_NS + 60 * E9)
    assert path.exists() and _left_over(path) == []


def test_what_lives_goes_on_in_a_new_ledger_also_after_a_crash_between(tmp_path: Path) -> None:
    path = ledger_of_a_day(tmp_path)
    _put_aside(path, OPEN_NS + DAY_NS)
    assert [file.name for file in tmp_path.glob("ledger*")] == ["ledger-2023-11-14.jsonl"]
    for _ in "12":  # the first start gets no further than this
        live = [line for line in _left_over(path) if line["k"] == "order"]
        assert [(line["n"], line["tif"], line["state"]) for line in live] == [(1, "day", "new"), (2, "gtc", "new")]
    begun = Ledger(path)
    begun.write([{"k": "day", "venue": "SIM", "start_ns": OPEN_NS + DAY_NS}])
    begun.close()
    assert _left_over(path) == [], "a day begins once"


def test_a_venue_holds_the_auctions_of_its_calendar_that_are_not_over() -> None:
    calendar = files.load_sample().calendars["XNAS"]
    nine = int(datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("America/New_York")).timestamp()) * E9
    minutes = [((call.begin_ns - nine) // (60 * E9), (call.end_ns - nine) // (60 * E9)) for call in auctions(calendar, nine)]
    assert minutes == [(28, 30), (420, 425)]
    assert [call.end_ns for call in auctions(calendar, nine + 3_600 * E9)] == [nine + 425 * 60 * E9]
    assert auctions(files.load_sample().calendars["XSIM"], nine) == (), "it trades all day"
