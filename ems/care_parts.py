"""Orders of the desk's own, made of clients' orders: parts that are worked in ways of their own, and several worked as one.

Such an order is a parent order like any other, so that every algorithm, every broker and every act of steering is there for it.
What it is made of is reserved at its members until it is filled or comes back; its executions pass on (`ems.passing`), and no
client is told of the order itself. Every way is judged by the rules of a client's order, by risk as a whole and by the kill
switch, before anything is written: all parts are made, or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain import care_rules, parent_intake, parent_rules
from domain import parent_order as po
from domain.care import CareAct, Handled, ShareLeft
from domain.care_commands import MergeOrders, PullBack, RouteOrder, Slice, SplitOrder, UnmergeOrder, Way
from domain.care_rules import CareTerms
from domain.commands import Answer
from domain.event import InboundRef
from domain.instructions import Instructions
from domain.market_state import MarketState
from domain.messages import NewOrder
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import Reason, Refusal
from domain.values import Algo, OrdType, StreamId, TimeInForce, from_e9, short_id, stream_id
from ems.kill_desk import KillDesk
from ems.risk import RiskGate
from ems.routing import venue_of
from ems.strategies import Strategies
from ems.turn import Turn

_Members = tuple[tuple[ParentOrder, int], ...]  # and how much of each


class _Made(NamedTuple):
    """A part that may be made."""

    stream: StreamId
    accepted: po.Accepted
    members: _Members


class PartsDesk:
    """One for the desk. Pure but for what it is given."""

    def __init__(
        self, reference: Reference, markets: Mapping[str, MarketState], risk: RiskGate, kills: KillDesk, strategies: Strategies,
        terms: CareTerms,
    ) -> None:  # fmt: skip
        self._venues = terms.venues
        self._reference, self._markets = reference, markets
        self._risk, self._kills, self._strategies = risk, kills, strategies

    # ------------------------------------------------------------------------------------ splitting, routing

    def split(self, turn: Turn, order: ParentOrder, command: SplitOrder | RouteOrder) -> Answer | Refusal:
        """Parts of one order."""
        if why := care_rules.may_part(order):
            return why
        slices = command.slices if isinstance(command, SplitOrder) else (_routed(command),)
        asked_e9, free_e9 = sum(each.quantity_e9 for each in slices), care_rules.free_e9(order)
        if asked_e9 > free_e9:
            said = f"{from_e9(asked_e9):f} is asked for, and {from_e9(free_e9):f} of the order is free"
            return Refusal(Reason.QUANTITY_NOT_POSITIVE, said)
        made: list[_Made] = []
        for number, each in enumerate(slices, 1):
            part = self._part(turn, ((order, each.quantity_e9),), each, f"{command.command_id}/{number}")
            if isinstance(part, Refusal):
                return part
            made.append(part)
        act: CareAct = "split" if isinstance(command, SplitOrder) else "route"
        orders = tuple((part.stream, part.accepted.terms.quantity_e9) for part in made)
        turn.parent(order.id, Handled(act=act, reason=command.reason, orders=orders))
        for part in made:
            self._write(turn, part)
        return _answer("made", made)

    # --------------------------------------------------------------------------------- merging, taking apart

    def merge(self, turn: Turn, orders: tuple[ParentOrder, ...], command: MergeOrders) -> Answer | Refusal:
        """What is free of several orders, in whole lots, as one."""
        if why := care_rules.together(orders):
            return why
        if len({turn.state.risk.exposure.trader(order.id) for order in orders}) > 1:
            return Refusal(Reason.NOT_AMENDABLE, "they are not of one trader")
        instrument = self._reference.instrument(orders[0].instrument)
        lot_e9 = instrument.lot_e9 if instrument is not None else 1
        members = tuple((order, care_rules.free_e9(order) // lot_e9 * lot_e9) for order in orders)
        if empty := next((order for order, quantity_e9 in members if not quantity_e9), None):
            return Refusal(Reason.QUANTITY_NOT_POSITIVE, f"less than a lot of {empty.order_id} is free")
        part = self._part(turn, members, command.way, command.command_id)
        if isinstance(part, Refusal):
            return part
        for order, quantity_e9 in members:
            told = Handled(
                act="merge", reason=command.reason, orders=((part.stream, quantity_e9),)
            )  # fmt: skip
            turn.parent(order.id, told)
        self._write(turn, part)
        return _answer("merged", [part])

    def unmerge(self, turn: Turn, order: ParentOrder, command: UnmergeOrder) -> Answer | Refusal:
        """One member goes, or all."""
        if len(order.of) < 2:
            return Refusal(Reason.NOT_AMENDABLE, f"{order.order_id} is not a merged order of several")
        if not command.member:
            return self._end(turn, order, command, "unmerge")
        stream = turn.state.order_ids.get(command.member)
        member = turn.state.parents.get(stream) if stream is not None else None
        if not isinstance(member, ParentOrder):
            return Refusal(Reason.UNKNOWN_ORDER, f"no order has the OrderID {command.member}")
        rest_e9 = care_rules.leave(order, member)
        if isinstance(rest_e9, Refusal):
            return rest_e9
        if order.terms.quantity_e9 - rest_e9 <= order.cum_quantity_e9:  # the others have all that they put in
            return self._end(turn, order, command, "unmerge")
        told = Handled(
            act="unmerge", reason=command.reason, orders=((member.id, rest_e9),)
        )  # fmt: skip
        turn.parent(order.id, told, ShareLeft(order=member.id, returned_e9=rest_e9))
        turn.parent(member.id, po.ChildClosed(child=order.id, status=order.status))
        return Answer(True, f"{from_e9(rest_e9):f} is back with {member.order_id}")

    def pull_back(self, turn: Turn, order: ParentOrder, command: PullBack) -> Answer | Refusal:
        """A part or a merged order ends, and its members have their rest back."""
        return self._end(turn, order, command, "pull_back")

    def _end(self, turn: Turn, order: ParentOrder, command: UnmergeOrder | PullBack, act: CareAct) -> Answer | Refusal:
        events = parent_rules.withdraw(order, text=f"pulled back: {command.reason}")
        if not events:
            return Refusal(Reason.TOO_LATE, f"{order.order_id} is {order.status}, or on its way back already")
        turn.parent(order.id, Handled(act=act, reason=command.reason), *events)
        return Answer(True, "what is left is back as soon as nothing of it is out")

    # ---------------------------------------------------------------------------------------------- one part

    def _part(self, turn: Turn, members: _Members, way: Way, name: str) -> _Made | Refusal:
        """An order that may be made of these, with what its members allow; risk has judged it as a whole."""
        first = members[0][0]
        if way.venue and self._venues is not None and way.venue not in self._venues:
            return Refusal(Reason.BAD_PARAMETER, f"{way.venue} is none of the venue sessions {', '.join(sorted(self._venues))}")
        limit_e9, end_ns, cap_e9 = care_rules.bounds(tuple(order for order, _ in members))
        if not care_rules.within(first.side, limit_e9, way.limit_price_e9 or limit_e9):
            return Refusal(Reason.NOT_AMENDABLE, "the limit is worse than a client's")
        cl_ord_id = f"PART{short_id(stream_id('part', first.id, name), 16)}"
        stream = po.key("", first.trade_date, cl_ord_id)
        quantity_e9 = sum(quantity_e9 for _, quantity_e9 in members)
        order = self._strategies.resolved(_order(first, way, cl_ord_id, quantity_e9, limit_e9), turn.now_ns)
        instrument = self._reference.instrument(first.instrument)
        accepted = parent_intake.place(
            order,
            stream=stream,
            duplicate=stream in turn.state.parents,
            instrument=instrument,
            day=self._reference.day(instrument, turn.now_ns) if instrument is not None else None,
            trade_date=self._reference.trade_date(turn.now_ns),
            now_ns=turn.now_ns,
            arrival=self._markets.get(first.instrument),
        )
        if isinstance(accepted, Refusal):
            return accepted
        terms = accepted.terms
        if terms.algo is Algo.DIRECT and cap_e9 is not None:
            return Refusal(Reason.NOT_AMENDABLE, "its client caps its share of the volume: only our own algorithms keep to that")
        caps = [cap for cap in (terms.max_participation_e9, cap_e9) if cap is not None]
        end_ns = min(terms.end_ns, end_ns)
        kept = {"end_ns": end_ns, "max_participation_e9": min(caps, default=None)}
        if terms.start_ns >= end_ns:
            return Refusal(Reason.END_NOT_AFTER_START, "it would start after its client's end")
        strategy = terms.instructions is not None and terms.instructions.strategy is not None
        accepted = accepted.model_copy(
            update={
                "terms": terms.model_copy(update=kept | ({} if strategy else {"instructions": None})),
                "of": tuple((order.id, quantity_e9) for order, quantity_e9 in members),
                "behalf": first.client_session or first.behalf,
                "route": "" if strategy else way.venue,
            }
        )
        return self._let_pass(turn, _Made(stream, accepted, members))

    def _let_pass(self, turn: Turn, part: _Made) -> _Made | Refusal:
        for order, _ in part.members:
            if held := self._kills.holds(order, venue_of(part.accepted, self._reference)):
                return Refusal(Reason.KILL_SWITCH, held)
        return self._risk.parent(turn, part.stream, part.accepted) or part

    def _write(self, turn: Turn, part: _Made) -> None:
        turn.parent(part.stream, part.accepted)
        for order, quantity_e9 in part.members:
            turn.parent(order.id, parent_rules.release(turn.state.parent(order.id), part.stream, quantity_e9))


def _routed(command: RouteOrder) -> Slice:
    return Slice(venue=command.venue, quantity_e9=command.quantity_e9, limit_price_e9=command.limit_price_e9)


def _order(first: ParentOrder, way: Way, cl_ord_id: str, quantity_e9: int, limit_e9: int | None) -> NewOrder:
    """As if a client had sent it."""
    price_e9 = way.limit_price_e9 or limit_e9
    return NewOrder(
        ref=InboundRef("", 0, 0),
        cl_ord_id=cl_ord_id,
        symbol=first.instrument,
        side=first.side,
        quantity_e9=quantity_e9,
        ord_type=OrdType.MARKET if price_e9 is None else OrdType.LIMIT,
        limit_price_e9=price_e9,
        time_in_force=TimeInForce.DAY,
        account=first.account,
        algo=way.algo,
        parameters=way.parameters,
        fields=way.fields,
        instructions=Instructions(route=way.venue) if way.venue else None,
    )


def _answer(said: str, made: list[_Made]) -> Answer:
    ids = tuple((f"order_id_{n}" if n > 1 else "order_id", part.accepted.order_id) for n, part in enumerate(made, 1))
    return Answer(True, f"{said}: {', '.join(part.accepted.order_id for part in made)}", ids)
