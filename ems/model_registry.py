"""The versions of our models as the log has them: asked by whoever decides with one, changed on a named person's word."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from domain import model_lineage as ml
from domain import model_version as mv
from domain.errors import ConfigError, VersionConflict
from domain.event import Entry, Event, Meta
from domain.model_lineage import Lineage, Lineages
from domain.model_version import Alias, ModelCard, ModelRefusal, Registry
from domain.ports import Clock, EventLog
from domain.ports_models import ModelRegistry
from domain.risk_data import RiskFacts

_ATTEMPTS: Final = 5  # at a log that others write to
Signed = tuple[Lineage, str, str]  # public key, signature: hexadecimal
Decide = Callable[[Registry, int], Event | ModelRefusal]  # of the registry as it is, and the time


async def registry(log: EventLog) -> Registry:
    """As the log has it. Raises LogError."""
    return mv.fold([one.event for one in await log.read(mv.key())])


async def say(
    log: EventLog, clock: Clock, decide: Decide, *, person: str, build: str, signed: Signed | None = None
) -> Event | ModelRefusal:  # fmt: skip
    """Write an authenticated person's word, durable when it returns; or why it may not be.

    A champion whose place another takes is told to be archived, in the same transaction.

    Args:
        decide: `domain.model_version.register`, `promote`, `roll_back` or `retire` with what is asked for.
        build: of the code that writes.
        signed: of what is registered: its lineage and whose signature it bears.

    Raises:
        LogError: nothing is changed.
    """
    for attempt in range(_ATTEMPTS):
        events, at_ns = [one.event for one in await log.read(mv.key())], clock.now_ns()
        state = mv.fold(events)
        decided = decide(state, at_ns)
        if isinstance(decided, ModelRefusal):
            return decided
        meta = Meta(at_ns, f"person:{person}", correlation=mv.key(), causation="command:models", build=build)
        try:
            await log.append([Entry(mv.key(), state.version, (decided, *_beside(ml.fold(events), decided, signed)), meta)])
            return decided
        except VersionConflict:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _beside(state: Lineages, decided: Event, signed: Signed | None) -> tuple[Event, ...]:
    """What is written beside a word, by the registry as it was before."""
    if isinstance(decided, mv.Promoted | mv.RolledBack):
        gone = ml.archived(state, decided)
        return () if gone is None else (gone,)
    if isinstance(decided, mv.Registered) and signed is not None:
        lineage, public_key, signature = signed
        found = ml.trace(state, decided.card, lineage, public_key=public_key, signature=signature, at_ns=decided.at_ns)
        if isinstance(found, ModelRefusal):
            raise ConfigError(found.text)
        return () if found is None else (found,)
    return ()


async def ship(
    log: EventLog, clock: Clock, cards: Collection[ModelCard], *, build: str, algos: Mapping[str, str] = MappingProxyType({})
) -> int:  # fmt: skip
    """What comes with the code is registered where it is not known; how many events that took.

    Args:
        algos: the digest of its code by each algorithm's id.

    Raises:
        LogError: nothing is changed.
        ConfigError: an algorithm's id means other code: it may not be used again.
    """
    for attempt in range(_ATTEMPTS):
        known, at_ns = [one.event for one in await log.read(mv.key())], clock.now_ns()
        state = mv.fold(known)
        bound = _bound(ml.fold(known), algos, build=build, at_ns=at_ns)
        events = (*mv.shipped(state, cards, build=build, at_ns=at_ns), *bound)
        if not events:
            return 0
        meta = Meta(at_ns, "system:shipped", correlation=mv.key(), causation="start", build=build)
        try:
            await log.append([Entry(mv.key(), state.version, events, meta)])
            return len(events)
        except VersionConflict:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _bound(state: Lineages, algos: Mapping[str, str], *, build: str, at_ns: int) -> list[ml.AlgoBound]:
    found = []
    for algo, code in sorted(algos.items()):
        told = ml.bind(state, algo, code, build=build, at_ns=at_ns)
        if isinstance(told, ModelRefusal):
            raise ConfigError(told.text)
        if told is not None:
            found.append(told)
    return found


def allowed(day: RiskFacts, state: Registry) -> RiskFacts:
    """The day's facts with the versions that may trade: those of the registry, and of a day that lists some those alone."""
    trading = state.trading()
    return replace(day, models=trading if day.models is None else trading & day.models)


def copy(state: Registry, to: ModelRegistry, sources: Callable[[str], str]) -> int:
    """Bring a registry that people look at to what ours says; how many versions it has then.

    Args:
        sources: where the weights of a digest lie.

    Raises:
        RegistryUnavailable: it cannot be reached; what it has been told so far stays, and the next time goes on.
    """
    for digest, version in state.versions.items():
        to.note(version.card, sources(digest))
        if version.retired:
            to.retire(digest, version.retired)
    for model in sorted({version.card.model for version in state.versions.values()}):
        for alias in Alias:
            to.point(model, alias, state.holder(model, alias))
    return len(state.versions)
