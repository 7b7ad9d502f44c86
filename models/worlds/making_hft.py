"""A maker on a recorded tape in hftbacktest: somebody else's queues, latency and accounts, by which ours are cross-checked.

The package (MIT, `hftbacktest` 2.4) runs in an interpreter of its own (`models.worlds.making_peer`), named by the environment
variable EMS_EVAL_PYTHON. Only feeds of totals by price are replayed. What the maker sees is our desk's observation of the same
tape; its position, its quotes and its money are what the package says. The record does not react, so this too is plumbing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from domain.errors import ConfigError, InvariantBroken
from domain.tape import Kind, Tape
from models.compiled import hot, i64
from models.feature_arrays import make_features
from models.features import update
from models.inference import Core
from models.market.follow import apply_one
from models.market.layout import PRINTS, make_book
from models.observation import make_watch, mark, note
from models.worlds.event_book import market_of
from models.worlds.event_flow import PARAMETERS
from models.worlds.event_market import F64, I64, Market
from models.worlds.making_book import MakerBook, MakerBookConfig
from models.worlds.making_market import (
    AT,
    INVENTORY,
    LOOKS_A_SECOND,
    LOTS,
    SIDE,
    SIDES,
    WANT,
    WANT_LOTS,
    Seat,
    look_and_want,
    others,
    reached,
)  # fmt: skip
from models.worlds.making_run import Maker
from models.worlds.making_tape import Recorded
from models.worlds.world import F32

_WINDOW: Final = 1 << 17
_SECOND: Final = 1_000_000_000


def interpreter(python: str | None = None) -> str:
    """The interpreter that has the package: the one named, EMS_EVAL_PYTHON, or this one.

    Raises:
        ConfigError: it has no such package.
    """
    chosen = python or os.environ.get("EMS_EVAL_PYTHON") or sys.executable
    missing = subprocess.run([chosen, "-c", "import hftbacktest"], capture_output=True, text=True, check=False)
    if missing.returncode:
        why = (missing.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise ConfigError(f"replays in hftbacktest need that package in the interpreter EMS_EVAL_PYTHON names: {why}")
    return chosen


@hot
def _until(m: Market, s: Seat, tape: Tape, ends: I64, first: int, until_ns: int) -> int:
    """The desk follows events first .. until a time. The first that it did not follow."""
    e, begin = i64(first), i64(ends[first - 1]) if first > 0 else i64(0)
    while e < ends.size and tape[begin].ts_event_ns < until_ns:
        bid, ask = others(m, s, 0)
        prints = m.desk.meta[0, PRINTS]
        for i in range(begin, ends[e]):
            apply_one(m.desk, tape, i)
            update(m.features, m.desk, tape, i)
            note(m.watch, m.features, m.desk, 0)
        mark(m.watch, m.desk, 0)
        after = tape[ends[e]].ts_event_ns if e + 1 < ends.size else tape[begin].ts_event_ns
        reached(m, s, 0, bid + ask, m.desk.meta[0, PRINTS] - prints, 1e-9 * (after - tape[begin].ts_event_ns))
        begin = i64(ends[e])
        e += 1
    return e


@hot
def _want(m: Market, s: Seat, now_ns: int, at_look: int, looks: int, maker: F64, core: Core, noise: F32) -> None:
    look_and_want(m, s, 0, now_ns, at_look, 1.0 - at_look / looks, looks // LOOKS_A_SECOND, maker, core, noise)


def rows_of(tape: Tape) -> I64:
    """(N, 5) of what the package replays: totals and trades. Sides of trades are the aggressor's there."""
    kept = tape[np.isin(tape["kind"], [Kind.LEVEL, Kind.TRADE, Kind.CLEAR])]
    kind = np.select([kept["kind"] == Kind.LEVEL, kept["kind"] == Kind.TRADE], [0, 1], 2)
    side = np.where(kind == 1, -kept["side"], kept["side"])
    return np.stack([kept["ts_event_ns"], kind, side, kept["price_ticks"], kept["size_lots"]], axis=1).astype(np.int64)


