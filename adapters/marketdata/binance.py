"""Binance's websocket streams, live or captured, of the spot, USD-M and COIN-M markets -> tape.

A capture is text, gzipped or not, a line an event: local receive time, blank, JSON as received. The local time is nanoseconds
or microseconds since 1970, told apart by its magnitude. `depthUpdate` and REST snapshots become LEVEL, `trade` becomes TRADE
(the resting side is the buyer when m is true). Sources: Binance's "How to manage a local order book correctly" for each market.

Depth is whole only behind a snapshot: diffs are held until one comes (its levels follow a CLEAR, then STATUS RESYNCED), and each
diff must continue the one before: futures say the last one's number (pu), spot numbers are consecutive (U). One that does not is
a gap: STATUS LOST, CLEAR, and diffs are held again until the next snapshot. Within a diff what leaves goes first, so that no
book is crossed in between. Event times are the exchange's own clock; it may run ahead of the receiver's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.tape import Kind, Status, Tape, tape_of

_MS_NS: Final = 1_000_000
_NS_MIN: Final = 10**17  # since 1970: nanoseconds are above, microseconds between 1973 and 2286 below
_US_MIN: Final = 10**14
_DECIMALS: Final = 9
_IGNORED: Final = frozenset({"bookTicker", "markPriceUpdate"})


class Terms(NamedTuple):
    """What a tick and a lot are, at 1e-9 of the quote currency and of the base (COIN-M: contracts)."""

    tick_size_e9: int
    lot_size_e9: int


class Fault(StrEnum):
    """What can be wrong; told by kind with how often and the first one's line."""

    MALFORMED = "malformed"  # no time and JSON object, or a field that must be there is not: passed over
    UNKNOWN_SYMBOL = "unknown_symbol"  # nobody asked for it: passed over
    UNKNOWN_TYPE = "unknown_type"
    BACKWARD_TIME = "backward_time"  # received before the line before: kept as told
    BAD_NUMBER = "bad_number"  # a price or size that is negative, zero where it must not be, or no number: the level is left out
    OFF_TICK = "off_tick"  # not a whole number of ticks or lots: the level is left out
    GAP = "gap"
    REPEATED = "repeated"  # a diff that was there before: passed over
    HELD_TOO_LONG = "held_too_long"  # more diffs came without a snapshot than are held: the oldest is dropped
    TRUNCATED = "truncated"  # the file ends within its compression or its last line


class BinanceDay(NamedTuple):
    """updates: (N, 2): after diff n was applied, how many records the tape has and the diff's last number (u).
    symbols: by instrument number. faults: kind -> (count, line of the first)."""

    tape: Tape
    updates: NDArray[np.int64]
    symbols: list[str]
    faults: dict[str, tuple[int, int]]


class _Depth:
    """One symbol's sequence. last: the number its display stands at, None while it has none; fresh: set by a snapshot."""

    def __init__(self, instrument: int, terms: Terms) -> None:
        self.instrument = instrument
        self.terms = terms
        self.last: int | None = None
        self.fresh = False
        self.held: list[tuple[int, dict[str, Any]]] = []


