"""Executions that no venue told of: entered by a person who was told of them by telephone, or taken by the house as a block.

Each is the execution of a child of its own that was never sent, so that positions, costs, allocations and clients see it like
any other. One by telephone has its broker, trade date and reference for its key: entered twice it counts once. A block has its
command.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from domain import care_rules, parent_rules
from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.care import Handled
from domain.care_commands import CorrectFill, EnterFill, TakeBlock
from domain.care_rules import CareTerms
from domain.commands import Answer
from domain.event import InboundRef
from domain.market_state import MarketState
from domain.messages import VenueReport
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import Reason, Refusal
from domain.terms import Terms
from domain.trader import PERSON
from domain.values import Algo, OrdType, Side, StreamId, TimeInForce, from_e9, short_id, stream_id
from ems.risk import RiskGate
from ems.turn import Turn
from ems.venue_desk import VenueDesk

HOUSE: Final = "house"


class _Execution(NamedTuple):
    """An execution that was made elsewhere."""

    channel: Literal["phone", "house"]
    session: str  # who executed: a name that no venue session has
    exec_id: str
    quantity_e9: int
    price_e9: int
    at_ns: int


class HandFills:
    """One for the desk. Pure but for what it is given."""

    def __init__(
        self, reference: Reference, markets: Mapping[str, MarketState], risk: RiskGate, venue: VenueDesk, terms: CareTerms
    ) -> None:
        self._reference, self._markets = reference, markets
        self._risk, self._venue, self._terms = risk, venue, terms

    # ------------------------------------------------------------------------------------------ by telephone

    def enter(self, turn: Turn, order: ParentOrder, command: EnterFill) -> Answer | Refusal:
        """One execution of one order."""
        if command.executed_ns > turn.now_ns:
            return Refusal(Reason.BAD_PARAMETER, "it was not executed in the future")
        at_ns = command.executed_ns or turn.now_ns
        told = _Execution(
            "phone", phone(command.broker), command.reference, command.quantity_e9, command.price_e9, at_ns
        )  # fmt: skip
        stream = self._key(told)
        if (known := turn.state.fills.get(stream)) is not None:
            if known.content == (_cl_ord_id(stream, order), told.quantity_e9, told.price_e9):
                return Answer(True, "entered before", (("fill", str(stream)),))
            return Refusal(
                Reason.DUPLICATE_CL_ORD_ID, f"{command.broker}'s {command.reference} was entered before, as another one"
            )
        if why := care_rules.may_enter(order):
            return why
        over_e9 = care_rules.over_e9(order, command.quantity_e9)
        if (alone := care_rules.needs_second(order, command.quantity_e9)) and not _second(command):
            return Refusal(Reason.NOT_AMENDABLE, f"{alone}: a second person has to say so")
        if not care_rules.within(order.side, order.terms.limit_price_e9, command.price_e9) and not _second(command):
            said = "it is worse than the client's limit: a second person has to say so"
            return Refusal(Reason.NOT_AMENDABLE, said)
        turn.parent(
            order.id,
            Handled(
                act="fill", reason=command.reason, quantity_e9=told.quantity_e9,
                price_e9=told.price_e9, counterparty=command.broker, over_e9=over_e9, approver=command.approver or "",
            ),
        )  # fmt: skip
        self._execute(turn, order, told, order.side, number=0)
        more = f", {from_e9(over_e9):f} more than was asked for" if over_e9 else ""
        return Answer(True, f"entered{more}, and told to the client", (("fill", str(stream)),))

    def correct(self, turn: Turn, order: ParentOrder, command: CorrectFill) -> Answer | Refusal:
        """What a person told was something else. As where a venue busts or corrects an execution, nothing written changes."""
        session = phone(command.broker)
        keys = [_key(session, date, command.reference) for date in self._dates(turn, order)]
        fill = next((turn.state.fills[key] for key in keys if key in turn.state.fills), None)
        child = turn.state.children.get(fill.child) if fill is not None and fill.child is not None else None
        if fill is None or child is None or child.parent != order.id:
            return Refusal(
                Reason.UNKNOWN_ORDER, f"no execution of {command.broker} with the reference {command.reference} is this order's"
            )
        if fill.busted:
            return Refusal(Reason.TOO_LATE, "it was taken back before")
        bust = not command.quantity_e9
        if not bust and ((command.quantity_e9, command.price_e9) == (fill.quantity_e9, fill.price_e9) or not command.price_e9):
            return Refusal(Reason.BAD_PARAMETER, "a correction says another quantity or price")
        if command.quantity_e9 > fill.quantity_e9:
            return Refusal(Reason.QUANTITY_NOT_POSITIVE, "more than was told is an execution of its own")
        turn.parent(
            order.id,
            Handled(
                act="fill", reason=command.reason, quantity_e9=command.quantity_e9,
                price_e9=command.price_e9, counterparty=command.broker,
            ),
        )  # fmt: skip
        self._venue.restated(turn, _restatement(child, fill, command, session, turn.now_ns))
        return Answer(True, "taken back, and told to the client" if bust else "corrected, and told to the client")

    def _dates(self, turn: Turn, order: ParentOrder) -> tuple[str, ...]:
        return tuple({order.trade_date: None, self._reference.trade_date(turn.now_ns): None})

    # ------------------------------------------------------------------------------------------------ blocks

    def block(self, turn: Turn, order: ParentOrder, command: TakeBlock) -> Answer | Refusal:
        """The house buys what its client sells, or sells what it buys: judged as an order of the house account."""
        account = self._terms.house_account
        if not account:
            return Refusal(Reason.NOT_AMENDABLE, "no account of the house takes blocks ([care] house_account)")
        if why := care_rules.may_enter(order) or care_rules.may_take(order, command.quantity_e9, command.price_e9):
            return why
        told = _Execution(HOUSE, HOUSE, "", command.quantity_e9, command.price_e9, turn.now_ns)
        house = self._house(turn, order, command, account)
        if isinstance(house, Refusal):
            return house
        turn.parent(
            order.id,
            Handled(
                act="block", reason=command.reason, quantity_e9=told.quantity_e9,
                price_e9=told.price_e9, counterparty=account, orders=((house.id, told.quantity_e9),),
            ),
        )  # fmt: skip
        name = short_id(stream_id("block", order.id, command.command_id), 16)
        turn.parent(house.id, parent_rules.release(house, co.key(house.id, 1), told.quantity_e9))
        self._execute(turn, turn.state.parent(house.id), told._replace(exec_id=f"{name}H"), house.side, number=1)
        self._execute(turn, turn.state.parent(order.id), told._replace(exec_id=f"{name}C"), order.side, number=0)
        ids = (("order_id", order.order_id), ("house_order_id", house.order_id))
        return Answer(
            True, f"{from_e9(told.quantity_e9):f} at {from_e9(told.price_e9):f} is the house's, and told to the client", ids
        )

    def _house(self, turn: Turn, order: ParentOrder, command: TakeBlock, account: str) -> ParentOrder | Refusal:
        """The house's own order for the other side, if risk lets it pass."""
        side = Side.SELL if order.side is Side.BUY else Side.BUY
        trade_date = self._reference.trade_date(turn.now_ns)
        cl_ord_id = f"BLOCK{short_id(stream_id('block', order.id, command.command_id), 12)}"
        stream = po.key("", trade_date, cl_ord_id)
        terms = Terms(
            quantity_e9=command.quantity_e9, limit_price_e9=command.price_e9, algo=Algo.DIRECT, start_ns=turn.now_ns,
            end_ns=order.terms.end_ns, ord_type=OrdType.LIMIT, time_in_force=TimeInForce.DAY,
        )  # fmt: skip
        accepted = po.Accepted(
            client_session="", trade_date=trade_date, cl_ord_id=cl_ord_id, order_id=po.order_id(stream), account=account,
            instrument=order.instrument, side=side, terms=terms, arrival=self._markets.get(order.instrument), route=HOUSE,
        )  # fmt: skip
        if (refusal := self._risk.parent(turn, stream, accepted)) is not None:
            return refusal
        made: ParentOrder = turn.parent(stream, accepted)
        return made

    # --------------------------------------------------------------------------------------------- executing

    def _execute(self, turn: Turn, order: ParentOrder, told: _Execution, side: Side, *, number: int) -> None:
        """A child that was never sent, and its execution.

        Args:
            number: among its order's children; 0 for one that its order never released.
        """
        stream = self._key(told)
        child = co.key(order.id, number) if number else _child(stream, order)
        market = self._markets.get(order.instrument)
        created = co.Created(
            parent=order.id,
            number=number,
            venue_session=told.session,
            trade_date=self._reference.trade_date(told.at_ns),
            cl_ord_id=co.cl_ord_id(child),
            instrument=order.instrument,
            side=side,
            quantity_e9=told.quantity_e9,
            ord_type=OrdType.LIMIT,
            limit_price_e9=told.price_e9,
            time_in_force=TimeInForce.DAY,
            account=order.account,
            tactic=told.channel,
            bid_e9=market.bid_e9 if market is not None else None,
            ask_e9=market.ask_e9 if market is not None else None,
            channel=told.channel,
        )
        turn.apply(child, created, correlation=order.id)
        recorded = fl.Recorded(
            venue_session=told.session,
            trade_date=created.trade_date,
            exec_id=told.exec_id,
            cl_ord_id=created.cl_ord_id,
            child=child,
            parent=order.id,
            instrument=order.instrument,
            side=side,
            quantity_e9=told.quantity_e9,
            price_e9=told.price_e9,
            venue_time_ns=told.at_ns,
        )
        self._venue.executed(turn, stream, recorded, told.at_ns)

    def _key(self, told: _Execution) -> StreamId:
        return _key(told.session, self._reference.trade_date(told.at_ns), told.exec_id)


