"""The soak, short: the whole system under load, and every judge finds what it is for."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ems.bench import capacity, soak, soak_judge
from ems.bench.soak_judge import Told
from ems.bench.soak_load import LoadClient
from ems.bench.soak_watch import Series, Watched, grows, growth, slope
from ems.bootstrap.runtime import Runtime
from tests.ems.bench.shortly import short


@pytest.mark.slow
def test_a_short_run_holds_and_says_what_it_measured(tmp_path: Path) -> None:
    figures = short("soaked", tmp_path)
    assert figures["failed"] == []
    assert figures["sent"]["orders"] >= 15
    assert figures["executions"] > 0
    assert set(figures["memory"]) >= {"desk", "gateway", "postgres", "api", "watchdog", "sealer", "venue"}
    assert all(one["last_mb"] > 5 for one in figures["memory"].values())
    assert set(figures["lags"]) == {"log_ms", "view_events", "seal_events", "spool_frames", "plan_s"}
    assert 300 < figures["bytes_per_event"] < 5_000
    page = (tmp_path / "page.html").read_text()
    assert "all holds" in page
    assert page.count("<path") >= len(figures["memory"])
    assert soak.shown(figures)[-1] == "all holds"
    one = capacity.row(figures)
    assert one["load"] == 10
    assert capacity.planned(1_000, one)["orders_a_day"] == 720_000


def test_a_slope_is_of_most_of_the_moments_whatever_the_rest_say() -> None:
    at = [float(i) for i in range(100)]
    values = [100 + 0.5 * i for i in at]
    for wild in range(0, 100, 5):
        values[wild] = 10_000.0
    assert slope(Series(at, values)) == pytest.approx(0.5, abs=0.05)
    assert growth(Series(at, [200.0] * 100)) == 0
    assert growth(Series(at, [200 + 0.1 * i for i in at])) == pytest.approx(0.048, abs=0.001)
    assert growth(Series([1.0], [5.0])) == 0


def test_a_lag_grows_where_its_end_is_worse_than_twice_its_beginning_and_above_noise() -> None:
    at = [float(i) for i in range(90)]
    assert grows("view_events", Series(at, [100.0] * 60 + [600.0] * 30))
    assert not grows("view_events", Series(at, [100.0] * 60 + [400.0] * 30))
    assert not grows("view_events", Series(at, [500.0] * 60 + [900.0] * 30))
    assert not grows("view_events", Series())


class Client:
    """What a client was told."""

    def __init__(self, filled_e9: int) -> None:
        self.filled_e9 = {"S1": filled_e9}
        self.doubled: list[str] = []
        self.refused: list[str] = []


def judged(home: Path, told: Told, *, venue: list[tuple[str, int]], client_e9: int, doubled: str = "") -> str:
    ledger = home / "ledger.jsonl"
    lines = [{"k": "exec", "exec_id": name, "quantity_e9": quantity, "price_e9": 5} for name, quantity in venue]
    ledger.write_text("".join(json.dumps(line) + "\n" for line in lines))
    client = Client(client_e9)
    client.doubled += [doubled] if doubled else []
    runtime = cast(Runtime, SimpleNamespace(venue_ledger=ledger))
    return "; ".join(soak_judge.broken(told, runtime, cast(LoadClient, client)))


def test_each_judge_names_what_does_not_hold(tmp_path: Path) -> None:
    good = Told(executions={"X1": (100, 5)})
    assert judged(tmp_path, good, venue=[("X1", 100)], client_e9=100) == ""
    assert "that the log has not: 1 (X2)" in judged(tmp_path, good, venue=[("X1", 100), ("X2", 100)], client_e9=100)
    assert "that the venue never made: 1 (X1)" in judged(tmp_path, good, venue=[], client_e9=100)
    assert "another quantity or price" in judged(tmp_path, good, venue=[("X1", 99)], client_e9=100)
    assert "the client was told of" in judged(tmp_path, good, venue=[("X1", 100)], client_e9=99)
    assert "told twice: 1 (X1)" in judged(tmp_path, good, venue=[("X1", 100)], client_e9=100, doubled="X1")
    bad = Told(executions={"X1": (100, 5)}, twice=["X1"], too_much=["S1: 200 of 100"])
    said = judged(tmp_path, bad, venue=[("X1", 100)], client_e9=100)
    assert "children for more than their parent: 1 (S1: 200 of 100)" in said
    assert "fills counted twice: 1 (X1)" in said


def test_the_plan_is_arithmetic_on_what_one_order_costs() -> None:
    one: dict[str, Any] = {
        "events_per_order": 100.0, "bytes_per_event": 1_000, "wal_bytes_per_event": 1_500,
        "kb_per_order": {"desk": 30.0, "sealer": -1.0},
    }  # fmt: skip
    plan = capacity.planned(10, one)
    assert (plan["orders_a_day"], plan["events_a_day"], plan["gb_a_day"], plan["wal_gb_a_day"]) == (7_200, 720_000, 0.72, 1.08)
    assert (plan["tb_retained"], plan["memory_gb"]) == (1.09, 0.22)


def test_a_picture_needs_no_process(tmp_path: Path) -> None:
    watched = Watched(memory_mb={"desk": Series([0.0, 1.0], [100.0, 101.0])})
    page = soak.picture({"minutes": 1, "load": 10, "failed": ["desk grew by 6 %"]}, watched)
    assert "desk grew by 6 %" in page
    assert not list(tmp_path.iterdir())
