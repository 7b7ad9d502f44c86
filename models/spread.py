"""Pieces of work in this process or in others, with the same bits in all: `spread` is what evaluations and trainings call.

How many threads a matrix product has changes the order of its sums, and so do another processor, another version or another
build. So a piece runs on one thread of torch's wherever it runs, and a worker that is not like the process that asks, down to
the threads of numpy's BLAS, refuses its pieces. The command line gives BLAS one thread; Ray's workers have one.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

import torch

from domain.errors import ConfigError, ProcessFailed
from domain.ports_spread import Mapper, PiecesTold
from models.environment import differences, environment

P = TypeVar("P")
R = TypeVar("R")
_ROOT: Final = Path(__file__).parents[1]
_NOT_COMPARED: Final = ("OMP_NUM_THREADS", "torch_threads", "torch_deterministic")  # each piece is given them
_LOST_MAX: Final = 3  # times that workers may be lost before it is not bad luck


def spread(
    mapper: Mapper, work: Callable[[P], R], pieces: Sequence[P], told: PiecesTold = lambda *_: None
) -> list[R]:  # fmt: skip
    """What work makes of each piece, in the order of the pieces; the same bits by whichever mapper.

    Raises:
        ConfigError: a worker has another build, other versions or another processor.
        ProcessFailed: workers were lost again and again.
        Exception: whatever a piece raised.
    """
    deterministic = torch.are_deterministic_algorithms_enabled()
    return mapper.map(partial(_alike, tuple(sorted(_here().items())), deterministic, work), pieces, told)


class InProcess:
    """One after the other."""

    here: Final = True

    def map(self, work: Callable[[P], R], pieces: Sequence[P], told: PiecesTold) -> list[R]:
        """As the port says."""
        done = []
        for piece in pieces:
            done.append(work(piece))
            told(len(done), len(pieces))
        return done


class Processes:
    """Some processes of this machine. When one is lost, all are made anew and do what was not done."""

    here: Final = False

    def __init__(self, count: int) -> None:
        self._count = count

    def map(self, work: Callable[[P], R], pieces: Sequence[P], told: PiecesTold) -> list[R]:
        """As the port says."""
        done: dict[int, R] = {}
        for _ in range(_LOST_MAX + 1):
            if len(done) == len(pieces):
                return [done[n] for n in range(len(pieces))]
            self._some(work, pieces, done, told)
        if len(done) == len(pieces):
            return [done[n] for n in range(len(pieces))]
        raise ProcessFailed(f"workers were lost {_LOST_MAX + 1} times; {len(done)} of {len(pieces)} pieces are done")

    def _some(self, work: Callable[[P], R], pieces: Sequence[P], done: dict[int, R], told: PiecesTold) -> None:
        """Add to what is done, until all is or a worker is lost."""
        pool = ProcessPoolExecutor(
            self._count, mp_context=multiprocessing.get_context("spawn"), initializer=_hold, initargs=(work,)
        )  # fmt: skip
        try:
            asked = {pool.submit(_piece, piece): n for n, piece in enumerate(pieces) if n not in done}
            for future in as_completed(asked):
                done[asked[future]] = future.result()
                told(len(done), len(pieces))
        except BrokenProcessPool:
            return
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


IN_PROCESS: Final = InProcess()
_held: list[Callable[[Any], Any]] = []  # in a worker: its one work


def _hold(work: Callable[[Any], Any]) -> None:
    _held[:] = [work]


def _piece(piece: Any) -> Any:
    return _held[0](piece)


def _alike(asked: tuple[tuple[str, str], ...], deterministic: bool, work: Callable[[P], R], piece: P) -> R:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(deterministic)
    _compare(asked)
    return work(piece)


@cache
def _compare(asked: tuple[tuple[str, str], ...]) -> None:
    other = differences(dict(asked), _here())
    if other:
        told = "; ".join(f"{name} {ours!r}, there {theirs!r}" for name, (ours, theirs) in other.items())
        raise ConfigError(f"a worker would not make the same numbers: {told[:500]}")


def _here() -> dict[str, str]:
    """What decides bits in this process."""
    told = {name: value for name, value in environment().items() if name not in _NOT_COMPARED}
    threads = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or "all"
    return told | {"blas_threads": threads, "source": _source_digest()}


@cache
def _source_digest() -> str:
    """SHA-256 over what pieces are made of: the source of `domain` and `models`."""
    whole = hashlib.sha256()
    for path in sorted(one for room in ("domain", "models") for one in (_ROOT / room).rglob("*.py")):
        whole.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()
