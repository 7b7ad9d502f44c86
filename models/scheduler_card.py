"""The card of the scheduler's weights: what they are, learnt from and foretell, what for and what not. Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.net_contract import CONTRACT_VERSION

_CARD: Final = """# The scheduler's world model

- Version: `{digest}` (digest of the tensors); impact on its latents: `{impact}`
- Contract {contract}, a step of one interval; `models/net_contract.py` says what goes in and out, `models/interval_examples.py`
  of which interval a latent speaks
- Owner: the project's maintainers
- Training: {settings}

## Data

Orders worked by chance in simulated worlds, on training seeds, in the training regimes of each; nothing recorded. Judging
seeds and held-out regimes were not touched.

| world learnt from | configuration |
|---|---|
{worlds}

## Measured in each market

On training seeds, without training: the share of what slips that displaces the price, what is left of it an interval later, what
stays of an even slice (of the order's scale), the share of an interval's own move that purchases in it pay, how much the market
moves for each unit foretold (and how that grows with each further interval), and how much more or less buying slips than
foretold, in the interval where it is least and most.

| world | displaces | left | stays | pays | follows | slips |
|---|---|---|---|---|---|---|
{markets}

## Forecasts on other training seeds

Share of the variance of the market's own move that is foretold, by intervals ahead, after {seen} intervals were seen; the
bound is a Kalman filter that knows the world's laws and reads the shown books exactly. In brackets a 95 % interval by
bootstrap over orders.

| world | who | 1 | 2 | 3 | 5 | 8 |
|---|---|---|---|---|---|---|
{skills}

## Use

Meant for: planning orders over twenty intervals in the worlds of `models/worlds`, by `models.execution.learned`.

Not meant for: a real market. It has seen simulated books alone: some whose sizes show a signal by one law and whose impact is
linear, and some in which simulated traders meet.
Heads that have no meaning here are untrained: the moves' classes, toxicity, fills, volatility, and the controller. Spread and
depth are those at an interval's end. A market without a signal looks to it like one in which the signal is small: it then trades
on noise, at a cost that evaluation tells.
"""


def card(
    digest: str,
    impact: str,
    settings: str,
    learnt: Mapping[str, str],
    markets: Mapping[str, tuple[str, Any]],
    told: Mapping[str, Any],
) -> str:
    """learnt: world -> configuration's digest. markets: world -> that, and what was measured. told: world -> figures of
    `models.scheduler_skill.report`."""
    return _CARD.format(
        digest=digest, impact=impact, contract=CONTRACT_VERSION, settings=settings,
        worlds="\n".join(f"| {name} | `{config}` |" for name, config in learnt.items()),
        markets="\n".join(_market(name, config, market) for name, (config, market) in markets.items()),
        skills="\n".join(line for name, figures in told.items() for line in _skills(name, figures)),
        seen=next(iter(told.values()))["seen"],
    )  # fmt: skip


def _market(name: str, config: str, market: Any) -> str:
    p, (first, later) = market.propagator, market.follows
    slips = f"{min(market.slips):.2f} to {max(market.slips):.2f}"
    moved = f"{p.transient:.3f} | {p.decay:.2f} | {p.permanent:.3f} | {p.within:.2f}"
    return f"| {name} `{config[:12]}` | {moved} | {first:.2f} ({later:.2f}) | {slips} |"


def _skills(name: str, figures: Mapping[str, Any]) -> list[str]:
    ahead = (0, 1, 2, 4, 7)
    r2 = [f"{figures['r2'][j]:+.4f}" for j in ahead]
    r2[0] += f" [{figures['r2_low']:+.4f}, {figures['r2_high']:+.4f}]"
    rows = [f"| {name} | nets | " + " | ".join(r2) + " |"]
    if "r2_bound" in figures:
        rows.append(f"| {name} | bound | " + " | ".join(f"{figures['r2_bound'][j]:+.4f}" for j in ahead) + " |")
    return rows
