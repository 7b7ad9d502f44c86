"""What a day of a venue's reports comes to, and which events follow from records."""

from __future__ import annotations

import pytest

from domain import quote as q
from domain.errors import JournalError
from domain.quote import Why
from domain.values import Side
from ems.quoting import journal as j
from ems.quoting.derive import Derivation, Message, frames
from ems.quoting.reconcile import Reconciliation
from ems.quoting.segments import Record, record_of
from tests.ems.quoting.standin import CODEC, SYMBOL, enter, executed, framed


def told(*messages: tuple[str, dict[str, int | str]]) -> Reconciliation:
    found = Reconciliation()
    for name, fields in messages:
        found.take(Message(name, fields))
    return found


def accepted(ref: int, side: str = "B", quantity: int = 100, state: str = "L", **more: int) -> tuple[str, dict[str, int | str]]:
    name = "replaced" if more else "accepted"
    return name, {"user_ref_num": ref, "side": side, "quantity": quantity, "symbol": SYMBOL, "state": state, **more}


def fill(ref: int, quantity: int, match: int) -> tuple[str, dict[str, int | str]]:
    return "executed", {"user_ref_num": ref, "quantity": quantity, "match_number": match}


@pytest.mark.parametrize(
    ("messages", "live", "positions"),
    [
        ([accepted(1)], {1: 100}, {}),
        ([accepted(1, state="D")], {}, {}),
        ([accepted(1), fill(1, 30, 1)], {1: 70}, {SYMBOL: 30}),
        ([accepted(1, "S"), fill(1, 100, 1)], {}, {SYMBOL: -100}),
        ([accepted(1), accepted(2, quantity=80, orig_user_ref_num=1)], {2: 80}, {}),
        ([accepted(1), ("canceled", {"user_ref_num": 1, "quantity": 100})], {}, {}),
        ([accepted(1), ("canceled", {"user_ref_num": 1, "quantity": 40})], {1: 60}, {}),
        ([accepted(1), fill(1, 100, 5), ("broken", {"user_ref_num": 1, "match_number": 5})], {}, {SYMBOL: 0}),
        ([accepted(1), fill(1, 10, 1), accepted(2, "T"), fill(2, 25, 2)], {1: 90, 2: 75}, {SYMBOL: -15}),
    ],
)
def test_orders_and_positions_follow_from_the_days_reports(
    messages: list[tuple[str, dict[str, int | str]]], live: dict[int, int], positions: dict[str, int]
) -> None:  # fmt: skip
    found = told(*messages)
    assert (found.live, found.positions, found.unknown) == (live, positions, [])


def test_what_follows_from_nothing_before_is_said() -> None:
    found = told(fill(9, 10, 1), ("broken", {"match_number": 77}))
    assert found.unknown == ["an execution of order 9", "a broken trade 77"]
    assert found.positions == {}


def test_the_last_answer_says_the_next_number() -> None:
    query = "account_query_response"
    assert told((query, {"next_user_ref_num": 4}), (query, {"next_user_ref_num": 9})).next_ref == 9


# ------------------------------------------------------------------------------------------------ events


def record(kind: int, data: bytes = b"", output: bytes = b"", *, suspended: int = 0, sent: int = 5) -> Record:
    one = j.scratch()
    j.put(one.words[0], one.bytes[0], 12, kind, 1, 34, data, output)
    one.words[0, j.SUSPENDED], one.words[0, j.SENT] = suspended, sent
    return record_of(one.bytes[0])


def test_what_was_sent_and_what_came_are_events_with_symbol_and_side() -> None:
    derivation = Derivation(CODEC)
    (placed,) = derivation.events(record(j.DATAGRAM, output=enter(7, "S", 200, 5_853_300)))
    assert placed == q.OrderPlaced(
        record=12, at_ns=34, ref=7, symbol=SYMBOL, side=Side.SELL, quantity_e9=200 * 10**9, price_e9=585_330_000_000
    )
    (filled,) = derivation.events(record(j.REPORT, executed(7, 50, 3)))
    assert isinstance(filled, q.Filled)
    assert (filled.symbol, filled.side, filled.quantity_e9, filled.match) == (SYMBOL, Side.SELL, 50 * 10**9, 3)


def test_what_found_no_connection_was_not_sent() -> None:
    assert list(Derivation(CODEC).events(record(j.DATAGRAM, output=enter(7), sent=j.NOT_SENT))) == []
    assert len(list(Derivation(CODEC).events(record(j.DATAGRAM, output=enter(7), sent=0)))) == 1


def test_an_execution_that_the_log_has_is_not_told_again_when_the_venue_repeats_it() -> None:
    derivation = Derivation(CODEC)
    list(derivation.events(record(j.DATAGRAM, output=enter(7))))
    assert len(list(derivation.events(record(j.REPORT, executed(7, 50, 3))))) == 1
    assert list(derivation.events(record(j.REPLAYED, executed(7, 50, 3)))) == []
    assert len(list(derivation.events(record(j.REPLAYED, executed(7, 50, 4))))) == 1


def test_standing_still_and_going_on_are_events_with_all_reasons() -> None:
    derivation = Derivation(CODEC)
    why = Why.FEED_GAP | Why.KILL
    assert list(derivation.events(record(j.TIMER, suspended=why))) == [q.Suspended(record=12, at_ns=34, why="feed_gap, kill")]
    assert list(derivation.events(record(j.TIMER, suspended=why))) == []
    again = Derivation(CODEC)
    again.know(q.Suspended(record=1, at_ns=1, why="feed_gap, kill"))
    assert list(again.events(record(j.TIMER, suspended=why))) == []
    assert list(again.events(record(j.TIMER))) == [q.Resumed(record=12, at_ns=34)]


@pytest.mark.parametrize("output", [enter(7)[:-1], b"\x00\x00U", b"\x00\x01S", framed(b"?"), framed(b"M" + bytes(9))])
def test_output_that_is_no_message_of_a_quoters_is_an_error(output: bytes) -> None:
    with pytest.raises(JournalError):
        list(Derivation(CODEC).events(record(j.DATAGRAM, output=output)))


def test_frames_are_taken_apart() -> None:
    assert list(frames(enter(1) + enter(2))) == [enter(1)[3:], enter(2)[3:]]
