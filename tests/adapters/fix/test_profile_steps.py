"""Profiles at work on texts: two invented counterparties that differ in everything, both ways; and nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.dialect import Dialect
from adapters.fix.inbound import Origin, read
from adapters.fix.profile import Profile
from adapters.fix.profile_steps import dialect_of
from adapters.reference.files import load_sample
from domain.instrument import Universe
from domain.list_messages import NewOrderList
from domain.messages import Inbound, NewOrder, VenueReport
from domain.refusal import Reason
from domain.values import OrdType, TimeInForce
from ems.bootstrap.profiles import load_profile
from tests.adapters.fix.made import apart_from_text, on_the_wire

UNIVERSE = load_sample().universe
PROFILES = {
    name: load_profile(Path(__file__).parents[3] / "adapters" / "fix" / "profiles" / f"{name}.toml")
    for name in ("northgate", "harbour")
}
CLIENT = Origin("PEER", "client", 0, 1)
VENUE = Origin("PEER", "venue", 0, 1)


def dialect(profile: Profile) -> Dialect:
    made_of_it = dialect_of(profile.version, profile, UNIVERSE)
    assert made_of_it is not None
    return made_of_it


NORTHGATE, HARBOUR = dialect(PROFILES["northgate"]), dialect(PROFILES["harbour"])
AN_ORDER = "35=D|11=A|1={}|55={}|54=1|60=20261122-15:00:00|38=5|40=2|44=187.5|59=0|"


def wire(fields: str) -> str:
    return fields.replace("|", "\x01")


def fields_of(text: str) -> set[str]:
    return set(text.split("\x01")) - {""}


def order(fields: str, spoken: Dialect) -> Any:
    return read(wire(fields), CLIENT, spoken)


# ------------------------------------------------------------------------------------------- Northgate, an OMS


def test_an_order_of_northgate_is_read() -> None:
    theirs = (
        AN_ORDER.format("NGALPHA", "AMZN.O") + "21=1|48=Z000001|22=2|9001=V|9011=20261122-15:00:00|9013=0.125|109=NG|100=XPOOL|"
    )
    taken = order(theirs, NORTHGATE)
    assert isinstance(taken, NewOrder)
    assert taken.refusal is None
    assert (taken.symbol, taken.account, taken.algo) == ("AMZN", "FUND-1", "vwap")
    assert taken.parameters == (("StartTime", "20261122-15:00:00"), ("ParticipationRate", "12.5"))
    assert taken.instructions is not None
    assert (taken.instructions.route, taken.instructions.parties[0].role) == ("DARK", 3)
    assert taken.raw == wire(theirs)
    on_the_wire(wire(theirs), "FIX.4.2")


@pytest.mark.parametrize(
    ("old", "new", "reason", "said"),
    [
        ("1=NGALPHA|", "1=OTHER|", Reason.UNKNOWN_ACCOUNT, "Account (1) 'OTHER' is not one of NGALPHA, NGBETA"),
        ("55=AMZN.O|", "55=NONE.O|", Reason.UNKNOWN_SYMBOL, "no instrument here has the ric 'NONE.O'"),
        (
            "40=2|",
            "40=3|99=186|",
            Reason.ORDER_TYPE_UNSUPPORTED,
            "OrdType (40) stop is not agreed with Northgate, only market, limit",
        ),
        ("59=0|", "59=4|", Reason.TIME_IN_FORCE_UNSUPPORTED, "TimeInForce (59) fok is not agreed with Northgate, only day, gtc"),
        ("1=NGALPHA|55=AMZN.O|", "1=OTHER|55=NONE.O|", Reason.UNKNOWN_SYMBOL, "NONE.O"),  # the first in the order of Reason
        ("54=1|60=20261122-15:00:00|38=5|40=2|", "54=9|60=20261122-15:00:00|38=5|40=3|", Reason.UNKNOWN_SIDE, "Side (54)"),
    ],
)
def test_what_is_not_agreed_with_northgate_is_refused_by_name(old: str, new: str, reason: Reason, said: str) -> None:
    good = AN_ORDER.format("NGALPHA", "AMZN.O") + "9013=0.125|"
    assert order(good, NORTHGATE).refusal is None
    refused = order(good.replace(old, new), NORTHGATE)
    assert refused.refusal is not None
    assert refused.refusal.reason is reason
    assert said in refused.refusal.text


def test_a_report_to_northgate() -> None:
    ours = wire(
        "35=8|37=O1|11=A|17=E1|150=F|39=1|1=FUND-1|55=AMZN|54=1|38=5|32=2|31=187|151=3|14=2|6=187|60=20261122-15:00:00|"
        "58=a word|21=1|797=Y|847=2|957=2|958=ParticipationRate|959=14|960=12.5|958=Other|959=14|960=x|"
    )
    theirs = NORTHGATE.outward(ours)
    assert fields_of(theirs) == fields_of(
        wire(
            "35=8|37=O1|11=A|17=E1|20=0|150=1|39=1|1=NGALPHA|55=AMZN.O|48=Z000001|22=2|54=1|38=5|32=2|31=187|151=3|14=2|6=187|"
            "60=20261122-15:00:00|797=Y|9001=P|9013=0.125|9020=EMS|9021=O1|"
        )
    )
    on_the_wire(theirs, "FIX.4.2")
    back = read(theirs, VENUE, NORTHGATE)
    assert isinstance(back, VenueReport)
    assert (back.exec_kind, back.symbol) == ("trade", "AMZN")


@pytest.mark.parametrize("exec_type", ["A", "6", "E", "L"])
def test_northgate_is_not_sent_pending_reports(exec_type: str) -> None:
    assert NORTHGATE.outward(wire(f"35=8|11=A|17=E|150={exec_type}|39=0|55=AMZN|54=1|151=1|14=0|6=0|")) == ""


# ------------------------------------------------------------------------------------------- Harbour, a broker


def test_an_order_to_harbour() -> None:
    ours = wire(
        "35=D|11=C1|1=FUND-2|55=AMZN|54=1|60=20261122-15:00:00|38=5|40=4|44=187.5|59=0|99=187|18=G|21=1|"
        "453=1|448=BOT|447=P|452=122|2593=1|2594=4|2595=Y|"
    )
    theirs = HARBOUR.outward(ours)
    assert theirs.startswith(wire("35=D|50=DESK1|57=PT|11=C1|"))
    assert wire("454=2|455=ZZG00003MZN6|456=S|455=Z000001|456=2|") in theirs
    assert wire("453=1|448=BOT|447=P|452=122|") in theirs
    assert {"1=778002", "55=AMZN", "48=ZZ00000AMZN9", "22=4", "207=XNAS", "40=L", "10018=G", "528=A"} <= fields_of(theirs)
    assert not {"2593=1", "2594=4", "2595=Y", "21=1", "18=G", "40=4"} & fields_of(theirs)


def test_a_report_of_harbour_is_read() -> None:
    report = read(
        wire(
            "35=8|37=V|11=C1|17=X|150=F|39=1|55=AMAZON|48=ZZ00000AMZN9|22=4|207=XNAS|54=1|38=5|32=2|31=187|151=3|14=2|6=187|"
            "60=20261122-15:00:00|40=L|"
        ),
        VENUE,
        HARBOUR,
    )
    assert isinstance(report, VenueReport)
    assert (report.symbol, report.exec_kind) == ("AMZN", "trade")


def test_a_profile_that_says_nothing_is_no_dialect() -> None:
    assert dialect_of("FIX.4.4", None, UNIVERSE) is None
    assert dialect_of("FIX.4.4", Profile(name="Plain"), UNIVERSE) is None
    assert dialect_of("FIX.4.2", None, UNIVERSE) is not None
    assert dialect_of("FIX.4.4", Profile(name="Old", version="FIX.4.2"), UNIVERSE) is not None


def test_a_parameter_that_they_send_twice_over_is_refused() -> None:
    twice = AN_ORDER.format("NGALPHA", "AMZN.O") + "9001=V|9013=0.1|957=1|958=ParticipationRate|960=5|"
    assert order(twice, NORTHGATE).refusal.reason is Reason.BAD_PARAMETER


def test_an_isin_of_several_listings_needs_its_market() -> None:
    amazon = UNIVERSE["AMZN"]
    elsewhere = amazon.model_copy(update={"symbol": "AMZ", "mic": "XETR", "currency": "EUR", "figi": None, "local_ids": ()})
    profile = Profile.model_validate({"name": "I", "instruments": {"symbol": "isin", "exchange": True}})
    spoken = dialect_of("FIX.4.4", profile, Universe([amazon, elsewhere]))
    assert spoken is not None
    sent = AN_ORDER.format("", "ZZ00000AMZN9") + "847=1|"
    assert order(sent + "207=XETR|", spoken).symbol == "AMZ"
    assert order(sent + "207=XNAS|", spoken).symbol == "AMZN"
    assert "names several instruments" in order(sent, spoken).refusal.text
    assert order(sent + "454=2|455=none|456=5|455=AMZN.O|456=5|", spoken).symbol == "AMZN"
    assert {"55=ZZ00000AMZN9", "207=XETR"} <= fields_of(spoken.outward(wire(AN_ORDER.format("", "AMZ"))))


def test_an_id_with_its_source_says_more_than_a_symbol() -> None:
    assert order(AN_ORDER.format("NGALPHA", "AAPL.O") + "48=Z000001|22=2|", NORTHGATE).symbol == "AMZN"
    assert order(AN_ORDER.format("NGALPHA", "AAPL.O") + "48=unheard|22=2|", NORTHGATE).symbol == "AAPL"


def test_accounts_of_allocations_are_named_too() -> None:
    taken = order(AN_ORDER.format("NGALPHA", "AMZN.O") + "78=1|79=NGBETA|80=5|", NORTHGATE)
    assert taken.instructions.allocations[0].account == "FUND-2"


def test_every_order_of_a_list_is_read_as_one_of_its_own() -> None:
    first = "11=A|67=1|1=NGALPHA|55=AMZN.O|54=1|38=5|40=2|44=187.5|59=0|9001=V|9013=0.1|109=NG|"
    second = "11=B|67=2|1=NGBETA|55=NONE.O|54=2|38=6|40=3|99=5|"
    taken = read(wire(f"35=E|34=2|66=L1|394=3|68=2|73=2|{first}{second}10=000|"), CLIENT, NORTHGATE)
    assert isinstance(taken, NewOrderList)
    assert taken.refusal is None
    one, two = (entry.order for entry in taken.entries)
    alone = order(f"35=D|34=2|{first}", NORTHGATE)
    assert one.refusal is None
    assert apart_from_text(one) == apart_from_text(alone)
    assert (two.cl_ord_id, two.account) == ("B", "FUND-2")
    assert two.refusal is not None
    assert "no instrument here has the ric 'NONE.O'" in two.refusal.text


def test_a_parameter_may_stand_in_a_field_of_the_standard() -> None:
    parameters = [{"name": "ParticipationRate", "tag": 849, "factor": "100"}, {"name": "EndTime", "tag": 126}]
    spoken = dialect(Profile.model_validate({"name": "P", "parameters": parameters}))
    taken = order(AN_ORDER.format("", "AMZN") + "847=2|849=0.2|126=20261122-16:00:00|", spoken)
    assert taken.parameters == (("ParticipationRate", "20"), ("EndTime", "20261122-16:00:00"))
    assert taken.refusal is None


def test_what_is_added_leaves_ours_alone_unless_it_overrides() -> None:
    added = [
        {"types": ["D"], "tag": 15, "value": "EUR"},
        {"types": ["D"], "tag": 21, "value": "3", "override": True},
        {"types": ["D"], "tag": 116, "copy_of": 1},
        {"types": ["D"], "tag": 6000, "copy_of": 7000},
    ]
    spoken = dialect(Profile.model_validate({"name": "E", "enrich": added}))
    assert spoken.outward(wire("35=D|11=A|1=F|15=USD|21=1|")) == wire("35=D|116=F|11=A|1=F|15=USD|21=3|")
    assert spoken.outward(wire("35=D|11=A|")) == wire("35=D|11=A|15=EUR|21=3|")
    assert spoken.outward(wire("35=F|11=A|")) == wire("35=F|11=A|")


@pytest.mark.parametrize("name", PROFILES)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                "35 55 48 22 207 1 79 100 57 40 59 9001 9011 9013 957 958 959 960 454 455 456 150 847 18 10018".split()
            ),
            st.sampled_from(["D", "G", "8", "AMZN.O", "ZZ00000AMZN9", "5", "4", "NGALPHA", "V", "1e5", "NaN", "9" * 40, ""]),
        ),
        max_size=20,
    )
)
def test_no_fields_raise(name: str, pairs: list[tuple[str, str]]) -> None:
    text = "".join(f"{tag}={value}\x01" for tag, value in pairs)
    spoken = dialect(PROFILES[name])
    for origin in (CLIENT, VENUE):
        assert isinstance(read(text, origin, spoken), Inbound)
    assert isinstance(spoken.outward(text), str)


def test_the_examples_take_different_orders() -> None:
    assert set(PROFILES["northgate"].orders.types) == {OrdType.MARKET, OrdType.LIMIT}
    assert TimeInForce.GTC not in PROFILES["harbour"].orders.times
