"""The day's facts for risk as plain tables: the port `RiskData` in memory. What is not in a table is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

FOREVER_NS: Final = 1 << 63


class Restriction(NamedTuple):
    """A line of a restricted list, in force from from_ns until until_ns (None: until further notice)."""

    instrument: str
    from_ns: int
    until_ns: int | None


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """A table that is None was not loaded, and answers "not known"; one that is there and has no entry answers so too, but
    for lists of exceptions: restrictions, halts, registered models.
    """

    adv: Mapping[str, int] = field(default_factory=dict)  # all at 1e-9
    reference_prices: Mapping[str, int] = field(default_factory=dict)
    locates: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by account and instrument
    positions: Mapping[tuple[str, str], int] | None = None  # of a known account, what is not in the table is nothing
    accounts: frozenset[str] | None = None  # known whole by their positions; None: all
    capital: Mapping[str, int] = field(default_factory=dict)  # by scope: "firm", "account:FUND-7"
    fx_rates: Mapping[str, int] = field(default_factory=dict)
    restrictions: tuple[Restriction, ...] | None = None
    halts: tuple[Restriction, ...] | None = None
    models: frozenset[str] | None = None
    permissions: frozenset[tuple[str, str, str, str]] | None = None  # who, strategy, instrument, venue; "*" for any
    _restricted: Lines | None = field(init=False, repr=False, compare=False)
    _halted: Lines | None = field(init=False, repr=False, compare=False)
    _permitted: dict[tuple[str, str, str, str], bool] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Lists by instrument: an order does not pay for how long they are."""
        object.__setattr__(self, "_restricted", _by_instrument(self.restrictions))
        object.__setattr__(self, "_halted", _by_instrument(self.halts))

    def facts(self) -> object:
        """Themselves: they never change."""
        return self

    def settled_until_ns(self, instrument: str, now_ns: int) -> int:
        """The next beginning or end of a line about it."""
        lines = [*(self._restricted or {}).get(instrument, ()), *(self._halted or {}).get(instrument, ())]
        edges = [edge for line in lines for edge in (line.from_ns, line.until_ns) if edge is not None and edge > now_ns]
        return min(edges, default=FOREVER_NS)

    def adv_e9(self, instrument: str) -> int | None:
        """Average daily volume."""
        return self.adv.get(instrument)

    def reference_price_e9(self, instrument: str) -> int | None:
        """The last close."""
        return self.reference_prices.get(instrument)

    def locate_e9(self, account: str, instrument: str) -> int | None:
        """How much may be short."""
        return self.locates.get((account, instrument))

    def restricted(self, instrument: str, now_ns: int) -> bool | None:
        """Is it listed now?"""
        return _listed(self._restricted, instrument, now_ns)

    def halted(self, instrument: str, now_ns: int) -> bool | None:
        """Is it halted now?"""
        return _listed(self._halted, instrument, now_ns)

    def capital_e9(self, scope: str) -> int | None:
        """The stated capital."""
        return self.capital.get(scope)

    def start_position_e9(self, account: str, instrument: str) -> int | None:
        """What the day began with."""
        if self.positions is None or (self.accounts is not None and account not in self.accounts):
            return None
        return self.positions.get((account, instrument), 0)

    def start_positions_e9(self, account: str) -> Mapping[str, int] | None:
        """All that it held."""
        if self.positions is None or (self.accounts is not None and account not in self.accounts):
            return None
        return {symbol: quantity_e9 for (holder, symbol), quantity_e9 in self.positions.items() if holder == account}

    def fx_rate_e9(self, currency: str) -> int | None:
        """In the firm's currency."""
        return self.fx_rates.get(currency)

    def registered_model(self, digest: str) -> bool | None:
        """Is it registered?"""
        return None if self.models is None else digest in self.models

    def trading_models(self) -> frozenset[str] | None:
        """All that are registered and may decide."""
        return self.models

    def permitted(self, who: str, strategy: str, instrument: str, venue: str) -> bool | None:
        """Is there a line that allows it? A venue that is not decided yet is not asked about."""
        if self.permissions is None:
            return None
        asked = (who, strategy, instrument, venue)
        found = self._permitted.get(asked)
        if found is None:  # looked up once of each: the table does not change
            found = self._permitted[asked] = any(_allows(line, asked) for line in self.permissions)
        return found


def _allows(line: tuple[str, str, str, str], asked: tuple[str, str, str, str]) -> bool:
    """A venue that is asked about as "" is not decided yet: any line for the rest allows it."""
    *its, its_venue = line
    return all(mine in ("*", theirs) for mine, theirs in zip(its, asked[:3], strict=True)) and (
        its_venue in ("*", asked[3]) or not asked[3]
    )


Lines = dict[str, list[Restriction]]


def _by_instrument(lines: tuple[Restriction, ...] | None) -> Lines | None:
    if lines is None:
        return None
    found: Lines = {}
    for line in lines:
        found.setdefault(line.instrument, []).append(line)
    return found


def _listed(lines: Lines | None, instrument: str, now_ns: int) -> bool | None:
    if lines is None:
        return None
    here = lines.get(instrument)
    return here is not None and any(line.from_ns <= now_ns and (line.until_ns is None or now_ns < line.until_ns) for line in here)


NOTHING_KNOWN = RiskFacts()
