"""An analysis as plain values: decimal text for prices, quantities and money, numbers for basis points. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from domain.values import from_e9
from ems.tca import groups
from ems.tca.costs import Against, Costs, Markout
from ems.tca.parts import Parts, bps, money_e9

PARTS: Final = ("impact", "timing", "delay", "drift", "opportunity", "explicit", "before_charges", "total")
Row = dict[str, Any]


def order(now: Costs, then: Costs | None) -> Row:
    """One order. then: as it was known when it ended first; None where that is the same, or it works."""
    told = {
        "parent": str(now.order.id),
        "order_id": now.order.order_id,
        "session": now.order.session,
        "cl_ord_id": now.order.cl_ord_id,
        "trade_date": now.order.trade_date,
        "instrument": now.order.instrument,
        "side": now.order.side.value,
        "strategy": now.order.strategy,
        "switched": [[str(at_ns), strategy] for at_ns, strategy in now.order.switches],
        "account": now.order.account,
        "size": groups.size_of(now),
        "regime": groups.regime_of(now),
        **_figures(now),
    }
    return told | {"restated": then is not None, "then": None if then is None else _figures(then)}


def _figures(one: Costs) -> Row:
    return {
        "status": one.status,
        "quantity": text(one.quantity_e9),
        "filled": text(one.filled_e9),
        "avg_px": text(one.average_e9),
        "currency": one.currency or None,
        "decision": {"px": text(one.decision.price_e9), "time_ns": str(one.decision.time_ns), "source": one.decision.source},
        "arrival": {"px": text(one.arrival.price_e9), "time_ns": str(one.arrival.time_ns), "source": one.arrival.source},
        "end": {"px": text(one.end_price_e9), "time_ns": str(one.end_ns)},
        "shortfall": shortfall(one.split),
        "charges": {
            "fees": text(money_e9(one.charged.fees_e18)),
            "commissions": text(money_e9(one.charged.commissions_e18)),
            "source": one.charged_by,
        },
        "benchmarks": {name: _against(found) for name, found in one.benchmarks.items()},
        "markouts": [_markout(found) for found in one.markouts],
        "venues": [
            {
                "venue": at.venue,
                "executions": at.executions,
                "quantity": text(at.quantity_e9),
                "impact": text(money_e9(at.impact_e18)),
                "charges": text(money_e9(at.charges_e18)),
                "markouts": [_markout(found) for found in at.markouts],
            }
            for at in one.venues
        ],
        "spread_bps": one.spread_bps,
        "volatility_bps": one.volatility_bps,
        "participation": one.participation,
        "estimate": {**one.estimated._asdict(), "missing": list(one.estimated.missing)},
        "missing": list(one.missing),
    }


def shortfall(split: Parts) -> Row:
    """Each part in money and in basis points of the order's worth at the decision."""
    found: Row = {"paper": text(money_e9(split.paper_e18))}
    for name in PARTS:
        amount_e18 = getattr(split, f"{name}_e18")
        found |= {name: text(money_e9(amount_e18)), f"{name}_bps": bps(amount_e18, split.paper_e18)}
    return found


def day(trade_date: str, costs: Sequence[Costs]) -> Row:
    """A day's tables."""
    tables = {by: [_group(row) for row in groups.grouped(costs, by)] for by in groups.BY}
    venues = [
        {
            "venue": row.venue,
            "executions": row.executions,
            "notional": text(money_e9(row.notional_e18)),
            "impact_bps": row.impact_bps,
            "charges_bps": row.charges_bps,
            "markouts": [_markout(found) for found in row.markouts],
        }
        for row in groups.venues(costs)
    ]
    return {"trade_date": trade_date, "orders": len(costs), "by": tables | {"venue": venues}}


def _group(row: groups.Group) -> Row:
    found = row._asdict()
    for name in ("paper", "total"):
        found[name] = text(money_e9(found.pop(f"{name}_e18")))
    return found


def _against(found: Against) -> Row:
    return {"px": text(found.price_e9), "cost": text(money_e9(found.cost_e18)), "bps": found.bps}


def _markout(found: Markout) -> Row:
    return {"seconds": found.seconds, "bps": found.bps, "coverage": found.coverage}


def text(value_e9: int | None) -> str | None:
    """Decimal text, None for what is not known."""
    return None if value_e9 is None else f"{from_e9(value_e9):f}"
