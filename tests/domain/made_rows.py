"""Rows of the start of day as hypothesis makes them: any text that may be in a cell, numbers to their edges."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from domain.cells import REFUSED_STARTS
from domain.day_rows import (
    AverageVolume,
    Capital,
    Commission,
    CorporateAction,
    DayRow,
    Fee,
    FxRate,
    Halt,
    Locate,
    Permission,
    Position,
    ReferencePrice,
    Restriction,
)  # fmt: skip
from domain.values import E9_MAX

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Z")), min_size=1, max_size=30).filter(
    lambda text: text.isprintable() and not text.startswith(REFUSED_STARTS)
)
DAY = st.dates(date(1970, 1, 1), date(2199, 12, 31))
SIGNED, AMOUNT, POSITIVE = st.integers(-E9_MAX, E9_MAX), st.integers(0, E9_MAX), st.integers(1, E9_MAX)
CURRENCY = st.from_regex("[A-Z]{3}", fullmatch=True)
MOMENT = st.integers(31_536_000 * 10**9, 7_226_582_400 * 10**9)
ROWS: st.SearchStrategy[DayRow] = st.one_of(
    st.builds(Position, account=TEXT, symbol=TEXT, quantity_e9=SIGNED, as_of=DAY),
    st.builds(Capital, scope_kind=st.just("desk"), scope_id=TEXT, currency=CURRENCY, capital_e9=POSITIVE),
    st.builds(Locate, id=TEXT, account=TEXT, symbol=TEXT, quantity_e9=POSITIVE, expires=DAY, as_of=DAY),
    st.builds(AverageVolume, symbol=TEXT, average_daily_volume_e9=AMOUNT, as_of=DAY),
    st.builds(ReferencePrice, symbol=TEXT, close_e9=POSITIVE, as_of=DAY),
    st.builds(
        Fee, mic=st.just("XNAS"), liquidity=st.sampled_from(["add", "remove", "auction"]), currency=CURRENCY,
        per_share_e9=SIGNED, rate_bps_e9=SIGNED, minimum_e9=AMOUNT,
    ),
    st.builds(
        Commission, venue=TEXT, account=TEXT, currency=CURRENCY, per_share_e9=AMOUNT, rate_bps_e9=AMOUNT, minimum_e9=AMOUNT
    ),
    st.builds(FxRate, currency=CURRENCY, rate_e9=POSITIVE, as_of=DAY),
    st.builds(
        CorporateAction, id=TEXT, symbol=TEXT, kind=st.just("split"), effective=DAY,
        new_shares=st.integers(1, 9_999_999), old_shares=st.integers(1, 9_999_999),
        amount_e9=st.none(), currency=st.none(), old_symbol=st.none(),
    ),
    st.builds(Restriction, list_name=TEXT, symbol=TEXT, begins_ns=MOMENT, ends_ns=st.none(), reason=TEXT),
    st.builds(Halt, symbol=TEXT, begins_ns=MOMENT, ends_ns=st.none(), reason=TEXT),
    st.builds(Permission, who=TEXT, strategy=TEXT, symbol=TEXT, venue=TEXT),
)  # fmt: skip
