"""Shadows: asked when the champion has planned, written down beside it and nowhere else; and what the report says of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from adapters.memory.event_log import MemoryEventLog
from domain import decision, shadow
from domain.catalogue import TOPICS
from domain.errors import LogUnavailable
from domain.event import Event, Meta, Recorded
from domain.market_note import Noted
from domain.market_state import MarketState
from domain.messages import PlanReady
from domain.observation import Observed
from domain.schedule import PlanRequest, Schedule, Slice
from domain.values import E9, Algo, Side
from ems.shadow import LATE_NS, Shadows
from ems.shadow_report import paths_of, report, score
from tests.ems.test_deviations import evidence, seen

OTHER = "b" * 64
NOW_NS = 1_795_000_000 * E9
MINUTE_NS = 60 * E9


class Clock:
    ns = NOW_NS

    def now_ns(self) -> int:
        return self.ns


class Pool:
    def __init__(self, deliver: Callable[[PlanReady], None]) -> None:
        self.deliver, self.asked, self.closed = deliver, list[PlanRequest](), False

    def request(self, request: PlanRequest) -> None:
        self.asked.append(request)

    def close(self) -> None:
        self.closed = True


class Scene:
    """Shadows over a log in memory; whose shadows there are can be changed."""

    def __init__(self) -> None:
        self.clock, self.versions, self.pools = Clock(), (OTHER,), list[Pool]()
        self.log = MemoryEventLog(TOPICS, self.clock)
        self.shadows = Shadows(self.log, self.clock, lambda: self.versions, self.pool, build="test")

    def pool(self, deliver: Callable[[PlanReady], None]) -> Pool:
        self.pools.append(Pool(deliver))
        return self.pools[-1]

    def sees(self, *beside: tuple[str, str]) -> Observed:
        found = seen(0, 0.0)
        looked = found.observation.model_copy(update={"time_ns": NOW_NS - E9, "hidden": "ours"})
        return Observed("ABC", looked, found.latent, None, beside)

    async def written(self) -> list[Event]:
        task = asyncio.create_task(self.shadows.run())
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return [one.event async for page in self.log.read_pages() for one in page]


def asked(parent: str = "p", plan_number: int = 1, **changed: Any) -> PlanRequest:
    said: dict[str, Any] = {
        "parent": parent, "parent_version": 1, "plan_number": plan_number, "reason": "timer", "instrument": "ABC",
        "side": Side.BUY,
        "algo": Algo.ADAPTIVE, "remaining_e9": 100 * E9, "filled_e9": 0, "lot_e9": E9, "now_ns": NOW_NS, "start_ns": NOW_NS,
        "end_ns": NOW_NS + 10 * MINUTE_NS, "participation_e9": None, "market": None, "started_volume_e9": 0,
        "models": ("a" * 64,),
    }  # fmt: skip
    return PlanRequest.model_validate(said | changed)


def plan(*minutes: int, foreseen: bool = True) -> Schedule:
    """100 shares in equal parts that begin at these minutes."""
    slices = tuple(Slice(NOW_NS + m * MINUTE_NS, NOW_NS + (m + 1) * MINUTE_NS, 100 * E9 // len(minutes)) for m in minutes)
    return Schedule(planner="adaptive/1", filled_e9=0, slices=slices, evidence=evidence(0.0, 0.0) if foreseen else None)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def planned(scene: Scene) -> PlanRequest:
    """The champion has planned on a look that the shadow shared; the champion's request."""
    told = scene.shadows.observed(scene.sees((OTHER, "theirs")))
    assert told.beside == (), "the desk is told nothing of shadows"
    request = asked(observation=told.observation)
    scene.shadows.planned(PlanReady(request, plan(0, 1)))
    return request


