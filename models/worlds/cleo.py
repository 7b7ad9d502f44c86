"""CleoLOB as a world: somebody else's order book, with which nothing here was trained.

The package runs in an interpreter of its own (`models.worlds.cleo_peer`), named by the environment variable EMS_EVAL_PYTHON. What
a strategy sees is made of the ten levels that the simulator shows ten times a second and of its trades, through the same book,
features and observation as a feed of totals by price. Child orders are as in the event book: six pieces an interval, each a
market order, which arrives after the simulator's latency. Half of the orders sell, and are mirrored.

Time is the simulator's: 60 s, of which an interval is three. Its tick is a basis point of its arrival price. Its drivers are
not told, so there is no truth to plan with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigError, InvariantBroken
from domain.tape import Kind, empty_tape
from models.compiled import hot
from models.feature_arrays import Features, make_features
from models.features import update
from models.market.follow import apply_one
from models.market.layout import I64, Book, make_book
from models.observation import Watch, make_watch, mark, note
from models.worlds.event_seen import seen_of
from models.worlds.world import ARRIVAL, CAP_SLICES, F64, INTERVALS, Cost, Public, Seen, Truth, config_sha256

SCENARIOS: Final = ("calm", "thin", "volatile", "high_latency", "stressed")
PIECES: Final = 6
_PATHS_MAX: Final = 100_000  # so that no two seeds share a path
_LOOK, _TRADE, _DONE = 0, 1, 2  # kinds of rows


@dataclass(frozen=True)
class CleoConfig:
    """What is ours: everything else is the package's scenario."""

    package: str = "cleolob 0.9.0"
    looks_per_piece: int = 5  # each a tenth of a second
    residual_bps: float = 50.0  # beyond the last price that the book had, for what it could not sell


class _Desk(NamedTuple):
    book: Book
    features: Features
    watch: Watch


class CleoState(NamedTuple):
    """Orders before interval k, of the buyer's frame. Only the newest can be traded in."""

    k: int
    desk: _Desk
    sides: I64  # (P,)
    total: F64  # (P,)
    usual: float
    mids: F64  # (P, k + 1)
    volume: F64  # (P, k)
    bought: F64  # (P, k)
    paid: F64  # (P, k) ticks x shares, as the simulator says
    seen: Seen
    missed: F64  # (P,) cost of what was not done: shares x basis points
    passed: I64  # (1,)


