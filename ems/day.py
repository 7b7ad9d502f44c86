"""Start and end of a direct order's day, where its venue does not say: what has ended is asked about, what is carried is
told done for the day after the close, and begins its next day at the open.

Level-triggered like the scheduler: everything follows from the order's state, the calendar and the clock, so a restart
repeats nothing. A venue's own word counts first; the desk speaks where none has come.
"""

from __future__ import annotations

from typing import Final

from domain import child_order as co
from domain import child_rules
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.event import Event
from domain.instructions import NEW_DAY
from domain.messages import VenueReport
from domain.order_life import HELD, RESTING, OrdStatus
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import Refusal
from domain.trading_day import TradingDay
from ems.direct import DirectDesk, day_mark
from ems.pace import Pace
from ems.turn import Turn

_HALF_DAY_NS: Final = 43_200_000_000_000  # a step that misses no date, however long the day is
_LOOK_AHEAD: Final = 28  # steps: no market stays closed for longer than two weeks
_UNSURE: Final = frozenset({OrdStatus.PENDING_NEW, OrdStatus.IN_DOUBT})
_WORKING: Final = frozenset({*RESTING, *HELD})


class DayDesk:
    """Pure but for what it is given."""

    def __init__(self, reference: Reference, direct: DirectDesk, pace: Pace) -> None:
        self._reference = reference
        self._direct = direct
        self._pace = pace

    # -------------------------------------------------------------------------------------------- decisions

    def work(self, turn: Turn, parent: ParentOrder) -> None:
        """What a direct order's day calls for now."""
        child = self._child(turn, parent)
        if child is None:
            self._unsent(turn, parent)
            return
        if (asks_ns := self._asks_ns(parent, child)) is not None and turn.now_ns >= asks_ns:
            over = co.Doubted(reason="its time is over, and the venue has not said what became of it")
            turn.apply(child.id, over, correlation=parent.id)
        elif parent.carried and child.status not in _UNSURE:
            self._carry(turn, parent, child)

    def _unsent(self, turn: Turn, parent: ParentOrder) -> None:
        """Held back by a throttle until its time was over: it is not sent into a closed market."""
        ends_ns = parent.terms.expires_ns
        waits = parent.live and not parent.staged and not parent.children
        if waits and ends_ns is not None and turn.now_ns >= ends_ns:
            turn.apply(parent.id, po.Expired(text="its time was over before it could be sent"), correlation=parent.id)

    def _carry(self, turn: Turn, parent: ParentOrder, child: ChildOrder) -> None:
        today = self._today(parent, turn.now_ns)
        if today is None:
            return
        if self._begins(parent, today, turn.now_ns):
            self._begin(turn, parent, child)
        elif (done_ns := self._done_ns(parent, child, today)) is not None and turn.now_ns >= done_ns:
            self._happen(turn, child, co.DoneForDay(text=f"the market has closed for {today.trade_date}"))

    def trades(self, turn: Turn, child: ChildOrder, at_ns: int) -> ChildOrder:
        """A carried order executes: where that is on a day that has not begun for it, it begins now. The child after it."""
        parent = turn.state.parent(child.parent)
        if not (parent.direct and parent.carried and parent.live and child.live) or child.status is OrdStatus.PENDING_NEW:
            return child
        present, today = self._present_day(parent), self._today(parent, at_ns)
        another_date = present is not None and self._reference.trade_date(at_ns) > present.trade_date
        if another_date or (today is not None and self._begins(parent, today, at_ns)):
            self._begin(turn, parent, child)
        return turn.state.children[child.id]

    def gone(self, turn: Turn, child: ChildOrder, report: VenueReport) -> Event | None:
        """A direct order that its venue had taken and, asked after its time was over, does not know any more: expired."""
        parent = turn.state.parent(child.parent)
        ends_ns = parent.terms.expires_ns
        asked = report.exec_kind == "status" and report.unknown_order and child.status is OrdStatus.IN_DOUBT and child.accepted
        if not asked or not parent.direct or ends_ns is None or turn.now_ns < ends_ns:
            return None
        return co.Expired(text=report.text or "the venue does not know it any more")

    # ------------------------------------------------------------------------------------------ when to look

    def due_ns(self, turn: Turn, parent: ParentOrder) -> list[int]:
        """When `work` may have something to do next; what is past is no concern of the caller's."""
        child = self._child(turn, parent)
        if child is None:
            return []
        times = [self._asks_ns(parent, child)]
        if parent.carried:
            today, coming = self._today(parent, turn.now_ns), self._day_of(parent, turn.now_ns)
            times.append(self._done_ns(parent, child, today) if today is not None else None)
            times.append(coming.open_ns if coming is not None and coming.open_ns > turn.now_ns else turn.now_ns + _HALF_DAY_NS)
        return [at_ns for at_ns in times if at_ns is not None]

    def ask_every_ns(self, parent: ParentOrder, now_ns: int) -> int:
        """How often a venue is asked about an order in doubt: seldom where it is over for the day, perhaps for the night."""
        ends_ns = parent.terms.expires_ns
        over = parent.direct and ends_ns is not None and now_ns >= ends_ns + self._pace.close_grace_ns
        return max(self._pace.close_grace_ns, self._pace.unanswered_ns) if over else self._pace.unanswered_ns

    def _asks_ns(self, parent: ParentOrder, child: ChildOrder) -> int | None:
        """When a venue has been silent for too long about an order whose time is over."""
        ends_ns = parent.terms.expires_ns
        if ends_ns is None or child.status is OrdStatus.IN_DOUBT:
            return None
        return max(ends_ns, child.changed_ns) + self._pace.close_grace_ns

    def _done_ns(self, parent: ParentOrder, child: ChildOrder, today: TradingDay) -> int | None:
        """When a carried order is done for today; None where it is, or where its present day is another."""
        if child.status not in _WORKING or self._present_day(parent) != today:
            return None
        return max(today.close_ns, child.changed_ns) + self._pace.close_grace_ns

    # ----------------------------------------------------------------------------------------------- days

    def _begins(self, parent: ParentOrder, today: TradingDay, at_ns: int) -> bool:
        """Has today's session begun, and the order's present day is an earlier one?"""
        present = self._present_day(parent)
        return at_ns >= today.open_ns and present is not None and present.close_ns < today.close_ns

    def _present_day(self, parent: ParentOrder) -> TradingDay | None:
        """The day that it was entered for, or restated for: in the evening that is the next one."""
        return self._day_of(parent, parent.day_began_ns or parent.created_ns)

    def _day_of(self, parent: ParentOrder, at_ns: int) -> TradingDay | None:
        """The first trading day that closes after a moment; None where the calendar knows of none."""
        for step in range(_LOOK_AHEAD):
            day = self._today(parent, at_ns + step * _HALF_DAY_NS)
            if day is not None and day.close_ns > at_ns:
                return day
        return None

    def _today(self, parent: ParentOrder, at_ns: int) -> TradingDay | None:
        instrument = self._reference.instrument(parent.instrument)
        return self._reference.day(instrument, at_ns) if instrument is not None else None

    # ---------------------------------------------------------------------------------------------- helpers

    def _child(self, turn: Turn, parent: ParentOrder) -> ChildOrder | None:
        """The one child of a live order, while it may trade."""
        child = turn.state.children.get(co.key(parent.id, 1))
        return child if child is not None and parent.live and child.live else None

    def _begin(self, turn: Turn, parent: ParentOrder, child: ChildOrder) -> None:
        restated = co.Restated(
            exec_id=day_mark(self._reference.trade_date(turn.now_ns)),
            reason=NEW_DAY,
            quantity_e9=child.quantity_e9,
            limit_price_e9=child.limit_price_e9,
            text="its next day begins",
        )
        self._happen(turn, child, restated)

    def _happen(self, turn: Turn, child: ChildOrder, event: Event) -> None:
        if isinstance(child_rules.decide(child, event), Refusal):
            return
        child = turn.apply(child.id, event, correlation=child.parent)
        self._direct.mirror(turn, child, event)