async def test_a_shadow_is_asked_what_the_champion_was_with_its_own_state_and_answers_into_its_own_stream(scene: Scene) -> None:
    request = planned(scene)
    (pool,) = scene.pools
    (question,) = pool.asked
    assert question.observation is not None and request.observation is not None
    assert (question.observation.hidden, question.observation.weights_sha256, question.models) == ("theirs", OTHER, (OTHER,))
    assert question.observation.arrays == request.observation.arrays
    same = {"observation": request.observation, "models": request.models}
    assert question.model_copy(update=same) == request
    scene.clock.ns += E9
    pool.deliver(PlanReady(question, plan(2, 3)))
    (said,) = await scene.written()
    assert isinstance(said, shadow.Planned)
    assert (said.request_sha256, said.hidden, said.behind_ns) == (decision.request_sha256(request), "theirs", E9)
    assert len(await scene.log.read(shadow.key(OTHER, "p", 1))) == 1
    assert await scene.log.read(decision.key("p", 1)) == []


@pytest.mark.parametrize(
    ("late_ns", "answer", "why"),
    [
        (LATE_NS + 1, (plan(0), ""), "late"),
        (0, (None, "SolverFailed: no"), "SolverFailed: no"),
        (0, (plan(0, foreseen=False).model_copy(update={"fallback": "blind"}), ""), "blind"),
    ],
)
async def test_what_is_late_or_fails_is_missed(scene: Scene, late_ns: int, answer: tuple[Any, str], why: str) -> None:
    planned(scene)
    scene.clock.ns += late_ns
    scene.pools[0].deliver(PlanReady(scene.pools[0].asked[0], *answer))
    (said,) = await scene.written()
    assert isinstance(said, shadow.Missed) and said.why == why


def test_without_a_plan_that_foresaw_or_without_a_look_of_its_own_nobody_is_asked(scene: Scene) -> None:
    scene.shadows.planned(PlanReady(asked(observation=None), plan(0)))
    looked = scene.shadows.observed(scene.sees())
    for request, made in (
        (asked(observation=looked.observation), plan(0)),
        (asked(observation=looked.observation, algo=Algo.VWAP), plan(0)),
        (asked(observation=looked.observation), plan(0, foreseen=False)),
    ):
        scene.shadows.planned(PlanReady(request, made))
    assert [pool.asked for pool in scene.pools] in ([], [[]])


async def test_who_is_no_shadow_any_more_is_ended_and_its_late_words_are_nobodys(scene: Scene) -> None:
    planned(scene)
    scene.versions = ()
    planned(scene)
    assert scene.pools[0].closed
    scene.pools[0].deliver(PlanReady(scene.pools[0].asked[0], plan(0)))
    assert await scene.written() == []


