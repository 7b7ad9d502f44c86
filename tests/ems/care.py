"""A desk whose orders wait for a trader, and a trader who asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain import child_order as co
from domain.care_rules import CareRule, CareTerms
from domain.commands import COMMAND, Answer, Commanded
from domain.parent_order import ParentOrder
from domain.sending import ParentReport, SendChild, SendChildCancel
from domain.values import E9
from ems import recovery
from tests.domain.orders import venue_report
from tests.ems.room import Room, session

STAGE = CareTerms(rules=(CareRule(name="all"),), house_account="HOUSE", venues={"VENUE", "BROKER1", "BROKER2"})


class CareRoom(Room):
    """Commands by name; quantities and prices in units."""

    asked = 0

    async def ask(self, command: str, order: ParentOrder | str | None = None, **fields: Any) -> Answer:
        """A person asks, and has the answer. order: the last one by default."""
        CareRoom.asked += 1
        order = self.last() if order is None else order
        given: dict[str, Any] = {"command_id": f"C{CareRoom.asked}", "actor": "person:jane", "reason": "as agreed"}
        if command != "merge_orders":
            given["order_id"] = order if isinstance(order, str) else order.order_id
        for name, value in fields.items():
            money = name in ("quantity", "price", "limit_price")
            given[f"{name}_e9" if money else name] = value * E9 if money else value
        answers: list[Answer] = []
        await self.desk.cycle([Commanded(COMMAND.validate_python({**given, "command": command}), answers.append)])
        (answer,) = answers
        return answer

    async def done(self, command: str, order: ParentOrder | str | None = None, **fields: Any) -> Answer:
        """As ask; it has to be done."""
        answer = await self.ask(command, order, **fields)
        assert answer.ok, answer.text
        return answer

    def last(self) -> ParentOrder:
        """A client's last order."""
        return [p for p in self.desk.state.parents.values() if isinstance(p, ParentOrder) and p.client_session][-1]

    def by_id(self, order_id: str) -> ParentOrder:
        return self.desk.state.parent(self.desk.state.order_ids[order_id])

    def named(self, cl_ord_id: str) -> ParentOrder:
        """A client's order."""
        parents = self.desk.state.parents.values()
        return next(p for p in parents if isinstance(p, ParentOrder) and p.cl_ord_id == cl_ord_id)

    def told(self) -> list[tuple[str, int]]:
        """What the client was told since the last call, with the quantity executed; what left for venues is kept out."""
        return [(r.exec_kind, r.cum_quantity_e9 // E9) for r in self.take(ParentReport) if r.session == "OMS"]

    def sent(self) -> list[tuple[str, str, int]]:
        """What left for venues since the last call: kind, session, shares."""
        found = []
        for message in self.take():
            if isinstance(message, SendChild):
                found.append(("new", message.session, message.quantity_e9 // E9))
            elif isinstance(message, SendChildCancel):
                found.append(("cancel", message.session, message.quantity_e9 // E9))
        return found

    async def folded(self) -> None:
        """The log says what the desk knows."""
        folded = await recovery.fold(self.log)
        assert folded.digest() == self.desk.state.digest()


async def opened(care: CareTerms = STAGE, **changes: Any) -> CareRoom:
    room = CareRoom(care=care, **changes)
    await room.open()
    await room.desk.cycle([session("BROKER1"), session("BROKER2")])
    return room


async def in_hand(*quantities: int, care: CareTerms = STAGE, **changes: Any) -> CareRoom:
    """Orders A1, A2, ... that a trader has taken by hand."""
    room = await opened(care, **changes)
    for number, quantity in enumerate(quantities or (1000,), 1):
        await room.order(cl_ord_id=f"A{number}", quantity_e9=quantity * E9)
        await room.done("accept_order", algo="manual")
    room.take()
    return room


def slices(*wanted: tuple[int, dict[str, Any]]) -> Sequence[dict[str, Any]]:
    return [{"quantity_e9": quantity * E9, **way} for quantity, way in wanted]


def child(room: CareRoom, part: ParentOrder, number: int = 1) -> co.ChildOrder:
    return room.desk.state.children[co.key(part.id, number)]


async def executed(room: CareRoom, part: ParentOrder, quantity: int, exec_id: str, *, number: int = 1, **more: Any) -> None:
    """A part's child trades."""
    fill = {"last_quantity_e9": quantity * E9, "last_price_e9": 100 * E9, "cl_ord_id": child(room, part, number).cl_ord_id}
    await room.venue(venue_report(more.pop("exec_kind", "trade"), **{"exec_id": exec_id, **fill, **more}))


async def said(room: CareRoom, part: ParentOrder, kind: str, number: int = 1) -> None:
    await room.venue(venue_report(kind, cl_ord_id=child(room, part, number).cl_ord_id))
