"""What may be asked of a parent order, and what follows: decide functions, each a list of refusals, then the events."""

from __future__ import annotations

from domain import order_checks
from domain import parent_order as po
from domain.errors import InvariantBroken
from domain.event import Event
from domain.instructions import PLAIN
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.messages import CancelOrder, ReplaceOrder
from domain.order_life import OrdStatus
from domain.parent_intake import read_terms
from domain.parent_order import ParentOrder
from domain.refusal import Reason, Refusal
from domain.session_policy import DEFAULT, SessionPolicy
from domain.terms import Terms
from domain.trading_day import TradingDay
from domain.values import Algo, OrdType, StreamId, TimeInForce, from_e9

# --------------------------------------------------------------------------------------------- requests


def cancel(state: ParentOrder, request: CancelOrder, *, policy: SessionPolicy = DEFAULT) -> tuple[Event, ...] | Refusal:
    """A client's cancel."""
    if not state.live:
        return Refusal(Reason.TOO_LATE, f"the order is {state.status}")
    another = any(asked.request == "cancel" for asked in requests(state))
    if another and policy.requests == "refuse":
        return Refusal(Reason.ALREADY_PENDING, "a cancel is already pending")
    if another:
        return (po.RequestQueued(request="cancel", cl_ord_id=request.cl_ord_id),)
    return _end(state, request.cl_ord_id)


def withdraw(state: ParentOrder, *, text: str, restatement_reason: int | None = None) -> tuple[Event, ...]:
    """A cancel that the desk itself makes, as of every order of a mass cancel: nothing refuses it. Empty where the order
    has ended or is being canceled. Its reports carry the order's own ClOrdID, for no request has named the order.

    Args:
        text: why, for the client.
        restatement_reason: ExecRestatementReason (378) of the end, None where the client asked for it.
    """
    if not state.live or any(asked.request == "cancel" for asked in requests(state)):
        return ()
    return _end(state, "", text, restatement_reason)


def _end(state: ParentOrder, cl_ord_id: str, text: str = "", reason: int | None = None) -> tuple[Event, ...]:
    """A cancel never waits: what was asked before and is not done is overtaken, except at a direct order's venue, which
    answers for itself, and behind a replace that waits for an order that is filled. Done at once where nothing is at a venue.
    """
    if state.children if state.direct else not state.leaves_e9:
        return (po.RequestQueued(request="cancel", cl_ord_id=cl_ord_id, text=text, restatement_reason=reason),)
    unseen = state.status is OrdStatus.PENDING_NEW and not state.care.rule  # New before an end, but where a trader never took it
    events: list[Event] = [po.Acknowledged(working=None)] if unseen else []
    events += [_overtaken(asked, "overtaken by a cancel") for asked in requests(state)]
    if state.open_e9:
        return (*events, po.CancelRequested(cl_ord_id=cl_ord_id, text=text, restatement_reason=reason))
    return (*events, _canceled(state, cl_ord_id, text, reason))


def _canceled(state: ParentOrder, cl_ord_id: str, text: str, reason: int | None) -> po.Canceled:
    text = text or "canceled by the client"
    return po.Canceled(cl_ord_id=cl_ord_id or state.cl_ord_id, text=text, restatement_reason=reason)


def requests(state: ParentOrder) -> tuple[po.Pending, ...]:
    """What the client has asked for and not had an answer to, in order."""
    return (state.pending, *state.queue) if state.pending is not None else ()


def amend(
    state: ParentOrder, request: ReplaceOrder, *, instrument: Instrument | None, day: TradingDay | None, now_ns: int,
    policy: SessionPolicy = DEFAULT,
) -> tuple[Event, ...] | Refusal:  # fmt: skip
    """A client's replace: at once where nothing is at a venue, else pending until the children are withdrawn.

    Behind another request it waits for its turn. A direct order's venue decides.
    """
    if not state.live and not (policy.reopen_filled and _reopens(state, request)):
        return Refusal(Reason.TOO_LATE, f"the order is {state.status}")
    if state.pending is not None and policy.requests == "refuse":
        return Refusal(Reason.ALREADY_PENDING, f"a {state.pending.request} is already pending")
    if request.side is not state.side or request.symbol != state.instrument:
        return Refusal(Reason.NOT_AMENDABLE, "symbol and side cannot be amended")
    sized = order_checks.size(request, instrument, None)
    if isinstance(sized, Refusal):
        return sized
    terms = read_terms(sized, instrument=instrument, day=day, now_ns=now_ns)
    if isinstance(terms, Refusal):
        return terms
    if state.care.asked is Algo.DIRECT and terms.algo is Algo.DIRECT:  # a trader works it otherwise, and goes on so
        if why := only_as_sent(terms):
            return Refusal(Reason.NOT_AMENDABLE, f"a trader works the order: {why}")
        terms = terms.model_copy(update={"algo": state.terms.algo, "ord_type": None})
    if (terms.algo is Algo.DIRECT) is not state.direct:
        return Refusal(Reason.NOT_AMENDABLE, "a direct order stays direct, and an algorithm's order stays with an algorithm")
    if _strategy(state.terms) != _strategy(terms):
        return Refusal(Reason.NOT_AMENDABLE, "a broker's algorithm is neither given to an order nor taken from it")
    if state.staged and day is not None:
        return (po.Replaced(cl_ord_id=request.cl_ord_id, terms=terms.until(day.close_ns)),)
    if state.direct or state.pending is not None:
        return (po.RequestQueued(request="replace", cl_ord_id=request.cl_ord_id, terms=terms),)
    if state.open_e9 and state.live:  # a filled order that is reopened is larger than all that is out
        return (po.ReplaceRequested(cl_ord_id=request.cl_ord_id, terms=terms),)
    return (po.Replaced(cl_ord_id=request.cl_ord_id, terms=terms),)


