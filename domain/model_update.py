"""Models that go on learning while they are used: what was learnt, how it was judged, and what took a place on nobody's word.

A version that goes on learning is judged on data that it has not seen, against the champion, on the same moments. What it gains
is a series that grows window by window; the interval of its mean holds at all times at once (`domain.comparison`), so
that looking after every window and stopping at will costs nothing. It takes the champion's place on its own only inside an
**envelope**, which two people agreed to beforehand: for which kind of model, how far the weights may be from those that the
people knew, how often a day, until when. Everywhere else it waits for people. The champion that came so is watched: once the
interval of what it gains over the one before it lies below 0, that one is champion again.

One stream for each kind of model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple

from domain.comparison import DAY_NS, WORSE, Comparison
from domain.event import Event
from domain.values import StreamId, stream_id

_CALENDAR_DAY_NS: Final = 86_400 * 1_000_000_000


class EnvelopeProposed(Event):
    """A person says within which bounds a kind of model may take its champion's place on its own. Holds nothing yet.

    anchor: the champion that distances are measured from. distance_max: of the weights, relative. per_day: promotions.
    """

    TOPIC: ClassVar[str] = "model_update.envelope_proposed.v1"
    model: str
    anchor: str
    distance_max: float
    per_day: int
    until_ns: int
    person: str
    reason: str
    at_ns: int


class EnvelopeAgreed(Event):
    """A second, different person says the same: the last proposal holds."""

    TOPIC: ClassVar[str] = "model_update.envelope_agreed.v1"
    person: str
    reason: str
    at_ns: int


class EnvelopeRevoked(Event):
    """Nothing takes a place on its own any more. One person."""

    TOPIC: ClassVar[str] = "model_update.envelope_revoked.v1"
    person: str
    reason: str
    at_ns: int


class Trained(Event):
    """The copy that learns beside the champion has learnt of one window more. data_sha256: of the rows that it learnt of.

    begun: the version that it was before. distance: of its weights from the champion's, relative. losses on these rows.
    """

    TOPIC: ClassVar[str] = "model_update.trained.v1"
    digest: str
    begun: str
    champion: str
    data_sha256: str
    rows: int
    buffered: int
    from_ns: int
    to_ns: int
    seed: int
    steps: int
    loss_before: float
    loss_after: float
    distance: float
    at_ns: int


class DataRefused(Event):
    """A window that nothing is learnt of and nobody is judged by, with every reason."""

    TOPIC: ClassVar[str] = "model_update.data_refused.v1"
    source: str
    from_ns: int
    to_ns: int
    reasons: tuple[str, ...]
    at_ns: int


class Judged(Event):
    """Two versions on a window that neither learnt of, and all such windows so far.

    watched: was it the champion, judged against the one before it? Else the copy, against the champion.
    why: what keeps a better one from the place; "" where nothing does or it is not better.
    """

    TOPIC: ClassVar[str] = "model_update.judged.v1"
    digest: str
    against: str
    watched: bool
    source: str
    from_ns: int
    to_ns: int
    log_loss_gain: float  # in nats a moment of this window: told, and no part of the verdict
    comparison: Comparison
    low: float | None
    high: float | None
    sharpe_gain: float
    verdict: str
    why: str
    at_ns: int


class TookPlace(Event):
    """The copy is champion, inside the envelope of two people. The evidence is the last judgement. Beside it, in one
    transaction, stand the registry's own events."""

    TOPIC: ClassVar[str] = "model_update.took_place.v1"
    digest: str
    replaces: str
    distance: float
    persons: tuple[str, str]
    low: float
    sharpe_gain: float
    at_ns: int


class GaveBack(Event):
    """The champion that took its place on its own was worse: the one before it is champion again. Evidence as before."""

    TOPIC: ClassVar[str] = "model_update.gave_back.v1"
    digest: str
    to: str
    high: float
    blocks: int
    at_ns: int


EVENTS = (EnvelopeProposed, EnvelopeAgreed, EnvelopeRevoked, Trained, DataRefused, Judged, TookPlace, GaveBack)


class Refused(NamedTuple):
    """Why a person's word is not taken."""

    text: str


class Envelope(NamedTuple):
    """What two people agreed to; second "" while one has."""

    proposed: EnvelopeProposed
    second: str = ""


class Updating(NamedTuple):
    """The state of one kind.

    copy: the version that learns, "" none; distance: its weights' from the champion's. so_far: its judgements against champion.
    watched, before: the champion that took its place on its own, and which it replaced; since: its judgements. taken_ns: when any
    did. seen_ns: the end of the last window.
    """

    version: int = 0
    envelope: Envelope | None = None
    champion: str = ""
    copy: str = ""
    distance: float = 0.0
    so_far: Comparison = Comparison()
    watched: str = ""
    before: str = ""
    since: Comparison = Comparison()
    taken_ns: tuple[int, ...] = ()
    seen_ns: int = 0
    updates: int = 0


