"""The scheduler: brings a parent order's children to where its state, its plan and the clock say they should be.

`work` is level-triggered: it looks at what is, not at what happened, so it does the right thing after any crash.
Its own memory (plans asked for, questions asked, wake-up times) is only about when to look again; losing it costs
a repeat, never an order.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from domain import child_order as co
from domain import decision
from domain import parent_order as po
from domain import parent_rules
from domain.child_order import ChildOrder
from domain.errors import InvariantBroken
from domain.market_state import MarketState
from domain.messages import PlanReady
from domain.order_life import RESTING, OrdStatus
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import Refusal
from domain.schedule import PlanRequest
from domain.values import Algo, OrdType, TimeInForce
from ems import reports, tactic
from ems.turn import Turn
from ems.venue_desk import VenueDesk

_WAITING = frozenset({OrdStatus.PENDING_NEW, OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE})


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the scheduler waits for what, in the desk's clock (so tape time where a tape plays)."""

    patience_ns: int = 30_000_000_000  # a passive child rests this long before its quantity crosses the spread
    unanswered_ns: int = 2_000_000_000  # a venue that has not answered for this long puts the order in doubt
    replan_ns: int = 300_000_000_000  # a time-based plan is made anew this often
    pov_ns: int = 5_000_000_000  # a volume-following plan is made anew this often
    plan_lost_ns: int = 30_000_000_000  # a plan that has not come by then is asked for again
    rejections_max: int = 5  # venues' rejections in a row after which a parent releases nothing more


