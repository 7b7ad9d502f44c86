"""The FIX bench, short: it runs the whole system and its figures are of what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ems.bench import fix
from ems.bench.fix import Figures
from ems.bench.fix_dialects import DIALECTS, Dialect


@pytest.mark.slow
@pytest.mark.parametrize("dialects", [(), DIALECTS])
async def test_a_short_run_gives_every_figure(
    dialects: tuple[Dialect, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ROUNDS": 1, "TRIPS_A_ROUND": 20, "CHILDREN_A_ROUND": 2, "PIPELINE_ROUNDS": 1, "PIPELINED": 100}.items():
        monkeypatch.setattr(fix, name, value)
    monkeypatch.setattr(fix, "WARM_UP", 10)
    figures = await fix.measure(tmp_path, dialects)
    assert figures["orders"] == 122
    assert all(value > 0 for value in figures.values())
    assert figures["p99_us"] >= figures["p50_us"]
    for dialect in dialects:
        assert {f"{dialect.name}_{what}" for what in ("p50_us", "p99_us", "orders_per_s")} <= set(figures)


def test_the_bars_stand_beside_what_they_judge() -> None:
    figures = Figures([5000], [1000], [2000], [7000], [30.0], [100.0]).told()
    assert (figures["p50_us"], figures["echo_p50_us"], figures["commit_p50_us"]) == (5.0, 1.0, 2.0)
    assert (figures["p50_bar_us"], figures["orders_per_s_bar"]) == (12.0, 30)
