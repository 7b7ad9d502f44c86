"""What may be asked of an allocation, and what follows: the refusals in a fixed order, then the events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from domain import allocation as al
from domain.allocation import Allocation
from domain.allocation_messages import AllocatedOrder, AllocationInstruction
from domain.allocation_report import Booked, Orders, book, settle, withdraw
from domain.allocation_terms import AccountFault, AllocationPolicy, BookedOrder, Fault, Misfit, Share, Terms, divide
from domain.event import Event
from domain.instrument import Instrument
from domain.parent_order import ParentOrder
from domain.proration import Rounding, unit_e9
from domain.values import E9, StreamId, from_e9

PRELIMINARY = 2  # AllocType (626): before money and, for orders that still work, the average price are known
_TYPES = (None, 1, PRELIMINARY)


class Found(NamedTuple):
    """An order that an instruction names, and the order of that name."""

    asked: AllocatedOrder
    parent: ParentOrder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where an allocation lies: its stream, whose it is, on which day."""

    stream: StreamId
    client_session: str
    trade_date: str


def instruct(
    request: AllocationInstruction, head: Head, state: Allocation | None, found: Sequence[Found], orders: Orders,
    *, duplicate: bool,
) -> tuple[Event, ...]:  # fmt: skip
    """What follows from an instruction.

    Args:
        state: of the allocation that a replace or cancel refers to.
        found: what it names, in its order.
        orders: those of them that there are, with what all other allocations have of them.
        duplicate: its AllocID was used before.
    """
    fault = _unfit(request, state, duplicate=duplicate)
    if fault is None and request.action == "cancel":
        assert state is not None
        canceled = al.Canceled(alloc_id=request.alloc_id, alloc_type=request.alloc_type, ref_alloc_id=request.ref_alloc_id)
        return (canceled, *withdraw(state, "canceled by the client", cause="terms"))
    fault = fault or _mismatch(request, found, orders.instrument) or _accounts(request, orders.policy)
    fault = fault or (None if orders.over else _more_than_ordered(request, orders))
    if fault is not None:
        return (_refused(head, request.alloc_id, request.alloc_type, fault),)
    terms = _terms(request, found)
    if not orders.over:
        return (al.Received(client_session=head.client_session, trade_date=head.trade_date, terms=terms),)
    return decide(terms, head, state, orders)


def decide(terms: Terms, head: Head, state: Allocation | None, orders: Orders) -> tuple[Event, ...]:
    """What follows from an instruction whose orders are over: it is accepted and reported, or refused."""
    fitted = _fit(terms, orders)
    if not isinstance(fitted, Fault):
        booked = book(fitted, orders)
        divided = divide(booked.quantity_e9, fitted.shares, orders.policy, orders.instrument.lot_e9 if orders.instrument else E9)
        fault = _prices(fitted, booked, orders.policy) or (divided if isinstance(divided, Fault) else None)
        if fault is None:
            return accept(fitted, head, state, orders)
        fitted = fault
    waited = state is not None and state.waiting is not None and state.waiting.alloc_id == terms.alloc_id
    return (_refused(head, terms.alloc_id, terms.alloc_type, fitted, ends_waiting=waited),)


def accept(terms: Terms, head: Head, state: Allocation | None, orders: Orders) -> tuple[Event, ...]:
    """The terms hold, and what they come to is reported."""
    accepted = al.Accepted(client_session=head.client_session, trade_date=head.trade_date, terms=terms)
    after = al.evolve(state, accepted, stream=head.stream, at_ns=0)
    return (accepted, *settle(after, orders, anew=True))


def pre_trade(parent: ParentOrder) -> Terms | None:
    """The allocation that an order brought along (NoAllocs 78 on D and G), under the order's own id."""
    instructions = parent.terms.instructions
    if instructions is None or not instructions.allocations:
        return None
    shares = [
        Share(account=p.account, quantity_e9=p.quantity_e9, individual_id=p.individual_id) for p in instructions.allocations
    ]
    return Terms(
        alloc_id=parent.order_id,
        pre_trade=True,
        instrument=parent.instrument,
        side=parent.side,
        orders=(BookedOrder(parent=parent.id, cl_ord_id=parent.cl_ord_id, order_id=parent.order_id),),
        shares=tuple(shares),
    )


def _refused(head: Head, alloc_id: str, alloc_type: int | None, fault: Fault, *, ends_waiting: bool = False) -> al.Refused:
    return al.Refused(
        client_session=head.client_session,
        trade_date=head.trade_date,
        alloc_id=alloc_id,
        alloc_type=alloc_type,
        misfit=fault.misfit,
        text=fault.text,
        accounts=fault.accounts,
        ends_waiting=ends_waiting,
    )


# ------------------------------------------------------------------------------------ the message itself


