"""Another choice held against the one that was made: the same recorded market, the same order, another planner, model or limit.

Two schedules, the recorded one and the other, are worked through the market as the log has it, by one rule: what is due takes the
far touch, all of it, once the touch is within the order's limit. So their difference is paired, and shared errors cancel. What it
cannot say is said with it (`CANNOT`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from domain import child_order as co
from domain import market_note
from domain import parent_order as po
from domain.decision import Planned
from domain.errors import ConfigError
from domain.event import Recorded
from domain.market_state import MarketState
from domain.risk import Check, Outcome, Subject
from domain.risk_verdicts import Checked
from domain.schedule import PlanRequest, Schedule
from domain.values import Side, from_e9
from ems.audit.scene import Scene

CANNOT: Final = (
    "the recorded market holds the answers of others to the orders that were really sent, and none to those that were not",
    "neither schedule moves this market: a faster one looks cheaper than it would be",
    "whatever is due is taken at the far touch at once, so passive fills and the size of the touch are in neither figure",
    "one order is one draw: its difference says nothing of the next",
)
Again = Callable[[PlanRequest], Schedule]


class Leg(NamedTuple):
    """What a schedule comes to in the recorded market. cost_bps: against the arrival middle, the rest priced at the end."""

    planner: str
    plans: int
    filled_e9: int
    left_e9: int
    average_e9: int | None
    cost_bps: float | None
    releases: tuple[tuple[int, int, int], ...]  # (time, quantity, price)

    def row(self) -> dict[str, Any]:
        """For machines."""
        return self._asdict()


class Market:
    """The touch over time, as the log has it."""

    def __init__(self, states: Sequence[MarketState]) -> None:
        self._states = sorted(states, key=lambda state: state.time_ns)
        self._times = [state.time_ns for state in self._states]

    def far_e9(self, at_ns: int, side: Side) -> int | None:
        """What a market order would have paid, by the last state known at a moment."""
        place = bisect_right(self._times, at_ns)
        if not place:
            return None
        state = self._states[place - 1]
        return state.ask_e9 if side is Side.BUY else state.bid_e9

    def moments(self, from_ns: int, to_ns: int) -> list[int]:
        """When it was seen, between two moments."""
        return [time_ns for time_ns in self._times if from_ns < time_ns <= to_ns]

    def __len__(self) -> int:
        return len(self._states)


def market_of(scene: Scene, notes: Sequence[Recorded]) -> Market:
    """Everything that the log says of the order's market: notes, and what plans and children saw."""
    accepted = _accepted(scene)
    states = [s for n in notes if isinstance(n.event, market_note.Noted) for s in n.event.markets]
    states += [p.request.market for p in _plans(scene) if p.request.market is not None]
    states += [accepted.arrival] if accepted.arrival is not None else []
    for one in scene.all(co.Created):
        made = one.event
        assert isinstance(made, co.Created)
        states.append(
            MarketState(instrument=made.instrument, time_ns=one.meta.event_time_ns, bid_e9=made.bid_e9, ask_e9=made.ask_e9)
        )
    return Market([state for state in states if state.instrument == accepted.instrument])


def worked(scene: Scene, market: Market, again: Again | None) -> Leg:
    """Work the order through the market: by its recorded schedules, or planned again at the same moments with its own fills.

    Raises:
        ConfigError: the order has no plan, or nothing is known of its market.
    """
    accepted, plans = _accepted(scene), _plans(scene)
    if not plans:
        raise ConfigError("the order has no plan in the log: there is nothing to hold another one against")
    total_e9, limit_e9 = accepted.terms.quantity_e9, accepted.terms.limit_price_e9
    end_ns, filled_e9, releases, name = plans[-1].request.end_ns, 0, list[tuple[int, int, int]](), ""
    for number, plan in enumerate(plans):
        request = plan.request.model_copy(update={"filled_e9": filled_e9, "remaining_e9": total_e9 - filled_e9})
        until_ns = plans[number + 1].request.now_ns if number + 1 < len(plans) else end_ns
        if request.remaining_e9 <= 0:
            break
        schedule = plan.schedule if again is None else again(request)
        name = schedule.planner
        base_e9 = plan.schedule.filled_e9 if again is None else filled_e9
        starts = [each.start_ns for each in schedule.slices if request.now_ns < each.start_ns < until_ns]
        for at_ns in sorted({request.now_ns, *starts, *market.moments(request.now_ns, until_ns)}):
            due_e9 = min(total_e9, schedule.target_e9(at_ns) - schedule.filled_e9 + base_e9) - filled_e9
            price_e9 = market.far_e9(at_ns, accepted.side) if due_e9 > 0 else None
            if price_e9 is not None and _within(price_e9, limit_e9, accepted.side):
                releases.append((at_ns, due_e9, price_e9))
                filled_e9 += due_e9
    return _leg(accepted, market, name, len(plans), releases, end_ns)


