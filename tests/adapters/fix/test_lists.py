"""Requests about many orders and their answers as FIX text: read as they are meant, refused by name, and good on the wire."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.dialect import Dialect
from adapters.fix.dialect_42 import Fix42
from adapters.fix.fields import cut
from adapters.fix.from_client_lists import ORDERS_MAX
from adapters.fix.inbound import Origin, read
from adapters.fix.outbound import write
from domain.list_messages import (
    ListCancel,
    ListExecute,
    ListStatus,
    ListStatusQuery,
    MassCancel,
    MassCancelReport,
    MassStatusQuery,
    NewOrderList,
    SendMassStatus,
)
from domain.mass import Affected, Scope, Selection
from domain.messages import Unreadable, VenueReport
from domain.order_life import OrdStatus
from domain.order_list import Listed, Phase
from domain.refusal import Reason
from domain.sending import MassStatusPart, ParentReport
from domain.values import E9, OrdType, Side
from tests.adapters.fix.made import IDS, NUMBERS, SIDES, TEXTS, TIMES, WORDS, on_the_wire

OMS: Final = Origin("OMS", "client", 4, 99)
TIME_NS: Final = 1_795_359_600_123_456_789
HEAD: Final = "8=FIX.4.4|9=1|35={}|34=7|49=OMS|56=EMS|"


def got(msg_type: str, body: str) -> Any:
    return read((HEAD.format(msg_type) + body + "10=000|").replace("|", "\x01"), OMS)


# ------------------------------------------------------------------------------------------ many at once


@pytest.mark.parametrize(
    ("body", "scope", "selection"),
    [
        ("530=7|", Scope.ALL, Selection()),
        ("530=7|55=AMZN|1=FUND|54=2|", Scope.ALL, Selection(account="FUND", side=Side.SELL)),
        ("530=1|55=AMZN|", Scope.SECURITY, Selection(symbol="AMZN")),
        ("530=1|55=[N/A]|48=US0231351067|22=4|", Scope.SECURITY, Selection(symbol="US0231351067")),
        ("530=4|461=ESXXXX|", Scope.CFI_CODE, Selection()),
    ],
)
def test_a_mass_cancel(body: str, scope: Scope, selection: Selection) -> None:
    request = got("q", f"11=M1|{body}60=20261122-15:00:00|")
    assert isinstance(request, MassCancel)
    assert (request.cl_ord_id, request.scope, request.selection, request.refusal) == ("M1", scope, selection, None)
    assert (request.ref.msg_seq_num, request.frame) == (7, 99)


def test_what_would_widen_a_mass_cancel_is_refused_and_what_does_not_choose_is_said() -> None:
    short = got("q", "11=M1|530=7|54=5|")
    assert short.refusal.reason is Reason.UNKNOWN_SIDE
    assert got("q", "11=M1|530=1|").refusal.reason is Reason.UNKNOWN_SYMBOL
    party = got("q", "11=M1|530=7|453=1|448=T1|447=D|452=11|336=1|")
    assert (party.refusal, party.text) == (None, "NoPartyIDs (453) and TradingSessionID (336) did not choose")


@pytest.mark.parametrize(
    ("msg_type", "body", "said"),
    [
        ("q", "530=7|", "ClOrdID (11) is missing"),
        ("q", "11=M1|", "MassCancelRequestType (530) is missing"),
        ("q", "11=M1|530=Z|", "MassCancelRequestType (530) 'Z' is not known"),
        ("AF", "585=7|", "MassStatusReqID (584) is missing"),
        ("AF", "584=S1|585=99|", "MassStatusReqType (585) '99' is not known"),
        ("E", "394=3|68=0|73=0|", "ListID (66) is missing"),
        ("L", "60=20261122-15:00:00|", "ListID (66) is missing"),
    ],
)
def test_what_cannot_be_read_at_all(msg_type: str, body: str, said: str) -> None:
    unreadable = got(msg_type, body)
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.msg_type, unreadable.refusal.text) == (msg_type, said)


def test_a_mass_status_request() -> None:
    query = got("AF", "584=S1|585=1|55=AMZN|54=1|1=FUND|")
    assert isinstance(query, MassStatusQuery)
    assert (query.request_id, query.scope) == ("S1", Scope.SECURITY)
    assert query.selection == Selection(symbol="AMZN", account="FUND", side=Side.BUY)
    assert got("AF", "584=S1|585=8|").scope is Scope.PARTY


# ------------------------------------------------------------------------------------------------- lists

ORDERS: Final = (
    (
        "11=A1|67=1|1=FUND|55=AMZN|54=1|60=20261122-15:00:00|38=500|40=2|44=187.5|59=0|847=1|"
        "957=1|958=EndTime|959=19|960=20261122-16:00:00|"
    ),
    "11=A2|67=2|1=FUND|55=MSFT|54=2|60=20261122-15:00:00|38=200|40=1|453=1|448=T1|447=D|452=11|",
    "11=A3|67=3|55=INTC|54=9|38=x|40=2|",
)


def new_list(head: str = "394=3|433=2|", *, orders: tuple[str, ...] = ORDERS, count: str = "", total: str = "") -> Any:
    body = f"66=L1|{head}68={total or len(orders)}|73={count or len(orders)}|{''.join(orders)}"
    return got("E", body)


def test_a_list_and_its_orders_each_with_its_own_fields() -> None:
    request = new_list("394=3|433=2|69=Take it easy|")
    assert isinstance(request, NewOrderList)
    assert (request.list_id, request.staged, request.all_or_none, request.refusal) == ("L1", True, False, None)
    assert request.instructions == "Take it easy"
    assert [entry.seq_no for entry in request.entries] == [1, 2, 3]
    first, second, third = [entry.order for entry in request.entries]
    assert (first.cl_ord_id, first.symbol, first.side, first.quantity_e9) == ("A1", "AMZN", Side.BUY, 500 * E9)
    assert (first.algo, first.parameters) == ("vwap", (("EndTime", "20261122-16:00:00"),))
    assert (second.symbol, second.side, second.ord_type, second.algo, second.account) == (
        "MSFT", Side.SELL, OrdType.MARKET, "", "FUND",
    )  # fmt: skip
    assert second.instructions is not None
    assert [party.party_id for party in second.instructions.parties] == ["T1"]
    assert (second.limit_price_e9, second.parameters, third.account) == (None, (), "")
    assert [order.refusal is None for order in (first, second, third)] == [True, True, False]
    assert third.refusal is not None
    assert third.refusal.reason is Reason.UNKNOWN_SIDE


@pytest.mark.parametrize(("head", "staged"), [("394=3|433=1|", False), ("394=3|433=2|", True), ("394=3|", True)])
def test_a_list_waits_unless_it_says_at_once(head: str, staged: bool) -> None:
    assert new_list(head).staged is staged


@pytest.mark.parametrize("said", ["AON", "All or  None", "all or none"])
def test_all_or_none_is_the_one_instruction_that_is_acted_on(said: str) -> None:
    request = new_list(f"394=3|433=1|69={said}|")
    assert (request.all_or_none, request.instructions) == (True, "")


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"head": "394=3|893=N|"}, Reason.UNREADABLE, "one message here: LastFragment (893) N"),
        ({"count": "2"}, Reason.UNREADABLE, "NoOrders (73) says 2, but 3 came"),
        ({"orders": ()}, Reason.UNREADABLE, "NoOrders (73) says 0, but 0 came"),
        ({"total": "5"}, Reason.UNREADABLE, "TotNoOrders (68) says 5, but 3 came"),
        ({"orders": ("11=A|",) * (ORDERS_MAX + 5)}, Reason.UNREADABLE, "at most 2000 orders"),
        ({"orders": (ORDERS[0], "11=|67=2|")}, Reason.UNREADABLE, "has no ClOrdID (11)"),
        ({"head": "394=1|433=1|"}, Reason.LIST_UNSUPPORTED, "BidType (394) 1"),
        ({"head": "394=3|1385=1|"}, Reason.LIST_UNSUPPORTED, "ContingencyType (1385) 1"),
        ({"head": "394=3|433=3|"}, Reason.LIST_UNSUPPORTED, "ListExecInstType (433) '3'"),
    ],
)
def test_a_list_that_cannot_be_taken_is_refused_by_name(changes: dict[str, Any], reason: Reason, said: str) -> None:
    refusal = new_list(**changes).refusal
    assert refusal.reason is reason
    assert said in refusal.text


@pytest.mark.parametrize(("msg_type", "kind"), [("K", ListCancel), ("L", ListExecute), ("M", ListStatusQuery)])
def test_requests_about_a_list(msg_type: str, kind: type[Any]) -> None:
    request = got(msg_type, "66=L1|60=20261122-15:00:00|")
    assert isinstance(request, kind)
    assert request.list_id == "L1"


@given(st.sampled_from(["q", "AF", "E", "K", "L", "M"]), st.lists(st.tuples(st.sampled_from(
    "11 41 66 67 68 69 73 530 584 585 394 433 893 1385 54 55 1 38 40 44 453 448 452 957 958 960".split()
), st.text(max_size=6)), max_size=30))  # fmt: skip
def test_no_text_raises(msg_type: str, fields: list[tuple[str, str]]) -> None:
    text = HEAD.format(msg_type).replace("|", "\x01") + "".join(f"{tag}={value}\x01" for tag, value in fields)
    assert read(text, OMS).raw == text.partition("\0")[0]


# ----------------------------------------------------------------------------------------------- answers

_LISTED = st.builds(
    Listed,
    seq_no=st.integers(1, 9),
    cl_ord_id=IDS,
    order=st.none(),
    status=st.sampled_from(OrdStatus),
    cum_quantity_e9=NUMBERS,
    leaves_quantity_e9=NUMBERS,
    canceled_quantity_e9=NUMBERS,
    average_price_e9=NUMBERS,
    ord_rej_reason=st.none() | st.integers(0, 99),
    text=TEXTS,
)
_STATUSES = st.builds(
    ListStatus, session=st.just("OMS"), event_seq=st.just(1), poss_resend=st.booleans(), list_id=IDS,
    status_type=st.sampled_from(["ack", "response", "exec_started", "all_done"]), phase=st.sampled_from(Phase),
    orders=st.lists(_LISTED, min_size=1, max_size=4).map(tuple), transact_time_ns=TIMES,
    reject_reason=st.none() | st.integers(0, 99), text=TEXTS,
)  # fmt: skip
_CANCELED = st.builds(
    MassCancelReport, session=st.just("OMS"), event_seq=st.just(1), poss_resend=st.booleans(), report_id=WORDS, cl_ord_id=IDS,
    scope=st.sampled_from([scope for scope in Scope if scope is not Scope.PARTY]),
    selection=st.builds(Selection, symbol=TEXTS, account=TEXTS, side=st.none() | SIDES),
    orders=st.lists(st.builds(Affected, cl_ord_id=IDS, order_id=WORDS), max_size=3).map(tuple),
    reject_reason=st.none() | st.integers(0, 99), transact_time_ns=TIMES, text=TEXTS,
)  # fmt: skip


@pytest.mark.parametrize("begin_string", ["FIX.4.4", "FIXT.1.1"])
@given(st.data())
def test_every_answer_passes_the_dictionary(begin_string: str, data: st.DataObject) -> None:
    status, canceled = data.draw(_STATUSES), data.draw(_CANCELED)
    said = on_the_wire(write(status), begin_string)
    assert said.count("\x0184=") == len(status.orders)
    fields = cut(on_the_wire(write(canceled), begin_string))
    assert fields.get("534", "0") == fields["533"] == str(len(canceled.orders))
    assert (fields["531"] == "0") == ("532" in fields)


@given(_STATUSES)
def test_a_lists_status_passes_the_dictionary_of_an_older_version_too(status: ListStatus) -> None:
    said = on_the_wire(Dialect((Fix42(),)).outward(write(status)), "FIX.4.2")
    assert (said.count("\x0184="), "\x011386=" in said) == (len(status.orders), False)


def test_the_answer_to_a_mass_cancel() -> None:
    report = MassCancelReport(
        session="OMS", event_seq=1, report_id="R1", cl_ord_id="M1", scope=Scope.SECURITY,
        selection=Selection(symbol="AMZN", side=Side.BUY), reject_reason=None, transact_time_ns=TIME_NS, text="",
        orders=(Affected(cl_ord_id="A1", order_id="O1"), Affected(cl_ord_id="A2", order_id="O2")),
    )  # fmt: skip
    assert write(report).replace("\x01", "|") == (
        "35=r|11=M1|37=R1|530=1|531=1|533=2|534=2|41=A1|535=O1|41=A2|535=O2|55=AMZN|54=1|60=20261122-15:00:00.123|"
    )


def test_the_answer_about_a_list() -> None:
    status = ListStatus(
        session="OMS", event_seq=1, list_id="L1", status_type="ack", phase=Phase.ALERT, transact_time_ns=TIME_NS,
        text="1 of 2 orders were refused",
        orders=(
            Listed(seq_no=1, cl_ord_id="A1", order=None, status=OrdStatus.PENDING_NEW, leaves_quantity_e9=500 * E9),
            Listed(seq_no=2, cl_ord_id="A2", order=None, status=OrdStatus.REJECTED, ord_rej_reason=1, text="no such symbol"),
        ),
    )  # fmt: skip
    assert write(status).replace("\x01", "|") == (
        "35=N|66=L1|429=1|82=1|431=5|83=1|444=1 of 2 orders were refused|60=20261122-15:00:00.123|68=2|73=2|"
        "11=A1|14=0|39=A|151=500|84=0|6=0|11=A2|14=0|39=8|151=0|84=0|6=0|103=1|58=no such symbol|"
    )


def test_the_request_to_a_venue_passes_the_dictionary() -> None:
    fields = cut(on_the_wire(write(SendMassStatus(session="VENUE", event_seq=1, request_id="S1"))))
    assert (fields["584"], fields["585"]) == ("S1", "7")


def test_one_of_the_answers_to_a_mass_status_request() -> None:
    report = ParentReport(
        session="OMS", event_seq=1, exec_kind="status", ord_status=OrdStatus.NEW, exec_id="0", order_id="O1", cl_ord_id="A1",
        orig_cl_ord_id="", symbol="AMZN", side=Side.BUY, quantity_e9=E9, limit_price_e9=None, last_quantity_e9=0,
        last_price_e9=0, cum_quantity_e9=0, leaves_quantity_e9=E9, average_price_e9=0, transact_time_ns=TIME_NS, list_id="L1",
        mass_status=MassStatusPart("S1", 3, True),
    )  # fmt: skip
    text = on_the_wire(write(report))
    fields = cut(text)
    assert [fields[tag] for tag in ("66", "584", "911", "912")] == ["L1", "S1", "3", "Y"]
    back = read(text, Origin("VENUE", "venue", 0, 1))
    assert isinstance(back, VenueReport)
    assert (back.exec_kind, back.last_of) == ("status", "S1")
    back = read(text.replace("912=Y", "912=N"), Origin("VENUE", "venue", 0, 1))
    assert isinstance(back, VenueReport)
    assert back.last_of == ""
