"""The kill switch's table cell by cell, and its life: trips escalate alone, arming takes two people."""

from __future__ import annotations

import pytest

from domain import kill_switch as ks
from domain.event import Event
from domain.kill_latch import Slot, Source, judge
from domain.kill_refusal import KillReason, KillRefusal
from domain.kill_scope import FIRM, KINDS, Scope, digests, parse, read
from domain.kill_switch import KillSwitches
from domain.kill_table import TABLE, UNREADABLE, Action, Level, Verdict, Who, may_leave
from domain.values import ScopeKind

ANY, TRIP, NO = Who.ANYONE, Who.TRIP, Who.NOBODY
CELLS = {
    (Level.ARMED, Action.NEW): ANY,
    (Level.ARMED, Action.REPLACE_UP): ANY,
    (Level.ARMED, Action.REPLACE_DOWN): ANY,
    (Level.ARMED, Action.CANCEL): ANY,
    (Level.ARMED, Action.FLATTEN): NO,
    (Level.SUSPENDED, Action.NEW): NO,
    (Level.SUSPENDED, Action.REPLACE_UP): NO,
    (Level.SUSPENDED, Action.REPLACE_DOWN): ANY,
    (Level.SUSPENDED, Action.CANCEL): ANY,
    (Level.SUSPENDED, Action.FLATTEN): NO,
    (Level.SOFT, Action.NEW): NO,
    (Level.SOFT, Action.REPLACE_UP): NO,
    (Level.SOFT, Action.REPLACE_DOWN): ANY,
    (Level.SOFT, Action.CANCEL): ANY,
    (Level.SOFT, Action.FLATTEN): TRIP,
    (Level.HARD, Action.NEW): NO,
    (Level.HARD, Action.REPLACE_UP): NO,
    (Level.HARD, Action.REPLACE_DOWN): NO,
    (Level.HARD, Action.CANCEL): ANY,
    (Level.HARD, Action.FLATTEN): NO,
    (Level.PANIC, Action.NEW): NO,
    (Level.PANIC, Action.REPLACE_UP): NO,
    (Level.PANIC, Action.REPLACE_DOWN): NO,
    (Level.PANIC, Action.CANCEL): ANY,
    (Level.PANIC, Action.FLATTEN): TRIP,
}
CLIENT = Scope(ScopeKind.CLIENT, "OMS1")
OTHER = Scope(ScopeKind.CLIENT, "OMS2")
HOUR_NS = 3_600_000_000_000


def test_every_cell_is_decided_here() -> None:
    assert set(CELLS) == {(level, action) for level in Level for action in Action}
    assert TABLE == CELLS


@pytest.mark.parametrize(("level", "action"), list(CELLS))
def test_each_cell_lets_pass_whom_it_names_and_nobody_else(level: Level, action: Action) -> None:
    verdict, who = Verdict(level, trip=9), CELLS[level, action]
    assert may_leave(verdict, action) is (who is ANY)
    assert may_leave(verdict, action, trip=9, house=True) is (who is not NO)
    assert may_leave(verdict, action, trip=8, house=True) is (who is ANY), "the order of another trip"
    assert may_leave(verdict, action, trip=9, house=False) is (who is ANY), "a client's order"
    assert may_leave(verdict._replace(trip=0), action, trip=0, house=True) is (who is ANY), "no trip is no token"


def test_an_unreadable_latch_lets_only_cancels_pass() -> None:
    passing = [action for action in Action if may_leave(UNREADABLE, action, trip=1, house=True)]
    assert passing == [Action.CANCEL]


# ---------------------------------------------------------------------------------------------- scopes


@pytest.mark.parametrize("text", ["firm", *(f"{kind}:A b/1" for kind in KINDS if kind is not ScopeKind.FIRM)])
def test_a_scope_is_read_as_it_is_written(text: str) -> None:
    assert read(text).text == text


