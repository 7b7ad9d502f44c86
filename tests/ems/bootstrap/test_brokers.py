"""The table [[brokers]]: files found beside the configuration, and each thing that stops the start, in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import ConfigError, ReferenceDataError
from ems.bootstrap.brokers import brokers
from ems.bootstrap.system import started
from ems.config import Settings, check
from tests.adapters.fixatdl.broker import BROKER

VENUE = {"role": "venue", "kind": "initiator", "sender_comp_id": "EMS", "target_comp_id": "B", "port": 9990}


def settings(folder: Path, *tables: tuple[str, list[str]]) -> Settings:
    values = {
        "sessions": [{"name": "SIM", **VENUE}, {"name": "BROKER1", **VENUE}],
        "routes": {"*": "SIM"},
        "brokers": [{"session": session, "atdl": files} for session, files in tables],
        "state_directory": "state",
    }
    return check(values, name="ems.toml", folder=folder)


def test_files_are_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "broker1.xml").write_text(BROKER)
    assert settings(tmp_path, ("BROKER1", ["broker1.xml"])).brokers[0].atdl == (tmp_path / "broker1.xml",)
    brokers(settings(tmp_path, ("BROKER1", ["broker1.xml"])))


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ([("OMS9", ["a.xml"])], r"brokers: 'OMS9' is none of the venue sessions \['BROKER1', 'SIM'\]"),
        ([("BROKER1", ["a.xml"]), ("BROKER1", ["b.xml"])], "brokers: the session BROKER1 has two tables"),
        ([("BROKER1", [])], r"brokers\[0\]\.atdl .* at least 1"),
    ],
)
def test_a_table_that_cannot_be_meant(tmp_path: Path, tables: list[tuple[str, list[str]]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        settings(tmp_path, *tables)


async def test_a_bad_file_stops_the_start_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "broker1.xml").write_text(BROKER.replace('minValue="0.01"', 'minValue="low"'))
    with pytest.raises(ReferenceDataError, match=r"broker1\.xml.*line 17.*low") as caught:
        async with started(settings(tmp_path, ("BROKER1", ["broker1.xml"]))):
            pass
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "state").exists()