class Scheduler:
    """One for the desk. All methods change the turn, none touches the outside."""

    def __init__(self, reference: Reference, markets: dict[str, MarketState], venue: VenueDesk, pace: Pace) -> None:
        self._reference = reference
        self._markets = markets
        self._venue = venue
        self._pace = pace
        self.sessions_up: set[str] = set()
        self._asked: dict[UUID, tuple[PlanRequest, int]] = {}  # plans asked for, and when
        self._planned: dict[UUID, tuple[int, int]] = {}  # when the last plan was adopted, and what was filled then
        self._queried: dict[UUID, int] = {}  # children in doubt -> when the venue was last asked
        self._wakes: list[tuple[int, bytes]] = []
        self._by_market: defaultdict[str, dict[UUID, None]] = defaultdict(dict)  # instrument -> working parents

    # ------------------------------------------------------------------------------------- when to look

    def due(self, now_ns: int) -> list[UUID]:
        """Parents whose time has come, taken off the clock."""
        due: dict[UUID, None] = {}
        while self._wakes and self._wakes[0][0] <= now_ns:
            due[UUID(bytes=heapq.heappop(self._wakes)[1])] = None
        return list(due)

    def next_wake_ns(self) -> int | None:
        """When `due` will next have something."""
        return self._wakes[0][0] if self._wakes else None

    def of_market(self, instrument: str) -> list[UUID]:
        """Parents that wait for this market to move."""
        return list(self._by_market.get(instrument, ()))

    def _wake(self, parent: ParentOrder, turn: Turn) -> None:
        now_ns, pace = turn.now_ns, self._pace
        times = [parent.terms.end_ns, parent.terms.start_ns, parent.terms.end_ns - pace.patience_ns]
        for child in self._children(turn, parent):
            wait_ns = pace.patience_ns if child.status in RESTING else pace.unanswered_ns
            times.append(self._queried.get(child.id, child.changed_ns) + wait_ns)
        if parent.schedule is not None:
            starts = (parent.schedule.next_start_ns(now_ns), parent.schedule.next_start_ns(now_ns - pace.patience_ns))
            times += [start_ns + wait for start_ns, wait in zip(starts, (0, pace.patience_ns), strict=True) if start_ns]
        if parent.id in self._asked:
            times.append(self._asked[parent.id][1] + pace.plan_lost_ns)
        elif parent.id in self._planned:
            times.append(self._planned[parent.id][0] + self._replan_every(parent))
        next_ns = min((t for t in times if t > now_ns), default=None)
        if next_ns is not None:
            heapq.heappush(self._wakes, (next_ns, parent.id.bytes))

    # ---------------------------------------------------------------------------------------------- work

    def work(self, turn: Turn, stream: UUID) -> None:
        """Do what a parent's state calls for now."""
        parent = turn.state.parents.get(stream)
        if not isinstance(parent, ParentOrder):
            return
        parent = self._close_children(turn, parent)
        self._withdraw(turn, parent)
        while events := parent_rules.settle(
            turn.state.parent(stream), now_ns=turn.now_ns, market=self._markets.get(parent.instrument)
        ):
            turn.apply(stream, *events, correlation=stream)
        parent = turn.state.parent(stream)
        if parent.finished:
            self._forget(parent)
            return
        if parent.live and parent.pending is None and parent.terms.start_ns <= turn.now_ns < parent.terms.end_ns:
            self._plan(turn, parent)
            self._release(turn, parent)
        parent = turn.state.parent(stream)
        if self._waits_for_market(turn, parent):
            self._by_market[parent.instrument][stream] = None
        else:
            self._by_market[parent.instrument].pop(stream, None)
        self._wake(parent, turn)

    def _waits_for_market(self, turn: Turn, parent: ParentOrder) -> bool:
        """Could a move of the market release something that the clock alone would not?"""
        if parent.terms.would_price_e9 is not None or parent.terms.max_participation_e9 is not None:
            return True
        if parent.schedule is None:
            return parent.id not in self._asked
        return parent.schedule.target_e9(turn.now_ns) > parent.released_e9

    def session_up(self, session: str) -> None:
        """A venue can be reached: questions to it may be asked at once."""
        self.sessions_up.add(session)
        self._queried.clear()

    def _forget(self, parent: ParentOrder) -> None:
        self._by_market[parent.instrument].pop(parent.id, None)
        self._asked.pop(parent.id, None)
        self._planned.pop(parent.id, None)

    def _children(self, turn: Turn, parent: ParentOrder) -> list[ChildOrder]:
        return [turn.state.children[child] for child in parent.open_e9]

    def _close_children(self, turn: Turn, parent: ParentOrder) -> ParentOrder:
        for child in self._children(turn, parent):
            if not child.live:
                parent = turn.apply(parent.id, po.ChildClosed(child=child.id, status=child.status), correlation=parent.id)
                self._queried.pop(child.id, None)
        return parent

    def _withdraw(self, turn: Turn, parent: ParentOrder) -> None:
        """Cancel what should not rest any more; doubt what has not been answered; ask again about what is in doubt."""
        for child in self._children(turn, parent):
            overdue = turn.now_ns - child.changed_ns >= self._pace.unanswered_ns
            if child.status is OrdStatus.IN_DOUBT:
                self._ask_again(turn, child)
            elif child.status in _WAITING and overdue:
                self._venue.doubt(turn, child, f"{child.status} unanswered")
                self._ask_again(turn, turn.state.children[child.id])
            elif child.status is not OrdStatus.PENDING_CANCEL and (reason := self._unwanted(turn, parent, child)):
                self._cancel(turn, child, reason)

    def _ask_again(self, turn: Turn, child: ChildOrder) -> None:
        asked_ns = self._queried.get(child.id, 0)
        if child.venue_session in self.sessions_up and turn.now_ns - asked_ns >= self._pace.unanswered_ns:
            self._queried[child.id] = turn.now_ns
            turn.extra.append(reports.status_query(child, seq=0))

    def _unwanted(self, turn: Turn, parent: ParentOrder, child: ChildOrder) -> str:
        """Why a child should be withdrawn now, "" if it may stay."""
        if not parent.live:
            return f"parent is {parent.status}"
        if parent.pending is not None:
            return f"parent has a {parent.pending.request} pending"
        if turn.now_ns >= parent.terms.end_ns:
            return "end time"
        if parent.released_e9 > parent.terms.quantity_e9:
            return "more is released than the parent's quantity"
        if child.status in RESTING and turn.now_ns - child.changed_ns >= self._pace.patience_ns:
            return "patience"
        return ""

    def _cancel(self, turn: Turn, child: ChildOrder, reason: str) -> None:
        request = co.CancelRequested(cl_ord_id=co.cl_ord_id(child.id, cancel=child.cancels + 1), reason=reason)
        if not isinstance(co.decide(child, request), Refusal):
            turn.apply(child.id, request, correlation=child.parent)

    # ---------------------------------------------------------------------------------------------- plan

    def _replan_every(self, parent: ParentOrder) -> int:
        return self._pace.pov_ns if parent.terms.algo is Algo.POV else self._pace.replan_ns

    def _plan(self, turn: Turn, parent: ParentOrder) -> None:
        """Ask for a plan where there is none, where it is old, or where fills have come since it was made."""
        if parent.id in self._asked and turn.now_ns - self._asked[parent.id][1] < self._pace.plan_lost_ns:
            return
        reason = self._reason_to_plan(turn, parent)
        if reason and (request := self._request(turn, parent, reason)) is not None:
            self._asked[parent.id] = (request, turn.now_ns)
            turn.plans.append(request)

    def _reason_to_plan(self, turn: Turn, parent: ParentOrder) -> str:
        if parent.schedule is None:
            return "amended" if parent.plans else "accepted"
        planned_ns, filled_e9 = self._planned.get(parent.id, (0, 0))
        if turn.now_ns - planned_ns >= self._replan_every(parent):
            return "timer"
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
            end_ns=parent.terms.end_ns,
            participation_e9=parent.terms.participation_e9,
            market=market,
            started_volume_e9=started_e9,
            volume_curve=curve.shares,
            curve_open_ns=curve.open_ns,
            curve_bucket_ns=curve.bucket_ns,
        )

    def planned(self, turn: Turn, ready: PlanReady) -> None:
        """A planner's answer: recorded as a decision and adopted, unless the order has moved on since."""
        stream = UUID(ready.request.parent)
        parent = turn.state.parents.get(stream)
        asked = self._asked.pop(stream, None)
        if not isinstance(parent, ParentOrder) or asked is None or not _still_applies(parent, ready.request):
            return
        key = decision.key(ready.request.parent, ready.request.plan_number)
        digest = decision.request_sha256(ready.request)
        if ready.schedule is None:
            failed = decision.Failed(request=ready.request, request_sha256=digest, error=ready.error)
            turn.apply(key, failed, correlation=stream)
            turn.parent(stream, po.PlanFailed(decision=key, plan_number=ready.request.plan_number, error=ready.error))
            return
        turn.begin(actor=f"algo:{parent.terms.algo}", causation=f"plan:{ready.request.plan_number}")
        planned = decision.Planned(request=ready.request, request_sha256=digest, schedule=ready.schedule)
        turn.apply(key, planned, correlation=stream)
        self._planned[stream] = (turn.now_ns, parent.cum_quantity_e9)
        turn.parent(
            stream,
            po.Scheduled(
                decision=key,
                plan_number=ready.request.plan_number,
                schedule=ready.schedule,
                started_volume_e9=ready.request.started_volume_e9,
            ),
        )

    # ------------------------------------------------------------------------------------------- release

    def _release(self, turn: Turn, parent: ParentOrder) -> None:
        """Create the children that are due, if there is a market to price them from and a session to send them on."""
        instrument = self._reference.instrument(parent.instrument)
        market = self._markets.get(parent.instrument)
        if instrument is None or market is None or parent.rejections >= self._pace.rejections_max:
            return
        session = self._reference.venue_session(instrument)
        if session not in self.sessions_up:
            return
        patience_ns = min(self._pace.patience_ns, (parent.terms.end_ns - parent.terms.start_ns) // 10)
        for proposal in tactic.propose(parent, market, instrument, now_ns=turn.now_ns, patience_ns=patience_ns):
            self._create(turn, turn.state.parent(parent.id), proposal, market, session)

    def _create(self, turn: Turn, parent: ParentOrder, proposal: tactic.Proposal, market: MarketState, session: str) -> None:
        number = parent.children + 1
        stream = co.key(parent.id, number)
        turn.apply(parent.id, parent_rules.release(parent, stream, proposal.quantity_e9), correlation=parent.id)
        created = co.Created(
            parent=parent.id,
            number=number,
            venue_session=session,
            trade_date=self._reference.trade_date(turn.now_ns),
            cl_ord_id=co.cl_ord_id(stream),
            instrument=parent.instrument,
            side=parent.side,
            quantity_e9=proposal.quantity_e9,
            ord_type=OrdType.LIMIT,
            limit_price_e9=proposal.limit_price_e9,
            time_in_force=TimeInForce.DAY,
            account=parent.account,
            tactic=proposal.tactic,
            bid_e9=market.bid_e9,
            ask_e9=market.ask_e9,
        )
        if stream in turn.state.children:
            raise InvariantBroken(f"child {number} of parent {parent.id} exists already")
        turn.apply(stream, created, correlation=parent.id)


def _still_applies(parent: ParentOrder, request: PlanRequest) -> bool:
    """Is the order still the one that was planned for?"""
    terms = parent.terms
    return (
        parent.live
        and parent.pending is None
        and request.plan_number == parent.plans + 1
        and request.filled_e9 + request.remaining_e9 == terms.quantity_e9
        and (request.algo, request.start_ns, request.end_ns) == (terms.algo, terms.start_ns, terms.end_ns)
        and request.participation_e9 == terms.participation_e9
    )
