"""What people may do to an order that an algorithm works: one decision, one fold.

Nothing here widens what the client asked for: quantity, limit, end and participation cap stay in force under every act.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from domain import algo_parameters
from domain.algo_parameters import MODELS
from domain.instrument import Instrument
from domain.parent_order import ParentOrder
from domain.refusal import Reason, Refusal
from domain.steering import Act, Steered, Urgency, Wanted
from domain.terms import Terms
from domain.values import Algo, Side, from_e9


class Asked(NamedTuple):
    """What a person asks for; only what its act needs is looked at."""

    act: Act
    reason: str
    algo: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    urgency: Urgency = "normal"
    quantity_e9: int = 0
    limit_price_e9: int = 0


def steer(state: ParentOrder, asked: Asked, instrument: Instrument | None, trade_date: str) -> Steered | Refusal:
    """The event, or the first refusal that applies."""
    if not state.live:
        return Refusal(Reason.TOO_LATE, f"the order is {state.status}")
    if state.direct or state.flattens is not None:
        return Refusal(Reason.NOT_AMENDABLE, "no algorithm works the order: there is nothing to steer")
    if state.staged:
        return Refusal(Reason.NOT_AMENDABLE, "the order waits: nobody works it")
    if state.pending is not None:
        return Refusal(Reason.ALREADY_PENDING, f"a {state.pending.request} is pending: nothing is released before it is done")
    if state.care.returning:
        return Refusal(Reason.ALREADY_PENDING, "the order is on its way back to its client")
    if asked.act == "resume" and (why := _no_algorithm(state)):
        return Refusal(Reason.NOT_AMENDABLE, why)
    steering = state.steering
    same = {
        "pause": steering.mode == "paused",
        "take_over": steering.mode == "by_hand",
        "resume": steering.mode == "algo",
        "complete": steering.complete and steering.mode == "algo",
        "urgency": asked.urgency == steering.urgency,
    }
    if same.get(asked.act, False):
        return Refusal(Reason.NOT_AMENDABLE, "the order is worked so already")
    if asked.act == "switch":
        return _switched(state, asked)
    if asked.act == "place":
        return _placed(state, asked, instrument, trade_date)
    if asked.act == "complete" and steering.mode != "algo":
        return Refusal(Reason.NOT_AMENDABLE, f"the order is {said(steering.mode)}: resume it first")
    return Steered(act=asked.act, reason=asked.reason, urgency=asked.urgency if asked.act == "urgency" else None)


def _no_algorithm(state: ParentOrder) -> str:
    """Why no algorithm can go on with an order, "" where one can."""
    if state.terms.algo is Algo.MANUAL:
        return "no algorithm works the order: switch it to one first"
    return "parts of it are out: pull them back first" if state.care.parts_in(state.open_e9) else ""


def _switched(state: ParentOrder, asked: Asked) -> Steered | Refusal:
    terms = switched(state.terms, asked.algo, asked.parameters)
    if isinstance(terms, Refusal):
        return terms
    if terms == state.terms:
        return Refusal(Reason.NOT_AMENDABLE, "the order is worked so already")
    return Steered(act="switch", reason=asked.reason, terms=terms)


def switched(before: Terms, name: str, parameters: tuple[tuple[str, str], ...]) -> Terms | Refusal:
    """The same terms with another algorithm of ours. The client's quantity, limit and times stay; its cap may be tightened."""
    try:
        algo = Algo(name)
    except ValueError:
        return Refusal(Reason.UNKNOWN_ALGO, f"{name!r} is none of {', '.join(MODELS)}")
    if algo not in MODELS:
        return Refusal(Reason.NOT_AMENDABLE, "an algorithm's order stays with an algorithm")
    found = algo_parameters.parse(algo, parameters)
    if isinstance(found, Refusal):
        return found
    if found.start_ns is not None or found.end_ns is not None or found.duration_ns is not None:
        return Refusal(Reason.BAD_PARAMETER, "the client's times stay as they are")
    cap_e9 = before.max_participation_e9
    if found.max_participation_e9 is not None:
        cap_e9 = min(found.max_participation_e9, cap_e9 or found.max_participation_e9)
    return before.model_copy(
        update={
            "algo": algo,
            "participation_e9": found.participation_e9,
            "max_participation_e9": cap_e9,
            "urgency_e9": found.urgency_e9,
        }
    )


def _placed(state: ParentOrder, asked: Asked, instrument: Instrument | None, trade_date: str) -> Steered | Refusal:
    if state.steering.mode != "by_hand":
        return Refusal(Reason.NOT_AMENDABLE, "take the order over before you place a part of it by hand")
    if state.steering.wanted is not None:
        return Refusal(Reason.ALREADY_PENDING, "what was placed before is not out yet")
    left_e9 = state.terms.quantity_e9 - state.released_e9
    if instrument is None:
        return Refusal(Reason.UNKNOWN_SYMBOL, f"symbol {state.instrument!r} is not in the instrument table")
    if asked.quantity_e9 <= 0 or asked.quantity_e9 > left_e9:
        return Refusal(Reason.QUANTITY_NOT_POSITIVE, f"a quantity between 0 and {from_e9(left_e9):f} may be placed")
    if not instrument.on_lot(asked.quantity_e9):
        return Refusal(Reason.QUANTITY_OFF_LOT, f"the quantity is not a multiple of the lot {from_e9(instrument.lot_e9)}")
    if not instrument.on_tick(asked.limit_price_e9, trade_date):
        return Refusal(Reason.PRICE_OFF_TICK, f"the price {from_e9(asked.limit_price_e9):f} is off the tick")
    if _worse(state.side, asked.limit_price_e9, state.terms):
        return Refusal(Reason.NOT_AMENDABLE, "the price is worse than the client's limit")
    return Steered(act="place", reason=asked.reason, quantity_e9=asked.quantity_e9, limit_price_e9=asked.limit_price_e9)


def _worse(side: Side, price_e9: int, terms: Terms) -> bool:
    limit_e9 = terms.limit_price_e9
    return limit_e9 is not None and side.sign * (price_e9 - limit_e9) > 0


def said(mode: Literal["algo", "paused", "by_hand"]) -> str:
    """For people."""
    return {"algo": "worked by its algorithm", "paused": "paused", "by_hand": "worked by hand"}[mode]


def changes(state: ParentOrder, event: Steered) -> dict[str, Any]:
    """What the event makes of the order. Whenever an algorithm begins anew, it plans from what there is then."""
    steering = state.steering
    anew = {"schedule": None, "started_volume_e9": None, "start_filled_e9": state.cum_quantity_e9, "late_e9": 0}
    match event.act:
        case "switch":
            return {"terms": event.terms, **anew}
        case "urgency":
            return {"steering": steering._replace(urgency=event.urgency or "normal")}
        case "complete":
            return {"steering": steering._replace(complete=True)}
        case "pause":
            return {"steering": steering._replace(mode="paused", wanted=None)}
        case "take_over":
            return {"steering": steering._replace(mode="by_hand", complete=False)}
        case "place":
            return {"steering": steering._replace(wanted=Wanted(event.quantity_e9, event.limit_price_e9))}
        case "resume":
            return {"steering": steering._replace(mode="algo", wanted=None), **anew}
