"""`ems audit`: decisions of the log computed again by the code and the weights that are here, and why one was as it was."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import decision, model_decision
from domain.catalogue import TOPICS
from domain.decision import BasketPlanned, Planned
from domain.errors import ConfigError, ForecastError, VersionConflict, WeightsError
from domain.event import Entry, Event, Meta
from domain.model_decision import Decided
from domain.reproduction import Agreement, Grade
from domain.values import StreamId
from ems.bootstrap.build import build_digest
from ems.bootstrap.environments import difference
from ems.bootstrap.model_signing import verified
from ems.bootstrap.models import weights_of

_WANTED: Final = (Planned, BasketPlanned, Decided)
_UNREAD: Final = tuple(cls for topic in TOPICS if (cls := TOPICS[topic]) not in _WANTED)
_ATTEMPTS: Final = 3


class Bench:
    """The versions that decisions are computed again with, each read once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._deciders: dict[tuple[str, str], Any] = {}
        self._sights = _sights(directory)

    def again(self, event: Event) -> Agreement:
        """One decision, again.

        Raises:
            WeightsError: its version's weights are not here, or not what they were.
            ForecastError: what is stored of it does not fit together.
        """
        if isinstance(event, Planned | BasketPlanned):
            return _planned_again(event, self._sights)
        assert isinstance(event, Decided)
        place = (event.weights_sha256, event.use)
        if place not in self._deciders:
            from models.reproduce import Decider
            from models.weights_store import read_weights

            weights = read_weights(weights_of(self._directory, event.weights_sha256), event.weights_sha256, step=None)
            self._deciders[place] = Decider(weights, event.use)
        agreed: Agreement = self._deciders[place].again(event)
        return agreed


def _sights(directory: Path) -> Callable[[str], Any]:
    from models.sight import sights

    return sights(directory, verified)


def _planned_again(event: Planned | BasketPlanned, versions: Callable[[str], Any]) -> Agreement:
    """A plan has no floats beside it: it is the same or it is not."""
    from ems.bootstrap.planning import LOADING, made

    told = event.plan if isinstance(event, BasketPlanned) else event.schedule
    again = made(event.request, loading=told.fallback.startswith(LOADING), versions=versions)
    same = decision.is_digest_of(event.request_sha256, event.request) and again == told
    return Agreement(Grade.BIT_EXACT if same else Grade.DIFFERENT, 0)


async def reproduce(dsn: str, directory: Path, only: str = "") -> dict[str, Any]:
    """Compute every decision of a log again.

    Args:
        directory: where weights are kept.
        only: one stream, "" for all.

    Returns:
        How many of each grade, the largest distance in units in the last place, how many decisions were made in another
        environment than this, and the streams that differ or cannot be computed again, with the reason. environments: by the
        digest of each other one, what is different here as name -> (here, there); None where it is not kept.

    Raises:
        ConfigError: only names no stream.
        LogError: the log cannot be read.
    """
    from models.environment import environment_digest

    bench, here = Bench(directory), environment_digest()
    grades, largest, elsewhere, failed = Counter[str](), 0, Counter[str](), dict[str, str]()
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        async for stream, event in _decisions(log, only):
            made_in = event.environment_sha256 if isinstance(event, Decided) else here
            elsewhere[made_in] += made_in != here
            try:
                agreed = bench.again(event)
            except (WeightsError, ForecastError) as error:
                failed[stream] = str(error)
                continue
            grades[agreed.grade.value] += 1
            largest = max(largest, agreed.largest_ulp)
            if agreed.grade is Grade.DIFFERENT:
                place = "the same environment" if made_in == here else f"environment {made_in[:12]}"
                failed[stream] = f"different, {agreed.largest_ulp} units in the last place; decided in {place}"
    told = {grade.value: grades[grade.value] for grade in Grade}
    others = {digest: difference(directory, digest) for digest, count in elsewhere.items() if count}
    return {
        **told, "largest_ulp": largest, "other_environment": elsewhere.total(), "environments": others, "failed": failed
    }  # fmt: skip


async def _decisions(log: PostgresEventLog, only: str) -> AsyncIterator[tuple[StreamId, Event]]:
    if only:
        for recorded in await log.read(_stream(only)):
            if _computable(recorded.event):
                yield recorded.stream, recorded.event
        return
    async for page in log.read_facts(unread=_UNREAD):
        for _, stream, _, (event, _) in page:
            if _computable(event):
                yield stream, event


def _computable(event: Event | None) -> bool:
    """A plan that was made together with others is computed again with them: their basket's decision has it whole."""
    return isinstance(event, _WANTED) and not (isinstance(event, Planned) and event.schedule.basket)


async def attribute(dsn: str, directory: Path, stream: str, output: str, *, now_ns: int, person: str) -> model_decision.Explained:
    """Why a decision had an output; stored in its stream, once.

    Raises:
        ConfigError: it names no stream.
        ForecastError: it is no decision of a net, or has no such output.
        WeightsError: its version's weights are not here.
        LogError: the log cannot be read or written.
    """
    from models.attribution import explained
    from models.weights_store import read_weights

    place = _stream(stream)
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        for attempt in range(_ATTEMPTS):
            found = [one.event for one in await log.read(place)]
            if not found or not isinstance(decided := found[0], Decided):
                raise ForecastError(f"{stream} is no decision of a net")
            for event in found[1:]:
                if isinstance(event, model_decision.Explained) and event.output == output:
                    return event
            weights = read_weights(weights_of(directory, decided.weights_sha256), decided.weights_sha256, step=None)
            why = explained(weights, decided, output)
            meta = Meta(now_ns, f"person:{person}", correlation=place, causation="command:attribute", build=build_digest())
            try:
                await log.append([Entry(place, len(found), (why,), meta)])
                return why
            except VersionConflict:
                if attempt == _ATTEMPTS - 1:
                    raise
    raise AssertionError("unreachable")


def _stream(text: str) -> StreamId:
    try:
        return StreamId(str(uuid.UUID(text)))
    except ValueError as error:
        raise ConfigError(f"{text!r} is no stream: a UUID, as 6f1d6c9e-3c1b-5f0e-9a55-52f0b4a1c001") from error
