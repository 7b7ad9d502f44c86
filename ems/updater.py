"""Models that go on learning beside the desk: window by window of data judged, learnt of, and now and then promoted.

For each window, in this order, so that nothing is judged by what it has learnt of: is the data fit; is the champion that took its
place on its own still better than the one before; is the copy that learns better than the champion; and then the copy learns of
the window too. Every answer is an event before the next question. Who takes a place takes it in one transaction with the
registry, and the desk, its observer and its planners go over to it between two ticks, as they do on a person's word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import structlog

from domain import model_lineage as ml
from domain import model_update as mu
from domain import model_version as mv
from domain.comparison import BETTER, WORSE, Comparison
from domain.errors import ModelRefused
from domain.event import Entry, Event, Meta
from domain.model_lineage import Figure, Lineage, Traced
from domain.model_update import Judged, Updating
from domain.model_version import Alias, ModelCard, Registered
from domain.ports import Clock, EventLog

_log = structlog.get_logger("updater")
PERSON: Final = f"{mv.SYSTEM}updater"


class Window(NamedTuple):
    """Data of [from_ns, to_ns) of a source; `data` is the nets' own business."""

    source: str
    from_ns: int
    to_ns: int
    data: Any
    sha256: str = ""  # of the source


class Told(NamedTuple):
    """What a version earned on a window, by block in basis points, and its mean log loss."""

    earned: Sequence[float]
    log_loss: float


class Gone(NamedTuple):
    """A version that has gone on: what `domain.model_update.Trained` says of it."""

    digest: str
    data_sha256: str
    rows: int
    buffered: int
    seed: int
    steps: int
    loss_before: float
    loss_after: float


class Nets(Protocol):
    """The nets of one kind. All of it may take seconds: none of it runs where anything trades."""

    def has(self, digest: str) -> bool:
        """Are the weights of a version here?"""
        ...

    def faults(self, window: Window) -> tuple[str, ...]:
        """Every reason why nobody should learn of a window."""
        ...

    def judge(self, digest: str, window: Window) -> Told:
        """A version on a window that it has not learnt of."""
        ...

    def learn(self, digest: str, window: Window) -> Gone:
        """Go on from a version: the window joins the buffer, and the newest of it is learnt of."""
        ...

    def distance(self, one: str, other: str) -> float:
        """Of two versions' weights, relative to the second's."""
        ...

    def admit(self, card: ModelCard, parent: str, figures: tuple[Figure, ...]) -> tuple[Lineage, str, str]:
        """Keep a version where those are that decide, signed: its lineage, public key and signature, hexadecimal."""
        ...


