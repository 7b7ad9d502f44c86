"""How the events of `domain.care` change a parent order: one function an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain.care import Allotted, Handled, Share, ShareLeft, Staged
from domain.event import Event

if TYPE_CHECKING:
    from domain.parent_order import ParentOrder

_Changes = dict[str, Any]


def _staged(state: ParentOrder, event: Staged) -> _Changes:
    return {"staged": True, "care": state.care._replace(rule=event.rule, reserved_price_e9=event.reserved_price_e9)}


def _handled(state: ParentOrder, event: Handled) -> _Changes:
    care = state.care
    if event.act in ("claim", "reassign"):
        care = care._replace(owner=event.owner)
    if event.act in ("split", "route", "merge"):
        care = care._replace(parts=(*care.parts, *(order for order, _ in event.orders)))
    if event.returns:
        care = care._replace(returning=event.returns, why=event.reason)
    return {"care": care}


def _allotted(state: ParentOrder, event: Allotted) -> _Changes:
    """The members' totals. What was said of an execution before is replaced: it was taken back or corrected."""
    before, now = dict(state.care.parts_of(event.fill)), dict(event.parts)
    of = tuple(s._replace(got_e9=s.got_e9 + now.get(s.order, 0) - before.get(s.order, 0)) for s in state.of)
    others = tuple(one for one in state.care.allotted if one[0] != event.fill)
    return {"of": of, "care": state.care._replace(allotted=(*others, (event.fill, event.parts)))}


def _share_left(state: ParentOrder, event: ShareLeft) -> _Changes:
    left = tuple(Share(s.order, s.quantity_e9 - s.got_e9) for s in state.of if s.order != event.order)
    terms = state.terms.model_copy(update={"quantity_e9": state.terms.quantity_e9 - event.returned_e9})
    return {"of": left, "terms": terms, "schedule": None, "started_volume_e9": None, "start_filled_e9": state.cum_quantity_e9}


CHANGES: Final[dict[type[Event], Callable[..., _Changes]]] = {
    Staged: _staged,
    Handled: _handled,
    Allotted: _allotted,
    ShareLeft: _share_left,
}
