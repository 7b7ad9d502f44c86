"""On a graphics card: the encoder and the rollout as recorded graphs, beside the processor's answers, and how long they take.

The two bars on time are the specification's; they are held here because there is no bench on such a machine.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.graphed import Graphed
from models.net_contract import BOOK, CONTEXT, LATENT, TAPE_ROWS, TRADES
from models.rollout import SAMPLES, STEPS, noise, roll_on
from models.world_model import Observation
from tests.models.nets_made import nets

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card with CUDA here")
ENCODER_US, ROLLOUT_US = 20.0, 2_000.0
REPLAYS = 500


def p50_us(graph: Graphed) -> float:
    """Microseconds of one replay on the card, by its own clock."""
    took = []
    for _ in range(REPLAYS):
        began, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        began.record()
        graph.replay()
        ended.record()
        ended.synchronize()
        took.append(began.elapsed_time(ended) * 1e3)
    return float(np.median(took))


def test_the_encoder_is_the_processors_and_within_its_budget() -> None:
    made = nets()
    chance = torch.Generator().manual_seed(3)
    shapes = ((1, BOOK), (1, TAPE_ROWS, TRADES), (1, CONTEXT))
    first, second = ([torch.rand(shape, generator=chance) for shape in shapes] for _ in range(2))
    with torch.no_grad():
        expected = made.model.encode(Observation(*second))
    model = made.model.cuda()
    graph = Graphed(lambda *parts: model.encode(Observation(*parts)), [part.cuda() for part in first])
    assert torch.allclose(graph(*second).cpu(), expected, atol=1e-4)
    assert p50_us(graph) < ENCODER_US


def test_rollouts_are_the_processors_and_within_their_budget() -> None:
    made = nets()
    chance = torch.Generator().manual_seed(3)
    arguments = [
        torch.randn(LATENT, generator=chance),
        torch.rand(LATENT, generator=chance),
        torch.rand(STEPS, 4, generator=chance),
        torch.from_numpy(noise(7)),
    ]
    expected = roll_on(made.model, *arguments)
    model = made.model.cuda()
    graph = Graphed(lambda *parts: roll_on(model, *parts), [torch.zeros_like(part).cuda() for part in arguments])
    found = graph(*arguments)
    assert found.shape[:2] == (SAMPLES, STEPS)
    assert torch.allclose(found.cpu(), expected, atol=1e-4)
    assert p50_us(graph) < ROLLOUT_US
