"""The risk gate: every order is judged where it is decided, before its event, and every verdict is written.

Parents and lists before they are taken, amendments before they are granted, children and their replaces before they are
made. Cancels are never asked. `cleared` is the other half: what may leave, by what is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import structlog

from domain import child_order as co
from domain import parent_order as po
from domain import risk_checks
from domain.child_order import ChildOrder
from domain.event import made
from domain.instructions import PLAIN
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.ports import Reference, RiskData
from domain.refusal import ORD_REJ_REASON, OTHER, Refusal
from domain.risk import (
    Check,
    Outcome,
    RiskOrder,
    Scopes,
    StrategyDisabled,
    Subject,
    check_key,
    strategy_key,
)
from domain.risk_situation import Situation
from domain.risk_state import like, said
from domain.risk_verdicts import Checked, Verdict
from domain.sending import Outbound, SendChild, SendChildReplace
from domain.terms import Terms
from domain.trader import trader_of
from domain.values import E9, Algo, Side, StreamId
from ems.desk_state import DeskState
from ems.risk_day import RiskDay, RiskTerms
from ems.risk_told import market_facts, verdict_row
from ems.turn import Turn

_DISABLING: Final = frozenset({Check.REPEATED_EXECUTION, Check.CHILD_SUM})  # a breach is a strategy's fault, not an order's
_CHILD: Final = Subject.CHILD
_DIRECT: Final = Algo.DIRECT
_new = tuple.__new__  # of a named tuple, in a third of the time
_log = structlog.get_logger("risk")
_BACK_OFF_NS: Final = E9
_BACK_OFFS_MAX: Final = 6  # 64 s


class Cleared(NamedTuple):
    """What became of a check: why not, or at which price an order without a limit is reckoned."""

    refusal: Refusal | None
    price_e9: int | None


class RiskGate:
    """One for the desk. All methods change the turn, none touches the outside."""

    def __init__(self, reference: Reference, markets: Mapping[str, MarketState], data: RiskData, terms: RiskTerms) -> None:
        self._reference = reference
        self._markets = markets
        self.data = data
        self._desk = terms.desk
        self.day = RiskDay(reference, markets, data, terms)

    # --------------------------------------------------------------------------------------- client orders

    def parent(self, turn: Turn, stream: StreamId, accepted: po.Accepted) -> Refusal | None:
        """A client's order that its own rules have taken, or one that the desk makes of clients' orders."""
        terms = accepted.terms
        trader = trader_of(terms.instructions, turn.actor)
        scopes = self._scopes(trader, accepted.account, accepted.client_session or accepted.behalf, accepted.instrument, terms)
        if accepted.route:
            scopes = scopes._replace(venue=accepted.route)
        subject = Subject.PART if accepted.of else Subject.PARENT
        return self._judge(turn, _of_terms(subject, stream, scopes, accepted.side, terms)).refusal

    def would(self, turn: Turn, stream: StreamId, accepted: po.Accepted) -> tuple[Refusal | None, dict[str, Any]]:
        """What `parent` would say, and what the cost of the order is reckoned from. Nothing of the order is written."""
        terms, symbol = accepted.terms, accepted.instrument
        trader = trader_of(terms.instructions, turn.actor)
        scopes = self._scopes(trader, accepted.account, accepted.client_session, symbol, terms)
        order = _of_terms(Subject.PARENT, stream, scopes, accepted.side, terms)
        at = self._situation(turn, order)
        refusing = risk_checks.judge(order, at).refusing()
        facts = market_facts(self._markets.get(symbol), self.data.adv_e9(symbol), at.notional_e9)
        refusal = risk_checks.refusal(risk_checks.worst(refusing)) if refusing else None
        return refusal, facts | {"verdicts": [verdict_row(verdict) for verdict in refusing]}

    def amend(self, turn: Turn, parent: ParentOrder, terms: Terms) -> Refusal | None:
        """What a client wants of an order instead; also a list's order that is begun only now."""
        state = turn.state.risk
        scopes = self._scopes(
            state.exposure.trader(parent.id), parent.account, parent.client_session, parent.instrument, terms
        )  # fmt: skip
        open_e9 = max(0, terms.quantity_e9 - parent.cum_quantity_e9)
        held = [state.waiting.reserved(parent.id), *(state.exposure.reserved(child) for child in parent.open_e9)]
        price_e9 = parent.terms.limit_price_e9 or terms.limit_price_e9 or 0
        left_e9 = 0 if parent.staged else max(0, parent.leaves_e9 - sum(quantity_e9 for quantity_e9, _ in held))
        order = _of_terms(Subject.AMEND, parent.id, scopes, parent.side, terms)._replace(
            open_e9=open_e9,
            held_e9=sum(quantity_e9 for quantity_e9, _ in held),
            held_e18=sum(quantity_e9 * price for quantity_e9, price in held) + left_e9 * price_e9,
        )
        return self._judge(turn, order).refusal

    def listed(self, turn: Turn, stream: StreamId, orders: Iterable[po.Accepted]) -> Refusal | None:
        """A client's list as one: what all of its orders are worth together."""
        value_e9: int | None = 0
        first: po.Accepted | None = None
        for accepted in orders:
            first = first or accepted
            trader = trader_of(accepted.terms.instructions, turn.actor)
            scopes = self._scopes(trader, accepted.account, accepted.client_session, accepted.instrument, accepted.terms)
            order = _of_terms(Subject.PARENT, stream, scopes, accepted.side, accepted.terms)
            notional_e9 = self._situation(turn, order).notional_e9
            value_e9 = None if notional_e9 is None or value_e9 is None else value_e9 + notional_e9
        if first is None:
            return None
        trader = trader_of(first.terms.instructions, turn.actor)
        scopes = Scopes(self._desk, trader, first.account, first.client_session, "", "", "")
        order = RiskOrder(
            subject=Subject.LIST, order=stream, parent=stream, scopes=scopes, side=None, quantity_e9=0, limit_price_e9=None,
            time_in_force=first.terms.time_in_force, open_e9=0, value_e9=value_e9,
        )  # fmt: skip
        return self._judge(turn, order).refusal

    # --------------------------------------------------------------------------------------------- children

    def child(
        self, turn: Turn, parent: ParentOrder, stream: StreamId, quantity_e9: int, limit_price_e9: int | None, *, venue: str
    ) -> Cleared:
        """The next child of a parent, before anything of it is written."""
        terms = parent.terms
        direct = terms.algo is _DIRECT
        of = (
            _CHILD, stream, parent.id, self._scopes_of(turn, parent, venue), parent.side, quantity_e9, limit_price_e9,
            terms.time_in_force, quantity_e9, 0, 0, terms.quantity_e9, parent.released_e9, not direct, None,
            _stop_e9(terms) if direct else None, None,
        )  # fmt: skip  # by place: the way every order goes, and names cost as much as three checks
        return self._judge(turn, _new(RiskOrder, of))

    def replace(self, turn: Turn, parent: ParentOrder, child: ChildOrder, terms: Terms) -> Cleared:
        """What the venue is asked to make of a child."""
        held_e9, price_e9 = turn.state.risk.exposure.reserved(child.id)
        order = RiskOrder(
            subject=Subject.REPLACE,
            order=child.id,
            parent=parent.id,
            scopes=self._scopes_of(turn, parent, child.venue_session),
            side=child.side,
            quantity_e9=terms.quantity_e9,
            limit_price_e9=terms.limit_price_e9,
            time_in_force=terms.time_in_force,
            open_e9=max(0, terms.quantity_e9 - child.cum_quantity_e9),
            held_e9=held_e9,
            held_e18=held_e9 * price_e9,
            parent_quantity_e9=max(parent.terms.quantity_e9, terms.quantity_e9),
            released_e9=child.cum_quantity_e9,
            stop_price_e9=None if child.working else _stop_e9(terms),
        )
        return self._judge(turn, order)

    def free_ns(self, state: DeskState, parent: ParentOrder) -> int:
        """When the next child of a parent may be tried: later and later after refusals in a row."""
        blocked = state.risk.blocked.get(parent.id)
        return 0 if blocked is None else blocked.at_ns + (_BACK_OFF_NS << min(blocked.times - 1, _BACK_OFFS_MAX))

    def waits(self, turn: Turn, parent: ParentOrder) -> bool:
        """Is it no use to try a child now? A disabled strategy tries none before a person lets it trade again."""
        return parent.terms.algo.value in turn.state.risk.disabled or self.free_ns(turn.state, parent) > turn.now_ns

    # ------------------------------------------------------------------------------------------- judging

    def _judge(self, turn: Turn, order: RiskOrder) -> Cleared:
        at = self._situation(turn, order)
        judged = risk_checks.judge(order, at)
        refusing = judged.refusing()
        override = _override(turn, order, refusing) if refusing else None
        event = made(
            Checked,
            {
                "subject": order.subject,
                "order": order.order,
                "parent": order.parent,
                "scopes": order.scopes,
                "side": order.side,
                "quantity_e9": order.quantity_e9,
                "limit_price_e9": order.limit_price_e9,
                "price_e9": at.price_e9,
                "reference_price_e9": at.reference_e9,
                "reference": at.reference,
                "market_ns": at.market.time_ns if at.market is not None else None,
                "notional_e9": at.notional_e9,
                "passed": not refusing or override is not None,
                "terms": judged.terms,
                "observed": judged.observed,
                "limits": judged.limits,
                "notes": judged.notes,
                "override": override,
            },
        )
        turn.apply(check_key(order.order), event, correlation=order.parent)
        if event.passed:
            return Cleared(None, at.price_e9)
        self._refused(turn, order, refusing)
        return Cleared(risk_checks.refusal(risk_checks.worst(refusing)), None)

    def _refused(self, turn: Turn, order: RiskOrder, refusing: list[Verdict]) -> None:
        fault = next((v for v in refusing if v.check in _DISABLING and v.outcome is Outcome.HARD), None)
        strategy = order.scopes.strategy
        if fault is not None and order.automated and strategy not in turn.state.risk.disabled:
            stopped = StrategyDisabled(strategy=strategy, check=fault.check, text=said(fault))
            turn.apply(strategy_key(strategy), stopped, correlation=order.parent)
            _log.critical("strategy disabled", strategy=strategy, text=stopped.text)
        elif order.subject is Subject.CHILD:
            _log.warning("child refused", parent=str(order.parent), text=said(risk_checks.worst(refusing)))

    def _situation(self, turn: Turn, order: RiskOrder) -> Situation:
        symbol = order.scopes.instrument
        instrument = self._reference.instrument(symbol) if symbol else None
        market = self._markets.get(symbol)
        trade_date = self._reference.trade_date(turn.now_ns)
        if instrument is not None:
            self.day.prepare(turn, instrument, order.scopes.account, market, trade_date)
        day = self._reference.day(instrument, turn.now_ns) if instrument is not None else None
        return Situation(order, turn.state.risk, self.data, instrument, market, day, trade_date, turn.now_ns)

    def _scopes(self, trader: str, account: str, client: str, instrument: str, terms: Terms) -> Scopes:
        strategy = (terms.instructions or PLAIN).strategy
        known = self._reference.instrument(instrument)
        venue = strategy.session if strategy is not None else self._reference.venue_session(known) if known is not None else ""
        return Scopes(self._desk, trader, account, client, terms.algo.value, instrument, venue)

    def _scopes_of(self, turn: Turn, parent: ParentOrder, venue: str) -> Scopes:
        trader = turn.state.risk.exposure.trader(parent.id)
        algo: str = parent.terms.algo._value_  # not `.value`: of an Enum that is a Python function
        client = parent.client_session or parent.behalf
        return _new(Scopes, (self._desk, trader, parent.account, client, algo, parent.instrument, venue))


