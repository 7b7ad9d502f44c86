"""A market followed live shows what training shows of the same records, and nothing before it knows enough."""

from __future__ import annotations

import numpy as np
import pytest

from domain.tape import Kind, Tape, tape_of
from models.compiled import hot
from models.dataset import event
from models.feature_arrays import make_features
from models.live_observer import LiveObserver
from models.market.layout import make_book
from models.net_contract import BOOK, CONTEXT, TAPE_ROWS, TRADES
from models.observation import make_watch, observe
from models.planners.foresight import ARRAYS, read_observation
from models.sight import Sight, sight

S = 1_000_000_000


@pytest.fixture(scope="module")
def seen() -> Sight:
    return sight()


def levels(events: int, instrument: int = 0) -> Tape:
    """A market that wanders: each event moves a level of one side or prints a trade, 0.1 s apart."""
    chance = np.random.default_rng(5)
    rows = [
        (1, 1, 0, 10_000 + side * (j + 1), 50 + j, instrument, 0, int(Kind.LEVEL), -side) for side in (-1, 1) for j in range(10)
    ]
    for n in range(events):
        at_ns, side = (n + 1) * S // 10, int(chance.choice([-1, 1]))
        if chance.random() < 0.3:
            rows.append((at_ns, at_ns, 0, 10_000 + side, int(chance.integers(1, 9)), instrument, 0, int(Kind.TRADE), -side))
        else:
            price = 10_000 + side * int(chance.integers(1, 8))
            rows.append((at_ns, at_ns, 0, price, int(chance.integers(1, 90)), instrument, 0, int(Kind.LEVEL), -side))
    return tape_of(rows)


@hot
def _observe(w, f, b, k, book, tape, context):  # type: ignore[no-untyped-def]  # numba's
    return observe(w, f, b, k, book, tape, context)


def test_it_shows_what_training_shows_of_the_same_records(seen: Sight) -> None:
    tape = levels(400)
    live = LiveObserver(seen, ["A"], [S // 100], [S])
    live.take(tape[:123])
    live.take(tape[123:])
    (found,) = live.observed()
    b, f, w = make_book(None, 1 << 16, 1 << 16), make_features(), make_watch()
    new = np.flatnonzero(np.diff(tape["ts_recv_ns"])) + 1
    begin, prints = 0, np.zeros((64, 4), np.int64)
    for end in [*new.tolist(), len(tape)]:
        event(b, f, w, tape, begin, end, prints)
        begin = end
    book, rows, context = np.zeros(BOOK, np.float32), np.zeros((TAPE_ROWS, TRADES), np.float32), np.zeros(CONTEXT, np.float32)
    assert _observe(w, f, b, 0, book, rows, context)
    inputs, state = read_observation(found.observation)
    assert inputs[:ARRAYS].tobytes() == np.concatenate([book, rows.ravel(), context]).tobytes()
    assert state[:128].any(), "the dynamics' state is carried"
    assert found.instrument == "A" and len(found.latent) == 128 and any(found.latent)
    assert found.observation.time_ns == int(tape["ts_event_ns"][-1])
    assert found.observation.step_ns == pytest.approx(S, rel=0.01)
    assert found.observation.price_unit_e9 == round(w.units[0, 0] * S / 100)


def test_before_it_knows_enough_it_shows_nothing(seen: Sight) -> None:
    live = LiveObserver(seen, ["A", "B"], [S, S], [S, S])
    assert list(live.observed()) == []
    live.take(levels(60))
    assert list(live.observed()) == []
    live.take(levels(400, instrument=1))
    assert [each.instrument for each in live.observed()] == ["B"]
    live.take(levels(1, instrument=-1)[-1:])  # a stranger
