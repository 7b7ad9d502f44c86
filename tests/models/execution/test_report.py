"""What is told of a world: keys, claims and verdicts that can come out either way."""

from __future__ import annotations

import json

import pytest

from domain.errors import ConfigError
from models.execution import report
from models.execution.choice import Choice, choose
from models.execution.harness import Plan
from models.execution.pictures import draw
from models.execution.policies import Tilt
from models.execution.tables import table
from models.worlds.lq import LqWorld
from models.worlds.world import JUDGING_SEEDS, TRAINING_SEEDS

CHOICE = Choice(1.0, 0.3, {}, {})


def plan(**other: object) -> Plan:
    told = {"world": LqWorld(), "choice": CHOICE, "learned": [], "judged": "tilt", "orders": 400, "orders_elsewhere": 300}
    return Plan(**{**told, "regimes": ("mixed", "adverse", "no_alpha", "power_law"), "tells": True, **other})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def told() -> dict:
    return report.judge(plan(), lambda *_: None)


def test_the_promised_keys_are_there(told: dict) -> None:
    for name in ("ratio_twap", "ratio_vwap", "ratio_pov", "ratio_ac", "sd_ratio_twap"):
        assert told[f"{name}_low"] <= told[name] <= told[f"{name}_high"]
    for name in ("rho_true_means", "rho_learned", "no_alpha_ratio", "fallback_share", "regimes", "config_sha256"):
        assert name in told
    assert told["config_sha256"] == LqWorld().config_sha256
    assert json.loads(json.dumps(told)) == told


def test_figures_of_a_known_world_are_what_is_known(told: dict) -> None:
    assert told["rho_true_means"] <= 0.05
    assert 0.9 < told["rho_true_means_capped"] / 0.072 < 2 or told["rho_true_means_capped_low"] < 0.072
    assert told["rho_filter_low"] > 0.1, "nobody who reads the books comes below the shown bound"
    assert told["no_alpha_ratio_true_means"] == pytest.approx(0.991, abs=0.002)
    rows = told["regimes"]["mixed"]["strategies"]
    assert rows["twap"]["ratio_twap"] == 1
    assert rows["tilt"]["verdict"] in ("better", "margin not cleared")
    assert rows["true_means"]["bound"] and "verdict" not in rows["true_means"]
    assert rows["lq_optimum"]["mean_bps"] == min(row["mean_bps"] for name, row in rows.items() if "oracle" not in name)


def test_a_regime_without_an_optimum_has_none_told(told: dict) -> None:
    assert "optimum_bps" not in told["regimes"]["power_law"]
    assert told["regimes"]["power_law"]["held_out"]
    assert not told["regimes"]["adverse"]["held_out"]


def test_sensitivity_is_over_regimes_and_without_the_checks(told: dict) -> None:
    rows = {name: one["strategies"]["twap"]["mean_bps"] for name, one in told["regimes"].items()}
    kept = [rows[name] for name in ("mixed", "adverse", "power_law")]
    assert told["sensitivity"]["twap"]["bps"] == pytest.approx(max(kept) - min(kept))
    assert told["sensitivity"]["twap"]["ratio"] == 0


def test_claims_are_met_missed_or_open() -> None:
    def claimed(value: float, low: float, high: float) -> str:
        flat = {f"{name}{tail}": x for name in report.CLAIMS for tail, x in (("", value), ("_low", low), ("_high", high))}
        return str(report.claims(flat)["ratio_twap"]["met"])

    assert claimed(0.4, 0.38, 0.42) == "met"
    assert claimed(0.48, 0.46, 0.5) == "open"
    assert claimed(0.6, 0.58, 0.62) == "not met"


def test_the_worst_regime_and_the_calmest_strategy_are_told(told: dict) -> None:
    ratios = [one["strategies"]["tilt"]["ratio_twap"] for name, one in told["regimes"].items() if name != "no_alpha"]
    assert told["claims"]["worst_ratio_twap"]["ours"] == max(ratios)
    calm = told["claims"]["sensitivity_bps"]
    assert calm["ours"] == pytest.approx(told["sensitivity"]["tilt"]["bps"])
    assert calm["met"] == "met" or calm["met"].startswith("not met: ")


def test_fallbacks_that_nobody_counts_are_not_called_none(told: dict) -> None:
    assert told["fallback_share"] is None

    class Counted(Tilt):
        plans, fallbacks = 40, 1

    counted = report.judge(
        plan(learned=[Counted("adaptive", strength=0.1)], judged="adaptive", regimes=("no_alpha",)), lambda *_: None
    )
    assert counted["fallback_share"] == 1 / 40
    rows = counted["regimes"]["no_alpha"]["strategies"]
    assert (rows["adaptive"]["fallback_share"], rows["twap"]["fallback_share"]) == (1 / 40, None)
    assert "2.5 %" in "\n".join(table(counted))


def test_who_is_not_there_is_not_judged() -> None:
    with pytest.raises(ConfigError, match="no strategy 'adaptive' to judge; there are twap"):
        report.judge(plan(judged="adaptive", regimes=("mixed",)), lambda *_: None)


def test_the_table_and_the_picture_show_every_row(told: dict, tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = "\n".join(table(told))
    assert all(name in text for name in told["regimes"]["mixed"]["strategies"])
    assert "bound, not a strategy" in text
    assert "claimed 0.484: not met" in text
    draw(told, tmp_path / "execution.png")
    assert (tmp_path / "execution.png").read_bytes().startswith(b"\x89PNG")


def test_numbers_are_chosen_on_training_seeds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, str]] = []

    class Watched(LqWorld):
        def start(self, seed, paths, regime="mixed"):  # type: ignore[no-untyped-def]
            seen.append((seed, regime))
            return super().start(seed, paths, regime)

    chosen = choose(Watched(), orders=20)
    assert chosen.urgency in chosen.urgency_bps and chosen.strength > 0
    assert all(seed in TRAINING_SEEDS and seed not in JUDGING_SEEDS for seed, _ in seen)
    assert not {regime for _, regime in seen} & {"toxic", "drought", "power_law", "no_alpha", "backward"}