def turned_down(refusal: Refusal) -> po.TurnedDown:
    """The end of an order that was taken and may not be worked after all."""
    return po.TurnedDown(ord_rej_reason=ORD_REJ_REASON.get(refusal.reason, OTHER), text=refusal.text)


def cleared(turn: Turn, message: Outbound) -> bool:
    """May a message of a turn leave by what is written? An order or replace needs a verdict that passed on these very terms."""
    if not isinstance(message, SendChild | SendChildReplace):
        return True
    if type(message) is SendChild and message.trip:  # the kill switch's own table judges it, at every last look
        return True
    child = turn.state.child_ids.get(message.cl_ord_id[: co.ROOT_LENGTH])
    clearance = turn.clearances.get(child) if child is not None else None
    return clearance is not None and clearance.allows == (message.quantity_e9, message.limit_price_e9)


def _of_terms(subject: Subject, stream: StreamId, scopes: Scopes, side: Side, terms: Terms) -> RiskOrder:
    return RiskOrder(
        subject=subject,
        order=stream,
        parent=stream,
        scopes=scopes,
        side=side,
        quantity_e9=terms.quantity_e9,
        limit_price_e9=terms.limit_price_e9,
        time_in_force=terms.time_in_force,
        open_e9=terms.quantity_e9,
        stop_price_e9=_stop_e9(terms),
    )


def _stop_e9(terms: Terms) -> int | None:
    return terms.instructions.stop_price_e9 if terms.instructions is not None else None


def _override(turn: Turn, order: RiskOrder, refusing: list[Verdict]) -> StreamId | None:
    """The word of a second person for an order like this one, if only soft limits refuse it and the word names them all."""
    found = turn.state.risk.overrides.get(like(order))
    if found is None or found.used or turn.now_ns >= found.granted.until_ns:
        return None
    named = found.granted.checks
    return found.id if all(v.outcome is Outcome.SOFT and v.check in named for v in refusing) else None
