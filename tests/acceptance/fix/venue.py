"""A venue that does as it is told, and keeps its own book of what it has said: what each of its reports says follows from that.

The order of the desk's that belongs to a client's order is found by its Account (1), which each case has of its own.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tests.acceptance.fix.peer import Peer
from tests.acceptance.fix.versions import Fields

NOTHING: Final = Decimal(0)
PASSED_ON: Final = ("378", "636", "424", "425", "103", "58")  # of what the client is to be told, what only a venue knows


@dataclass
class VenueOrder:
    """One order in the venue's book."""

    order_id: str
    asked: Fields  # the order as it came
    cl_ord_id: str
    quantity: Decimal
    price: str
    requests: asyncio.Queue[Fields] = field(default_factory=asyncio.Queue)  # as they come, with what had been decided by then
    pending: list[Fields] = field(default_factory=list)  # acknowledged as pending
    open: dict[str, str] = field(default_factory=dict)  # ClOrdID -> MsgType of requests neither refused nor done
    executions: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)  # ExecID -> quantity, price
    acknowledged: bool = False
    ended: str = ""  # OrdStatus of an end: canceled, rejected, expired
    done: bool = False  # for the day
    halted: str = ""  # OrdStatus 7 (stopped) or 9 (suspended)
    decisions: int = 0  # requests decided
    last: Fields = field(default_factory=dict)  # the last report

    @property
    def filled(self) -> Decimal:
        """CumQty: what was executed, after corrections and busts."""
        return sum((quantity for quantity, _ in self.executions.values()), NOTHING)

    @property
    def average(self) -> Decimal:
        """AvgPx."""
        paid = sum((quantity * price for quantity, price in self.executions.values()), NOTHING)
        return paid / self.filled if self.filled else NOTHING

    @property
    def status(self) -> str:
        """OrdStatus by its precedence."""
        if not self.ended and self.pending:
            kinds = {request["35"] for request in self.pending}
            return "6" if "F" in kinds else "E"
        if self.done and not self.ended:
            return "3"
        if not self.ended and self.filled >= self.quantity:
            return "2"
        resting = "1" if self.filled else "0" if self.acknowledged else "A"
        return self.ended or self.halted or resting

    @property
    def leaves(self) -> Decimal:
        """LeavesQty: 0 for what has ended, and for a day order that is done for the day."""
        over = self.ended or (self.done and self.asked.get("59", "0") != "1")
        return NOTHING if over else max(NOTHING, self.quantity - self.filled)


