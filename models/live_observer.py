"""Markets followed live: each instrument's book, features and observation, and where the model places it now.

What arrived together is an event. Every tenth event of an instrument is a step of the dynamics, whose state is carried from
one to the next, as in training. At each step what was forecast at the one before is held against what came of it
(`models.drift`), so that every observation says how far its forecasts have lately stood the test.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.observation import Observation, Observed
from domain.standing import Standing
from domain.tape import Kind, Tape, tape_of
from models import inference_layout as lay
from models.compiled import hot
from models.drift import Forecast, Judge
from models.feature_arrays import Features, make_features
from models.features import update
from models.inference import ADVANCE, OK, WITH_HEADS, infer
from models.latency import LatencyWindow
from models.market.follow import apply_one
from models.market.layout import Book, make_book
from models.net_contract import BOOK, CONTEXT, FEATURES, HEAD, LATENT, STEP_EVENTS, TAPE_ROWS, TRADES
from models.observation import EVENTS, PRICE, SIZE, Watch, make_watch, mark, note, observe
from models.planners.foresight import ARRAYS, text_of
from models.sight import Sight

F32 = NDArray[np.float32]
_AVERAGED = 32  # steps, of how long one takes
_CAPACITY = 1 << 16
_RETURN = lay.OUT_HEADS + HEAD["return_mean"]
_WINDOW = 1 << 16


class LiveObserver:
    """Instruments by their place in the feed.

    Args:
        ticks_e9, lots_e9: of each, at 1e-9.
    """

    def __init__(self, seen: Sight, symbols: list[str], ticks_e9: list[int], lots_e9: list[int]) -> None:
        count = len(symbols)
        self._seen, self._symbols, self._ticks_e9, self._lots_e9 = seen, symbols, ticks_e9, lots_e9
        self.features: Features = make_features(count)
        self._book: Book = make_book(None, _WINDOW, _CAPACITY, count)
        self._watch: Watch = make_watch(count)
        self._states = np.zeros((count, lay.STATE), np.float32)
        self._step_ns = np.zeros(count)
        self._stepped: list[tuple[int, int]] = [(0, 0)] * count  # when the last step was, and how many events then
        self._heard_ns = np.zeros(count, np.int64)
        self._beside: list[tuple[Sight, F32]] = []  # versions that only look on, and their states
        self._judges = [Judge(seen.reference, seen.unmonitored) for _ in symbols]
        self.latency = LatencyWindow()

    @classmethod
    def warm(cls, seen: Sight) -> None:
        """Compile everything, or load it from disk."""
        one = cls(seen, ["A"], [1], [1])
        one.take(tape_of([(0, 0, 0, 1, 1, 0, 0, int(Kind.LEVEL), 1)]))
        one._look(0)
        infer(seen.core, np.zeros(lay.INPUTS, np.float32), one._states[0], np.zeros(lay.RESULTS, np.float32), ADVANCE)

    def look_through(self, seen: Sight) -> None:
        """Another version from now on. Books and features stay; its own state begins, as on a morning."""
        self._seen = seen
        self._states[:] = 0
        self._judges = [Judge(seen.reference, seen.unmonitored) for _ in self._symbols]

    def look_on(self, beside: Sequence[Sight]) -> None:
        """Versions that keep a state of their own beside the one that looks; who was there already keeps what it has."""
        known = {seen.digest: state for seen, state in self._beside}
        self._beside = [(seen, known.get(seen.digest, np.zeros_like(self._states))) for seen in beside]

    def take(self, tape: Tape) -> None:
        """Records in the order in which they came; all of one instrument at one time are an event."""
        if not len(tape):
            return
        changed = np.zeros(len(tape) - 1, np.bool_)
        for name in ("ts_recv_ns", "ts_event_ns", "instrument"):
            changed |= np.diff(tape[name]) != 0
        ends = [*(np.flatnonzero(changed) + 1).tolist(), len(tape)]
        begin = 0
        for end in ends:
            k = int(tape["instrument"][begin])
            _event(self._book, self.features, self._watch, tape, begin, end, k)
            if 0 <= k < len(self._symbols):
                self._heard_ns[k] = int(tape["ts_event_ns"][end - 1])
                self._step(k)
            begin = end

    def observed(self) -> Iterator[Observed]:
        """Of every instrument that shows enough, as it is now."""
        for k, symbol in enumerate(self._symbols):
            if self._step_ns[k] <= 0 or (inputs := self._look(k)) is None:
                continue
            results, state = np.zeros(lay.RESULTS, np.float32), self._states[k].copy()
            hidden = text_of(state[:LATENT])
            if infer(self._seen.core, inputs, state, results, ADVANCE | WITH_HEADS):
                continue
            observation = Observation(
                time_ns=int(self._heard_ns[k]),
                arrays=text_of(inputs[:ARRAYS]),
                price_unit_e9=max(1, round(self._watch.units[k, PRICE] * self._ticks_e9[k])),
                size_unit_e9=max(1, round(self._watch.units[k, SIZE] * self._lots_e9[k])),
                step_ns=max(1, int(self._step_ns[k])),
                hidden=hidden,
                weights_sha256=self._seen.digest,
            )
            latent = results[lay.OUT_Z : lay.OUT_Z + LATENT]
            logits = results[[lay.OUT_HEADS + HEAD["fill_bid_logit"], lay.OUT_HEADS + HEAD["fill_ask_logit"]]]
            bid, ask = (float(each) for each in 1.0 / (1.0 + np.exp(-logits)))
            beside = tuple((seen.digest, text_of(states[k, :LATENT])) for seen, states in self._beside)
            yield Observed(symbol, observation, tuple(float(each) for each in latent), (bid, ask), beside, self._standing(k))

    def _standing(self, k: int) -> Standing:
        """How its forecasts stand, and how long forecasts take."""
        found = self._judges[k].standing()
        took = {"latency_us": self.latency.p99_us(), "latencies": float(self.latency.size)}
        return found._replace(figures={**found.figures, **took})

    def _look(self, k: int) -> F32 | None:
        inputs = np.zeros(lay.INPUTS, np.float32)
        book, context = inputs[:BOOK], inputs[ARRAYS - CONTEXT : ARRAYS]
        tape = inputs[BOOK : ARRAYS - CONTEXT].reshape(TAPE_ROWS, TRADES)
        return inputs if _observe(self._watch, self.features, self._book, k, book, tape, context) else None

    def _step(self, k: int) -> None:
        """Every tenth event: how long ten have taken, and the dynamics' state moves on."""
        at_ns, events = self._stepped[k]
        seen, now_ns = int(self._watch.ints[k, EVENTS]), int(self._heard_ns[k])
        if seen - events < STEP_EVENTS:
            return
        self._stepped[k] = (now_ns, seen)
        if at_ns and now_ns > at_ns:
            lasted_ns = (now_ns - at_ns) * STEP_EVENTS / (seen - events)
            self._step_ns[k] += (lasted_ns - self._step_ns[k]) / (_AVERAGED if self._step_ns[k] else 1)
        if (inputs := self._look(k)) is not None:
            results, began_ns = np.zeros(lay.RESULTS, np.float32), time.perf_counter_ns()
            said = infer(self._seen.core, inputs, self._states[k], results, ADVANCE | WITH_HEADS)
            self.latency.take(time.perf_counter_ns() - began_ns)
            if said == OK:
                self._judge(k, inputs, results)
            for sight, states in self._beside:
                infer(sight.core, inputs, states[k], np.zeros(lay.RESULTS, np.float32), ADVANCE)

    def _judge(self, k: int, inputs: F32, results: F32) -> None:
        top = self._book.ten[k, 0]
        mean, log_scale, tail = (float(each) for each in results[_RETURN : _RETURN + 3])
        context = inputs[ARRAYS - CONTEXT : ARRAYS]
        unit, middle = float(self._watch.units[k, PRICE]), 0.5 * float(top[0] + top[2])
        self._judges[k].step(Forecast(mean, log_scale, tail, middle, unit), context[:FEATURES], context[FEATURES : 2 * FEATURES])


@hot
def _event(b: Book, f: Features, w: Watch, tape: Tape, begin: int, stop: int, k: int) -> None:
    for i in range(begin, stop):
        apply_one(b, tape, i)
        if 0 <= k < b.meta.shape[0]:
            update(f, b, tape, i)
            note(w, f, b, k)
    if 0 <= k < b.meta.shape[0]:
        mark(w, b, k)


@hot
def _observe(w: Watch, f: Features, b: Book, k: int, book: F32, tape: F32, context: F32) -> bool:
    return observe(w, f, b, k, book, tape, context)
