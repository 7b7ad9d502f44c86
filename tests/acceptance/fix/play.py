"""Plays one case: sends what the client sends, does what the venue does, and looks at all that follows from it.

After each message: the client has been told what the table says and nothing else; the venue has been asked for what the
client asked for; and what the desk itself knows of its order at the venue is what the venue said of it.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tests.acceptance.fix.judge import Failed, Wanted, compare, order_at_venue, request_at_venue, rules, terms, told
from tests.acceptance.fix.matrices import Case, Report, Step
from tests.acceptance.fix.oms import Mailbox, Oms
from tests.acceptance.fix.room import Desk
from tests.acceptance.fix.venue import PASSED_ON, Venue, VenueOrder
from tests.acceptance.fix.versions import Fields

PATIENCE_S: Final = 15.0
PENDING: Final = {"F": "6", "G": "E"}  # OrdStatus
_numbers = itertools.count(1)


@dataclass
class Play:
    """One case on its way."""

    case: Case
    oms: Oms
    venue: Venue
    desk: Desk
    symbol: str
    box: Mailbox = field(default_factory=Mailbox)
    log: list[str] = field(default_factory=list)
    number: int = field(default_factory=lambda: next(_numbers))
    ids: dict[str, str] = field(default_factory=dict)  # the client's symbols -> ClOrdIDs
    orders: dict[str, VenueOrder] = field(default_factory=dict)  # ClOrdID symbol of a D -> the venue's order
    requests: dict[str, Fields] = field(default_factory=dict)  # symbol of an F or G -> the venue's request
    exec_ids: dict[str, str] = field(default_factory=dict)  # ExecID symbols -> the client's
    venue_exec_ids: dict[str, str] = field(default_factory=dict)  # ExecID symbols -> the venue's
    current: str = ""  # symbol of the last D
    last: str = ""  # symbol of the last ClOrdID that was accepted
    fills: int = 0
    asked: dict[str, Step] = field(default_factory=dict)  # symbol -> the message
    under_way: list[str] = field(default_factory=list)  # requests that the venue may not have seen yet
    order_ids: dict[str, str] = field(default_factory=dict)  # the venue's OrderID -> the one that the client knows

    async def run(self) -> None:
        """Raises Failed."""
        steps = list(self.case.steps)
        while steps:
            step = steps.pop(0)
            try:
                if step.mark == "<~":
                    await self._cross(step, steps.pop(0))
                else:
                    await self._step(step)
            except Failed as why:
                raise Failed("\n".join([f"line {step.line}: {why}", *self._transcript()])) from None
        try:
            await self._nothing_more()
        except Failed as why:
            raise Failed("\n".join([str(why), *self._transcript()])) from None

    def _transcript(self) -> list[str]:
        """All that was said, and what the desk made of it."""
        events = [line for order in self.orders.values() for line in self.desk.events(order.asked["11"])]
        return [*self.log, "events:", *events]

    async def _step(self, step: Step) -> None:
        if step.sent:
            self._send(step)
            if step.held:
                await self.desk.heard(self.ids[step.cl_ord_id])
            else:
                await self._passed_on(step)
        elif step.verb == "enter":
            await self._enter(step)
        elif step.verb:
            await self._act(step)
            await self._told(step)
            await self._known()
        else:
            await self._told(step)

    async def _cross(self, sent: Step, act: Step) -> None:
        """Two messages that meet on the wire."""
        if self.case.first == "venue":
            await self._step(act)
            self._send(sent)
            return
        self._send(sent)
        if self.case.first == "client":
            await self._passed_on(sent)
        await self._act(act)
        await self._told(act)
        await self._known()

    # ------------------------------------------------------------------------------------ the client sends

    def _send(self, step: Step) -> None:
        again = step.cl_ord_id in self.asked
        for symbol in (step.cl_ord_id, step.orig):
            if symbol and symbol not in self.ids:
                self.ids[symbol] = f"{symbol}{self.number:05}"
                self.oms.watch(self.ids[symbol], self.box)
        fields = {"11": self.ids[step.cl_ord_id]} | ({"41": self.ids[step.orig]} if step.orig else {})
        account = self._account(self.current if step.verb == "G" else step.cl_ord_id)
        self.oms.watch(account, self.box)
        first = self.asked.get(self.current)
        if step.verb in ("D", "G"):
            fields |= {"1": account} | terms(step, first if step.verb == "G" else None)
        else:
            fields |= {"54": terms(first)["54"] if first is not None else "1"} | step.pairs
        if step.verb != "H":
            fields |= {"60": _now()}
        fields |= {"55": self.symbol} | ({"38": step.quantity} if step.quantity else {})
        if step.verb == "D" and not again:
            self.current = self.last = step.cl_ord_id
        if not again:
            self.asked[step.cl_ord_id] = step
        if step.verb in ("F", "G"):
            self.under_way.append(step.cl_ord_id)
        self._note("client sends", step.verb, fields)
        self.oms.session.send(step.verb, fields)

    async def _enter(self, step: Step) -> None:
        """An order by telephone: it has no ClOrdID of the client's."""
        account = self._account(step.cl_ord_id)
        self.oms.watch(account, self.box)
        self.asked[step.cl_ord_id] = replace(step, verb="D")
        self.current = self.last = step.cl_ord_id
        said = terms(step)
        entered = await self.desk.enter(self.oms.session.sender, self.symbol, account, step.quantity, said["44"])
        self.ids[step.cl_ord_id] = entered
        self._note("the desk enters", "an order", {"11": entered, "1": account})
        await self._order(self.asked[step.cl_ord_id])

    def _account(self, symbol: str) -> str:
        return f"A{self.number:05}{symbol}"

    # ------------------------------------------------------------------------------- the venue is asked

    async def _passed_on(self, step: Step) -> None:
        if step.verb == "D":
            await self._order(step)
        elif step.verb in ("F", "G"):
            await self._request(step.cl_ord_id)

    async def _order(self, step: Step) -> VenueOrder:
        """The order that the desk sends for the client's."""
        symbol = step.cl_ord_id
        if symbol not in self.orders:
            arrivals = self.venue.arrivals[self._account(symbol)]
            order = self.orders[symbol] = await self._within(arrivals.get(), "the venue gets an order for the client's")
            self._note("venue gets", "D", order.asked)
            compare("the venue's order", order.asked, order_at_venue(step))
        return self.orders[symbol]

    async def _request(self, symbol: str) -> Fields:
        """The cancel or replace that the desk sends for the client's."""
        order, said = self.orders[self.current], f"the venue gets the client's {self.asked[symbol].verb} {symbol}"
        while symbol not in self.requests:
            self._take_request(order, await self._within(order.requests.get(), said))
        return self.requests[symbol]

    def _take_request(self, order: VenueOrder, request: Fields) -> None:
        """It is for the first that the client asked for of its kind: a cancel may overtake a replace."""
        self._note("venue gets", request["35"], request)
        waiting = (symbol for symbol in self.under_way if self.asked[symbol].verb == request["35"])
        if (symbol := next(waiting, None)) is None:
            raise Failed("the venue got a request that the client has not asked for")
        asked = self.asked[symbol]
        if asked.held and request["decisions"] == "0":
            raise Failed("the venue got a request before it had decided the one before")
        compare("the venue's request", request, request_at_venue(asked, self.asked[self.current], order, request["current"]))
        if request["11"] in (request["current"], *(other["11"] for other in self.requests.values())):
            raise Failed(f"the venue's request has a ClOrdID (11) that was used before: {request['11']}")
        self.requests[symbol] = request
        self.under_way.remove(symbol)

    # ---------------------------------------------------------------------------------- the venue acts

    async def _act(self, step: Step) -> None:
        report, args = step.report, step.args
        order = await self._order(self.asked[self._symbol_of_order(report)])
        asked = args[0] if args and args[0] in self.asked else report.cl_ord_id if report and report.orig else ""
        if step.verb == "refuse" and report and report.is_refusal and await self._refused_by_us(asked):
            return
        request = await self._request(asked) if asked else None
        if step.verb == "fill" and len(args) == 1:
            self.fills += 1
            args = (args[0], str(Decimal("20") - Decimal("0.01") * self.fills))
        if step.verb in ("correct", "bust"):
            args = (self.venue_exec_ids[args[0]], *args[1:])
        told = {tag: values[0] for tag, values in report.fields.items() if tag in PASSED_ON} if report else {}
        if report and report.is_refusal and "102" in report.fields:
            told["102"] = report.fields["102"][0]
        self._note("venue", step.verb, {"args": " ".join(args)} | told)
        exec_id = self.venue.act(order, step.verb, args, request, told)
        if report and report.exec_id:
            self.venue_exec_ids[report.exec_id] = exec_id

    def _symbol_of_order(self, report: Report | None) -> str:
        """The D that a report is about: the last one, or the one that it names."""
        named = self.asked.get(report.cl_ord_id) if report else None
        return named.cl_ord_id if named and named.verb == "D" else self.current

    async def _refused_by_us(self, symbol: str) -> bool:
        """Whether the EMS has refused a request by itself, rather than passing it on: then the venue has nothing to refuse."""
        order = self.orders[self.current]
        if symbol in self.requests:
            return False
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while order.requests.empty() and self.box.messages.empty():  # one of two queues
            if asyncio.get_running_loop().time() > deadline:
                raise Failed(f"neither the venue nor the client hears of {symbol}")
            await asyncio.sleep(0.005)
        return order.requests.empty()

    # -------------------------------------------------------------------------------- the client is told

    async def _told(self, step: Step) -> None:
        report = step.report
        if report is None:
            return
        message = await self._within(self.box.messages.get(), f"the client is told: {report.kind}/{report.status}")
        self._note("client is told", message["35"], message)
        compare("the client's report", message, told(report, self.ids, self.exec_ids))
        order = self.orders.get(self._symbol_of_order(report))
        rules(report, message, self.box.exec_ids, order)
        if not report.is_refusal:
            self.box.exec_ids.add(message["17"])
            self.exec_ids |= {report.exec_id: message["17"]} if report.exec_id else {}
        if order is not None and (report.kind, report.status) != ("status", "rejected"):  # which is of another, unknown order
            compare("the client's report", message, {"37": (self.order_ids.setdefault(order.order_id, message["37"]),)})
        if report.cl_ord_id in self.under_way:
            self.under_way.remove(report.cl_ord_id)
        if report.kind == "replaced":
            self.last = report.cl_ord_id

    # --------------------------------------------------------------------------------- the desk knows

    async def _known(self) -> None:
        """What the desk knows of each of its orders is what the venue said last."""
        for order in self.orders.values():
            statuses = {order.status}
            if not order.ended:  # it may count as pending what it has asked for, and the venue has not taken up yet
                verbs = {self.asked[symbol].verb for symbol in self.under_way} | set(order.open.values())
                statuses |= {PENDING[verb] for verb in verbs}
            if order.filled and not order.leaves:
                statuses.add("2")  # nothing more can trade, whatever the venue has yet to decide
            wrong = await self.desk.child(order.asked["11"], (statuses, order.quantity, order.filled, order.leaves))
            if wrong:
                raise Failed(f"the desk's own order is {wrong}")

    async def _nothing_more(self) -> None:
        """A status request at the end: its answer comes behind all else, and tells the state in which the order was left."""
        if not self.last:
            return
        order, cl_ord_id = self.orders.get(self.current), self.ids[self.last]
        self.oms.session.send("H", {"11": cl_ord_id, "55": self.symbol, "54": terms(self.asked[self.current])["54"]})
        answer = await self._within(self.box.messages.get(), "the status request at the end is answered")
        self._note("client is told", answer["35"], answer)
        wanted: Wanted = {"35": ("8",), "150": ("I",)}
        if order is not None:
            wanted |= {"39": (order.status,), "14": (str(order.filled),), "151": (str(order.leaves),)}
        compare("the status at the end", answer, wanted)
        if not self.box.messages.empty():
            raise Failed(f"one message too many for the client: {self.box.messages.get_nowait()}")
        for one in self.orders.values():
            while not one.requests.empty():
                self._take_request(one, one.requests.get_nowait())
        for symbol in self.asked:
            if not (arrivals := self.venue.arrivals[self._account(symbol)]).empty():
                raise Failed(f"one order too many for the venue: {arrivals.get_nowait().asked}")

    # -------------------------------------------------------------------------------------------------

    async def _within(self, what: object, said: str) -> object:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await what  # type: ignore[misc]
        except TimeoutError:
            waiting = "" if self.box.messages.empty() else f"; the client was told {self.box.messages.get_nowait()}"
            raise Failed(f"not within {PATIENCE_S:.0f} s: {said}{waiting}") from None

    def _note(self, who: str, what: str, fields: Fields) -> None:
        shown = " ".join(f"{tag}={value}" for tag, value in fields.items() if tag not in ("8", "9", "10", "49", "56", "52"))
        self.log.append(f"{who} {what}: {shown}")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
