"""Somebody else's order book as a world, where the interpreter that EMS_EVAL_PYTHON names has the package."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from domain.errors import ConfigError, InvariantBroken
from models.worlds.cleo import SCENARIOS, CleoWorld
from models.worlds.world import ARRIVAL


@pytest.fixture(scope="module")
def world() -> Iterator[CleoWorld]:
    try:
        made = CleoWorld()
    except ConfigError as absent:
        pytest.skip(str(absent))
    yield made
    made.close()


def test_an_interpreter_without_the_package_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="needs the package cleolob"):
        CleoWorld(python=f"{sys.base_prefix}/bin/python3")


def test_an_even_order_is_worked_to_its_end(world: CleoWorld) -> None:
    state = world.start(5, 4, "calm")
    assert np.abs(world.seen(state).book).sum() > 0 and set(np.unique(world.seen(state).tape[:, 2])) == {-1.0, 1.0}
    assert (world.seen(state).context[:, 6:12] == 1).mean() > 0.9
    for _ in range(world.intervals):
        state = world.trade(state, state.total / world.intervals)
    cost, public = world.cost(state), world.public(state)
    assert np.allclose(cost.filled, 1.0) and np.array_equal(public.total, np.full(4, 10_000.0))
    assert np.allclose(cost.bps, (public.bought * (public.prices - ARRIVAL)).sum(axis=1) / public.total)
    assert 1.0 < cost.bps.mean() < 8.0, "published for this order: 3.7 at a deviation of 1.2"
    assert (public.volume.sum(axis=1) > public.total).all()
    with pytest.raises(ConfigError, match="does not tell its drivers"):
        world.truth(state)


def test_a_seed_is_a_market_and_a_state_is_traded_in_once(world: CleoWorld) -> None:
    first = world.start(6, 2, "thin")
    mids = world.trade(first, 0 * first.total).mids
    with pytest.raises(InvariantBroken, match="gone on"):
        world.trade(first, first.total)
    again = world.start(6, 2, "thin")
    assert np.array_equal(world.trade(again, 0 * again.total).mids, mids)
    with pytest.raises(ConfigError, match="stressed"):
        world.start(6, 2, "mixed")
    assert len(SCENARIOS) == 5
