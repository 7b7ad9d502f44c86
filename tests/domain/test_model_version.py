"""Who may make a version decide: nobody alone, and nothing that is not registered or was retired."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain import model_version as mv
from domain.event import Event
from domain.model_version import Alias, ModelReason, ModelRefusal, Registry
from tests.domain.model_cards import NEW, NEXT, OLD, card

Step = Callable[[Registry], Event | ModelRefusal]


def registers(digest: str, person: str = "jane", **changed: object) -> Step:
    return lambda state: mv.register(state, card(digest, **changed), person=person, reason="why", at_ns=1)


def promotes(digest: str, alias: Alias = Alias.CHAMPION, person: str = "omar") -> Step:
    return lambda state: mv.promote(state, digest, alias, person=person, reason="why", at_ns=2)


def rolls_back(alias: Alias = Alias.CHAMPION, model: str = "world-model") -> Step:
    return lambda state: mv.roll_back(state, model, alias, person="jane", reason="why", at_ns=3)


def retires(digest: str) -> Step:
    return lambda state: mv.retire(state, digest, person="jane", reason="why", at_ns=4)


def after(*steps: Step) -> Registry:
    state = mv.NOTHING
    for step in steps:
        decided = step(state)
        assert isinstance(decided, Event), decided
        state = mv.evolve(state, decided)
    return state


KNOWN = (registers(OLD), registers(NEW), registers(NEXT))
REFUSED = {
    "nobody says why": ((), lambda s: mv.register(s, card(), person="jane", reason=" ", at_ns=1), ModelReason.REASON_MISSING),
    "nobody says it": ((), lambda s: mv.register(s, card(), person="", reason="why", at_ns=1), ModelReason.REASON_MISSING),
    "a person cannot be the system": ((), registers(NEW, "system:shipped"), ModelReason.REASON_MISSING),
    "no digest": ((), registers("abc"), ModelReason.BAD_DIGEST),
    "data without digests": ((), registers(NEW, data=(("a tape", "?"),)), ModelReason.BAD_DIGEST),
    "no kind": ((), registers(NEW, model="'; drop"), ModelReason.BAD_DIGEST),
    "a metric is no number": ((), registers(NEW, metrics=(("mcc", float("nan")),)), ModelReason.METRICS_MISSING),
    "twice": ((registers(NEW),), registers(NEW, "omar"), ModelReason.REGISTERED_ALREADY),
    "once retired": ((registers(NEW), retires(NEW)), registers(NEW), ModelReason.RETIRED),
    "promoted unregistered": ((), promotes(NEW), ModelReason.NOT_REGISTERED),
    "promoted retired": ((registers(NEW), retires(NEW)), promotes(NEW), ModelReason.RETIRED),
    "champion by one person": ((registers(NEW),), promotes(NEW, person="jane"), ModelReason.SECOND_PERSON_NEEDED),
    "champion without figures": ((registers(NEW, metrics=()),), promotes(NEW), ModelReason.METRICS_MISSING),
    "champion twice": ((registers(NEW), promotes(NEW)), promotes(NEW), ModelReason.HAS_IT_ALREADY),
    "back to nothing": ((registers(NEW), promotes(NEW)), rolls_back(), ModelReason.NOTHING_TO_RETURN_TO),
    "back to what was retired": (
        (*KNOWN, promotes(OLD), promotes(NEW), retires(OLD)), rolls_back(), ModelReason.NOTHING_TO_RETURN_TO,
    ),
    "back of another alias": (
        (*KNOWN, promotes(OLD), promotes(NEW)), rolls_back(Alias.SHADOW), ModelReason.NOTHING_TO_RETURN_TO,
    ),
    "retired unregistered": ((), retires(NEW), ModelReason.NOT_REGISTERED),
    "retired twice": ((registers(NEW), retires(NEW)), retires(NEW), ModelReason.RETIRED),
}  # fmt: skip


@pytest.mark.parametrize(("before", "step", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(before: tuple[Step, ...], step: Step, reason: ModelReason) -> None:
    decided = step(after(*before))
    assert isinstance(decided, ModelRefusal)
    assert decided.reason is reason and decided.text


DECIDES = {
    "unknown": ((), ModelReason.NOT_REGISTERED, ModelReason.NOT_REGISTERED),
    "registered": ((registers(NEW),), None, ModelReason.NOT_PROMOTED),
    "shadow": ((registers(NEW), promotes(NEW, Alias.SHADOW, "jane")), None, ModelReason.NOT_PROMOTED),
    "challenger": ((registers(NEW), promotes(NEW, Alias.CHALLENGER, "jane")), None, None),
    "champion": ((registers(NEW), promotes(NEW)), None, None),
    "champion before": ((*KNOWN, promotes(NEW), promotes(OLD)), None, ModelReason.NOT_PROMOTED),
    "champion again": ((*KNOWN, promotes(NEW), promotes(OLD), rolls_back()), None, None),
    "champion of a day": ((*KNOWN, promotes(OLD), promotes(NEW), rolls_back()), None, ModelReason.NOT_PROMOTED),
    "retired champion": ((registers(NEW), promotes(NEW), retires(NEW)), ModelReason.RETIRED, ModelReason.RETIRED),
    "champion of another kind": (
        (registers(OLD, model="scheduler"), registers(NEW), promotes(OLD), promotes(NEW)), None, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "forecasts", "trades"), DECIDES.values(), ids=DECIDES.keys())
def test_what_decides(before: tuple[Step, ...], forecasts: ModelReason | None, trades: ModelReason | None) -> None:
    state = after(*before)
    for asked, wanted in ((False, forecasts), (True, trades)):
        refused = mv.refusal(state, NEW, trades=asked)
        assert (refused.reason if refused is not None else None) is wanted
    assert (NEW in state.trading()) is (trades is None)


def test_an_alias_has_one_version_and_goes_back_the_way_it_came() -> None:
    state = after(*KNOWN, promotes(OLD), promotes(NEW), promotes(NEXT), promotes(NEW))
    seen = [state.holder("world-model", Alias.CHAMPION)]
    for _ in range(3):
        decided = rolls_back()(state)
        assert isinstance(decided, mv.RolledBack) and decided.replaces == seen[-1]
        state = mv.evolve(state, decided)
        seen.append(state.holder("world-model", Alias.CHAMPION))
    assert seen == [NEW, NEXT, NEW, OLD]
    assert state.aliases(OLD) == (Alias.CHAMPION,) and state.aliases(NEW) == ()


def test_a_rollback_passes_over_what_was_retired() -> None:
    state = after(*KNOWN, promotes(OLD), promotes(NEW), promotes(NEXT), retires(NEW), rolls_back())
    assert state.holder("world-model", Alias.CHAMPION) == OLD


def test_what_is_shipped_is_known_at_the_first_start_and_a_later_release_promotes_nothing() -> None:
    events = mv.shipped(mv.NOTHING, [card(OLD), card(NEXT, "scheduler")], build="1", at_ns=1)
    state = mv.fold(events)
    assert state.trading() == {OLD, NEXT}
    assert mv.shipped(state, [card(OLD), card(NEXT, "scheduler")], build="1", at_ns=2) == ()
    state = mv.fold([*events, *mv.shipped(state, [card(NEW)], build="2", at_ns=3)])
    assert state.holder("world-model", Alias.CHAMPION) == OLD and state.versions[NEW].person == "system:shipped"
    after_retiring = mv.evolve(state, mv.Retired(digest=OLD, person="jane", reason="why", at_ns=4))
    assert mv.shipped(after_retiring, [card(OLD)], build="1", at_ns=5) == (), "a start brings back nothing"
