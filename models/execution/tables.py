"""The figures as text that a person reads."""

from __future__ import annotations

from typing import Any

from models.execution.report import CHAPTER


def table(told: dict[str, Any]) -> list[str]:
    """Lines: each regime's strategies, then the claims."""
    lines = [f"world {told['world']}, settings {told['config_sha256'][:12]}, judged: {told['judged']}"]
    for name, regime in told["regimes"].items():
        lines += ["", *_regime(name, regime)]
    lines += ["", *_beside_the_chapter(told), "", *_claims(told)]
    for name in ("rho_true_means", "rho_true_means_capped", "rho_filter", "rho_learned", "no_alpha_ratio"):
        if told.get(name) is not None:
            lines.append(f"{name:<22} {_interval(told, name)}")
    share = told["fallback_share"]
    lines.append(f"{'fallback share':<22} {'not told' if share is None else _share(share)}")
    if told.get("left_out"):
        lines.append(f"left out: {told['left_out']}")
    return lines


def _regime(name: str, regime: dict[str, Any]) -> list[str]:
    held = ", never learnt from" if regime["held_out"] else ""
    lines = [f"{name}: {regime['orders']} orders{held}"]
    if best := regime.get("optimum_bps"):
        lines.append(
            f"  exact: TWAP {regime['twap_exact_bps']:.2f}, optimum {best['full']:.2f}, of what books show {best['shown']:.2f}"
        )
    lines.append(
        f"  {'':<18}{'mean':>8}{'sd':>8}{'CVaR 5%':>9}{'fill':>7}{'fell back':>11}   {'/ TWAP':<22}{'- TWAP, bps':<26}verdict"
    )
    for strategy, row in regime["strategies"].items():
        lines.append(
            f"  {strategy:<18}{row['mean_bps']:>8.2f}{row['sd_bps']:>8.2f}{row['cvar5_bps']:>9.1f}{row['fill_rate']:>7.3f}"
            f"{_share(row['fallback_share']):>11}   {_interval(row, 'ratio_twap'):<22}"
            f"{_interval(row, 'difference_twap_bps'):<26}{_verdict(row)}"
        )
    return lines


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _verdict(row: dict[str, Any]) -> str:
    return "bound, not a strategy" if row["bound"] else str(row.get("verdict", ""))


def _interval(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "-"
    return f"{row[name]:.3f} [{row[name + '_low']:.3f}, {row[name + '_high']:.3f}]"


def _beside_the_chapter(told: dict[str, Any]) -> list[str]:
    """Average and deviation of the specification's rows, and ours: the first regime's."""
    rows = next(iter(told["regimes"].values()))["strategies"]
    spread = "scenario_sd_bps" if told["sd_is_of"] == "scenarios" else "sd_bps"
    lines = [f"beside the specification's table (deviation of the {told['sd_is_of']}):"]
    for name, (mean, sd) in CHAPTER.items():
        ours = rows.get(told["judged"] if name == "adaptive" else name)
        shown = f"{ours['mean_bps']:.1f} / {ours[spread]:.1f}" if ours else "-"
        lines.append(f"  {name:<10} told {mean:.1f} / {sd:.1f}, here {shown}")
    return lines


def _claims(told: dict[str, Any]) -> list[str]:
    """The specification's claims beside ours."""
    lines = []
    for name, claim in told["claims"].items():
        ours = "-" if claim["ours"] is None else f"{claim['ours']:.3f}"
        ends = "" if claim["low"] is None else f" [{claim['low']:.3f}, {claim['high']:.3f}]"
        lines.append(f"{name:<22} {ours}{ends}, claimed {claim['claimed']}: {claim['met']}")
    return lines
