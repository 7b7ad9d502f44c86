"""Days to judge drift detectors by: what a version forecast at every step, what it was shown, and what came of it.

A day is a generated market (`models.market.flow`) or a tape. It is followed as `models.live_observer` follows a live one, every
tenth event a step, in one compiled pass. A shift is planted by going over to other parameters of the flow at a moment; the
orders of before stay in the book.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from domain.tape import Tape
from models import inference_layout as lay
from models.compiled import hot
from models.dataset import event
from models.drift_reference import Day
from models.feature_arrays import Features, make_features
from models.inference import ADVANCE, OK, WITH_HEADS, Core, infer
from models.market.continuous import ContinuousMarket
from models.market.flow import FlowParameters, GeneratedFlow
from models.market.layout import Book, make_book
from models.net_contract import BOOK, FEATURES, HEAD, LEVELS, STEP_EVENTS, TAPE_ROWS, TRADES
from models.observation import PRICE, Watch, make_watch, observe
from models.sight import Sight

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
DAY_S: Final = 23_400
_S: Final = 1_000_000_000
_FAIR: Final = 10_000
_LADDER: Final = 1 << 12
_LEAST: Final = _FAIR - (_LADDER >> 1)
_RETURN: Final = lay.OUT_HEADS + HEAD["return_mean"]
_COLUMNS: Final = 6 + 2 * FEATURES  # time, middle, unit, mean, log scale, tail; features and their known bits


class _Shifted:
    """A flow that goes over to other parameters at a moment."""

    def __init__(self, seed: int, before: FlowParameters, after: FlowParameters, at_ns: int, close_ns: int) -> None:
        self._before = GeneratedFlow(np.random.default_rng([seed, 0]), before, open_ns=0, close_ns=close_ns)
        shifted = replace(after, opening_orders=0)
        self._after = GeneratedFlow(np.random.default_rng([seed, 1]), shifted, open_ns=at_ns, close_ns=close_ns)
        self._at_ns = at_ns
        self._ends_ns = close_ns

    def until(self, now_ns: int) -> Tape:
        """As `GeneratedFlow.until`."""
        if now_ns < self._at_ns:
            return self._before.until(now_ns)
        first = self._before.until(self._at_ns - 1)
        left = self._before.leaving(now_ns)
        parts = np.concatenate([first, left, self._after.until(now_ns)])
        return parts[np.argsort(parts["ts_event_ns"], kind="stable")]

    @property
    def ends_ns(self) -> int | None:
        """The close."""
        return self._ends_ns


def generated(
    seed: int, flow: FlowParameters, *, seconds: int = DAY_S, after: FlowParameters | None = None, at_s: int = 0
) -> Tape:
    """A day of a generated market as its feed would tell it. after: the flow's parameters from at_s on."""
    if after is None:
        source: GeneratedFlow | _Shifted = GeneratedFlow(np.random.default_rng([seed, 0]), flow, open_ns=0, close_ns=seconds * _S)
    else:
        source = _Shifted(seed, flow, after, at_s * _S, seconds * _S)
    market = ContinuousMarket(source, base_ticks=_LEAST, window=_LADDER, shows=True)
    parts = []
    for second in range(60, seconds + 60, 60):
        market.advance(second * _S)
        parts.append(market.take_shown())
    return np.concatenate(parts)


def observed(seen: Sight, tape: Tape, instrument: int = 0) -> Day:
    """What a version forecasts along the records of one instrument of a tape."""
    tape = tape[tape["instrument"] == instrument]
    tape["instrument"] = 0
    changed = (np.diff(tape["ts_recv_ns"]) != 0) | (np.diff(tape["ts_event_ns"]) != 0)
    ends = np.concatenate([np.flatnonzero(changed) + 1, [len(tape)]]).astype(np.int64)
    rows = np.zeros((len(ends) // STEP_EVENTS + 2, _COLUMNS))
    inputs = np.zeros(lay.INPUTS, np.float32)
    views = inputs[:BOOK], inputs[BOOK : lay.IN_CONTEXT].reshape(TAPE_ROWS, TRADES), inputs[lay.IN_CONTEXT : lay.IN_OWN]
    made = _pass(
        make_book(None, 1 << 18, 1 << 20), make_features(), make_watch(1, LEVELS), tape, ends, seen.core, inputs, views[0],
        views[1], views[2], np.zeros(lay.STATE, np.float32), np.zeros(lay.RESULTS, np.float32),
        np.zeros((len(tape) + 1, 4), np.int64), rows,
    )  # fmt: skip
    now, then = rows[: max(0, made - 1)], rows[1:made]
    features, known = now[:, 6 : 6 + FEATURES], now[:, 6 + FEATURES :] > 0
    outcome = 0.5 * (then[:, 1] - now[:, 1]) / now[:, 2]
    return Day(now[:, 0].astype(np.int64), now[:, 3], now[:, 4], now[:, 5], outcome, features, known)


@hot
def _pass(
    b: Book, f: Features, w: Watch, tape: Tape, ends: I64, core: Core, inputs: F32, book: F32, trades: F32, context: F32,
    state: F32, results: F32, prints: I64, rows: F64,
) -> int:  # fmt: skip
    begin, made = 0, 0
    for e in range(ends.size):
        event(b, f, w, tape, begin, ends[e], prints)
        begin = ends[e]
        top = b.ten[0, 0]
        if e % STEP_EVENTS or top[1] <= 0 or top[3] <= 0 or not observe(w, f, b, 0, book, trades, context):
            continue
        if infer(core, inputs, state, results, ADVANCE | WITH_HEADS) != OK:
            continue
        row = rows[made]
        row[0], row[1], row[2] = tape[begin - 1].ts_event_ns, top[0] + top[2], w.units[0, PRICE]
        for i in range(3):
            row[3 + i] = results[_RETURN + i]
        for i in range(2 * FEATURES):
            row[6 + i] = context[i]
        made += 1
    return made
