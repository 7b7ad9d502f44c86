"""The compiled loops of `ems bench quote`: datagrams through the kernel, its orders through the venue, each call timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.compiled import be16
from ems.bench.histogram import PLACES, add
from ems.bench.quote_venue import REPORT_ROOM, Venue, answer, make_venue
from ems.quoting import journal as j
from ems.quoting.kernel import on_datagram, on_report
from ems.quoting.state import Quoter
from models.compiled import i64
from models.hot_clock import now_ns
from models.inference import ADVANCE, DECIDED_BY, WITH_HEADS, Core, infer

I64 = NDArray[np.int64]
Bytes = NDArray[np.uint8]
F32 = NDArray[np.float32]
F = TypeVar("F", bound=Callable[..., Any])
# Histograms: the chapter's eight rows, then what stands beside them.
PARSING, ASSEMBLY, ENCODER, DYNAMICS, CONTROLLER, POST, RISK, SEND, TOTAL, JOURNAL, REPORT, QUIET, EMPTY, INFERENCE, ROWS = range(
    15
)
TICKS, INFERRED_TICKS, INFERENCES, SENDING_TICKS, SENT_BYTES, REPORTS, CROWDED, COUNTS = range(8)
_DELAY_NS: Final = i64(20_000)  # from the event to our socket
_ZERO: Final = i64(0)


def _compiled(function: F) -> F:
    """Compiled anew in every run: no cache would notice an edit of what it calls, and the bench would measure what was."""
    return cast(F, numba.njit(nogil=True, _nrt=False)(function))


class Loop(NamedTuple):
    """What a loop needs beside the quoter: fixed memory."""

    packet: Bytes  # (INPUT_BYTES,)
    out: Bytes  # (OUTPUT_BYTES,)
    reports: Bytes  # (REPORT_ROOM,)
    report: Bytes  # (INPUT_BYTES,)
    venue: Venue
    histograms: I64  # (ROWS, PLACES)
    counts: I64  # (COUNTS,)
    rows: I64  # (SEND + 1,) of the call that was timed last


def make_loop() -> Loop:
    """Nothing counted yet."""
    return Loop(
        np.zeros(j.INPUT_BYTES, np.uint8), np.zeros(j.OUTPUT_BYTES, np.uint8), np.zeros(REPORT_ROOM, np.uint8),
        np.zeros(j.INPUT_BYTES, np.uint8), make_venue(), np.zeros((ROWS, PLACES), np.int64), np.zeros(COUNTS, np.int64),
        np.zeros(SEND + 1, np.int64),
    )  # fmt: skip


@_compiled
def _stages(q: Quoter, loop: Loop, before: int, total_ns: int) -> int:
    """Where the time of the last call went, from its records' stamps. How many times the core was asked."""
    words, rows, asked = q.call.records.words, loop.rows, _ZERO
    rows[:] = 0
    mask, parts = words.shape[0] - 1, q.call.place[j.NEXT] - before
    first, last = words[(before - 1) & mask], words[(before + parts - 2) & mask]
    rows[PARSING] = first[j.PARSED]
    rows[ASSEMBLY] = first[j.BOOKED] - first[j.PARSED]
    reached, checked = first[j.BOOKED], _ZERO
    for part in range(parts):
        r = words[(before - 1 + part) & mask]
        if r[j.INFERRED] != 0:
            continue
        asked += 1
        rows[ASSEMBLY] += r[j.FEATURED] - reached
        rows[ENCODER] += r[j.ENCODED] - r[j.FEATURED]
        rows[DYNAMICS] += r[j.STEPPED] - r[j.ENCODED]
        rows[CONTROLLER] += r[j.CONTROLLED] - r[j.STEPPED]
        rows[POST] += r[j.PRICED] - r[j.CONTROLLED]
        reached, checked = r[j.PRICED], max(checked, r[j.CHECKED])
    rows[RISK] = max(checked - reached, 0)
    rows[SEND] = total_ns - max(checked, reached)
    if asked > 0:
        for row in range(SEND + 1):
            add(loop.histograms[row], rows[row])
        add(loop.histograms[TOTAL], total_ns)
        add(loop.histograms[JOURNAL], total_ns - last[j.SERIALISED])
    else:
        add(loop.histograms[QUIET], total_ns)
    return asked


