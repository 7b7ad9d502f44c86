"""The table [[brokers]]: files found beside the configuration, and each thing that stops the start, in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import quickfix as fix

from adapters.fix.dialect import Dialect
from adapters.fix.dialect_42 import Fix42
from adapters.fix.inbound import Origin, read
from adapters.fix.own_dictionary import own_dictionary
from adapters.fix.sessions import DICTIONARIES
from domain.errors import ConfigError, ReferenceDataError
from domain.list_messages import NewOrderList
from ems.bootstrap.brokers import brokers
from ems.bootstrap.gateway import gateway_config
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.system import started
from ems.config import Session, Settings, check
from tests.adapters.fixatdl.broker import BROKER, WITH_PAIR

CLIENT = {"name": "OMS", "role": "client", "kind": "acceptor", "sender_comp_id": "EMS", "target_comp_id": "O", "port": 9991}
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


PROFILE = 'name = "B"\nversion = "FIX.4.2"\n'
NO_GROUP = BROKER.replace('name="Note"', 'name="Note" fixTag="7110"').replace('name="Sweep"', 'name="Sweep" fixTag="7111"')


def speaking_42(folder: Path, file: str, more: str = "") -> Settings:
    (folder / "broker1.xml").write_text(file)
    (folder / "b.toml").write_text(PROFILE + more)
    told = settings(folder, ("BROKER1", ["broker1.xml"]))
    spoken = told.sessions[1].model_copy(update={"profile": folder / "b.toml"})
    return told.model_copy(update={"sessions": (told.sessions[0], spoken)})


def test_what_a_brokers_version_cannot_carry_stops_the_start(tmp_path: Path) -> None:
    brokers(speaking_42(tmp_path, NO_GROUP))
    with pytest.raises(ConfigError, match=r"BROKER1: Note of Float in broker1\.xml has no fixTag, and FIX 4\.2 has no Strategy"):
        brokers(speaking_42(tmp_path, BROKER))
    strategy_847 = NO_GROUP.replace('strategyIdentifierTag="7000"', 'strategyIdentifierTag="847"')
    said = r"BROKER1: what identifies the strategy in broker1\.xml is sent in 847, which FIX 4\.2 does not have"
    with pytest.raises(ConfigError, match=said):
        brokers(speaking_42(tmp_path, strategy_847))
    brokers(speaking_42(tmp_path, strategy_847, "keep = [847]\n"))


def test_a_clients_lists_may_have_the_fields_of_every_broker_and_of_its_profile(tmp_path: Path) -> None:
    (tmp_path / "broker1.xml").write_text(WITH_PAIR)
    (tmp_path / "oms.toml").write_text('name = "O"\n[[parameters]]\nname = "EndTime"\ntag = 6002\n')
    told = settings(tmp_path, ("BROKER1", ["broker1.xml"]))
    oms = Session(**CLIENT, profile=tmp_path / "oms.toml")
    runtime = Runtime(settings=told.model_copy(update={"sessions": (*told.sessions, oms)}))
    by_name = {session.name: session.list_tags for session in gateway_config(runtime).sessions}
    assert by_name.pop("OMS") == (6002, 7000, 7001, *range(7101, 7109), 7201, 7203, 7210, 7211, 7212)
    assert set(by_name.values()) == {()}


def test_a_client_of_fix_42_names_parties_in_lists_too(tmp_path: Path) -> None:
    told = settings(tmp_path)
    runtime = Runtime(settings=told.model_copy(update={"sessions": (*told.sessions, Session(**CLIENT, begin_string="FIX.4.2"))}))
    *_, config = gateway_config(runtime).sessions
    assert {20003, 20012, 20122} <= set(config.list_tags)
    own = fix.DataDictionary(str(own_dictionary(tmp_path, DICTIONARIES["FIX.4.2"][1], config.list_tags)))
    entry = "11=A{0}|67={0}|21=1|55=X|54=1|38=5|40=1|20122=PM{0}|"
    text = (
        f"8=FIX.4.2|9=0|35=E|34=2|49=O|52=20261122-15:00:00|56=EMS|66=L|394=3|68=2|73=2|{entry.format(1)}{entry.format(2)}10=0|"
    )
    read_back = read(
        fix.Message(text.replace("|", "\x01"), own, False).toString(), Origin("O", "client", 0, 1), Dialect((Fix42(),))
    )
    assert isinstance(read_back, NewOrderList)
    found = [entry.order.instructions.parties[0] for entry in read_back.entries if entry.order.instructions is not None]
    assert [(party.party_id, party.role) for party in found] == [("PM1", 122), ("PM2", 122)]
