"""What a trader may do about a client's order: which orders wait for one, and decide functions, each a list of refusals.

Nothing here widens what the client asked for: quantity, limit, end and participation cap hold for every part of an order.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

from domain import order_list
from domain import parent_order as po
from domain.care import Returning
from domain.event import Event
from domain.instructions import PLAIN
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.parent_rules import only_as_sent
from domain.refusal import Reason, Refusal
from domain.steering_rules import switched
from domain.terms import Terms
from domain.trading_day import TradingDay
from domain.values import E9, Algo, Side, from_e9

STAGED: Final = "staged: a trader has yet to take it"


@dataclass(frozen=True, slots=True, kw_only=True)
class CareRule:
    """Which orders it is about, and what becomes of them. An empty text or None asks for nothing.

    Attributes:
        algo: as the order asks for it; "direct" for an order without one.
        manual: only orders whose client says "manual" (HandlInst 21=3).
        quantity_min_e9, quantity_max_e9, notional_min_e9, notional_max_e9: bounds, themselves within.
    """

    name: str
    handling: Literal["stage", "work"] = "stage"
    client: str = ""
    symbol: str = ""
    account: str = ""
    algo: str = ""
    side: Side | None = None
    manual: bool = False
    quantity_min_e9: int | None = None
    quantity_max_e9: int | None = None
    notional_min_e9: int | None = None
    notional_max_e9: int | None = None

    def fits(self, order: po.Accepted, notional_e9: int | None) -> bool:
        """Is it about an order? Where nobody knows what the order is worth, a bound keeps none from waiting and lets none go."""
        terms = order.terms
        asked = (self.client, self.symbol, self.account, self.algo)
        has = (order.client_session, order.instrument, order.account, _algo(terms))
        if any(wanted and wanted != found for wanted, found in zip(asked, has, strict=True)):
            return False
        if self.side not in (None, order.side) or (self.manual and (terms.instructions or PLAIN).handl_inst != "3"):
            return False
        if not _within(terms.quantity_e9, self.quantity_min_e9, self.quantity_max_e9):
            return False
        if notional_e9 is None:
            return self.handling == "stage" or (self.notional_min_e9, self.notional_max_e9) == (None, None)
        return _within(notional_e9, self.notional_min_e9, self.notional_max_e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class CareTerms:
    """What the configuration says of care.

    Attributes:
        rules: the first that fits an order decides; an order that none fits is worked at once.
        reserve: does an order that waits count as open for the limits on positions and exposure?
        venues: the sessions that orders can be routed to; None: whatever a person names.
        house_account: the account that takes the other side of blocks; "": none are taken.
        pull_back: how a client is told of what goes back to it.
    """

    rules: tuple[CareRule, ...] = ()
    reserve: bool = True
    venues: AbstractSet[str] | None = None
    house_account: str = ""
    pull_back: Literal["cancel", "done_for_day"] = "cancel"


NO_CARE: Final = CareTerms()


def rule_of(rules: tuple[CareRule, ...], order: po.Accepted, price_e9: int | None) -> CareRule | None:
    """By which rule an order waits for a trader, None where it is worked at once.

    Args:
        price_e9: what it is reckoned at where it has no limit.
    """
    if not rules:
        return None
    at_e9 = order.terms.limit_price_e9 or price_e9
    notional_e9 = None if at_e9 is None else at_e9 * order.terms.quantity_e9 // E9
    found = next((rule for rule in rules if rule.fits(order, notional_e9)), None)
    return found if found is not None and found.handling == "stage" else None


def _algo(terms: Terms) -> str:
    strategy = (terms.instructions or PLAIN).strategy
    return strategy.name if strategy is not None else terms.algo.value


def _within(value_e9: int, low_e9: int | None, high_e9: int | None) -> bool:
    return (low_e9 is None or value_e9 >= low_e9) and (high_e9 is None or value_e9 <= high_e9)


# -------------------------------------------------------------------------------------- taking an order


def waits(state: ParentOrder) -> bool:
    """Does it wait for a trader?"""
    return state.staged and bool(state.care.rule) and state.live


def accept(
    state: ParentOrder, algo: str, parameters: tuple[tuple[str, str], ...], *, instrument: Instrument | None,
    day: TradingDay | None, now_ns: int, arrival: MarketState | None,
) -> tuple[Event, ...] | Refusal:  # fmt: skip
    """A staged order is worked from now on: judged once more as of now, and New for its client.

    Args:
        algo: an algorithm of ours in place of what the client asked for, "manual" for a person; "": as sent.
    """
    if not waits(state):
        return Refusal(Reason.NOT_AMENDABLE, f"the order does not wait for a trader: it is {state.status}")
    events = order_list.start(state, instrument=instrument, day=day, now_ns=now_ns, arrival=arrival)
    begun = events[0]
    if not algo or not isinstance(begun, po.Started):
        return events
    if state.direct and (why := only_as_sent(state.terms)):
        return Refusal(Reason.NOT_AMENDABLE, why)
    terms = _otherwise(begun.terms, algo, parameters)
    return terms if isinstance(terms, Refusal) else (po.Started(terms=terms, arrival=arrival), po.Acknowledged(working=None))


def _otherwise(terms: Terms, algo: str, parameters: tuple[tuple[str, str], ...]) -> Terms | Refusal:
    """The client's terms, worked by a person or by another algorithm of ours."""
    if algo == Algo.MANUAL:
        return terms.model_copy(update={"algo": Algo.MANUAL, "ord_type": None})
    return switched(terms.model_copy(update={"ord_type": None}), algo, parameters)


