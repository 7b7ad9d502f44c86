"""What risk checks are given of the start of day: a value where it was loaded, None where it was not, never a zero for it."""

from __future__ import annotations

from datetime import date

from domain.day_rows import (
    AverageVolume,
    Capital,
    Cash,
    Fee,
    FxRate,
    Halt,
    Locate,
    Permission,
    Position,
    ReferencePrice,
    RegisteredModel,
    Restriction,
)  # fmt: skip
from domain.start_of_day import StartOfDay
from domain.values import E9

DAY, BEFORE = date(2026, 11, 24), date(2026, 11, 23)
NOW_NS = 1_795_500_000 * E9


def locate(id_: str, quantity: int, expires: date = DAY, account: str = "HOUSE") -> Locate:
    return Locate(id=id_, account=account, symbol="A", quantity_e9=quantity * E9, expires=expires, as_of=BEFORE)


def restriction(begins_ns: int, ends_ns: int | None, reason: str) -> Restriction:
    return Restriction(list_name="watch", symbol="A", begins_ns=begins_ns, ends_ns=ends_ns, reason=reason)


FULL = StartOfDay(
    DAY,
    "USD",
    {
        "positions": (
            Position(account="HOUSE", symbol="A", quantity_e9=-5 * E9, as_of=BEFORE),
            Position(account="HOUSE", symbol="B", quantity_e9=0, as_of=BEFORE),
        ),
        "cash": (Cash(scope_kind="firm", currency="EUR", cash_e9=-7),),
        "capital": (
            Capital(scope_kind="firm", currency="USD", capital_e9=9),
            Capital(scope_kind="desk", scope_id="d", currency="USD", capital_e9=8),
        ),
        "locates": (locate("1", 5), locate("2", 7), locate("3", 100, BEFORE), locate("4", 9, BEFORE, "FUND")),
        "volumes": (AverageVolume(symbol="A", average_daily_volume_e9=0, as_of=BEFORE),),
        "prices": (ReferencePrice(symbol="A", close_e9=3, as_of=BEFORE),),
        "fees": (Fee(mic="XNAS", liquidity="add", currency="USD", per_share_e9=-2, rate_bps_e9=0, minimum_e9=0),),
        "fx_rates": (FxRate(currency="EUR", rate_e9=2 * E9, as_of=BEFORE),),
        "restricted": (restriction(NOW_NS, NOW_NS + 10, "an offer"), restriction(NOW_NS + 20, None, "a case")),
        "halts": (Halt(symbol="A", begins_ns=NOW_NS, ends_ns=NOW_NS + 10, reason="news"),),
        "permissions": (Permission(who="OMS", strategy="*", symbol="A", venue="SIM"),),
        "models": (RegisteredModel(digest="a" * 64, name="m"),),
    },
)  # fmt: skip
EMPTY = StartOfDay(DAY, "USD", {})
FACTS, NOTHING = FULL.facts(), EMPTY.facts()


def test_what_was_loaded_is_there() -> None:
    assert FACTS.start_position_e9("HOUSE", "A") == -5 * E9
    assert FACTS.start_position_e9("HOUSE", "B") == 0
    assert FACTS.capital_e9("firm") == 9 and FACTS.capital_e9("desk:d") == 8
    assert FACTS.adv_e9("A") == 0
    assert FACTS.reference_price_e9("A") == 3
    assert FACTS.fx_rate_e9("EUR") == 2 * E9 and FACTS.fx_rate_e9("USD") == E9
    assert FACTS.registered_model("a" * 64) is True and FACTS.registered_model("b" * 64) is False
    assert FULL.cash_e9("firm", "", "EUR") == -7
    fee = FULL.fee("XNAS", "add")
    assert fee is not None and fee.per_share_e9 == -2


def test_what_was_not_loaded_is_missing_and_not_zero() -> None:
    for day, facts in ((FULL, FACTS), (EMPTY, NOTHING)):
        assert facts.start_position_e9("FUND", "A") is None
        assert facts.capital_e9("desk:other") is None
        assert facts.adv_e9("B") is None
        assert facts.reference_price_e9("B") is None
        assert facts.fx_rate_e9("GBX") is None
        assert facts.locate_e9("HOUSE", "B") is None
        assert day.cash_e9("firm", "", "USD") is None
        assert day.fee("XNAS", "remove") is None
    assert NOTHING.registered_model("a" * 64) is None
    assert NOTHING.capital_e9("firm") is None


def test_an_account_with_a_position_is_known_whole() -> None:
    assert FACTS.start_position_e9("HOUSE", "C") == 0
    assert NOTHING.start_position_e9("HOUSE", "C") is None


def test_locates_of_an_account_add_up_and_expired_ones_do_not_count() -> None:
    assert FACTS.locate_e9("HOUSE", "A") == 12 * E9
    assert FACTS.locate_e9("FUND", "A") is None


def test_a_restriction_holds_from_its_first_moment_to_the_one_before_its_end() -> None:
    told = [FACTS.restricted("A", NOW_NS + at) for at in (-1, 0, 9, 10, 19, 20, 10**18)]
    assert told == [False, True, True, False, False, True, True]
    assert FACTS.restricted("B", NOW_NS) is False


def test_a_halt_holds_from_its_first_moment_to_the_one_before_its_end() -> None:
    assert [FACTS.halted("A", NOW_NS + at) for at in (-1, 0, 9, 10)] == [False, True, True, False]
    assert FACTS.halted("B", NOW_NS) is False


def test_what_no_row_permits_is_not_permitted() -> None:
    assert FACTS.permitted("OMS", "vwap", "A", "SIM") is True
    assert FACTS.permitted("OMS", "vwap", "A", "") is True, "where is not decided yet"
    for who, symbol, venue in (("OTHER", "A", "SIM"), ("OMS", "B", "SIM"), ("OMS", "A", "DARK")):
        assert FACTS.permitted(who, "vwap", symbol, venue) is False


def test_without_its_table_nobody_knows_what_is_on_it() -> None:
    assert NOTHING.restricted("A", NOW_NS) is None
    assert NOTHING.halted("A", NOW_NS) is None
    assert NOTHING.permitted("jane", "vwap", "A", "XSIM") is None
