"""The model card: what a version is, what it was trained on, how it forecasts, what it is for and what not. Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from models.dataset import Examples
from models.net_contract import CONTRACT_VERSION, MOVE_EVENTS, STEP_EVENTS
from models.train import Trained, Training

_CARD = """# World model

- Version: `{digest}` (digest of the tensors)
- Contract {contract}, a step of {step} events; what goes in and out is said in `models/net_contract.py`
- Owner: the project's maintainers
- Training: {settings}; the best after {best} batches

## Data

Recorded tapes, the first 85 % of each to learn from, the last 15 % to stop by, 200 events between them. None of the data is in
this repository.

| tape | day | source's SHA-256 | observations |
|---|---|---|---|
{tapes}

## Forecasts of days left out

{forecasts}

## Use

Meant for: the state of a market and its likely course over some hundred events, for planning, and for quoting in simulation.

Not meant for: trading by itself. It knows a handful of days and instruments. It has seen no action of ours, so it cannot say
what our orders do to a market. Its controller is untrained. Where the tables above show no skill, it has none.
"""
_TOLD = """The recipe, trained anew without each day, nets and baselines alike, and judged on that day alone. Gains are over the
logistic regression on queue and order-flow imbalance, positive is better; in brackets 95 % intervals by block bootstrap.
"""
_ROLLOUTS = """Rollouts of 20 steps: CRPS skill, 1 less the ratio to the rival's, by steps ahead; how often central intervals held
what came.
"""
_COLUMNS = """| {} | MCC | logistic | MLP | last move | gain | log loss | logistic | gain | ECE | macro-F1 |
|---|---|---|---|---|---|---|---|---|---|---|"""


def card(trained: Trained, how: Training, files: Sequence[Examples], digest: str, figures: dict[str, Any] | None) -> str:
    """The card of a version. figures: what `models.evaluate.report` said of this recipe on days left out, None for nothing."""
    return _CARD.format(
        digest=digest, contract=CONTRACT_VERSION, step=STEP_EVENTS, best=trained.best_batch,
        settings=", ".join(f"{name} {value:g}" for name, value in asdict(how).items()),
        tapes="\n".join(f"| {one.name} | {one.day} | `{one.digest}` | {len(one):,} |" for one in files),
        forecasts="\n".join(_forecasts(figures)),
    )  # fmt: skip


def _forecasts(figures: dict[str, Any] | None) -> list[str]:
    if figures is None:
        return ["Not evaluated."]
    rows = [
        _TOLD,
        _COLUMNS.format("events ahead"),
        *(_horizon(f"{k}", figures[f"k{k}"]) for k in MOVE_EVENTS),
        "",
        "By tape, 10 events ahead:",
        "",
        _COLUMNS.format("tape"),
        *(_horizon(name, told["k10"]) for name, told in figures["files"].items()),
    ]
    if "crps_skill" in figures:
        rows += ["", *_rollouts(figures)]
    return [*rows, "", f"Impact of our own actions: {figures['impact']}."]


def _horizon(name: str, f: dict[str, float]) -> str:
    def gained(key: str) -> str:
        return f"{f[f'{key}_gain']:+.3f} [{f[f'{key}_gain_low']:+.3f}, {f[f'{key}_gain_high']:+.3f}]"

    return (
        f"| {name} | {f['mcc']:.3f} | {f['mcc_logistic']:.3f} | {f['mcc_mlp']:.3f} | {f['mcc_last_move']:.3f} | {gained('mcc')}"
        f" | {f['log_loss']:.3f} | {f['log_loss_logistic']:.3f} | {gained('log_loss')} | {f['ece']:.3f} | {f['macro_f1']:.3f} |"
    )


def _rollouts(figures: dict[str, Any]) -> list[str]:
    rows = [_ROLLOUTS, "| quantity | rival | 1 | 2 | 3 | 5 | 10 | 20 |", "|---|---|---|---|---|---|---|---|"]
    for rival, shown in figures["crps_skill"].items():
        for name, at in shown.items():
            rows.append(
                f"| {name} | {rival.replace('_', ' ')} | "
                + " | ".join(f"{at[f'h{h}']:+.3f}" for h in (1, 2, 3, 5, 10, 20))
                + " |"
            )
    rows += ["", "| quantity | 50 % | 80 % | 95 % |", "|---|---|---|---|"]
    for name, at in figures["coverage"].items():
        rows.append(f"| {name} | " + " | ".join(f"{100 * at[level]:.1f} %" for level in ("50", "80", "95")) + " |")
    return rows
