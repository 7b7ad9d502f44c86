"""StrategyParametersGrp as algorithms understand it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.algo_parameters import MODELS, AlgoParameters, Pov, Twap, Vwap, parse, wire_fields
from domain.refusal import Reason, Refusal
from domain.values import E9, Algo

OPEN_NS = 1_340_285_400 * E9  # 2012-06-21 13:30:00 UTC


@pytest.mark.parametrize(
    ("algo", "parameters", "parsed"),
    [
        (Algo.TWAP, (), Twap()),
        (Algo.VWAP, (("StartTime", "20120621-13:30:00"),), Vwap(start_ns=OPEN_NS)),
        (Algo.VWAP, (("EndTime", "20120621-13:30:00.5"),), Vwap(end_ns=OPEN_NS + E9 // 2)),
        (Algo.TWAP, (("DurationMinutes", "30"),), Twap(duration_ns=1800 * E9)),
        (Algo.TWAP, (("DurationMinutes", "0.5"),), Twap(duration_ns=30 * E9)),
        (Algo.POV, (("ParticipationRate", "10"),), Pov(participation_e9=E9 // 10)),
        (Algo.TWAP, (("MaxParticipation", "100"),), Twap(max_participation_e9=E9)),
        (Algo.TWAP, (("WouldPrice", "187.01"),), Twap(would_price_e9=187_010_000_000)),
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
        (Algo.TWAP, (("ParticipationRate", "10"),), Reason.UNKNOWN_PARAMETER),
        (Algo.VWAP, (("ParticipationRate", "10"),), Reason.UNKNOWN_PARAMETER),
        (Algo.DIRECT, (("StartTime", "20120621-13:30:00"),), Reason.UNKNOWN_PARAMETER),
        (Algo.VWAP, (("Urgency", "high"), ("StartTime", "x")), Reason.UNKNOWN_PARAMETER),
        (Algo.VWAP, (("MaxParticipation", "0.00000001"),), Reason.BAD_PARAMETER),
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


def test_a_direct_order_without_parameters_has_none() -> None:
    assert parse(Algo.DIRECT, ()) == AlgoParameters()


def test_a_refusal_names_the_parameter_and_what_there_is() -> None:
    unknown, late = parse(Algo.TWAP, (("Urgency", "1"),)), parse(Algo.TWAP, (("EndTime", "late"),))
    assert isinstance(unknown, Refusal)
    assert isinstance(late, Refusal)
    assert unknown.text == (
        "twap has no parameter 'Urgency'; it has StartTime, EndTime, DurationMinutes, MaxParticipation, WouldPrice, "
        "AtOpen, AtClose"
    )
    assert late.text.startswith("EndTime: 'late' is not a UTC time stamp")


def test_every_algorithm_has_a_model_that_can_be_published() -> None:
    assert set(MODELS) == set(Algo) - {Algo.DIRECT, Algo.MANUAL}
    for model in MODELS.values():
        names = [wire.parameter.name for wire in wire_fields(model)]
        assert model.__doc__
        assert len(set(names)) == len(names)
        assert {name for rule in model.rules for name in (rule.later, rule.earlier)} <= set(names)
        assert all(wire.parameter.description.endswith(".") and wire.parameter.absent for wire in wire_fields(model))
