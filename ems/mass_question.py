"""The one question for all orders of a venue (35=AF), in place of one for each, where the venue's policy says that it answers.

An answer about an order counts as one to its own question does. What the venue has not named when it says that it has
told all is asked for by itself: that an order is not among the live ones does not tell what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.child_order import ChildOrder
from domain.list_messages import SendMassStatus
from domain.messages import Inbound, VenueRefusal, VenueReport
from domain.order_life import OrdStatus
from domain.session_policy import DEFAULT, SessionPolicy
from domain.values import short_id, stream_id
from ems.scheduler import Scheduler
from ems.turn import Turn


class MassQuestion:
    """What it remembers is only what it has asked: losing it costs a question more."""

    def __init__(self, policies: Mapping[str, SessionPolicy], scheduler: Scheduler) -> None:
        self._policies = policies
        self._scheduler = scheduler
        self._asked: dict[str, str] = {}  # venue session -> MassStatusReqID of the question without its last answer

    def ask(self, turn: Turn, session: str) -> None:
        """A venue is back: ask for all its orders, if one is in doubt and the venue answers that."""
        self._asked.pop(session, None)
        doubted = self._doubted(turn, session)
        if doubted and self._policies.get(session, DEFAULT).mass_status:
            request_id = short_id(stream_id("mass_question", session, str(turn.now_ns)), 16)
            self._asked[session] = request_id
            self._scheduler.asked(doubted, turn.now_ns)
            turn.extra.append(SendMassStatus(session=session, event_seq=0, request_id=request_id))

    def told(self, turn: Turn, message: Inbound) -> None:
        """A message of a venue: the last answer, or a refusal of the question, leaves what is still in doubt."""
        session = message.ref.session
        if session not in self._asked:
            return
        last = isinstance(message, VenueReport) and message.last_of == self._asked[session]
        if last or (isinstance(message, VenueRefusal) and message.ref_msg_type == "AF"):
            del self._asked[session]
            self._scheduler.ask_now(turn, self._doubted(turn, session))

    def _doubted(self, turn: Turn, session: str) -> list[ChildOrder]:
        return [child for child in turn.state.live_children(session) if child.status is OrdStatus.IN_DOUBT]
