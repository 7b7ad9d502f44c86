"""The life of an order: every pair of status and trigger has its verdict here, written a second time by hand."""

from __future__ import annotations

import pytest

from domain import child_life, parent_life
from domain.order_life import RESTING, TERMINAL, TRANSITIONS, OrdStatus, Trigger, transition
from domain.parent_order import ParentOrder
from domain.parent_status import moved
from domain.values import E9
from tests.domain.orders import child, child_filled, filled, parent, terms

# Rows: what happens. Columns: in which status. Cells: what it becomes; "." cannot happen, "=" stays, "r" rests
# (New or Partially Filled, by what is filled), "p" Partially Filled.
STATUSES = dict(
    zip(
        ("pn", "nw", "pf", "pc", "pr", "db", "fi", "ca", "rj", "ex", "dd", "st", "su"),
        (
            "pending_new new partially_filled pending_cancel pending_replace in_doubt filled canceled rejected expired "
            "done_for_day stopped suspended"
        ).split(),
        strict=True,
    )
)
TABLE = """
                 pn nw pf pc pr db fi ca rj ex dd st su
acknowledge      r  r  r  =  =  r  .  .  .  .  .  r  r
partial_fill     p  p  p  =  =  p  =  =  =  =  =  =  p
full_fill        fi fi fi fi fi fi =  =  =  =  =  fi fi
request_cancel   pc pc pc =  pc =  .  .  .  .  pc pc pc
request_replace  .  pr pr .  .  .  pr .  .  .  pr pr pr
refuse_request   .  .  .  r  r  .  .  .  .  .  .  .  .
replace          .  r  r  =  r  r  p  .  .  .  =  r  r
cancel           ca ca ca ca ca ca .  .  .  .  ca ca ca
reject           rj rj .  rj .  rj .  .  .  .  .  .  .
expire           ex ex ex ex ex ex .  .  .  .  ex ex ex
end_day          dd dd dd dd dd dd .  .  .  .  .  dd dd
doubt            db db db db db =  .  .  .  .  db db db
prove_working    .  .  .  .  .  r  .  .  .  .  .  .  .
prove_unknown    .  .  .  .  .  ca .  .  .  .  .  .  .
pend_cancel      pc pc pc pc pc pc .  .  .  .  pc pc pc
pend_replace     .  pr pr =  pr pr pr .  .  .  pr pr pr
restate          =  r  r  =  =  =  r  =  =  =  =  =  =
begin_day        =  r  r  =  =  =  =  =  =  =  r  r  r
stop             .  st st .  .  .  .  .  .  .  .  st st
suspend          .  su su .  .  .  .  .  .  .  .  su su
"""


def cases() -> list[tuple[OrdStatus, Trigger, str]]:
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return [
        (OrdStatus(STATUSES[column]), Trigger(trigger), cell)
        for trigger, *cells in rows
        for column, cell in zip(head, cells, strict=True)
    ]


def test_every_pair_is_in_the_table() -> None:
    assert {(status, trigger) for status, trigger, _ in cases()} == {(s, t) for s in OrdStatus for t in Trigger}


@pytest.mark.parametrize(("status", "trigger", "cell"), cases(), ids=str)
def test_what_becomes_of_it(status: OrdStatus, trigger: Trigger, cell: str) -> None:
    filled, unfilled = transition(status, trigger, filled=True), transition(status, trigger, filled=False)
    match cell:
        case ".":
            assert (filled, unfilled) == (None, None)
        case "=":
            assert (filled, unfilled) == (status, status)
        case "r" | "p":
            assert (filled, unfilled) == (OrdStatus.PARTIALLY_FILLED, OrdStatus.NEW)
        case _:
            assert (filled, unfilled) == (OrdStatus(STATUSES[cell]), OrdStatus(STATUSES[cell]))


def test_an_ended_order_comes_back_only_by_a_larger_quantity_a_bust_or_as_one_that_is_carried() -> None:
    back = {(s, t) for (s, t), after in TRANSITIONS.items() if s in TERMINAL - {OrdStatus.DONE_FOR_DAY} and after not in TERMINAL}
    reopening = (Trigger.REPLACE, Trigger.REQUEST_REPLACE, Trigger.PEND_REPLACE, Trigger.RESTATE)
    assert back == {(OrdStatus.FILLED, trigger) for trigger in reopening}


def test_an_order_that_would_rest_is_filled_where_nothing_is_left() -> None:
    assert transition(OrdStatus.FILLED, Trigger.RESTATE, filled=True, full=True) is OrdStatus.FILLED
    assert transition(OrdStatus.PENDING_REPLACE, Trigger.REFUSE_REQUEST, filled=True, full=True) is OrdStatus.FILLED
    assert transition(OrdStatus.FILLED, Trigger.RESTATE, filled=False) is OrdStatus.NEW


def test_fills_count_in_every_status() -> None:
    for status in OrdStatus:
        for trigger in (Trigger.PARTIAL_FILL, Trigger.FULL_FILL):
            assert transition(status, trigger, filled=True) is not None


def test_a_live_order_can_always_be_canceled_and_doubted() -> None:
    for status in set(OrdStatus) - TERMINAL:
        assert transition(status, Trigger.REQUEST_CANCEL, filled=False) is not None
        assert transition(status, Trigger.DOUBT, filled=False) is OrdStatus.IN_DOUBT
    assert set(OrdStatus) - TERMINAL >= RESTING


@pytest.mark.parametrize("status", list(OrdStatus))
@pytest.mark.parametrize(("quantity", "before"), [(40, 0), (100, 0), (40, 60), (60, 60), (10, 100)])
def test_what_a_fill_makes_of_a_status_is_what_the_table_says(status: OrdStatus, quantity: int, before: int) -> None:
    """Fills go by a table of their own, worked out from this one."""
    a_child = child()._replace(quantity_e9=100 * E9, status=status, cum_quantity_e9=before * E9)
    trigger = child_life.trigger_of(a_child, child_filled(quantity))
    assert trigger is not None
    after = child_life.evolve(a_child, child_filled(quantity), stream=a_child.id, at_ns=1)
    assert after.status is child_life.moved(a_child, trigger, {"cum_quantity_e9": (before + quantity) * E9})
    a_parent = parent()._replace(terms=terms(100), status=status, cum_quantity_e9=before * E9)
    folded = parent_life.evolve(a_parent, filled(quantity), stream=a_parent.id, at_ns=1)
    assert isinstance(folded, ParentOrder)
    assert folded.status is moved(a_parent, filled(quantity))
