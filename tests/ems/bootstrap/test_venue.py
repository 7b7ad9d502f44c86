"""The simulated venue's days: a ledger of an earlier date is put aside, and what lived in it goes on in a new one."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from adapters.reference import files
from domain.ports_market import VenueTif
from domain.values import E9
from ems.bootstrap.venue import _left_over, _put_aside, auctions
from ems.venue_ledger import Ledger
from models.market.calls import AuctionMarket
from models.market.flow import FlowParameters, GeneratedFlow
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


def test_the_days_that_follow_have_theirs_and_half_days_close_early() -> None:
    calendar = files.load_sample().calendars["XNAS"]
    noon = datetime(2026, 11, 25, 12, 0, tzinfo=ZoneInfo("America/New_York"))
    start_ns = int(noon.timestamp()) * E9
    calls = auctions(calendar, start_ns, following=True)
    hours = [(call.end_ns - start_ns) / (3_600 * E9) for call in calls[:4]]
    closing = 4 + 5 / 60
    assert hours == pytest.approx([closing, 45.5, 49 + 5 / 60, 4 * 24 + 21.5]), "not on Thanksgiving; Friday until 13:00"
    assert calendar.date_at(calls[-1].end_ns) >= date(2028, 12, 1)


def test_a_market_that_runs_on_holds_the_next_days_auction() -> None:
    calendar = files.load_sample().calendars["XNAS"]
    start_ns = int(datetime(2026, 11, 23, 15, 59, tzinfo=ZoneInfo("America/New_York")).timestamp()) * E9
    flow = GeneratedFlow(np.random.default_rng(3), FlowParameters(1_000, limit_rate=0.01, market_rate=0.001), open_ns=start_ns)
    market = AuctionMarket(flow, calls=auctions(calendar, start_ns, following=True))
    next_open_ns = calendar.open_close_ns(date(2026, 11, 24))[0]
    gathering = []
    for at_ns in (start_ns, start_ns + 120 * E9, start_ns + 3_600 * E9, next_open_ns - E9, next_open_ns):
        market.advance(at_ns)
        gathering.append(market.calling)
    assert gathering == [False, True, False, True, False]
