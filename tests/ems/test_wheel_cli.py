"""`ems wheel open` and its arms as they are written on the command line."""

from __future__ import annotations

import pytest

from domain import wheel
from domain.errors import ConfigError
from domain.values import E9
from ems.cli.wheel import _arm
from tests.ems.test_attention_cli import RunningDesk, desk

__all__ = ["desk"]


def test_a_wheel_is_opened_by_a_person_with_a_secret(desk: RunningDesk) -> None:
    arms = ["--arm", "vwap=0.75,vwap", "--arm", "pov10=0.25,pov,ParticipationRate=10"]
    told = desk.run("wheel", "open", "main", *arms, "--seed", "spring", *desk.person())
    assert (told["ok"], told["text"]) == (True, "the wheel turns")
    found = desk.room.desk.state.wheels[wheel.key("main")]
    assert (found.seed, found.round, found.weights_e9) == ("spring", 1, (3 * E9 // 4, E9 // 4))
    assert found.arms[1].parameters == (("ParticipationRate", "10"),)
    refused = desk.run("wheel", "open", "main", *arms[:2], "--seed", "s", *desk.person(), code=1)
    assert "two arms" in refused["text"]


def test_an_arm_of_a_brokers_is_its_fields() -> None:
    assert _arm("b1=0.5,847=1001,7001=3") == ({"name": "b1", "fields": [(847, "1001"), (7001, "3")]}, E9 // 2)


@pytest.mark.parametrize("text", ["vwap", "vwap=0.5", "=0.5,vwap", "b=0.5,847=1,Rate=2", "a=x,vwap"])
def test_what_is_no_arm_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        _arm(text)
