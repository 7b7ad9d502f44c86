"""Planning: when a parent needs a plan, what the planner is told, and what becomes of its answer."""

from __future__ import annotations

from domain import decision
from domain import parent_order as po
from domain.basket import BasketRequest, BasketSchedule
from domain.market_state import MarketState
from domain.messages import PlanReady
from domain.observation import Observed
from domain.parent_order import ParentOrder
from domain.ports import Reference, RiskData
from domain.schedule import PlanRequest, Schedule
from domain.values import Algo, StreamId
from ems import baskets
from ems.auctions import MISSED, Auctions
from ems.deviations import Deviations
from ems.pace import Pace
from ems.turn import Turn


class Planning:
    """Asks for plans and adopts them. What it remembers is only when to ask again."""

    def __init__(
        self, reference: Reference, markets: dict[str, MarketState], pace: Pace, data: RiskData, auctions: Auctions
    ) -> None:
        self._reference = reference
        self._markets = markets
        self._pace = pace
        self._data = data
        self._auctions = auctions
        self._asked: dict[StreamId, int] = {}  # parents whose plan is being made -> when it was asked for
        self._planned: dict[StreamId, tuple[int, int]] = {}  # when the last plan was adopted, and what was filled then
        self._failed: dict[StreamId, int] = {}  # parents whose last plan failed -> when
        self._deviations = Deviations(pace)

    def asked(self, parent: StreamId) -> bool:
        """Is a plan being made?"""
        return parent in self._asked

    def forget(self, parent: StreamId) -> None:
        """The order is over."""
        self._asked.pop(parent, None)
        self._planned.pop(parent, None)
        self._auctions.forget(parent)
        self._failed.pop(parent, None)
        self._deviations.forget(parent)

    def seen(self, instrument: str) -> Observed | None:
        """The newest that the nets have seen of a market."""
        return self._deviations.seen(instrument)

    def observed(self, item: Observed, now_ns: int) -> list[StreamId]:
        """What the nets see of a market; the parents whose plan foresaw something else."""
        return self._deviations.observed(item, now_ns)

    def due_ns(self, parent: ParentOrder) -> int:
        """When planning has to be looked at again: the plan that was asked for is lost, or the last one is old."""
        if parent.id in self._asked:
            return self._asked[parent.id] + self._pace.plan_lost_ns
        if parent.id in self._failed:
            return self._failed[parent.id] + self._pace.plan_failed_ns
        return self._planned.get(parent.id, (0, 0))[0] + self._every_ns(parent)

    def _every_ns(self, parent: ParentOrder) -> int:
        if parent.schedule is not None and parent.schedule.fallback:
            return self._pace.fallback_ns
        return self._pace.pov_ns if parent.terms.algo is Algo.POV else self._pace.replan_ns

    def work(self, turn: Turn, parent: ParentOrder) -> None:
        """Ask for a plan where there is none, where it is old, or where fills have come since it was made."""
        if parent.id in self._asked and turn.now_ns - self._asked[parent.id] < self._pace.plan_lost_ns:
            return
        if parent.id in self._failed and turn.now_ns - self._failed[parent.id] < self._pace.plan_failed_ns:
            return
        reason = self._reason_to_plan(turn, parent)
        if reason and not self._asked_together(turn, parent, reason):
            reason += baskets.too_many(turn, parent)
            if (request := self._request(turn, parent, reason)) is not None:
                self._asked[parent.id] = turn.now_ns
                turn.plans.append(request)

    def _asked_together(self, turn: Turn, parent: ParentOrder, reason: str) -> bool:
        """Ask for one plan of all orders of its basket, where there are several that can be planned."""
        orders = baskets.beside(turn, parent)
        requests = [each for order in orders if (each := self._request(turn, order, reason)) is not None]
        if len(requests) < 2 or all(each.parent != str(parent.id) for each in requests):
            return False
        self._asked.update(dict.fromkeys((StreamId(each.parent) for each in requests), turn.now_ns))
        turn.plans.append(baskets.asked(turn, parent, reason, requests, self._reference))
        return True

    def _reason_to_plan(self, turn: Turn, parent: ParentOrder) -> str:
        if parent.schedule is None:
            return "amended" if parent.plans else "accepted"
        if self._auctions.missed(turn, parent):
            return MISSED
        planned_ns, filled_e9 = self._planned.get(parent.id, (0, 0))
        if turn.now_ns - planned_ns >= self._every_ns(parent):
            return "timer"
        if said := self._deviations.said(parent.id):
            return said
        begun_ns = max((s.start_ns for s in parent.schedule.slices if s.start_ns <= turn.now_ns), default=turn.now_ns)
        return "fill" if parent.cum_quantity_e9 > filled_e9 and planned_ns < begun_ns else ""

    def _request(self, turn: Turn, parent: ParentOrder, reason: str) -> PlanRequest | None:
        """What is left to fill, and all that may bear on when; None without a market to plan in."""
        instrument = self._reference.instrument(parent.instrument)
        day = self._reference.day(instrument, turn.now_ns) if instrument is not None else None
        market = self._markets.get(parent.instrument)
        if instrument is None or day is None or market is None:
            return None
        curve = self._reference.volume_curve(instrument, day)
        schedule, adaptive = parent.schedule, parent.terms.algo is Algo.ADAPTIVE
        begun = () if schedule is None else [s for s in schedule.slices if s.start_ns <= turn.now_ns]
        started_e9 = parent.started_volume_e9 if parent.started_volume_e9 is not None else market.volume_e9
        return PlanRequest(
            parent=str(parent.id),
            parent_version=parent.version,
            plan_number=parent.plans + 1,
            reason=reason,
            instrument=parent.instrument,
            side=parent.side,
            algo=parent.terms.algo,
            remaining_e9=parent.terms.quantity_e9 - parent.cum_quantity_e9,
            filled_e9=parent.cum_quantity_e9,
            lot_e9=instrument.lot_e9,
            now_ns=turn.now_ns,
            start_ns=parent.terms.start_ns,
            end_ns=self._pace.schedule_end_ns(parent),
            participation_e9=parent.terms.participation_e9,
            market=market,
            started_volume_e9=started_e9,
            start_filled_e9=parent.start_filled_e9,
            volume_curve=curve.shares,
            curve_open_ns=curve.open_ns,
            curve_bucket_ns=curve.bucket_ns,
            urgency_e9=parent.terms.urgency_e9,
            max_participation_e9=parent.terms.max_participation_e9,
            observation=self._deviations.observation(parent.instrument) if adaptive else None,
            at_close_max_e9=self._auctions.max_e9(turn, parent, instrument.lot_e9),
            models=tuple(sorted(self._data.trading_models() or ())) if adaptive else None,
            trust_e9=self._deviations.trust_e9(parent.instrument) if adaptive else None,
            due_e9=0 if schedule is None else max(0, schedule.target_e9(turn.now_ns) - parent.cum_quantity_e9),
            due_until_ns=max((s.end_ns for s in begun), default=0),
        )

    def planned(self, turn: Turn, ready: PlanReady) -> None:
        """A planner's answer: recorded as a decision and adopted, unless the order has moved on since."""
        if isinstance(ready.request, BasketRequest):
            self._planned_together(turn, ready.request, ready)
            return
        assert not isinstance(ready.schedule, BasketSchedule)
        stream = StreamId(ready.request.parent)
        parent = turn.state.parents.get(stream)
        asked = self._asked.pop(stream, None)
        if not isinstance(parent, ParentOrder) or asked is None:
            return
        turn.touched[stream] = None
        self._failed.pop(stream, None)
        if not _still_applies(parent, ready.request, self._pace.schedule_end_ns(parent)):
            return
        key = decision.key(ready.request.parent, ready.request.plan_number)
        digest = decision.request_sha256(ready.request)
        error = ready.error if ready.schedule is None else self._refused(ready.schedule)
        if ready.schedule is None or error:
            failed = decision.Failed(request=ready.request, request_sha256=digest, error=error)
            turn.apply(key, failed, correlation=stream)
            self._failed[stream] = turn.now_ns
            turn.parent(stream, po.PlanFailed(decision=key, plan_number=ready.request.plan_number, error=error))
            return
        turn.begin(actor=f"algo:{parent.terms.algo}", causation=f"plan:{ready.request.plan_number}")
        planned = decision.Planned(request=ready.request, request_sha256=digest, schedule=ready.schedule)
        turn.apply(key, planned, correlation=stream)
        self._planned[stream] = (turn.now_ns, parent.cum_quantity_e9)
        self._deviations.planned(stream, parent.instrument, ready.schedule.evidence, turn.now_ns)
        turn.parent(
            stream,
            po.Scheduled(
                decision=key,
                plan_number=ready.request.plan_number,
                schedule=ready.schedule.model_copy(update={"evidence": None}),  # the decision has it
                started_volume_e9=ready.request.started_volume_e9,
            ),
        )

    def _planned_together(self, turn: Turn, request: BasketRequest, ready: PlanReady) -> None:
        """One decision of all, and each order's own beside it; orders that have moved on keep what they have."""
        plan = ready.schedule
        if isinstance(plan, BasketSchedule) and any(self._takes(turn, each) for each in request.orders):
            turn.begin(actor=f"algo:{Algo.ADAPTIVE}", causation=f"plan:{request.plan_number}")
            key, digest = decision.basket_key(request), decision.request_sha256(request)
            turn.apply(key, decision.BasketPlanned(request=request, request_sha256=digest, plan=plan), correlation=key)
        schedules = plan.schedules if isinstance(plan, BasketSchedule) else (None,) * len(request.orders)
        for order, schedule in zip(request.orders, schedules, strict=True):
            self.planned(turn, PlanReady(order, schedule, ready.error))

    def _takes(self, turn: Turn, request: PlanRequest) -> bool:
        """Is a plan of this order awaited, and is the order still as it was?"""
        parent = turn.state.parents.get(StreamId(request.parent))
        if not isinstance(parent, ParentOrder) or parent.id not in self._asked:
            return False
        return _still_applies(parent, request, self._pace.schedule_end_ns(parent))

    def _refused(self, schedule: Schedule) -> str:
        """Why a plan is not adopted, "" if it may be: its model was retired, or its alias taken, while it planned."""
        if schedule.evidence is None or self._data.registered_model(schedule.evidence.weights_sha256):
            return ""
        return f"ModelRefused: version {schedule.evidence.weights_sha256[:12]} may not decide any more"


def _still_applies(parent: ParentOrder, request: PlanRequest, end_ns: int) -> bool:
    """Is the order still the one that was planned for, with its schedule to be done by end_ns?"""
    terms = parent.terms
    return (
        parent.live
        and parent.pending is None
        and request.plan_number == parent.plans + 1
        and request.filled_e9 + request.remaining_e9 == terms.quantity_e9
        and (request.algo, request.start_ns, request.end_ns) == (terms.algo, terms.start_ns, end_ns)
        and request.participation_e9 == terms.participation_e9
    )
