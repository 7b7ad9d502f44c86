"""What people do about an order that an algorithm works: steer it, amend what was entered here, say what it was decided at.

A person has been proved at the desk's door (`ems.peer`). Where the day's permissions are loaded, a row of them has to allow the
person to trade the order's instrument by the algorithm that is to work it; by hand is the algorithm "manual".
"""

from __future__ import annotations

from domain import amend_rules, market_note, parent_rules, steering_rules
from domain import parent_order as po
from domain.commands import AmendOrder, Answer, NoteDecision, OrderCommand, SteerOrder
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import Refusal
from domain.values import short_id, stream_id
from ems.owners import not_yours
from ems.risk import RiskGate
from ems.tactic import MANUAL
from ems.turn import Turn

DONE = {
    "switch": "the order is worked by the other algorithm from now on",
    "urgency": "the urgency is changed",
    "complete": "all that is left goes out now, within the client's limit",
    "pause": "the order is paused: what rests is withdrawn",
    "resume": "the algorithm works the order again",
    "take_over": "the order is yours: what rests of the algorithm's is withdrawn",
    "place": "placed",
}


class SteerDesk:
    """Decides those commands."""

    def __init__(self, reference: Reference, risk: RiskGate) -> None:
        self._reference = reference
        self._risk = risk

    def handle(self, turn: Turn, command: OrderCommand) -> Answer:
        """Decide one; the actor of the turn is the command's."""
        if not command.actor.startswith("person:"):
            return Answer(False, f"{command.actor} is not a person")
        stream = turn.state.order_ids.get(command.order_id)
        parent = turn.state.parents.get(stream) if stream is not None else None
        if not isinstance(parent, ParentOrder):
            return Answer(False, f"no order has the OrderID {command.order_id}")
        if refused := self._forbidden(turn, parent, command):
            return Answer(False, refused)
        if isinstance(command, NoteDecision):
            return self._decided(turn, parent, command)
        if isinstance(command, AmendOrder):
            return self._amend(turn, parent, command)
        asked = steering_rules.Asked(
            command.act, command.reason, command.algo, command.parameters, command.urgency, command.quantity_e9,
            command.limit_price_e9,
        )  # fmt: skip
        instrument = self._reference.instrument(parent.instrument)
        event = steering_rules.steer(parent, asked, instrument, self._reference.trade_date(turn.now_ns))
        if isinstance(event, Refusal):
            return Answer(False, event.text)
        if event.terms is not None and (refused_by_risk := self._risk.amend(turn, parent, event.terms)) is not None:
            return Answer(False, refused_by_risk.text)
        turn.parent(parent.id, event)
        if command.act == "pause":
            self._pause_parts(turn, parent, asked)
        return Answer(True, DONE[command.act])

    def _amend(self, turn: Turn, parent: ParentOrder, command: AmendOrder) -> Answer:
        """What was entered here: judged as its client's replace would be."""
        if not turn.state.risk.exposure.trader(parent.id):
            return Answer(False, "the order is its client's: its terms change by the client's replace")
        if parent.of:
            return Answer(False, "the order is a part of others, or made of them: amend those")
        asked = amend_rules.Asked(command.quantity_e9, command.limit_price_e9, command.end_ns, command.parameters)
        cl_ord_id = f"DESK{short_id(stream_id('amendment', parent.id, command.command_id), 12)}"
        request = amend_rules.as_replace(parent, asked, cl_ord_id)
        if isinstance(request, Refusal):
            return Answer(False, request.text)
        instrument = self._reference.instrument(parent.instrument)
        day = self._reference.day(instrument, turn.now_ns) if instrument is not None else None
        events = parent_rules.amend(parent, request, instrument=instrument, day=day, now_ns=turn.now_ns)
        if isinstance(events, Refusal):
            return Answer(False, events.text)
        terms = parent_rules.asked_for(events)
        if terms is not None and (refused := self._risk.amend(turn, parent, terms)) is not None:
            return Answer(False, refused.text)
        turn.parent(parent.id, *events)
        done = any(isinstance(event, po.Replaced) for event in events)
        return Answer(True, "amended" if done else "asked for: it is done when what rests at venues is withdrawn or has answered")

    def _pause_parts(self, turn: Turn, parent: ParentOrder, asked: steering_rules.Asked) -> None:
        """What algorithms work of an order's parts stands still with it; what a person has routed stays out."""
        for stream in parent.care.parts_in(parent.open_e9):
            part = turn.state.parent(stream)
            event = steering_rules.steer(part, asked, None, part.trade_date)
            if not isinstance(event, Refusal):
                turn.parent(part.id, event)
                self._pause_parts(turn, part, asked)

    def _forbidden(self, turn: Turn, parent: ParentOrder, command: OrderCommand) -> str:
        """Why the person may not, "" if the person may."""
        if why := not_yours(turn.state, parent, command.actor):
            return why
        strategy = parent.terms.algo.value
        if isinstance(command, SteerOrder):
            by_hand = command.act in ("take_over", "place")
            strategy = MANUAL if by_hand else command.algo if command.act == "switch" else strategy
        instrument = self._reference.instrument(parent.instrument)
        venue = self._reference.venue_session(instrument) if instrument is not None else ""
        if self._risk.data.permitted(command.actor, strategy, parent.instrument, venue) is False:
            return f"no permission of the day lets {command.actor} trade {parent.instrument} by {strategy}"
        return ""

    def _decided(self, turn: Turn, parent: ParentOrder, command: NoteDecision) -> Answer:
        if command.decided_ns > turn.now_ns:
            return Answer(False, "an order is not decided in the future")
        event = market_note.DecisionNoted(
            parent=parent.id, price_e9=command.price_e9, decided_ns=command.decided_ns, reason=command.reason
        )
        turn.apply(market_note.decision_key(parent.id), event, correlation=parent.id)
        return Answer(True, "noted")
