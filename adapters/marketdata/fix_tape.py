"""FIX market data, snapshots (35=W) and increments (35=X), of a venue's session -> tape. Levels and prints, nothing more.

A bid or offer (269 = 0, 1) is the total displayed at its price: LEVEL, in an increment by 279 (0 new, 1 change, 2 delete). A
trade (269=2) of an increment is a print: TRADE, the resting side opposite to the aggressor (2446) where that is told, or CROSS
with 277=X. The last trade that a snapshot carries is a state and no print. 269=J empties the book. An order-by-order book is not
read.

Display is whole only behind a snapshot: increments wait for one. RptSeq (83) numbers an instrument's entries one by one, and a
snapshot says up to which one it goes; a number that is left out is a gap: STATUS LOST with how many, CLEAR, and increments wait
for the next snapshot, whose levels STATUS RESYNCED follows. Where entries have no number, what came before a snapshot is
dropped. A snapshot of an instrument that is in step is told as its differences, those that leave first.

Event time is the entry's own (5062, nanoseconds, or 272 and 273), else the message's: 5060, 60, 52.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from adapters.marketdata.binance import Terms, decimal_e9
from adapters.marketdata.fix_entries import Entry, cut_entries, time_of
from domain.tape import FLAG_HALF_TICK, Kind, Status, Tape, tape_of

_SIDES: Final = {"0": 1, "1": -1}
_RESTING: Final = {"1": -1, "2": 1}  # by the aggressor
_NEW, _CHANGE, _DELETE = "0", "1", "2"
_CROSSED: Final = "X"  # TradeCondition (277) of an auction's volume


class Fault(StrEnum):
    """What can be wrong; told by kind with how often and the first one's number among the messages."""

    MALFORMED = "malformed"  # a field that must be there is not, or a time is none: passed over
    UNKNOWN_SYMBOL = "unknown_symbol"  # nobody asked for it: passed over
    UNKNOWN_TYPE = "unknown_type"  # a message that is no market data, a kind of entry that is none of ours: passed over
    UNKNOWN_ACTION = "unknown_action"  # an update by position (279 above 2): the display is not to be trusted until a snapshot
    BACKWARD_TIME = "backward_time"  # received before the message before: kept as told
    BAD_NUMBER = "bad_number"  # a price or size that is no number, or zero where it must not be: the entry is left out
    OFF_TICK = "off_tick"  # not a whole number of ticks or lots: left out
    GAP = "gap"
    REPEATED = "repeated"  # an entry or a snapshot from before: passed over
    HELD_TOO_LONG = "held_too_long"  # more increments came without a snapshot than are held: the oldest is dropped
    REFUSED = "refused"  # 35=Y: the venue does not tell what was asked for


class _Level(NamedTuple):
    """An entry that waits for a snapshot."""

    number: int | None
    event_ns: int
    entry: Entry


class _Book:
    """One symbol's display. last: the number it stands at, None without one. whole: a snapshot stands behind it."""

    def __init__(self, instrument: int, terms: Terms) -> None:
        self.instrument = instrument
        self.terms = terms
        self.last: int | None = None
        self.whole = False
        self.levels: dict[tuple[int, int], int] = {}  # (side, ticks) -> lots
        self.held: list[_Level] = []


