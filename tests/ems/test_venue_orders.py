"""The venue's order types and times in force, requests about them, its days, and what a restart brings back."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.values import E9
from ems.venue_ledger import Ledger
from tests.ems.venue_room import BASE, CENT, OPEN_NS, VenueRoom

ASK, BID = 10_010, 10_000
QUIET = [(-1, ASK, 5, False), (1, BID, 5, False)]
TRADE = (1, ASK, 1, True)  # an aggressor takes one lot of the offer


def test_a_stop_order_is_held_and_triggered_by_a_trade(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, [*QUIET, TRADE])
    room.pass_s(2)
    room.new(2, ord_type="stop", stop=ASK)
    assert room.take() == ["0/0"] and not room.mass_status()[0].working
    room.take()
    room.pass_s(1)
    told = [report for report, _ in room.front.reports]
    assert room.take() == ["L/0", "F/2"]
    assert [report.working for report in told] == [True, None] and told[0].stop_price_e9 == ASK * CENT


def test_a_held_stop_limit_order_survives_a_kill_and_then_triggers(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, [*QUIET, TRADE])
    room.pass_s(2)
    order = room.new(2, ord_type="stop_limit", stop=ASK, price=ASK - 1)
    room.again()
    assert room.mass_status()[0].working is False
    room.request(order, 3, price=ASK - 2, stop_price=ASK)
    room.again()
    room.take()
    room.pass_s(1)
    assert room.take() == ["L/0"] and room.last_status().price_e9 == (ASK - 2) * CENT
    room.again()
    assert room.last_status().working is True, "triggered stays triggered"
    room.request("C2")
    assert room.take()[-1] == "4/4"


@pytest.mark.parametrize(
    ("order", "changes", "answer"),
    [
        ({}, {"quantity": 7}, "5/0"),
        ({}, {"quantity": 3, "price": BID - 1}, "5/0"),
        ({}, {"quantity": 5, "price": 0}, "9/0/99"),
        ({}, {"quantity": 0}, "9/0/99"),
        ({}, {"quantity": 5, "ord_type": "market"}, "9/0/99"),
        ({}, {"quantity": 5, "tif": "ioc"}, "9/0/99"),
        ({}, {"quantity": 5, "tif": "gtd"}, "9/0/99"),
        ({}, {"quantity": 5, "tif": "gtc"}, "5/0"),
        ({}, {"quantity": 5, "price": BASE + 1000}, "9/0/99"),
        ({"ord_type": "stop_limit", "stop": ASK}, {"quantity": 5, "stop_price": -1}, "9/0/99"),
        ({"ord_type": "stop_limit", "stop": ASK}, {"quantity": 5, "stop_price": ASK + 1}, "5/0"),
    ],
)
def test_what_a_replace_may_change(tmp_path: Path, order: dict[str, Any], changes: dict[str, Any], answer: str) -> None:
    room = VenueRoom(tmp_path, QUIET)
    room.pass_s(3)
    first = room.new(5, price=BID - 1, **order)
    room.take()
    room.request(first, **changes)
    assert room.take() == [answer]
    quantity = changes["quantity"] if answer == "5/0" else 5
    assert room.last_status().leaves_e9 == quantity * E9, "a refused request changes nothing"


def test_requests_come_too_late_or_for_nobody(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, QUIET)
    room.pass_s(3)
    order = room.new(2, price=ASK)
    assert room.take() == ["0/0", "F/2"]
    room.request(order, 5)
    room.request("C99", 5)
    room.request(order)
    assert room.take() == ["9/2/0", "9/8/1", "9/2/0"]


def test_a_quantity_below_what_is_filled_cancels_the_balance(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, QUIET)
    room.pass_s(3)
    order = room.new(8, price=ASK)
    assert room.take() == ["0/0", "F/1"]
    room.request(order, 3)
    assert (room.last().quantity_e9, room.last().leaves_e9) == (5 * E9, 0) and room.take() == ["5/2"]


def test_only_less_quantity_keeps_the_place_in_the_queue(tmp_path: Path) -> None:
    for changes, first in ({"quantity": 1}, "C1"), ({"quantity": 3}, "C2"), ({"quantity": 1, "price": BID - 1}, "C2"):
        home = tmp_path / f"{changes}"
        room = VenueRoom(home, [*QUIET, (-1, BID, 6, True)])
        room.pass_s(2.5)
        one, _ = room.new(2, price=BID), room.new(2, price=BID)
        renamed = room.request(one, **changes)
        room.take()
        room.pass_s(1)
        filled = [report.cl_ord_id for report, _ in room.front.reports if report.exec_type == "F"]
        assert filled[0] == (renamed if first == "C1" else first)


def test_a_gtd_order_ends_when_it_says_also_after_a_kill_and_a_replace(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, QUIET)
    room.new(1, price=BID, tif="gtd", expire_s=-1)
    room.new(1, price=BID, tif="gtd")
    assert room.take() == ["8/8", "8/8"]
    room.new(1, price=BID, tif="gtd", expire_s=60)
    order = room.new(1, price=BID, tif="gtd", expire_s=60)
    room.request(order, 1, tif="gtc")
    room.take()
    room.again()
    room.pass_s(59)
    assert room.take() == []
    room.pass_s(1)
    assert room.take() == ["C/C"] and len(room.mass_status()) == 1


@pytest.mark.parametrize(("end", "told"), [("expired", "C/C"), ("done_for_day", "3/3")])
def test_the_end_of_the_day(tmp_path: Path, end: Any, told: str) -> None:
    room = VenueRoom(tmp_path, QUIET, ends_ns=OPEN_NS + 10 * E9)
    room.venue.command({"day_end": end})
    room.new(1, price=BID)
    good = room.new(4, price=BID, tif="gtc")
    room.take()
    room.pass_s(10)
    assert room.take() == [told, "3/3"]
    assert [report.leaves_e9 for report in room.mass_status()] == [4 * E9], "the DAY order is over, the other is not"
    room.new(1, price=BID, tif="gtc")
    room.request(good, 6)
    room.again()
    assert room.take()[-2:] == [] and room.last_status().ord_status == "3"
    room.request("C4")
    assert room.take()[-1] == "4/4"


def test_a_day_ends_one_way_or_the_other(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path)
    with pytest.raises(ValueError, match="expired, done_for_day"):
        room.venue.command({"day_end": "sometime"})


def test_a_new_day_brings_good_orders_back_and_ends_the_others(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, QUIET)
    room.pass_s(3)
    room.new(1, price=BID)
    good = room.new(19, price=ASK, tif="gtc")
    held = room.new(2, ord_type="stop", stop=ASK + 3, tif="gtc")
    room.new(2, price=BID, tif="gtd", expire_s=86_400)
    room.time_ns += 2 * 86_400 * E9
    room.again(new_day=True)
    assert room.take() == ["C/C", "D/1", "D/0", "D/0", "F/1"], "filled stays filled"
    room.venue.step()
    assert room.take() == ["C/C"], "its time was over before the day"
    assert {report.cl_ord_id for report in room.mass_status()} == {good, held}
    room.request(good, 17)
    room.again()
    room.request(held)
    assert room.take()[-1] == "4/4", "known by its name on every day"
    room.new(1, price=BID)
    ids = [line["exec_id"] for line in map(_report, room.ledger.lines()) if line]
    assert len(set(ids)) == len(ids)


def _report(line: dict[str, Any]) -> dict[str, Any]:
    return line["report"] if line["k"] == "report" and line["report"]["exec_id"] != "0" else {}


def test_answers_that_had_not_gone_go_on_the_new_day(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, QUIET)
    room.venue.command({"faults": {"delay_ms": 3_600_000}})
    room.new(1, price=BID)
    room.time_ns += 86_400 * E9
    room.again(new_day=True)
    assert [(report.exec_type, again) for report, again in room.front.reports] == [("0", True), ("C", False)]


def test_all_that_lives_is_told_or_that_nothing_does(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, QUIET)
    assert [(r.exec_type, r.ord_status, r.reason, r.mass_total, r.mass_last) for r in room.mass_status()] == [
        ("I", "8", 5, 0, True)
    ]
    one, two = room.new(1, price=BID), room.new(1, price=BID)
    told = room.mass_status()
    assert [(r.cl_ord_id, r.mass_request_id, r.mass_total, r.mass_last) for r in told] == [
        (one, "M1", 2, False), (two, "M1", 2, True),
    ]  # fmt: skip
    assert room.mass_status("OTHER")[0].mass_total == 0
    assert room.mass_status(understood=False)[0].reason == 99


def test_a_ledger_of_before_these_orders_is_read(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path, QUIET)
    room.new(5, price=BID)
    room.ledger.close()
    text = room.path.read_text().replace(',"stop_price_e9":null,"expire_ns":null,"held":false', "")
    assert '"k":"order"' in text and '"held"' not in text
    room.path.write_text(text)
    room.open()
    assert len(room.mass_status()) == 1
    Ledger(room.path).close()


# ------------------------------------------------------------------------------------------- conservation

ticks = st.integers(BID - 3, ASK + 3)
sizes = st.integers(1, 6)
tape_events = st.lists(st.tuples(st.sampled_from([1, -1]), ticks, sizes, st.booleans()), max_size=25)
kinds = st.sampled_from(["market", "limit", "stop", "stop_limit"])
forces = st.sampled_from(["day", "gtc", "ioc", "fok", "gtd"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("new"), sizes, st.sampled_from([1, -1]), kinds, forces, ticks, ticks, st.integers(1, 30)),
        st.tuples(st.just("cancel"), st.integers(0, 40)),
        st.tuples(st.just("replace"), st.integers(0, 40), sizes, ticks, ticks),
        st.tuples(st.just("pass"), st.floats(0.1, 4)),
        st.tuples(st.just("kill")),
        st.tuples(st.just("new day")),
    ),
    max_size=40,
)


class Shares:
    """What a client makes of the reports alone: every share that went in is filled, open or canceled."""

    def __init__(self) -> None:
        self.filled: defaultdict[str, int] = defaultdict(int)
        self.seen: set[str] = set()
        self.open: dict[str, int] = {}

    def told(self, room: VenueRoom) -> None:
        for report, again in room.front.reports:
            if report.cancel_reject_to or report.exec_type == "I" or (again and report.exec_id in self.seen):
                continue
            assert report.exec_id not in self.seen, "an ExecID twice"
            self.seen.add(report.exec_id)
            self.filled[report.order_id] += report.last_quantity_e9
            self.open[report.order_id] = report.leaves_e9
            assert report.cum_e9 == self.filled[report.order_id]
            over = report.ord_status in "48C" or (report.ord_status == "3" and report.tif == "day")
            canceled = report.quantity_e9 - report.cum_e9 if over else 0
            assert report.quantity_e9 == report.cum_e9 + report.leaves_e9 + canceled and report.leaves_e9 >= 0
        room.front.reports.clear()


@settings(max_examples=120, deadline=None)
@given(tape_events, steps)
def test_shares_in_are_shares_filled_open_and_canceled(tape: list[Any], script: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as home:
        room, shares, names = VenueRoom(Path(home), [*QUIET, *tape], ends_ns=OPEN_NS + 60 * E9), Shares(), [""]
        for action, *args in script:
            _do(room, names, action, args)
            room.venue.step()
            shares.told(room)
            live = {report.order_id: report.leaves_e9 for report in room.mass_status() if report.mass_total}
            assert live == {order: left for order, left in shares.open.items() if left}, "told, and known"
            room.front.reports.clear()
        executed: defaultdict[str, int] = defaultdict(int)
        for line in (line for day in range(room.days + 1) for line in _lines(room, day)):
            executed[line["order_id"]] += line["quantity_e9"] if line["k"] == "exec" else 0
        assert {order: n for order, n in executed.items() if n} == {order: n for order, n in shares.filled.items() if n}
        room.ledger.close()


def _lines(room: VenueRoom, day: int) -> list[dict[str, Any]]:
    ledger = Ledger(room.home / f"ledger{day}.jsonl")
    found = [line for line in ledger.lines() if line["k"] in ("exec", "order")]
    ledger.close()
    return found


def _do(room: VenueRoom, names: list[str], action: str, args: list[Any]) -> None:
    match action, args:
        case "new", [size, side, ord_type, tif, price, stop, after_s]:
            seconds = (room.time_ns - OPEN_NS) // E9 + after_s
            names.append(room.new(size, side=side, ord_type=ord_type, tif=tif, price=price, stop=stop, expire_s=seconds))
        case "cancel", [number]:
            names.append(room.request(names[number % len(names)]))
        case "replace", [number, size, price, stop]:
            names.append(room.request(names[number % len(names)], size, price=price, stop_price=stop))
        case "pass", [seconds]:
            room.pass_s(seconds)
        case "kill", []:
            room.again()
        case "new day", []:
            room.time_ns += 86_400 * E9
            room.ends_ns = room.time_ns + 60 * E9
            room.again(new_day=True)
