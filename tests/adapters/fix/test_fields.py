"""Numbers and timestamps inside FIX text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.fields import cut, number_e9, number_text, plain, timestamp_ns, timestamp_text
from domain.errors import NumberError
from domain.values import E9_MAX, to_e9

YEAR_2200_NS = 7_258_118_400_000_000_000


@given(st.integers(-E9_MAX, E9_MAX))
def test_a_number_comes_back(value_e9: int) -> None:
    text = number_text(value_e9)
    assert number_e9(text) == value_e9
    assert to_e9(text) == value_e9
    assert "E" not in text.upper()


@given(st.text(alphabet="0123456789.-+eE ²_", max_size=24))
def test_a_text_is_a_number_as_fix_means_it_or_refused(text: str) -> None:
    try:
        value_e9 = number_e9(text)
    except NumberError:
        return
    assert to_e9(text) == value_e9
    assert set(text) <= set("0123456789.-")


@pytest.mark.parametrize(
    "text", ["", ".", "-", "1e5", "+1", "1_000", " 1", "²", "nan", "inf", "--1", "1.2.3", "9" * 11, "0.0000000001"]
)
def test_what_is_no_fix_number(text: str) -> None:
    with pytest.raises(NumberError):
        number_e9(text)


@given(st.integers(0, YEAR_2200_NS))
def test_a_timestamp_comes_back_to_the_millisecond(time_ns: int) -> None:
    assert timestamp_ns(timestamp_text(time_ns)) == time_ns - time_ns % 1_000_000


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("19700101-00:00:00", 0),
        ("20120621-13:30:00", 1_340_285_400_000_000_000),
        ("20120621-13:30:00.1", 1_340_285_400_100_000_000),
        ("20120621-13:30:00.123456789", 1_340_285_400_123_456_789),
    ],
)
def test_timestamps(text: str, time_ns: int) -> None:
    assert timestamp_ns(text) == time_ns


@given(st.text(max_size=30))
def test_any_text_is_a_timestamp_or_a_value_error(text: str) -> None:
    try:
        assert timestamp_ns(text) >= 0
    except ValueError:
        return


@pytest.mark.parametrize(
    "text",
    [
        "20120621",
        "20120621-25:00:00",
        "20120621-13:30:00.",
        "20120621-13:30:00.1234567890",
        "20120631-00:00:00",
        "19691231-23:59:59",
    ],
)
def test_what_is_no_timestamp(text: str) -> None:
    with pytest.raises(ValueError, match=r"UTC timestamp|outside the years"):
        timestamp_ns(text)


@given(st.text())
def test_plain_text_stands_in_a_field(text: str) -> None:
    clean = plain(text)
    assert not {"\x01", "\0"} & set(clean)
    assert cut(f"58={clean}\x01")["58"] == clean
    clean.encode()