# ------------------------------------------------------------------------------------ giving an order back


def pull_back(state: ParentOrder, policy: Returning) -> Refusal | Returning:
    """How what is left of an order goes back to its client."""
    if not state.live:
        return Refusal(Reason.TOO_LATE, f"the order is {state.status}")
    if state.pending is not None:
        return Refusal(Reason.ALREADY_PENDING, f"a {state.pending.request} of the client's is pending")
    if state.care.returning:
        return Refusal(Reason.ALREADY_PENDING, "it is on its way back already")
    return "cancel" if state.direct or state.carried else policy


# ------------------------------------------------------------------------------------------------- parts


def may_part(state: ParentOrder) -> Refusal | None:
    """Why nothing can be made of an order's quantity, None where it can: it has to be in a person's hands."""
    if not state.live:
        return Refusal(Reason.TOO_LATE, f"the order is {state.status}")
    if state.staged:
        return Refusal(Reason.NOT_AMENDABLE, "it waits for a trader: accept it first")
    if state.pending is not None or state.care.returning:
        return Refusal(Reason.ALREADY_PENDING, "it is being canceled, replaced or returned")
    if state.direct or state.flattens is not None:
        return Refusal(Reason.NOT_AMENDABLE, "its venue works it as it was sent")
    if state.steering.mode != "by_hand":
        return Refusal(Reason.NOT_AMENDABLE, "take it over first")
    return None


def free_e9(state: ParentOrder) -> int:
    """What is neither filled, nor out, nor in a part."""
    wanted = state.steering.wanted
    return max(0, state.terms.quantity_e9 - state.released_e9 - (wanted.quantity_e9 if wanted is not None else 0))


def together(members: tuple[ParentOrder, ...]) -> Refusal | None:
    """Why orders cannot be merged, None where they can."""
    first = members[0]
    if len({member.id for member in members}) < max(2, len(members)):
        return Refusal(Reason.NOT_AMENDABLE, "two different orders at least are merged")
    for member in members:
        if why := may_part(member):
            return Refusal(why.reason, f"{member.order_id}: {why.text}")
        if member.of:
            return Refusal(Reason.NOT_AMENDABLE, f"{member.order_id} is a part or a merged order itself")
        if (member.instrument, member.side) != (first.instrument, first.side):
            return Refusal(Reason.NOT_AMENDABLE, "they are not of one instrument on one side")
        if (member.client_session, member.account) != (first.client_session, first.account):
            return Refusal(Reason.NOT_AMENDABLE, "they are not of one client and account")
        if not free_e9(member):
            return Refusal(Reason.QUANTITY_NOT_POSITIVE, f"{member.order_id}: nothing of it is free")
    return None


