"""The versions of our models as the log has them: asked by whoever decides with one, changed on a named person's word."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from domain import model_version as mv
from domain.errors import VersionConflict
from domain.event import Entry, Event, Meta
from domain.model_version import Alias, ModelCard, ModelRefusal, Registry
from domain.ports import Clock, EventLog
from domain.ports_models import ModelRegistry
from domain.risk_data import RiskFacts

_ATTEMPTS: Final = 5  # at a log that others write to
Decide = Callable[[Registry, int], Event | ModelRefusal]  # of the registry as it is, and the time


async def registry(log: EventLog) -> Registry:
    """As the log has it. Raises LogError."""
    return mv.fold([one.event for one in await log.read(mv.key())])


async def say(log: EventLog, clock: Clock, decide: Decide, *, person: str, build: str) -> Event | ModelRefusal:
    """Write an authenticated person's word, durable when it returns; or why it may not be.

    Args:
        decide: `domain.model_version.register`, `promote`, `roll_back` or `retire` with what is asked for.
        build: of the code that writes.

    Raises:
        LogError: nothing is changed.
    """
    for attempt in range(_ATTEMPTS):
        state, at_ns = await registry(log), clock.now_ns()
        decided = decide(state, at_ns)
        if isinstance(decided, ModelRefusal):
            return decided
        meta = Meta(at_ns, f"person:{person}", correlation=mv.key(), causation="command:models", build=build)
        try:
            await log.append([Entry(mv.key(), state.version, (decided,), meta)])
            return decided
        except VersionConflict:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


async def ship(log: EventLog, clock: Clock, cards: Collection[ModelCard], *, build: str) -> int:
    """What comes with the code is registered where it is not known; how many events that took. Raises LogError."""
    for attempt in range(_ATTEMPTS):
        state, at_ns = await registry(log), clock.now_ns()
        events = mv.shipped(state, cards, build=build, at_ns=at_ns)
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
