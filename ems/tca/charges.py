"""Fees and commissions by the schedules that were loaded for the day. Pure; what no schedule says is missing, never zero.

A market's fee is a rate by what the order did to its book; a broker's commission comes on top. Both are of one child order:
quantity x per_share + notional x rate_bps / 10,000, at least the minimum where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from domain.day_rows import Commission, Fee
from domain.values import E9, TimeInForce

Liquidity = Literal["add", "remove", "auction"]
ANY: Final = "*"
_BPS: Final = 10_000
_BY_TACTIC: Final[dict[str, Liquidity]] = {"passive": "add", "aggressive": "remove", "would": "remove"}
_AUCTIONS: Final = (TimeInForce.AT_THE_OPENING, TimeInForce.AT_THE_CLOSE)


@dataclass(frozen=True, slots=True)
class Schedules:
    """What was loaded for one trade date. source: for people, which files."""

    fees: tuple[Fee, ...] = ()
    commissions: tuple[Commission, ...] = ()
    source: str = ""


class ChildTotal(NamedTuple):
    """What one child order was executed for in all. notional_e18: sum of price times quantity, in money at 1e-18."""

    venue: str
    account: str
    liquidity: Liquidity | None  # None: nothing recorded says
    quantity_e9: int
    notional_e18: int


class Charged(NamedTuple):
    """In money at 1e-18; None where a schedule is missing, which missing says."""

    fees_e18: int | None
    commissions_e18: int | None
    missing: tuple[str, ...]

    @property
    def total_e18(self) -> int | None:
        """Both together."""
        return None if self.fees_e18 is None or self.commissions_e18 is None else self.fees_e18 + self.commissions_e18


def liquidity_of(tactic: str, time_in_force: TimeInForce) -> Liquidity | None:
    """What an order did to the book, by how it was sent: the log has no liquidity flag of the venue's."""
    return "auction" if time_in_force in _AUCTIONS else _BY_TACTIC.get(tactic)


def charges(schedules: Schedules | None, children: Sequence[ChildTotal], mic: str, currency: str) -> Charged:
    """What an order's children were charged. Charges in another currency than the instrument's are missing: no rate of the
    moment is recorded.
    """
    children = [child for child in children if child.quantity_e9]
    if not children:
        return Charged(0, 0, ())
    if schedules is None:
        return Charged(None, None, ("no schedule of fees and commissions is loaded for the day",))
    missing: dict[str, None] = {}
    fees = [_fee(schedules.fees, child, mic, currency, missing) for child in children]
    commissions = [_commission(schedules.commissions, child, currency, missing) for child in children]
    return Charged(_sum(fees), _sum(commissions), tuple(missing))


def _fee(rows: Iterable[Fee], child: ChildTotal, mic: str, currency: str, missing: dict[str, None]) -> int | None:
    of_market = [row for row in rows if row.mic == mic]
    found = [row for row in of_market if row.liquidity == child.liquidity]
    if child.liquidity is None and len({(r.currency, r.per_share_e9, r.rate_bps_e9, r.minimum_e9) for r in of_market}) == 1:
        found = of_market  # the same whatever it did
    if not found:
        what = f"{child.liquidity} on {mic}" if child.liquidity else f"{mic}, where adding or removing is not recorded"
        missing[f"no fee is known of {what}"] = None
        return None
    return _amount(found[0], child, currency, f"the fee of {mic}", missing)


def _commission(rows: Iterable[Commission], child: ChildTotal, currency: str, missing: dict[str, None]) -> int | None:
    wanted = [(child.venue, child.account), (ANY, child.account), (child.venue, ANY), (ANY, ANY)]
    of_currency = {(row.venue, row.account): row for row in rows if row.currency == currency}
    row = next((of_currency[place] for place in wanted if place in of_currency), None)
    if row is None:
        missing[f"no commission of {child.venue} in {currency} is known"] = None
        return None
    return _amount(row, child, currency, f"the commission of {child.venue}", missing)


def _amount(row: Fee | Commission, child: ChildTotal, currency: str, what: str, missing: dict[str, None]) -> int | None:
    if row.currency != currency:
        missing[f"{what} is in {row.currency}, the instrument in {currency}"] = None
        return None
    rated_e18 = child.notional_e18 * row.rate_bps_e9 // (_BPS * E9)
    charged_e18 = child.quantity_e9 * row.per_share_e9 + rated_e18
    return max(charged_e18, row.minimum_e9 * E9) if row.minimum_e9 else charged_e18  # no minimum: a rebate stays one


def _sum(amounts: Sequence[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None
