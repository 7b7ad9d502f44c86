"""What is held and what is out: a ledger for each account, client, strategy, trader, instrument and venue there is.

What a child adds to its ledger (filled, and reserved because it may still fill) follows from the child's state alone. So a
fold only notes which children have moved, and the ledgers follow when somebody asks: each child by the difference to what it
has added before, however many others work. An order's open quantity is reserved from the moment it is decided, in doubt or
not, until it is proved to be over. What the ledgers come to by scope is in `domain.exposure_totals`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from domain import child_order as co
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.event import Event
from domain.order_life import TERMINAL, OrdStatus
from domain.parent_order import ParentOrder, RejectedOrder
from domain.price_levels import PriceLevels
from domain.values import Side, StreamId

_BUY: Final = Side.BUY
_MOVED_MAX: Final = 4096  # children that may have moved before the ledgers follow
# The events that can change what a child has reserved or traded.
MOVING: Final = frozenset(
    {
        co.Created, co.Filled, co.FillRestated, co.Canceled, co.Rejected, co.Expired, co.DoneForDay, co.ProvedUnknown,
        co.ReplaceRequested, co.Replaced, co.ReplaceRefused, co.Restated,
    }
)  # fmt: skip
ENTERING: Final = frozenset({po.Accepted, po.Replaced, po.Restated, po.Started})


class Flow:
    """One instrument on one side: what clients have asked for, what of it is filled or reserved, and our working prices."""

    __slots__ = ("entered_e9", "levels", "out_e9")

    def __init__(self, side: Side) -> None:
        self.entered_e9 = self.out_e9 = 0
        self.levels = PriceLevels(highest=side is _BUY)


class Ledger:
    """Quantities and money (at 1e-18, price x quantity) of one account, client, ... in one instrument at one venue.

    opening: what was held as the day began, at what it was worth then; buying and selling: reserved.
    told: what the totals know of it by now.
    """

    __slots__ = (
        "bought_e9", "bought_e18", "buying_e9", "buying_e18", "dirty", "key", "opening_e9", "opening_e18", "selling_e9",
        "selling_e18", "sold_e9", "sold_e18", "told", "traded_anew",
    )  # fmt: skip

    def __init__(self, key: LedgerKey) -> None:
        self.key = key
        self.opening_e9 = self.opening_e18 = 0
        self.bought_e9 = self.bought_e18 = self.sold_e9 = self.sold_e18 = 0
        self.buying_e9 = self.buying_e18 = self.selling_e9 = self.selling_e18 = 0
        self.dirty = False  # has it moved since the totals followed it?
        self.traded_anew = True  # and not only by what is reserved?
        self.told: Any = None

    def amounts(self) -> tuple[int, ...]:
        """Position, what it cost, reserved buys and sells in quantity and in money."""
        return (
            self.opening_e9 + self.bought_e9 - self.sold_e9,
            self.opening_e18 + self.bought_e18 - self.sold_e18,
            self.buying_e9,
            self.selling_e9,
            self.buying_e18,
            self.selling_e18,
        )

    def traded(self) -> tuple[int, ...]:
        """What it began the day with, and what was bought and sold since, in quantity and in money."""
        return (self.opening_e9, self.opening_e18, self.bought_e9, self.bought_e18, self.sold_e9, self.sold_e18)


LedgerKey = tuple[str, str, str, str, str, str]  # account, client, strategy, trader, instrument, venue
ACCOUNT, CLIENT, STRATEGY, TRADER, INSTRUMENT, VENUE = range(6)


# What a child has added so far: filled quantity and money, what is open and at which price. A plain tuple: every child has one.
Share = tuple[Ledger, Flow, int, int, int, int]


class Exposure:
    """The ledgers. Nothing is in it that events did not put there.

    Args:
        parents: the desk's own, read to know whose a child is.
    """

    def __init__(self, parents: Mapping[StreamId, ParentOrder | RejectedOrder]) -> None:
        self._parents = parents
        self._ledgers: dict[LedgerKey, Ledger] = {}
        self._of: defaultdict[str, list[Ledger]] = defaultdict(list)  # by instrument
        self._shares: dict[StreamId, Share] = {}
        self._flows: dict[Side, dict[str, Flow]] = {Side.BUY: {}, Side.SELL: {}}
        self._traders: dict[StreamId, str] = {}  # parents that a person entered
        self._moved: dict[StreamId, ChildOrder] = {}  # children that the ledgers have yet to follow, as they are by now
        self.dirty: list[Ledger] = []  # ledgers that the totals have yet to follow

    # ---------------------------------------------------------------------------------------- folding

    def child(self, child: ChildOrder) -> None:
        """An event of MOVING has made a child this."""
        if child.version == 1:  # at once: its ledger is looked up anyway, and its parent's algorithm may be another one later
            self._reserve(child)
            return
        self._moved[child.id] = child
        if len(self._moved) >= _MOVED_MAX:
            self.settle()

    def parent(self, event: Event, before: ParentOrder | RejectedOrder | None, after: ParentOrder, trader: str) -> None:
        """Fold an event of ENTERING: what clients have asked for in all."""
        was_e9 = before.terms.quantity_e9 if type(before) is ParentOrder else 0
        if not after.of:  # what the desk's own order is made of has been entered
            self.flow(after.instrument, after.side).entered_e9 += after.terms.quantity_e9 - was_e9
        if trader and type(event) is po.Accepted:
            self._traders[after.id] = trader

    def open_position(self, account: str, instrument: str, quantity_e9: int, price_e9: int) -> None:
        """What an account holds as the day begins, whatever the ledgers say of earlier days."""
        self.settle()
        held = [ledger.opening_e9 for ledger in self.of(instrument) if ledger.key[ACCOUNT] == account]
        more_e9, ledger = quantity_e9 - sum(held), self.ledger((account, "", "", "", instrument, ""))
        ledger.opening_e9 += more_e9
        ledger.opening_e18 += more_e9 * price_e9
        self._traded(ledger)

    def begin_day(self, prices_e9: Mapping[str, int]) -> None:
        """What is held is worth its last price, and nothing has been won or lost yet."""
        self.settle()
        for ledger in self._ledgers.values():
            instrument = ledger.key[INSTRUMENT]
            for side, traded_e9 in ((Side.BUY, ledger.bought_e9), (Side.SELL, ledger.sold_e9)):
                flow = self.flow(instrument, side)
                flow.entered_e9 -= traded_e9
                flow.out_e9 -= traded_e9
            ledger.opening_e9 += ledger.bought_e9 - ledger.sold_e9
            ledger.opening_e18 = ledger.opening_e9 * prices_e9.get(instrument, 0)
            ledger.bought_e9 = ledger.bought_e18 = ledger.sold_e9 = ledger.sold_e18 = 0
            self._traded(ledger)

    def settle(self) -> None:
        """The ledgers follow the children that have moved."""
        if not self._moved:
            return
        moved, self._moved = self._moved, {}
        for child in moved.values():
            self._follow(child)

    def _reserve(self, child: ChildOrder) -> None:
        """Add what a child reserves that has just been made: all of it."""
        ledger, flow = self._owner(child)
        open_e9, price_e9 = child.quantity_e9, child.limit_price_e9
        if price_e9 is None:
            price_e9 = child.reckoned_price_e9
        if child.side is _BUY:
            ledger.buying_e9 += open_e9
            ledger.buying_e18 += open_e9 * price_e9
        else:
            ledger.selling_e9 += open_e9
            ledger.selling_e18 += open_e9 * price_e9
        flow.out_e9 += open_e9
        flow.levels.add(price_e9)
        self._shares[child.id] = (ledger, flow, 0, 0, open_e9, price_e9)
        if not ledger.dirty:
            ledger.dirty = True
            self.dirty.append(ledger)

    def _follow(self, child: ChildOrder) -> None:
        """Add what a child has filled and reserved since it was last looked at."""
        ledger, flow, filled_e9, filled_e18, was_e9, was_price_e9 = self._shares[child.id]
        open_e9, price_e9 = open_of(child)
        now_e9, now_e18 = child.cum_quantity_e9, child.notional_e18
        opened_e9, opened_e18 = open_e9 - was_e9, open_e9 * price_e9 - was_e9 * was_price_e9
        buys = child.side is _BUY
        if now_e9 != filled_e9 or now_e18 != filled_e18:
            if buys:
                ledger.bought_e9 += now_e9 - filled_e9
                ledger.bought_e18 += now_e18 - filled_e18
            else:
                ledger.sold_e9 += now_e9 - filled_e9
                ledger.sold_e18 += now_e18 - filled_e18
            ledger.traded_anew = True
        if buys:
            ledger.buying_e9 += opened_e9
            ledger.buying_e18 += opened_e18
        else:
            ledger.selling_e9 += opened_e9
            ledger.selling_e18 += opened_e18
        flow.out_e9 += now_e9 - filled_e9 + opened_e9
        if (open_e9 or was_e9) and not (open_e9 and was_e9 and price_e9 == was_price_e9):
            if was_e9:
                flow.levels.remove(was_price_e9)
            if open_e9:
                flow.levels.add(price_e9)
        self._shares[child.id] = (ledger, flow, now_e9, now_e18, open_e9, price_e9)
        if not ledger.dirty:
            ledger.dirty = True
            self.dirty.append(ledger)

    def _owner(self, child: ChildOrder) -> tuple[Ledger, Flow]:
        parent = self._parents.get(child.parent)
        # Not `.value`: of an Enum that is a Python function, and every child of a log comes by here.
        owner = (parent.client_session or parent.behalf, parent.terms.algo._value_) if type(parent) is ParentOrder else ("", "")
        trader = self._traders.get(child.parent, "") if self._traders else ""
        key = (child.account, *owner, trader, child.instrument, child.venue_session)
        return self._ledgers.get(key) or self.ledger(key), self.flow(child.instrument, child.side)

    def ledger(self, key: LedgerKey) -> Ledger:
        """The ledger of a key, which there is from now on."""
        ledger = self._ledgers.get(key)
        if ledger is None:
            ledger = self._ledgers[key] = Ledger(key)
            self._of[key[INSTRUMENT]].append(ledger)
        return ledger

    def _traded(self, ledger: Ledger) -> None:
        ledger.traded_anew = True
        self.moved(ledger)

    def moved(self, ledger: Ledger) -> None:
        """The totals have to follow it."""
        if not ledger.dirty:
            ledger.dirty = True
            self.dirty.append(ledger)

    # ---------------------------------------------------------------------------------------- reading

    def flow(self, instrument: str, side: Side) -> Flow:
        """One side of an instrument."""
        flows = self._flows[_BUY if side is _BUY else Side.SELL]
        flow = flows.get(instrument)
        if flow is None:
            flow = flows[instrument] = Flow(side)
        return flow

    def of(self, instrument: str) -> list[Ledger]:
        """Every ledger in an instrument."""
        return self._of.get(instrument, [])

    def reserved(self, child: StreamId) -> tuple[int, int]:
        """What a child may still trade, and the price at which it is reckoned."""
        self.settle()
        share = self._shares.get(child)
        return (share[4], share[5]) if share is not None else (0, 0)

    def all_reserved(self) -> dict[StreamId, int]:
        """Everything that is reserved, by child."""
        self.settle()
        return {child: share[4] for child, share in self._shares.items() if share[4]}

    def trader(self, parent: StreamId) -> str:
        """Who entered an order at the desk, "" for one that came over FIX."""
        return self._traders.get(parent, "")

    def written(self) -> Iterator[str]:
        """The state in words, in an order of its own, for a digest."""
        self.settle()
        yield from (repr((key, ledger.traded(), ledger.amounts())) for key, ledger in sorted(self._ledgers.items()))
        yield repr(sorted(self.all_reserved().items()))
        for side, flows in self._flows.items():
            found = [(key, flow.entered_e9, flow.out_e9, flow.levels.best_e9) for key, flow in sorted(flows.items())]
            yield repr((side, [one for one in found if one[1:] != (0, 0, None)]))  # a check may ask where nothing has been
        yield repr(sorted(self._traders.items()))


def open_of(child: ChildOrder) -> tuple[int, int]:
    """What a child may still trade, and the worst price at which: a replace that the venue may take counts from the asking,
    also one that crossed the fill of all the rest.
    """
    asked, price_e9 = child.replacing, child.limit_price_e9
    if child.status in TERMINAL:
        reopens = asked is not None if child.status is OrdStatus.FILLED else child.live
        if not reopens:
            return 0, 0
    quantity_e9 = child.quantity_e9
    if asked is not None:
        quantity_e9 = max(quantity_e9, asked.quantity_e9)
        if price_e9 is not None:
            worse = max if child.side is _BUY else min
            price_e9 = worse(price_e9, asked.limit_price_e9) if asked.limit_price_e9 is not None else None
    open_e9 = quantity_e9 - child.cum_quantity_e9
    if open_e9 <= 0:
        return 0, 0
    return open_e9, child.reckoned_price_e9 if price_e9 is None else price_e9
