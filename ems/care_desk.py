"""What a trader does about an order beside steering it (`ems.steer_desk`): takes it or turns it down, claims it, hands it on,
gives it back. Parts and merged orders are in `ems.care_parts`, executions that no venue told of in `ems.care_fills`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import care_rules, parent_rules
from domain import parent_order as po
from domain.care import CareAct, Handled
from domain.care_commands import (
    AcceptOrder,
    CareCommand,
    ClaimOrder,
    CorrectFill,
    EnterFill,
    MergeOrders,
    PullBack,
    ReassignOrder,
    RejectOrder,
    RouteOrder,
    SplitOrder,
    TakeBlock,
    UnmergeOrder,
)
from domain.care_rules import CareTerms
from domain.commands import Answer
from domain.event import Event
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import OTHER, Reason, Refusal
from domain.terms import Terms
from domain.trader import PERSON
from domain.values import Algo
from ems.care_fills import HandFills
from ems.care_parts import PartsDesk
from ems.desk_state import DeskState
from ems.kill_desk import KillDesk
from ems.owners import not_yours
from ems.risk import RiskGate, turned_down
from ems.routing import venue_of
from ems.strategies import Strategies
from ems.tactic import MANUAL
from ems.turn import Turn
from ems.venue_desk import VenueDesk


class CareDesk:
    """Decides those commands. Pure but for what it is given."""

    def __init__(
        self, reference: Reference, markets: Mapping[str, MarketState], risk: RiskGate, kills: KillDesk, venue: VenueDesk,
        strategies: Strategies, terms: CareTerms,
    ) -> None:  # fmt: skip
        self._reference, self._markets = reference, markets
        self._risk, self._kills, self._terms = risk, kills, terms
        self._parts = PartsDesk(reference, markets, risk, kills, strategies, terms)
        self._fills = HandFills(reference, markets, risk, venue, terms)

    def handle(self, turn: Turn, command: CareCommand) -> Answer:
        """Decide one; the actor of the turn is the command's."""
        if not command.actor.startswith(PERSON):
            return Answer(False, f"{command.actor} is not a person")
        orders: list[ParentOrder] = []
        for order_id in command.orders if isinstance(command, MergeOrders) else (command.order_id,):
            order = found(turn.state, order_id)
            if order is None:
                return Answer(False, f"no order has the OrderID {order_id}")
            if why := self._forbidden(turn, order, command):
                return Answer(False, why)
            orders.append(order)
        match command:
            case SplitOrder() | RouteOrder():
                decided = self._parts.split(turn, orders[0], command)
            case MergeOrders():
                decided = self._parts.merge(turn, tuple(orders), command)
            case UnmergeOrder():
                decided = self._parts.unmerge(turn, orders[0], command)
            case EnterFill():
                decided = self._fills.enter(turn, orders[0], command)
            case CorrectFill():
                decided = self._fills.correct(turn, orders[0], command)
            case TakeBlock():
                decided = self._fills.block(turn, orders[0], command)
            case _:
                decided = self._one(turn, orders[0], command)
        return decided if isinstance(decided, Answer) else Answer(False, decided.text)

    def _one(
        self, turn: Turn, order: ParentOrder, command: AcceptOrder | RejectOrder | ClaimOrder | ReassignOrder | PullBack
    ) -> Answer | Refusal:
        match command:
            case AcceptOrder():
                return self._accept(turn, order, command)
            case RejectOrder():
                return self._reject(turn, order, command)
            case PullBack():
                return self._pull_back(turn, order, command)
            case ClaimOrder() | ReassignOrder():
                return self._assign(turn, order, command)

    def _forbidden(self, turn: Turn, order: ParentOrder, command: CareCommand) -> str:
        """Why the person may not, "" if the person may."""
        if not isinstance(command, ReassignOrder) and (why := not_yours(turn.state, order, command.actor)):
            return why
        strategy = order.terms.algo.value
        if not isinstance(command, AcceptOrder) or command.algo == MANUAL:
            strategy = MANUAL
        elif command.algo:
            strategy = command.algo
        if self._risk.data.permitted(command.actor, strategy, order.instrument, venue_of(order, self._reference)) is False:
            return f"no permission of the day lets {command.actor} trade {order.instrument} by {strategy}"
        return ""

    # ------------------------------------------------------------------------------------ taking and leaving

    def _accept(self, turn: Turn, order: ParentOrder, command: AcceptOrder) -> Answer | Refusal:
        if held := self._kills.holds(order, venue_of(order, self._reference)):
            return Refusal(Reason.KILL_SWITCH, held)
        instrument = self._reference.instrument(order.instrument)
        day = self._reference.day(instrument, turn.now_ns) if instrument is not None else None
        events = care_rules.accept(
            order, command.algo, command.parameters, instrument=instrument, day=day, now_ns=turn.now_ns,
            arrival=self._markets.get(order.instrument),
        )  # fmt: skip
        if isinstance(events, Refusal):
            return events
        begun = next((event for event in events if isinstance(event, po.Started)), None)
        if begun is not None and (refusal := self._risk.amend(turn, order, begun.terms)) is not None:
            if command.algo:  # by another algorithm, or by hand, it may pass
                return refusal
            events, begun = (turned_down(refusal),), None
        turn.parent(order.id, handled(command, "accept"), *events)
        if begun is None:
            return Answer(True, "the order could not be worked any more: its client was told so")
        return Answer(True, "the order is worked" if not _by_hand(begun.terms) else "the order is yours to work")

    def _reject(self, turn: Turn, order: ParentOrder, command: RejectOrder) -> Answer | Refusal:
        if not care_rules.waits(order):
            return Refusal(Reason.NOT_AMENDABLE, f"the order does not wait for a trader, it is {order.status}: pull it back")
        refused = po.TurnedDown(ord_rej_reason=OTHER, text=command.reason)
        turn.parent(order.id, handled(command, "reject"), refused)
        return Answer(True, "the order is rejected, and its client told why")

    def _assign(self, turn: Turn, order: ParentOrder, command: ClaimOrder | ReassignOrder) -> Answer | Refusal:
        if not order.live:
            return Refusal(Reason.TOO_LATE, f"the order is {order.status}")
        owner = command.actor if isinstance(command, ClaimOrder) else f"{PERSON}{command.to.removeprefix(PERSON)}"
        if owner == order.care.owner:
            return Refusal(Reason.NOT_AMENDABLE, f"the order is {owner.removeprefix(PERSON)}'s already")
        act: CareAct = "claim" if isinstance(command, ClaimOrder) else "reassign"
        turn.parent(order.id, handled(command, act, owner=owner))
        return Answer(True, f"the order is {owner.removeprefix(PERSON)}'s")

    def _pull_back(self, turn: Turn, order: ParentOrder, command: PullBack) -> Answer | Refusal:
        if order.of:
            return self._parts.pull_back(turn, order, command)
        returns = care_rules.pull_back(order, self._terms.pull_back)
        if isinstance(returns, Refusal):
            return returns
        events: tuple[Event, ...] = ()
        if order.direct and not order.staged:  # its venue has to let it go first
            events = parent_rules.withdraw(order, text=f"returned by the desk: {command.reason}")
        turn.parent(order.id, handled(command, "pull_back", returns=returns), *events)
        return Answer(True, "what is left goes back to the client as soon as nothing of it is out")


def found(state: DeskState, order_id: str) -> ParentOrder | None:
    """The order that has an OrderID."""
    stream = state.order_ids.get(order_id)
    order = state.parents.get(stream) if stream is not None else None
    return order if isinstance(order, ParentOrder) else None


def handled(command: CareCommand, act: CareAct, **more: Any) -> Handled:
    """What is written of an act."""
    return Handled(act=act, reason=command.reason, **more)


def _by_hand(terms: Terms) -> bool:
    return terms.algo is Algo.MANUAL
