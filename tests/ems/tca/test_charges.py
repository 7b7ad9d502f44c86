"""Fees and commissions: the right row of the day's schedules, its minimum, and what no schedule says."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.reference import start_of_day, write
from domain import day_load
from domain.day_load import Load, Loaded
from domain.day_rows import Commission, Fee
from domain.errors import ReferenceDataError
from domain.values import E9, TimeInForce
from ems.bootstrap.day import kept
from ems.bootstrap.tca import LoadedReferences
from ems.config import Settings
from ems.tca.charges import Charged, ChildTotal, Liquidity, Schedules, charges, liquidity_of


def fee(how: str, per_share: float = 0, bps: float = 0, minimum: float = 0, **changes: Any) -> Fee:
    values: dict[str, Any] = {"mic": "XNAS", "liquidity": how, "currency": "USD"}
    amounts = {"per_share_e9": round(per_share * E9), "rate_bps_e9": round(bps * E9), "minimum_e9": round(minimum * E9)}
    return Fee.model_validate({**values, **amounts, **changes})


def commission(venue: str, account: str, per_share: float, minimum: float = 0, currency: str = "USD") -> Commission:
    amounts = {"per_share_e9": round(per_share * E9), "rate_bps_e9": 0, "minimum_e9": round(minimum * E9)}
    return Commission(venue=venue, account=account, currency=currency, **amounts)


FEES = (fee("add", -0.002), fee("remove", 0.003, bps=0.1), fee("auction", 0.001, minimum=2))
NO_COMMISSION = commission("*", "*", 0)


def child(how: Liquidity | None = "remove", quantity: int = 100, *, venue: str = "V", account: str = "A") -> ChildTotal:
    return ChildTotal(venue, account, how, quantity * E9, quantity * 50 * E9 * E9)


def charged(
    *children: ChildTotal, fees: tuple[Fee, ...] = FEES, commissions: tuple[Commission, ...] = (NO_COMMISSION,)
) -> Charged:
    return charges(Schedules(fees, commissions), children, "XNAS", "USD")


@pytest.mark.parametrize(
    ("how", "quantity", "dollars"),
    [
        ("add", 100, -0.2),  # a rebate stays one
        ("remove", 100, 0.3 + 5000 * 0.1 / 10_000),
        ("auction", 100, 2.0),  # the minimum
        ("auction", 5000, 5.0),
    ],
)
def test_the_fee_is_by_what_the_order_did_to_the_book(how: Liquidity, quantity: int, dollars: float) -> None:
    assert charged(child(how, quantity)).fees_e18 == round(dollars * E9) * E9


def test_the_minimum_is_of_each_order() -> None:
    assert charged(child("auction"), child("auction")).fees_e18 == 4 * E9 * E9
    assert charged(child("auction", 0)) == Charged(0, 0, ())


def test_the_closest_commission_counts() -> None:
    rows = (commission("*", "*", 0.04), commission("V", "*", 0.03), commission("*", "A", 0.02), commission("V", "A", 0.01))
    for places, cents in (((("V", "A")), 1), (("W", "A"), 2), (("V", "B"), 3), (("W", "B"), 4)):
        found = charged(child(venue=places[0], account=places[1]), commissions=rows)
        assert found.commissions_e18 == cents * E9 * E9, places


def test_what_no_schedule_says_is_missing_and_never_nothing() -> None:
    for found, said in (
        (charges(None, [child()], "XNAS", "USD"), "no schedule of fees and commissions is loaded for the day"),
        (charged(child(), fees=FEES[:1]), "no fee is known of remove on XNAS"),
        (charged(child(None)), "no fee is known of XNAS, where adding or removing is not recorded"),
        (charged(child(), commissions=()), "no commission of V in USD is known"),
        (charged(child(), commissions=(commission("*", "*", 1, currency="EUR"),)), "no commission of V in USD is known"),
        (charged(child(), fees=(fee("remove", 1, currency="EUR"),)), "the fee of XNAS is in EUR, the instrument in USD"),
    ):
        assert (found.total_e18, found.missing) == (None, (said,))


def test_where_all_pay_alike_it_need_not_be_known_what_they_did() -> None:
    alike = tuple(fee(how, 0.001) for how in ("add", "remove", "auction"))
    assert charged(child(None), fees=alike).total_e18 == E9 * E9 // 10


def test_what_an_order_did_is_told_by_how_it_was_sent() -> None:
    told = [liquidity_of(tactic, TimeInForce.DAY) for tactic in ("passive", "aggressive", "would", "direct", "manual")]
    assert told == ["add", "remove", "remove", None, None]
    assert liquidity_of("direct", TimeInForce.AT_THE_CLOSE) == "auction"


# ----------------------------------------------------------------------------------- as loaded for a day


def loaded(settings: Settings, folder: Path, on: date, old: str = "", new: str = "") -> Loaded:
    """The sample as the files of a date, changed, and kept."""
    write.write_sample(folder, on)
    for name in ("fees.csv", "commissions.csv", "prices.csv"):
        (folder / name).write_text((folder / name).read_text().replace(old, new) if old else (folder / name).read_text())
    manifest = write.write_manifest(folder, {"trade_date": on}, "")
    found = start_of_day.check(folder)
    assert found.problems == ()
    for content in found.contents.values():
        kept(settings).put(content)
    event = day_load.decide(None, Load(manifest, "jane"))
    assert isinstance(event, Loaded)
    return event


def test_each_day_has_the_schedules_that_were_loaded_for_it(tmp_path: Path) -> None:
    settings = Settings(mode="LIVE", state_directory=tmp_path / "state")
    first, second = date(2026, 11, 24), date(2026, 11, 25)
    loads = {
        first.isoformat(): loaded(settings, tmp_path / "1", first),
        second.isoformat(): loaded(settings, tmp_path / "2", second, "*,*,USD,0.0005", "*,*,USD,0.0007"),
    }
    references = LoadedReferences(settings, loads)
    rates = []
    for on in loads:
        schedules = references.facts(on).schedules
        assert schedules is not None and schedules.source == f"what was loaded for {on}"
        rates.append([row.per_share_e9 for row in schedules.commissions])
    assert rates == [[500_000], [700_000]]
    assert references.facts("2026-11-26").schedules is None
    assert references.facts("2026-11-24").adv_e9["AMZN"] > 0


def test_the_close_of_a_day_is_in_the_next_ones_prices(tmp_path: Path) -> None:
    settings = Settings(mode="LIVE", state_directory=tmp_path / "state")
    on = date(2026, 11, 25)
    references = LoadedReferences(settings, {on.isoformat(): loaded(settings, tmp_path / "1", on)})
    assert references.facts("2026-11-24").closes_e9["AMZN"] == 220_500_000_000
    assert references.facts("2026-11-23").closes_e9 == {}
    assert references.close_ns("AMZN", "2026-11-24") is not None
    assert references.close_ns("AMZN", "2026-11-26") is None  # a holiday
    assert references.close_ns("NOPE", "2026-11-24") is None


def test_files_that_are_not_kept_any_more_are_missed(tmp_path: Path) -> None:
    settings = Settings(mode="LIVE", state_directory=tmp_path / "state")
    on = date(2026, 11, 25)
    event = loaded(settings, tmp_path / "1", on)
    (tmp_path / "state" / "reference" / "objects" / next(f.sha256 for f in event.files if f.table == "fees")).unlink()
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        LoadedReferences(settings, {on.isoformat(): event}).facts(on.isoformat())
