"""UTC time stamps and numbers of parameters, as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import NumberError
from domain.values import E9, to_e9
from domain.wire_parameter import FixType, Parameter, Unit, parse_utc_ns, reader

OPEN_NS = 1_340_285_400 * E9  # 2012-06-21 13:30:00 UTC
PRICE = Parameter(name="P", type=FixType.PRICE, unit=Unit.PRICE, description="", absent="")


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("19700101-00:00:00", 0),
        ("20120621-13:30:00", OPEN_NS),
        ("20120621-13:30:00.123", OPEN_NS + 123_000_000),
        ("20120621-13:30:00.123456789", OPEN_NS + 123_456_789),
        ("20240229-00:00:00", 1_709_164_800 * E9),
    ],
)
def test_time_stamps(text: str, ns: int) -> None:
    assert parse_utc_ns(text) == ns


@pytest.mark.parametrize(
    "text",
    ["", "20120621", "20120621-25:00:00", "20120230-00:00:00", "20120621-13:30:60", "20120621-13:30:00.1234567890",
     "20120621-13:30:00.x", "2012-06-21 13:30:00", " 20120621-13:30:00", "20120621-13:30:0\u0660"],
)  # fmt: skip
def test_what_is_no_time_stamp(text: str) -> None:
    with pytest.raises(NumberError):
        parse_utc_ns(text)


@given(
    st.decimals(min_value=0, max_value=10**10, allow_nan=False, allow_infinity=False, places=9), st.sampled_from(["", "0", "000"])
)
def test_a_number_is_read_as_decimal_reads_it(number: Decimal, zeros: str) -> None:
    text = zeros + format(number, "f")
    try:
        exact = to_e9(Decimal(text))
    except NumberError:
        exact = 0
    if exact:
        assert reader(PRICE)(text) == exact
    else:
        with pytest.raises(NumberError):
            reader(PRICE)(text)


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (Unit.PRICE, "5.", 5 * E9),
        (Unit.PRICE, ".5", E9 // 2),
        (Unit.PRICE, "9223372036.854775807", 2**63 - 1),
        (Unit.PRICE, "1.0000000000", E9),
        (Unit.MINUTES, "0.5", 30 * E9),
        (Unit.PERCENT, "0.0000001", 1),
    ],
)
def test_numbers_in_their_units(unit: Unit, text: str, value: int) -> None:
    assert reader(Parameter(name="P", type=FixType.FLOAT, unit=unit, description="", absent=""))(text) == value


@pytest.mark.parametrize(
    "text", ["", ".", "-1", "+1", "1e3", " 1", "1,5", "1..5", "0", "\u0663", "9223372036.854775808", "9" * 5000]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(NumberError):
        reader(PRICE)(text)


def test_a_share_finer_than_the_desk_can_hold_is_refused() -> None:
    with pytest.raises(NumberError, match="finer"):
        reader(Parameter(name="P", type=FixType.FLOAT, unit=Unit.PERCENT, description="", absent=""))("0.00000015")


def test_bounds_are_allowed_themselves() -> None:
    read = reader(
        Parameter(name="P", type=FixType.FLOAT, unit=Unit.PRICE, description="", absent="", minimum_e9=2 * E9, maximum_e9=3 * E9)
    )
    assert (read("2"), read("3")) == (2 * E9, 3 * E9)
    for text, why in (("1.999999999", "is below 2 price"), ("3.000000001", "is above 3 price")):
        with pytest.raises(NumberError, match=why):
            read(text)
