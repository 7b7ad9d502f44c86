"""A stored tape, told: record by record in text or plain values, at the pace at which it was received, and how good it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from domain.tape import FLAG_HALF_TICK, TAPE, Kind, Status
from domain.values import from_e9
from models.tape_quality import Quality
from models.tape_store import Header, StoredTape, TapeInstrument, open_tape

__all__ = ["Header", "StoredTape", "line", "open_tape", "paced", "plain", "quality"]

_PART: Final = 1 << 14
_SIDES: Final = {1: "buy", -1: "sell", 0: "-"}


def paced(stored: StoredTape, start: int, stop: int, speed: float) -> Iterator[dict[str, int]]:
    """Records start .. stop - 1 by field name; each not before its time at that speed after the first. 0: at once."""
    began_ns, first_ns = time.monotonic_ns(), None
    for begin in range(start, stop, _PART):
        for row in stored.records(begin, min(stop, begin + _PART)).tolist():
            record = dict(zip(TAPE.names or (), row, strict=True))
            if speed > 0:
                first_ns = record["ts_recv_ns"] if first_ns is None else first_ns
                ahead_ns = (record["ts_recv_ns"] - first_ns) / speed - (time.monotonic_ns() - began_ns)
                if ahead_ns > 0:
                    time.sleep(ahead_ns / 1e9)
            yield record


def plain(record: Mapping[str, int], instruments: Mapping[int, TapeInstrument]) -> dict[str, Any]:
    """A record for machines: its fields, with the kind's name, the symbol, and price and quantity where they are known."""
    one = instruments.get(record["instrument"])
    found: dict[str, Any] = {**record, "kind": _kind(record), "symbol": one.symbol if one else None}
    if one and one.tick_size_e9:
        half = one.tick_size_e9 // 2 if record["flags"] & FLAG_HALF_TICK else 0
        found["price"] = str(from_e9(record["price_ticks"] * one.tick_size_e9 + half))
    if one and one.lot_size_e9:
        found["quantity"] = str(from_e9(record["size_lots"] * one.lot_size_e9))
    return found


def line(record: Mapping[str, int], instruments: Mapping[int, TapeInstrument]) -> str:
    """A record for people."""
    found = plain(record, instruments)
    time_ns = record["ts_event_ns"]
    clock = time.strftime("%H:%M:%S", time.gmtime(time_ns // 10**9)) + f".{time_ns % 10**9:09d}"
    what = Status(record["size_lots"]).name.lower() if _is_known_status(record) else found.get("quantity", record["size_lots"])
    price = "-" if record["kind"] in (Kind.STATUS, Kind.CLEAR) else found.get("price", record["price_ticks"])
    name = found["symbol"] or record["instrument"]
    side = _SIDES.get(record["side"], "-")
    return f"{clock}  {name:<8} {found['kind']:<8} {side:<5} {what!s:>14} {price!s:>14}  {record['order_id'] or ''}"


def quality(stored: StoredTape, progress: Callable[[int], Any]) -> dict[str, int | float]:
    """The quality report of a stored tape."""
    numbers = [one.number for one in stored.header.instruments]
    report, done = Quality(max(numbers, default=0) + 1), 0
    for part in stored.parts():
        report.tell(part)
        done += len(part)
        progress(done)
    return report.report()


def _kind(record: Mapping[str, int]) -> str:
    return Kind(record["kind"]).name.lower() if record["kind"] in Kind._value2member_map_ else f"kind {record['kind']}"


def _is_known_status(record: Mapping[str, int]) -> bool:
    return record["kind"] == Kind.STATUS and record["size_lots"] in Status._value2member_map_
