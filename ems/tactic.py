"""How a due quantity becomes child orders: rest at the near touch first, take the far touch when it is late."""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.child_order import ChildOrder
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.order_life import RESTING
from domain.parent_order import ParentOrder
from domain.values import E9, Side

MANUAL: Final = "manual"  # the tactic of what a person placed


class Proposal(NamedTuple):
    """A child order to create: a day limit order, never worse than the parent's limit."""

    quantity_e9: int
    limit_price_e9: int
    tactic: str  # passive, aggressive, would, manual


def propose(
    parent: ParentOrder, market: MarketState, instrument: Instrument, *, now_ns: int, closing_ns: int
) -> tuple[Proposal, ...]:
    """What to release now.

    Due is what the schedule has begun and nothing covers yet. Of that, what has waited at a venue in vain is late
    and takes the far touch, as is everything from closing_ns on; the rest joins the near touch. With a would-price,
    everything left goes out as soon as the far touch is at that price or better. Nothing without a touch to price it
    from. Where a person has taken over, what the person has placed and nothing else.

    Args:
        closing_ns: when the order's end is so near that nothing may wait passively any more.
    """
    if parent.steering.mode != "algo":
        return _by_hand(parent, market, instrument)
    near_e9, far_e9 = _touch(parent.side, market)
    if parent.steering.complete and far_e9 is not None:
        all_e9 = min(parent.terms.quantity_e9 - parent.released_e9, participation_room_e9(parent, market))
        return _sized(parent, instrument, ((all_e9, far_e9, "aggressive"),))
    if near_e9 is None or far_e9 is None or parent.schedule is None:
        return ()
    left_e9 = parent.terms.quantity_e9 - parent.released_e9
    if _would(parent, far_e9):
        return _sized(parent, instrument, ((left_e9, parent.terms.would_price_e9 or far_e9, "would"),))
    room_e9 = min(left_e9, participation_room_e9(parent, market))
    due_e9 = min(room_e9, parent.schedule.target_e9(now_ns) - parent.released_e9)
    late_e9 = due_e9 if now_ns >= closing_ns else min(due_e9, parent.late_e9)
    late_e9 = max(0, late_e9) // instrument.lot_e9 * instrument.lot_e9
    return _sized(
        parent,
        instrument,
        ((late_e9, _within(parent, far_e9), "aggressive"), (due_e9 - late_e9, _within(parent, near_e9), "passive")),
    )


def _by_hand(parent: ParentOrder, market: MarketState, instrument: Instrument) -> tuple[Proposal, ...]:
    """What a person has placed and is not out yet; it waits for room under the client's participation cap."""
    wanted = parent.steering.wanted
    room_e9 = min(parent.terms.quantity_e9 - parent.released_e9, participation_room_e9(parent, market))
    if wanted is None or parent.steering.mode != "by_hand" or wanted.quantity_e9 > room_e9:
        return ()
    return _sized(parent, instrument, ((wanted.quantity_e9, wanted.limit_price_e9, MANUAL),))


def steered_away(parent: ParentOrder, child: ChildOrder) -> str:
    """Why a person's steering has no place for a child that rests, "" if it has."""
    steering = parent.steering
    if steering.mode == "paused":
        return "paused by a person"
    if (child.tactic == MANUAL) != (steering.mode == "by_hand"):
        return "taken over by hand" if steering.mode == "by_hand" else "given back to the algorithm"
    return "complete now" if steering.complete and child.tactic == "passive" and child.status in RESTING else ""


def participation_room_e9(parent: ParentOrder, market: MarketState) -> int:
    """How much more the participation cap allows at a venue, given the volume since work began."""
    cap_e9 = parent.terms.max_participation_e9
    if cap_e9 is None:
        return parent.terms.quantity_e9
    started_e9 = parent.started_volume_e9 if parent.started_volume_e9 is not None else market.volume_e9
    return max(0, (market.volume_e9 - started_e9) * cap_e9 // E9 - parent.released_e9 + parent.start_filled_e9)


def _touch(side: Side, market: MarketState) -> tuple[int | None, int | None]:
    return (market.bid_e9, market.ask_e9) if side is Side.BUY else (market.ask_e9, market.bid_e9)


def _would(parent: ParentOrder, far_e9: int) -> bool:
    would_e9 = parent.terms.would_price_e9
    return would_e9 is not None and _at_or_better(parent.side, far_e9, would_e9)


def _at_or_better(side: Side, price_e9: int, limit_e9: int) -> bool:
    return price_e9 <= limit_e9 if side is Side.BUY else price_e9 >= limit_e9


def _within(parent: ParentOrder, price_e9: int) -> int:
    """The price, or the parent's limit where that is tighter."""
    limit_e9 = parent.terms.limit_price_e9
    return price_e9 if limit_e9 is None or _at_or_better(parent.side, price_e9, limit_e9) else limit_e9


def _sized(parent: ParentOrder, instrument: Instrument, wanted: tuple[tuple[int, int, str], ...]) -> tuple[Proposal, ...]:
    lots = ((quantity_e9 // instrument.lot_e9 * instrument.lot_e9, price_e9, tactic) for quantity_e9, price_e9, tactic in wanted)
    return tuple(
        Proposal(quantity_e9, _within(parent, price_e9), tactic) for quantity_e9, price_e9, tactic in lots if quantity_e9 > 0
    )
