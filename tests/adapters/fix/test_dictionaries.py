"""Our dictionaries: the engine loads each, knows what this system speaks in it, and keeps every group together."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import quickfix as fix

from adapters.fix.engine import build, load_dictionary
from adapters.fix.link import Hello
from adapters.fix.oms import Oms
from adapters.fix.oms_order import OmsOrder
from adapters.fix.sessions import DICTIONARIES, DICTIONARY, SessionConfig, settings_text
from domain.messages import EngineRefusal, NewOrder, SessionChange
from domain.values import E9, Side
from tests.adapters.fix.kit import Desk, GatewayProcess

APPLICATION = "8 9 D E F G H J K L M N P Q B V W X Y j".split()
SINCE_44 = "q r AF AS".split()
SESSION = "0 1 2 3 4 5 A".split()
VERSIONS = tuple(DICTIONARIES)


def files() -> list[Path]:
    return sorted({path for pair in DICTIONARIES.values() for path in pair})


def names(path: Path) -> dict[str, tuple[str, str]]:
    """Number to name and type of every field."""
    fields = ET.parse(path).getroot().find("fields")
    assert fields is not None
    return {field.attrib["number"]: (field.attrib["name"], field.attrib["type"]) for field in fields}


@pytest.mark.parametrize("begin_string", VERSIONS)
def test_every_message_of_the_list_is_known(begin_string: str) -> None:
    application = load_dictionary(begin_string)
    transport = fix.DataDictionary(str(DICTIONARIES[begin_string][0]))
    assert all(transport.isMsgType(kind) for kind in SESSION)
    assert all(application.isMsgType(kind) for kind in APPLICATION)
    assert all(application.isMsgType(kind) is (begin_string != "FIX.4.2") for kind in SINCE_44)


def test_a_number_means_the_same_in_every_later_version() -> None:
    later, transport, newest = (names(path) for path in (DICTIONARIES["FIX.4.4"][0], *DICTIONARIES["FIXT.1.1"]))
    shared = later.keys() & newest.keys()
    assert len(shared) > 200
    assert {number: later[number] for number in shared} == {number: newest[number] for number in shared}
    assert {n: later[n] for n in later.keys() & transport.keys()} == {n: transport[n] for n in later.keys() & transport.keys()}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.stem))
def test_no_field_is_unused_and_none_is_defined_twice(path: Path) -> None:
    root = ET.parse(path).getroot()
    defined = [field.attrib["name"] for field in root.iterfind("fields/field")]
    used = {
        entry.attrib["name"]
        for part in ("header", "messages", "trailer", "components")
        for entry in root.iterfind(f"{part}//*")
        if entry.tag in ("field", "group")
    }
    assert len(set(defined)) == len(defined)
    assert used | {"MsgType"} == set(defined) | {"MsgType"}


GROUPS = {  # a message with its groups, as the desk writes it
    "35=D|11=A|55=X|454=2|455=a|456=2|455=b|456=5|54=1|60=20261122-15:00:00|38=1|40=1|453=2|448=i|447=P|452=12|448=j|447=P|452=122|2376=22|",
    "35=G|11=A|41=B|55=X|54=1|60=20261122-15:00:00|38=1|40=1|2593=2|2594=4|2595=Y|2594=0|2595=Y|78=2|79=A1|80=1|79=A2|80=2|957=1|958=a|959=14|960=x|",
    "35=8|37=O|11=A|17=E|150=D|39=0|55=X|54=1|38=9|151=9|14=0|6=0|378=1|424=9|425=0|426=0|19=E0|636=N|453=1|448=i|447=P|452=3|",
    "35=E|66=L|394=3|68=2|73=2|11=A|67=1|55=X|54=1|38=1|40=1|453=1|448=i|447=P|452=12|11=B|67=2|55=Y|54=2|38=1|40=1|",
    "35=N|66=L|429=1|82=1|431=3|83=1|68=2|73=2|11=A|14=0|39=0|151=1|84=0|6=0|11=B|14=1|39=2|151=0|84=0|6=5|",
    "35=J|70=J|71=0|626=1|857=1|73=1|11=A|37=O|124=1|32=5|17=E|31=7|54=1|55=X|53=5|6=7|75=20261122|78=2|79=A1|80=2|79=A2|80=3|",
    "35=r|11=A|37=O|530=7|531=7|533=2|534=2|41=A1|535=O1|41=A2|535=O2|60=20261122-15:00:00|",
    "35=B|148=News|33=2|58=one|58=two|",
    "35=AS|755=R|71=0|794=3|87=0|857=0|54=1|55=X|53=5|6=7|75=20261122|78=1|79=A1|80=5|467=x|",
    "35=X|262=M|268=2|279=0|269=0|55=X|270=1|271=5|279=1|269=1|55=X|270=2|271=5|",
}


@pytest.mark.parametrize("begin_string", ["FIX.4.4", "FIXT.1.1"])
@pytest.mark.parametrize("fields", sorted(GROUPS), ids=lambda fields: fields[3:5].strip("|"))
def test_groups_stay_together(begin_string: str, fields: str) -> None:
    dictionary = load_dictionary(begin_string)
    message = build(fields.replace("|", "\x01"), dictionary)
    header = message.getHeader()
    for tag, value in ((49, "EMS"), (56, "PEER"), (34, "2"), (52, "20261122-15:00:00.000")):
        header.setField(tag, value)
    text = str(message.toString())
    for group in _group_texts(fields):
        assert group in text.replace("\x01", "|")
    if begin_string == "FIX.4.4":
        dictionary.validate(fix.Message(text, dictionary, True))


def _group_texts(fields: str) -> list[str]:
    """A few stretches that must come out as they went in: each counter with what follows up to its second member."""
    pairs = fields.split("|")
    counters = ("453", "454", "957", "2593", "78", "73", "124", "534", "33", "268")
    return ["|".join(pairs[at : at + 3]) for at, pair in enumerate(pairs) if pair.split("=")[0] in counters]


def test_the_settings_name_the_dictionaries_of_each_session() -> None:
    sessions = [
        SessionConfig(
            name=begin, role="client", kind="acceptor", sender_comp_id="EMS", target_comp_id=begin, port=1, begin_string=begin
        )
        for begin in VERSIONS
    ]
    parts = settings_text(sessions, Path("store")).split("[SESSION]")
    assert "\nDataDictionary=" not in parts[0]
    assert "DataDictionary=" in parts[1]
    assert "FIX42.xml" in parts[1]
    assert "FIX44.xml" in parts[2]
    assert "TransportDataDictionary=" in parts[3]
    assert "FIXT11.xml" in parts[3]
    assert "AppDataDictionary=" in parts[3]
    assert "FIX50SP2.xml" in parts[3]
    assert "DefaultApplVerID=9" in parts[3]


@pytest.mark.parametrize("begin_string", VERSIONS)
async def test_a_session_of_each_version(tmp_path: Path, begin_string: str) -> None:
    """A real engine logs on in the version; an order that its dictionary allows arrives, another is refused by it."""
    gateway = GatewayProcess(tmp_path)
    gateway.config["sessions"] = [{**gateway.config["sessions"][0], "begin_string": begin_string}]
    await asyncio.to_thread(gateway.start)
    peer = SessionConfig(
        name="EMS", role="venue", kind="initiator", sender_comp_id="OMS", target_comp_id="EMS", port=gateway.client_port,
        begin_string=begin_string,
    )  # fmt: skip
    oms = Oms(tmp_path / "oms", peer)
    link = Desk(gateway.link_path, Hello(epoch=1))
    try:
        await asyncio.to_thread(oms.start)
        await link.take(SessionChange, lambda change: change.up)
        oms.place(OmsOrder(symbol="AMZN", side=Side.BUY, quantity_e9=E9), "A1")
        if begin_string == "FIX.4.2":  # HandlInst (21) is required there
            refused = await link.take(EngineRefusal)
            assert "tag 21" in refused.text
        else:
            order = await link.take(NewOrder)
            assert (order.cl_ord_id, order.symbol) == ("A1", "AMZN")
            assert order.raw.startswith(f"8={begin_string}\x01")
    finally:
        await link.leave()
        await asyncio.to_thread(oms.stop, 0.5)
        await asyncio.to_thread(gateway.stop)


FALSE_LENGTHS = ("-1", "-5", "20", "4000", "99999999", "2147483647", "-2147483648", "9223372036854775807")
PARSE = """
import sys, quickfix
path, *messages = sys.argv[1:]
for text in messages:
    try:
        quickfix.Message(text.replace("|", chr(1)), quickfix.DataDictionary(path), True)
    except quickfix.Exception:
        pass
"""


@pytest.mark.parametrize("name", ["FIX42", "FIX44", "FIX50SP2", "FIXT11"])
def test_a_false_length_of_a_data_field_does_not_end_the_process(name: str) -> None:
    path = DICTIONARY.with_name(f"{name}.xml")
    assert 'type="DATA"' not in path.read_text()
    pairs = [("95", "96"), ("90", "91"), ("212", "213"), ("354", "355")]
    messages = [_framed(f"35=0|34=2|{length}={told}|{data}=abc|") for told in FALSE_LENGTHS for length, data in pairs]
    done = subprocess.run([sys.executable, "-c", PARSE, path, *messages], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.returncode} {done.stderr}"


def _framed(body: str) -> str:
    text = f"8=FIX.4.4|9={len(body)}|{body}"
    return f"{text}10={sum(text.replace('|', chr(1)).encode()) % 256:03d}|"
