"""Which positions are the house's, which PANIC each is under, and what is known of it for certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.errors import LatchUnreadable
from domain.exposure import ACCOUNT, CLIENT, STRATEGY, TRADER, Ledger
from domain.kill_flatten import Position
from domain.kill_latch import Slot
from domain.kill_scope import Scope, digests
from domain.kill_switch import Unflattened
from domain.kill_table import Level
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.ports import KillLatch, Reference, RiskData
from domain.values import E9, ScopeKind
from ems.desk_state import DeskState
from ems.kill_scopes import touches
from ems.risk_day import RiskDay
from ems.turn import Turn

_OF_ORDERS: Final = {ScopeKind.CLIENT: CLIENT, ScopeKind.STRATEGY: STRATEGY, ScopeKind.TRADER: TRADER}


@dataclass(frozen=True, slots=True)
class HouseTerms:
    """What the configuration says of the house.

    Attributes:
        accounts: its own accounts; without any nothing is ever flattened.
        sessions: client sessions that trade for it. What any other session traded is a client's, whatever account it named.
        price_age_ns: an older price is none.
    """

    accounts: AbstractSet[str] = frozenset()
    sessions: AbstractSet[str] = frozenset()
    collar_bps: int = 100
    price_age_ns: int = 5 * E9


NO_HOUSE: Final = HouseTerms()


@dataclass(frozen=True, slots=True)
class HouseParts:
    """What it looks at. desk: its name, as scopes have it."""

    desk: str
    reference: Reference
    markets: Mapping[str, MarketState]
    data: RiskData
    day: RiskDay
    latch: KillLatch


class Trip(NamedTuple):
    """A PANIC in force."""

    scope: str
    id: str
    since_ns: int


class Target(NamedTuple):
    """What one trip is to bring to zero."""

    account: str
    instrument: str
    trip: Trip
    scopes: tuple[int, ...]
    position: Position = Position(0, 0, 0, 0)


class House:
    """Reads the desk's state and the latch; only `open_positions` changes the turn."""

    def __init__(self, parts: HouseParts, terms: HouseTerms) -> None:
        self._parts = parts
        self._terms = terms

    def panics(self) -> list[Slot]:
        """Scopes at PANIC; none where the latch cannot be read."""
        try:
            return [slot for slot in self._parts.latch.slots() if slot.level is Level.PANIC]
        except LatchUnreadable:
            return []  # counts as HARD: nothing flattens

    def open_positions(self, turn: Turn) -> None:
        """What accounts began the day with is in the log before it is used."""
        reference = self._parts.reference
        trade_date = reference.trade_date(turn.now_ns)
        for account, symbol in self._held(turn.state):
            if (instrument := reference.instrument(symbol)) is not None:
                self._parts.day.prepare(turn, instrument, account, self._parts.markets.get(symbol), trade_date)

    def _held(self, state: DeskState) -> Iterator[tuple[str, str]]:
        """Every house account with each instrument that it may hold."""
        state.risk.totals.settle()
        traded = set(state.risk.totals.held())
        for account in sorted(self._terms.accounts):
            for symbol in sorted(traded | set(self._parts.data.start_positions_e9(account) or ())):
                yield account, symbol

    def unknown(self, state: DeskState, panics: list[Slot], scope: Scope) -> Iterator[Unflattened]:
        """Positions under a PANIC that touch a scope and that nobody knows: they are not flattened."""
        for account in sorted(self._terms.accounts):
            scopes = self._scopes({scope.kind: scope.id, ScopeKind.ACCOUNT: account})
            if self._parts.data.start_positions_e9(account) is None and self._trip(panics, scopes) and touches(scopes, scope):
                yield Unflattened(account=account, instrument="", position_e9=None, why="its positions are not known")
        for account, symbol in self._held(state):
            scopes = self._scopes({ScopeKind.ACCOUNT: account, ScopeKind.INSTRUMENT: symbol})
            known = self._parts.data.start_position_e9(account, symbol) is not None
            if known and not self._certain(state, account, symbol) and self._trip(panics, scopes) and touches(scopes, scope):
                why = "what the log and the day's positions say of it differ"
                yield Unflattened(account=account, instrument=symbol, position_e9=None, why=why)

    def _certain(self, state: DeskState, account: str, symbol: str) -> bool:
        """Do the log and the day's positions agree on what the account began with?"""
        began_e9 = sum(ledger.opening_e9 for ledger in state.risk.exposure.of(symbol) if ledger.key[ACCOUNT] == account)
        return self._parts.data.start_position_e9(account, symbol) == began_e9

    def targets(self, state: DeskState, panics: list[Slot]) -> list[Target]:
        """House positions under a PANIC, by account, instrument and trip."""
        found: dict[tuple[str, str, str], Target] = {}
        for account, symbol in self._held(state):
            if not self._certain(state, account, symbol):
                continue
            for ledger in state.risk.exposure.of(symbol):
                if self._is_house(ledger, account):
                    scopes = self._scopes(self._ids(ledger, symbol))
                    if (trip := self._trip(panics, scopes)) is not None:
                        found.setdefault((account, symbol, trip.id), Target(account, symbol, trip, scopes))
        placed = [target._replace(position=self.position(state, target)) for target in found.values()]
        return [target for target in placed if target.position.scope_e9]

    def _is_house(self, ledger: Ledger, account: str) -> bool:
        client = ledger.key[CLIENT]
        return ledger.key[ACCOUNT] == account and (not client or client in self._terms.sessions)

    def _ids(self, ledger: Ledger, symbol: str) -> dict[ScopeKind, str]:
        """What a position belongs to; what no client traded belongs to no client, strategy or trader."""
        instrument = self._parts.reference.instrument(symbol)
        venue = self._parts.reference.venue_session(instrument) if instrument is not None else ""
        ids = {ScopeKind.ACCOUNT: ledger.key[ACCOUNT], ScopeKind.INSTRUMENT: symbol, ScopeKind.VENUE: venue}
        return ids | ({kind: ledger.key[place] for kind, place in _OF_ORDERS.items()} if ledger.key[CLIENT] else {})

    def _scopes(self, ids: Mapping[ScopeKind, str]) -> tuple[int, ...]:
        return digests({ScopeKind.DESK: self._parts.desk, **ids})

    def _trip(self, panics: list[Slot], scopes: tuple[int, ...]) -> Trip | None:
        """The PANIC that these scopes are under, as the last look will see it."""
        verdict = self._parts.latch.verdict(scopes)
        slot = next((slot for slot in panics if slot.scope.digest == verdict.digest and slot.trip == verdict.trip), None)
        return None if slot is None else Trip(slot.scope.text, f"{slot.trip:016x}", slot.since_ns)

    def position(self, state: DeskState, target: Target) -> Position:
        """What the trip is about, all that the account holds, and what it may still buy and sell; at 1e-9."""
        exposure = state.risk.exposure
        exposure.settle()
        kind, _, name = target.trip.scope.partition(":")
        place = _OF_ORDERS.get(ScopeKind(kind))
        scope_e9 = account_e9 = buying_e9 = selling_e9 = 0
        for ledger in exposure.of(target.instrument):
            if ledger.key[ACCOUNT] != target.account:
                continue
            held_e9, _, its_buying_e9, its_selling_e9, _, _ = ledger.amounts()
            account_e9, buying_e9, selling_e9 = account_e9 + held_e9, buying_e9 + its_buying_e9, selling_e9 + its_selling_e9
            if self._is_house(ledger, target.account) and (place is None or (ledger.key[CLIENT] and ledger.key[place] == name)):
                scope_e9 += held_e9
        if place is not None:  # what was flattened of it stands in no client's ledger
            for parent in self.sent(state, target):
                if parent.flattens is not None and parent.flattens[0] == target.trip.scope:
                    scope_e9 += parent.side.sign * parent.cum_quantity_e9
        return Position(scope_e9, account_e9, buying_e9, selling_e9)

    def sent(self, state: DeskState, target: Target) -> list[ParentOrder]:
        """Flattening orders of all trips for one position, in order."""
        return [state.parent(stream) for stream in state.flattening.get((target.account, target.instrument), ())]
