"""A counterparty's profile: the examples are sound, and a bad file is refused in one sentence with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.reference.files import load_sample
from domain.errors import ConfigError
from domain.session_policy import SessionPolicy
from domain.values import OrdType
from ems.bootstrap.dialects import dialects
from ems.bootstrap.gateway import oms_session, session_config
from ems.bootstrap.profiles import load_profile, policies
from ems.config import Settings, check

EXAMPLES = Path(__file__).parents[3] / "adapters" / "fix" / "profiles"


def test_the_examples_differ_in_everything_that_a_profile_says() -> None:
    northgate, harbour = (load_profile(EXAMPLES / f"{name}.toml") for name in ("northgate", "harbour"))
    for field in type(northgate).model_fields:
        assert getattr(northgate, field) != getattr(harbour, field), field
    assert northgate.policy == SessionPolicy(acknowledge_first=False, requests="refuse", throttle_count=50)
    assert northgate.orders.types == (OrdType.MARKET, OrdType.LIMIT)


BAD = [
    ('name = "A"\n[accounts.names]\nA = "X"\nB = "X"', "line 2: accounts.names: names gives X to two of ours"),
    ('name = "A"\n[accounts.names]\nA = 5', "line 3: accounts.names.A must be a valid string, not 5"),
    ('name = "A"\n[[tags]]\nours = 40\ntheirs = 9', "line 2: tags[0]: tag 9 belongs to the session or identifies an order"),
    ('name = "A"\n[[tags]]\nours = 448\ntheirs = 9000', "line 2: tags[0]: tag 448 is part of a repeating group"),
    ('name = "A"\n[[tags]]\nours = 40\ntheirs = 7\n[[tags]]\nours = 59\ntheirs = "x"', "line 7: tags[1].theirs must be"),
    ('name = "A"\n[[tags]]\nours = 40\ntheirs = 7\n[[tags]]\nours = 59\ntheirs = 7', "two fields of ours would become tag 7"),
    ('name = "A"\n[[tags]]\nours = 40\ntheirs = 40\nvalues = { 1 = "M", 2 = "M" }', "line 2: tags[0]: values gives M to two"),
    ('name = "A"\n[[parameters]]\nname = "X"\ntag = 11', "tag 11 cannot carry a parameter"),
    ('name = "A"\n[[parameters]]\nname = "X"\ntag = 7\n[[parameters]]\nname = "X"\ntag = 8', "the parameter X stands twice"),
    ('name = "A"\n[policy]\nrequests = "later"', "line 3: policy.requests must be 'queue' or 'refuse', not 'later'"),
    ('name = "A"\n[policy]\nspeed = 1', "line 2: policy: speed is not one of acknowledge_first, "),
    ('name = "A"\nversion = "FIX.4.3"', "line 2: version must be 'FIX.4.2', 'FIX.4.4' or 'FIXT.1.1', not 'FIX.4.3'"),
    ('name = "A"\nversion = "FIX.4.2"\n[instruments]\nalternatives = ["figi"]', "FIX.4.2 has no alternative ids (454)"),
    ('name = "A"\n[instruments]\nsymbol = "cow"', "line 3: instruments.symbol must be 'symbol', 'ric'"),
    ('name = "A"\n[instruments]\nalternatives = ["ric", "ric"]', "line 2: instruments: alternatives names a source twice"),
    ('name = "A"\n[routes]\ntag = 57\n[routes.names]\nX = "Y"', "TargetSubID (57) takes a default alone"),
    ('name = "A"\n[routes]\ndefault = "Y"\n[routes.names]\nX = "Y"', "the default Y is one of the names too"),
    ('name = "A"\n[suppress]\nreports = ["trade"]', "line 3: suppress.reports[0] must be 'pending_new'"),
    ('name = "A"\n[suppress.tags]\n8 = [39]', "line 2: suppress.tags: tag 39 is needed in every message that has it"),
    ('name = "A"\n[suppress.tags]\n8 = [958]', "name the group's counter instead"),
    ('name = "A"\n[[enrich]]\ntypes = ["D"]\ntag = 47', "line 2: enrich[0]: an added field needs either a value or"),
    ('name = "A"\n[[enrich]]\ntypes = ["D"]\ntag = 11\nvalue = "x"', "line 2: enrich[0]: tag 11 cannot be added by a profile"),
    ('name = "A"\n[orders]\ntypes = ["iceberg"]', "line 3: orders.types[0] must be 'market', 'limit'"),
    ('name = "A"\ncolour = "red"', "line 2: colour is not a setting"),
    ('version = "FIX.4.2"', "name is missing"),
    ('name = "A', "is not TOML"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=lambda value: str(value)[-40:])
def test_a_bad_profile_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "them.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_profile(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="byte 0 is not UTF-8"):
        load_profile(tmp_path / "bytes.toml")


def settings(folder: Path, **session: object) -> Settings:
    values: dict[str, object] = {
        "name": "OMS1", "role": "client", "kind": "acceptor", "sender_comp_id": "EMS", "target_comp_id": "OMS1", "port": 9876,
        **session,
    }  # fmt: skip
    return check({**_with_venue(values), "routes": {"*": "SIM"}}, name="ems.toml", folder=folder)


def _with_venue(client: dict[str, object]) -> dict[str, object]:
    venue = {**client, "name": "SIM", "role": "venue", "kind": "initiator", "target_comp_id": "SIM", "port": 9880}
    for own in ("profile", "begin_string", "reset"):
        venue.pop(own, None)
    return {"sessions": [client, venue]}


def test_a_session_takes_version_reset_policy_and_dialect_from_its_profile(tmp_path: Path) -> None:
    (tmp_path / "them.toml").write_text((EXAMPLES / "northgate.toml").read_text())
    named = settings(tmp_path, profile="them.toml")
    assert named.sessions[0].profile == tmp_path / "them.toml"
    ours, venue = (session_config(session) for session in named.sessions)
    assert (ours.begin_string, ours.reset) == ("FIX.4.2", "logon")
    assert (venue.begin_string, venue.reset) == ("FIX.4.4", "continue")
    theirs = oms_session(named)
    assert theirs is not None
    assert theirs.begin_string == "FIX.4.2"
    assert policies(named)["OMS1"].requests == "refuse"
    assert set(dialects(named, load_sample().universe)) == {"OMS1"}


def test_a_version_needs_no_profile(tmp_path: Path) -> None:
    old = settings(tmp_path, begin_string="FIX.4.2")
    assert session_config(old.sessions[0]).begin_string == "FIX.4.2"
    assert set(dialects(old, load_sample().universe)) == {"OMS1"}
    assert policies(old) == old.policies()
    assert dialects(settings(tmp_path, begin_string="FIXT.1.1"), load_sample().universe) == {}


@pytest.mark.parametrize("own", [{"begin_string": "FIX.4.4"}, {"reset": "continue"}])
def test_a_session_may_not_contradict_its_profile(tmp_path: Path, own: dict[str, str]) -> None:
    named = settings(tmp_path, profile=str(EXAMPLES / "northgate.toml"), **own)
    with pytest.raises(ConfigError, match=r"session OMS1: its (begin_string|reset) is .* but its profile .* says"):
        session_config(named.sessions[0])
