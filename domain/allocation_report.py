"""What an allocation comes to: which executions it has, at what price, and each account's part.

It is worked out from the orders as they are now, whatever has happened to them. Allocations of one order have its
executions in the order in which they were accepted: where a bust leaves too little for all, the last give way.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

from domain.allocation import Allocation, OrderPart, Part, Reported
from domain.allocation_terms import AllocationPolicy, Fault, Terms, divide
from domain.instrument import Instrument
from domain.parent_order import ParentOrder
from domain.proration import average_price_e9, money_e9, rounding_max_e18
from domain.values import E9, StreamId, divide_round, from_e9

AS_ASKED = "as asked"
Cause = Literal["terms", "executions"]


class Orders(NamedTuple):
    """What was agreed beside an allocation, and its orders as they are.

    Attributes:
        parents: every order of the allocation.
        taken_e9: of each order, what other allocations have of its executions; none where an order is left out.
    """

    parents: Mapping[StreamId, ParentOrder]
    taken_e9: Mapping[StreamId, int]
    policy: AllocationPolicy
    instrument: Instrument | None

    @property
    def over(self) -> bool:
        """Is all executed that will be, as far as anyone knows?"""
        return all(parent.finished and not parent.live for parent in self.parents.values())

    def free_e9(self, parent: StreamId) -> int:
        """What is executed of an order and nobody else's."""
        return max(0, self.parents[parent].cum_quantity_e9 - self.taken_e9.get(parent, 0))


class Booked(NamedTuple):
    """The executions of an allocation. notional_e18 is exact: a part of an order is booked at the order's average."""

    quantity_e9: int
    notional_e18: Fraction
    orders: tuple[OrderPart, ...]


def book(terms: Terms, orders: Orders) -> Booked:
    """The executions that an allocation has: of each order what it may have, as far as it is there."""
    parts: list[OrderPart] = []
    notional_e18 = Fraction(0)
    for booked in terms.orders:
        parent, free_e9 = orders.parents[booked.parent], orders.free_e9(booked.parent)
        quantity_e9 = free_e9 if booked.booked_e9 is None else min(free_e9, booked.booked_e9)
        parts.append(
            OrderPart(
                parent=parent.id,
                cl_ord_id=booked.cl_ord_id,
                order_id=booked.order_id,
                quantity_e9=quantity_e9,
                average_price_e9=parent.average_price_e9,
            )
        )
        if quantity_e9:
            notional_e18 += Fraction(quantity_e9 * parent.notional_e18, parent.cum_quantity_e9)
    return Booked(sum(part.quantity_e9 for part in parts), notional_e18, tuple(parts))


def settle(state: Allocation, orders: Orders, *, anew: bool = False) -> tuple[Reported, ...]:
    """The report that is due, if any: nothing while the last one says what is.

    An order may work again after a bust. Until it is over, only what makes the last report wrong is told at once: less
    executed than it says, or the same at another price. That nothing can be divided is told once.

    Args:
        anew: the terms are new, so that there is something to say whatever was said before.
    """
    assert state.terms is not None
    booked = book(state.terms, orders)
    cause: Cause = "terms" if anew else "executions"
    executed = (booked.quantity_e9, divide_round(*booked.notional_e18.as_integer_ratio()))
    last, holding = state.report, state.reported
    if not anew:
        if executed == ((last.executed_e9, last.executed_notional_e18) if last is not None else (0, 0)):
            return ()
        if not orders.over and (holding is None or not _overstates(holding, executed)):
            return ()
    if not booked.quantity_e9:
        return withdraw(state, "nothing of it is executed any more", cause=cause)
    parts = divide(booked.quantity_e9, state.terms.shares, orders.policy, orders.instrument.lot_e9 if orders.instrument else E9)
    if not isinstance(parts, Fault):
        return (_report(state, booked, parts, orders, cause),)
    if holding is not None:
        return withdraw(state, parts.text, cause=cause, fault=parts, executed=executed)
    return () if last is not None and not anew else (_report(state, booked, (), orders, cause, fault=parts),)


