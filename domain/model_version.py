"""Which versions of our models there are, which of them decides, and on whose word.

A version is the digest of its weights. All of them are one stream: that an alias has one version at a time holds across versions,
and what must hold together is decided on one stream. A person registers a version; for the champion of its kind a second,
different person promotes it, so that nobody's own work trades on their word alone. The version that comes with the code is
registered by the first start.

What is not registered, or was retired, decides nothing: `refusal` is the question that planners, quoter and the checks before
an order ask. What was retired is never registered again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from math import isfinite
from typing import ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.values import StreamId, stream_id


class Alias(StrEnum):
    """What a version is for. The champion decides what is traded, a challenger beside it, a shadow only says what it would."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    SHADOW = "shadow"


class ModelReason(StrEnum):
    """Why not, in the order in which it is looked at."""

    REASON_MISSING = "reason_missing"
    BAD_DIGEST = "bad_digest"
    NOT_REGISTERED = "not_registered"
    REGISTERED_ALREADY = "registered_already"
    RETIRED = "retired"
    METRICS_MISSING = "metrics_missing"
    SECOND_PERSON_NEEDED = "second_person_needed"
    HAS_IT_ALREADY = "has_it_already"
    NOTHING_TO_RETURN_TO = "nothing_to_return_to"
    NOT_PROMOTED = "not_promoted"
    ALGO_ID_TAKEN = "algo_id_taken"


class ModelRefusal(NamedTuple):
    """A name and a sentence."""

    reason: ModelReason
    text: str


class ModelCard(BaseModel):
    """What a version says of itself.

    data: what it learnt from, a name and the SHA-256 of the source each. metrics: a name and a finite number each, of what it
    had not seen; which ones is the model's own card's business.
    """

    model_config = ConfigDict(frozen=True)

    digest: str  # SHA-256 of its tensors
    model: str  # the kind that aliases are of: world-model, scheduler
    contract: int  # the net contract that it keeps
    step: str  # one step of its dynamics: events:10, interval
    data: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, float], ...]


class Registered(Event):
    """A version is known from now on. person: who registered it; "system:..." for what comes with the code."""

    TOPIC: ClassVar[str] = "model_version.registered.v1"
    card: ModelCard
    person: str
    reason: str
    at_ns: int


class Promoted(Event):
    """An alias is a version's from now on. replaces: whose it was, "" where nobody's."""

    TOPIC: ClassVar[str] = "model_version.promoted.v1"
    digest: str
    model: str
    alias: Alias
    replaces: str
    person: str
    reason: str
    at_ns: int


class RolledBack(Event):
    """An alias is again the version's that had it before."""

    TOPIC: ClassVar[str] = "model_version.rolled_back.v1"
    digest: str
    model: str
    alias: Alias
    replaces: str
    person: str
    reason: str
    at_ns: int


class Retired(Event):
    """A version decides nothing any more, whatever alias it had."""

    TOPIC: ClassVar[str] = "model_version.retired.v1"
    digest: str
    person: str
    reason: str
    at_ns: int


EVENTS = (Registered, Promoted, RolledBack, Retired)
SYSTEM: Final = "system:"  # what a person's name never begins with
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MODEL: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TRADING: Final = (Alias.CHAMPION, Alias.CHALLENGER)


class ModelVersion(NamedTuple):
    """A registered version. retired: why it decides nothing any more, "" while it may."""

    card: ModelCard
    person: str
    at_ns: int
    retired: str = ""


class Registry(NamedTuple):
    """version: of the stream. holders: by kind and alias, who had it and was not rolled back from; the last one has it now."""

    version: int
    versions: Mapping[str, ModelVersion]
    holders: Mapping[tuple[str, Alias], tuple[str, ...]]

    def holder(self, model: str, alias: Alias) -> str | None:
        """Whose an alias is; None where it is nobody's, or the version was retired."""
        held = self.holders.get((model, alias), ())
        return held[-1] if held and not self.versions[held[-1]].retired else None

    def aliases(self, digest: str) -> tuple[Alias, ...]:
        """What a version is for now."""
        model = self.versions[digest].card.model if digest in self.versions else ""
        return tuple(alias for alias in Alias if self.holder(model, alias) == digest)

    def trading(self) -> frozenset[str]:
        """The versions whose decisions may become orders: what the check `model_guard` is told."""
        return frozenset(digest for digest in self.versions if refusal(self, digest, trades=True) is None)


NOTHING: Final = Registry(0, {}, {})


def key() -> StreamId:
    """The one stream."""
    return stream_id("model_version")


# ----------------------------------------------------------------------------------------------- asked


def refusal(registry: Registry, digest: str, *, trades: bool) -> ModelRefusal | None:
    """Why a version may not decide, None if it may.

    Args:
        trades: may what it decides become orders? Then it must be a champion or a challenger.
    """
    found = registry.versions.get(digest)
    if found is None:
        return ModelRefusal(ModelReason.NOT_REGISTERED, f"version {digest[:12]} is not registered")
    if found.retired:
        return ModelRefusal(ModelReason.RETIRED, f"version {digest[:12]} was retired: {found.retired}")
    if trades and not any(alias in _TRADING for alias in registry.aliases(digest)):
        return ModelRefusal(ModelReason.NOT_PROMOTED, f"version {digest[:12]} is neither champion nor challenger")
    return None


# --------------------------------------------------------------------------------------------- decided


