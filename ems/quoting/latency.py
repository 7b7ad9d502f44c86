"""How long ticks took to become quotes, read off the journal's records by whoever asks: the loop itself counts nothing for it."""

from __future__ import annotations

from typing import Final

import numpy as np

from ems.quoting import journal as j

LAST: Final = 4096  # records looked at
QUANTILES: Final = ("0.5", "0.99", "0.999")


def tick_to_quote_ns(records: j.Records, last: int) -> dict[str, int]:
    """By quantile, nanoseconds from taking a datagram to the end of the send that it caused; {} where none has caused one.

    Args:
        records: of a run that may be writing: a record that is written anew at this moment is one of thousands.
        last: number of the newest record.
    """
    slots = len(records.words)
    rows = (np.arange(max(0, last - min(LAST, slots)), last) % slots).astype(np.int64)  # (n,)
    words = records.words[rows][:, : j.HEAD_WORDS]  # (n, HEAD_WORDS), a copy
    sent = (words[:, j.KIND] == j.DATAGRAM) & (words[:, j.SENT] > 0) & (words[:, j.RECEIVED_NS] > 0)  # (n,)
    took_ns = words[sent, j.STARTED_NS] - words[sent, j.RECEIVED_NS] + words[sent, j.SENT]  # (m,)
    return {one: int(np.quantile(took_ns, float(one))) for one in QUANTILES} if len(took_ns) else {}
