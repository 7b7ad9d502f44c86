"""`ems bench quote`: recorded ITCH bytes in, OUCH bytes out, in one compiled loop on one core, every journal record included.

A tick is a datagram. The feed is the LOBSTER day of AMZN said in ITCH by our own encoder, over many interleaved instruments with
all of ITCH's message types; its orders go to a compiled venue whose answers come back before the next datagram. Percentiles are
of the ticks that asked the core, from histograms, and the medians of several runs, each of which is printed too; nothing is
taken off for the clock, which is read ten times in a tick. Records go into the memory-mapped ring that the quoter uses.

The core alone is timed in the same runs, on the observations that the ticks made. The empty loop reads the clock for as long as
a tick takes: what its p99.9 is beyond that is the machine's.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from adapters.shm.ring import Ring
from domain.errors import InvariantBroken
from ems.bench import quote_loop as ql
from ems.bench.histogram import PLACES, percentile_ns
from ems.bench.inference import foreign_calls, version
from ems.bench.output import emit
from ems.bench.quote_judge import Judge, Limits
from ems.bench.quote_stream import Feed, made_feed
from ems.bench.quote_verify import verify
from ems.bench.quote_wire import wire
from ems.quoting import journal as j
from ems.quoting.state import Quoter, Terms, make_quoter
from ems.quoting.verdicts import names_of
from models.environment import cpu_name
from models.hot_clock import clock_cost_ns
from models.inference import OK, put_weights
from models.inference_layout import INPUTS, RESULTS, STATE, aligned

INSTRUMENTS: Final = 20
RECORDS_EACH: Final = 22_000
RUNS: Final = 3
SLOTS: Final = 1 << 12
OBSERVATIONS: Final = 1_024
ALONE: Final = 50_000
LIMITS: Final = Limits(inventory_max_lots=1_000, order_max_lots=500)
CHAPTER: Final = {
    "market_data_parsing": 10, "feature_assembly": 15, "encoder": 20, "dynamics": 10, "controller": 15, "post_processing": 5,
    "pre_trade_risk": 10, "serialisation_and_send": 20,
}  # fmt: skip


class Measured(NamedTuple):
    """Of all runs: histograms (runs, ROWS, PLACES), counts (runs, COUNTS), collections of garbage, blocks that were allocated."""

    histograms: ql.I64
    counts: ql.I64
    collections: int
    blocks: int
    quoter: Quoter


def quoter_of(feed: Feed, records: j.Records | None = None) -> Quoter:
    """A quoter of all the feed's instruments, with the champion's weights."""
    terms = {
        locate: Terms(symbol, inventory_max_lots=LIMITS.inventory_max_lots, order_max_lots=LIMITS.order_max_lots)
        for locate, symbol in feed.symbols.items()
    }
    q = make_quoter(terms, feed.midnight_ns, records=records, messages_per_s=100_000)
    _, _, tensors, digest = version()
    assert put_weights(q.net.core, tensors, digest)
    return q


def run(
    *, instruments: int = INSTRUMENTS, records_each: int = RECORDS_EACH, runs: int = RUNS, with_wire: bool = True
) -> dict[str, Any]:
    """The figures. Raises InvariantBroken where what was timed broke a rule or left behind something else than it claims."""
    feed = made_feed(instruments, records_each)
    checked = verify(quoter_of(feed), feed, Judge(LIMITS))
    loops = ql.compiled()
    with tempfile.TemporaryDirectory() as directory:
        measured = _measure(feed, loops, runs, Path(directory))
    found = _figures(measured)
    _spot_checks(measured)
    last = measured.quoter.call.records.words
    return found | {
        "allocations": len(_foreign(loops[0])) + measured.blocks,
        "gc_collections": measured.collections,
        "instruments": instruments,
        "datagrams": len(feed.event_ns),
        "messages": feed.messages,
        "record_bytes": j.RECORD_BYTES,
        "verdicts": sorted({name for verdict in np.unique(last[:, j.VERDICT]).tolist() for name in names_of(verdict)}),
        **checked,
        **(wire(quoter_of(feed), feed) if with_wire else {}),
        "clock_ns": clock_cost_ns(),
        "cpu": cpu_name(),
    }


def main(json_output: bool, p99_us_max: float | None = None) -> int:
    """Measure, verify, print. 1: the p99 is above what it may be."""
    figures = run()
    emit(figures, json_output)
    return int(p99_us_max is not None and figures["p99_us"] > p99_us_max)


def _foreign(loop: Any) -> list[str]:
    return [name for name in foreign_calls(loop) if not name.startswith("_ZN8adapters")]


def _measure(feed: Feed, loops: tuple[Any, Any, Any], runs: int, directory: Path) -> Measured:
    """Every run begins with a quoter of its own, warmed by the feed's first tenth, which is not counted."""
    main_loop, alone, empty = loops
    histograms = np.zeros((runs, ql.ROWS, PLACES), np.int64)
    counts = np.zeros((runs, ql.COUNTS), np.int64)
    collections, blocks, spin_ns = 0, 0, 10_000
    warm, end = len(feed.event_ns) // 10, len(feed.event_ns)
    main_loop(quoter_of(feed), ql.make_loop(), feed.data, feed.ends, feed.event_ns, 0, 1)  # compiled
    for number in range(runs):
        ring = Ring.make(directory / f"ring{number}", record_bytes=j.RECORD_BYTES, slots=SLOTS, session=1)
        q, loop = quoter_of(feed, j.views(ring.memory)), ql.make_loop()
        main_loop(q, loop, feed.data, feed.ends, feed.event_ns, 0, warm)
        loop.histograms[:], loop.counts[:] = 0, 0
        with _Watching() as watching:
            main_loop(q, loop, feed.data, feed.ends, feed.event_ns, warm, end)
        collections, blocks = collections + watching.collections, blocks + watching.blocks
        _alone_and_empty(q, loop, alone, empty, spin_ns)
        spin_ns = round(percentile_ns(loop.histograms[ql.TOTAL], 50))
        histograms[number], counts[number] = loop.histograms, loop.counts
        ring.close()
    return Measured(histograms, counts, collections, blocks, q)


