"""Instruments: dated ticks, rounding to them, and names that must not contradict each other."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import NumberError, ReferenceDataError
from domain.instrument import Instrument, LocalId, ReferenceData, TickBand, TickTable, Universe, is_figi, is_isin
from domain.values import Side, to_e9

SIXTEENTHS = TickTable(valid_from=date(1997, 6, 24), bands=(TickBand(0, to_e9("0.0625")),))
CENTS = TickTable(valid_from=date(2001, 4, 9), bands=(TickBand(0, to_e9("0.0001")), TickBand(to_e9(1), to_e9("0.01"))))
TODAY = date(2026, 11, 20)


def instrument(**changes: Any) -> Instrument:
    values = {"symbol": "ACME", "currency": "USD", "mic": "XNAS", "tick_tables": (SIXTEENTHS, CENTS), **changes}
    return Instrument.model_validate(values)


@pytest.mark.parametrize(
    ("price", "on", "fits"),
    [
        ("10.0625", date(2001, 4, 8), True),
        ("10.0625", date(2001, 4, 9), False),
        ("10.06", date(2001, 4, 8), False),
        ("10.06", date(2001, 4, 9), True),
        ("0.9999", TODAY, True),
        ("1.0001", TODAY, False),
        ("1", TODAY, True),
        ("0", TODAY, False),
        ("-1", TODAY, False),
    ],
)
def test_a_price_is_judged_by_the_table_of_its_day_and_band(price: str, on: date, fits: bool) -> None:
    assert instrument().on_tick(to_e9(price), on) is fits
    assert instrument().on_tick(to_e9(price), on.isoformat()) is fits


def test_no_tick_is_known_before_the_first_table() -> None:
    with pytest.raises(ReferenceDataError, match="no tick table for 1997-06-23: the first is valid from 1997-06-24"):
        instrument().tick_e9(to_e9(10), date(1997, 6, 23))


@given(price_e9=st.integers(100_000, 10**13), side=st.sampled_from(Side))
def test_rounding_lands_on_the_nearest_tick_of_its_side(price_e9: int, side: Side) -> None:
    acme = instrument()
    passive_e9 = acme.round_passive(price_e9, side, TODAY)
    aggressive_e9 = acme.round_aggressive(price_e9, side, TODAY)
    assert acme.on_tick(passive_e9, TODAY)
    assert acme.on_tick(aggressive_e9, TODAY)
    assert side.sign * passive_e9 <= side.sign * price_e9 <= side.sign * aggressive_e9
    assert abs(aggressive_e9 - passive_e9) in (0, acme.tick_e9(price_e9, TODAY))
    if acme.on_tick(price_e9, TODAY):
        assert passive_e9 == aggressive_e9 == price_e9


def test_rounding_up_reaches_the_next_band() -> None:
    assert instrument().round_aggressive(to_e9("0.99995"), Side.BUY, TODAY) == to_e9(1)


def test_there_is_no_tick_at_zero() -> None:
    with pytest.raises(NumberError, match=r"no positive price on tick below 0\.00005"):
        instrument().round_passive(to_e9("0.00005"), Side.BUY, TODAY)


def test_lots() -> None:
    board = instrument(lot_e9=to_e9(100))
    assert [board.on_lot(to_e9(quantity)) for quantity in (100, 300, 150, 0, -100)] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("bands", "why"),
    [
        ((), "begin at 0"),
        ((TickBand(1, 1),), "begin at 0"),
        ((TickBand(0, 0),), "positive"),
        ((TickBand(0, 5), TickBand(10, 5), TickBand(10, 10)), "out of order"),
        ((TickBand(0, 3), TickBand(10, 5)), "does not begin on a tick"),
        ((TickBand(0, 5), TickBand(10, 4)), "does not begin on a tick"),
    ],
)
def test_bands_that_do_not_meet_are_refused(bands: tuple[TickBand, ...], why: str) -> None:
    with pytest.raises(ReferenceDataError, match=why):
        TickTable(valid_from=TODAY, bands=bands)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"symbol": " ACME"}, "is not a symbol"),
        ({"currency": "dollar"}, "currency code"),
        ({"mic": "NASDAQ"}, "market identifier"),
        ({"isin": "US0378331006"}, "not an ISIN"),
        ({"figi": "BBG000B9XRY5"}, "not a FIGI"),
        ({"lot_e9": 0}, "lot and multiplier"),
        ({"multiplier_e9": -1}, "lot and multiplier"),
        ({"tick_tables": ()}, "no tick table"),
        ({"tick_tables": (CENTS, SIXTEENTHS)}, "date order"),
    ],
)
def test_impossible_instruments_are_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ReferenceDataError, match=why):
        instrument(**changes)


def test_check_digits() -> None:
    assert is_isin("US0378331005")
    assert is_isin("GB0002634946")
    assert is_figi("BBG000B9XRY4")
    for typo in ("US0378331050", "US03783310O5", "us0378331005", "US037833100", "0S0378331005"):
        assert not is_isin(typo)
    for typo in ("BBG000B9XYR4", "BBG000B9ERY4", "BBX000B9XRY4", "bbg000b9xry4"):
        assert not is_figi(typo)


def test_an_instrument_is_found_by_every_name() -> None:
    acme = instrument(isin="US0378331005", figi="BBG000B9XRY4", local_ids=(LocalId("ric", "ACME.O"), LocalId("sedol", "2046251")))
    universe = Universe([acme, instrument(symbol="OTHER")])
    for source, name in acme.ids():
        assert universe.find(source, name) is acme
    assert universe.find("ric", "ACME") is None
    assert universe.find("cusip", "ACME.O") is None
    assert universe.get("NONE") is None
    assert len(universe) == 2
    with pytest.raises(ReferenceDataError, match="no instrument 'NONE'"):
        universe["NONE"]


def test_listings_of_one_security_share_its_isin_and_are_told_apart_by_market() -> None:
    home = instrument(isin="GB0002634946", symbol="BA.", mic="XLON", currency="GBX")
    abroad = instrument(isin="GB0002634946", symbol="BAESY")
    universe = Universe([home, abroad])
    assert universe.find("isin", "GB0002634946", mic="XLON") is home
    with pytest.raises(ReferenceDataError, match=r"names several instruments: BA\. on XLON in GBX, BAESY on XNAS in USD"):
        universe.find("isin", "GB0002634946")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"symbol": "ACME", "mic": "XNYS"}, "ACME is there twice"),
        ({"symbol": "B", "isin": "US0378331005"}, "ACME and B both claim the isin US0378331005"),
        ({"symbol": "B", "local_ids": (LocalId("ric", "ACME.O"),)}, "ACME and B both claim the ric ACME.O"),
    ],
)
def test_contradicting_names_are_refused(changes: dict[str, Any], why: str) -> None:
    acme = instrument(isin="US0378331005", local_ids=(LocalId("ric", "ACME.O"),))
    with pytest.raises(ReferenceDataError, match=why):
        Universe([acme, instrument(**changes)])


def test_every_market_needs_a_calendar() -> None:
    with pytest.raises(ReferenceDataError, match="ACME trades on XNAS, which has no calendar"):
        ReferenceData(Universe([instrument()]), calendars={})