def replay_elsewhere(one: Recorded, maker: Maker, python: str, config: MakerBookConfig | None = None) -> dict[str, float]:
    """What a maker made of a tape, by the package's account; money in ticks times quotes, inventory in quotes.

    Raises:
        ConfigError: the tape is not of totals by price.
        InvariantBroken: the package has ended before its time.
    """
    if not (one.tape["kind"] == Kind.LEVEL).any():
        raise ConfigError(f"{one.name} is told order by order")
    c, looks = config or MakerBookConfig(), one.seconds * LOOKS_A_SECOND
    market, seat = _desk(one, c)
    who = np.array([maker.kind, maker.number, 0.0, 0.0])
    start, silent = one.start_ns, np.zeros((1, 1, 4), np.float32)
    script = str(Path(__file__).with_name("making_peer.py"))
    held, told = np.zeros(looks + 1), {}
    with subprocess.Popen([python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as peer:
        rows = rows_of(one.tape)
        begun = {"verb": "start", "rows": len(rows), "latency_ns": round(c.latency_ms * 1e6), "until_ns": start}
        told, event = _ask(peer, begun, rows.tobytes()), 0
        for n in range(looks):
            now = start + n * _SECOND // LOOKS_A_SECOND
            event = _until(market, seat, one.tape, one.ends, event, now)
            _own(seat, told)
            _want(market, seat, now, n, looks, who, maker.core, silent)
            asked = {"verb": "look", "wanted": _wanted(seat, one, c), "between_ns": _SECOND // LOOKS_A_SECOND}
            told = _ask(peer, asked)
            held[n + 1] = told["position"] / one.size_lots
            if told["over"]:
                break
    middle = 0.5 * (told["bid"] + told["ask"])
    return {
        "pnl": (told["balance"] + told["position"] * middle) / one.size_lots, "fills": float(told["fills"]),
        "filled_quotes": told["volume"] / one.size_lots, "inventory_max": float(np.abs(held).max()),
        "within_limit": float((np.abs(held) <= c.limit_sizes).mean()),
    }  # fmt: skip


def _desk(one: Recorded, c: MakerBookConfig) -> tuple[Market, Seat]:
    """Our view of the tape: one book, which nobody trades in."""
    base = max(0, int(np.median(one.tape["price_ticks"][one.tape["price_ticks"] > 0])) - _WINDOW // 2)
    book = make_book(base, _WINDOW, 1 << 18)
    market = market_of(c.market, 0, np.zeros((1, PARAMETERS)))._replace(
        venue=book, desk=book, features=make_features(bucket_lots=50 * one.size_lots), watch=make_watch(1, one.levels)
    )
    world = MakerBook(replace(c, seconds=one.seconds, size_lots=one.size_lots))
    return market, world.seat(market, 1, np.array([c.latency_ms]), keeps=False, taught=False)


def _own(seat: Seat, told: dict[str, Any]) -> None:
    """Position and quotes as the package has them."""
    who = seat.who[0]
    who[INVENTORY] = round(told["position"])
    for side, name in ((0, "bid"), (1, "ask")):
        who[SIDES + side * SIDE + AT], who[SIDES + side * SIDE + LOTS] = told["mine"][name]


def _wanted(seat: Seat, one: Recorded, c: MakerBookConfig) -> dict[str, tuple[int, int]]:
    """Prices and lots, within the limit. A quote that rests counts whole, and one on its way out may still trade."""
    who, limit = seat.who[0], c.limit_sizes * one.size_lots
    found = {}
    for side, name in ((0, "bid"), (1, "ask")):
        mine = who[SIDES + side * SIDE : SIDES + (side + 1) * SIDE]
        room = limit - (1 - 2 * side) * int(who[INVENTORY])
        if mine[LOTS] > 0 and mine[WANT] != mine[AT]:
            room -= int(mine[LOTS])
        found[name] = (int(mine[WANT]), max(0, min(int(mine[WANT_LOTS]), room)))
    return found


def _ask(peer: subprocess.Popen[bytes], what: dict[str, Any], block: bytes = b"") -> dict[str, Any]:
    assert peer.stdin is not None and peer.stdout is not None
    peer.stdin.write(json.dumps(what).encode() + b"\n" + block)
    peer.stdin.flush()
    told: dict[str, Any] = json.loads(peer.stdout.readline() or b"{}")
    if "position" not in told:
        raise InvariantBroken("the interpreter that runs hftbacktest has ended")
    return told