def _overstates(holding: Reported, executed: tuple[int, int]) -> bool:
    quantity_e9, notional_e18 = executed
    fewer = quantity_e9 < holding.executed_e9
    return fewer or (quantity_e9 == holding.executed_e9 and notional_e18 != holding.executed_notional_e18)


def withdraw(
    state: Allocation, text: str, *, cause: Cause, fault: Fault | None = None, executed: tuple[int, int] = (0, 0)
) -> tuple[Reported, ...]:
    """The report that holds is canceled, where there is one: it repeats what it cancels, without the accounts."""
    holding = state.reported
    if holding is None:
        return ()
    changes = {
        "number": holding.number + 1,
        "action": "cancel",
        "ref_number": holding.number,
        "cause": cause,
        "misfit": fault.misfit if fault is not None else None,
        "text": text,
        "executed_e9": executed[0],
        "executed_notional_e18": executed[1],
        "rounding_e18": 0,
        "parts": (),
    }
    return (Reported.sample(**{**holding.model_dump(), **changes}),)


def _report(
    state: Allocation, booked: Booked, parts: tuple[int, ...], orders: Orders, cause: Cause, fault: Fault | None = None
) -> Reported:
    terms, policy, instrument, holding = state.terms, orders.policy, orders.instrument, state.reported
    assert terms is not None
    quantity_e9 = booked.quantity_e9
    decimals = terms.price_decimals if terms.price_decimals is not None else policy.price_decimals
    price_e9 = average_price_e9(booked.notional_e18, quantity_e9, decimals, policy.rounding)
    notional_e18 = divide_round(*booked.notional_e18.as_integer_ratio())
    rounding_e18 = quantity_e9 * price_e9 - notional_e18
    money = tuple(_money_e9(part_e9, price_e9, instrument) for part_e9 in parts)
    return Reported(
        number=state.report.number + 1 if state.report is not None else 1,
        action="replace" if holding is not None else "new",
        ref_number=holding.number if holding is not None else 0,
        cause=cause,
        misfit=fault.misfit if fault is not None else None,
        text=fault.text if fault is not None else _rounded(rounding_e18, decimals),
        executed_e9=quantity_e9,
        executed_notional_e18=notional_e18,
        quantity_e9=quantity_e9,
        average_price_e9=price_e9,
        price_decimals=decimals,
        rounding_e18=rounding_e18,
        rounding_max_e18=rounding_max_e18(quantity_e9, decimals, policy.rounding),
        rule=AS_ASKED if tuple(share.quantity_e9 for share in terms.shares) == parts else policy.rule(),
        currency=instrument.currency if instrument is not None else "",
        gross_e9=divide_round(notional_e18 * instrument.multiplier_e9, E9 * E9) if instrument is not None else None,
        net_money_e9=sum(m for m in money if m is not None) if instrument is not None and parts else None,
        orders=booked.orders,
        parts=tuple(
            Part(account=share.account, individual_id=share.individual_id, quantity_e9=part_e9, net_money_e9=net_e9)
            for share, part_e9, net_e9 in zip(terms.shares, parts, money, strict=bool(parts))
        ),
    )


def _money_e9(quantity_e9: int, price_e9: int, instrument: Instrument | None) -> int | None:
    if instrument is None:
        return None
    return money_e9(quantity_e9, price_e9, instrument.multiplier_e9, instrument.currency)


def _rounded(rounding_e18: int, decimals: int) -> str:
    """What rounding the average price did, in words; "" where it did nothing."""
    if not rounding_e18:
        return ""
    least = "less than 0.000000001"
    by = from_e9(round(Fraction(abs(rounding_e18), E9)))
    more = "more" if rounding_e18 > 0 else "less"
    return f"quantity x price is {f'{by:f}' if by else least} {more} than executed: AvgPx has {decimals} decimals"
