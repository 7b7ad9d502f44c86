"""`ems tca` over a real log: figures, tables, the page and the PDF; what was loaded for the day and what was not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import fill as fl
from domain.catalogue import TOPICS
from domain.event import Entry, Event, Meta
from domain.market_note import Noted, key
from domain.market_state import MarketState
from domain.values import E9, StreamId
from ems.bench.made_day import MadeDay
from ems.cli import app
from ems.desk_state import DeskState
from ems.tca import groups
from ems.tca.costs import Costs, DayFacts, costs_of
from ems.tca.page import cents, page
from tests.domain.orders import PARENT
from tests.ems.tca.histories import Facts
from tests.ems.tca.test_costs import worked


async def made(dsn: str) -> None:
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        epoch = await log.take_lead("test")
        for turn in MadeDay(finished=3, working=1).turns(DeskState()):
            await log.append(turn.entries, epoch=epoch)


@pytest.fixture
def config(postgres_dsn: str, tmp_path: Path) -> Path:
    """Three orders that are over and one that works, in a log of their own."""
    asyncio.run(made(postgres_dsn))
    file = tmp_path / "ems.toml"
    file.write_text(f'mode = "PAPER"\nstate_directory = "state"\ndatabase_url = "{postgres_dsn}"\n')
    return file


def run(config: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["tca", *words, "--config", str(config)])
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def dsn_of(config: Path) -> str:
    return config.read_text().split('"')[-2]


async def append(dsn: str, stream: StreamId, version: int, event: Event) -> None:
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        epoch = await log.take_lead("test")
        meta = Meta(WallClock().now_ns(), "test", stream, "test", "test")
        await log.append([Entry(stream, version, (event,), meta)], epoch=epoch)


def test_a_days_report_as_json_page_and_pdf(config: Path, tmp_path: Path) -> None:
    html, pdf = tmp_path / "costs.html", tmp_path / "costs.pdf"
    told = json.loads(run(config, "--day", "today", "--json", "--html", str(html), "--pdf", str(pdf)))
    assert told["orders"] == len(told["costs"]) == 4
    assert set(told["by"]) == {"strategy", "size", "regime", "side", "instrument", "venue"}
    done = [row for row in told["costs"] if row["status"] == "filled"]
    assert len(done) == 3
    shortfall = done[0]["shortfall"]
    parts = sum(float(shortfall[name]) for name in ("impact", "timing", "opportunity", "explicit"))
    assert parts == pytest.approx(float(shortfall["total"]), abs=0.01)
    assert float(shortfall["before_charges"]) == pytest.approx(300 * (221.04 - 221.02))
    assert done[0]["charges"]["source"].startswith("the configuration's files")
    text = html.read_text()
    assert text.count("data:image/png;base64,") == 1  # nothing was noted after the executions: no markouts to draw
    assert "http" not in text  # it stands by itself
    assert all(row["order_id"] in text for row in told["costs"])
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert len(pdf.read_bytes()) > 10_000


def test_one_order_by_any_of_its_names(config: Path) -> None:
    row = json.loads(run(config, "ORD00000000", "--json"))
    assert [json.loads(run(config, row[name], "--json"))["parent"] for name in ("parent", "order_id")] == [row["parent"]] * 2
    said = run(config, "ORD00000000")
    assert all(word in said for word in ("impact", "timing", "opportunity", "explicit", "total", "against, bps: decision"))


def test_what_was_not_recorded_is_said_to_be_missing(config: Path) -> None:
    row = json.loads(run(config, "ORD00000000", "--json"))
    assert {m["bps"] for m in row["markouts"] if m["seconds"] > 30} == {None}
    assert row["estimate"]["missing"] == ["the volatility before arrival is not known"]
    live = config.parent / "live.toml"
    live.write_text(config.read_text().replace("PAPER", "LIVE"))
    row = json.loads(run(live, "ORD00000000", "--json"))
    assert row["missing"] == ["no schedule of fees and commissions is loaded for the day"]
    assert (row["shortfall"]["explicit"], row["shortfall"]["total"]) == (None, None)
    assert float(row["shortfall"]["before_charges"]) == pytest.approx(6.0)


def test_what_is_wrong_is_one_sentence(config: Path) -> None:
    table: list[tuple[list[str], str]] = [
        ([], "name one parent order"),
        (["X", "--day", "today"], "name one parent order"),
        (["X"], "no parent order is called X"),
        (["--day", "1999-01-01"], "no order came on 1999-01-01"),
        (["--day", "today", "--as-of", "soon"], "no time such as"),
        (["--day", "today", "--as-of", "1999-01-01"], "no order came on any day"),
        (["--day", "today", "--html", "/proc/no/such"], "cannot be written"),
    ]
    for words, said in table:
        done = CliRunner().invoke(app, ["tca", *words, "--config", str(config)])
        assert done.exit_code == 1
        assert said in str(done.exception)


async def first_fill(dsn: str, parent: str) -> StreamId:
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        found = [
            r async for page in log.read_pages() for r in page if isinstance(r.event, fl.Recorded) and r.event.parent == parent
        ]
    return found[0].stream


def test_a_bust_after_the_end_is_told_then_and_now(config: Path) -> None:
    row = json.loads(run(config, "ORD00000000", "--json"))
    assert (row["restated"], row["then"]) == (False, None)
    fill = asyncio.run(first_fill(dsn_of(config), row["parent"]))
    bust = fl.Restated(
        venue_session="SIM", kind="cancel", exec_id="X1", exec_ref_id="E", quantity_e9=0, price_e9=1, venue_time_ns=0
    )
    asyncio.run(append(dsn_of(config), fill, 1, bust))
    after = json.loads(run(config, "ORD00000000", "--json"))
    assert after["restated"]
    assert after["then"]["filled"] == row["filled"] == "300"
    assert float(after["filled"]) < 300
    assert after["then"]["shortfall"] == row["shortfall"]


def test_a_note_of_the_market_is_a_mark(config: Path) -> None:
    row = json.loads(run(config, "ORD00000000", "--json"))
    assert row["benchmarks"]["close"]["px"] is None
    market = MarketState(instrument="AMZN", time_ns=0, bid_e9=100 * E9, ask_e9=102 * E9)
    asyncio.run(append(dsn_of(config), key("x"), 0, Noted(trade_date="x", markets=(market,))))
    working = [row for row in json.loads(run(config, "--day", "today", "--json"))["costs"] if row["status"] == "working"]
    assert [one["end"]["px"] for one in working] == ["101"]


def test_before_it_trades() -> None:
    words = ["pretrade", "--qty", "100000", "--adv", "1000000", "--volatility", "2", "--spread", "4"]
    found: dict[str, Any] = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert found["impact_bps"] == pytest.approx(0.75 * 2 / 3 * 200 * 0.1**0.5)
    assert found["mean_bps"] == pytest.approx(2 + found["impact_bps"])
    assert found["low_bps"] < found["mean_bps"] < found["high_bps"]
    prefactor = 0.5 / 12**0.5 * 2 / 3 * 200 * 0.1**0.5
    assert found["risk_bps"] == pytest.approx((200**2 / 3 + prefactor**2) ** 0.5)
    wrong = CliRunner().invoke(app, [*words[:4], "0", *words[5:]])
    assert "above 0" in str(wrong.exception)


# ------------------------------------------------------------------------------------------------ tables


def several() -> list[Costs]:
    history = worked()
    one = costs_of(history.ledger, history.ledger.orders[PARENT], Facts())
    blind = costs_of(history.ledger, history.ledger.orders[PARENT], Facts(DayFacts()))
    return [one, one, blind]


def test_a_group_counts_what_has_no_figure_and_leaves_it_out() -> None:
    (row,) = groups.grouped(several(), "strategy")
    assert (row.name, row.orders, row.missing) == ("twap, USD", 3, 1)
    one = several()[0]
    assert (row.bps, row.mean_bps) == (pytest.approx(one.bps), pytest.approx(one.bps))
    assert row.total_e18 == 2 * (one.split.total_e18 or 0)
    assert {row.name for row in groups.grouped(several(), "size")} == {"0.1 to 1 %, USD", "not known, USD"}


def test_the_interval_is_students() -> None:
    mean, low, high = groups.interval([1.0, 2.0, 3.0])
    assert (mean, low, high) == (2.0, pytest.approx(2 - 4.303 / 3**0.5), pytest.approx(2 + 4.303 / 3**0.5))
    assert groups.interval([1.0]) == (1.0, None, None)
    assert groups.interval([]) == (None, None, None)


def test_hostile_names_are_text_in_the_page() -> None:
    one = several()[0]
    one.order.order_id = "<script>alert(1)</script>"
    assert "<script" not in page("<b>", [one], [None], {})


@pytest.mark.parametrize(
    ("amount_e18", "said"),
    [(None, None), (0, "0.00"), (-4 * 10**15, "0.00"), (-5 * 10**15, "-0.01"), (123_456_789 * 10**16, "1,234,567.89")],
)
def test_money_is_shown_to_the_cent(amount_e18: int | None, said: str | None) -> None:
    assert cents(amount_e18) == said
