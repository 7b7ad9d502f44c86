"""A cancel that the desk itself makes: nothing refuses it, it moves no ClOrdID, and it says why."""

from __future__ import annotations

import pytest

from domain import parent_order as po
from domain import parent_rules
from domain.event import Event
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.values import Algo
from tests.domain.orders import NOW_NS, cancel_order, closed, filled, parent, released, terms

OUT = (released(300),)
PENDING_REPLACE = (*OUT, po.ReplaceRequested(cl_ord_id="A9", terms=terms(500)))
DIRECT = (po.Replaced(cl_ord_id="A1", terms=terms(algo=Algo.DIRECT)),)  # as if it had come so


def withdraw(state: ParentOrder) -> tuple[Event, ...]:
    return parent_rules.withdraw(state, text="all out", restatement_reason=99)


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ((), ["canceled"]),
        (OUT, ["cancel_requested"]),
        ((*OUT, filled(300), closed()), ["canceled"]),
        (PENDING_REPLACE, ["request_refused", "cancel_requested"]),
        ((*OUT, po.CancelRequested(cl_ord_id="A9")), []),
        ((po.Canceled(cl_ord_id="A1", text=""),), []),
        ((filled(1000),), []),
        ((po.Expired(text=""),), []),
        (DIRECT, ["canceled"]),  # nothing was sent yet
        ((*DIRECT, released(1000)), ["request_queued"]),
        ((*DIRECT, released(1000), po.RequestQueued(request="replace", cl_ord_id="A2", terms=terms())), ["request_queued"]),
        ((*DIRECT, released(1000), po.RequestQueued(request="cancel", cl_ord_id="A2")), []),
    ],
)
def test_what_follows(events: tuple[Event, ...], verdict: list[str]) -> None:
    decided = withdraw(parent(*events))
    assert [event.TOPIC.split(".")[1] for event in decided] == verdict
    for event in decided:
        if isinstance(event, po.Canceled | po.CancelRequested | po.RequestQueued):
            assert (event.text, event.restatement_reason) == ("all out", 99)
    after = parent(*events, *decided)
    assert withdraw(after) == (), "asked again there is nothing to do"
    assert after.cl_ord_id == "A1"


def test_its_reason_is_told_when_the_children_are_gone_and_the_order_keeps_its_id() -> None:
    state = parent(*OUT)
    state = parent(*OUT, *withdraw(state), filled(100))
    assert state.status is OrdStatus.PENDING_CANCEL
    (canceled,) = parent_rules.settle(parent(*OUT, *withdraw(parent(*OUT)), closed()), now_ns=NOW_NS, market=None)
    assert canceled == po.Canceled(cl_ord_id="A1", text="all out", restatement_reason=99)


def test_it_follows_an_order_whose_id_a_replace_has_moved_meanwhile() -> None:
    """The venue of a direct order takes the replace that was on its way, and then the cancel."""
    events: tuple[Event, ...] = (*DIRECT, released(1000), po.RequestQueued(request="replace", cl_ord_id="A2", terms=terms()))
    events += withdraw(parent(*events))
    events += (po.Acknowledged(working=None), po.Replaced(cl_ord_id="A2", terms=terms(800, algo=Algo.DIRECT)))
    state = parent(*events)
    assert (state.cl_ord_id, state.pending) == ("A2", po.Pending("cancel", "", None, False, "all out", 99))
    state = parent(*events, parent_rules.shown(state.pending))
    assert (state.status, state.cl_ord_id, state.queue) == (OrdStatus.PENDING_CANCEL, "A2", ())
    ended = parent(*events, po.Canceled(cl_ord_id="A2", text="all out"))
    assert (ended.cl_ord_id, ended.orig_cl_ord_id, ended.pending) == ("A2", "", None)


def test_a_clients_cancel_behind_it_has_its_own_answer() -> None:
    state = parent(*OUT)
    events: tuple[Event, ...] = (*OUT, *withdraw(state))
    decided = parent_rules.cancel(parent(*events), cancel_order())
    assert isinstance(decided, tuple)
    ended = parent(*events, *decided, closed(), po.Canceled(cl_ord_id="A1", text="all out"))
    assert [asked.cl_ord_id for asked in parent_rules.requests(ended)] == ["A2"]
    (refused,) = parent_rules.settle(ended, now_ns=NOW_NS, market=None)
    assert isinstance(refused, po.RequestRefused)
    assert refused.cl_ord_id == "A2"