async def test_a_log_that_is_gone_costs_the_word_and_nothing_else(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(entries: object) -> None:
        raise LogUnavailable("gone")

    planned(scene)
    scene.pools[0].deliver(PlanReady(scene.pools[0].asked[0], plan(0)))
    monkeypatch.setattr(scene.log, "append", gone)
    assert await scene.written() == [] and scene.shadows.dropped == 1


# ------------------------------------------------------------------------------------------------ report


def noted(minute: float, middle: float, volume: int = 0) -> Recorded:
    at_ns = NOW_NS + round(minute * MINUTE_NS)
    market = MarketState(
        instrument="ABC", time_ns=at_ns, bid_e9=round((middle - 0.01) * E9), bid_size_e9=100 * E9,
        ask_e9=round((middle + 0.01) * E9), ask_size_e9=100 * E9, volume_e9=volume * E9,
    )  # fmt: skip
    return recorded(Noted(trade_date="2026-11-18", markets=(market,)), at_ns)


def recorded(event: Event, at_ns: int = NOW_NS) -> Recorded:
    meta = Meta(at_ns, "system:test", decision.key("p", 1), "test", "test")
    return Recorded(seq=1, stream=decision.key("p", 1), version=1, event=event, meta=meta, **EXTRA)


EXTRA: dict[str, Any] = {
    name: None for name in Recorded._fields if name not in ("seq", "stream", "version", "event", "meta")
}  # fmt: skip
MARKET = [noted(m, 100 + 0.1 * m, 1_000 * m) for m in range(13)]


def free(volatility: float, volume: float, spread: float, depth: float) -> float:
    return 0.0


def test_a_score_is_the_middle_at_each_slice_half_the_spread_and_what_the_slice_would_move() -> None:
    path = paths_of(MARKET)["ABC"]
    assert score(asked(), plan(0), path, free) == pytest.approx(1.0)  # half of two cents on 100
    assert score(asked(), plan(5), path, free) == pytest.approx(51.0)
    assert score(asked(side=Side.SELL), plan(5), path, free) == pytest.approx(-49.0)
    assert score(asked(), plan(0, 5), path, free) == pytest.approx(26.0)
    told: list[tuple[float, ...]] = []

    def dear(*seen: float) -> float:
        told.append(seen)
        return 1e9 * 0.01 / 100  # a cent for these shares

    assert score(asked(), plan(0), path, dear) == pytest.approx(2.0)
    volatility, volume, spread, depth = told[0]
    assert (volume, spread, depth) == (1_000.0, pytest.approx(0.02 * E9), 100.0)
    assert volatility == pytest.approx(0.1 * E9)  # a tenth a minute, over a slice of a minute
    assert score(asked(), plan(20), path, free) is None, "the market was not noted for so long"
    assert score(asked(), plan(0), paths_of([noted(1, 100)])["ABC"], free) is None


def day(orders: int, worse_bps: Callable[[int], float]) -> list[Recorded]:
    """Orders that both plan, the shadow later in a rising market by as many basis points as is said, in tenths of minutes."""
    events = [noted(m / 10, 100 + 0.01 * m, 100 * m) for m in range(130)]
    for n in range(orders):
        request = asked(f"p{n}")
        digest = decision.request_sha256(request)
        events.append(recorded(decision.Planned(request=request, request_sha256=digest, schedule=plan(1))))
        later = round(worse_bps(n) * MINUTE_NS / 10)
        moved = plan(1).model_copy(update={"slices": tuple(s._replace(start_ns=s.start_ns + later) for s in plan(1).slices)})
        said = {"digest": OTHER, "parent": f"p{n}", "plan_number": 1, "request_sha256": digest}
        events.append(recorded(shadow.Planned(**said, hidden="", schedule=moved, behind_ns=1)))
    return events


@pytest.mark.parametrize(
    ("orders", "worse", "verdict"), [(80, 0, "pass"), (80, 5, "fail"), (20, 0, "not enough"), (80, -5, "pass")]
)
def test_a_verdict_by_the_order(orders: int, worse: int, verdict: str) -> None:
    events = day(orders, lambda n: worse + (n % 3 - 1))
    told = report(events, free, since_ns=NOW_NS - 1, threshold_bps=30.0, margin_bps=1.5)
    (one,) = told["versions"]
    assert (one["digest"], one["orders"], one["planned"], one["unscored"], one["verdict"]) == (OTHER, orders, orders, 0, verdict)
    assert one["difference_bps"] == pytest.approx(worse, abs=0.2)


def test_a_shadow_above_the_threshold_fails_however_the_champion_does() -> None:
    (one,) = report(day(80, lambda n: 0), free, since_ns=0, threshold_bps=5.0, margin_bps=1.0)["versions"]
    assert one["verdict"] == "fail" and math.isclose(one["is_bps"], one["champion_is_bps"])


def test_misses_are_counted_and_what_is_older_or_another_request_is_not_compared() -> None:
    events = day(1, lambda n: 0)
    missed = {"digest": OTHER, "parent": "p0", "plan_number": 2, "request_sha256": "x", "why": "late", "behind_ns": 1}
    said = {"digest": OTHER, "parent": "p0", "plan_number": 1, "request_sha256": "x"}
    strange = shadow.Planned(**said, hidden="", schedule=plan(0), behind_ns=1)
    told = [*events, recorded(shadow.Missed(**missed)), recorded(strange)]
    (one,) = report(told, free, since_ns=0, threshold_bps=1, margin_bps=1)["versions"]
    assert (one["planned"], one["missed"], one["unscored"], one["orders"]) == (2, 1, 1, 1)
    assert report(events, free, since_ns=NOW_NS + 1, threshold_bps=1, margin_bps=1)["versions"] == []
