"""Which loads open a day, change nothing, or need a person and a reason."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain import day_load
from domain.day_load import DayLoad, Load, Loaded, Manifest, Problem

STREAM = day_load.key("2026-11-24")


def manifest(positions: str = "a", **changes: Any) -> Manifest:
    names = {"positions": positions, "cash": "b"}
    files = {
        table: {"file": f"{table}.csv", "sha256": sha * 64, "rows": 1, "as_of": "2026-11-24", "source": "back office"}
        for table, sha in names.items()
    }
    terms = {"trade_date": "2026-11-24", "base_currency": "USD", "calendar": "XNYS", "new_listings": ["B", "A"], "files": files}
    return Manifest.read("a test", terms | changes)


def opened(made: Manifest | None = None) -> DayLoad:
    loaded = day_load.decide(None, Load(made or manifest(), "jane"))
    assert isinstance(loaded, Loaded)
    return day_load.evolve(None, loaded, stream=STREAM)


def test_the_first_load_opens_the_day() -> None:
    state = opened()
    assert state.version == 1 and state.loaded.amends == 0 and state.loaded.person == "jane" and state.loaded.reason == ""
    assert [file.table for file in state.loaded.files] == ["cash", "positions"]
    assert state.loaded.manifest().model_dump(exclude={"new_listings"}) == manifest().model_dump(exclude={"new_listings"})


def test_the_same_files_change_nothing_whoever_loads_them_and_however_they_are_described() -> None:
    state = opened()
    again = manifest(new_listings=["A", "B"])
    entry = again.files["cash"].model_copy(update={"source": "somebody else"})
    again = again.model_copy(update={"files": {**again.files, "cash": entry}})
    assert day_load.decide(state, Load(again, "john")) is None
    assert day_load.decide(state, Load(again, "john", amend=True, reason="why not")) is None


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (manifest("c"), "positions"),
        (manifest(base_currency="EUR"), "base_currency"),
        (manifest(calendar="XLON", new_listings=[]), "calendar, new_listings"),
        (manifest(files={"cash": manifest().files["cash"].model_dump()}), "positions"),
    ],
)
def test_other_files_need_an_amendment_with_a_reason_and_a_person(other: Manifest, named: str) -> None:
    state = opened()
    what = f"2026-11-24 is open with other files, loaded by jane: {named} would change"
    meant = "if that is meant, give --amend with --reason and --person"
    assert day_load.decide(state, Load(other, "john", reason="late")) == Problem("the day", what, meant)
    for person, reason in (("john", ""), ("", "late"), ("", "")):
        found = day_load.decide(state, Load(other, person, amend=True, reason=reason))
        assert found == Problem("the day", what, "an amendment needs --reason and --person")
    amended = day_load.decide(state, Load(other, "john", amend=True, reason="late"))
    assert isinstance(amended, Loaded)
    after = day_load.evolve(state, amended, stream=STREAM)
    assert (after.version, amended.amends, amended.person, amended.reason) == (2, 1, "john", "late")
    assert after.loaded == amended


def test_there_is_nothing_to_amend_before_the_first_load() -> None:
    found = day_load.decide(None, Load(manifest(), "john", amend=True, reason="late"))
    assert found == Problem("the day", "nothing is loaded for 2026-11-24 that could be amended", "leave --amend out")


def test_an_event_of_an_amendment_without_a_reason_cannot_be() -> None:
    event = opened().loaded.model_dump()
    with pytest.raises(ValidationError, match="an amendment, and nothing else, has a reason"):
        Loaded.model_validate(event | {"amends": 1})
    with pytest.raises(ValidationError, match="an amendment, and nothing else, has a reason"):
        Loaded.model_validate(event | {"reason": "late"})


def test_every_trade_date_has_a_stream_of_its_own() -> None:
    assert manifest().trade_date == date(2026, 11, 24)
    assert STREAM == day_load.key("2026-11-24") != day_load.key("2026-11-25")