class BinanceReader:
    """Follows the streams of some symbols, a message at a time. rows: the records so far, in the tape's field order."""

    def __init__(self, terms: Mapping[str, Terms], *, held_max: int = 100_000) -> None:
        self.symbols = list(terms)
        self.rows: list[tuple[int, ...]] = []
        self.updates: list[tuple[int, int]] = []
        self.faults: dict[str, tuple[int, int]] = {}
        self._depth = {symbol: _Depth(i, terms[symbol]) for i, symbol in enumerate(self.symbols)}
        self._held_max = held_max
        self._received_ns = 0
        self._line = 0

    def line(self, text: str) -> None:
        """One line of a capture."""
        self._line += 1
        stamp, _, body = text.partition(" ")
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            self._fault(Fault.MALFORMED)
            return
        if not stamp.isdecimal() or not _US_MIN <= int(stamp[:20]) < 2**63 or not isinstance(message, dict):
            self._fault(Fault.MALFORMED)
            return
        received = int(stamp)
        self.take(received if received >= _NS_MIN else received * 1_000, message)

    def take(self, received_ns: int, message: dict[str, Any]) -> None:
        """One message as received, of a combined stream, a raw one, or a REST snapshot."""
        if received_ns < self._received_ns:
            self._fault(Fault.BACKWARD_TIME)
        self._received_ns = received_ns
        data = message.get("data", message)
        try:
            if "lastUpdateId" in data:
                self._snapshot(received_ns, data)
            else:
                self._event(received_ns, data)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            self._fault(Fault.MALFORMED)

    def lost(self, received_ns: int, status: Status = Status.DISCONNECTED) -> None:
        """The connection is gone: nothing that is displayed holds any longer, of any symbol."""
        for depth in self._depth.values():
            self._put(received_ns, received_ns, depth, Kind.STATUS, 0, int(status), 0)
            self._unsynced(received_ns, received_ns, depth)

    def waiting(self) -> list[str]:
        """The symbols that nothing is displayed of until a snapshot comes."""
        return [symbol for symbol, depth in self._depth.items() if depth.last is None]

    def drained(self) -> Tape:
        """The records since the last call, which are then forgotten here: for streams that do not end."""
        tape, self.rows, self.updates = tape_of(self.rows), [], []
        return tape

    def truncated(self) -> None:
        """The source ended within a line."""
        self._fault(Fault.TRUNCATED)

    def day(self) -> BinanceDay:
        """Everything so far."""
        return BinanceDay(tape_of(self.rows), np.array(self.updates, np.int64).reshape(-1, 2), self.symbols, dict(self.faults))

    def _fault(self, kind: Fault) -> None:
        count, first = self.faults.get(kind, (0, self._line))
        self.faults[str(kind)] = (count + 1, first)

    def _put(self, event_ns: int, received_ns: int, depth: _Depth, kind: Kind, ticks: int, lots: int, side: int) -> None:
        self.rows.append((event_ns, received_ns, 0, ticks, lots, depth.instrument, 0, int(kind), side))

    def _event(self, received_ns: int, data: dict[str, Any]) -> None:
        kind = data.get("e", "bookTicker" if "A" in data else None)
        if kind in _IGNORED:
            return
        if kind not in ("depthUpdate", "trade"):
            self._fault(Fault.UNKNOWN_TYPE)
            return
        depth = self._depth.get(data["s"])
        if depth is None:
            self._fault(Fault.UNKNOWN_SYMBOL)
        elif kind == "trade":
            self._trade(received_ns, depth, data)
        else:
            self._depth_update(received_ns, depth, data)

    def _trade(self, received_ns: int, depth: _Depth, data: dict[str, Any]) -> None:
        ticks, lots = self._whole(data["p"], depth.terms.tick_size_e9), self._whole(data["q"], depth.terms.lot_size_e9)
        if ticks == 0 or lots == 0:
            self._fault(Fault.BAD_NUMBER)
        elif ticks is not None and lots is not None:
            self._put(_event_ns(data), received_ns, depth, Kind.TRADE, ticks, lots, 1 if data["m"] else -1)

    def _hold(self, received_ns: int, depth: _Depth, data: dict[str, Any]) -> None:
        if len(depth.held) >= self._held_max:
            self._fault(Fault.HELD_TOO_LONG)
            del depth.held[0]
        depth.held.append((received_ns, data))

    def _snapshot(self, received_ns: int, data: dict[str, Any]) -> None:
        """The display of the symbol it names; spot snapshots name none, and are of the one symbol that waits for one."""
        waiting = self.waiting() or self.symbols
        symbol = data.get("symbol", waiting[0] if len(waiting) == 1 else "")
        depth = self._depth.get(symbol)
        if depth is None:
            self._fault(Fault.UNKNOWN_SYMBOL)
            return
        number = int(data["lastUpdateId"])
        if depth.last is not None and number <= depth.last:
            self._fault(Fault.REPEATED)
            return
        event_ns = int(data["T"]) * _MS_NS if "T" in data else received_ns
        levels = self._levels(depth, data["bids"], data["asks"])
        self._put(event_ns, received_ns, depth, Kind.CLEAR, 0, 0, 0)
        self._show(event_ns, received_ns, depth, levels)
        self._put(event_ns, received_ns, depth, Kind.STATUS, 0, int(Status.RESYNCED), 0)
        depth.last, depth.fresh = number, True
        held, depth.held = depth.held, []
        for _, diff in held:
            self._depth_update(received_ns, depth, diff)

    def _depth_update(self, received_ns: int, depth: _Depth, data: dict[str, Any]) -> None:
        if depth.last is None:
            self._hold(received_ns, depth, data)
        else:
            self._diff(received_ns, depth, depth.last, data)

    def _diff(self, received_ns: int, depth: _Depth, stands_at: int, data: dict[str, Any]) -> None:
        first, last = int(data["U"]), int(data["u"])
        before = int(data["pu"]) if "pu" in data else first - 1
        if last < stands_at or (last == stands_at and not (depth.fresh and "pu" in data)):
            if not depth.fresh:  # those from before a snapshot are meant to be passed over
                self._fault(Fault.REPEATED)
            return
        if before > stands_at or (before < stands_at and not depth.fresh):
            self._fault(Fault.GAP)
            self._put(_event_ns(data), received_ns, depth, Kind.STATUS, 0, int(Status.LOST), 0)
            self._unsynced(_event_ns(data), received_ns, depth)
            self._hold(received_ns, depth, data)
            return
        levels = self._levels(depth, data["b"], data["a"])
        depth.last, depth.fresh = last, False
        self._show(_event_ns(data), received_ns, depth, levels)
        self.updates.append((len(self.rows), last))

    def _unsynced(self, event_ns: int, received_ns: int, depth: _Depth) -> None:
        depth.last, depth.held = None, []
        self._put(event_ns, received_ns, depth, Kind.CLEAR, 0, 0, 0)

    def _levels(self, depth: _Depth, bids: list[list[str]], asks: list[list[str]]) -> list[tuple[bool, int, int, int]]:
        """(displayed, side, ticks, lots) of both sides, what leaves first."""
        found = []
        for side, levels in ((1, bids), (-1, asks)):
            for price, size in levels:
                ticks, lots = self._whole(price, depth.terms.tick_size_e9), self._whole(size, depth.terms.lot_size_e9)
                if ticks == 0:
                    self._fault(Fault.BAD_NUMBER)
                elif ticks is not None and lots is not None:
                    found.append((lots > 0, side, ticks, lots))
        found.sort(key=lambda level: level[0])
        return found

    def _show(self, event_ns: int, received_ns: int, depth: _Depth, levels: list[tuple[bool, int, int, int]]) -> None:
        for _, side, ticks, lots in levels:
            self._put(event_ns, received_ns, depth, Kind.LEVEL, ticks, lots, side)

    def _whole(self, text: str, unit_e9: int) -> int | None:
        """A number in whole units; None, and counted, where it is none."""
        number_e9 = decimal_e9(text)
        if number_e9 is None:
            self._fault(Fault.BAD_NUMBER)
            return None
        whole, rest = divmod(number_e9, unit_e9)
        if rest:
            self._fault(Fault.OFF_TICK)
            return None
        return whole


def decimal_e9(text: str) -> int | None:
    """A plain decimal of at most nine places at 1e-9; None for anything else, negative numbers among them."""
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if not (whole + decimals).isdecimal() or not text.isascii() or len(whole) > _DECIMALS or len(decimals) > _DECIMALS:
        return None
    return int(whole + decimals.ljust(_DECIMALS, "0"))


def _event_ns(data: dict[str, Any]) -> int:
    """The matching engine's time where the message has it, else the event's."""
    return int(data.get("T", data["E"])) * _MS_NS
