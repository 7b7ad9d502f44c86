"""The kill switch inside the desk's decisions: no order is made that the last look would stop, and clients are told.

What it reads is the latch, at the moment of a decision; what follows from that are events like any other.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from domain.kill_scope import Scope
from domain.kill_table import Level, Verdict
from domain.messages import KillNews, NewOrder
from domain.parent_order import ParentOrder
from domain.ports import KillLatch
from domain.refusal import Reason, Refusal
from domain.sending import SendNews
from domain.trader import trader_of
from domain.values import ScopeKind
from ems.kill_scopes import KillScopes, touches
from ems.order_gate import said
from ems.turn import Turn

_OF_ALL = (ScopeKind.FIRM, ScopeKind.DESK, ScopeKind.VENUE)


class KillDesk:
    """Asked before a parent is accepted and before a child is made."""

    def __init__(self, latch: KillLatch, scopes: KillScopes, client_sessions: AbstractSet[str]) -> None:
        self._latch = latch
        self._scopes = scopes
        self._client_sessions = client_sessions

    def refusal(self, order: NewOrder, actor: str) -> Refusal | None:
        """Why a new parent is not taken now, None if it is. While suspended it is: it waits."""
        trader = trader_of(order.instructions, actor)
        scopes = self._scopes.of_order(order.ref.session, order.account, order.symbol, order.algo, trader)
        verdict = self._latch.verdict(scopes)
        return Refusal(Reason.KILL_SWITCH, said(verdict)) if verdict.level >= Level.SOFT else None

    def holds(self, parent: ParentOrder, venue: str) -> str:
        """Why a parent makes no new child now, "" if it may: its scopes are stopped, or it waits for a person since."""
        verdict = self._latch.verdict(self._scopes.of_parent(parent, venue))
        if verdict.level > Level.ARMED:
            return said(verdict)
        return "paused until a person resumes it" if parent.created_ns <= verdict.paused_before_ns else ""

    def verdict(self, parent: ParentOrder, venue: str) -> Verdict:
        """As the latch is this moment for a parent."""
        return self._latch.verdict(self._scopes.of_parent(parent, venue))

    def told(self, turn: Turn, news: KillNews) -> None:
        """News (35=B) to the clients whose orders may be concerned; every working order is looked at again."""
        turn.begin(actor="system:kill", causation="kill switch")
        for session in self._concerned(turn, news.scope):
            turn.extra.append(SendNews(session=session, event_seq=0, headline=news.headline, text=news.text))
        turn.touched.update(dict.fromkeys(turn.state.working))

    def _concerned(self, turn: Turn, scope: Scope) -> list[str]:
        if scope.kind in _OF_ALL:
            return sorted(self._client_sessions)
        if scope.kind is ScopeKind.CLIENT:
            return [scope.id] if scope.id in self._client_sessions else []
        working = [turn.state.parent(stream) for stream in turn.state.working]
        return sorted({p.client_session for p in working if p.client_session and touches(self._scopes.of_parent(p, ""), scope)})