def asked_for(events: tuple[Event, ...]) -> Terms | None:
    """The terms that the answer to a replace grants, or asks a venue for."""
    return next((e.terms for e in events if isinstance(e, po.Replaced | po.ReplaceRequested | po.RequestQueued)), None)


def only_as_sent(terms: Terms) -> str:
    """Why an order can be worked by nothing but its venue, "" where it can."""
    given = terms.instructions or PLAIN
    if given.strategy is not None:
        return "it is for a broker's algorithm"
    if terms.ord_type not in (None, OrdType.LIMIT, OrdType.MARKET):
        return f"its venue has to watch its price: it is a {terms.ord_type} order"
    if terms.time_in_force is not TimeInForce.DAY:
        return f"its time in force is {terms.time_in_force}"
    return "it says how much of it may be shown or filled at once" if given.min_quantity_e9 or given.max_floor_e9 else ""


def _strategy(terms: Terms) -> bool:
    return terms.instructions is not None and terms.instructions.strategy is not None


def _reopens(state: ParentOrder, request: ReplaceOrder) -> bool:
    return state.status is OrdStatus.FILLED and request.quantity_e9 > state.terms.quantity_e9


# --------------------------------------------------------------------------------------- what follows


def overtaken(state: ParentOrder, asked: po.Pending) -> po.RequestRefused:
    """The answer to a request that was not done when the order ended."""
    return _overtaken(asked, f"the order is {state.status if state.leaves_e9 or not state.live else OrdStatus.FILLED}")


def _overtaken(asked: po.Pending, text: str) -> po.RequestRefused:
    return po.RequestRefused(
        request=asked.request, cl_ord_id=asked.cl_ord_id, reason=Reason.TOO_LATE, text=text, ends_pending=True
    )


def _asks_for_no_more(state: ParentOrder, asked: po.Pending) -> bool:
    return asked.terms is None or asked.terms.quantity_e9 <= state.cum_quantity_e9


def promote(state: ParentOrder) -> tuple[Event, ...]:
    """A request whose turn has come shows in the order's status while its children are withdrawn."""
    asked = state.pending
    if asked is None or asked.shown or not state.live or not state.open_e9 or state.direct:
        return ()
    if asked.terms is None:
        return (shown(asked),)
    return (po.ReplaceRequested(cl_ord_id=asked.cl_ord_id, terms=asked.terms),)


def shown(asked: po.Pending) -> po.CancelRequested:
    """A cancel that shows in the order's status from now on."""
    return po.CancelRequested(cl_ord_id=asked.cl_ord_id, text=asked.text, restatement_reason=asked.restatement_reason)


def release(state: ParentOrder, child: StreamId, quantity_e9: int, *, late_e9: int = 0) -> po.ChildReleased:
    """Reserve quantity for a new child. Raises InvariantBroken if the children would exceed the parent."""
    if not state.live or (state.pending is not None and not state.direct):
        raise InvariantBroken(f"parent {state.id} is {state.status}: it releases nothing")
    if quantity_e9 <= 0 or state.released_e9 + quantity_e9 > state.terms.quantity_e9:
        raise InvariantBroken(f"releasing {quantity_e9} over {state.released_e9} of {state.terms.quantity_e9}")
    return po.ChildReleased(child=child, number=state.children + 1, quantity_e9=quantity_e9, late_e9=late_e9)


def settle(state: ParentOrder, *, now_ns: int, market: MarketState | None) -> tuple[Event, ...]:
    """The one step that follows from the state alone, once no child is open: end what is pending, expired or over."""
    if state.finished or state.open_e9:
        return ()
    if not state.live and state.pending is not None:
        return () if state.direct else (overtaken(state, state.pending),)
    if not state.live:
        return (
            po.Finished(
                status=state.status,
                cum_quantity_e9=state.cum_quantity_e9,
                average_price_e9=state.average_price_e9,
                market=market,
            ),
        )
    if state.direct and not state.staged:  # its child tells
        return ()
    if state.pending is not None and not state.leaves_e9 and _asks_for_no_more(state, state.pending):
        return (overtaken(state, state.pending),)
    if state.pending is not None:
        if state.pending.terms is None:
            asked = state.pending
            return (_canceled(state, asked.cl_ord_id, asked.text, asked.restatement_reason),)
        return (po.Replaced(cl_ord_id=state.pending.cl_ord_id, terms=state.pending.terms),)
    if state.care.returning:
        return (returned(state),)
    if now_ns >= state.terms.end_ns:
        expired = po.Expired(text=f"end time reached with {from_e9(state.leaves_e9)} not done")
        unseen = state.status is OrdStatus.PENDING_NEW and not state.care.rule
        return (po.Acknowledged(working=None), expired) if unseen else (expired,)
    return ()


def returned(state: ParentOrder) -> po.Canceled | po.DoneForDay:
    """The end of an order that the desk gives back to its client, once nothing of it is out."""
    text = f"returned by the desk: {state.care.why}"
    if state.care.returning == "done_for_day":
        return po.DoneForDay(text=text)
    return po.Canceled(cl_ord_id=state.cl_ord_id, text=text)
