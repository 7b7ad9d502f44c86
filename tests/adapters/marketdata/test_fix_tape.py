"""FIX market data to the tape: levels, prints, gaps in the numbers and what mends them, and text that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.marketdata.binance import Terms
from adapters.marketdata.fix_entries import moment_ns
from adapters.marketdata.fix_tape import FixReader
from domain.tape import FLAG_HALF_TICK, Kind, Status

CENT, SHARE = 10_000_000, 10**9
NOW = 1_700_000_000 * 10**9
_KINDS = {int(kind): kind.name.lower() for kind in Kind}


class Scene:
    """A session about AMZN (0) and BAC (1)."""

    def __init__(self, **more: int) -> None:
        self.reader = FixReader({"AMZN": Terms(CENT, SHARE), "BAC": Terms(CENT, SHARE)}, **more)

    def snapshot(self, *entries: str, symbol: str = "AMZN") -> list[str]:
        return self.say(f"35=W|55={symbol}|5060=7|268={len(entries)}|" + "".join(entry + "|" for entry in entries))

    def increment(self, *entries: str) -> list[str]:
        return self.say(f"35=X|5060=9|268={len(entries)}|" + "".join(entry + "|" for entry in entries))

    def say(self, text: str) -> list[str]:
        self.reader.take(f"8=FIX.4.4|{text}10=000|".replace("|", "\x01"), NOW)
        return self.told()

    def told(self) -> list[str]:
        """kind instrument side lots@ticks, of a status its name and count."""
        found = []
        for _, _, count, ticks, lots, instrument, flags, kind, side in self.reader.drained().tolist():
            half = "+" if flags & FLAG_HALF_TICK else ""
            what = f"{Status(lots).name.lower()} {count}" if kind == Kind.STATUS else f"{side} {lots}@{ticks}{half}"
            found.append(f"{_KINDS[kind]} {instrument} {what}" if kind != Kind.CLEAR else f"clear {instrument}")
        return found


def scene(number: int = 5) -> Scene:
    s = Scene()
    s.snapshot(f"269=0|270=10.01|271=300|83={number}", f"269=1|270=10.03|271=100|83={number}")
    return s


def level(number: int, action: str, kind: str, price: str, size: str = "100", symbol: str = "AMZN") -> str:
    return f"279={action}|269={kind}|55={symbol}|270={price}|271={size}|83={number}"


def test_a_snapshot_stands_behind_what_is_displayed() -> None:
    s = Scene()
    assert s.reader.waiting() == ["AMZN", "BAC"]
    found = s.snapshot("269=0|270=10.01|271=300|83=5", "269=1|270=10.03|271=100|83=5", "269=2|270=10.02|271=50", "269=B|271=9")
    assert found == ["clear 0", "level 0 1 300@1001", "level 0 -1 100@1003", "status 0 resynced 0"]
    assert s.reader.waiting() == ["BAC"] and not s.reader.faults


def test_increments_change_what_is_displayed_and_print_trades() -> None:
    s = scene()
    trade = "279=0|269=2|55=AMZN|270=10.015|271=40|2446=2|83=6|5062=8"
    levels = level(7, "2", "1", "10.03"), level(8, "0", "1", "10.02", "7"), level(9, "1", "0", "10.01", "260")
    told = ["trade 0 1 40@1001+", "level 0 -1 0@1003", "level 0 -1 7@1002", "level 0 1 260@1001"]
    assert s.increment(trade, *levels) == told
    assert s.increment("279=0|269=2|270=10.02|271=1|83=1|55=BAC|277=X") == ["cross 1 0 1@1002"], "a print needs no display"
    assert not s.reader.faults


def test_a_snapshot_in_step_is_told_as_its_differences() -> None:
    s = scene()
    assert s.snapshot("269=0|270=10.01|271=300|83=8", "269=1|270=10.04|271=100|83=8") == [
        "level 0 -1 0@1003",
        "level 0 -1 100@1004",
    ]
    assert s.increment(level(9, "0", "1", "10.05")) == ["level 0 -1 100@1005"]
    assert s.snapshot("269=J|83=9") == ["level 0 1 0@1001", "level 0 -1 0@1004", "level 0 -1 0@1005"]
    assert s.snapshot("269=0|270=10.01|271=1|83=8") == [] and s.reader.faults == {"repeated": (1, 5)}


def test_a_gap_empties_the_display_until_a_snapshot_and_what_follows_it_is_kept() -> None:
    s = scene()
    found = s.increment(level(6, "0", "0", "10.00"), level(9, "0", "0", "9.99"), level(10, "0", "0", "9.98"))
    assert found == ["level 0 1 100@1000", "status 0 lost 2", "clear 0"]
    assert s.reader.waiting() == ["AMZN", "BAC"] and s.reader.faults == {"gap": (1, 2)}
    assert s.increment(level(11, "0", "0", "9.97")) == [], "it waits"
    found = s.snapshot("269=0|270=10.01|271=300|83=9")
    assert found == ["clear 0", "level 0 1 300@1001", "status 0 resynced 0", "level 0 1 100@998", "level 0 1 100@997"]
    assert s.increment(level(11, "0", "0", "9.97")) == [] and s.reader.faults["repeated"] == (1, 5)


def test_a_snapshot_older_than_what_was_lost_does_not_mend_it() -> None:
    s = scene()
    s.increment(level(9, "0", "0", "9.99"))
    found = s.snapshot("269=0|270=10.01|271=300|83=7")
    assert found[-3:] == ["status 0 resynced 0", "status 0 lost 1", "clear 0"] and "AMZN" in s.reader.waiting()
    assert s.snapshot("269=0|270=10.01|271=300|83=9")[-1] == "status 0 resynced 0"


def test_trades_are_told_once_whatever_becomes_of_the_display() -> None:
    s = Scene()
    trade = "279=0|269=2|55=AMZN|270=10.01|271=40|83=6"
    assert s.increment(trade) == ["trade 0 0 40@1001"]
    assert s.snapshot("269=J|83=5") == ["clear 0", "status 0 resynced 0"]
    assert s.increment(trade) == [] and s.reader.faults == {"repeated": (1, 3)}


def test_without_numbers_the_order_of_arrival_is_all_there_is() -> None:
    s = Scene()
    assert s.increment("279=0|269=0|55=AMZN|270=10.00|271=1") == []
    assert s.snapshot("269=0|270=10.01|271=300")[1:] == ["level 0 1 300@1001", "status 0 resynced 0"]
    assert s.increment("279=0|269=0|55=AMZN|270=10.00|271=1", "279=1|269=0|270=10.01|271=2") == [
        "level 0 1 1@1000",
        "level 0 1 2@1001",
    ]


def test_a_lost_session_is_told_of_every_symbol() -> None:
    s = scene()
    s.reader.lost(NOW)
    assert s.told() == ["status 0 disconnected 0", "clear 0", "status 1 disconnected 0", "clear 1"]
    s.reader.lost(NOW, Status.LOST, 3)
    assert s.told()[0] == "status 0 lost 3" and s.reader.waiting() == ["AMZN", "BAC"]


def test_too_many_increments_without_a_snapshot_lose_the_oldest() -> None:
    s = Scene(held_max=2)
    s.increment(*(level(n, "0", "0", f"10.0{n}") for n in (1, 2, 3)))
    assert s.reader.faults == {"held_too_long": (1, 1)}
    assert s.snapshot("269=J|83=0")[-1] == "clear 0", "the first of what is left has a gap before it"


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("279=0|269=0|55=AMZN|270=-1|271=1|83=6", "bad_number"),
        ("279=0|269=0|55=AMZN|270=0|271=1|83=6", "bad_number"),
        ("279=0|269=0|55=AMZN|270=10.001|271=1|83=6", "off_tick"),
        ("279=0|269=0|55=AMZN|270=10.01|271=0.5|83=6", "off_tick"),
        ("279=0|269=2|55=AMZN|270=10.01|271=0|83=6", "bad_number"),
        ("279=2|269=2|55=AMZN|270=10.01|271=1|83=6", "unknown_action"),
        ("279=0|269=0|55=XXX|270=10.01|271=1|83=6", "unknown_symbol"),
        ("279=0|269=0|55=AMZN|271=1|83=6", "malformed"),
        ("279=0|55=AMZN|270=1|271=1|83=6", "malformed"),
        ("279=0|269=0|55=AMZN|270=10.01|271=1|83=x", "malformed"),
        ("279=0|269=0|55=AMZN|270=10.01|271=1|83=6|5062=-3", "malformed"),
        ("279=0|269=Z|55=AMZN|270=10.01|271=1|83=6", "unknown_type"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_counted(entry: str, fault: str) -> None:
    s = scene()
    assert s.increment(entry) == []
    assert s.reader.faults == {fault: (1, 2)} and "AMZN" not in s.reader.waiting()


def test_an_update_by_position_ends_the_display() -> None:
    s = scene()
    assert s.increment("279=3|269=0|55=AMZN|270=10.01|271=1|83=6") == ["status 0 lost 0", "clear 0"]


def test_other_messages_are_counted() -> None:
    s = scene()
    assert s.say("35=Y|262=D1|281=0|") == [] and s.say("35=8|55=AMZN|") == [] and s.say("") == [] and s.say("35=W|") == []
    assert s.reader.faults == {"refused": (1, 2), "unknown_type": (2, 3), "malformed": (1, 5)}


def test_times_are_the_entrys_own_then_the_messages() -> None:
    s = Scene()
    for text in (
        "35=X|52=20231114-22:13:20.5|268=2|279=0|269=2|55=BAC|270=1|271=1|273=22:13:19.25|279=0|269=2|270=1|271=1|",
        "35=X|5060=9|268=2|279=0|269=2|55=BAC|270=1|271=1|5062=77|279=0|269=2|270=1|271=1|",
    ):
        s.reader.take(text.replace("|", "\x01"), NOW)
    assert s.reader.drained()["ts_event_ns"].tolist() == [NOW - 750_000_000, NOW + 500_000_000, 77, 9]


@pytest.mark.parametrize("text", ["", "20231114", "20231332-00:00:00", "20231114-22:13:61", "20231114-22:13:20.", "x" * 40])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no UTCTimestamp|has no such second|unconverted data remains|does not match format"):
        moment_ns(text)


TAG = st.sampled_from("35 55 83 268 269 270 271 279 5060 5062 2446 52 273 1 8".split())
VALUE = st.one_of(st.sampled_from("W X Y AMZN BAC 0 1 2 3 J 10.01 10 5 6 7 20231114-22:13:20".split()), st.text(max_size=6))


@given(st.lists(st.lists(st.tuples(TAG, VALUE), max_size=24), max_size=8))
def test_whatever_comes_is_read_or_counted(messages: list[list[tuple[str, str]]]) -> None:
    reader = FixReader({"AMZN": Terms(CENT, SHARE)})
    for fields in messages:
        reader.take("\x01".join(f"{tag}={value}" for tag, value in fields), NOW)
    tape = reader.drained()
    assert (tape["price_ticks"] >= 0).all() and (tape["size_lots"] >= 0).all()
    assert sum(count for count, _ in reader.faults.values()) >= sum(1 for fields in messages if not fields)
