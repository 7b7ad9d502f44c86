"""Where a version comes from, what became of it, and that an algorithm's id means one code for ever."""

from __future__ import annotations

from domain import model_lineage as ml
from domain import model_version as mv
from domain.model_lineage import Figure, Lineage, Traced
from domain.model_version import Alias, ModelReason, ModelRefusal
from tests.domain.model_cards import NEW, OLD, card

LINEAGE = Lineage(code_sha256="c" * 64, seed=7, universe=("a tape",), trained_until="2012-06-21")
SAID = {"person": "omar", "reason": "why", "at_ns": 9}


def promoted(digest: str, replaces: str, at_ns: int, alias: Alias = Alias.CHAMPION) -> mv.Promoted:
    return mv.Promoted(digest=digest, model="world-model", alias=alias, replaces=replaces, **SAID | {"at_ns": at_ns})


def test_the_former_champion_is_archived_with_since_when_it_was_and_is_out_of_the_archive_when_it_returns() -> None:
    events: list = [promoted(OLD, "", 3)]
    new = promoted(NEW, OLD, 5)
    gone = ml.archived(ml.fold(events), new)
    assert gone is not None and (gone.digest, gone.since_ns, gone.replaced_by, gone.person) == (OLD, 3, NEW, "omar")
    state = ml.fold([*events, new, gone])
    assert state.archived.keys() == {OLD}
    back = mv.RolledBack(digest=OLD, model="world-model", alias=Alias.CHAMPION, replaces=NEW, **SAID)
    again = ml.archived(state, back)
    assert again is not None and (again.digest, again.since_ns) == (NEW, 5)
    assert ml.fold([*events, new, gone, back, again]).archived.keys() == {NEW}
    assert ml.archived(state, promoted(NEW, OLD, 7, Alias.SHADOW)) is None
    assert ml.archived(state, promoted(NEW, "", 7)) is None


def test_what_stands_beside_the_registrys_events_moves_its_version_and_no_alias() -> None:
    begun = [mv.Registered(card=card(), **SAID), promoted(NEW, "", 3)]
    bound = ml.bind(ml.NOTHING, "vwap/1", "e" * 64, build="b", at_ns=1)
    assert isinstance(bound, ml.AlgoBound)
    before, after = mv.fold(begun), mv.fold([*begun, bound])
    assert (after.version, after.holders) == (before.version + 1, before.holders)


def test_an_algorithms_id_means_one_code_for_ever() -> None:
    first = ml.bind(ml.NOTHING, "vwap/1", "e" * 64, build="b1", at_ns=1)
    assert isinstance(first, ml.AlgoBound)
    state = ml.fold([first])
    assert ml.bind(state, "vwap/1", "e" * 64, build="b2", at_ns=2) is None
    refused = ml.bind(state, "vwap/1", "f" * 64, build="b2", at_ns=2)
    assert isinstance(refused, ModelRefusal) and refused.reason is ModelReason.ALGO_ID_TAKEN
    assert "other code is vwap/2" in refused.text
    assert isinstance(ml.bind(state, "vwap/2", "f" * 64, build="b2", at_ns=2), ml.AlgoBound)
    for algo, code in (("vwap", "e" * 64), ("vwap/0", "e" * 64), ("VWAP/1", "e" * 64), ("vwap/1", "e")):
        told = ml.bind(state, algo, code, build="b", at_ns=2)
        assert isinstance(told, ModelRefusal) and told.reason is ModelReason.BAD_DIGEST


def test_lineage_is_told_once_and_only_with_numbers() -> None:
    known = ml.trace(ml.NOTHING, card(), LINEAGE, public_key="ab", signature="cd", at_ns=1)
    assert isinstance(known, Traced)
    assert ml.trace(ml.fold([known]), card(), LINEAGE, public_key="ab", signature="cd", at_ns=2) is None
    wrong = LINEAGE.model_copy(update={"figures": (Figure("gain", 1.0, float("nan"), 2.0),)})
    told = ml.trace(ml.NOTHING, card(), wrong, public_key="ab", signature="cd", at_ns=1)
    assert isinstance(told, ModelRefusal) and told.reason is ModelReason.METRICS_MISSING


def test_intervals_are_found_in_the_cards_figures() -> None:
    made = card(metrics=(("k10.gain", 0.3), ("k10.gain_high", 0.4), ("k10.gain_low", 0.2), ("mcc", 0.1)))
    assert ml.figures_of(made) == (Figure("k10.gain", 0.3, 0.2, 0.4),)


def test_what_is_signed_changes_with_every_word_of_card_and_lineage() -> None:
    said = ml.statement(card(), LINEAGE)
    assert said == ml.statement(card(), LINEAGE)
    assert said != ml.statement(card(digest=OLD), LINEAGE)
    assert said != ml.statement(card(), LINEAGE.model_copy(update={"seed": 8}))
