"""What is agreed with a client about allocations, from the configuration to the desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.allocation_terms import ALLOCATION_DEFAULT, AllocationPolicy, Method
from domain.errors import ConfigError
from domain.proration import Remainder, Rounding
from domain.values import E9
from ems.config import Settings, load
from ems.config_text import TEMPLATE

TABLE = """
[sessions.allocation]
method = "percentage"
remainder = "minimum_ticket"
lot = 100
percentages = { "FUND-A" = 62.5, B = 37.5 }
minimum_ticket = 500
price_decimals = 6
rounding = "down"
price_tolerance = 0.005
accounts = ["FUND-A", "B"]
"""
FIRST_SESSION_ENDS = "heart_bt_int_s = 30\n"


def loaded(folder: Path, table: str) -> Settings:
    path = folder / "ems.toml"
    path.write_text(TEMPLATE.replace(FIRST_SESSION_ENDS, FIRST_SESSION_ENDS + table, 1))
    return load(path)


def test_the_table_is_the_policy_of_its_session(tmp_path: Path) -> None:
    settings = loaded(tmp_path, TABLE)
    assert settings.policies()["OMS1"].allocation == AllocationPolicy(
        method=Method.PERCENTAGE,
        remainder=Remainder.MINIMUM_TICKET,
        lot_e9=100 * E9,
        percentages={"FUND-A": 62_500_000_000, "B": 37_500_000_000},
        minimum_ticket_e9=500 * E9,
        price_decimals=6,
        rounding=Rounding.DOWN,
        price_tolerance_e9=5_000_000,
        accounts=frozenset({"FUND-A", "B"}),
    )
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_without_a_table_it_is_as_usual_and_venues_have_none(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    assert {name: policy.allocation for name, policy in settings.policies().items()} == {"OMS1": ALLOCATION_DEFAULT}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('method = "percentage"', "the method percentage needs percentages"),
        ('method = "percentage"\npercentages = { A = 0 }', "the method percentage needs percentages"),
        ('remainder = "minimum_ticket"', "the remainder minimum_ticket needs a minimum_ticket"),
        ('method = "fair"', "sessions[0].allocation.method must be 'proration', 'priority', 'percentage' or 'fixed', not 'fair'"),
        ("lot = 0", "sessions[0].allocation.lot must be greater than 0"),
        ("price_decimals = 10", "sessions[0].allocation.price_decimals must be less than or equal to 9"),
        ("percentages = { A = -1 }", "sessions[0].allocation.percentages.A must be greater than or equal to 0"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, f"[sessions.allocation]\n{table}\n")
    assert said in str(raised.value)