def register(state: Registry, card: ModelCard, *, person: str, reason: str, at_ns: int) -> Registered | ModelRefusal:
    """A version becomes known."""
    if (refused := _worded(person, reason) or _readable(card)) is not None:
        return refused
    if (known := state.versions.get(card.digest)) is not None:
        if known.retired:
            return ModelRefusal(ModelReason.RETIRED, f"version {card.digest[:12]} was retired: {known.retired}")
        return ModelRefusal(ModelReason.REGISTERED_ALREADY, f"{known.person} has registered {card.digest[:12]} already")
    return Registered(card=card, person=person, reason=reason, at_ns=at_ns)


def promote(state: Registry, digest: str, alias: Alias, *, person: str, reason: str, at_ns: int) -> Promoted | ModelRefusal:
    """An alias goes to a version. The champion's person is another than who registered it, and its figures are known."""
    if (refused := _worded(person, reason) or refusal(state, digest, trades=False)) is not None:
        return refused
    found = state.versions[digest]
    if alias is Alias.CHAMPION and not found.card.metrics:
        return ModelRefusal(ModelReason.METRICS_MISSING, f"nothing is known of how well {digest[:12]} does: no champion")
    if alias is Alias.CHAMPION and found.person == person:
        text = f"{person} registered {digest[:12]}: a second, different person must promote it"
        return ModelRefusal(ModelReason.SECOND_PERSON_NEEDED, text)
    held = state.holders.get((found.card.model, alias), ())
    if held and held[-1] == digest:
        return ModelRefusal(ModelReason.HAS_IT_ALREADY, f"{digest[:12]} is the {alias} already")
    return Promoted(
        digest=digest, model=found.card.model, alias=alias, replaces=held[-1] if held else "",
        person=person, reason=reason, at_ns=at_ns,
    )  # fmt: skip


def roll_back(state: Registry, model: str, alias: Alias, *, person: str, reason: str, at_ns: int) -> RolledBack | ModelRefusal:
    """An alias goes back to the last version that had it before and was not retired. One person: it was agreed to once."""
    if (refused := _worded(person, reason)) is not None:
        return refused
    held = state.holders.get((model, alias), ())
    before = [digest for digest in held[:-1] if not state.versions[digest].retired and digest != held[-1]]
    if not before:
        return ModelRefusal(ModelReason.NOTHING_TO_RETURN_TO, f"no version was {alias} of {model} before, or all were retired")
    return RolledBack(
        digest=before[-1], model=model, alias=alias, replaces=held[-1], person=person, reason=reason, at_ns=at_ns
    )  # fmt: skip


def retire(state: Registry, digest: str, *, person: str, reason: str, at_ns: int) -> Retired | ModelRefusal:
    """A version decides nothing any more; also a champion, whose alias is then nobody's."""
    if (refused := _worded(person, reason) or refusal(state, digest, trades=False)) is not None:
        return refused
    return Retired(digest=digest, person=person, reason=reason, at_ns=at_ns)


def shipped(state: Registry, cards: Iterable[ModelCard], *, build: str, at_ns: int) -> tuple[Registered | Promoted, ...]:
    """What comes with the code is known, and is champion where its kind never had one. A later release's is not promoted."""
    events: list[Registered | Promoted] = []
    said = {"person": f"{SYSTEM}shipped", "reason": f"comes with build {build}", "at_ns": at_ns}
    for card in cards:
        if card.digest in state.versions or _readable(card) is not None:
            continue
        events.append(Registered(card=card, **said))
        if not state.holders.get((card.model, Alias.CHAMPION)):
            events.append(Promoted(digest=card.digest, model=card.model, alias=Alias.CHAMPION, replaces="", **said))
    return tuple(events)


def _worded(person: str, reason: str) -> ModelRefusal | None:
    if not reason.strip() or not person.strip() or person.startswith(SYSTEM):
        return ModelRefusal(ModelReason.REASON_MISSING, "what becomes of a model needs a person and a reason")
    return None


def _readable(card: ModelCard) -> ModelRefusal | None:
    if not _DIGEST.fullmatch(card.digest) or not all(_DIGEST.fullmatch(sha256) for _, sha256 in card.data):
        return ModelRefusal(ModelReason.BAD_DIGEST, "a digest is 64 hexadecimal digits")
    if not _MODEL.fullmatch(card.model):
        return ModelRefusal(ModelReason.BAD_DIGEST, f"{card.model!r} names no kind of model: small letters, digits and hyphens")
    if not all(isfinite(value) for _, value in card.metrics):
        return ModelRefusal(ModelReason.METRICS_MISSING, "a metric that is no number is a bad metric")
    return None


# ---------------------------------------------------------------------------------------------- folded


def fold(events: Iterable[Event]) -> Registry:
    """The registry from its events in order."""
    state = NOTHING
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Registry, event: Event) -> Registry:
    """Fold one event."""
    versions, holders = dict(state.versions), dict(state.holders)
    if isinstance(event, Registered):
        versions[event.card.digest] = ModelVersion(event.card, event.person, event.at_ns)
    elif isinstance(event, Retired):
        versions[event.digest] = versions[event.digest]._replace(retired=event.reason)
    elif isinstance(event, Promoted):
        place = (event.model, event.alias)
        holders[place] = (*holders.get(place, ()), event.digest)
    elif isinstance(event, RolledBack):
        place = (event.model, event.alias)
        held = holders[place][:-1]
        last = len(held) - held[::-1].index(event.digest)
        holders[place] = held[:last]
    else:
        assert event.TOPIC.startswith("model_version."), event.TOPIC  # `domain.model_lineage`: it changes no alias
    return Registry(state.version + 1, versions, holders)
