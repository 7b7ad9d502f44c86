"""Writing a tape record in compiled code."""

from __future__ import annotations

from typing import Any

from adapters.marketdata.compiled import hot


@hot
def write(
    record: Any, event_ns: int, recv_ns: int, order_id: int, price_ticks: int, size_lots: int, instrument: int, flags: int,
    kind: int, side: int,
) -> None:  # fmt: skip
    """Fill one record, a row of a tape, with the fields of `domain.tape.TAPE`."""
    record.ts_event_ns = event_ns
    record.ts_recv_ns = recv_ns
    record.order_id = order_id
    record.price_ticks = price_ticks
    record.size_lots = size_lots
    record.instrument = instrument
    record.flags = flags
    record.kind = kind
    record.side = side
