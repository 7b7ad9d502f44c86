"""The card of the maker's weights: what they are, learnt from and worth, what for and what not. Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.net_contract import CONTRACT_VERSION

_CARD: Final = """# The market maker

- Version: `{digest}` (digest of the tensors)
- Encoder, dynamics and heads: those of version `{frozen}`, not changed by a bit; the controller alone was trained
- Contract {contract}; what an action means is said in `models/controller.py`, what becomes of it in `models/quoting.py`
- Owner: the project's maintainers
- Training: {settings}

## Data

Simulated markets alone, on training seeds: the exact world of Cartea and Jaimungal, its grid with a signal and regimes, and the
event book in its training regimes. Nothing recorded; judging seeds and held-out regimes were not touched.

Before PPO the actor was cloned: from the optimum of the exact world and of the grid, which knows their hidden state, and from the
GLFT rule in the event book. PPO went on from there, on z as the frozen nets make it of the books that each world emits.

## Figures on judging seeds

{figures}

## Use

Meant for: quoting in simulation, through the quoter's limits, and for judging the way in which such a maker is trained.

Not meant for: a real market. It has learnt in markets of ours. The event book's others do not react to quotes, and nobody there
is faster than the maker but by the latency that is told. Where the tables show no skill, it has none.
"""


def card(digest: str, frozen: str, settings: str, figures: Mapping[str, Any]) -> str:
    """figures: what `models.making.judging` said, by world; none: not judged."""
    return _CARD.format(
        digest=digest, frozen=frozen, contract=CONTRACT_VERSION, settings=settings,
        figures="\n".join(_figures(figures)) if figures else "Not judged.",
    )  # fmt: skip


def _figures(figures: Mapping[str, Any]) -> list[str]:
    lines = ["| world | who | rho | value |", "|---|---|---|---|"]
    for world, told in figures.items():
        if "optimum" in told:
            for name, row in told["rows"].items():
                rho = f"{row['rho']:.3f} [{row['rho_low']:.3f}, {row['rho_high']:.3f}]"
                lines.append(f"| {world} | {name} | {rho} | {row['value']:.2f} |")
    lines += ["", "| event book | who | objective | P&L | maker better by, objective | P&L |", "|---|---|---|---|---|---|"]
    for told in figures.values():
        for regime, found in told.get("regimes", {}).items():
            lines += [_session(regime, name, found) for name in found["rows"]]
    return lines


def _session(regime: str, name: str, found: Mapping[str, Any]) -> str:
    row, better = found["rows"][name], found["better_by"].get(name)
    told = ["", ""]
    if better:
        told = [f"{better[key]:+.1f} [{better[f'{key}_low']:+.1f}, {better[f'{key}_high']:+.1f}]" for key in ("objective", "pnl")]
    return f"| {regime} | {name} | {row['objective']:.1f} | {row['pnl']:.1f} | {told[0]} | {told[1]} |"