def _unfit(request: AllocationInstruction, state: Allocation | None, *, duplicate: bool) -> Fault | None:
    """Its id, what could not be read of it, what it refers to."""
    if duplicate:
        return Fault(Misfit.OTHER, f"AllocID {request.alloc_id} was used before in this session for {request.trade_date}")
    if request.refusal is not None:
        return Fault(Misfit.OTHER, request.refusal.text)
    if request.action == "new":
        return None
    ref = request.ref_alloc_id
    current = (state.waiting or state.terms) if state is not None else None
    if state is None or current is None:
        return Fault(Misfit.OTHER, f"no allocation of this session for {request.trade_date} has the AllocID {ref!r}")
    if state.canceled:
        return Fault(Misfit.OTHER, f"the allocation {current.alloc_id} was canceled")
    if ref != current.alloc_id:
        return Fault(Misfit.OTHER, f"RefAllocID (72) is {ref}, the allocation's last AllocID is {current.alloc_id}")
    return None


def _mismatch(request: AllocationInstruction, found: Sequence[Found], instrument: Instrument | None) -> Fault | None:
    """What does not fit the orders that it names."""
    if request.alloc_type not in _TYPES:
        return Fault(Misfit.OTHER, f"AllocType (626) {request.alloc_type} is not 1 (calculated) or 2 (preliminary)")
    if not found:
        return Fault(Misfit.UNKNOWN_CL_ORD_ID, "no order is named (NoOrders 73)")
    for one in found:
        if (fault := _other_order(request, one)) is not None:
            return fault
    if len({one.parent.id for one in found if one.parent is not None}) < len(found):
        return Fault(Misfit.MISMATCHED, "an order is named twice (NoOrders 73)")
    if request.currency and instrument is not None and request.currency != instrument.currency:
        said = f"Currency (15) is {request.currency}, {instrument.symbol} trades in {instrument.currency}"
        return Fault(Misfit.MISMATCHED, said)
    return None


def _other_order(request: AllocationInstruction, found: Found) -> Fault | None:
    """Why an order is not the one that is meant. Of another session's order nothing is told, not even that it exists."""
    asked, parent = found
    if parent is None and asked.order_id:
        return Fault(Misfit.UNKNOWN_ORDER_ID, f"no order of this session has the OrderID {asked.order_id}")
    if parent is None:
        said = f"no order of this session on {request.trade_date} has the ClOrdID {asked.cl_ord_id}"
        return Fault(Misfit.UNKNOWN_CL_ORD_ID, said)
    name = f"order {parent.order_id}"
    if parent.trade_date != request.trade_date and not parent.carried:
        return Fault(Misfit.MISMATCHED, f"TradeDate (75) is {request.trade_date}, {name} is of {parent.trade_date}")
    if parent.instrument != request.symbol:
        return Fault(Misfit.MISMATCHED, f"Symbol (55) is {request.symbol}, {name} is in {parent.instrument}")
    if parent.side is not request.side:
        given = request.side if request.side is not None else "not 1 (buy) or 2 (sell)"
        return Fault(Misfit.MISMATCHED, f"Side (54) is {given}, {name} is to {parent.side}")
    return None


def _accounts(request: AllocationInstruction, policy: AllocationPolicy) -> Fault | None:
    """What is wrong with the accounts, and with what they ask for."""
    if request.quantity_e9 <= 0:
        return Fault(Misfit.WRONG_QUANTITY, f"Quantity (53) must be positive, not {from_e9(request.quantity_e9)}")
    if not request.shares:
        return Fault(Misfit.WRONG_ALLOCATED_QUANTITY, "no account is named (NoAllocs 78)")
    if faults := [fault for share in request.shares if (fault := _account(share, policy)) is not None]:
        return Fault(faults[0].misfit, faults[0].text, tuple(faults))
    asked = [share.quantity_e9 for share in request.shares if share.quantity_e9 is not None]
    if asked and (len(asked) < len(request.shares) or sum(asked) != request.quantity_e9):
        said = f"the AllocQty (80) add up to {from_e9(sum(asked))}, Quantity (53) is {from_e9(request.quantity_e9)}"
        return Fault(Misfit.WRONG_ALLOCATED_QUANTITY, said)
    return None


def _account(share: Share, policy: AllocationPolicy) -> AccountFault | None:
    if not share.account or (policy.accounts and share.account not in policy.accounts):
        return _fault(share, Misfit.UNKNOWN_ACCOUNT, f"account {share.account!r} is not known here")
    if share.quantity_e9 is not None and share.quantity_e9 <= 0:
        said = f"AllocQty (80) of account {share.account} must be positive, not {from_e9(share.quantity_e9)}"
        return _fault(share, Misfit.WRONG_ALLOCATED_QUANTITY, said)
    return None


def _fault(share: Share, misfit: Misfit, text: str) -> AccountFault:
    return AccountFault(account=share.account, individual_id=share.individual_id, misfit=misfit, text=text)


