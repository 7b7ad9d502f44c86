"""The FIX bench, short: it runs the whole system and its figures are of what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ems.bench.fix import Figures
from ems.bench.fix_dialects import DIALECTS
from tests.ems.bench.shortly import short


@pytest.mark.slow
@pytest.mark.parametrize("run", ["plain", "dialects"])
def test_a_short_run_gives_every_figure(run: str, tmp_path: Path) -> None:
    figures = short(run, tmp_path)
    assert figures["orders"] == 122
    assert all(value > 0 for value in figures.values())
    assert figures["p99_us"] >= figures["p50_us"]
    for dialect in DIALECTS if run == "dialects" else ():
        assert {f"{dialect.name}_{what}" for what in ("p50_us", "p99_us", "orders_per_s")} <= set(figures)


def test_the_bars_stand_beside_what_they_judge() -> None:
    figures = Figures([5000], [1000], [2000], [7000], [30.0], [100.0]).told()
    assert (figures["p50_us"], figures["echo_p50_us"], figures["commit_p50_us"]) == (5.0, 1.0, 2.0)
    assert (figures["p50_bar_us"], figures["orders_per_s_bar"]) == (12.0, 30)
