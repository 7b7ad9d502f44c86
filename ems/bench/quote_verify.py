"""The beginning of the bench's feed call by call from Python: every frame judged, every report told."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from adapters.ouch.messages import decode
from ems.bench.quote_judge import Judge
from ems.bench.quote_stream import Feed
from ems.bench.quote_venue import REPORT_ROOM, answer, make_venue
from ems.quoting import journal as j
from ems.quoting.held import Held
from ems.quoting.state import UNIT_E4, Quoter

DATAGRAMS: Final = 20_000
_DELAY_NS: Final = 20_000


def verify(q: Quoter, feed: Feed, judge: Judge, datagrams: int = DATAGRAMS) -> dict[str, Any]:
    """Figures of what was checked. Raises InvariantBroken where a quote crosses, exceeds a limit or meets our own other side."""
    venue, out, reports = make_venue(), np.zeros(j.OUTPUT_BYTES, np.uint8), np.zeros(REPORT_ROOM, np.uint8)
    report = np.zeros(j.INPUT_BYTES, np.uint8)
    told, held = 0, Held(q)
    for i in range(min(datagrams, len(feed.event_ns))):
        data = feed.data[feed.ends[i] : feed.ends[i + 1]]
        now_ns = int(feed.event_ns[i]) + _DELAY_NS
        n = held.datagram(data, len(data), now_ns, out)
        if n <= 0:
            continue
        judge.sees(out[:n].tobytes(), tops(q, feed.symbols))
        size, at = answer(venue, out, n, reports), 0
        while at < size:
            length = int.from_bytes(reports[at : at + 2].tobytes(), "big")
            report[:length] = reports[at + 2 : at + 2 + length]
            judge.told(decode("out", report[:length].tobytes()))
            more = held.report(report, length, now_ns + _DELAY_NS, out)
            assert more == 0, "a kind venue's answers pull nothing"
            at, told = at + 2 + length, told + 1
    return {
        "checked_datagrams": min(datagrams, len(feed.event_ns)),
        "checked_messages": dict(sorted(judge.sent.items())),
        "checked_reports": told,
    }


def tops(q: Quoter, symbols: dict[int, str]) -> dict[str, tuple[int, int]]:
    """The market's best prices in 1/10,000 as the books have them now."""
    best = q.market.book.ten[:, 0]
    unit = q.own.table[:, UNIT_E4]
    return {symbol: (int(best[k, 0] * unit[k]), int(best[k, 2] * unit[k])) for k, symbol in symbols.items()}
