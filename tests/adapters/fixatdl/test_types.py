"""Texts of the parameter types: what each takes, what it means, and what is none."""

from __future__ import annotations

from datetime import UTC, date, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fixatdl.day import Day
from adapters.fixatdl.types import DAY_NS, TYPE_OF, time_of_day, value_of
from domain.errors import NumberError
from domain.values import E9
from domain.wire_parameter import FixType

HOUR_NS = 3600 * E9
NEW_YORK = ZoneInfo("America/New_York")


def test_every_type_of_the_standard_has_its_name() -> None:
    assert len(TYPE_OF) == 29
    assert {"UTCTimestamp_t", "TZTimeOnly_t", "NumInGroup_t", "MultipleStringValue_t", "LocalMktDate_t", "Amt_t"} <= set(TYPE_OF)


@pytest.mark.parametrize(
    ("fix_type", "text", "value"),
    [
        (FixType.INT, "-7", Decimal(-7)), (FixType.LENGTH, "7", Decimal(7)), (FixType.FLOAT, "-0.50", Decimal("-0.5")),
        (FixType.QTY, "1.", Decimal(1)), (FixType.PRICE, ".25", Decimal("0.25")), (FixType.CHAR, "x", "x"),
        (FixType.BOOLEAN, "Y", "Y"), (FixType.STRING, "a b=c", "a b=c"), (FixType.CURRENCY, "USD", "USD"),
        (FixType.COUNTRY, "CA", "CA"), (FixType.LANGUAGE, "en", "en"), (FixType.TENOR, "M3", "M3"),
        (FixType.EXCHANGE, "XNYS", "XNYS"), (FixType.MULTIPLE_CHAR_VALUE, "A B", "A B"),
        (FixType.MULTIPLE_STRING_VALUE, "AV AN", "AV AN"),
        (FixType.MONTH_YEAR, "202612w2", "202612w2"), (FixType.UTC_TIMESTAMP, "19700101-00:00:01", E9),
        (FixType.UTC_TIME_ONLY, "01:00:00.25", HOUR_NS + E9 // 4), (FixType.UTC_DATE_ONLY, "00010102", 2),
        (FixType.TZ_TIME_ONLY, "07:00Z", 7 * HOUR_NS), (FixType.TZ_TIME_ONLY, "07:00:00+05:30", 3 * HOUR_NS // 2),
        (FixType.TZ_TIMESTAMP, "00010101-07:00:00-05", DAY_NS + 12 * HOUR_NS),
    ],
)  # fmt: skip
def test_values(fix_type: FixType, text: str, value: Decimal | int | str) -> None:
    assert value_of(fix_type, text) == value


@pytest.mark.parametrize(
    ("fix_type", "texts"),
    [
        (FixType.INT, ["", "1.0", "+1", "--1", "1e3", "\u0663", "9" * 19]),
        (FixType.SEQ_NUM, ["-1", "", "x"]),
        (FixType.FLOAT, ["", ".", "-", "+1", "1e3", "NaN", "Infinity", "1,5", "1" * 16, "\u0663"]),
        (FixType.CHAR, ["", "ab", " ", "\x01"]),
        (FixType.BOOLEAN, ["true", "y", ""]),
        (FixType.STRING, ["", "a\x01b", "a\nb", "\u00e9", "\x7f"]),
        (FixType.DATA, ["\x00"]),
        (FixType.CURRENCY, ["usd", "US"]),
        (FixType.TENOR, ["3M", "M"]),
        (FixType.MULTIPLE_CHAR_VALUE, ["AB", "A  B", " A", ""]),
        (FixType.MULTIPLE_STRING_VALUE, ["", " A", "A  B"]),
        (FixType.MONTH_YEAR, ["202613", "2026", "202612w6"]),
        (FixType.UTC_TIMESTAMP, ["20261127", "20261127-14:30", "2026-11-27T14:30:00"]),
        (FixType.UTC_TIME_ONLY, ["14:30", "24:00:00", "14:60:00", "14:30:60", "14:30:00Z", "14:30:00.1234567890"]),
        (FixType.LOCAL_MKT_DATE, ["20260230", "2026-01-01", "00000101"]),
        (FixType.TZ_TIME_ONLY, ["07:00", "07:00+15", "07:00+05:61", "07:00+5"]),
        (FixType.TZ_TIMESTAMP, ["20261127", "20261127-07:00:00", "20260230-07:00:00Z"]),
    ],
)
def test_what_is_no_value(fix_type: FixType, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(NumberError):
            value_of(fix_type, text)


@given(st.sampled_from(FixType), st.one_of(st.text(max_size=30), st.from_regex(r"[-0-9:.+ZYNw ]{0,30}", fullmatch=True)))
def test_any_text_is_a_value_that_the_wire_carries_or_refused(fix_type: FixType, text: str) -> None:
    try:
        value_of(fix_type, text)
    except NumberError:
        return
    assert text
    assert all(" " <= character <= "~" for character in text)


@pytest.mark.parametrize(
    ("text", "zone"),
    [("09:30", None), ("09:30:00", None), ("09:30:00Z", UTC), ("09:30:00-05:00", timezone(timedelta(hours=-5)))],
)
def test_times_of_day(text: str, zone: timezone | None) -> None:
    assert time_of_day(text) == (19 * HOUR_NS // 2, zone)


@pytest.mark.parametrize(
    ("day", "fix_type", "text", "local"),
    [
        (date(2026, 11, 27), FixType.UTC_TIMESTAMP, "20261127-14:30:00", "09:30:00"),
        (date(2026, 7, 1), FixType.UTC_TIMESTAMP, "20260701-14:30:00", "10:30:00"),
        (date(2026, 7, 1), FixType.UTC_TIME_ONLY, "14:30:00.5", "10:30:00.5"),
        (date(2026, 7, 1), FixType.TZ_TIME_ONLY, "14:30:00-05:00", "14:30:00"),
        (date(2026, 7, 1), FixType.TZ_TIMESTAMP, "20260701-14:30:00-05:00", "14:30:00"),
    ],
)
def test_a_wire_time_on_a_local_clock(day: date, fix_type: FixType, text: str, local: str) -> None:
    assert Day(day).local_ns(fix_type, text, NEW_YORK) == time_of_day(local)[0]


@pytest.mark.parametrize(
    ("fix_type", "text", "wire"),
    [
        (FixType.UTC_TIMESTAMP, "20:30:00", "20261128-01:30:00"),  # the next day in UTC
        (FixType.UTC_TIMESTAMP, "09:30:00.25", "20261127-14:30:00.25"),
        (FixType.UTC_TIMESTAMP, "09:30:00+01:00", "20261127-08:30:00"),  # a zone of its own goes before
        (FixType.UTC_TIME_ONLY, "09:30:00", "14:30:00"),
        (FixType.TZ_TIME_ONLY, "09:30:00", "09:30:00-05:00"),
        (FixType.TZ_TIMESTAMP, "09:30:00", "20261127-09:30:00-05:00"),
    ],
)
def test_a_local_time_on_the_wire(fix_type: FixType, text: str, wire: str) -> None:
    assert Day(date(2026, 11, 27)).wire(fix_type, text, NEW_YORK) == wire
    assert value_of(fix_type, wire)
