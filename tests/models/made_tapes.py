"""Tapes made by chance, in which what comes next can be told a little from what stands there: for tests of the models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domain.tape import TAPE, Kind, Tape
from models import baselines, paths, probes, train
from models.tape_store import Source, StoredTape, TapeInstrument, TapeWriter, open_tape

NOON_NS = 1_340_294_400_000_000_000  # 2012-06-21 16:00 UTC


def less_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training and evaluation as everywhere, but of fewer examples."""
    for module, name, value in (
        (paths, "STARTS", 8), (paths, "SAMPLES", 20), (baselines, "DRAWN", 2_000), (baselines, "BATCHES", 20),
        (probes, "DRAWN", 1_000), (train, "JUDGED", 16),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


def made_tape(records: int = 6_000, seed: int = 7, begins_ns: int = NOON_NS) -> Tape:
    """Two levels a side around a middle that goes where the best bid's lots are many, and a print in eight events."""
    chance = np.random.default_rng(seed)
    rows: list[tuple[int, ...]] = []
    middle, now = 10_000, begins_ns
    shown: dict[int, set[int]] = {1: set(), -1: set()}
    while len(rows) < records:
        now += int(chance.exponential(5e7)) + 1
        lots = {side: [int(chance.integers(1, 30)) * 10 for _ in range(2)] for side in (1, -1)}
        for side in (1, -1):
            wanted = {middle - side * (1 + depth) for depth in range(2)}
            rows += [(now, now, 0, ticks, 0, 0, 0, Kind.LEVEL, side) for ticks in sorted(shown[side] - wanted)]
            shown[side] = wanted
        for side in (1, -1):
            rows += [(now, now, 0, middle - side * (1 + d), lots[side][d], 0, 0, Kind.LEVEL, side) for d in range(2)]
        bought = lots[1][0] > lots[-1][0]
        if chance.random() < 0.125:
            side = -1 if bought else 1
            rows.append((now + 1, now + 1, 0, middle - side, 10, 0, 0, Kind.TRADE, side))
        if chance.random() < 0.1:
            middle += 1 if bought else -1
    return np.array(rows[:records], dtype=TAPE)


def stored(path: Path, tape: Tape, feed: str = "binance", name: str = "made") -> StoredTape:
    """The tape in a directory."""
    instruments = [TapeInstrument(0, "MADE", 10_000_000, 1_000_000_000)]
    writer = TapeWriter.create(path, instruments, Source(name, f"{len(tape):064x}", feed, {}))
    writer.append(tape)
    writer.close()
    return open_tape(path)
