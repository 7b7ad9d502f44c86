"""StrategyParametersGrp as algorithms understand it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.algo_parameters import AlgoParameters, parse, parse_utc_ns
from domain.errors import NumberError
from domain.refusal import Reason, Refusal
from domain.values import E9, Algo

OPEN_NS = 1_340_285_400 * E9  # 2012-06-21 13:30:00 UTC


@pytest.mark.parametrize(
    ("algo", "parameters", "parsed"),
    [
        (Algo.TWAP, (), AlgoParameters()),
        (Algo.VWAP, (("StartTime", "20120621-13:30:00"),), AlgoParameters(start_ns=OPEN_NS)),
        (Algo.VWAP, (("EndTime", "20120621-13:30:00.5"),), AlgoParameters(end_ns=OPEN_NS + E9 // 2)),
        (Algo.TWAP, (("DurationMinutes", "30"),), AlgoParameters(duration_ns=1800 * E9)),
        (Algo.TWAP, (("DurationMinutes", "0.5"),), AlgoParameters(duration_ns=30 * E9)),
        (Algo.POV, (("ParticipationRate", "10"),), AlgoParameters(participation_e9=E9 // 10)),
        (Algo.TWAP, (("MaxParticipation", "100"),), AlgoParameters(max_participation_e9=E9)),
        (Algo.TWAP, (("WouldPrice", "187.01"),), AlgoParameters(would_price_e9=187_010_000_000)),
    ],
)
def test_good_groups(algo: Algo, parameters: tuple[tuple[str, str], ...], parsed: AlgoParameters) -> None:
    assert parse(algo, parameters) == parsed


@pytest.mark.parametrize(
    ("algo", "parameters", "reason"),
    [
        (Algo.TWAP, (("Urgency", "high"),), Reason.UNKNOWN_PARAMETER),
        (Algo.TWAP, (("starttime", "20120621-13:30:00"),), Reason.UNKNOWN_PARAMETER),
        (Algo.TWAP, (("DurationMinutes", "5"), ("DurationMinutes", "6")), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("DurationMinutes", "0"),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("DurationMinutes", "-5"),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("DurationMinutes", "10081"),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("DurationMinutes", "1e3"),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("DurationMinutes", "\u0663"),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("StartTime", "13:30"),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("MaxParticipation", "100.1"),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("WouldPrice", ""),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("WouldPrice", "."),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("WouldPrice", "0.0000000001"),), Reason.BAD_PARAMETER),
        (Algo.TWAP, (("WouldPrice", "9" * 40),), Reason.BAD_PARAMETER),
        (Algo.POV, (), Reason.BAD_PARAMETER),
        (Algo.POV, (("MaxParticipation", "10"),), Reason.BAD_PARAMETER),
    ],
)
def test_bad_groups(algo: Algo, parameters: tuple[tuple[str, str], ...], reason: Reason) -> None:
    refused = parse(algo, parameters)
    assert isinstance(refused, Refusal)
    assert refused.reason is reason
    assert refused.text


@given(st.lists(st.tuples(st.sampled_from(["StartTime", "DurationMinutes", "WouldPrice", "X"]), st.text()), max_size=3))
def test_whatever_is_sent_is_parsed_or_refused(parameters: list[tuple[str, str]]) -> None:
    assert isinstance(parse(Algo.VWAP, tuple(parameters)), AlgoParameters | Refusal)


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