class _Watching:
    """Collections of garbage, and blocks of Python's allocator, while it is open."""

    collections = blocks = 0

    def __enter__(self) -> _Watching:
        gc.collect()
        gc.callbacks.append(self._collected)
        tracemalloc.start()
        self._traced, self._before = tracemalloc.get_traced_memory()[1], sys.getallocatedblocks()
        return self

    def __exit__(self, *_: object) -> None:
        after, peak = sys.getallocatedblocks(), tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        gc.callbacks.remove(self._collected)
        # Calling into compiled code makes Python objects of its arguments' descriptions, as many as of any one call.
        self.blocks = max(0, after - self._before - _A_CALL) + (0 if peak - self._traced < _A_CALL_BYTES else 1)

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        self.collections += phase == "start"


_A_CALL: Final = 64
_A_CALL_BYTES: Final = 64 << 10


def _alone_and_empty(q: Quoter, loop: ql.Loop, alone: Any, empty: Any, spin_ns: int) -> None:
    """The core on the last observations of the journal, and the empty loop."""
    words, floats = q.call.records.words, q.call.records.floats
    seen = np.flatnonzero(words[:, j.INFERRED] == 0)[:OBSERVATIONS]
    inputs = aligned(len(seen), INPUTS)
    inputs[:, : j.OBSERVATION] = floats[seen, j.F_OBSERVATION : j.F_OBSERVATION + j.OBSERVATION]
    inputs[:, j.OBSERVATION :] = floats[seen, j.F_OWN : j.F_OWN + 4]
    state, results = aligned(STATE), aligned(RESULTS)
    alone(q.net.core, inputs, state, results, 1, loop.histograms)  # compiled
    loop.histograms[ql.INFERENCE] = 0
    assert alone(q.net.core, inputs, state, results, ALONE, loop.histograms) == OK
    empty(1, spin_ns, loop.histograms)
    loop.histograms[ql.EMPTY] = 0
    empty(ALONE, spin_ns, loop.histograms)


def _figures(m: Measured) -> dict[str, Any]:
    """Medians of the runs' percentiles, us."""

    def us(row: int, percent: float) -> float:
        return round(float(np.median([percentile_ns(each[row], percent) for each in m.histograms])) / 1000, 3)

    p50, alone, quiet = us(ql.TOTAL, 50), us(ql.INFERENCE, 50), us(ql.QUIET, 50)
    rows = {
        name: {"p50_us": us(row, 50), "p99_us": us(row, 99), "p999_us": us(row, 99.9), "budget_us": budget}
        for row, (name, budget) in enumerate(CHAPTER.items())
    }
    each_run = [[round(percentile_ns(each[ql.TOTAL], percent) / 1000, 3) for percent in (50, 99, 99.9)] for each in m.histograms]
    total = m.counts.sum(axis=0)
    return {
        "p50_us": p50, "p99_us": us(ql.TOTAL, 99), "p999_us": us(ql.TOTAL, 99.9), "empty_p999_us": us(ql.EMPTY, 99.9),
        "empty_p50_us": us(ql.EMPTY, 50), "inference_p50_us": alone, "inference_p99_us": us(ql.INFERENCE, 99),
        "total_over_inference": round(p50 / alone, 3),
        "inference_share": round(float(total[ql.INFERRED_TICKS] / total[ql.TICKS]), 4),
        "stages": rows, "journal_p50_us": us(ql.JOURNAL, 50), "journal_p99_us": us(ql.JOURNAL, 99),
        "quiet_p50_us": None if np.isnan(quiet) else quiet,  # no tick of the feed may be quiet
        "report_p50_us": us(ql.REPORT, 50), "report_p99_us": us(ql.REPORT, 99),
        "ticks": int(total[ql.TICKS]), "inferences": int(total[ql.INFERENCES]), "sending_ticks": int(total[ql.SENDING_TICKS]),
        "reports": int(total[ql.REPORTS]), "runs_p50_p99_p999_us": each_run,
    }  # fmt: skip


def _spot_checks(m: Measured) -> None:
    """The journal of the last run: every record whole, one number behind the other. Raises InvariantBroken."""
    words, number = m.quoter.call.records.words, int(m.quoter.call.place[j.NEXT]) - 1
    for each in range(number - len(words) + 1, number + 1):
        if not j.whole(words[(each - 1) % len(words)], each):
            raise InvariantBroken(f"record {each} is not whole")
