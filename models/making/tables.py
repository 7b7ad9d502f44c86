"""The figures as lines of text."""

from __future__ import annotations

from typing import Any


def table(figures: dict[str, Any]) -> list[str]:
    """A block for each world, regime and tape."""
    lines: list[str] = []
    for name, told in figures["worlds"].items():
        if "optimum" in told:
            lines += ["", f"{name}: V* {told['optimum']:.2f}, constant quotes {told['fixed']:.2f}, {told['paths']} paths"]
            lines += [_exact(who, row) for who, row in told["rows"].items()]
        for kind in ("regimes", "tapes"):
            for which, found in told.get(kind, {}).items():
                lines += ["", f"{name}, {which}: ticks x quotes a session"]
                lines += [_session(who, row, found.get("better_by", {}).get(who)) for who, row in found["rows"].items()]
                for who, row in found.get("hftbacktest", {}).items():
                    lines.append(f"  {who:<20} in hftbacktest: P&L {row['pnl']:.1f}, {row['fills']:.0f} fills")
        if told.get("note"):
            lines += ["", told["note"], f"Replays elsewhere: {told['hftbacktest']}"]
    return lines[1:]


def _exact(who: str, row: dict[str, Any]) -> str:
    rho = f"rho {row['rho']:6.3f} [{row['rho_low']:.3f}, {row['rho_high']:.3f}]"
    return f"  {who:<20} {rho}  value {row['value']:6.2f}  fills {row['fills']:5.1f}  most held {row['inventory_max']:.0f}"


def _session(who: str, row: dict[str, Any], better: dict[str, float] | None) -> str:
    marks = " ".join(f"{row[f'markout_{seconds}s']:+.2f}" for seconds in (1, 5, 30))
    text = (
        f"  {who:<20} objective {row['objective']:8.1f}  P&L {row['pnl']:8.1f}  spread {row['spread_captured']:7.1f}  fills"
        f" {row['fills']:6.1f}  markouts {marks}  |inventory| {row['inventory_mean_abs']:.2f}, most {row['inventory_max']:.1f}"
        f"  drawdown {row['drawdown']:.1f}"
    )
    if better:
        text += f"  maker better by {better['objective']:+.1f} [{better['objective_low']:+.1f}, {better['objective_high']:+.1f}]"
        text += f", P&L {better['pnl']:+.1f} [{better['pnl_low']:+.1f}, {better['pnl_high']:+.1f}]"
    return text