@pytest.mark.parametrize("text", ["", "firm:X", "client", "client:", "planet:earth", "client:" + "x" * 65, "client:a\nb"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    assert isinstance(parse(text), KillRefusal)


def test_an_orders_scopes_have_fixed_places_and_no_two_scopes_one_number() -> None:
    found = digests({ScopeKind.CLIENT: "A", ScopeKind.ACCOUNT: "A"})
    assert [KINDS[place] for place, digest in enumerate(found) if digest] == [ScopeKind.FIRM, ScopeKind.ACCOUNT, ScopeKind.CLIENT]
    assert len({*found} - {0}) == 3


def test_the_highest_of_all_scopes_counts() -> None:
    slots = {
        CLIENT.digest: Slot(CLIENT, Level.HARD, trip=1),
        OTHER.digest: Slot(OTHER, suspended=Source.LOG, paused_before_ns=4),
        FIRM.digest: Slot(FIRM, paused_before_ns=3),
    }
    assert judge(slots, [CLIENT.digest, OTHER.digest]) == Verdict(Level.HARD, 1, CLIENT.digest, paused_before_ns=4)
    assert judge(slots, [OTHER.digest]) == Verdict(Level.SUSPENDED, 0, OTHER.digest, paused_before_ns=4)
    assert judge(slots, [0]) == Verdict(Level.ARMED, paused_before_ns=3)


# ------------------------------------------------------------------------------------------------ life


def after(*events: Event, state: KillSwitches = ks.NOTHING, actor: str = "person:jane") -> KillSwitches:
    for event in events:
        state = ks.evolve(state, event, actor=actor)
    return state


def tripped(level: ks.LevelName = "hard", trip: str = "a", scope: Scope = CLIENT, at_ns: int = 10) -> ks.Tripped:
    return ks.Tripped(scope=scope.text, level=level, trip=trip, reason="why", at_ns=at_ns)


def test_a_trip_is_in_force_with_its_actor_and_its_slot() -> None:
    switch = after(tripped(trip="1f")).of(CLIENT)
    assert (switch.level, switch.trip, switch.actor, switch.tripped_ns) == (Level.HARD, "1f", "person:jane", 10)
    assert switch.slot == Slot(CLIENT, Level.HARD, trip=0x1F, since_ns=10)


def test_a_lower_level_later_changes_nothing_and_a_higher_one_does() -> None:
    state = after(tripped("hard", "a"), tripped("soft", "b"))
    assert (state.of(CLIENT).level, state.of(CLIENT).trip) == (Level.HARD, "a")
    assert after(tripped("panic", "c"), state=state).of(CLIENT).trip == "c"


def ask(state: KillSwitches, person: str, at_ns: int = 20, reason: str = "fixed") -> ks.RearmRequested | ks.Rearmed | KillRefusal:
    return ks.rearm(state, CLIENT, person=person, reason=reason, at_ns=at_ns)


def refused(answer: object, reason: KillReason) -> bool:
    return isinstance(answer, KillRefusal) and answer.reason is reason


def test_arming_takes_two_different_people_and_a_reason() -> None:
    state = after(tripped())
    assert refused(ask(state, "jane", reason=" "), KillReason.REASON_MISSING)
    first = ask(state, "jane")
    assert isinstance(first, ks.RearmRequested)
    state = after(first, state=state)
    assert state.of(CLIENT).level is Level.HARD
    assert refused(ask(state, "jane"), KillReason.SECOND_PERSON_NEEDED)
    second = ask(state, "omar")
    assert isinstance(second, ks.Rearmed)
    assert second.persons == ("jane", "omar")
    state = after(second, state=state)
    assert (state.of(CLIENT).level, state.of(CLIENT).paused_before_ns) == (Level.ARMED, 20)
    assert refused(ask(state, "omar"), KillReason.NOT_TRIPPED)


def test_the_first_persons_word_expires_and_ends_with_another_trip() -> None:
    state = after(tripped(), ks.RearmRequested(scope=CLIENT.text, trip="a", person="jane", reason="r", at_ns=20))
    assert isinstance(ask(state, "omar", 20 + HOUR_NS), ks.Rearmed)
    assert isinstance(ask(state, "omar", 21 + HOUR_NS), ks.RearmRequested)
    state = after(tripped(trip="b"), state=state)
    assert isinstance(ask(state, "omar"), ks.RearmRequested), "jane did not know of the second trip"


def test_an_agreement_about_an_earlier_trip_arms_nothing() -> None:
    late = ks.Rearmed(scope=CLIENT.text, trip="a", persons=("jane", "omar"), reason="r", at_ns=30)
    assert after(tripped(trip="a"), tripped(trip="b"), late).of(CLIENT).level is Level.HARD


def test_orders_of_before_wait_for_a_person() -> None:
    state = after(tripped())
    assert refused(ks.resume(state, CLIENT, person="jane", reason="", at_ns=5), KillReason.STILL_TRIPPED)
    armed = ks.Rearmed(scope=CLIENT.text, trip="a", persons=("jane", "omar"), reason="r", at_ns=30)
    state = after(armed, state=state)
    resumed = ks.resume(state, CLIENT, person="omar", reason="go", at_ns=40)
    assert isinstance(resumed, ks.Resumed)
    state = after(resumed, state=state)
    assert state.of(CLIENT).paused_before_ns == 0
    assert refused(ks.resume(state, CLIENT, person="omar", reason="go", at_ns=41), KillReason.NOT_TRIPPED)


def test_a_standby_gets_trips_and_pauses_and_no_suspension() -> None:
    suspended = ks.Suspended(scope=OTHER.text, source="log", reason="r", at_ns=1)
    state = after(tripped("soft", "7"), suspended, tripped("panic", "8", FIRM))
    assert {slot.scope: slot.level for slot in state.slots()} == {CLIENT: Level.SOFT, FIRM: Level.PANIC}
    assert state.of(OTHER).suspended == {"log"}
    cleared = ks.Cleared(scope=OTHER.text, source="log", at_ns=2)
    assert after(cleared, state=state).of(OTHER).suspended == frozenset()


def test_the_same_events_give_the_same_state() -> None:
    events = [tripped(), tripped("panic", "b", OTHER)]
    assert ks.fold((event, "x") for event in events) == ks.fold((event, "x") for event in events)
    assert ks.trip_id(CLIENT, Level.HARD, 1, "x") != ks.trip_id(CLIENT, Level.HARD, 2, "x")
    assert int(ks.trip_id(CLIENT, Level.HARD, 1, "x"), 16) < 2**63
