"""What another schedule would have got: the same market again, both schedules as market orders in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.reference import files
from domain.errors import ConfigError
from domain.trading_day import TradingDay
from domain.values import E9, OrdType, Side
from ems.bench.desk_day import DeskDay
from ems.bootstrap.rerun import HOW, compared
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.venue import open_again
from ems.config import check
from ems.pace import Pace
from ems.projections import Projections
from ems.venue_ledger import Ledger

BEGIN_NS = 1_772_463_600 * E9  # 2026-03-02 15:00 UTC
DAY = TradingDay("2026-03-02", BEGIN_NS - 1_800 * E9, BEGIN_NS + 21_600 * E9)


def runtime(home: Path, *, began: bool = True) -> Runtime:
    values: dict[str, Any] = {
        "state_directory": str(home),
        "sessions": [
            {"name": "SIM", "role": "venue", "kind": "initiator", "sender_comp_id": "EMS", "target_comp_id": "SIM", "port": 9}
        ],
        "venue": {"port": 9, "symbols": ["AMZN"], "prices": {"AMZN": 220}, "seed": 3},
        "clock": {"kind": "tape", "start": "2026-03-02T15:00:00Z"},
    }
    found = Runtime(settings=check(values, name="the test's settings", folder=home))
    if began:
        ledger = Ledger(found.venue_ledger)
        ledger.write([{"k": "day", "venue": "SIM", "start_ns": BEGIN_NS}])
        ledger.close()
    return found


async def worked(run: Runtime, home: Path, **terms: Any) -> tuple[Projections, str]:
    """An order in the market of a run, its children always crossing; and the rows of its day."""
    _, market = open_again(run, "AMZN")
    instrument = files.load_sample().universe.get("AMZN")
    assert instrument is not None
    pace = Pace(placement="aggressive")
    day = DeskDay(market, instrument, DAY, now_ns=BEGIN_NS, home=home / "other.jsonl", pace=pace)
    await day.open()
    await day.until(BEGIN_NS + 5 * E9)
    await day.order(symbol="AMZN", **{"quantity_e9": 2_000 * E9, "parameters": (("DurationMinutes", "2"),), **terms})
    await day.until(BEGIN_NS + 130 * E9, step_ns=E9)
    rows = Projections()
    async for page in day.log.read_pages():
        for recorded in page:
            rows.apply(recorded)
    return rows, str(day.parent().id)


@pytest.mark.parametrize("side", list(Side))
async def test_an_order_that_traded_as_twap_got_what_twap_would_have_got(tmp_path: Path, side: Side) -> None:
    run = runtime(tmp_path)
    rows, parent = await worked(run, tmp_path, side=side)
    told = compared(run, rows, parent)
    assert told["how"] == HOW
    assert told["twap_bps"] is not None and abs(told["twap_bps"] - told["same_tactic_bps"]) < 0.5
    found = rows.of_parent(parent)
    assert found is not None and len(found["fills"]) >= 20
    paid = sum(float(fill["price"]) * float(fill["quantity"]) for fill in found["fills"]) / 2_000
    _, market = open_again(run, "AMZN")
    market.advance(int(found["parent"]["start_ns"]))
    middle = (market.top().bid_ticks + market.top().ask_ticks) / 200
    assert told["same_tactic_bps"] == pytest.approx(side.sign * (paid / middle - 1) * 10_000, abs=0.6)
    assert compared(run, rows, parent) == told, "the market is the same each time"


async def test_an_order_that_came_early_got_another_price_than_twap(tmp_path: Path) -> None:
    run = runtime(tmp_path)
    rows, parent = await worked(
        run, tmp_path, quantity_e9=4_000 * E9, parameters=(("DurationMinutes", "2"), ("WouldPrice", "400"))
    )
    told = compared(run, rows, parent)
    assert told["same_tactic_bps"] > told["twap_bps"] + 0.5, "all of it at once walks through the book"


async def test_what_did_not_trade_is_compared_with_nothing(tmp_path: Path) -> None:
    run = runtime(tmp_path)
    rows, parent = await worked(run, tmp_path, ord_type=OrdType.LIMIT, limit_price_e9=100 * E9)
    assert compared(run, rows, parent) == {"twap_bps": None, "same_tactic_bps": None, "how": HOW}


async def test_what_the_market_could_not_take_is_not_told(tmp_path: Path) -> None:
    run = runtime(tmp_path)
    rows, parent = await worked(run, tmp_path)
    for fill in rows.fills.values():
        fill["quantity"] = "1000000"
    assert compared(run, rows, parent) == {"twap_bps": None, "same_tactic_bps": None, "how": HOW}


async def test_a_market_that_did_not_begin_is_not_run_again(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there was no simulated market to run again"):
        open_again(runtime(tmp_path, began=False), "AMZN")
