"""`ems drill swap`: the quoter at 20,000 ticks a second, and its model changed a hundred times under way.

The tick loop of `ems bench quote`, compiled, in a thread of its own without the interpreter's lock; each datagram is due at its
time and is measured from when it is begun. The other thread puts one of two versions into the idle slot and turns it
(`models.inference.put_weights`), as a promotion does. Windows with and without swaps take turns, and each pair of neighbours is
compared, so that what the machine does otherwise is in both.

A tick is missed when it leaves no record in the journal, when the feed's own sequence numbers say that one was not seen, or when
more ticks wait than a socket's buffer holds.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Final

import numpy as np

from adapters.marketdata.mold import GAPS
from ems.bench import quote_loop as ql
from ems.bench.histogram import PLACES, percentile_ns
from ems.bench.inference import version
from ems.bench.output import emit
from ems.bench.quote import quoter_of
from ems.bench.quote_stream import made_feed
from models.environment import cpu_name
from models.inference import put_weights
from models.weights_store import digest_of

RATE: Final = 20_000
SWAPS: Final = 100
PAIRS: Final = 10
BUFFER: Final = 4_096  # datagrams that wait in a socket
INSTRUMENTS: Final = 20
RECORDS_EACH: Final = 22_000
RATIO_MAX: Final = 1.2


def run(
    *, pairs: int = PAIRS, swaps: int = SWAPS, rate: int = RATE, instruments: int = INSTRUMENTS, records_each: int = RECORDS_EACH
) -> dict[str, Any]:
    """The figures. Raises ReferenceDataError where the recorded day is not there."""
    feed = made_feed(instruments, records_each)
    q, loop, paced = quoter_of(feed), ql.make_loop(), ql.paced()
    _, _, tensors, digest = version()
    other = {name: value if name.startswith("norm.") else value * np.float32(1.001) for name, value in tensors.items()}
    versions = [(tensors, digest), (other, digest_of(other))]
    warm, every_ns = len(feed.event_ns) // 10, 1_000_000_000 // rate
    told, late = np.zeros(3, np.int64), np.zeros(PLACES, np.int64)
    paced(q, loop, feed.data, feed.ends, feed.event_ns, 0, warm, 1, told, late)  # compiled, and everybody has books
    told[:], late[:] = 0, 0
    size = min((len(feed.event_ns) - warm) // (2 * pairs), rate)
    quiet: list[Any] = []
    swapped: list[Any] = []
    done, waited = 0, 0.0
    for n in range(2 * pairs):
        loop.histograms[:] = 0
        begin, moving = warm + n * size, n % 2 == 1
        window = (q, loop, feed.data, feed.ends, feed.event_ns, begin, begin + size, every_ns, told, late)
        thread = threading.Thread(target=paced, args=window)
        thread.start()
        if moving:
            share = swaps // pairs + (n // 2 < swaps % pairs)
            for _ in range(share):
                time.sleep(size / rate / (share + 1))
                began = time.perf_counter()
                tensors_now, digest_now = versions[(done + 1) % 2]
                while not put_weights(q.net.core, tensors_now, digest_now) and thread.is_alive():
                    time.sleep(0.0001)
                done, waited = done + 1, max(waited, time.perf_counter() - began)
        thread.join()
        (swapped if moving else quiet).append(loop.histograms.copy())
    return _figures(q, quiet, swapped, told, late) | {
        "swaps": done, "put_ms_max": round(1e3 * waited, 3), "rate": rate, "pairs": pairs, "ticks": 2 * pairs * size,
    }  # fmt: skip


def _figures(q: Any, quiet: list[Any], swapped: list[Any], told: Any, late: Any) -> dict[str, Any]:
    def p99_us(histograms: list[Any]) -> float:
        return round(percentile_ns(np.sum(histograms, axis=0)[ql.TOTAL], 99) / 1e3, 2)

    ratios = [
        percentile_ns(one[ql.TOTAL], 99) / percentile_ns(other[ql.TOTAL], 99)
        for one, other in zip(swapped, quiet, strict=True)
        if one[ql.TOTAL].any() and other[ql.TOTAL].any()
    ]
    beyond = int(told[2]) > BUFFER
    return {
        "missed": int(told[1]) + int(q.market.mold.meta[GAPS]) + beyond, "seen_changes": int(told[0]),
        "p99_us": p99_us(quiet), "p99_us_swapping": p99_us(swapped), "ratio": round(float(np.median(ratios)), 3),
        "ratio_low": round(min(ratios), 3), "ratio_high": round(max(ratios), 3), "waiting_max": int(told[2]),
        "late_p99_us": round(percentile_ns(late, 99) / 1e3, 1), "cpu": cpu_name(),
    }  # fmt: skip


def main(json_output: bool) -> int:
    """0 where no tick was missed and the p99 while swapping is at most 1.2 times the one without."""
    found = run()
    emit(found, json_output)
    return 0 if found["missed"] == 0 and found["swaps"] == SWAPS and found["ratio"] <= RATIO_MAX else 1