def key(model: str) -> StreamId:
    """The stream of a kind."""
    return stream_id("model_update", model)


# --------------------------------------------------------------------------------------------- decided


def propose(
    model: str, anchor: str, *, distance_max: float, per_day: int, until_ns: int, person: str, reason: str, at_ns: int
) -> EnvelopeProposed | Refused:
    """One authenticated person's word."""
    if not reason.strip() or not person.strip():
        return Refused("an envelope needs a person and a reason")
    if not (math.isfinite(distance_max) and 0 < distance_max <= 1 and 1 <= per_day <= 24 and until_ns > at_ns and anchor):
        return Refused("a champion to measure from, a distance above 0 up to 1, 1 to 24 promotions a day, and an end to come")
    return EnvelopeProposed(
        model=model, anchor=anchor, distance_max=distance_max, per_day=per_day, until_ns=until_ns, person=person, reason=reason,
        at_ns=at_ns,
    )  # fmt: skip


def agree(state: Updating, *, person: str, reason: str, at_ns: int) -> EnvelopeAgreed | Refused:
    """The second person's."""
    found = state.envelope
    if not reason.strip() or not person.strip():
        return Refused("to agree needs a person and a reason")
    if found is None or found.second or found.proposed.until_ns <= at_ns:
        return Refused("nothing is proposed that could be agreed to")
    if found.proposed.person == person:
        return Refused(f"{person} has proposed it: a second, different person must agree")
    return EnvelopeAgreed(person=person, reason=reason, at_ns=at_ns)


def revoke(state: Updating, *, person: str, reason: str, at_ns: int) -> EnvelopeRevoked | Refused:
    """One person's word is enough to end it."""
    if not reason.strip() or not person.strip():
        return Refused("to revoke needs a person and a reason")
    return EnvelopeRevoked(person=person, reason=reason, at_ns=at_ns) if state.envelope else Refused("there is no envelope")


def watching(state: Updating, champion: str) -> bool:
    """Is the champion one that took its place on its own, less than a session of data ago?"""
    return bool(state.watched) and state.watched == champion and state.since.lasted_ns < DAY_NS


def outside(state: Updating, champion: str, distance: float, at_ns: int) -> str:
    """Why a better copy waits for people; "" inside the envelope. distance: of its weights from the anchor's."""
    found = state.envelope
    if found is None or not found.second:
        return "no two people have agreed to an envelope"
    if at_ns >= found.proposed.until_ns:
        return "the envelope has ended"
    if not distance <= found.proposed.distance_max:
        return f"its weights are {distance:.2e} away, and {found.proposed.distance_max:.2e} was agreed to"
    today = sum(at_ns - taken_ns < _CALENDAR_DAY_NS for taken_ns in state.taken_ns)
    if today >= found.proposed.per_day:
        return f"{today} have taken the place within a day, as many as was agreed to"
    return "the champion took its place on its own and is still watched" if watching(state, champion) else ""


# ---------------------------------------------------------------------------------------------- folded


def fold(events: Iterable[Event]) -> Updating:
    """The state from its events in order."""
    state = Updating()
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Updating, event: Event) -> Updating:
    """Fold one event."""
    state = state._replace(version=state.version + 1)
    match event:
        case EnvelopeProposed():
            return state._replace(envelope=Envelope(event))
        case EnvelopeAgreed():
            assert state.envelope is not None
            return state._replace(envelope=state.envelope._replace(second=event.person))
        case EnvelopeRevoked():
            return state._replace(envelope=None)
        case DataRefused():
            return state._replace(seen_ns=event.to_ns)
        case Trained():
            so_far = state.so_far if event.champion == state.champion else Comparison()
            return state._replace(
                champion=event.champion, copy=event.digest, distance=event.distance, so_far=so_far, seen_ns=event.to_ns,
                updates=state.updates + 1,
            )  # fmt: skip
        case Judged() if event.watched:
            return state._replace(since=event.comparison)
        case Judged() if event.verdict == WORSE:
            return state._replace(copy="", so_far=Comparison())  # what is worse by certainty is not gone on with
        case Judged():
            return state._replace(so_far=event.comparison)
        case TookPlace():
            taken_ns = (*state.taken_ns, event.at_ns)
            return state._replace(
                champion=event.digest, copy="", so_far=Comparison(), watched=event.digest, before=event.replaces,
                since=Comparison(), taken_ns=taken_ns,
            )  # fmt: skip
        case GaveBack():
            return state._replace(champion=event.to, copy="", so_far=Comparison(), watched="", before="", since=Comparison())
    raise AssertionError(event.TOPIC)