def bounds(members: tuple[ParentOrder, ...]) -> tuple[int | None, int, int | None]:
    """What all members allow: the tightest limit, the earliest end, the smallest participation."""
    limits = [m.terms.limit_price_e9 for m in members if m.terms.limit_price_e9 is not None]
    caps = [m.terms.max_participation_e9 for m in members if m.terms.max_participation_e9 is not None]
    tightest = min if members[0].side is Side.BUY else max
    return tightest(limits, default=None), min(m.terms.end_ns for m in members), min(caps, default=None)


def within(side: Side, limit_e9: int | None, price_e9: int | None) -> bool:
    """Is a limit or a price at or better than what the client allows?"""
    return limit_e9 is None or (price_e9 is not None and side.sign * (price_e9 - limit_e9) <= 0)


def leave(state: ParentOrder, member: ParentOrder) -> Refusal | int:
    """How much a member takes out of a merged order, or why it cannot now."""
    share = next((share for share in state.of if share.order == member.id), None)
    if share is None:
        return Refusal(Reason.NOT_AMENDABLE, f"{member.order_id} is not in {state.order_id}")
    if not state.live or state.pending is not None:
        return Refusal(Reason.TOO_LATE, f"{state.order_id} is {state.status}")
    rest_e9 = share.quantity_e9 - share.got_e9
    if rest_e9 > free_e9(state):
        said = (
            f"{from_e9(state.released_e9 - state.cum_quantity_e9):f} of {state.order_id} is out: pause it, and wait for the venue"
        )
        return Refusal(Reason.NOT_AMENDABLE, said)
    return rest_e9


# ------------------------------------------------------------------------------- executions by telephone, blocks


def may_enter(state: ParentOrder) -> Refusal | None:
    """Why no execution can be entered to an order, None where one can."""
    if state.staged:
        return Refusal(Reason.NOT_AMENDABLE, "it waits for a trader: accept it first")
    if state.direct or state.flattens is not None:
        return Refusal(Reason.NOT_AMENDABLE, "its venue works it as it was sent: only the venue fills it")
    return None


def may_take(state: ParentOrder, quantity_e9: int, price_e9: int) -> Refusal | None:
    """Why the house cannot take a quantity at a price, None where it can."""
    if not state.live:
        return Refusal(Reason.TOO_LATE, f"the order is {state.status}")
    if quantity_e9 > free_e9(state):
        return Refusal(Reason.QUANTITY_NOT_POSITIVE, f"{from_e9(free_e9(state)):f} of the order is free")
    if not within(state.side, state.terms.limit_price_e9, price_e9):
        return Refusal(Reason.NOT_AMENDABLE, "the price is worse than the client's limit")
    return None


def over_e9(state: ParentOrder, quantity_e9: int) -> int:
    """How much more than it asks for an order is filled with so much more."""
    return max(0, state.cum_quantity_e9 + quantity_e9 - state.terms.quantity_e9)


def needs_second(state: ParentOrder, quantity_e9: int) -> str:
    """Why an execution is entered by two persons or not at all, "" where one is enough."""
    if not state.live:
        return f"the order is {state.status}"
    if over := over_e9(state, quantity_e9):
        return f"that is {from_e9(over):f} more than the order asks for"
    if quantity_e9 > free_e9(state):
        return f"only {from_e9(free_e9(state)):f} of the order is free, the rest is out and may fill too"
    return ""
