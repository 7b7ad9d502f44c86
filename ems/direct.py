"""Direct orders: one child carries a client's order to its venue as it is, and what the venue says of it is the order's life.

`work` sends what waits to be sent; `mirror` tells the parent what has happened to its child. The client's requests go
to the venue one after the other, but a cancel never waits behind a replace.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain import child_order as co
from domain import parent_order as po
from domain import parent_rules, parent_status
from domain.child_order import ChildOrder
from domain.event import Event
from domain.instructions import NEW_DAY
from domain.market_state import MarketState
from domain.order_life import HELD, OrdStatus, transition
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import OTHER, Reason
from domain.session_policy import DEFAULT, SessionPolicy
from domain.terms import Terms
from domain.values import OrdType, StreamId
from ems import orders_out
from ems.kill_desk import KillDesk
from ems.pace import DECIDING_FACTOR, Pace
from ems.risk import RiskGate, turned_down
from ems.routing import venue_of
from ems.throttle import Throttle
from ems.turn import Turn

_AMENDABLE = frozenset({OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.FILLED, OrdStatus.DONE_FOR_DAY, *HELD})
_REASON = {0: Reason.TOO_LATE, 1: Reason.UNKNOWN_ORDER, 3: Reason.ALREADY_PENDING, 6: Reason.DUPLICATE_CL_ORD_ID}


class DirectDesk:
    """Both directions between a direct parent and its child. Pure but for what it is given."""

    def __init__(
        self, reference: Reference, markets: dict[str, MarketState], policies: Mapping[str, SessionPolicy], throttle: Throttle,
        pace: Pace, risk: RiskGate, kills: KillDesk,
    ) -> None:  # fmt: skip
        self._risk = risk
        self._kills = kills
        self._pace = pace
        self._asked: dict[StreamId, int] = {}  # children whose replace was sent again -> when
        self._throttle = throttle
        self._reference = reference
        self._markets = markets
        self._policies = policies

    def work(self, turn: Turn, parent: ParentOrder, sessions_up: set[str]) -> None:
        """Send the order, or what its client has asked for since."""
        child = turn.state.children.get(co.key(parent.id, 1))
        if child is None:
            self._send(turn, parent, sessions_up)
            self._answer_for_unsent(turn, turn.state.parent(parent.id))
            return
        cancel = _cancel_among(parent)
        # A filled order that is asked for more is not over. What is, a venue is asked to end at the pace of lost answers.
        over = not parent.live and parent.pending is None and child.leaves_e9 and turn.now_ns >= self.answer_due_ns(child)
        if (cancel is not None or over) and child.live and not child.canceling:
            request = co.CancelRequested(
                cl_ord_id=co.cl_ord_id(child.id, cancel=child.cancels + 1),
                reason=cancel.text or "the client's cancel" if cancel is not None else f"parent is {parent.status}",
            )
            child = turn.apply(child.id, request, correlation=parent.id)
        if parent.pending is not None and parent.pending.terms is not None and child.replacing is None:
            self._replace(turn, parent, child, parent.pending.terms)
        elif child.replacing is not None and child.status in _AMENDABLE and turn.now_ns >= self.answer_due_ns(child):
            self._asked[child.id] = turn.now_ns  # asked, the venue showed no sign of it: it says the same a second time
            turn.extra.append(orders_out.replace_again(child, at_ns=turn.now_ns))
        self._answer_for_ended(turn, turn.state.parent(parent.id), turn.state.children[child.id])

    def _send(self, turn: Turn, parent: ParentOrder, sessions_up: set[str]) -> None:
        session = venue_of(parent, self._reference)
        if not parent.live or parent.staged:
            return
        if session not in sessions_up:
            down = f"the session {session} to the venue is down" if session else f"{parent.instrument} has no venue"
            turn.apply(parent.id, po.TurnedDown(ord_rej_reason=None, text=down), correlation=parent.id)
            return
        if held := self._kills.holds(parent, session):
            turn.apply(parent.id, po.TurnedDown(ord_rej_reason=None, text=held), correlation=parent.id)
            return
        if not self._throttle.passes(session, turn.now_ns):
            return  # the scheduler looks again when the window is free
        stream, market, terms = co.key(parent.id, 1), self._markets.get(parent.instrument), parent.terms
        cleared = self._risk.child(turn, parent, stream, terms.quantity_e9, terms.limit_price_e9, venue=session)
        if cleared.refusal is not None:
            turn.apply(parent.id, turned_down(cleared.refusal), correlation=parent.id)
            return
        turn.apply(parent.id, parent_rules.release(parent, stream, terms.quantity_e9), correlation=parent.id)
        created = co.Created(
            parent=parent.id,
            number=1,
            venue_session=session,
            trade_date=parent.trade_date,
            cl_ord_id=co.cl_ord_id(stream),
            instrument=parent.instrument,
            side=parent.side,
            quantity_e9=terms.quantity_e9,
            ord_type=terms.ord_type or OrdType.LIMIT,
            limit_price_e9=terms.limit_price_e9,
            time_in_force=terms.time_in_force,
            account=parent.account,
            tactic="direct",
            bid_e9=market.bid_e9 if market is not None else None,
            ask_e9=market.ask_e9 if market is not None else None,
            instructions=terms.instructions,
            reckoned_price_e9=cleared.price_e9 if terms.limit_price_e9 is None else None,
        )
        turn.apply(stream, created, correlation=parent.id)

    def _replace(self, turn: Turn, parent: ParentOrder, child: ChildOrder, terms: Terms) -> None:
        more = child.live or (child.status is OrdStatus.FILLED and terms.quantity_e9 > child.quantity_e9)
        if not more or child.status not in _AMENDABLE:  # over, which is answered below; or it has yet to be acknowledged
            return
        if (refusal := self._risk.replace(turn, parent, child, terms).refusal) is not None:
            self.refused(turn, parent, "replace", OTHER, refusal.text)
            return
        request = co.ReplaceRequested(
            cl_ord_id=co.cl_ord_id(child.id, replace=child.replaces + 1),
            quantity_e9=terms.quantity_e9,
            ord_type=terms.ord_type or OrdType.LIMIT,
            limit_price_e9=terms.limit_price_e9,
            time_in_force=terms.time_in_force,
            instructions=terms.instructions,
        )
        child = turn.apply(child.id, request, correlation=parent.id)
        wanted_e9 = terms.quantity_e9 - child.cum_quantity_e9
        if wanted_e9 > parent.open_e9.get(child.id, 0):  # the venue may take it at any moment: it is reserved from now on
            turn.apply(parent.id, po.ChildAmended(child=child.id, open_e9=wanted_e9), correlation=parent.id)

    def _answer_for_unsent(self, turn: Turn, parent: ParentOrder) -> None:
        for asked in parent_rules.requests(parent) if not parent.live else ():
            parent = turn.apply(parent.id, parent_rules.overtaken(parent, asked), correlation=parent.id)

    def _answer_for_ended(self, turn: Turn, parent: ParentOrder, child: ChildOrder) -> None:
        """The order is over: requests that the venue will not answer are refused. A replace that crossed the last fill it
        answers itself, for it may still take it.
        """
        if child.live:
            return
        overdue = turn.now_ns >= self.answer_due_ns(child)
        for asked in parent_rules.requests(parent):
            if child.status is OrdStatus.FILLED and asked.terms is not None and child.replacing is not None:
                continue  # it may be in force: nobody guesses
            if child.status is not OrdStatus.FILLED or not child.canceling or overdue:
                parent = turn.apply(parent.id, parent_rules.overtaken(parent, asked), correlation=parent.id)

    def answer_due_ns(self, child: ChildOrder) -> int:
        """Until when a venue may answer a request about an order that has ended."""
        wait_ns = self._pace.unanswered_ns * (DECIDING_FACTOR if child.deciding else 1)
        return max(child.changed_ns, self._asked.get(child.id, 0)) + wait_ns

    def acknowledge(self, turn: Turn, parent: ParentOrder, working: bool | None = None) -> None:
        """The venue has the order: also where its first word is a fill or an end, unless the client wants that bundled."""
        if parent.status is OrdStatus.PENDING_NEW:
            turn.parent(parent.id, po.Acknowledged(working=working))

    def acknowledges_first(self, parent: ParentOrder) -> bool:
        """Is the client told New before a fill or an end that comes at once?"""
        return self._policies.get(parent.client_session, DEFAULT).acknowledge_first

    def _tell(self, turn: Turn, parent: ParentOrder, event: Event) -> None:
        """An event of the parent, if its life allows it: a venue may say of a child what no longer changes its order."""
        parent = turn.state.parent(parent.id)
        trigger = parent_status.trigger_of(parent, event)
        if trigger is None or transition(parent.status, trigger, filled=parent.cum_quantity_e9 > 0) is not None:
            turn.parent(parent.id, event)

    def mirror(self, turn: Turn, child: ChildOrder, event: Event) -> None:
        """What an event of the child, which is in force, means for its parent."""
        parent = turn.state.parent(child.parent)
        if isinstance(event, co.Held | co.Triggered | co.Restated | co.Replaced):
            self.acknowledge(turn, parent)
            parent = turn.state.parent(parent.id)
        match event:
            case co.Acknowledged() if parent.status in HELD:  # it trades again
                turn.parent(parent.id, po.Acknowledged(working=child.working))
            case co.Acknowledged() | co.ProvedWorking():
                self.acknowledge(turn, parent, child.working)
            case co.Rejected() | co.ProvedUnknown():
                self._never_worked(turn, parent, event)
            case co.RequestPending():
                self._pending(turn, parent, event.request)
            case co.CancelRefused():
                self.refused(turn, parent, "cancel", event.reason, event.text)
            case co.ReplaceRefused():
                self.refused(turn, parent, "replace", event.reason, event.text)
                self._amended(turn, child)
            case co.Replaced():
                self._replaced(turn, parent, child)
            case co.Canceled() | co.Expired() | co.DoneForDay():
                self._ended(turn, parent, event)
            case co.Held():
                self._tell(turn, parent, po.Held(kind=event.kind, text=event.text))
            case co.Triggered():
                self._tell(turn, parent, po.Triggered())
            case co.Restated():
                self._restated(turn, parent, child, event)

    def refused(self, turn: Turn, parent: ParentOrder, request: str, cxl_rej_reason: int, text: str) -> None:
        """The venue refused a request; where the order has ended meanwhile, the child takes no note of it but the client."""
        asked = next((a for a in parent_rules.requests(parent) if a.request == request), None)
        if asked is None:
            return
        refusal = po.RequestRefused(
            request=asked.request,
            cl_ord_id=asked.cl_ord_id,
            reason=_REASON.get(cxl_rej_reason, Reason.NOT_AMENDABLE),
            text=text or "refused by the venue",
            ends_pending=True,
            cxl_rej_reason=cxl_rej_reason,
        )
        self._tell(turn, parent, refusal)

    def _never_worked(self, turn: Turn, parent: ParentOrder, event: co.Rejected | co.ProvedUnknown) -> None:
        reason = event.ord_rej_reason if isinstance(event, co.Rejected) else None
        if parent.status in (OrdStatus.PENDING_NEW, OrdStatus.NEW):
            self._tell(turn, parent, po.TurnedDown(ord_rej_reason=reason, text=event.text))
        elif parent.live:
            self._tell(turn, parent, po.Canceled(cl_ord_id=parent.cl_ord_id, text=event.text))

    def _pending(self, turn: Turn, parent: ParentOrder, request: str) -> None:
        asked = next((a for a in parent_rules.requests(parent) if a.request == request and not a.shown), None)
        if asked is not None and asked.terms is not None:
            self._tell(turn, parent, po.ReplaceRequested(cl_ord_id=asked.cl_ord_id, terms=asked.terms))
        elif asked is not None:
            self._tell(turn, parent, parent_rules.shown(asked))

    def _replaced(self, turn: Turn, parent: ParentOrder, child: ChildOrder) -> None:
        asked = next((a for a in parent_rules.requests(parent) if a.terms is not None), None)
        if asked is None or asked.terms is None:
            return
        taken = {"quantity_e9": child.quantity_e9, "limit_price_e9": child.limit_price_e9}
        terms = asked.terms.model_copy(update=taken)
        self._tell(turn, parent, po.Replaced(cl_ord_id=asked.cl_ord_id, terms=terms))
        self._amended(turn, child)

    def _restated(self, turn: Turn, parent: ParentOrder, child: ChildOrder, event: co.Restated) -> None:
        """A day that the desk has begun is not begun again: what the venue says later counts for what it changes."""
        adjusts = event.cum_quantity_e9 is not None
        begins = event.reason == NEW_DAY or adjusts
        own = day_mark(self._reference.trade_date(turn.now_ns))
        again = begins and own in child.told and event.exec_id != own
        terms = parent.terms
        if adjusts or not again or (event.quantity_e9, event.limit_price_e9) != (terms.quantity_e9, terms.limit_price_e9):
            restated = po.Restated(
                reason=None if again and not adjusts else event.reason,
                quantity_e9=event.quantity_e9,
                limit_price_e9=event.limit_price_e9,
                text=event.text,
                day_began_ns=turn.now_ns if begins and not again else None,
                cum_quantity_e9=event.cum_quantity_e9,
            )
            self._tell(turn, parent, restated)
        self._amended(turn, child)

    def _amended(self, turn: Turn, child: ChildOrder) -> None:
        """What the child may trade now; reserved again where a filled one works again."""
        if turn.state.parent(child.parent).open_e9.get(child.id, 0) != child.leaves_e9:
            turn.parent(child.parent, po.ChildAmended(child=child.id, open_e9=child.leaves_e9))

    def _ended(self, turn: Turn, parent: ParentOrder, event: co.Canceled | co.Expired | co.DoneForDay) -> None:
        if self.acknowledges_first(parent):
            self.acknowledge(turn, parent)
        if isinstance(event, co.Expired):
            self._tell(turn, parent, po.Expired(text=event.text))
        elif isinstance(event, co.DoneForDay):
            self._tell(turn, parent, po.DoneForDay(text=event.text))
        else:
            asked = _cancel_among(parent)
            reason = event.restatement_reason
            self._tell(
                turn,
                parent,
                po.Canceled(
                    cl_ord_id=(asked.cl_ord_id if asked is not None else "") or parent.cl_ord_id,
                    text=event.text or (asked.text if asked is not None else ""),
                    restatement_reason=reason if reason is not None or asked is None else asked.restatement_reason,
                ),
            )


def _cancel_among(parent: ParentOrder) -> po.Pending | None:
    return next((asked for asked in parent_rules.requests(parent) if asked.request == "cancel"), None)


def day_mark(trade_date: str) -> str:
    """What stands in place of a venue's ExecID where the desk itself begins a carried order's day."""
    return f"day:{trade_date}"