def phone(broker: str) -> str:
    """What stands for a venue session where a broker told of an execution by telephone."""
    return f"phone:{broker}"


def _key(session: str, trade_date: str, exec_id: str) -> StreamId:
    return fl.key(session, trade_date, exec_id)


def _child(fill: StreamId, order: ParentOrder) -> StreamId:
    return stream_id("child_order", order.id, fill)


def _cl_ord_id(fill: StreamId, order: ParentOrder) -> str:
    return co.cl_ord_id(_child(fill, order))


def _second(command: EnterFill) -> bool:
    second = command.approver or ""
    return second.startswith(PERSON) and second != command.actor


def _restatement(child: co.ChildOrder, fill: fl.Fill, command: CorrectFill, session: str, now_ns: int) -> VenueReport:
    bust = not command.quantity_e9
    return VenueReport(
        ref=InboundRef(session, 0, 0),
        cl_ord_id=child.cl_ord_id,
        orig_cl_ord_id="",
        order_id="",
        exec_id=f"{command.reference}/{len(fill.exec_ids)}",
        exec_ref_id=command.reference,
        exec_kind="trade_cancel" if bust else "trade_correct",
        ord_status="canceled",
        symbol=child.instrument,
        side=child.side,
        last_quantity_e9=command.quantity_e9,
        last_price_e9=command.price_e9,
        cum_quantity_e9=command.quantity_e9,
        leaves_quantity_e9=0,
        transact_time_ns=now_ns,
    )
