"""Where a version of a model comes from, whose signature it bears, what became of it, and which code an algorithm's id means.

These events stand in the stream of `domain.model_version`, beside those that they belong to, and change no alias. A version's
lineage is signed together with its card: whoever loads its weights checks the signature again, with a key that it trusts.

The id of an algorithm, "vwap/1", is bound to the digest of its code by the first start that has it. The same id for other code is
refused, so that a record that names an id names one code for ever: changed code takes the next number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.model_version import Alias, ModelCard, ModelReason, ModelRefusal, Promoted, RolledBack

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_ALGO: Final = re.compile(r"[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,5}")


class Figure(NamedTuple):
    """A metric with its interval, 95 % unless its name says otherwise."""

    name: str
    value: float
    low: float
    high: float


class Lineage(BaseModel):
    """What a version's card does not say of where it comes from. The data's digests are the card's."""

    model_config = ConfigDict(frozen=True)

    code_sha256: str  # of the code that trained it, "" where the file does not say
    seed: int
    universe: tuple[str, ...]  # what it learnt from, by name
    trained_until: str  # the last day of its data, as 2012-06-21; "" where the file does not say
    parent: str = ""  # the version that it was trained on from
    figures: tuple[Figure, ...] = ()


class Traced(Event):
    """A version's lineage, signed with its card. public_key, signature: Ed25519, hexadecimal; over `statement`."""

    TOPIC: ClassVar[str] = "model_version.traced.v1"
    digest: str
    lineage: Lineage
    public_key: str
    signature: str
    at_ns: int


class Archived(Event):
    """A version is champion no more, and is kept: since when it was, and what took its place, on whose word."""

    TOPIC: ClassVar[str] = "model_version.archived.v1"
    digest: str
    model: str
    since_ns: int
    replaced_by: str
    person: str
    reason: str
    at_ns: int


class AlgoBound(Event):
    """From now on, for ever, an algorithm's id means this code."""

    TOPIC: ClassVar[str] = "model_version.algo_bound.v1"
    algo: str
    code_sha256: str
    build: str
    at_ns: int


EVENTS = (Traced, Archived, AlgoBound)


class Lineages(NamedTuple):
    """traced, archived: by digest; algos: by id. since_ns: when each kind's champion became it."""

    traced: Mapping[str, Traced]
    archived: Mapping[str, Archived]
    algos: Mapping[str, AlgoBound]
    since_ns: Mapping[str, int]


NOTHING: Final = Lineages({}, {}, {}, {})


def statement(card: ModelCard, lineage: Lineage) -> bytes:
    """The bytes that are signed: digest, card and lineage as JSON with sorted names."""
    said = {"card": card.model_dump(mode="json"), "lineage": lineage.model_dump(mode="json")}
    return b"model version\n" + json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def figures_of(card: ModelCard) -> tuple[Figure, ...]:
    """The card's metrics that have an interval: those with a `_low` and a `_high` beside them."""
    told = dict(card.metrics)
    return tuple(
        Figure(name, value, told[f"{name}_low"], told[f"{name}_high"])
        for name, value in card.metrics
        if f"{name}_low" in told and f"{name}_high" in told
    )


def trace(
    state: Lineages, card: ModelCard, lineage: Lineage, *, public_key: str, signature: str, at_ns: int
) -> Traced | ModelRefusal | None:
    """A version's lineage becomes known; None where this very lineage is already. Whoever calls has verified the signature."""
    if lineage.code_sha256 and not _DIGEST.fullmatch(lineage.code_sha256):
        return ModelRefusal(ModelReason.BAD_DIGEST, "a digest is 64 hexadecimal digits")
    if not all(isfinite(number) for one in lineage.figures for number in one[1:]):
        return ModelRefusal(ModelReason.METRICS_MISSING, "a metric that is no number is a bad metric")
    if (known := state.traced.get(card.digest)) is not None and (known.lineage, known.signature) == (lineage, signature):
        return None
    return Traced(digest=card.digest, lineage=lineage, public_key=public_key, signature=signature, at_ns=at_ns)


def archived(state: Lineages, event: Promoted | RolledBack) -> Archived | None:
    """What becomes of the version whose place another takes, where that place was the champion's."""
    if event.alias is not Alias.CHAMPION or not event.replaces:
        return None
    return Archived(
        digest=event.replaces, model=event.model, since_ns=state.since_ns.get(event.model, 0), replaced_by=event.digest,
        person=event.person, reason=event.reason, at_ns=event.at_ns,
    )  # fmt: skip


def bind(state: Lineages, algo: str, code_sha256: str, *, build: str, at_ns: int) -> AlgoBound | ModelRefusal | None:
    """An algorithm's id for its code; None where it means that already."""
    if not _ALGO.fullmatch(algo) or not _DIGEST.fullmatch(code_sha256):
        return ModelRefusal(ModelReason.BAD_DIGEST, f"{algo!r} is no algorithm's id with its code's digest: vwap/1, 64 digits")
    if (known := state.algos.get(algo)) is None:
        return AlgoBound(algo=algo, code_sha256=code_sha256, build=build, at_ns=at_ns)
    if known.code_sha256 == code_sha256:
        return None
    name = algo.partition("/")[0]
    taken = (int(one.partition("/")[2]) for one in state.algos if one.partition("/")[0] == name)
    text = f"{algo} means the code {known.code_sha256[:12]} of build {known.build}: other code is {name}/{max(taken) + 1}"
    return ModelRefusal(ModelReason.ALGO_ID_TAKEN, text)


def fold(events: Iterable[Event]) -> Lineages:
    """From the stream's events in order, those of `domain.model_version` among them."""
    traced: dict[str, Traced] = {}
    past: dict[str, Archived] = {}
    algos: dict[str, AlgoBound] = {}
    since_ns: dict[str, int] = {}
    for event in events:
        if isinstance(event, Traced):
            traced[event.digest] = event
        elif isinstance(event, Archived):
            past[event.digest] = event
        elif isinstance(event, AlgoBound):
            algos[event.algo] = event
        elif isinstance(event, Promoted | RolledBack) and event.alias is Alias.CHAMPION:
            since_ns[event.model] = event.at_ns
            past.pop(event.digest, None)
    return Lineages(traced, past, algos, since_ns)