class Venue:
    """The venue's end of one session, and its book."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        peer.received = self._received
        self.arrivals: defaultdict[str, asyncio.Queue[VenueOrder]] = defaultdict(asyncio.Queue)  # by Account
        self.strays: list[Fields] = []
        self.questions = 0  # order status requests
        self._orders: dict[str, VenueOrder] = {}
        self._numbers = itertools.count(1)

    # ------------------------------------------------------------------------------------------- in

    def _received(self, message: Fields) -> None:
        match message["35"]:
            case "D":
                order = VenueOrder(
                    f"V{next(self._numbers)}", message, message["11"], Decimal(message["38"]), message.get("44", "")
                )
                self._orders[message["11"]] = order
                self.arrivals[message.get("1", "")].put_nowait(order)
            case "F" | "G" if message["41"] in self._orders:
                order = self._orders[message["11"]] = self._orders[message["41"]]
                order.open[message["11"]] = message["35"]
                order.requests.put_nowait(message | {"decisions": str(order.decisions), "current": order.cl_ord_id})
            case "H" if message["11"] in self._orders:
                self.questions += 1
                order = self._orders[message["11"]]
                self.peer.send("8", self._report(order, "I", {"11": order.cl_ord_id}))
            case _:
                self.strays.append(message)

    # ------------------------------------------------------------------------------------------ out

    def act(self, order: VenueOrder, verb: str, args: tuple[str, ...], request: Fields | None, told: Fields) -> str:
        """Do something to an order and report it.

        Args:
            request: the cancel or replace that this answers, None where it answers none.
            told: what the report says beside the book, by tag.

        Returns:
            The ExecID, empty for a 9.
        """
        if verb == "repeat":
            self.peer.send("8", order.last | {"97": "Y"})
            return ""
        if verb in ("refuse_by_j", "refuse_by_3"):
            self._refuse_otherwise(order, verb, request)
            return ""
        if verb == "refuse" and request is not None:
            self.peer.send("9", self._refusal(order, request, told))
            return ""
        exec_type, said = self._change(order, verb, args, request)
        report = order.last = self._report(order, exec_type, said | told)
        self.peer.send("8", report)
        return report["17"]

    def _change(self, order: VenueOrder, verb: str, args: tuple[str, ...], request: Fields | None) -> tuple[str, Fields]:
        """Change the book. ExecType, and what the report says of the change."""
        asked = {"11": request["11"], "41": order.cl_ord_id} if request is not None else {"11": order.cl_ord_id}
        match verb:
            case "accept":
                order.acknowledged, order.halted = True, ""
                return "0", asked
            case "hold":
                return "A", asked
            case "refuse":
                order.ended = "8"
                return "8", asked
            case "fill" | "correct" | "bust":
                return self._execution(order, verb, args)
            case "pend":
                assert request is not None
                order.pending.append(request)
                return "6" if request["35"] == "F" else "E", asked
            case "cancel":
                order.ended = "4"
                self._decided(order, request)
                return "4", asked
            case "replace":
                assert request is not None
                self._decided(order, request)
                order.quantity = max(Decimal(request["38"]), order.filled)
                order.price, order.cl_ord_id = request.get("44", order.price), request["11"]
                return "5", asked
            case "done":
                order.done = True
                return "3", asked
            case "expire":
                order.ended = "C"
                return "C", asked
            case "restate":
                return "D", asked | self._restated(order, args)
            case "split":
                order.done, order.quantity = False, order.quantity * 2
                order.executions = {key: (quantity * 2, price / 2) for key, (quantity, price) in order.executions.items()}
                return "D", asked
            case "stop" | "suspend":
                order.halted = "7" if verb == "stop" else "9"
                return order.halted, asked
            case "trigger":
                return "L", asked
        raise ValueError(f"a venue cannot {verb}")

    def _execution(self, order: VenueOrder, verb: str, args: tuple[str, ...]) -> tuple[str, Fields]:
        if verb == "fill":
            order.acknowledged = True
            quantity, price = args
            said = {"11": order.cl_ord_id, "17": f"E{next(self._numbers)}", "32": quantity, "31": price}
            order.executions[said["17"]] = Decimal(quantity), Decimal(price)
            return "F", said
        del order.executions[args[0]]
        said = {"11": order.cl_ord_id, "17": f"E{next(self._numbers)}", "19": args[0]}
        if verb == "bust":
            return "H", said | {"32": "0", "31": "0"}
        order.executions[said["17"]] = Decimal(args[1]), Decimal(args[2])
        return "G", said | {"32": args[1], "31": args[2]}

    def _restated(self, order: VenueOrder, args: tuple[str, ...]) -> Fields:
        order.done = False
        for name, value in (arg.split(":") for arg in args):
            if name == "qty":
                order.quantity = Decimal(value)
            else:
                order.price = value
        return {}

    def _decided(self, order: VenueOrder, request: Fields | None) -> None:
        if request is None:
            return
        order.pending = [other for other in order.pending if other["11"] != request["11"]]
        del order.open[request["11"]]
        order.decisions += 1

    def _refusal(self, order: VenueOrder, request: Fields, told: Fields) -> Fields:
        self._decided(order, request)
        return {
            "37": order.order_id, "11": request["11"], "41": order.cl_ord_id, "39": order.status,
            "434": "1" if request["35"] == "F" else "2", "102": "2",
        } | told  # fmt: skip

    def _refuse_otherwise(self, order: VenueOrder, verb: str, request: Fields | None) -> None:
        """A business or session reject, where others send a 9, or an 8."""
        refused = order.asked if request is None else request
        if request is None:
            order.ended = "8"
        self._decided(order, request)
        ref = {"45": refused["34"], "372": refused["35"], "58": "not taken"}
        if verb == "refuse_by_j":
            self.peer.send("j", ref | {"379": refused["11"], "380": "0"})
        else:
            self.peer.send("3", ref | {"373": "5", "371": "38"})

    def _report(self, order: VenueOrder, exec_type: str, said: Fields) -> Fields:
        asked = order.asked
        priced = {"44": order.price} if order.price else {}
        return {
            "37": order.order_id, "17": f"E{next(self._numbers)}", "150": exec_type, "39": order.status,
            "1": asked.get("1", ""), "55": asked["55"], "54": asked["54"], "38": str(order.quantity), "40": asked["40"],
            **priced, "59": asked.get("59", "0"), "151": str(order.leaves), "14": str(order.filled),
            "6": f"{round(order.average, 6):f}", "60": datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3],
        } | said  # fmt: skip