def _leg(accepted: po.Accepted, market: Market, name: str, plans: int, releases: list[tuple[int, int, int]], end_ns: int) -> Leg:
    filled_e9 = sum(quantity for _, quantity, _ in releases)
    left_e9 = accepted.terms.quantity_e9 - filled_e9
    paid = sum(quantity * price for _, quantity, price in releases)
    arrival_e9 = accepted.arrival.mid_e9 if accepted.arrival is not None else None
    last_e9 = market.far_e9(end_ns, accepted.side)
    cost = None
    if arrival_e9 and (not left_e9 or last_e9 is not None):
        whole = (paid + left_e9 * (last_e9 or 0)) / accepted.terms.quantity_e9
        cost = accepted.side.sign * (whole / arrival_e9 - 1.0) * 10_000
    return Leg(name, plans, filled_e9, left_e9, paid // filled_e9 if filled_e9 else None, cost, tuple(releases))


def compared(scene: Scene, market: Market, again: Again) -> dict[str, Any]:
    """Both legs, what really happened, and the paired difference in basis points: positive where the other one costs more."""
    if not len(market):
        raise ConfigError("the log holds nothing of the order's market")
    recorded, other = worked(scene, market, None), worked(scene, market, again)
    known = recorded.cost_bps is not None and other.cost_bps is not None
    difference = round(other.cost_bps - recorded.cost_bps, 4) if known else None  # type: ignore[operator]
    return {
        "market_states": len(market), "real": _real(scene), "recorded": recorded.row(), "other": other.row(),
        "difference_bps": difference, "pairs": 1, "cannot_say": list(CANNOT),
    }  # fmt: skip


def _real(scene: Scene) -> dict[str, Any]:
    """What the order really got, impact and tactics included: beside the legs, not one of them."""
    accepted = _accepted(scene)
    fills = [one.event for one in scene.of(scene.parent) if isinstance(one.event, po.Filled)]
    filled_e9 = sum(fill.quantity_e9 for fill in fills)
    average = sum(fill.quantity_e9 * fill.price_e9 for fill in fills) / filled_e9 if filled_e9 else None
    arrival_e9 = accepted.arrival.mid_e9 if accepted.arrival is not None else None
    cost = accepted.side.sign * (average / arrival_e9 - 1.0) * 10_000 if average is not None and arrival_e9 else None
    return {"filled_e9": filled_e9, "average_e9": None if average is None else round(average), "cost_bps": cost}


class Limit(NamedTuple):
    """Another value for every limit of one check, in the check's own unit at 1e-9."""

    check: Check
    value_e9: int


def judged_again(scene: Scene, limits: Sequence[Limit]) -> dict[str, Any]:
    """Every recorded verdict of these checks against other values: what would have been refused, and what would have passed.

    Only what was observed then is judged: an order that would have been refused changes what came after it, which is not known.
    """
    other = {limit.check: limit.value_e9 for limit in limits}
    rows, refused_e9 = [], 0
    for one in scene.all(Checked):
        event = one.event
        assert isinstance(event, Checked)
        changed = []
        outcomes = []
        for verdict in event.verdicts:
            value_e9 = other.get(verdict.check)
            breaks = verdict.outcome is not Outcome.PASS
            if value_e9 is not None and verdict.limit_version and verdict.observed is not None:
                breaks = verdict.observed > value_e9
                if breaks != (verdict.outcome is not Outcome.PASS):
                    changed.append(
                        {"check": verdict.check, "observed": verdict.observed, "was": verdict.limit, "other": value_e9}
                    )
            outcomes.append(breaks)
        if changed:
            passes = not any(outcomes)
            refused_e9 += event.quantity_e9 if event.subject is Subject.CHILD and event.passed and not passes else 0
            rows.append({"seq": one.seq, "subject": event.subject, "order": event.order, "passed": event.passed,
                         "would_pass": passes, "changed": changed})  # fmt: skip
    return {
        "limits": {str(check): value for check, value in other.items()}, "changed": rows, "refused_e9": refused_e9,
        "cannot_say": ["what the desk would have done after the first verdict that differs"],
    }  # fmt: skip


def words(told: dict[str, Any]) -> list[str]:
    """For a person."""
    lines = []
    for name in ("real", "recorded", "other"):
        if (leg := told.get(name)) is not None:
            average = "-" if leg["average_e9"] is None else f"{from_e9(leg['average_e9']):f}"
            cost = "-" if leg["cost_bps"] is None else f"{leg['cost_bps']:+.3f} bps"
            left = f", {from_e9(leg['left_e9']):f} left" if leg.get("left_e9") else ""
            lines.append(
                f"{name:<9} {leg.get('planner', 'what it got'):<24} {from_e9(leg['filled_e9']):f} at {average}: {cost}{left}"
            )
    if "difference_bps" in told:
        said = "not known" if told["difference_bps"] is None else f"{told['difference_bps']:+.3f} bps"
        lines.append(f"paired difference, other less recorded: {said}, from {told['market_states']} states of the market")
    if "changed" in told:
        lines += [f"event {row['seq']}: {row['subject']} {'passed' if row['passed'] else 'was refused'}, "
                  f"would have {'passed' if row['would_pass'] else 'been refused'}" for row in told["changed"]]  # fmt: skip
        lines.append(
            f"{len(told['changed'])} verdicts differ; {from_e9(told['refused_e9']):f} of child orders would have been refused"
        )
    return [*lines, *(f"it cannot say: {why}" for why in told["cannot_say"])]


def _accepted(scene: Scene) -> po.Accepted:
    accepted = scene.terms
    if accepted is None:
        raise ConfigError(f"{scene.named.asked} is no order that was worked")
    return accepted


def _plans(scene: Scene) -> list[Planned]:
    """The order's plans, in order."""
    return [
        one.event for one in scene.all(Planned) if isinstance(one.event, Planned) and one.event.request.parent == scene.parent
    ]


def _within(price_e9: int, limit_e9: int | None, side: Side) -> bool:
    return limit_e9 is None or (price_e9 <= limit_e9 if side is Side.BUY else price_e9 >= limit_e9)
