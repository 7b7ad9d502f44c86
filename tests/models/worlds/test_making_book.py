"""The event book as a maker's world: real queues, limits that hold, accounts that add up, one market for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.inference import Core, make_core, put_weights
from models.weights_store import CHAMPION, read_weights
from models.worlds.making_book import MARKOUTS_S, RANDOMISED, MakerBook, MakerBookConfig, Sessions
from models.worlds.making_run import AVELLANEDA_STOIKOV, FIXED, GLFT, NET, Maker
from models.worlds.world import TRAINING_SEEDS

SEED = TRAINING_SEEDS[800_000]  # nothing was learnt from it, nothing is judged by it
BOOK = MakerBook(MakerBookConfig(seconds=60))
CLOSE, GUEANT = Maker("close", FIXED, 0.5), Maker("glft", GLFT, 0.1)


@pytest.fixture(scope="module")
def core() -> Core:
    made, found = make_core(), read_weights(CHAMPION)
    assert put_weights(made, found.tensors, found.digest)
    return made


@pytest.fixture(scope="module")
def close() -> Sessions:
    return BOOK.run(CLOSE, SEED, 8)


def test_quotes_at_the_touch_trade_and_the_limit_holds_at_every_look(close: Sessions) -> None:
    assert close.fills.min() > 0 and close.breaches.sum() == 0
    small = MakerBook(replace(BOOK.config, limit_sizes=1)).run(CLOSE, SEED, 8)
    assert np.abs(small.held).max() == 1.0 and small.breaches.sum() == 0


def test_the_accounts_add_up(close: Sessions) -> None:
    """Cash and inventory at the middle are what fills captured and what the middle did to what was held."""
    assert close.wealth[:, 0] == pytest.approx(np.zeros(8))
    assert close.captured.sum() > 0 and (close.adverse >= 0).all()
    parts = close.captured - 0.5 * close.adverse - 0.01 / 4 * (close.held**2).sum(axis=1)
    assert close.value == pytest.approx(parts)
    assert (close.filled <= close.placed + 1e-9).all()
    assert close.markouts.shape == (8, len(MARKOUTS_S)) and (close.life_s > 0).all()


def test_who_quotes_close_is_filled_more_and_picked_off_more(close: Sessions) -> None:
    far = BOOK.run(Maker("far", FIXED, 3.0), SEED, 8)
    assert far.fills.sum() < close.fills.sum()
    assert far.adverse.sum() / far.filled.sum() > 0
    assert far.markouts[:, 0].sum() / far.filled.sum() > close.markouts[:, 0].sum() / close.filled.sum()


def test_the_slower_the_maker_the_more_it_loses_to_the_moves(close: Sessions) -> None:
    slow = MakerBook(replace(BOOK.config, latency_ms=240.0)).run(CLOSE, SEED, 8)
    assert slow.markouts[:, 0].sum() / slow.filled.sum() < close.markouts[:, 0].sum() / close.filled.sum()


def test_a_rule_that_leans_against_its_inventory_holds_less(close: Sessions) -> None:
    leaning = BOOK.run(GUEANT, SEED, 8)
    assert np.abs(leaning.held).mean() < 0.5 * np.abs(close.held).mean()
    assert leaning.value.mean() > close.value.mean()
    assert BOOK.run(Maker("as", AVELLANEDA_STOIKOV, 0.0003), SEED, 2).fills.sum() > 0


def test_a_net_sees_books_alone_and_does_the_same_twice(core: Core) -> None:
    net = Maker("net", NET, core=core)
    once, twice = (BOOK.run(net, SEED, 2, keeps=True, teacher=0.1) for _ in range(2))
    for one, other in zip(once, twice, strict=True):
        assert np.array_equal(one, other)
    acted = once.seen.any(axis=2)
    assert acted.mean() > 0.99 and np.isfinite(once.seen).all() and (once.taught[acted] != 0).any()
    assert np.abs(once.seen[:, :, 128]).max() <= 1 and once.seen[:, :, 131].max() <= 1


def test_markets_that_learning_draws_differ_and_are_the_seeds() -> None:
    usual, drawn = BOOK.run(GUEANT, SEED, 2), BOOK.run(GUEANT, SEED, 2, drawn=RANDOMISED)
    assert not np.array_equal(usual.wealth, drawn.wealth)
    assert np.array_equal(drawn.wealth, BOOK.run(GUEANT, SEED, 2, drawn=RANDOMISED).wealth)
    assert not np.array_equal(usual.wealth, BOOK.run(GUEANT, SEED + 1, 2).wealth)
