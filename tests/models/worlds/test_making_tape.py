"""Makers on recorded tapes: queues as recorded, the limit, what is too short; hftbacktest where its interpreter is."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import ConfigError, TapeError
from domain.tape import FLAG_QUEUE, Kind, Tape, tape_of
from models.worlds.making_book import MakerBookConfig
from models.worlds.making_hft import interpreter, replay_elsewhere, rows_of
from models.worlds.making_run import FIXED, Maker
from models.worlds.making_tape import Recorded, recorded, replay

SECOND = 1_000_000_000
CLOSE = Maker("close", FIXED, 1.0)


def _made(seconds: int = 300) -> Tape:
    """Levels 995 .. 999 and 1001 .. 1005 of 50 lots; every second a seller takes the whole bid, or a buyer the whole ask."""
    level = int(Kind.LEVEL)
    rows = [(SECOND, SECOND, 0, 1000 - side * away, 50, 0, 0, level, side) for away in range(1, 6) for side in (1, -1)]
    for n in range(2, seconds + 2):
        ts, side = n * SECOND, 1 if n % 2 else -1
        price = 1000 - side
        rows.append((ts, ts, 0, price, 50, 0, FLAG_QUEUE, int(Kind.TRADE), side))
        rows.append((ts + 1000, ts + 1000, 0, price, 50, 0, 0, level, side))
        deep = 1000 - 5 * side
        rows += [(ts + 1000 + 9 * j, ts + 1000 + 9 * j, 0, deep, 50 + j % 2, 0, 0, level, side) for j in range(1, 5)]
    return tape_of(rows)


@pytest.fixture(scope="module")
def one() -> Recorded:
    return recorded("made", _made(), 10, 1_800, None)


def test_a_quote_is_filled_by_what_trades_through_its_queue_alone(one: Recorded) -> None:
    quiet = one.tape[one.tape["kind"] != Kind.TRADE]
    assert replay(one._replace(tape=quiet), CLOSE).fills.sum() == 0
    alone = one.tape.copy()
    alone["size_lots"][alone["kind"] == Kind.TRADE] = 60
    reached = replay(one._replace(tape=alone, size_lots=10), CLOSE)
    assert reached.fills.sum() > 50 and reached.breaches.sum() == 0
    assert reached.captured[0] == pytest.approx(reached.filled[0])  # a tick for each


def test_a_tape_that_is_too_short_says_so() -> None:
    with pytest.raises(TapeError, match="too short"):
        recorded("made", _made(90), 10, 1_800, None)


def test_a_feed_of_totals_is_what_the_package_replays_with_the_aggressors_side(one: Recorded) -> None:
    rows = rows_of(one.tape)
    assert len(rows) == len(one.tape) and set(rows[:, 1]) == {0, 1}
    trades = rows[rows[:, 1] == 1]
    assert (trades[:, 2] == np.where(trades[:, 3] < 1000, -1, 1)).all()
    orders = one.tape[one.tape["kind"] == Kind.TRADE]
    with pytest.raises(ConfigError, match="order by order"):
        replay_elsewhere(one._replace(tape=orders), CLOSE, "python")


def test_without_the_package_it_says_which_interpreter_lacks_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("bin") / "python"
    empty.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'hftbacktest'\" >&2\nexit 1\n", "utf-8")
    empty.chmod(0o755)
    with pytest.raises(ConfigError, match="EMS_EVAL_PYTHON names: ModuleNotFoundError"):
        interpreter(str(empty))


def test_the_package_fills_what_goes_through_our_quotes_and_the_limit_holds(one: Recorded) -> None:
    try:
        python = interpreter()
    except ConfigError as error:
        pytest.skip(str(error))
    tape = one.tape.copy()
    trades = tape["kind"] == Kind.TRADE
    tape["price_ticks"][trades] -= tape["side"][trades]  # a tick beyond our quotes
    told = replay_elsewhere(one._replace(tape=tape, size_lots=10), CLOSE, python, MakerBookConfig(limit_sizes=2))
    assert told["fills"] > 10 and told["inventory_max"] <= 2 and told["within_limit"] == 1.0
