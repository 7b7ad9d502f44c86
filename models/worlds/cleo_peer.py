"""CleoLOB's simulators on behalf of `models.worlds.cleo`, in an interpreter that has the package (LGPL-3, `cleolob`).

Run as a script. It reads one JSON object a line and answers each with one, and a block of int64 rows behind it: what the markets'
feeds told meanwhile, [path, time ns, kind, side, price ticks, shares]. kind 0: the displayed total at a price among the ten best
of its side; kind 1: a trade, side that of the resting order; kind 2: the looks of one moment are complete.

Each path is one simulator with its own seed. All of its random streams come from that seed, and none of them from what we do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from lob.engine import Side  # type: ignore[import-not-found,unused-ignore]
from lob.runner import cfg_from_params  # type: ignore[import-not-found,unused-ignore]
from lob.scenarios import scenario_params  # type: ignore[import-not-found,unused-ignore]
from lob.simulators import make_simulator  # type: ignore[import-not-found,unused-ignore]

OWNER = "EMS"
LOOK_S = 0.1
WARM_LOOKS = 150
SETTLE_S = 1.0  # after the horizon, for orders on their way


class Path:
    """One simulator and our order in it."""

    def __init__(self, number: int, scenario: str, seed: int, side: int) -> None:
        self.number, self.side = number, side
        self.sim = make_simulator(cfg_from_params(scenario_params(scenario, seed, sim={"record_events": False})))
        self.shown: list[dict[int, int]] = [{}, {}]
        self.trades = self.fills = self.done = self.paid = 0
        self.rows: list[tuple[int, int, int, int, int, int]] = []

    def go(self, looks: int) -> None:
        """Let time pass, and say what is seen of it."""
        for _ in range(looks):
            self.sim.step(LOOK_S)
            self._look()

    def send(self, shares: int) -> None:
        """A market order."""
        if shares > 0:
            self.sim.submit(Side.BUY if self.side > 0 else Side.SELL, shares, OWNER)

    def collect(self) -> tuple[int, int]:
        """Shares done and ticks x shares paid in all."""
        fills, self.fills = self.sim.fills_for(OWNER, self.fills)
        for fill in fills:
            self.done += int(fill.qty)
            self.paid += int(fill.qty) * int(fill.price)
        return self.done, self.paid

    def _look(self) -> None:
        now = round(self.sim.t * 1e9)
        for trade in self.sim.book.trades[self.trades :]:
            self.rows.append((self.number, round(trade.time * 1e9), 1, -trade.taker_side.value, int(trade.price), int(trade.qty)))
        self.trades = len(self.sim.book.trades)
        for side, levels in zip((1, -1), self.sim.book.depth(10), strict=True):
            told, before = {int(price): int(shares) for price, shares in levels}, self.shown[0 if side > 0 else 1]
            gone = [(price, 0) for price in before if price not in told]
            for price, shares in gone + [(price, shares) for price, shares in told.items() if before.get(price) != shares]:
                self.rows.append((self.number, now, 0, side, price, shares))
            self.shown[0 if side > 0 else 1] = told
        self.rows.append((self.number, now, 2, 0, 0, 0))


class Paths:
    """All of them."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def start(self, scenario: str, seed: int, sides: list[int]) -> dict[str, Any]:
        """Simulators whose books have filled."""
        self.paths = [Path(p, scenario, seed * 100_000 + p, side) for p, side in enumerate(sides)]
        for path in self.paths:
            path.go(WARM_LOOKS)
        own = scenario_params(scenario, 0)
        config = cfg_from_params(own)
        usual = 2 * config.market_rate * config.market_qty_mean * float(own["horizon"])
        return self._told() | {"total": int(own["qty"]), "horizon_s": float(own["horizon"]), "usual_volume": usual}

    def trade(self, shares: list[int], pieces: int, looks: int) -> dict[str, Any]:
        """An interval of so many pieces, each followed by so many looks."""
        for path, wanted in zip(self.paths, shares, strict=True):
            sent = 0
            for piece in range(pieces):
                due = round(wanted * (piece + 1) / pieces)
                path.send(due - sent)
                sent = due
                path.go(looks)
        return self._told()

    def settle(self) -> dict[str, Any]:
        """Orders on their way arrive; then what it would cost to walk the book for the rest."""
        for path in self.paths:
            path.go(round(SETTLE_S / LOOK_S))
        told = self._told()
        books = [path.sim.book.depth(100_000)[1 if path.side > 0 else 0] for path in self.paths]
        return told | {"far": [[[int(price), int(shares)] for price, shares in book] for book in books]}

    def _told(self) -> dict[str, Any]:
        done = [path.collect() for path in self.paths]
        mids = [float(path.sim.book.mid()) for path in self.paths]
        return {"mids": mids, "done": [one[0] for one in done], "paid": [one[1] for one in done]}

    def rows(self) -> np.ndarray[Any, Any]:
        """What was seen since the last call, path by path."""
        rows = [row for path in self.paths for row in path.rows]
        for path in self.paths:
            path.rows = []
        return np.array(rows, np.int64).reshape(-1, 6)


def main() -> None:
    """Answer until there is no more to read."""
    paths = Paths()
    for line in sys.stdin:
        asked = json.loads(line)
        verb = asked.pop("verb")
        told: dict[str, Callable[..., dict[str, Any]]] = {"start": paths.start, "trade": paths.trade, "settle": paths.settle}
        answer, rows = told[verb](**asked), paths.rows()
        sys.stdout.buffer.write(json.dumps(answer | {"rows": len(rows)}).encode() + b"\n" + rows.tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