def _more_than_ordered(request: AllocationInstruction, orders: Orders) -> Fault | None:
    ordered_e9 = sum(max(p.terms.quantity_e9, p.cum_quantity_e9) for p in orders.parents.values())
    if request.quantity_e9 <= ordered_e9:
        return None
    said = f"Quantity (53) is {from_e9(request.quantity_e9)}, the orders are for {from_e9(ordered_e9)}"
    return Fault(Misfit.WRONG_QUANTITY, said)


def _terms(request: AllocationInstruction, found: Sequence[Found]) -> Terms:
    assert request.side is not None
    orders = [
        BookedOrder(parent=parent.id, cl_ord_id=asked.cl_ord_id, order_id=parent.order_id, booked_e9=asked.booking_e9)
        for asked, parent in found
        if parent is not None
    ]
    return Terms(
        alloc_id=request.alloc_id,
        ref_alloc_id=request.ref_alloc_id,
        alloc_type=request.alloc_type,
        instrument=request.symbol,
        side=request.side,
        quantity_e9=request.quantity_e9,
        average_price_e9=request.average_price_e9,
        price_decimals=request.price_decimals,
        orders=tuple(orders),
        shares=request.shares,
    )


# -------------------------------------------------------------------------------- against what is executed


def _fit(terms: Terms, orders: Orders) -> Terms | Fault:
    """The terms with how much of each order they take, if that much is executed and free.

    Where OrderBookingQty (800) does not say: of a single order what the others leave, of several all that is free.
    """
    assert terms.quantity_e9 is not None
    free_e9 = {booked.parent: orders.free_e9(booked.parent) for booked in terms.orders}
    for booked in terms.orders:
        if booked.booked_e9 is not None and not 0 < booked.booked_e9 <= free_e9[booked.parent]:
            said = f"OrderBookingQty (800) is {from_e9(booked.booked_e9)}, of order {booked.order_id} "
            return Fault(Misfit.WRONG_QUANTITY, f"{said}{from_e9(free_e9[booked.parent])} is executed and not allocated")
    silent = [booked.parent for booked in terms.orders if booked.booked_e9 is None]
    rest_e9 = terms.quantity_e9 - sum(booked.booked_e9 or 0 for booked in terms.orders)
    there_e9 = sum(free_e9[parent] for parent in silent)
    if not silent and rest_e9:
        said = f"the OrderBookingQty (800) add up to {from_e9(terms.quantity_e9 - rest_e9)}"
        return Fault(Misfit.WRONG_QUANTITY, f"{said}, Quantity (53) is {from_e9(terms.quantity_e9)}")
    if rest_e9 > there_e9:
        said = f"Quantity (53) is {from_e9(terms.quantity_e9)}, {from_e9(terms.quantity_e9 - rest_e9 + there_e9)} "
        return Fault(Misfit.WRONG_QUANTITY, f"{said}is executed and not allocated")
    if silent and (rest_e9 <= 0 or (rest_e9 != there_e9 and len(silent) > 1)):
        said = f"Quantity (53) is {from_e9(terms.quantity_e9)} and not all that is executed"
        return Fault(Misfit.WRONG_QUANTITY, f"{said}: OrderBookingQty (800) has to say how much of each order")
    taken_e9 = {parent: rest_e9 if len(silent) == 1 else free_e9[parent] for parent in silent}
    fitted = [b if b.booked_e9 is not None else b.model_copy(update={"booked_e9": taken_e9[b.parent]}) for b in terms.orders]
    return terms.model_copy(update={"orders": tuple(fitted)})


def _prices(terms: Terms, booked: Booked, policy: AllocationPolicy) -> Fault | None:
    """Prices that are not ours: beyond half a unit of the last decimal (a whole one where the client cuts off) and the
    tolerance agreed. A preliminary instruction may leave the price open with a zero.
    """
    decimals = terms.price_decimals if terms.price_decimals is not None else policy.price_decimals
    ours_e9 = booked.notional_e18 / booked.quantity_e9
    slack_e9 = Fraction(unit_e9(decimals), 1 if policy.rounding is Rounding.DOWN else 2) + policy.price_tolerance_e9

    def wrong(price_e9: int) -> bool:
        return abs(price_e9 - ours_e9) > slack_e9

    said = f"the average price of what is executed is {from_e9(round(ours_e9)):f}"
    given_e9 = terms.average_price_e9
    if not (given_e9 in (None, 0) and terms.alloc_type == PRELIMINARY) and wrong(given_e9 or 0):
        return Fault(Misfit.WRONG_PRICE, f"AvgPx (6) is {from_e9(given_e9 or 0):f}, {said}")
    faults = [
        _fault(share, Misfit.WRONG_PRICE, f"AllocPrice (366) of account {share.account} is {from_e9(share.price_e9):f}, {said}")
        for share in terms.shares
        if share.price_e9 is not None and wrong(share.price_e9)
    ]
    return Fault(Misfit.WRONG_PRICE, faults[0].text, tuple(faults)) if faults else None
