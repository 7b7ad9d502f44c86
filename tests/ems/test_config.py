"""The configuration: the template loads as it is, variables override it, and whatever is wrong is one sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from domain.errors import ConfigError
from domain.limit_rules import RULES
from ems.config import Settings, check, load
from ems.config_text import TEMPLATE, line_of


def write(folder: Path, text: str) -> Path:
    path = folder / "ems.toml"
    path.write_text(text)
    return path


def test_the_template_loads_as_it_is(tmp_path: Path) -> None:
    settings = load(write(tmp_path, TEMPLATE))
    assert settings.mode == "PAPER"
    assert settings.state_directory == tmp_path / "var" / "ems"
    assert settings.route("AMZN") == "SIM"
    assert settings.venue_clients() == ("EMS",)
    assert [port for _, _, port in settings.ports()] == [9876, 9880, 8410]


def test_what_is_loaded_survives_its_own_json(tmp_path: Path) -> None:
    settings = load(write(tmp_path, TEMPLATE))
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_variables_override_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_DATABASE_URL", "postgresql://db/ems")
    monkeypatch.setenv("EMS_CONSOLE__PORT", "9999")
    settings = load(write(tmp_path, TEMPLATE))
    assert settings.database_url == "postgresql://db/ems"
    assert settings.console.port == 9999 and settings.console.host == "127.0.0.1"


def test_a_tape_clock_stretches_what_waits_for_machines_but_not_what_waits_for_markets(tmp_path: Path) -> None:
    clock = '[clock]\nkind = "tape"\nstart = 2012-06-21T13:30:00Z\nspeed = 60'
    pace = load(write(tmp_path, TEMPLATE.replace('[clock]\nkind = "wall"', clock))).scheduler_pace()
    assert (pace.unanswered_ns, pace.closing_ns) == (120_000_000_000, 120_000_000_000)
    assert pace.patience_ns == 30_000_000_000


def test_when_an_adaptive_order_is_planned_again_is_a_setting(tmp_path: Path) -> None:
    pace = load(write(tmp_path, TEMPLATE)).scheduler_pace()
    assert (pace.fallback_ns, pace.deviation_max, pace.deviation_rest_ns) == (30_000_000_000, 0.15, 30_000_000_000)
    changed = replaced("fallback_s = 30 ", "fallback_s = 7 ")
    changed = changed.replace("deviation_max = 0.15 ", 'deviation_max = "conformal" ')
    changed = changed.replace("deviation_rest_s = 30 ", "deviation_rest_s = 0.5 ")
    pace = load(write(tmp_path, changed)).scheduler_pace()
    assert (pace.fallback_ns, pace.deviation_max, pace.deviation_rest_ns) == (7_000_000_000, None, 500_000_000)


def replaced(old: str, new: str, count: int = -1) -> str:
    assert old in TEMPLATE
    return TEMPLATE.replace(old, new, count)


BROKEN = {
    "not TOML": (TEMPLATE + "\n[console", "ems.toml is not TOML"),
    "a port too high": (replaced("port = 9876", "port = 98760"), "line 29: sessions[0].port must be less than or equal to 65535"),
    "a word that is none of the choices": (replaced('"venue"', '"venu"'), "sessions[1].role must be 'client', 'venue',"),
    "a misspelt name": (replaced("patience_s", "patient_s"), "pace.patient_s is not a setting"),
    "a missing value": (replaced('target_comp_id = "OMS1"\n', ""), "sessions[0].target_comp_id is missing"),
    "a time too short": (replaced("patience_s = 30 ", "patience_s = 0 "), "pace.patience_s must be greater than 0"),
    "a deviation that is none": (replaced("deviation_max = 0.15 ", "deviation_max = 0 "), "pace.deviation_max"),
    "two sessions of one name": (replaced('name = "SIM-MD"', 'name = "SIM"'), "two sessions have the name SIM"),
    "a route into nowhere": (replaced('"*" = "SIM"', '"*" = "NYSE"'), "the route of * leads to 'NYSE'"),
    "a paper desk on a live session": (
        replaced('role = "venue"', 'role = "venue"\nenvironment = "LIVE"'),
        "a PAPER desk does not log on to session SIM, which is LIVE",
    ),
    "a live desk on paper sessions": (replaced('mode = "PAPER"', 'mode = "LIVE"'), "a LIVE desk does not log on to session OMS1"),
    "one port twice": (replaced("port = 8410", "port = 9876"), "session OMS1 and the console both want port 9876"),
    "no such time zone": (replaced("America/New_York", "America/Gotham"), "home_time_zone 'America/Gotham'"),
    "a tape clock without a start": (replaced('kind = "wall"', 'kind = "tape"'), "a tape clock needs a start"),
    "a tape on the wall's clock": (
        replaced('# tape = "AMZN_2012-06-21.zip"', 'tape = "AMZN.zip"').replace('["DEMO", "AMZN"]', '["AMZN"]'),
        "a venue on a tape needs a tape clock",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), BROKEN.values(), ids=BROKEN.keys())
def test_whatever_is_wrong_is_one_sentence_that_names_file_and_field(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    sentence = str(caught.value)
    assert told in sentence
    assert "ems.toml" in sentence and "\n" not in sentence


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml cannot be read: No such file or directory \(ems init"):
        load(tmp_path / "nowhere.toml")


def test_a_wrong_variable_is_named_instead_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_CONSOLE__PORT", "high")
    with pytest.raises(ConfigError, match=r"environment variable EMS_CONSOLE__PORT: console\.port must be a valid integer"):
        load(write(tmp_path, TEMPLATE))


def test_a_line_is_found_in_the_right_table() -> None:
    text = 'mode = "PAPER"\n[[sessions]]\nport = 1\n[[sessions]]\nport = 2\n[console]\nport = 3\n'
    assert line_of(text, ("mode",)) == 1
    assert line_of(text, ("sessions", 0, "port")) == 3
    assert line_of(text, ("sessions", 1, "port")) == 5
    assert line_of(text, ("console", "port")) == 7
    assert line_of(text, ("sessions", 1, "host")) == 4, "a value that is missing: where its table begins"
    assert line_of(text, ("venue", "port")) is None


def test_the_limits_that_are_written_are_strict_and_without_them_only_wide_ones_are_in_force() -> None:
    text, without = TEMPLATE, TEMPLATE[: TEMPLATE.index("[risk]")]
    strict, wide = (check(tomllib.loads(each), name="ems.toml", text=each).risk for each in (text, without))
    assert {limit.check for limit in strict.limits} == {limit for limit, rule in RULES.items() if rule.units}
    assert [limit.check for limit in wide.limits] == ["max_quantity", "message_rate", "repeated_execution"]
    assert strict.terms("desk").digest != wide.terms("desk").digest
    spoiled = text.replace('"stale_data", value = 5', '"stale_data", unit = "money", value = 5')
    with pytest.raises(ConfigError, match=r"ems.toml, line \d+: risk.limits\[\d+\]: stale_data is in ns, not in money"):
        check(tomllib.loads(spoiled), name="ems.toml", text=spoiled)
