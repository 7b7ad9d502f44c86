"""The venue's ledger: an append-only file of JSON lines, its memory across kill -9 and the evidence for a judge.

Each line is one JSON object with a field `k`. The lines of one decision are written by one write(2) and the last
of them carries `"end": 1`; what follows the last such line was never acted on and is cut off at the next start.
Prices, quantities and money are integers at 1e-9 (`_e9`), times are the market's nanoseconds (`_ns`).

day     venue, start_ns: market time of the first start; everything generated is reproducible from it
numbered n: orders of earlier days have numbers up to this one
order   one line at every change of an order: n, order_id, session, cl_ord_id (the current one), orig_cl_ord_id,
        symbol, side (+1, -1), ord_type, tif, account, quantity_e9, price_e9 (null: market), cum_e9, notional_e18,
        state (new, partially_filled, filled, done_for_day, canceled, expired, rejected), time_ns, stop_price_e9,
        expire_ns, held (it waits for its stop price), why
exec    exec_id, order_id, session, cl_ord_id, symbol, side, price_e9, quantity_e9, time_ns, maker (true: it rested)
report  r, report: one answer in full, to be handed to the FIX engine
sent    r: numbers of answers that the engine has stored; fate "sent", or "dropped": lost on command
mark    time_ns, trading {symbol: [volume_lots, notional_half_ticks]}: what was published

The fills of a venue are its `exec` lines; `exec_id` is unique. An order's life is its `order` lines with the same n.
No fsync: the file survives the death of the process, not that of the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Line = dict[str, Any]
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Resume(NamedTuple):
    """Market times that a restarted venue continues from."""

    start_ns: int  # of the first start
    reached_ns: int  # how far the market had come


class Ledger:
    """One writer's handle on the file. Opening it cuts off an unfinished decision at its end.

    Raises:
        OSError: the file cannot be opened or written; the venue must stop, since it may not act on what it forgets.
    """

    def __init__(self, path: Path, told: Callable[[list[Line]], None] | None = None) -> None:
        """told: is given each decision once it is in the file."""
        self._told = told
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        os.ftruncate(self._fd, _whole_length(path))

    def write(self, lines: list[Line]) -> None:
        """Add one decision, all of its lines or none."""
        if not lines:
            return
        lines[-1]["end"] = 1
        data = "".join(_encode(line) + "\n" for line in lines).encode()
        written = os.write(self._fd, data)
        if written != len(data):  # the next start cuts the torn part off, but this process must not go on
            raise OSError(f"{self.path}: {written} of {len(data)} bytes written")
        if self._told is not None:
            self._told(lines)

    def lines(self) -> Iterator[Line]:
        """Everything written, in order."""
        with self.path.open(encoding="utf-8") as file:
            for text in file:
                yield json.loads(text)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def told_so_far(path: Path) -> Iterator[Line]:
    """Every line of a ledger up to its last whole decision; none where it has not begun."""
    if path.exists():
        with path.open("rb") as file:
            yield from map(json.loads, file.read(_whole_length(path)).splitlines())


def resume_times(path: Path) -> Resume | None:
    """Where the market of this ledger started and how far it came; None when the ledger has not begun."""
    if not path.exists():
        return None
    start_ns = reached_ns = 0
    length = _whole_length(path)
    with path.open("rb") as file:
        for text in file.read(length).splitlines():
            line = json.loads(text)
            if line["k"] == "day":
                start_ns = line["start_ns"]
            reached_ns = max(reached_ns, line.get("time_ns", 0), start_ns)
    return Resume(start_ns, reached_ns) if reached_ns else None


def _whole_length(path: Path) -> int:
    """Bytes up to the end of the last whole decision."""
    length = position = 0
    with path.open("rb") as file:
        for text in file:
            position += len(text)
            if text.endswith(b'"end":1}\n'):
                length = position
    return length