class FixReader:
    """Follows the messages of one session, of some symbols. Instruments are numbered in the order of the terms."""

    def __init__(self, terms: Mapping[str, Terms], *, held_max: int = 100_000) -> None:
        self.symbols = list(terms)
        self.faults: dict[str, tuple[int, int]] = {}
        self._books = {symbol: _Book(i, terms[symbol]) for i, symbol in enumerate(self.symbols)}
        self._rows: list[tuple[int, ...]] = []
        self._held_max = held_max
        self._received_ns = 0
        self._messages = 0

    def __len__(self) -> int:
        """Records that were not drained yet."""
        return len(self._rows)

    def take(self, text: str, received_ns: int) -> None:
        """One message, as it came."""
        self._messages += 1
        if received_ns < self._received_ns:
            self._fault(Fault.BACKWARD_TIME)
        self._received_ns = received_ns
        head, entries = cut_entries(text)
        try:
            match head.get("35"):
                case "W":
                    self._snapshot(head, entries)
                case "X":
                    self._increment(head, entries)
                case "Y":
                    self._fault(Fault.REFUSED)
                case _:
                    self._fault(Fault.UNKNOWN_TYPE)
        except (KeyError, ValueError):
            self._fault(Fault.MALFORMED)

    def lost(self, now_ns: int, status: Status = Status.DISCONNECTED, count: int = 0) -> None:
        """The session was cut, or `count` of its messages will not come: nothing that is displayed holds any longer."""
        for book in self._books.values():
            self._put(now_ns, now_ns, book, Kind.STATUS, 0, int(status), 0, count)
            self._unsynced(now_ns, book)

    def waiting(self) -> list[str]:
        """The symbols that nothing is displayed of until a snapshot comes."""
        return [symbol for symbol, book in self._books.items() if not book.whole]

    def drained(self) -> Tape:
        """The records since the last call."""
        tape, self._rows = tape_of(self._rows), []
        return tape

    def _fault(self, kind: Fault) -> None:
        count, first = self.faults.get(kind, (0, self._messages))
        self.faults[str(kind)] = (count + 1, first)

    def _put(
        self, event_ns: int, received_ns: int, book: _Book, kind: Kind, ticks: int, lots: int, side: int, count: int = 0
    ) -> None:
        self._rows.append((event_ns, received_ns, count, ticks, lots, book.instrument, 0, int(kind), side))

    def _unsynced(self, event_ns: int, book: _Book) -> None:
        book.whole, book.last, book.held = False, None, []
        book.levels.clear()
        self._put(event_ns, self._received_ns or event_ns, book, Kind.CLEAR, 0, 0, 0)

    # -- 35=W

    def _snapshot(self, head: Entry, entries: list[Entry]) -> None:
        book = self._books.get(head["55"])
        if book is None:
            self._fault(Fault.UNKNOWN_SYMBOL)
            return
        event_ns = time_of(head, {})
        number = max((int(entry["83"]) for entry in entries if "83" in entry), default=None)
        if book.whole and number is not None and book.last is not None and number < book.last:
            self._fault(Fault.REPEATED)
            return
        levels = {}
        for entry in entries:
            if (level := self._level(book, entry)) is not None and level[1]:
                levels[level[0]] = level[1]
        was_whole = book.whole
        if not was_whole:
            self._put(event_ns, self._received_ns, book, Kind.CLEAR, 0, 0, 0)
        for place in [place for place in book.levels if place not in levels]:
            self._show(event_ns, book, place, 0)
        for place, lots in levels.items():
            if book.levels.get(place) != lots:
                self._show(event_ns, book, place, lots)
        book.whole, book.last = True, number
        held, book.held = book.held, []
        if not was_whole:
            self._put(event_ns, self._received_ns, book, Kind.STATUS, 0, int(Status.RESYNCED), 0)
            self._take_held(book, held, number)

    def _take_held(self, book: _Book, held: list[_Level], number: int | None) -> None:
        for level in held:
            if number is not None and level.number is not None and level.number > number and self._in_turn(book, level):
                self._apply(book, level)

    # -- 35=X

    def _increment(self, head: Entry, entries: list[Entry]) -> None:
        symbol = head.get("55", "")
        for entry in entries:
            symbol = entry.get("55", symbol)  # an entry without one is of the one before
            book = self._books.get(symbol)
            if book is None:
                self._fault(Fault.UNKNOWN_SYMBOL)
                continue
            try:
                number = int(entry["83"]) if "83" in entry else None
                self._entry(book, _Level(number, time_of(head, entry), entry))
            except (KeyError, ValueError):
                self._fault(Fault.MALFORMED)

    def _entry(self, book: _Book, level: _Level) -> None:
        if level.entry["269"] == "2" and not self._known(book, level.number):
            self._trade(book, level)  # whatever becomes of the display
        if self._in_turn(book, level):
            self._apply(book, level)

    def _hold(self, book: _Book, level: _Level) -> None:
        if len(book.held) >= self._held_max:
            self._fault(Fault.HELD_TOO_LONG)
            del book.held[0]
        book.held.append(level)

    def _known(self, book: _Book, number: int | None) -> bool:
        return book.whole and number is not None and book.last is not None and number <= book.last

    def _in_turn(self, book: _Book, level: _Level) -> bool:
        """Whether the entry is the next one. Where some are missing before it, it waits for a snapshot."""
        if not book.whole:
            self._hold(book, level)
            return False
        if level.number is None or book.last is None:
            book.last = level.number
            return True
        if level.number <= book.last:
            self._fault(Fault.REPEATED)
            return False
        if level.number > book.last + 1:
            self._fault(Fault.GAP)
            missing = level.number - book.last - 1
            self._put(level.event_ns, self._received_ns, book, Kind.STATUS, 0, int(Status.LOST), 0, missing)
            self._unsynced(level.event_ns, book)
            self._hold(book, level)
            return False
        book.last = level.number
        return True

    def _apply(self, book: _Book, level: _Level) -> None:
        kind, action = level.entry["269"], level.entry["279"]
        if kind == "J":
            book.levels.clear()
            self._put(level.event_ns, self._received_ns, book, Kind.CLEAR, 0, 0, 0)
        elif kind in _SIDES and action not in (_NEW, _CHANGE, _DELETE):
            self._fault(Fault.UNKNOWN_ACTION)
            self._put(level.event_ns, self._received_ns, book, Kind.STATUS, 0, int(Status.LOST), 0)
            self._unsynced(level.event_ns, book)
        elif kind in _SIDES:
            found = self._level(book, {**level.entry, "271": "0"} if action == _DELETE else level.entry)
            if found is not None:
                self._show(level.event_ns, book, *found)
        elif kind != "2":
            self._fault(Fault.UNKNOWN_TYPE)

    def _trade(self, book: _Book, level: _Level) -> None:
        if level.entry["279"] != _NEW:
            self._fault(Fault.UNKNOWN_ACTION)  # a bust or a correction: the tape has no word for it
            return
        halves = self._whole(level.entry["270"], book.terms.tick_size_e9, parts=2)
        lots = self._whole(level.entry["271"], book.terms.lot_size_e9)
        if halves == 0 or lots == 0:
            self._fault(Fault.BAD_NUMBER)
        elif halves is not None and lots is not None:
            side = _RESTING.get(level.entry.get("2446", ""), 0)
            kind = Kind.CROSS if level.entry.get("277") == _CROSSED else Kind.TRADE
            row = (0, halves // 2, lots, book.instrument, FLAG_HALF_TICK * (halves % 2), int(kind), side)
            self._rows.append((level.event_ns, self._received_ns, *row))

    # -- levels

    def _level(self, book: _Book, entry: Entry) -> tuple[tuple[int, int], int] | None:
        """((side, ticks), lots) of a bid or offer; None for any other entry, and for one that cannot be read."""
        if entry["269"] not in _SIDES:
            return None
        ticks = self._whole(entry["270"], book.terms.tick_size_e9)
        lots = self._whole(entry["271"], book.terms.lot_size_e9)
        if ticks == 0:
            self._fault(Fault.BAD_NUMBER)
        return ((_SIDES[entry["269"]], ticks), lots) if ticks and lots is not None else None

    def _show(self, event_ns: int, book: _Book, place: tuple[int, int], lots: int) -> None:
        self._put(event_ns, self._received_ns, book, Kind.LEVEL, place[1], lots, place[0])
        if lots:
            book.levels[place] = lots
        else:
            book.levels.pop(place, None)

    def _whole(self, text: str, unit_e9: int, *, parts: int = 1) -> int | None:
        """A number in whole units, or in halves of them; None, and counted, where it is none."""
        number_e9 = decimal_e9(text)
        if number_e9 is None:
            self._fault(Fault.BAD_NUMBER)
            return None
        whole, rest = divmod(parts * number_e9, unit_e9)
        if rest:
            self._fault(Fault.OFF_TICK)
            return None
        return whole
