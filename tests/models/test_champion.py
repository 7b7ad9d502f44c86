"""The shipped version: a clone forecasts with it, without training and without data."""

from __future__ import annotations

from pathlib import Path

import torch

from models import world_model
from models.baselines import observation
from models.dataset import examples
from models.net_contract import HEAD, N_HEADS
from models.weights_store import CHAMPION, read_weights
from models.world_model import WorldModel
from tests.models.made_tapes import made_tape, stored

BYTES_MAX = 2_000_000


def test_it_is_small_and_its_card_names_it_its_data_and_its_figures() -> None:
    champion = read_weights(CHAMPION)
    card = CHAMPION.with_suffix(".md").read_text("utf-8")
    assert CHAMPION.stat().st_size < BYTES_MAX
    assert champion.digest in card
    assert all(word in card for word in ("| 10 |", "| 100 |", "Owner", "Not meant for", "Impact of our own actions: absent"))
    assert '"amzn-20120621"' in champion.metadata["data"]


def test_it_forecasts_a_market_it_has_never_seen(tmp_path: Path) -> None:
    model = WorldModel()
    world_model.load(model, read_weights(CHAMPION).tensors)
    one = examples(stored(tmp_path / "made", made_tape(6_000)))
    with torch.no_grad():
        z = model.encode(observation(one, one.at[:8] * 0))
        path = model.rollout(z, torch.zeros(8, 128), torch.zeros(8, 20, 4), torch.randn(8, 20, 16))
        heads = model.forecast(path.reshape(-1, 128))
    assert heads.shape == (8 * 21, N_HEADS)
    assert torch.isfinite(heads).all()
    moves = heads[:, HEAD["move_10_down"] : HEAD["move_10_up"] + 1].softmax(1)
    assert (moves.sum(1) - 1).abs().max() < 1e-5 and moves.std() > 0.01
