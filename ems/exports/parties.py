"""Who decided and who executed an order: a person, a client, or an algorithm of one exact code.

An algorithm's designation is made of its name and the digest of the code (and, where a net decides, of its weights) that was
running. Other code has another designation by construction, so none is ever used again for something else.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain import model_decision as md
from domain.child_order import ChildOrder
from domain.instructions import Instructions
from domain.parent_order import ParentOrder
from domain.values import Algo, StreamId
from ems.exports.book import Fact

DECIDER_ROLE: Final = 122  # PartyRole (452): investment decision maker
EXECUTOR_ROLE: Final = 12  # executing trader
CLIENT_ROLE: Final = 3
NO_EXECUTOR: Final = "NORE"  # RTS 24: the client decided how
_APART: Final = "X"  # no hexadecimal digit: where the name ends is never in doubt


class Who(NamedTuple):
    """Codes as the log has them, "" where nobody is known."""

    decider: str
    executor: str
    client: str
    algorithm: str  # designation, "" where none decides price or time
    model: str  # digest of the weights that the plan in force was made with


def designation(name: str, digest: str, digits: int = 12) -> str:
    """An algorithm's designation: letters and digits alone, as RTS 22 wants it."""
    return f"{name.upper().replace('_', '')}{_APART}{digest[:digits].upper()}"


class Models:
    """Which weights each plan was made with, from the events of net decisions of one day."""

    def __init__(self) -> None:
        self._decided: dict[StreamId, str] = {}
        self._plans: dict[str, str] = {}

    def apply(self, fact: Fact) -> None:
        """Fold one event."""
        if isinstance(fact.event, md.Decided):
            self._decided[fact.stream] = fact.event.weights_sha256
        elif isinstance(fact.event, md.Acted) and fact.event.plan:
            self._plans[fact.event.plan] = self._decided.get(fact.stream, "")

    def forget(self) -> None:
        """A day begins."""
        self._decided.clear()
        self._plans.clear()

    def of_plan(self, decision: str) -> str:
        """Digest of the weights, "" where no net had a part in the plan."""
        return self._plans.get(decision, "")


def party(instructions: Instructions | None, role: int) -> str:
    """The id of the first party in a role, "" for none."""
    parties = instructions.parties if instructions is not None else ()
    return next((one.party_id for one in parties if one.role == role), "")


def who(parent: ParentOrder | None, child: ChildOrder | None, *, build: str, model: str, digits: int, actor: str = "") -> Who:
    """Of an order, at the moment of one of its events.

    Args:
        child: None: the parent itself is meant.
        build: digest of the code that wrote the event.
        actor: who caused it: a person who placed a child by hand is its executor.
    """
    if parent is None:
        return Who("", "", "", "", "")
    instructions = parent.terms.instructions
    client = party(instructions, CLIENT_ROLE) or parent.account or parent.client_session
    decider = party(instructions, DECIDER_ROLE) or f"client:{parent.client_session}"
    if parent.flattens is not None:
        decider = f"kill:{parent.flattens[0]}"
    by_hand = parent.steering.mode == "by_hand" and actor.startswith("person:")
    if by_hand and child is not None:
        return Who(decider, actor, client, "", "")
    if parent.terms.algo is Algo.DIRECT:
        return Who(decider, party(instructions, EXECUTOR_ROLE) or NO_EXECUTOR, client, "", "")
    name = parent.terms.algo.value
    found = designation(name, build, digits) + (designation("", model, digits) if model else "")
    return Who(decider, found, client, found, model)
