"""Work in pieces: the same results in this process and in others, and who loses a worker does its pieces again."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from domain.errors import ConfigError, ForecastError, ProcessFailed
from domain.ports_spread import Mapper
from models import spread as spreading
from models.spread import IN_PROCESS, Processes, spread


def drawn(scale: float, seed: int) -> bytes:
    chance = np.random.default_rng(seed)
    return (
        (scale * (torch.from_numpy(chance.normal(size=(200, 300))) @ torch.from_numpy(chance.normal(size=(300, 50)))))
        .numpy()
        .tobytes()
    )


def dies(marks: Path, times: int, piece: int) -> int:
    mark = marks / str(len(list(marks.iterdir())))
    if piece == 1 and len(list(marks.iterdir())) < times:
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return piece * piece


def fails(piece: int) -> int:
    if piece == 2:
        raise ForecastError("piece 2 cannot be forecast")
    return piece


def test_other_processes_make_the_same_bits_in_the_order_of_the_pieces() -> None:
    told: list[tuple[int, int]] = []
    here = spread(IN_PROCESS, partial(drawn, 0.1), range(6))
    there = spread(Processes(2), partial(drawn, 0.1), range(6), lambda done, of: told.append((done, of)))
    assert there == here and len(set(here)) == 6
    assert told == [(n, 6) for n in range(1, 7)]


def test_a_lost_workers_pieces_are_done_again(tmp_path: Path) -> None:
    assert spread(Processes(2), partial(dies, tmp_path, 1), range(4)) == [0, 1, 4, 9]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_piece_that_ends_every_worker_ends_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreading, "_LOST_MAX", 1)
    with pytest.raises(ProcessFailed, match="workers were lost 2 times"):
        spread(Processes(1), partial(dies, tmp_path, 99), range(2))


@pytest.mark.parametrize("mapper", [IN_PROCESS, Processes(1)])
def test_an_error_in_a_piece_is_an_error(mapper: Mapper) -> None:
    with pytest.raises(ForecastError, match="piece 2"):
        spread(mapper, fails, range(4))


def test_a_worker_of_another_build_is_refused() -> None:
    asked = tuple(sorted((spreading._here() | {"source": "another"}).items()))
    with pytest.raises(ConfigError, match="source 'another'"):
        spreading._alike(asked, False, fails, 0)


def test_a_workers_algorithms_are_chosen_as_ours_are() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(not before)
    try:
        assert spread(Processes(1), _algorithms, [0]) == [not before]
    finally:
        torch.use_deterministic_algorithms(before)


def _algorithms(_: int) -> bool:
    return torch.are_deterministic_algorithms_enabled()
