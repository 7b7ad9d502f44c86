"""The stream that `ems bench tape` measures: a real day said in ITCH by our own encoder, over many interleaved instruments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.compiled import be16, hot, i64, put16, put64
from adapters.marketdata.itch_encode import encode
from adapters.marketdata.itch_layout import LENGTHS, Bytes, symbol_number
from adapters.marketdata.lobster import midnight_ns, read_zip
from adapters.marketdata.mold import MoldSender
from adapters.marketdata.named_orders import named_orders
from domain.errors import ReferenceDataError
from domain.tape import FLAG_AT_PRICE, Kind, Tape

INSTRUMENTS: Final = 100
RECORDS_EACH: Final = 30_000
EXTRA_EVERY: Final = 50  # messages between two of the types that no order makes
ATTRIBUTED_EVERY: Final = 5  # orders between two that name their firm (F)
DATE: Final = "2012-06-21"
DAY: Final = f"LOBSTER_SampleFile_AMZN_{DATE}_5.zip"
_EXTRAS: Final = "SRHYLVWKJhPQBINO"
_A, _F, _R = i64(ord("A")), i64(ord("F")), i64(ord("R"))


class Stream(NamedTuple):
    """data: the messages, each after its 2-byte length; counts of them by type; tape: the orders that they tell of."""

    data: Bytes
    counts: dict[str, int]
    tape: Tape
    midnight_ns: int

    @property
    def messages(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


def data_directory() -> Path:
    """Where recorded market data lies: EMS_DATA, or beside the checkout."""
    return Path(os.environ.get("EMS_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data")


def made_stream(instruments: int = INSTRUMENTS, records_each: int = RECORDS_EACH) -> Stream:
    """Raises ReferenceDataError where the recorded day is not there."""
    path = data_directory() / "lobster" / DAY
    if not path.exists():
        raise ReferenceDataError(f"the bench needs {DAY} in lobster/ under EMS_DATA, which is not there")
    day = named_orders(read_zip(path).tape)[:records_each]
    if day[-1]["flags"]:
        day = day[:-1]  # never half of a replacement
    midnight = midnight_ns(DATE)
    tape = _interleaved(day, instruments)
    symbols = {i: f"SYM{i}" for i in range(1, instruments + 1)}
    plain = encode(tape, midnight, symbols)
    out, counts = np.empty(len(plain) + len(tape) * 8, np.uint8), np.zeros(256, np.int64)
    numbers = np.array([0, *(symbol_number(symbol) for symbol in symbols.values())], np.int64)
    size = _mixed(plain, _extras(), numbers, instruments, out, counts)
    return Stream(out[:size], {letter: int(counts[ord(letter)]) for letter in LENGTHS}, tape, midnight)


def _interleaved(day: Tape, instruments: int) -> Tape:
    """The day once for each instrument, a little later and dearer each time, in order of time."""
    parts = []
    for i in range(instruments):
        part = day.copy()
        for name in ("ts_event_ns", "ts_recv_ns"):
            part[name] += i * 1_370_000
        part["order_id"] = np.where(part["order_id"] > 0, part["order_id"] * instruments + i, 0)
        part["price_ticks"] += 10 * i
        part["instrument"] = i + 1
        parts.append(part)
    tape = np.concatenate(parts)
    tape = tape[np.argsort(tape["ts_event_ns"], kind="stable")]
    executed = np.flatnonzero(tape["kind"] == Kind.EXECUTE)
    tape["flags"][executed[::4]] |= FLAG_AT_PRICE
    return tape


def _extras() -> NDArray[np.uint8]:
    """One framed message of every type that the day itself does not make: (types, 52)."""
    rows = np.zeros((len(_EXTRAS), 52), np.uint8)
    for row, letter in zip(rows, _EXTRAS, strict=True):
        length = LENGTHS[letter]
        row[0:2] = (0, length)
        row[2] = ord(letter)
        row[13 : 2 + length] = ord(" ")
        if letter in "PQ":  # 8224 shares at some price
            row[13:21] = (0, 0, 0, 0, 0, 0, 32, 32)
            row[{"P": 34, "Q": 29}[letter] : {"P": 38, "Q": 33}[letter]] = (0, 0x21, 0x91, 0xC0)
        if letter in "Hh":
            row[21 if letter == "H" else 22] = ord("T")
    return rows


@hot
def _mixed(plain: Bytes, extras: Any, symbols: Any, introduced: int, out: Bytes, counts: Any) -> int:
    """The messages with an extra one after every EXTRA_EVERY, and every ATTRIBUTED_EVERY-th A as an F. Returns the size."""
    at, to, n, adds, extra = 0, 0, 0, 0, 0
    while at < plain.size:
        length = be16(plain, at)
        letter = plain[at + 2]
        for i in range(2 + length):
            out[to + i] = plain[at + i]
        if letter == _A:
            adds += 1
            if adds % ATTRIBUTED_EVERY == 0:
                letter = _F
                put16(out, to, length + 4)
                out[to + 2] = _F
                for i in range(4):
                    out[to + 2 + length + i] = 0x4D
                to += 4
        counts[letter] += 1
        begin, to, n = at, to + 2 + length, n + 1
        at += 2 + length
        if n > introduced and n % EXTRA_EVERY == 0:
            size = 2 + be16(extras[extra], 0)
            for i in range(size):
                out[to + i] = extras[extra, i]
            for i in range(3, 13):  # the instrument and the time of the message before
                out[to + i] = plain[begin + i]
            if out[to + 2] == _R:
                put64(out, to + 13, symbols[be16(plain, begin + 3)])
            counts[out[to + 2]] += 1
            to += size
            extra = (extra + 1) % extras.shape[0]
    return to


class Datagrams(NamedTuple):
    """data: datagrams one behind the other; ends: (D + 1,) where each begins; messages: (D,) how many each has."""

    data: Bytes
    ends: NDArray[np.int64]
    messages: NDArray[np.int64]


def datagrams_of(data: Bytes) -> Datagrams:
    """The stream as MoldUDP64 of at most 1,400 bytes each."""
    packets = MoldSender("BENCH").packets(data.tobytes())
    ends = np.concatenate([[0], np.cumsum([len(packet) for packet in packets])]).astype(np.int64)
    joined = np.frombuffer(bytearray(b"".join(packets)), np.uint8)
    counts = np.array([int.from_bytes(packet[18:20], "big") for packet in packets], np.int64)
    return Datagrams(joined, ends, counts)


def for_peers(data: Bytes, messages: int) -> bytes:
    """The first so many messages but those of type O, which meatpy 0.5.0 takes for four bytes longer than they are."""
    whole, at, parts = data[: messages * 64].tobytes(), 0, list[bytes]()
    while len(parts) < messages:
        after = at + 2 + int.from_bytes(whole[at : at + 2], "big")
        assert after <= len(whole), "the stream has fewer messages"
        if whole[at + 2] != ord("O"):
            parts.append(whole[at:after])
        at = after
    return b"".join(parts)
