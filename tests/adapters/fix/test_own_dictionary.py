"""Fields of the users' own in the orders of a list: the engine keeps them where they came with a dictionary that has them."""

from __future__ import annotations

from pathlib import Path

import pytest
import quickfix as fix

from adapters.fix.own_dictionary import own_dictionary
from adapters.fix.sessions import DICTIONARIES, SessionConfig, settings_text
from adapters.fix.vocabulary import SOH

ENTRIES = "73=2|11=A1|67=1|21=1|55=X|54=1|60=20260302-15:00:00|38=5|40=1|168=20260302-15:00:00|7201=1|7202=a|11=A2|67=2|7201=2|"
LISTED = f"8={{}}|9=0|35=E|34=2|49=A|52=20260101-00:00:00|56=B|66=L|394=3|68=2|{ENTRIES}7000=PAIR|10=000|"
TAGS = (7202, 7201, 168)
VERSIONS = tuple(DICTIONARIES)


def through(path: Path, begin_string: str, after: str = "") -> str:
    """A list as the engine tells it after reading it with a dictionary. after: what follows its orders."""
    text = LISTED.format(begin_string).replace("7000=", f"{after}7000=").replace("|", SOH)
    message = fix.Message(text, fix.DataDictionary(str(path)), False)
    return message.toString().replace(SOH, "|")  # type: ignore[no-any-return]


@pytest.mark.parametrize("begin_string", VERSIONS)
def test_an_order_of_a_list_keeps_its_own_fields(tmp_path: Path, begin_string: str) -> None:
    published = DICTIONARIES[begin_string][1]
    own = own_dictionary(tmp_path / "new", published, TAGS)
    first, _, second = through(own, begin_string).partition("|11=A1|")[2].partition("|11=A2|")
    assert {"67=1", "7201=1", "7202=a", "168=20260302-15:00:00"} <= set(first.split("|"))
    assert second.startswith("67=2|7201=2|394=3|")
    assert "7201=1|7201=2" in through(published, begin_string), "without it the engine takes them out of their orders"


@pytest.mark.parametrize("begin_string", VERSIONS)
def test_everything_else_stays_as_it_is(tmp_path: Path, begin_string: str) -> None:
    published = DICTIONARIES[begin_string][1]
    assert own_dictionary(tmp_path, published, ()) == published
    own = own_dictionary(tmp_path, published, TAGS)
    assert own_dictionary(tmp_path, published, (7201, 168, 7202)) == own, "the same tags are the same file"
    assert own_dictionary(tmp_path, published, (7201,)) != own
    before, after = (fix.DataDictionary(str(path)) for path in (published, own))
    for kind in "DEFGHJ8":
        for tag in (*range(1, 1000), 7202):
            assert before.isMsgField(kind, tag) == after.isMsgField(kind, tag), (kind, tag)


@pytest.mark.parametrize("begin_string", VERSIONS)
def test_a_field_of_the_lists_own_stays_the_lists(tmp_path: Path, begin_string: str) -> None:
    own = own_dictionary(tmp_path, DICTIONARIES[begin_string][1], (433, 7202, 7201, 168))
    last = through(own, begin_string, "433=1|").partition("|11=A2|")[2]
    assert last.startswith("67=2|7201=2|394=3|433=1|")


def test_a_session_with_such_fields_is_set_up_with_its_own_dictionary(tmp_path: Path) -> None:
    plain = SessionConfig(name="A", role="client", kind="acceptor", sender_comp_id="EMS", target_comp_id="A", port=1)
    tagged = SessionConfig(
        name="B", role="client", kind="acceptor", sender_comp_id="EMS", target_comp_id="B", port=1, list_tags=(7201,)
    )
    _, one, other = settings_text([plain, tagged], tmp_path / "store").split("[SESSION]")
    assert f"DataDictionary={DICTIONARIES['FIX.4.4'][1]}\n" in one
    (written,) = (tmp_path / "dictionaries").iterdir()
    assert f"DataDictionary={written}\n" in other
