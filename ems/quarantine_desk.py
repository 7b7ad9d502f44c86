"""What people do about what they must look at: resolve executions in quarantine, say what came of any other alert."""

from __future__ import annotations

from domain import attention
from domain import child_order as co
from domain import fill as fl
from domain import quarantine as qu
from domain.attention import Alert
from domain.commands import AcknowledgeAlerts, Answer, AttentionCommand, BookFill, DismissFill
from domain.quarantine import QuarantineReason, QuarantineRefusal
from domain.values import from_e9
from ems.turn import Turn
from ems.venue_desk import VenueDesk

_QUARANTINED = "quarantined fill"


class QuarantineDesk:
    """Decides such commands; what is booked does what an execution does."""

    def __init__(self, venue: VenueDesk) -> None:
        self._venue = venue

    def handle(self, turn: Turn, command: AttentionCommand) -> Answer:
        """Decide one command; the actor of the turn is the command's. Only a person may."""
        if not command.actor.startswith("person:"):
            return _refused(QuarantineReason.NOT_A_PERSON, f"{command.actor} is not a person")
        if not command.reason.strip():
            return _refused(QuarantineReason.REASON_MISSING, "say why: it is kept with your name")
        match command:
            case DismissFill():
                decided = self._dismiss(turn, command)
            case BookFill():
                decided = self._book(turn, command)
            case AcknowledgeAlerts():
                decided = self._acknowledge(turn, command)
        return decided if isinstance(decided, Answer) else _refused(decided.reason, decided.text)

    def _dismiss(self, turn: Turn, command: DismissFill) -> Answer | QuarantineRefusal:
        found = _held(turn, command.alert)
        if isinstance(found, QuarantineRefusal):
            return found
        fill, number = found
        decided = qu.dismiss(fill, number, command.reason)
        if isinstance(decided, QuarantineRefusal):
            return decided
        told = fill.quarantined[number - 1].told
        child = turn.state.child_ids.get(told.cl_ord_id[: co.ROOT_LENGTH])
        turn.apply(fill.id, decided, correlation=turn.state.children[child].parent if child is not None else fill.id)
        return Answer(True, f"{told.exec_id} of {told.venue_session} is dismissed: it counts for nothing")

    def _book(self, turn: Turn, command: BookFill) -> Answer | QuarantineRefusal:
        found = _held(turn, command.alert)
        if isinstance(found, QuarantineRefusal):
            return found
        fill, number = found
        held, child_id = fill.quarantined[number - 1], turn.state.child_ids.get(command.cl_ord_id[: co.ROOT_LENGTH])
        if child_id is None:
            text = f"we have sent no order {command.cl_ord_id}: it is the ClOrdID (11) of a child order"
            return QuarantineRefusal(QuarantineReason.UNKNOWN_ORDER, text)
        child, at_ns = turn.state.children[child_id], held.told.venue_time_ns or held.at_ns
        stream = fl.key(held.told.venue_session, self._venue.execution_date(child, at_ns), held.told.exec_id)
        order = qu.Order(child, turn.state.parent(child.parent), stream, turn.state.fills.get(stream))
        others = tuple(turn.state.fills[other] for other in fill.also)
        decided = qu.book(fill, number, order, others, command.reason, overfill=command.overfill)
        if isinstance(decided, QuarantineRefusal):
            return decided
        turn.apply(fill.id, decided.booked, correlation=child.parent)
        self._venue.executed(turn, decided.booked.fill, decided.recorded, at_ns)
        over_e9 = decided.booked.over_e9
        over = f", {from_e9(over_e9):f} more than its quantity" if over_e9 else ""
        ids = (("fill", str(decided.booked.fill)), ("cl_ord_id", child.cl_ord_id))
        return Answer(True, f"{held.told.exec_id} of {held.told.venue_session} is booked to {child.cl_ord_id}{over}", ids)

    def _acknowledge(self, turn: Turn, command: AcknowledgeAlerts) -> Answer | QuarantineRefusal:
        found: dict[str, Alert] = {}
        for name in command.alerts:
            alert = turn.state.attention.open.get(name)
            if alert is None:
                return _unknown(name)
            if alert.kind == _QUARANTINED:
                text = f"{name} is an execution in quarantine: dismiss it, or book it"
                return QuarantineRefusal(QuarantineReason.NOT_OPEN, text)
            found[name] = alert
        for name, alert in found.items():
            said = attention.Acknowledged(alert=name, kind=alert.kind, session=alert.session, reason=command.reason)
            turn.apply(attention.key(name), said, correlation=alert.stream)
        return Answer(True, f"acknowledged: {len(found)}")


def _held(turn: Turn, name: str) -> tuple[fl.Fill, int] | QuarantineRefusal:
    """The execution that an alert tells of, and its number among those in quarantine."""
    alert = turn.state.attention.open.get(name)
    if alert is None:
        return _resolved(turn, name)
    if alert.kind != _QUARANTINED:
        text = f"{name} is no execution but a case of {alert.kind}: acknowledge it"
        return QuarantineRefusal(QuarantineReason.NOT_OPEN, text)
    fill = turn.state.fills[alert.stream]
    return fill, next(n for n, held in enumerate(fill.quarantined, 1) if held.version == alert.version)


def _unknown(name: str) -> QuarantineRefusal:
    return QuarantineRefusal(QuarantineReason.NOT_OPEN, f"nothing that is open is called {name}: it may be resolved already")


def _resolved(turn: Turn, name: str) -> QuarantineRefusal | tuple[fl.Fill, int]:
    """One that is open no more, to be told so; a look at every fill, for somebody's mistake."""
    for fill in turn.state.fills.values():
        for number, held in enumerate(fill.quarantined, 1):
            if attention.alert_id(fill.id, held.version) == name:
                return fill, number
    return _unknown(name)


def _refused(reason: QuarantineReason, text: str) -> Answer:
    return Answer(False, text, (("reason", reason.value),))
