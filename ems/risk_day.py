"""Risk's day: limits from the configuration, prices that positions are valued at, what accounts began with. All as events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain import limits
from domain.errors import ConfigError
from domain.exposure_totals import FIRM_SCOPE, Totals
from domain.instrument import Instrument
from domain.limits import LimitRetired, LimitSet
from domain.market_state import MarketState
from domain.ports import Reference, RiskData
from domain.refusal import Refusal
from domain.risk import Check, Mark, Marked, PositionOpened, day_key
from domain.risk_state import RiskState
from domain.values import E9
from ems.turn import Turn

_LOSSES: Final = (Check.DAILY_LOSS, Check.DRAWDOWN)
_CONFIG: Final = "config:"


@dataclass(frozen=True, slots=True)
class RiskTerms:
    """What the configuration says of risk. digest: of the limits in it, which sign as "config:<digest>"; watched: positions
    are valued for the watchdog too.
    """

    desk: str = "desk"
    currency: str = "USD"  # the firm's: what money limits are in
    mark_every_ns: int = 5 * E9
    limits: tuple[LimitSet, ...] = ()
    digest: str = ""
    watched: bool = False


NO_LIMITS: Final = RiskTerms()


class RiskDay:
    """Pure but for what it is given."""

    def __init__(self, reference: Reference, markets: Mapping[str, MarketState], data: RiskData, terms: RiskTerms) -> None:
        self._reference = reference
        self._markets = markets
        self._data = data
        self._terms = terms
        self._looked_ns = 0  # only about when to look again
        self._facts: object = None
        self._trade_date = ""
        self._agreed: set[tuple[str, str]] = set()  # accounts and instruments whose opening is in the log as these have it

    def prepare(self, turn: Turn, instrument: Instrument, account: str, market: MarketState | None, trade_date: str) -> None:
        """What an instrument is worth and what the account began with are events too, before they are used."""
        state, symbol = turn.state.risk, instrument.symbol
        totals, facts = state.totals, self._data.facts()
        if facts is not self._facts or trade_date != self._trade_date:
            self._facts, self._trade_date, self._agreed = facts, trade_date, set()
        if (account, symbol) in self._agreed and trade_date == totals.trade_date:
            return  # as nearly always
        if trade_date != totals.trade_date or symbol not in totals.prices_e9:
            mark = self._mark(instrument, market)
            new = mark is not None and (symbol not in totals.rates_e9 or mark.price_e9 is not None)
            if new or trade_date != totals.trade_date:
                marked = Marked(trade_date=trade_date, marks=(mark,) if mark is not None else ())
                turn.apply(day_key(trade_date), marked, correlation=day_key(trade_date))
        if (account, symbol) not in self._agreed and symbol in totals.prices_e9:
            self._agreed.add((account, symbol))
            held_e9 = self._data.start_position_e9(account, symbol)
            if held_e9 is not None and held_e9 != state.opened.get((account, symbol), 0):  # first seen, or amended since
                opened = PositionOpened(trade_date=trade_date, account=account, instrument=symbol, quantity_e9=held_e9)
                turn.apply(day_key(trade_date), opened, correlation=day_key(trade_date))

    def _mark(self, instrument: Instrument, market: MarketState | None) -> Mark | None:
        """None without an exchange rate."""
        same = instrument.currency == self._terms.currency
        fx_rate_e9 = E9 if same else self._data.fx_rate_e9(instrument.currency)
        if fx_rate_e9 is None:
            return None
        price_e9 = market.mid_e9 or market.last_e9 if market is not None else None
        if price_e9 is None:
            price_e9 = self._data.reference_price_e9(instrument.symbol)
        return Mark(instrument.symbol, price_e9, instrument.multiplier_e9 * fx_rate_e9 // E9)

    def mark(self, turn: Turn) -> None:
        """Value what is held anew, every few seconds, where a limit or the watchdog looks at losses, or one is not known."""
        totals = turn.state.risk.totals
        if turn.now_ns - self._looked_ns < self._terms.mark_every_ns:
            return
        self._looked_ns = turn.now_ns
        totals.settle()
        valued = self._terms.watched or turn.state.risk.limits.has(*_LOSSES)
        if not valued and not totals.money(FIRM_SCOPE).unrated:
            return
        trade_date = self._reference.trade_date(turn.now_ns)
        instruments = [i for symbol in totals.held() if (i := self._reference.instrument(symbol)) is not None]
        marks = [mark for i in instruments if (mark := self._mark(i, self._markets.get(i.symbol))) is not None]
        fresh = tuple(mark for mark in marks if _news(mark, totals))
        if fresh or trade_date != totals.trade_date:
            turn.begin(actor="system:risk", causation="state")
            turn.apply(day_key(trade_date), Marked(trade_date=trade_date, marks=fresh), correlation=day_key(trade_date))

    # --------------------------------------------------------------------------------------------- limits

    def configure(self, turn: Turn) -> None:
        """The configuration's limits are in force from now on, and what an earlier one said no more.

        Raises:
            ConfigError: a limit that cannot be.
        """
        actor, book = f"{_CONFIG}{self._terms.digest[:12]}", turn.state.risk.limits
        turn.begin(actor=actor, causation="start")
        wanted = set()
        for limit in self._terms.limits:
            signed = limit.model_copy(update={"approver": actor})
            wanted.add(limits.key_of(signed))
            if _said_before(book.limits.get(limits.key_of(signed)), signed):
                continue  # what people have made of it since stays
            decided = limits.set_limit(book, limits.Asked(signed, actor))
            if isinstance(decided, Refusal):
                raise ConfigError(f"risk: {decided.text}")
            turn.apply(limits.key_of(signed), *decided, correlation=limits.key_of(signed))
        for stream, known in list(book.limits.items()):
            last = known.versions[-1][1]
            if last is not None and stream not in wanted and last.approver.startswith(_CONFIG):
                gone = LimitRetired(
                    check=last.check, scope=last.scope, scope_id=last.scope_id, applies=last.applies, level=last.level,
                    approver=actor, reason="not in the configuration any more",
                )  # fmt: skip
                turn.apply(stream, gone, correlation=stream)


def _said_before(known: limits.Limit | None, limit: LimitSet) -> bool:
    """Is this what the configuration said of a limit last? What is retired, it says anew."""
    if known is None or known.versions[-1][1] is None:
        return False
    said = [content for _, content in known.versions if content is not None]
    last = next((content for content in reversed(said) if content.approver.startswith(_CONFIG)), None)
    return last is not None and last == limit.model_copy(update={"approver": last.approver, "reason": last.reason})


def risk_status(state: RiskState, now_ns: int) -> dict[str, Any]:
    """What `ems health` is told of risk."""
    return {
        "strategies_disabled": sorted(state.disabled),
        "orders_refused": len(state.blocked),
        "limits_in_force": state.limits.in_force(now_ns),
    }


def _news(mark: Mark, totals: Totals) -> bool:
    known_e9 = totals.prices_e9.get(mark.instrument)
    return mark.instrument not in totals.rates_e9 or (mark.price_e9 is not None and mark.price_e9 != known_e9)