class Updater:
    """One for a kind of model."""

    def __init__(self, log: EventLog, clock: Clock, nets: Nets, *, model: str, build: str) -> None:
        self._log, self._clock, self._nets, self._model, self._build = log, clock, nets, model, build

    async def state(self) -> Updating:
        """As the log has it. Raises LogError."""
        return mu.fold([one.event for one in await self._log.read(mu.key(self._model))])

    async def take(self, window: Window) -> str:
        """One window: in one word what came of it: none, refused, given_back, took_place, learnt.

        Raises:
            LogError: what was not written did not happen; the same window may be taken again.
            ModelRefused: a person's word came between.
        TapeError, WeightsError: the window or a version is not what it must be.
        """
        events = [one.event for one in await self._log.read(mv.key())]
        champion = mv.fold(events).holder(self._model, Alias.CHAMPION)
        if champion is None or not self._nets.has(champion):
            _log.warning("no champion to go on from", model=self._model)
            return "none"
        if reasons := self._nets.faults(window):
            await self.refuse(window, reasons)
            return "refused"
        if mu.watching(state := await self.state(), champion) and await self._worse(state, champion, window):
            return "given_back"
        took = await self._judged(champion, window)
        state = await self.state()
        begun = state.copy if state.copy and state.champion == champion and self._nets.has(state.copy) else took or champion
        await self._learn(begun, took or champion, window)
        return "took_place" if took else "learnt"

    async def refuse(self, window: Window, reasons: tuple[str, ...]) -> None:
        """Nothing is learnt of a window, and nobody is judged by it. Raises LogError."""
        _log.warning("a window is refused", source=window.source, reasons=reasons)
        said = {"source": window.source, "from_ns": window.from_ns, "to_ns": window.to_ns, "reasons": reasons}
        await self._say(mu.DataRefused(**said, at_ns=self._clock.now_ns()))

    async def _learn(self, begun: str, champion: str, window: Window) -> None:
        gone = self._nets.learn(begun, window)
        await self._say(mu.Trained(
            begun=begun, champion=champion, from_ns=window.from_ns, to_ns=window.to_ns,
            distance=self._nets.distance(gone.digest, champion), at_ns=self._clock.now_ns(), **gone._asdict(),
        ))  # fmt: skip

    async def _worse(self, state: Updating, champion: str, window: Window) -> bool:
        """The champion that took its place on its own, against the one before it. True: it gave it back."""
        judged = self._compare(champion, state.before, state.since, window, watched=True)
        await self._say(judged)
        if judged.verdict != WORSE:
            return False
        assert judged.high is not None
        at_ns, reason = self._clock.now_ns(), f"worse than {state.before[:12]} over {judged.comparison.gain.blocks} blocks"
        back = mv.RolledBack(
            digest=state.before, model=self._model, alias=Alias.CHAMPION, replaces=champion,
            person=PERSON, reason=reason, at_ns=at_ns,
        )  # fmt: skip
        gave = mu.GaveBack(
            digest=champion, to=state.before, high=judged.high, blocks=judged.comparison.gain.blocks, at_ns=at_ns
        )  # fmt: skip
        await self._place(back, gave, ())
        return True

    async def _judged(self, champion: str, window: Window) -> str:
        """The copy against the champion: its digest where it took the champion's place, "" otherwise."""
        state = await self.state()
        if not state.copy or state.champion != champion or not self._nets.has(state.copy):
            return ""
        judged = self._compare(state.copy, champion, state.so_far, window, watched=False)
        envelope, distance = state.envelope, 0.0
        if judged.verdict == BETTER:
            distance = self._nets.distance(state.copy, envelope.proposed.anchor if envelope is not None else champion)
            judged = judged.model_copy(update={"why": mu.outside(state, champion, distance, self._clock.now_ns())})
        await self._say(judged)
        if judged.verdict != BETTER or judged.why:
            return ""
        assert envelope is not None and judged.low is not None
        persons = (envelope.proposed.person, envelope.second)
        await self._admit(state, judged, champion, persons, distance)
        return state.copy

    async def _admit(
        self, state: Updating, judged: Judged, champion: str, persons: tuple[str, str], distance: float
    ) -> None:  # fmt: skip
        """The copy becomes a version of the registry and its champion, in one transaction with the word of it."""
        assert judged.low is not None and judged.high is not None
        events = [one.event for one in await self._log.read(mv.key())]
        known, at_ns = mv.fold(events).versions, self._clock.now_ns()
        figures = (Figure("gain_bps", judged.comparison.gain.mean, judged.low, judged.high),)
        metrics = {"gain_bps": figures[0].value, "gain_bps_low": judged.low, "gain_bps_high": judged.high,
                   "daily_sharpe_gain": judged.sharpe_gain, "blocks": float(judged.comparison.gain.blocks)}  # fmt: skip
        card = known[champion].card
        card = card.model_copy(update={
            "digest": state.copy, "metrics": tuple(metrics.items()),
            "data": tuple(sorted({*card.data, (f"{judged.source} to {judged.from_ns}", await self._learnt_of(state.copy))})),
        })  # fmt: skip
        lineage, public_key, signature = self._nets.admit(card, champion, figures)
        reason = f"inside the envelope of {' and '.join(persons)}: {judged.low:.3g} bp a block or more"
        new: list[Event] = []
        if state.copy not in known:
            new.append(Registered(card=card, person=PERSON, reason=reason, at_ns=at_ns))
            new.append(Traced(digest=card.digest, lineage=lineage, public_key=public_key, signature=signature, at_ns=at_ns))
        promoted = mv.Promoted(
            digest=state.copy, model=self._model, alias=Alias.CHAMPION, replaces=champion,
            person=PERSON, reason=reason, at_ns=at_ns,
        )  # fmt: skip
        took = mu.TookPlace(
            digest=state.copy, replaces=champion, distance=distance, persons=persons, low=judged.low,
            sharpe_gain=judged.sharpe_gain, at_ns=at_ns,
        )  # fmt: skip
        await self._place(promoted, took, new)

    async def _learnt_of(self, digest: str) -> str:
        said = [one.event for one in await self._log.read(mu.key(self._model))]
        return next(one.data_sha256 for one in reversed(said) if isinstance(one, mu.Trained) and one.digest == digest)

    def _compare(self, digest: str, against: str, before: Comparison, window: Window, *, watched: bool) -> Judged:
        one, other = self._nets.judge(digest, window), self._nets.judge(against, window)
        found = before.more(one.earned, other.earned, window.to_ns - window.from_ns)
        low, high = found.interval or (None, None)
        return Judged(
            digest=digest, against=against, watched=watched, source=window.source, from_ns=window.from_ns, to_ns=window.to_ns,
            log_loss_gain=other.log_loss - one.log_loss, comparison=found, low=low, high=high, sharpe_gain=found.sharpe_gain,
            verdict=found.verdict, why="", at_ns=self._clock.now_ns(),
        )  # fmt: skip

    async def _place(self, moved: mv.Promoted | mv.RolledBack, told: Event, before: Sequence[Event]) -> None:
        """The registry's events and ours, all or none. Raises ModelRefused, VersionConflict."""
        events = [one.event for one in await self._log.read(mv.key())]
        registry = mv.fold(events)
        if registry.holder(self._model, Alias.CHAMPION) != moved.replaces:
            raise ModelRefused("another version has become champion meanwhile")
        if not before and (refused := mv.refusal(registry, moved.digest, trades=False)) is not None:
            raise ModelRefused(refused.text)  # nothing that was retired takes a place, and none is given back to it
        gone = ml.archived(ml.fold(events), moved)
        told_there = (*before, moved, *(() if gone is None else (gone,)))
        at_ns = moved.at_ns
        await self._log.append([
            Entry(mv.key(), len(events), told_there, self._meta(at_ns)),
            Entry(mu.key(self._model), (await self.state()).version, (told,), self._meta(at_ns)),
        ])  # fmt: skip

    async def _say(self, event: Event) -> None:
        stream = mu.key(self._model)
        await self._log.append([Entry(stream, (await self.state()).version, (event,), self._meta(self._clock.now_ns()))])

    def _meta(self, at_ns: int) -> Meta:
        return Meta(at_ns, PERSON, correlation=mu.key(self._model), causation="updater", build=self._build)
