"""Models that go on learning: window by window in a log, what takes the place, what gives it back, and what nobody learns of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.memory.event_log import MemoryEventLog
from domain import model_lineage as ml
from domain import model_update as mu
from domain import model_version as mv
from domain.catalogue import TOPICS
from domain.errors import ModelRefused
from domain.event import Entry, Event, Meta
from domain.model_lineage import Figure, Lineage
from domain.model_version import Alias, ModelCard
from ems.bench import drill_update as drill
from ems.updater import PERSON, Gone, Told, Updater, Window
from tests.domain.model_cards import NEXT, OLD, card

HOUR_NS = 3_600 * 10**9
MODEL = "world-model"


class Clock:
    ns = 1_795_000_000_000_000_000

    def now_ns(self) -> int:
        self.ns += 1
        return self.ns


class Nets:
    """Every version earns what `earns` says, with a wave; the n-th copy is called n."""

    def __init__(self) -> None:
        self.earns: dict[str, float] = {}
        self.bad: tuple[str, ...] = ()
        self.away = 0.001
        self.made = 0
        self.admitted: list[str] = []

    def has(self, digest: str) -> bool:
        return True

    def faults(self, window: Window) -> tuple[str, ...]:
        return self.bad

    def judge(self, digest: str, window: Window) -> Told:
        mean = self.earns.get(digest, 0.0)
        return Told([mean + 0.1 * (-1) ** n * (1 + 0.1 * mean) for n in range(60)], 1.0)

    def learn(self, digest: str, window: Window) -> Gone:
        self.made += 1
        return Gone(f"{self.made:064d}", "d" * 64, 10_000, 20_000, 7, 10, 2.0, 1.9)

    def distance(self, one: str, other: str) -> float:
        return self.away

    def admit(self, card: ModelCard, parent: str, figures: tuple[Figure, ...]) -> tuple[Lineage, str, str]:
        self.admitted.append(card.digest)
        return Lineage(code_sha256="", seed=7, universe=(), trained_until="", parent=parent, figures=figures), "ab", "cd"


class Room:
    """A log with a champion, and an updater."""

    def __init__(self) -> None:
        self.clock, self.nets = Clock(), Nets()
        self.log = MemoryEventLog(TOPICS, self.clock)
        self.updater = Updater(self.log, self.clock, self.nets, model=MODEL, build="test")
        self.hour = 0

    async def says(self, stream: Any, *events: Event) -> None:
        version = len(await self.log.read(stream))
        await self.log.append([Entry(stream, version, events, Meta(self.clock.now_ns(), "person:jane", stream, "test", "test"))])

    async def begin(self, *, envelope: bool = True) -> None:
        said = {"person": "system:shipped", "reason": "why", "at_ns": 1}
        first = mv.Promoted(digest=OLD, model=MODEL, alias=Alias.CHAMPION, replaces="", **said)
        await self.says(mv.key(), mv.Registered(card=card(OLD), **said), first)
        if envelope:
            bounds = {"distance_max": 0.01, "per_day": 2, "until_ns": self.clock.ns + 99 * HOUR_NS}
            one = mu.propose(MODEL, OLD, **bounds, person="jane", reason="why", at_ns=1)
            assert isinstance(one, mu.EnvelopeProposed)
            await self.says(mu.key(MODEL), one, mu.EnvelopeAgreed(person="omar", reason="why", at_ns=2))

    async def hours(self, count: int = 1) -> list[str]:
        came = []
        for _ in range(count):
            came.append(await self.updater.take(Window("a day", self.hour * HOUR_NS, (self.hour + 1) * HOUR_NS, None)))
            self.hour += 1
        return came

    async def champion(self) -> str | None:
        return mv.fold([one.event for one in await self.log.read(mv.key())]).holder(MODEL, Alias.CHAMPION)

    async def told(self, kind: type[Event]) -> list[Any]:
        return [one.event for one in await self.log.read(mu.key(MODEL)) if isinstance(one.event, kind)]


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_better_copy_takes_the_place_inside_the_envelope_in_one_transaction_with_the_registry(room: Room) -> None:
    await room.begin()
    room.nets.earns = {f"{n:064d}": 0.5 for n in range(1, 9)}
    assert await room.hours(2) == ["learnt", "took_place"], "the first copy is judged by the second window, never by its own"
    taken = f"{1:064d}"
    assert await room.champion() == taken and room.nets.admitted == [taken]
    (took,) = await room.told(mu.TookPlace)
    assert (took.digest, took.replaces, took.persons) == (taken, OLD, ("jane", "omar")) and took.low > 0
    registry = [one.event for one in await room.log.read(mv.key())]
    assert [type(one) for one in registry[2:]] == [mv.Registered, ml.Traced, mv.Promoted, ml.Archived]
    assert registry[4].person == PERSON and registry[5].digest == OLD
    judged = (await room.told(mu.Judged))[-1]
    assert (judged.verdict, judged.why, judged.comparison.gain.blocks) == ("better", "", 60)
    assert {one.begun for one in await room.told(mu.Trained)} == {OLD, taken}


@pytest.mark.parametrize(("envelope", "away", "why"), [(False, 0.001, "no two people"), (True, 0.02, "away")])
async def test_outside_of_the_envelope_a_better_copy_waits_for_people(room: Room, envelope: bool, away: float, why: str) -> None:
    await room.begin(envelope=envelope)
    room.nets.away = away
    room.nets.earns = {f"{n:064d}": 0.5 for n in range(1, 9)}
    assert await room.hours(3) == ["learnt"] * 3
    judged = (await room.told(mu.Judged))[-1]
    assert judged.verdict == "better" and why in judged.why
    assert await room.champion() == OLD and room.nets.admitted == []


async def test_a_champion_that_took_its_place_and_is_worse_gives_it_back_with_evidence(room: Room) -> None:
    await room.begin()
    room.nets.earns = {f"{n:064d}": 0.5 for n in range(1, 9)}
    await room.hours(2)
    room.nets.earns = {OLD: 0.5}
    assert await room.hours() == ["given_back"]
    assert await room.champion() == OLD
    (gave,) = await room.told(mu.GaveBack)
    assert (gave.digest, gave.to) == (f"{1:064d}", OLD) and gave.high < 0
    last = [one.event for one in await room.log.read(mv.key())][-2:]
    assert [type(one) for one in last] == [mv.RolledBack, ml.Archived]
    assert await room.hours() == ["learnt"], "and it goes on from the champion"
    assert (await room.told(mu.Trained))[-1].begun == OLD


async def test_a_copy_that_is_worse_is_not_gone_on_with(room: Room) -> None:
    await room.begin()
    room.nets.earns = {OLD: 0.5}
    await room.hours(2)
    assert (await room.told(mu.Judged))[-1].verdict == "worse"
    assert [one.begun for one in await room.told(mu.Trained)] == [OLD, OLD]


async def test_nobody_learns_of_a_corrupted_window_or_is_judged_by_it(room: Room) -> None:
    await room.begin()
    await room.hours()
    room.nets.bad, room.nets.earns = ("gaps",), {f"{1:064d}": 9.0}
    assert await room.hours() == ["refused"]
    assert (await room.told(mu.DataRefused))[0].reasons == ("gaps",)
    assert await room.told(mu.Judged) == [] and len(await room.told(mu.Trained)) == 1


async def test_when_people_promote_another_the_copy_begins_again_from_it(room: Room) -> None:
    await room.begin()
    await room.hours(2)
    said = {"person": "omar", "reason": "why", "at_ns": 9}
    new = mv.Promoted(digest=NEXT, model=MODEL, alias=Alias.CHAMPION, replaces=OLD, **said)
    await room.says(mv.key(), mv.Registered(card=card(NEXT), **said), new)
    assert await room.hours() == ["learnt"]
    last = (await room.told(mu.Trained))[-1]
    assert (last.begun, last.champion) == (NEXT, NEXT)
    state = await room.updater.state()
    assert state.so_far.gain.blocks == 0


async def test_a_retired_version_is_not_given_the_place_back(room: Room) -> None:
    await room.begin()
    room.nets.earns = {f"{n:064d}": 0.5 for n in range(1, 9)}
    await room.hours(2)
    await room.says(mv.key(), mv.Retired(digest=OLD, person="omar", reason="a fault", at_ns=9))
    room.nets.earns = {OLD: 0.5}
    with pytest.raises(ModelRefused, match="was retired"):
        await room.hours()
    assert await room.champion() == f"{1:064d}"


async def test_without_a_champion_nothing_is_done(room: Room) -> None:
    assert await room.hours() == ["none"]


async def test_of_days_of_made_scores_the_better_are_promoted_and_the_equal_are_not() -> None:
    better, null = await asyncio.to_thread(lambda: (drill.decisions(drill.EFFECT, 6), drill.decisions(0.0, 6, seed=1)))
    assert better >= 5 and null <= 1
