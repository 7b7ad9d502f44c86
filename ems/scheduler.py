"""The scheduler: brings a parent order's children to where its state, its plan and the clock say they should be.

`work` is level-triggered: it looks at what is, not at what happened, so it does the right thing after any crash.
Its own memory (plans asked for, questions asked, wake-up times) is only about when to look again; losing it costs
a repeat, never an order.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable

from domain import child_order as co
from domain import parent_order as po
from domain import parent_rules
from domain.child_order import ChildOrder
from domain.errors import InvariantBroken
from domain.market_state import MarketState
from domain.messages import PlanReady
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.values import StreamId
from ems import placing, tactic
from ems.auctions import Auctions
from ems.day import DayDesk
from ems.direct import DirectDesk
from ems.kill_desk import KillDesk
from ems.pace import Pace
from ems.planning import Planning
from ems.risk import RiskGate
from ems.routing import venue_of
from ems.stalls import Stalls
from ems.throttle import Throttle
from ems.turn import Turn
from ems.venue_desk import VenueDesk
from ems.withdrawal import Withdrawal


class Scheduler:
    """One for the desk. All methods change the turn, none touches the outside."""

    def __init__(
        self,
        reference: Reference,
        markets: dict[str, MarketState],
        venue: VenueDesk,
        direct: DirectDesk,
        day: DayDesk,
        throttle: Throttle,
        pace: Pace,
        risk: RiskGate,
        kills: KillDesk,
    ) -> None:
        self._risk, self._kills = risk, kills
        self._reference, self._markets = reference, markets
        self._venue, self._direct, self._day = venue, direct, day
        self._throttle = throttle
        self._pace = pace
        self.sessions_up: set[str] = set()
        self.planning = Planning(reference, markets, pace, risk.data, auctions := Auctions(reference, pace))
        self._auctions = auctions
        self._stalls = Stalls(reference, markets, pace, lambda: self.sessions_up)
        self._placing = placing.Placing(self.planning, auctions, pace)
        self._withdrawal = Withdrawal(venue, day, auctions, pace, self.sessions_up)
        self._wakes: list[tuple[int, StreamId]] = []
        self._wake_ns: dict[StreamId, int] = {}  # the entry of the heap that counts for a parent
        self._by_market: defaultdict[str, dict[StreamId, None]] = defaultdict(dict)  # instrument -> working parents

    # ------------------------------------------------------------------------------------- when to look

    def due(self, now_ns: int) -> list[StreamId]:
        """Parents whose time has come, taken off the clock."""
        due: dict[StreamId, None] = {}
        while self._wakes and self._wakes[0][0] <= now_ns:
            at_ns, key = heapq.heappop(self._wakes)
            if self._wake_ns.get(key) == at_ns:  # else it was set anew since
                del self._wake_ns[key]
                due[key] = None
        return list(due)

    def next_wake_ns(self) -> int | None:
        """When `due` will next have something."""
        return self._wakes[0][0] if self._wakes else None

    def of_market(self, instrument: str) -> list[StreamId]:
        """Parents that wait for this market to move."""
        return list(self._by_market.get(instrument, ()))

    def _wake(self, parent: ParentOrder, turn: Turn) -> None:
        now_ns = turn.now_ns
        times = [parent.terms.end_ns, parent.terms.start_ns, self._pace.closing_begins_ns(parent)]
        times += self._withdrawal.due_ns(turn, parent)
        if parent.direct:
            times += self._day.due_ns(turn, parent)
        if parent.direct and parent.pending is not None and (only := turn.state.children.get(co.key(parent.id, 1))) is not None:
            times.append(self._direct.answer_due_ns(only))
        if parent.schedule is not None:
            times.append(parent.schedule.next_start_ns(now_ns) or 0)
        times += self._auctions.due_ns(parent, now_ns)
        times += [self.planning.due_ns(parent), self._stalls.due_ns(parent.id), self._risk.free_ns(turn.state, parent)]
        if venue := venue_of(parent, self._reference):
            times.append(self._throttle.free_ns(venue, now_ns))
        next_ns = min((t for t in times if t > now_ns), default=None)
        if next_ns is not None and self._wake_ns.get(parent.id) != next_ns:
            self._wake_ns[parent.id] = next_ns
            heapq.heappush(self._wakes, (next_ns, parent.id))

    # ---------------------------------------------------------------------------------------------- work

    def work(self, turn: Turn, stream: StreamId) -> None:
        """Do what a parent's state calls for now."""
        parent = turn.state.parents.get(stream)
        if not isinstance(parent, ParentOrder):
            return
        if parent.direct:
            self._day.work(turn, parent)
            self._direct.work(turn, turn.state.parent(stream), self.sessions_up)
        parent = self._close_children(turn, turn.state.parent(stream))
        if events := parent_rules.promote(parent):
            turn.apply(stream, *events, correlation=stream)
        self._withdrawal.work(turn, turn.state.parent(stream))
        while events := parent_rules.settle(
            turn.state.parent(stream), now_ns=turn.now_ns, market=self._markets.get(parent.instrument)
        ):
            turn.apply(stream, *events, correlation=stream)
        parent = turn.state.parent(stream)
        if parent.finished:
            self._forget(parent)
            turn.again.update(dict.fromkeys(share.order for share in parent.of))  # what came back of it is free again
            return
        if self._works(parent, turn.now_ns):
            if parent.steering.mode == "algo" and turn.now_ns >= parent.terms.start_ns:
                self.planning.work(turn, parent)
            self._release(turn, parent)
        parent = turn.state.parent(stream)
        if self._works(parent, turn.now_ns) and turn.now_ns >= parent.terms.start_ns:
            self._stalls.work(turn, parent)
        if self._waits_for_market(turn, parent):
            self._by_market[parent.instrument][stream] = None
        else:
            self._by_market[parent.instrument].pop(stream, None)
        self._wake(parent, turn)

    def _works(self, parent: ParentOrder, now_ns: int) -> bool:
        """Is it an algorithm's turn to release? Before its start only for the opening auction."""
        works = parent.live and not (parent.direct or parent.staged or parent.care.returning) and parent.pending is None
        begun = now_ns >= parent.terms.start_ns or parent.terms.at_open_e9 is not None
        return works and begun and now_ns < parent.terms.end_ns

    def _waits_for_market(self, turn: Turn, parent: ParentOrder) -> bool:
        """Could a move of the market release something that the clock alone would not?"""
        if parent.direct or parent.steering.mode != "algo" or parent.steering.complete:
            return not parent.direct and (parent.steering.complete or parent.steering.wanted is not None)
        if parent.terms.would_price_e9 is not None or parent.terms.max_participation_e9 is not None:
            return True
        if parent.schedule is None:
            return not self.planning.asked(parent.id)
        out = self._auctions.closing(turn, parent)
        return parent.schedule.target_e9(turn.now_ns) > parent.released_e9 - (out.leaves_e9 if out else 0)

    def planned(self, turn: Turn, ready: PlanReady) -> None:
        """A planner has answered."""
        self.planning.planned(turn, ready)

    def session_up(self, session: str) -> None:
        """A venue can be reached: questions to it may be asked at once."""
        self.sessions_up.add(session)
        self._withdrawal.ask_at_once()

    def asked(self, children: Iterable[ChildOrder], now_ns: int) -> None:
        """A question about all of these has been asked: each has its own when that is not answered in time."""
        self._withdrawal.asked(children, now_ns)

    def ask_now(self, turn: Turn, children: Iterable[ChildOrder]) -> None:
        """Ask about each of these in this turn."""
        for child in children:
            self._withdrawal.ask_at_once([child.id])
            turn.touched[child.parent] = None

    def _forget(self, parent: ParentOrder) -> None:
        self._by_market[parent.instrument].pop(parent.id, None)
        self.planning.forget(parent.id)
        self._stalls.forget(parent.id)

    def _close_children(self, turn: Turn, parent: ParentOrder) -> ParentOrder:
        for child in turn.state.children_of(parent):
            if not child.live:
                parent = turn.apply(parent.id, po.ChildClosed(child=child.id, status=child.status), correlation=parent.id)
                self._withdrawal.forget(child.id)
        for stream in parent.care.parts_in(parent.open_e9):
            if (part := turn.state.parent(stream)).finished:
                parent = turn.apply(parent.id, po.ChildClosed(child=stream, status=part.status), correlation=parent.id)
        return parent

    # ------------------------------------------------------------------------------------------- release

    def _release(self, turn: Turn, parent: ParentOrder) -> None:
        """Create the children that are due, if there is a market to price them from and a session to send them on."""
        instrument = self._reference.instrument(parent.instrument)
        market = self._markets.get(parent.instrument)
        if instrument is None or parent.rejections >= self._pace.rejections_max:
            return
        session = venue_of(parent, self._reference)
        if session not in self.sessions_up or self._kills.holds(parent, session) or self._risk.waits(turn, parent):
            return
        trade_date = self._reference.trade_date(turn.now_ns)
        for proposal in self._placing.proposals(turn, parent, market, instrument, trade_date=trade_date):
            if not self._throttle.passes(session, turn.now_ns):
                return  # `_wake` looks again when the window is free
            if not self._create(turn, turn.state.parent(parent.id), proposal, market, session):
                return  # and again when risk may be asked once more

    def _create(
        self, turn: Turn, parent: ParentOrder, proposal: tactic.Proposal, market: MarketState | None, session: str
    ) -> bool:
        """One child, if risk lets it pass."""
        stream = co.key(parent.id, parent.children + 1)
        cleared = self._risk.child(turn, parent, stream, proposal.quantity_e9, proposal.limit_price_e9, venue=session)
        if cleared.refusal is not None:
            return False
        late_e9 = proposal.quantity_e9 if proposal.tactic == "aggressive" else 0
        turn.apply(parent.id, parent_rules.release(parent, stream, proposal.quantity_e9, late_e9=late_e9), correlation=parent.id)
        created = placing.created(
            parent, stream, proposal, market, session=session, trade_date=self._reference.trade_date(turn.now_ns),
            reckoned_price_e9=cleared.price_e9,
        )  # fmt: skip
        if stream in turn.state.children:
            raise InvariantBroken(f"child {created.number} of parent {parent.id} exists already")
        turn.apply(stream, created, correlation=parent.id)
        self._auctions.sent(parent.id, created.time_in_force)
        return True