@_compiled
def _answered(q: Quoter, loop: Loop, n: int, at_ns: int) -> None:
    """What was sent goes to the venue, and its answers come back."""
    size, at = answer(loop.venue, loop.out, n, loop.reports), _ZERO
    while at < size:
        length = be16(loop.reports, at)
        for i in range(length):
            loop.report[i] = loop.reports[at + 2 + i]
        began = now_ns()
        on_report(q, loop.report, length, at_ns, loop.out)
        add(loop.histograms[REPORT], now_ns() - began)
        loop.counts[REPORTS] += 1
        at += 2 + length


def _run(q: Quoter, loop: Loop, data: Bytes, ends: I64, event_ns: I64, begin: int, stop: int) -> None:
    """Datagrams begin .. stop - 1."""
    counts = loop.counts
    for i in range(begin, stop):
        length = ends[i + 1] - ends[i]
        for n in range(length):
            loop.packet[n] = data[ends[i] + n]
        before, at_ns = q.call.place[j.NEXT], event_ns[i] + _DELAY_NS
        began = now_ns()
        sent = on_datagram(q, loop.packet, length, at_ns, loop.out)
        total_ns = now_ns() - began
        asked = _stages(q, loop, before, total_ns)
        counts[TICKS] += 1
        counts[INFERENCES] += asked
        counts[INFERRED_TICKS] += asked > 0
        counts[SENDING_TICKS] += sent > 0
        counts[SENT_BYTES] += sent
        if sent > 0:
            _answered(q, loop, sent, at_ns + _DELAY_NS)


def _paced(
    q: Quoter, loop: Loop, data: Bytes, ends: I64, event_ns: I64, begin: int, stop: int, every_ns: int, told: I64, late: I64
) -> None:
    """Datagrams begin .. stop - 1, each not before its turn. told: how often the version that decided changed, ticks without a
    record of their own, most ticks that waited; late: a histogram of how long they did."""
    first_ns = now_ns()
    version = q.net.core.control[DECIDED_BY]
    for i in range(begin, stop):
        length = ends[i + 1] - ends[i]
        for n in range(length):
            loop.packet[n] = data[ends[i] + n]
        before, at_ns = q.call.place[j.NEXT], event_ns[i] + _DELAY_NS
        due_ns = first_ns + (i - begin) * every_ns
        began = now_ns()
        while began < due_ns:
            began = now_ns()
        sent = on_datagram(q, loop.packet, length, at_ns, loop.out)
        total_ns = now_ns() - began
        add(late, began - due_ns)
        told[2] = max(told[2], (began - due_ns) // every_ns)
        told[1] += q.call.place[j.NEXT] == before
        loop.counts[TICKS] += 1
        if _stages(q, loop, before, total_ns) > 0 and q.net.core.control[DECIDED_BY] != version:
            version = q.net.core.control[DECIDED_BY]
            told[0] += 1
        if sent > 0:
            _answered(q, loop, sent, at_ns + _DELAY_NS)


def _alone(core: Core, inputs: F32, state: F32, results: F32, loops: int, histograms: I64) -> int:
    """The core alone on observations that the ticks have made. The bits of what forbade any decision."""
    said = _ZERO
    for i in range(loops):
        began = now_ns()
        said |= infer(core, inputs[i % inputs.shape[0]], state, results, ADVANCE | WITH_HEADS)
        add(histograms[INFERENCE], now_ns() - began)
    return said


def _empty(loops: int, spin_ns: int, histograms: I64) -> None:
    """Nothing but the clock, for as long as a tick takes: what the machine does meanwhile is all that there is beyond."""
    for _ in range(loops):
        began = now_ns()
        took = _ZERO
        while took < spin_ns:
            took = now_ns() - began
        add(histograms[EMPTY], took)


def compiled() -> tuple[Any, Any, Any]:
    """The three loops, compiled anew."""
    return _compiled(_run), _compiled(_alone), _compiled(_empty)


def paced() -> Any:
    """The loop at a pace, compiled anew."""
    return _compiled(_paced)
