"""What leaves because of an allocation's event: the answer to an instruction, or a report of the division."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from domain import allocation as al
from domain.allocation import Allocation, AllocStatus
from domain.allocation_messages import AllocationAck, AllocationReport
from domain.event import Event, Recorded
from domain.sending import Outbound

TO_CLIENT: Final = (AllocationAck, AllocationReport)


def _answer(recorded: Recorded, after: Allocation) -> Outbound | None:
    """35=P; none for what the order itself brought along."""
    event = recorded.event
    if isinstance(event, al.Accepted) and event.terms.pre_trade:
        return None
    return _ack(event, after, seq=recorded.seq, at_ns=recorded.meta.event_time_ns)


def standing(state: Allocation, alloc_id: str, *, at_ns: int) -> Outbound:
    """The answer that an instruction has had, once more."""
    return replace(_ack(state.answers[alloc_id], state, seq=0, at_ns=at_ns), poss_resend=True)


def _ack(event: Event, state: Allocation, *, seq: int, at_ns: int) -> AllocationAck:
    def ack(alloc_id: str, alloc_type: int | None, status: AllocStatus, text: str = "") -> AllocationAck:
        return AllocationAck(
            session=state.client_session,
            event_seq=seq,
            alloc_id=alloc_id,
            alloc_type=alloc_type,
            trade_date=state.trade_date,
            status=status,
            misfit=None,
            text=text,
            transact_time_ns=at_ns,
        )

    match event:
        case al.Received(terms=terms):
            return ack(terms.alloc_id, terms.alloc_type, "received", "decided when its orders are over")
        case al.Accepted(terms=terms):
            return ack(terms.alloc_id, terms.alloc_type, "accepted")
        case al.Canceled():
            return ack(event.alloc_id, event.alloc_type, "accepted", f"{event.ref_alloc_id} is canceled")
        case _:
            assert isinstance(event, al.Refused)
            status: AllocStatus = "account_reject" if event.accounts else "block_reject"
            refused = ack(event.alloc_id, event.alloc_type, status, event.text)
            return replace(refused, misfit=event.misfit, accounts=event.accounts)


def _reported(recorded: Recorded, after: Allocation) -> Outbound:
    event, terms = recorded.event, after.terms
    assert isinstance(event, al.Reported)
    assert terms is not None
    return AllocationReport(
        session=after.client_session,
        event_seq=recorded.seq,
        report_id=al.report_id(after.id, event.number),
        ref_report_id=al.report_id(after.id, event.ref_number) if event.ref_number else "",
        action=event.action,
        cause=event.cause,
        alloc_id=terms.alloc_id,
        pre_trade=terms.pre_trade,
        misfit=event.misfit,
        text=event.text,
        trade_date=after.trade_date,
        symbol=terms.instrument,
        side=terms.side,
        quantity_e9=event.quantity_e9,
        average_price_e9=event.average_price_e9,
        price_decimals=event.price_decimals,
        currency=event.currency,
        gross_e9=event.gross_e9,
        net_money_e9=event.net_money_e9,
        transact_time_ns=recorded.meta.event_time_ns,
        orders=event.orders,
        parts=event.parts,
    )


DERIVE: Final[Mapping[type[Event], Callable[[Recorded, Any], Outbound | None]]] = {
    **dict.fromkeys((al.Received, al.Accepted, al.Refused, al.Canceled), _answer),
    al.Reported: _reported,
}
