"""The proof of flat: what a trip found, what was done about each order, and what its venue said of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from domain.child_order import ChildOrder
from domain.kill_switch import OrderProof, Reported, Switch, Unflattened
from domain.kill_table import Level
from domain.order_life import OrdStatus
from ems.desk_state import DeskState
from ems.kill_scopes import KillScopes, touches

_LEVEL = {Level.SOFT: "soft", Level.HARD: "hard", Level.PANIC: "panic"}


NO_PANIC: Final[tuple[str, tuple[Unflattened, ...]]] = ("", ())


def proof(
    state: DeskState, scopes: KillScopes, switch: Switch, told: list[Mapping[str, Any]], *,
    house: tuple[str, tuple[Unflattened, ...]] = NO_PANIC, at_ns: int,
) -> Reported:  # fmt: skip
    """As things stand. An order is over only by its venue's word: an emergency cancel puts it in doubt, and whatever is in
    doubt is asked about, so that what counts here as ended was told after the trip.

    Args:
        house: of a PANIC: what became of house positions, and which are not flat.
        told: what each gateway says of this trip (`adapters.fix.emergency`): the orders whose cancel it sent, and when.
    """
    sent = {key: int(one["last_sent_ns"]) for one in told for key in one["orders"]}
    orders = [child for child in state.children.values() if _was_live(child, switch) and _touched(scopes, child, switch)]
    later_e9 = _filled_since(state, switch.tripped_ns)
    proofs = [
        OrderProof(
            cl_ord_id=child.cl_ord_id,
            venue_session=child.venue_session,
            cancel_sent_ns=_sent_ns(child, sent),
            ended_ns=None if child.live else child.changed_ns,
            filled_anyway_e9=later_e9.get(child.id, 0),
            status=child.status.value,
            flattens=child.trip == switch.trip,
        )
        for child in orders
    ]
    live = [child for child in orders if child.live]
    certain = not any(child.status is OrdStatus.IN_DOUBT for child in live)
    return Reported.sample(
        scope=switch.scope.text,
        trip=switch.trip,
        level=_LEVEL[switch.level],
        actor=switch.actor,
        reason=switch.reason,
        tripped_ns=switch.tripped_ns,
        live_at_trip=sum(child.trip != switch.trip for child in orders),
        orders=proofs,
        last_sent_ns=max(sent.values(), default=None),
        last_acknowledged_ns=max((p.ended_ns for p in proofs if p.ended_ns is not None), default=None),
        open_orders=len(live) if certain else None,
        residual=_residual(orders),
        complete=certain and (not live or switch.level is Level.SOFT) and not house[1],
        at_ns=at_ns,
        flattening=house[0],
        unflattened=house[1],
    )


def _was_live(child: ChildOrder, switch: Switch) -> bool:
    """At the trip, or since; without those that never left."""
    never_left = child.status is OrdStatus.REJECTED and not child.accepted
    return not never_left and (child.live or child.changed_ns >= switch.tripped_ns)


def _touched(scopes: KillScopes, child: ChildOrder, switch: Switch) -> bool:
    return touches(scopes.of_child(child), switch.scope)


def _sent_ns(child: ChildOrder, sent: Mapping[str, int]) -> int | None:
    ids = [child.cl_ord_id] if child.replacing is None else [child.cl_ord_id, child.replacing.cl_ord_id]
    return next((sent[key] for key in ids if key in sent), None)


def _filled_since(state: DeskState, at_ns: int) -> dict[Any, int]:
    found: defaultdict[Any, int] = defaultdict(int)
    for fill in state.fills.values():
        if fill.child is not None and fill.at_ns >= at_ns:
            found[fill.child] += fill.quantity_e9
    return found


def _residual(orders: list[ChildOrder]) -> list[tuple[str, str, int]]:
    """What the orders of the trip have executed, net by account and instrument."""
    net_e9: defaultdict[tuple[str, str], int] = defaultdict(int)
    for child in orders:
        net_e9[child.account, child.instrument] += child.side.sign * child.cum_quantity_e9
    return [(account, instrument, quantity_e9) for (account, instrument), quantity_e9 in sorted(net_e9.items()) if quantity_e9]
