"""A maker's quotes in hftbacktest, on behalf of `models.worlds.making_hft`, in an interpreter that has the package (MIT).

Run as a script. It reads one JSON object a line and answers each with one. `start` comes with a block of int64 rows behind it:
the tape, [time ns, kind, side, price ticks, lots], kind 0 a price's total, 1 a trade (side of the aggressor), 2 all totals are
void. `look` says which quotes are wanted, and lets time pass: the answer is what the package says of position, cash and fills.

Quotes are `GTX` (post-only) with the package's constant latency, its queue model for who cannot see order by order, and the
exchange without partial fills: with them its position and balance of partly filled orders are wrong (its issues 299 and 316).
Fees are 0.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from hftbacktest import (  # type: ignore[import-not-found,unused-ignore]
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.types import event_dtype  # type: ignore[import-not-found,unused-ignore]

COLUMNS = 5
_KINDS = (DEPTH_EVENT, TRADE_EVENT, DEPTH_CLEAR_EVENT)
_OPEN = (1, 5)  # new, partly filled


def events(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The package's records of a tape; what is received is received at once."""
    made = np.zeros(len(rows), event_dtype)
    kinds = np.array(_KINDS, np.uint64)[rows[:, 1]]
    side = np.select([rows[:, 2] > 0, rows[:, 2] < 0], [np.uint64(BUY_EVENT), np.uint64(SELL_EVENT)], np.uint64(0))
    made["ev"] = kinds | side | np.uint64(EXCH_EVENT) | np.uint64(LOCAL_EVENT)
    made["exch_ts"] = made["local_ts"] = rows[:, 0]
    made["px"], made["qty"] = rows[:, 3], rows[:, 4]
    return made


class Replay:
    """One tape and our two quotes in it. Prices are ticks and sizes lots throughout."""

    def __init__(self) -> None:
        self.hbt: Any = None
        self.tape: np.ndarray[Any, Any] = np.zeros(0)
        self.serial = 0
        self.mine: dict[str, tuple[int, int, int]] = {}  # side -> id, ticks, lots

    def start(self, tape: np.ndarray[Any, Any], latency_ns: int, until_ns: int) -> dict[str, Any]:
        """The book as it is at a time."""
        self.tape = events(tape)  # the package keeps no reference of its own
        asset = (
            BacktestAsset().data([self.tape]).linear_asset(1.0).constant_order_latency(latency_ns, latency_ns)
            .power_prob_queue_model(2.0).no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0).tick_size(1.0).lot_size(1.0)
        )  # fmt: skip
        self.hbt = HashMapMarketDepthBacktest([asset])
        self.hbt.elapse(max(0, until_ns - int(tape[0, 0])))
        return self._told(False)

    def look(self, wanted: dict[str, tuple[int, int]], between_ns: int) -> dict[str, Any]:
        """wanted: side -> ticks, lots; 0 lots: no quote. A quote that is there already keeps its place."""
        for side, (ticks, lots) in wanted.items():
            working = self._working(side)
            if working and lots > 0 and working[1] == ticks:
                continue
            if working:
                self.hbt.cancel(0, working[0], False)
            if lots > 0:
                self.serial += 1
                send = self.hbt.submit_buy_order if side == "bid" else self.hbt.submit_sell_order
                send(0, self.serial, float(ticks), float(lots), GTX, LIMIT, False)
                self.mine[side] = (self.serial, ticks, lots)
        over = self.hbt.elapse(between_ns) != 0
        self.hbt.clear_inactive_orders(0)
        return self._told(over)

    def _working(self, side: str) -> tuple[int, int, int] | None:
        """Our quote of a side, if the package still has it."""
        if side not in self.mine:
            return None
        order = self.hbt.orders(0).get(self.mine[side][0])
        return self.mine[side] if order is not None and order.status in (0, *_OPEN) else None

    def _told(self, over: bool) -> dict[str, Any]:
        state, depth = self.hbt.state_values(0), self.hbt.depth(0)
        mine = {side: self._working(side) for side in ("bid", "ask")}
        return {
            "position": float(state.position), "balance": float(state.balance), "fills": int(state.num_trades),
            "volume": float(state.trading_volume), "over": over, "bid": float(depth.best_bid), "ask": float(depth.best_ask),
            "mine": {side: list(one[1:]) if one else [0, 0] for side, one in mine.items()},
        }  # fmt: skip


def main() -> None:
    """Answer until there is no more to read."""
    replay = Replay()
    for line in iter(sys.stdin.buffer.readline, b""):
        asked = json.loads(line)
        if asked["verb"] == "start":
            rows = np.frombuffer(sys.stdin.buffer.read(asked["rows"] * COLUMNS * 8), np.int64).reshape(-1, COLUMNS)
            told = replay.start(rows, asked["latency_ns"], asked["until_ns"])
        else:
            told = replay.look(asked["wanted"], asked["between_ns"])
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