class CleoWorld:
    """See the module. One order book at a time: `start` ends the market before it."""

    name = "cleo"
    intervals = INTERVALS
    regimes: tuple[str, ...] = SCENARIOS

    def __init__(self, config: CleoConfig | None = None, python: str | None = None) -> None:
        """python: the interpreter that has the package; None: EMS_EVAL_PYTHON, or else this one.

        Raises:
            ConfigError: that interpreter has no such package.
        """
        self.config = config or CleoConfig()
        self._python = python or os.environ.get("EMS_EVAL_PYTHON") or sys.executable
        self._peer: subprocess.Popen[bytes] | None = None
        missing = subprocess.run([self._python, "-c", "import lob"], capture_output=True, text=True, check=False)
        if missing.returncode:
            why = (missing.stderr.strip().splitlines() or ["it printed nothing"])[-1]
            raise ConfigError(f"the world cleo needs the package cleolob in the interpreter EMS_EVAL_PYTHON names: {why}")

    @property
    def config_sha256(self) -> str:
        """Of the settings; the scenarios are the package's."""
        return config_sha256(self.name, self.config)

    def start(self, seed: int, paths: int, regime: str = "calm") -> CleoState:
        """P orders have arrived; regime: one of SCENARIOS."""
        if regime not in SCENARIOS or not 0 < paths < _PATHS_MAX:
            raise ConfigError(f"cleo has {', '.join(SCENARIOS)}, each with fewer than {_PATHS_MAX:,} paths, not {regime!r}")
        sides = np.where(np.arange(paths) % 2 == 0, 1, -1).astype(np.int64)
        desk = _Desk(make_book(9_000, 2_048, 128 * paths, paths), make_features(paths, bucket_lots=500), make_watch(paths))
        told, rows = self._ask("start", scenario=regime, seed=seed, sides=sides.tolist())
        _follow_rows(desk, rows, paths)
        seen, none = seen_of(desk.watch, desk.features, desk.book, sides, np.ones(paths), 1.0), np.zeros((paths, 0))
        return CleoState(
            0, desk, sides, np.full(paths, float(told["total"])), float(told["usual_volume"]), (sides * told["mids"])[:, None],
            none, none, none, seen, np.zeros(paths), np.zeros(1, np.int64),
        )  # fmt: skip

    def seen(self, state: CleoState) -> Seen:
        """What the desk makes of ten levels and trades."""
        return state.seen

    def public(self, state: CleoState) -> Public:
        """What any desk sees."""
        bps = ARRIVAL / np.abs(state.mids[:, :1])
        mids = ARRIVAL + (state.mids - state.mids[:, :1]) * bps
        average = state.sides[:, None] * state.paid / np.maximum(state.bought, 1.0)
        prices = np.where(state.bought > 0, ARRIVAL + (average - state.mids[:, :1]) * bps, 0.0)
        total, n = state.total, self.intervals
        return Public(
            state.k, n, total, total - state.bought.sum(axis=1), CAP_SLICES * total / n, mids[:, -1], mids, state.volume,
            state.bought, prices, np.full(n, 1.0 / n), np.full(len(total), state.usual),
        )  # fmt: skip

    def truth(self, state: CleoState) -> Truth:
        """Raises ConfigError: the simulator does not tell."""
        raise ConfigError("cleo does not tell its drivers: bounds are not to be had there")

    def trade(self, state: CleoState, shares: F64) -> CleoState:
        """Work shares (P,) in the interval, in whole shares; what has not arrived or traded yet is worked later."""
        if state.passed[0] != state.k:
            raise InvariantBroken(f"the market of this state has gone on to interval {state.passed[0]}")
        last, left = state.k == self.intervals - 1, state.total - state.bought.sum(axis=1)
        want = left if last else np.clip(np.round(shares), 0, left)
        told, rows = self._ask("trade", shares=want.astype(int).tolist(), pieces=PIECES, looks=self.config.looks_per_piece)
        missed: F64 = np.zeros(len(left))
        if last:
            told, more = self._ask("settle")
            rows = np.concatenate([rows, more])
        state.passed[0] += 1
        traded = _follow_rows(state.desk, rows, len(left))
        done = np.column_stack([state.bought, np.array(told["done"]) - state.bought.sum(axis=1)])
        paid = np.column_stack([state.paid, np.array(told["paid"]) - state.paid.sum(axis=1)])
        mids = np.column_stack([state.mids, state.sides * told["mids"]])
        open_shares = state.total - done.sum(axis=1)
        if last:
            missed = self._walked(told["far"], open_shares, state.sides, mids)
        desk, time_left = state.desk, 1.0 - (state.k + 1) / self.intervals
        seen = seen_of(desk.watch, desk.features, desk.book, state.sides, open_shares / state.total, time_left)
        return state._replace(
            k=state.k + 1,
            mids=mids,
            volume=np.column_stack([state.volume, traded]),
            bought=done,
            paid=paid,
            seen=seen,
            missed=missed,
        )

    def cost(self, state: CleoState) -> Cost:
        """Shortfall against the middle at arrival; what was not done is priced by walking the last book, and then a penalty."""
        arrival, filled = state.mids[:, 0], state.bought.sum(axis=1)
        paid = state.sides * state.paid.sum(axis=1) - arrival * filled + state.missed
        bps = paid / state.total * ARRIVAL / np.abs(arrival)
        return Cost(bps, bps, filled / state.total)

    def close(self) -> None:
        """End the interpreter."""
        if self._peer is not None:
            self._peer.communicate()
            self._peer = None

    def _walked(self, books: list[list[list[int]]], shares: F64, sides: I64, mids: F64) -> F64:
        """(P,) shares times ticks beyond arrival that the rest would cost."""
        cost = np.zeros(len(shares))
        for p, levels in enumerate(books):
            left, last = float(shares[p]), float(mids[p, -1])
            for price, there in levels:
                taken = min(left, float(there))
                last = float(sides[p] * price)
                cost[p] += taken * (last - mids[p, 0])
                left -= taken
            cost[p] += left * (last + self.config.residual_bps - mids[p, 0])
        return cost

    def _ask(self, verb: str, **what: Any) -> tuple[dict[str, Any], I64]:
        if self._peer is None:
            script = str(Path(__file__).with_name("cleo_peer.py"))
            self._peer = subprocess.Popen([self._python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        asks, tells = self._peer.stdin, self._peer.stdout
        assert asks is not None and tells is not None
        asks.write(json.dumps({"verb": verb} | what).encode() + b"\n")
        asks.flush()
        told = json.loads(tells.readline() or b"{}")
        if "rows" not in told:
            raise InvariantBroken("the interpreter that runs cleolob has ended")
        return told, _block(tells, told["rows"])


def _block(tells: IO[bytes], rows: int) -> I64:
    return np.frombuffer(tells.read(rows * 48), np.int64).reshape(rows, 6)


@hot
def _follow(desk: _Desk, tape: Any, rows: I64) -> None:
    """Row by row: the record enters book, features and watch; a complete look is an event."""
    for i in range(rows.shape[0]):
        p = rows[i, 0]
        if rows[i, 2] == _DONE:
            mark(desk.watch, desk.book, p)
        else:
            apply_one(desk.book, tape, i)
            update(desk.features, desk.book, tape, i)
            note(desk.watch, desk.features, desk.book, p)
            if rows[i, 2] == _TRADE:
                mark(desk.watch, desk.book, p)


def _follow_rows(desk: _Desk, rows: I64, paths: int) -> F64:
    """(P,) shares that traded."""
    tape = empty_tape(len(rows))
    tape["ts_event_ns"] = tape["ts_recv_ns"] = rows[:, 1]
    tape["instrument"], tape["side"], tape["price_ticks"], tape["size_lots"] = rows[:, 0], rows[:, 3], rows[:, 4], rows[:, 5]
    tape["kind"] = np.where(rows[:, 2] == _TRADE, int(Kind.TRADE), int(Kind.LEVEL))
    _follow(desk, tape, rows)
    trades = rows[rows[:, 2] == _TRADE]
    return np.bincount(trades[:, 0], weights=trades[:, 5], minlength=paths).astype(np.float64)
