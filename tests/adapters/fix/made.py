"""Messages of the desk made by hypothesis, and the way of a text through the engine: what tests of translation share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, get_args

import quickfix as fix
from hypothesis import strategies as st

from adapters.fix.engine import build, load_dictionary
from adapters.fix.sessions import DICTIONARIES
from domain.instructions import Instructions, Party, PreAllocation
from domain.messages import ExecKind, Inbound
from domain.order_life import OrdStatus
from domain.sending import (
    CancelReject,
    MessageReject,
    ParentReport,
    SendChild,
    SendChildCancel,
    SendChildReplace,
    SendDontKnow,
    SendStatusQuery,
)
from domain.values import E9, E9_MAX, OrdType, Side, TimeInForce

_MS: Final = 1_000_000
DAY_NS: Final = 86_400 * E9
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(lambda text: text.strip() != "")
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
NUMBERS = st.integers(0, E9_MAX)
TIMES = st.integers(0, 2**62 // _MS).map(lambda ms: ms * _MS)
SIDES = st.sampled_from(Side)
COMMON: Final[dict[str, Any]] = {"session": st.just("PEER"), "event_seq": st.just(1), "poss_resend": st.booleans()}

INSTRUCTIONS = st.builds(
    Instructions,
    stop_price_e9=st.none() | NUMBERS,
    expire_ns=st.none() | TIMES | st.integers(0, 40_000).map(lambda day: (day + 1) * DAY_NS - 1),
    min_quantity_e9=st.none() | NUMBERS,
    max_floor_e9=st.none() | NUMBERS,
    peg_offset_e9=st.none() | st.integers(-E9_MAX, E9_MAX),
    exec_inst=st.sampled_from(["", "G", "H K", "6 Z"]),
    handl_inst=st.sampled_from(["", "1", "3"]),
    cash_quantity_e9=st.none() | NUMBERS,
    currency=st.sampled_from(["", "USD", "GBX"]),
    route=st.just("") | WORDS,
    parties=st.lists(
        st.builds(
            Party, party_id=WORDS, source=st.sampled_from("PDN"), role=st.integers(1, 122), qualifier=st.none() | st.just(24)
        ),
        max_size=3,
    ).map(tuple),
    attributes=st.lists(st.tuples(st.integers(0, 5), st.sampled_from("YN")), max_size=3).map(tuple),
    allocations=st.lists(
        st.builds(PreAllocation, account=WORDS, quantity_e9=st.none() | NUMBERS, individual_id=st.just("") | WORDS), max_size=3
    ).map(tuple),
)

_ORDER: Final[dict[str, Any]] = {
    **COMMON,
    "cl_ord_id": IDS,
    "instrument": WORDS,
    "side": SIDES,
    "quantity_e9": NUMBERS,
    "ord_type": st.sampled_from(OrdType),
    "limit_price_e9": st.none() | NUMBERS,
    "time_in_force": st.sampled_from(TimeInForce),
    "account": st.just("") | WORDS,
    "transact_time_ns": TIMES,
    "instructions": st.none() | INSTRUCTIONS,
}
_REFERRING: Final[dict[str, Any]] = {"cl_ord_id": IDS, "orig_cl_ord_id": IDS, "order_id": IDS, "instrument": WORDS, "side": SIDES}
CHILDREN = st.builds(SendChild, **_ORDER)
REPLACES = st.builds(SendChildReplace, **_ORDER, orig_cl_ord_id=IDS, order_id=IDS)
CANCELS = st.builds(SendChildCancel, **COMMON, **_REFERRING, quantity_e9=NUMBERS, transact_time_ns=TIMES)
QUERIES = st.builds(SendStatusQuery, **COMMON, cl_ord_id=IDS, order_id=IDS, instrument=WORDS, side=SIDES)
NOTICES = st.builds(
    SendDontKnow, **COMMON, order_id=IDS, exec_id=IDS, reason=st.sampled_from("ABCDEZ"), instrument=WORDS,
    side=st.none() | SIDES, quantity_e9=NUMBERS, price_e9=NUMBERS, text=WORDS,
)  # fmt: skip
REPORTS = st.builds(
    ParentReport,
    **COMMON,
    exec_kind=st.sampled_from(get_args(ExecKind)),
    ord_status=st.sampled_from(OrdStatus),
    exec_id=IDS,
    order_id=IDS,
    cl_ord_id=IDS,
    orig_cl_ord_id=TEXTS,
    symbol=TEXTS,
    side=st.sampled_from([*Side, None]),
    quantity_e9=NUMBERS,
    limit_price_e9=st.none() | NUMBERS,
    last_quantity_e9=NUMBERS,
    last_price_e9=NUMBERS,
    cum_quantity_e9=NUMBERS,
    leaves_quantity_e9=NUMBERS,
    average_price_e9=NUMBERS,
    transact_time_ns=st.integers(0, 2**62),
    account=TEXTS,
    algo=st.sampled_from(["", "vwap", "pov", "twap", "7"]),
    parameters=st.lists(st.tuples(IDS, IDS), max_size=4).map(tuple),
    text=TEXTS,
    ord_rej_reason=st.none() | st.integers(0, 99),
    ord_type=st.none() | st.sampled_from(OrdType),
    time_in_force=st.none() | st.sampled_from(TimeInForce),
    instructions=st.none() | INSTRUCTIONS,
    exec_ref_id=IDS,
    restatement_reason=st.none() | st.integers(0, 99),
    working=st.none() | st.booleans(),
    day_quantity_e9=st.none() | NUMBERS,
    day_cum_quantity_e9=st.none() | NUMBERS,
)
CANCEL_REJECTS = st.builds(
    CancelReject, **COMMON, cl_ord_id=IDS, orig_cl_ord_id=IDS, order_id=IDS, ord_status=st.sampled_from(OrdStatus),
    response_to=st.sampled_from(["cancel", "replace"]), cxl_rej_reason=st.sampled_from([0, 1, 2, 3, 6, 99]), text=WORDS,
)  # fmt: skip
MESSAGE_REJECTS = st.builds(
    MessageReject, **COMMON, ref_seq_num=st.integers(1, 2**40), ref_msg_type=st.sampled_from(["D", "AF"]), ref_id=WORDS,
    business_reject_reason=st.integers(0, 7), text=WORDS,
)  # fmt: skip

_DICTIONARIES: Final = {
    begin: (fix.DataDictionary(str(transport)), load_dictionary(begin)) for begin, (transport, _) in DICTIONARIES.items()
}

for _, _application in _DICTIONARIES.values():
    _application.checkUserDefinedFields(False)  # as a session's setting has it


def on_the_wire(body: str, begin_string: str = "FIX.4.4") -> str:
    """The text as the engine sends it in a version, judged by the engine against our dictionary.

    A FIXT message is parsed with its two dictionaries; the engine's Python side has no validation of those.
    """
    transport, application = _DICTIONARIES[begin_string]
    made = build(body, application)
    header = made.getHeader()
    for tag, value in ((8, begin_string), (49, "EMS"), (56, "PEER"), (34, "2"), (52, "20261122-15:00:00.000")):
        header.setField(tag, value)
    text = str(made.toString())
    if begin_string == "FIXT.1.1":
        return str(fix.Message(text, transport, application, True).toString())
    parsed = fix.Message(text, application, True)
    application.validate(parsed)
    return str(parsed.toString())


def apart_from_text(read_input: Inbound) -> Inbound:
    """An input without the text that it came from, whole or in fields."""
    changes: dict[str, Any] = {"raw": "", "fields": ()}
    return replace(read_input, **{name: value for name, value in changes.items() if hasattr(read_input, name)})
