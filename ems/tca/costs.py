"""What one order cost: its shortfall in parts, its benchmarks, its markouts, and what it cost at each venue. Pure.

Benchmarks are prices that the executions are held against, cost s sum x_i (p_i - B): the decision and arrival mids; the VWAP of
all that traded and the TWAP of the mid between arrival and end; the close of the day. A markout is the same against the mid
some time after each execution: below zero the market went our way. It is over the executions that have a mark at that time,
and says how much of the quantity they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from domain.instrument import Instrument
from domain.values import E9, StreamId
from ems.tca import parts
from ems.tca.charges import Charged, ChildTotal, Schedules, charges
from ems.tca.marks import Marks
from ems.tca.parts import Execution, Parts, Prices
from ems.tca.pretrade import Estimate, Setting, estimate
from ems.tca.record import NOW, Fill, Ledger, Order, Price, Version

HORIZONS_S: Final = (1, 5, 30, 60, 300)
_DECIDED_BEFORE_NS: Final = 600 * E9  # how long before arrival volatility is looked for


class DayFacts(NamedTuple):
    """What was loaded for a trade date: charges, closes that are of it, and average daily volumes."""

    schedules: Schedules | None = None
    closes_e9: Mapping[str, int] = {}
    adv_e9: Mapping[str, int] = {}


class References(Protocol):
    """What the log does not say of instruments and days."""

    def instrument(self, symbol: str) -> Instrument | None:
        """None where it is not known."""
        ...

    def facts(self, trade_date: str) -> DayFacts:
        """Of a trade date (ISO)."""
        ...

    def close_ns(self, symbol: str, trade_date: str) -> int | None:
        """When the instrument's market closed on a date."""
        ...


class Against(NamedTuple):
    """A benchmark's price, and what the executions cost against it in money at 1e-18; None where it is not known."""

    price_e9: int | None
    cost_e18: int | None
    bps: float | None


class Markout(NamedTuple):
    """Of the executions that have a mark so long after them: their cost against it, and their share of what was executed."""

    seconds: int
    bps: float | None
    coverage: float


class AtVenue(NamedTuple):
    """What was executed at one venue. Money at 1e-18, None where it is not known."""

    venue: str
    executions: int
    quantity_e9: int
    notional_e18: int
    impact_e18: int | None
    charges_e18: int | None
    markouts: tuple[Markout, ...]


@dataclass(frozen=True, slots=True)
class Costs:
    """One order's analysis as of a moment of the log. `missing` says what could not be reckoned, and why."""

    order: Order
    known_ns: int
    status: str
    currency: str
    quantity_e9: int
    filled_e9: int
    average_e9: int | None
    decision: Price
    arrival: Price
    end_ns: int
    end_price_e9: int | None
    split: Parts
    charged: Charged
    benchmarks: Mapping[str, Against]
    markouts: tuple[Markout, ...]
    venues: tuple[AtVenue, ...]
    adv_e9: int | None
    spread_bps: float | None  # at arrival
    volatility_bps: float | None  # a square root of a minute, while it was worked
    participation: float | None
    estimated: Estimate
    charged_by: str
    missing: tuple[str, ...]

    @property
    def bps(self) -> float | None:
        """The total shortfall in basis points of the order's worth at the decision."""
        return parts.bps(self.split.total_e18, self.split.paper_e18)


class _Done(NamedTuple):
    fill: Fill
    version: Version
    execution: Execution


class _Terms(NamedTuple):
    """What turns an order's executions into money."""

    schedules: Schedules | None
    mic: str = ""
    currency: str = ""
    multiplier_e9: int = E9

    def charged(self, order: Order, done: Sequence[_Done]) -> Charged:
        """Fees and commissions, by child order."""
        by_child: defaultdict[StreamId, list[_Done]] = defaultdict(list)
        for one in done:
            by_child[one.fill.child].append(one)
        totals = []
        for child, its in by_child.items():
            known = order.children.get(child)
            how = known.liquidity if known is not None else None
            totals.append(ChildTotal(its[0].fill.venue, order.account, how, *self.traded(its)))
        return charges(self.schedules, totals, self.mic, self.currency)

    def traded(self, done: Sequence[_Done]) -> tuple[int, int]:
        """Quantity at 1e-9 and money at 1e-18."""
        paid_e18 = sum(one.version.quantity_e9 * one.version.price_e9 for one in done)
        return sum(one.version.quantity_e9 for one in done), parts.scaled(paid_e18, self.multiplier_e9)


