"""`ems train impact`: seeded orders in the event book, the impact model from them, and what it is worth beside its rivals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.ports_spread import Mapper
from models.impact import write_impact
from models.impact_orders import JUDGING_SEEDS, TRAINING_SEEDS, Orders, run_orders
from models.impact_training import ImpactTraining, judge, train
from models.spread import IN_PROCESS, spread
from models.weights_store import CHAMPION, read_weights
from models.world_model import WorldModel, load

__all__ = ["ImpactTraining", "Made", "joined", "train_impact"]

Told = Callable[[str, int, int, float], None]
_AT_ONCE: Final = 20  # episodes of a piece
_CARD: Final = """# Impact model

- Version: `{digest}`, on latents of world model `{world_model}`
- Owner: the project's maintainers
- Data: event book, seeds {first} to {last}, {orders} orders with and without each other on the same events; none of it recorded
- Training: seed {seed}, {steps} steps

## Orders of other seeds

{judged} orders of {episodes} markets. Share of the variance of the realised impact that is foretold; in brackets 95 % intervals
of the gain in mean squared error over each rival (price units squared); the scale and offset of
rivals were fitted on the training orders.

| forecast | R2 | the model gains over it | it gains over a constant |
|---|---|---|---|
| this model | {r2_model:.3f} | | |
| square-root law | {r2_square_root:.3f} | {gain_over_square_root} | {square_root_over_constant} |
| Almgren 2005 | {r2_almgren:.3f} | {gain_over_almgren} | {almgren_over_constant} |
| constant | {r2_constant:.3f} | {gain_over_constant} | |

Paid on average {paid:.2f} price units beyond the untouched middle; the middle stood {peak:.2f} away behind the order and
{permanent:.3f} a minute later. Decay t^-beta with beta {beta:.2f}, impact Q^delta with delta {delta:.2f}: beta + delta >= 1, so
no round trip makes money.

## Use

Meant for: what an order costs by its own trading in a market like the generated one, and as the form that impact has in plans.

Not meant for: any real market. The generated market pulls back to a fair price that no trade moves, so nothing of an impact
stays, and it comes back within seconds. Nor is it shown to be better than the two laws where their interval holds 0.
"""


class Made(NamedTuple):
    """Where the model lies, its digest, its figures."""

    weights: Path
    digest: str
    figures: dict[str, Any]


def train_impact(out: Path, told: Told, how: ImpactTraining, mapper: Mapper = IN_PROCESS) -> Made:
    """Run the orders, train, judge; write `impact.safetensors`, `impact.md` and `impact.json` into a directory.

    Args:
        mapper: who runs the orders; the version is the same by whichever.

    Raises:
        ForecastError: too few orders. WeightsError: the shipped world model cannot be read, or nothing can be written.
        ProcessFailed: workers were lost again and again.
    """
    out.mkdir(parents=True, exist_ok=True)
    champion, nets = read_weights(CHAMPION), WorldModel()
    load(nets, champion.tensors)
    nets.eval()
    learnt = _orders(TRAINING_SEEDS, how.episodes, "orders to learn from", told, mapper)
    judged = _orders(JUDGING_SEEDS, how.judged, "orders to judge by", told, mapper)
    model = train(learnt, nets, how, lambda *done: told("training", *done))
    figures = judge(model, nets, learnt, judged, how.seed)
    weights = out / "impact.safetensors"
    seeds = f"{TRAINING_SEEDS[0]}..{TRAINING_SEEDS[how.episodes - 1]}"
    digest = write_impact(weights, model, {"seed": str(how.seed), "world_model": champion.digest, "seeds": seeds})
    (out / "impact.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    shown: dict[str, Any] = {
        name: _interval(one) if isinstance(one, dict) else one for name, one in figures.items() if name != "orders"
    }
    card = _CARD.format(
        digest=digest, world_model=champion.digest, first=TRAINING_SEEDS[0], last=TRAINING_SEEDS[how.episodes - 1],
        orders=len(learnt.size), judged=len(judged.size), seed=how.seed, steps=how.steps, **shown,
    )  # fmt: skip
    (out / "impact.md").write_text(card, "utf-8")
    return Made(weights, digest, figures)


def _orders(seeds: range, count: int, what: str, told: Told, mapper: Mapper) -> Orders:
    pieces = [seeds[n : min(n + _AT_ONCE, count)] for n in range(0, count, _AT_ONCE)]
    return joined(spread(mapper, run_orders, pieces, lambda done, of: told(what, done, of, 0.0)))


def joined(parts: list[Orders]) -> Orders:
    """All of them as one."""
    import numpy as np

    return Orders(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _interval(gain: dict[str, float]) -> str:
    return f"{gain['mean']:+.2f} [{gain['low']:+.2f}, {gain['high']:+.2f}]"
