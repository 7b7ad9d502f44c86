"""How a due quantity becomes child orders: join the near touch, improve it, or take the far touch; never worse than the limit.

A tactic knows neither the strategy nor the plan's planner, so that strategies are compared by one tactic. Three kinds: `passive`
joins, `aggressive` crosses, `mixed` takes of three ways the one that is expected to save most against crossing now:

| way | saves, per share |
|---|---|
| cross | 0 |
| join | spread with probability p, or minus c spreads |
| improve by a tick | a tick less with a higher p, for nobody is ahead; or minus c spreads |

p is the chance to be filled while the order may rest (`ems.fill_probability`): its patience, but not beyond its slice nor into
the order's end. c is what a miss costs beyond the crossing that follows, by the urgency that a person has set. Where p is not
known the order joins. What has waited in vain is late and crosses, whatever the kind, as does everything near the order's end.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from domain.child_order import ChildOrder
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.order_life import RESTING
from domain.parent_order import ParentOrder
from domain.steering import Urgency
from domain.values import E9, Side, TimeInForce
from ems.fill_probability import Drains

MANUAL: Final = "manual"  # the tactic of what a person placed
AUCTION: Final = "auction"
MISS: Final[dict[Urgency, float]] = {"low": 0.1, "normal": 0.3, "high": 1.0}  # c, in spreads
Placement = Literal["passive", "aggressive", "mixed"]


class Proposal(NamedTuple):
    """A child order to create, never worse than the parent's limit. limit_price_e9: None in an auction, of an order without."""

    quantity_e9: int
    limit_price_e9: int | None
    tactic: str  # passive, aggressive, would, manual, auction
    reason: str = ""
    time_in_force: TimeInForce = TimeInForce.DAY


class View(NamedTuple):
    """What a tactic sees beside the order and its market. tick_e9: 0 where prices have none known. rest_ns: how long an order
    may rest. drains: how fast the near queue is traded away, None where it is not known."""

    kind: Placement = "passive"
    tick_e9: int = 0
    rest_ns: int = 0
    drains: Drains | None = None
    at_close_e9: int = 0  # of what is released, for the closing auction: it is no part of the slices


JOINING: Final = View()


def propose(
    parent: ParentOrder, market: MarketState, instrument: Instrument, *, now_ns: int, closing_ns: int, view: View = JOINING
) -> tuple[Proposal, ...]:
    """What to release now.

    Due is what the schedule has begun and nothing covers yet. Of that, what has waited at a venue in vain is late
    and takes the far touch, as is everything from closing_ns on; the rest is placed as `view` says. With a would-price,
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
        return _sized(parent, instrument, Proposal(all_e9, far_e9, "aggressive", "cross: complete now"))
    if near_e9 is None or far_e9 is None or parent.schedule is None:
        return ()
    left_e9 = parent.terms.quantity_e9 - parent.released_e9
    if _would(parent, far_e9):
        price_e9 = parent.terms.would_price_e9 or far_e9
        return _sized(parent, instrument, Proposal(left_e9, price_e9, "would", "the far touch is at the would-price or better"))
    room_e9 = min(left_e9, participation_room_e9(parent, market) + view.at_close_e9)
    due_e9 = min(room_e9, parent.schedule.target_e9(now_ns) - parent.released_e9 + view.at_close_e9)
    late_e9 = due_e9 if now_ns >= closing_ns else min(due_e9, parent.late_e9)
    late_e9 = max(0, late_e9) // instrument.lot_e9 * instrument.lot_e9
    why = "cross: the order's end is near" if now_ns >= closing_ns else "cross: waited in vain"
    late = Proposal(late_e9, _within(parent, far_e9), "aggressive", why)
    return _sized(parent, instrument, late, placed(parent, market, due_e9 - late_e9, view))


def placed(parent: ParentOrder, market: MarketState, quantity_e9: int, view: View) -> Proposal:
    """Where what is not late goes, and why. Both touches are there."""
    near_e9, far_e9 = _touch(parent.side, market)
    assert near_e9 is not None and far_e9 is not None
    join = Proposal(quantity_e9, _within(parent, near_e9), "passive")
    cross = Proposal(quantity_e9, far_e9, "aggressive")
    if view.kind == "aggressive":
        return cross._replace(limit_price_e9=_within(parent, far_e9), reason="cross: aggressive")
    if view.kind == "passive" or join.limit_price_e9 != near_e9:
        return join._replace(reason="join: passive" if view.kind == "passive" else "join: at the order's limit")
    if view.drains is None:
        return join._replace(reason="join: no chance is known")
    spread_e9, miss = abs(far_e9 - near_e9), MISS[parent.steering.urgency]
    queue_e9 = market.bid_size_e9 if parent.side is Side.BUY else market.ask_size_e9
    ways = [(join, "join", spread_e9, queue_e9)]
    better_e9 = near_e9 + parent.side.sign * view.tick_e9
    if view.tick_e9 and spread_e9 > view.tick_e9 and _within(parent, better_e9) == better_e9:
        ways.append((join._replace(limit_price_e9=better_e9), "improve", spread_e9 - view.tick_e9, 0))
    worth = []
    for way, name, saved_e9, ahead_e9 in ways:
        p = view.drains.chance(ahead_e9, quantity_e9, view.rest_ns).probability
        worth.append((p * saved_e9 - (1.0 - p) * miss * spread_e9, way, f"{name}: {p:.2f}"))
    best_e9, way, said = max(worth, key=lambda each: each[0])
    told = f"to be filled in {view.rest_ns / E9:.1f} s by {view.drains.source}"
    if best_e9 < 0.0 and _within(parent, far_e9) == far_e9:
        return cross._replace(reason=f"cross: {said.partition(': ')[2]} {told} is too little")
    return way._replace(reason=f"{said} {told}")


def _by_hand(parent: ParentOrder, market: MarketState, instrument: Instrument) -> tuple[Proposal, ...]:
    """What a person has placed and is not out yet; it waits for room under the client's participation cap."""
    wanted = parent.steering.wanted
    room_e9 = min(parent.terms.quantity_e9 - parent.released_e9, participation_room_e9(parent, market))
    if wanted is None or parent.steering.mode != "by_hand" or wanted.quantity_e9 > room_e9:
        return ()
    return _sized(parent, instrument, Proposal(wanted.quantity_e9, wanted.limit_price_e9, MANUAL, "placed by hand"))


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


def _sized(parent: ParentOrder, instrument: Instrument, *wanted: Proposal) -> tuple[Proposal, ...]:
    """In whole lots, nothing worse than the limit."""
    lots = [each._replace(quantity_e9=each.quantity_e9 // instrument.lot_e9 * instrument.lot_e9) for each in wanted]
    return tuple(_priced(parent, each) for each in lots if each.quantity_e9 > 0)


def _priced(parent: ParentOrder, wanted: Proposal) -> Proposal:
    return wanted if wanted.limit_price_e9 is None else wanted._replace(limit_price_e9=_within(parent, wanted.limit_price_e9))