def costs_of(ledger: Ledger, order: Order, references: References, known_ns: int = NOW) -> Costs:
    """Analyse one order as it was known at a moment of the log (recorded time), or as it is true now."""
    marks, instrument = ledger.marks, references.instrument(order.instrument)
    facts = references.facts(order.trade_date)
    done = _executions(order, marks, known_ns)
    executions = [one.execution for one in done]
    decision, arrival = _known(order.decisions, known_ns), _known(order.arrivals, known_ns)
    end = order.end(known_ns)
    last = marks.last(order.instrument)
    end_ns = end.time_ns if end is not None else max(last.time_ns if last is not None else 0, arrival.time_ns)
    end_mark = marks.at(order.instrument, end_ns)
    end_e9 = end.market.mid_e9 if end is not None and end.market is not None else end_mark.mid_e9 if end_mark else None
    terms = _Terms(facts.schedules, *((instrument.mic, instrument.currency, instrument.multiplier_e9) if instrument else ()))
    charged = terms.charged(order, done)
    quantity_e9 = order.quantity_e9(known_ns)
    prices = Prices(decision.price_e9, arrival.price_e9, end_e9)
    found = parts.split(order.side, quantity_e9, executions, prices, charged.total_e18, terms.multiplier_e9)
    arrived = marks.at(order.instrument, arrival.time_ns)
    filled_e9 = sum(e.quantity_e9 for e in executions)
    spread_bps = 10_000 * arrived.spread_e9 / arrived.mid_e9 if arrived is not None else None
    adv_e9 = facts.adv_e9.get(order.instrument)
    before_bps = marks.volatility_bps(order.instrument, arrival.time_ns - _DECIDED_BEFORE_NS, arrival.time_ns)
    setting = Setting(quantity_e9, order.end_ns - order.start_ns, adv_e9, spread_bps, before_bps)
    paid_e18 = sum(e.quantity_e9 * e.price_e9 for e in executions)
    close_e9 = _close(order, facts, references, marks)
    unknown = [] if instrument is not None else [f"{order.instrument} is in no instrument table: its currency is not known"]
    return Costs(
        order=order,
        known_ns=known_ns,
        status=end.status if end is not None else "working",
        currency=terms.currency,
        quantity_e9=quantity_e9,
        filled_e9=filled_e9,
        average_e9=paid_e18 // filled_e9 if filled_e9 else None,
        decision=decision,
        arrival=arrival,
        end_ns=end_ns,
        end_price_e9=end_e9,
        split=found,
        charged=charged,
        benchmarks=_benchmarks(order, executions, prices, marks, (arrival.time_ns, end_ns), close_e9, terms.multiplier_e9),
        markouts=_markouts(order, done, marks),
        venues=_venues(order, done, marks, terms),
        adv_e9=adv_e9,
        spread_bps=spread_bps,
        volatility_bps=marks.volatility_bps(order.instrument, arrival.time_ns, end_ns),
        participation=_participation(marks, order.instrument, arrival.time_ns, end_ns, filled_e9),
        estimated=estimate(setting),
        charged_by=facts.schedules.source if facts.schedules is not None else "",
        missing=tuple(dict.fromkeys([*unknown, *found.missing, *charged.missing])),
    )


def _known(told: Sequence[Price], known_ns: int) -> Price:
    """The last that was told by then; the first one if none was."""
    return next((price for price in reversed(told) if price.known_ns <= known_ns), told[0])


