"""Which scopes of the kill switch an order falls under, and what a message about it does to risk."""

from __future__ import annotations

from collections.abc import Callable

from domain.child_order import ROOT_LENGTH, ChildOrder
from domain.kill_scope import FIRM, Scope, digests, read
from domain.kill_table import Action, KillMark
from domain.parent_order import ParentOrder
from domain.sending import SendChild, SendChildReplace
from domain.values import OrdType, ScopeKind, Side
from ems.desk_state import DeskState


class KillScopes:
    """Looks orders up in the desk's state of the moment.

    Args:
        desk: this desk's name.
        state: the desk's state now.
    """

    def __init__(self, desk: str, state: Callable[[], DeskState]) -> None:
        self._desk = desk
        self._state = state

    def mark(self, message: SendChild | SendChildReplace) -> KillMark:
        """For the last look at a message to a venue."""
        child = self.child(message.cl_ord_id)
        scopes = self.of_message(message) if child is None else self.of_child(child)
        if isinstance(message, SendChildReplace):
            return KillMark(_of_replace(message, child), scopes)
        return KillMark(Action.FLATTEN if message.trip else Action.NEW, scopes, message.trip)

    def child(self, cl_ord_id: str) -> ChildOrder | None:
        """By the id of the order, or of a request about it."""
        state = self._state()
        stream = state.child_ids.get(cl_ord_id[:ROOT_LENGTH])
        return state.children[stream] if stream is not None else None

    def of_message(self, message: SendChild | SendChildReplace) -> tuple[int, ...]:
        """Of an order that no parent's child is: what it says itself."""
        ids = {ScopeKind.VENUE: message.session, ScopeKind.ACCOUNT: message.account, ScopeKind.INSTRUMENT: message.instrument}
        return digests({**ids, ScopeKind.DESK: self._desk})

    def of_child(self, child: ChildOrder) -> tuple[int, ...]:
        """A child's scopes: its parent's, and the venue that it is at."""
        parent = self._state().parents.get(child.parent)
        ids = {ScopeKind.VENUE: child.venue_session, ScopeKind.ACCOUNT: child.account, ScopeKind.INSTRUMENT: child.instrument}
        if isinstance(parent, ParentOrder):
            ids |= self._ids(parent)
        return digests({**ids, ScopeKind.DESK: self._desk})

    def of_parent(self, parent: ParentOrder, venue: str) -> tuple[int, ...]:
        """A parent's scopes with the venue that its next child would go to."""
        ids = {ScopeKind.VENUE: venue, ScopeKind.ACCOUNT: parent.account, ScopeKind.INSTRUMENT: parent.instrument}
        return digests({**ids, **self._ids(parent), ScopeKind.DESK: self._desk})

    def of_order(self, client: str, account: str, instrument: str, strategy: str, trader: str) -> tuple[int, ...]:
        """Of an order that has yet to be accepted."""
        ids = {ScopeKind.CLIENT: client, ScopeKind.ACCOUNT: account, ScopeKind.INSTRUMENT: instrument}
        return digests({**ids, ScopeKind.STRATEGY: strategy or "direct", ScopeKind.DESK: self._desk, ScopeKind.TRADER: trader})

    def _ids(self, parent: ParentOrder) -> dict[ScopeKind, str]:
        if parent.flattens is not None:  # under what it flattens, beside its account, instrument and venue
            scope = read(parent.flattens[0])
            return {scope.kind: scope.id}
        given = parent.terms.instructions
        strategy = given.strategy.name if given is not None and given.strategy is not None else parent.terms.algo.value
        trader = self._state().risk.exposure.trader(parent.id)
        return {ScopeKind.CLIENT: parent.client_session or parent.behalf, ScopeKind.STRATEGY: strategy, ScopeKind.TRADER: trader}


def touches(scopes: tuple[int, ...], scope: Scope) -> bool:
    """Does a scope stop what falls under these?"""
    return scope == FIRM or scope.digest in scopes


def _of_replace(message: SendChildReplace, child: ChildOrder | None) -> Action:
    """Down only where it is so in every respect: no more quantity, no better price for the other side, the same kind."""
    if child is None or message.ord_type is not child.ord_type or message.quantity_e9 > child.quantity_e9:
        return Action.REPLACE_UP
    if message.time_in_force is not child.time_in_force or message.instructions != child.instructions:
        return Action.REPLACE_UP
    if message.ord_type is OrdType.MARKET:
        return Action.REPLACE_DOWN
    before_e9, after_e9 = child.limit_price_e9, message.limit_price_e9
    if before_e9 is None or after_e9 is None:
        return Action.REPLACE_DOWN if before_e9 == after_e9 else Action.REPLACE_UP
    keener = after_e9 > before_e9 if message.side is Side.BUY else after_e9 < before_e9
    return Action.REPLACE_UP if keener else Action.REPLACE_DOWN
