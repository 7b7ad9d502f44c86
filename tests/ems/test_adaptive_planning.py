"""The desk's side of an adaptive order: what its planner is told, what is recorded, and when it is planned again."""

from __future__ import annotations

from collections.abc import AsyncIterator

from domain import decision
from domain import parent_order as po
from domain.event import Recorded
from domain.messages import PlanReady
from domain.observation import Observed
from domain.risk_data import RiskFacts
from domain.schedule import Schedule, Slice
from domain.standing import Standing
from domain.values import E9, Algo
from tests.domain.orders import MINUTE_NS
from tests.ems.room import Room
from tests.ems.test_deviations import evidence, seen


def at(room: Room, after_s: int, latent: float) -> Observed:
    """What is seen so long after now."""
    found = seen(0, latent)
    moment_ns = room.clock.ns + after_s * E9
    return Observed("ABC", found.observation.model_copy(update={"time_ns": moment_ns}), found.latent)


async def events(room: Room) -> AsyncIterator[Recorded]:
    """The whole log."""
    async for page in room.log.read_pages():
        for each in page:
            yield each


async def ordered() -> Room:
    room = await Room(risk_data=RiskFacts(models=frozenset({"w"}))).open()
    await room.order(algo="adaptive", parameters=(("Urgency", "2.5"), ("MaxParticipation", "20")))
    return room


async def answered(room: Room, quantity: int = 400, **changes: object) -> Schedule:
    """The planner foresees that the market stays at 0."""
    request, now_ns = room.planners.asked[-1], room.clock.ns
    told = evidence(0.0, 0.0).model_copy(update={"latents_ns": (now_ns, now_ns + 10 * MINUTE_NS)})
    slices = (Slice(now_ns, now_ns + MINUTE_NS, quantity * E9),)
    values = {"planner": "adaptive/1", "filled_e9": request.filled_e9, "slices": slices, "evidence": told} | changes
    schedule = Schedule.model_validate(values)
    await room.desk.cycle([PlanReady(request=request, schedule=schedule)])
    return schedule


async def test_the_planner_is_told_urgency_cap_and_the_newest_observation() -> None:
    room = await Room().open()
    await room.desk.cycle([at(room, -2, 0.0)])
    newest = at(room, -1, 0.5)
    await room.desk.cycle([newest])
    await room.order(algo="adaptive", parameters=(("Urgency", "2.5"), ("MaxParticipation", "20")))
    (request,) = room.planners.asked
    assert (request.algo, request.urgency_e9, request.max_participation_e9) == (Algo.ADAPTIVE, 2_500_000_000, E9 // 5)
    assert request.observation == newest.observation
    assert request.models == (), "a desk without a registry lets no version decide"
    assert (request.due_e9, request.due_until_ns) == (0, 0)


async def test_the_decision_keeps_the_evidence_and_the_order_does_not() -> None:
    room = await ordered()
    schedule = await answered(room)
    kept = [each.event async for each in events(room) if isinstance(each.event, decision.Planned | po.Scheduled)]
    planned, scheduled = kept
    assert isinstance(planned, decision.Planned) and planned.schedule == schedule
    assert isinstance(scheduled, po.Scheduled) and scheduled.schedule == schedule.model_copy(update={"evidence": None})


async def test_a_market_that_leaves_the_plan_has_it_made_again_once_it_has_rested() -> None:
    room = await ordered()
    await answered(room)
    await room.wait(10, at(room, 10, 1.0))
    assert len(room.planners.asked) == 1, "it rests"
    await room.wait(20, at(room, 20, 0.1))
    assert len(room.planners.asked) == 1, "the market is where it was foreseen"
    await room.wait(1, at(room, 1, 1.0))
    again = room.planners.asked[-1]
    assert again.reason == "deviation 1.000 over 0.150"
    assert (again.due_e9, again.due_until_ns - room.clock.ns) == (400 * E9, MINUTE_NS - 31 * E9)


async def test_what_another_planner_had_to_plan_is_planned_again_soon() -> None:
    room = await ordered()
    await answered(room, planner="adaptive/1 ac/1", fallback="ForecastError: there is no market data", evidence=None)
    await room.wait(29)
    assert len(room.planners.asked) == 1
    await room.wait(1)
    assert [request.reason for request in room.planners.asked] == ["accepted", "timer"]


async def test_other_algorithms_carry_no_observation() -> None:
    room = await Room().open()
    await room.desk.cycle([at(room, -1, 0.5)])
    await room.order(algo="ac")
    assert [(request.algo, request.observation) for request in room.planners.asked] == [(Algo.AC, None)]


async def test_the_planner_is_told_which_versions_may_decide_and_others_are_told_nothing() -> None:
    room = await Room(risk_data=RiskFacts(models=frozenset({"w", "a"}))).open()
    await room.order(algo="adaptive")
    await room.order(algo="twap", cl_ord_id="other")
    assert [request.models for request in room.planners.asked] == [("a", "w"), None]


async def test_a_plan_by_a_version_that_may_not_decide_any_more_is_refused_and_asked_for_again() -> None:
    room = await ordered()
    retired = (await answered(room)).evidence
    assert retired is not None
    request = room.planners.asked[-1]
    room.clock.ns += 10 * MINUTE_NS
    await room.wait(0)
    other = Schedule(
        planner="adaptive/1", filled_e9=0, slices=(), evidence=retired.model_copy(update={"weights_sha256": "f" * 64})
    )
    again = room.planners.asked[-1]
    assert again.plan_number == request.plan_number + 1
    await room.desk.cycle([PlanReady(request=again, schedule=other)])
    failed = [each.event async for each in events(room) if isinstance(each.event, decision.Failed)]
    assert [each.error for each in failed] == ["ModelRefused: version ffffffffffff may not decide any more"]
    kept = room.parent().schedule
    assert kept is not None and kept.slices, "the schedule before stays in force"
    asked = len(room.planners.asked)
    room.clock.ns += 6 * E9
    await room.wait(0)
    assert len(room.planners.asked) == asked + 1


async def test_what_the_forecasts_are_trusted_is_asked_with_the_plan_and_kept_with_the_decision() -> None:
    room = await Room(risk_data=RiskFacts(models=frozenset({"w"}))).open()
    await room.desk.cycle([at(room, -1, 0.0)._replace(standing=Standing(900, {"ic": 1.2, "coverage": 0.1}))])
    await room.order(algo="adaptive")
    assert [request.trust_e9 for request in room.planners.asked] == [300_000_000]
    await answered(room)
    (kept,) = [each.event async for each in events(room) if isinstance(each.event, decision.Planned)]
    assert kept.request.trust_e9 == 300_000_000 and decision.is_digest_of(kept.request_sha256, kept.request)
    await room.order(algo="twap", cl_ord_id="other")
    assert room.planners.asked[-1].trust_e9 is None
    await room.desk.cycle([at(room, -1, 0.0)._replace(standing=Standing(900, figures={"ic": 0.1}, why="no reference"))])
    await room.order(algo="adaptive", cl_ord_id="unmonitored")
    assert room.planners.asked[-1].trust_e9 is None, "without a reference nothing is taken from the plan"
    unjudged = await ordered()
    assert unjudged.planners.asked[-1].trust_e9 is None, "where nobody judges, the forecast is what it was"