def _executions(order: Order, marks: Marks, known_ns: int) -> list[_Done]:
    """In the order of their time, each with the mid that was known right before or at it."""
    found = []
    for fill in order.fills.values():
        if (version := fill.at(known_ns)) is not None:
            mark = marks.at(order.instrument, fill.time_ns)
            mid_e9 = mark.mid_e9 if mark is not None else None
            found.append(_Done(fill, version, Execution(version.quantity_e9, version.price_e9, mid_e9)))
    return sorted(found, key=lambda one: one.fill.time_ns)


def _close(order: Order, facts: DayFacts, references: References, marks: Marks) -> int | None:
    """As the reference data have it, else the mid as the market closed, where the desk still followed it."""
    if (close_e9 := facts.closes_e9.get(order.instrument)) is not None:
        return close_e9
    close_ns = references.close_ns(order.instrument, order.trade_date)
    mark = marks.at(order.instrument, close_ns) if close_ns is not None else None
    return mark.mid_e9 if mark is not None else None


def _benchmarks(
    order: Order,
    executions: Sequence[Execution],
    prices: Prices,
    marks: Marks,
    span_ns: tuple[int, int],
    close_e9: int | None,
    multiplier_e9: int,
) -> dict[str, Against]:
    at = {
        "decision": prices.decision_e9,
        "arrival": prices.arrival_e9,
        "vwap": marks.vwap_e9(order.instrument, *span_ns),
        "twap": marks.twap_e9(order.instrument, *span_ns),
        "close": close_e9,
    }
    filled_e9 = sum(e.quantity_e9 for e in executions)
    found = {}
    for name, price_e9 in at.items():
        cost_e18 = parts.against(order.side, executions, price_e9)
        amount_e18 = None if cost_e18 is None else parts.scaled(cost_e18, multiplier_e9)
        found[name] = Against(price_e9, amount_e18, parts.bps(cost_e18, filled_e9 * (price_e9 or 0)))
    return found


def _markouts(order: Order, done: Sequence[_Done], marks: Marks) -> tuple[Markout, ...]:
    filled_e9 = sum(one.version.quantity_e9 for one in done)
    found = []
    for seconds in HORIZONS_S:
        cost_e18 = notional_e18 = marked_e9 = 0
        for one in done:
            later = marks.at(order.instrument, one.fill.time_ns + seconds * E9)
            last = marks.last(order.instrument)
            if later is None or last is None or last.time_ns < one.fill.time_ns + seconds * E9:
                continue  # nothing was recorded so long after it
            quantity_e9, price_e9 = one.version.quantity_e9, one.version.price_e9
            cost_e18 += order.side.sign * quantity_e9 * (price_e9 - later.mid_e9)
            notional_e18, marked_e9 = notional_e18 + quantity_e9 * price_e9, marked_e9 + quantity_e9
        found.append(Markout(seconds, parts.bps(cost_e18, notional_e18), marked_e9 / filled_e9 if filled_e9 else 0.0))
    return tuple(found)


def _venues(order: Order, done: Sequence[_Done], marks: Marks, terms: _Terms) -> tuple[AtVenue, ...]:
    found = []
    for venue in sorted({one.fill.venue for one in done}):
        here = [one for one in done if one.fill.venue == venue]
        of_fills = [(e.quantity_e9, e.price_e9, e.mid_e9) for e in (one.execution for one in here)]
        impact = [order.side.sign * x * (p - m) for x, p, m in of_fills if m is not None]
        found.append(
            AtVenue(
                venue,
                len(here),
                *terms.traded(here),
                impact_e18=parts.scaled(sum(impact), terms.multiplier_e9) if len(impact) == len(here) else None,
                charges_e18=terms.charged(order, here).total_e18,
                markouts=_markouts(order, here, marks),
            )
        )
    return tuple(found)


def _participation(marks: Marks, instrument: str, from_ns: int, until_ns: int, filled_e9: int) -> float | None:
    volume_e9 = marks.volume_e9(instrument, from_ns, until_ns)
    return filled_e9 / volume_e9 if volume_e9 else None
