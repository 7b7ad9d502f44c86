"""Feeds into stored tapes: which reader reads which file, and what a stored tape says of itself."""

from __future__ import annotations

import gzip
import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from adapters.marketdata import lean, lobster
from adapters.marketdata.binance_captures import read_captures, terms_of
from adapters.marketdata.itch import decode
from adapters.marketdata.itch_layout import CENT, FAULTS, Itch, directory, fault_report, make_state
from adapters.marketdata.itch_orders import FIRST_FAULT, UNKNOWN, Orders, make_orders, resolve
from adapters.marketdata.mold import LOST, Mold, make_mold
from adapters.marketdata.pcap import read_itch_capture
from domain.errors import ConfigError, ReferenceDataError
from domain.tape import Tape
from models.tape_store import Header, Source, TapeInstrument, TapeWriter

CHUNK_BYTES: Final = 16 << 20
_PACKED_READ: Final = 1 << 16  # what is read when the compression ends is lost with it: little
_SHARE_E9: Final = 1_000_000_000
_ITCH_UNIT_E9: Final = 100_000  # 1/10,000 USD
_PCAP: Final = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
Progress = Callable[[int, int], None]  # bytes done, of how many


class Recorded(NamedTuple):
    """What came of recording a live feed: the sealed tape's header, and how often what happened or was asked for."""

    header: Header
    counts: dict[str, int]


class Feed(StrEnum):
    """What a source may be."""

    ITCH = "itch"  # messages after their 2-byte length, gzipped or not
    PCAP = "pcap"  # ITCH over MoldUDP64 in a capture
    LOBSTER = "lobster"
    LEAN = "lean"  # <date>_quote.zip, its <date>_trade.zip beside it
    BINANCE = "binance"


class Wanted(NamedTuple):
    """How to read: the feed, the trading day (for ITCH, YYYY-MM-DD), symbols to keep, the tick, and a capture's UDP port."""

    feed: Feed
    date: str = ""
    symbols: tuple[str, ...] = ()
    tick_size_e9: int = CENT * _ITCH_UNIT_E9
    port: int | None = None


def feed_of(path: Path) -> Feed:
    """What a file seems to be, by its first bytes and, for archives, its members.

    Raises:
        ConfigError: it cannot be told, or read; --feed says it.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                head = packed.read(64)
        names = zipfile.ZipFile(path).namelist() if head[:2] == b"PK" else []
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if any("_message_" in name for name in names):
        return Feed.LOBSTER
    if path.name.endswith("_quote.zip"):
        return Feed.LEAN
    if head[:4] in _PCAP:
        return Feed.PCAP
    if re.match(rb"\d{16,19} \{", head):
        return Feed.BINANCE
    if len(head) > 3 and head[0] == 0 and 12 <= head[1] <= 50:
        return Feed.ITCH
    raise ConfigError(f"{path.name} is none of {', '.join(Feed)} that can be told by its beginning: say --feed")


def convert(sources: Sequence[Path], to: Path, wanted: Wanted, progress: Progress) -> Header:
    """Sources of one feed, that continue one another, into a new stored tape.

    Raises:
        ConfigError, ReferenceDataError: a source cannot be read as that feed.
        TapeError: the tape cannot be made.
    """
    read = [one for path in sources for one in ((path, _trades_of(path)) if wanted.feed is Feed.LEAN else (path,))]
    digest = _sha256(read)
    name = " ".join(path.name for path in read)
    writer: TapeWriter | None = None
    for piece in _READERS[wanted.feed](sources, wanted, progress):
        if writer is None:  # nothing is made where the first piece cannot be read
            writer = TapeWriter.create(to, piece.instruments, Source(name, digest, wanted.feed, {}))
        writer.append(piece.tape)
        writer.instruments, writer.source = piece.instruments, writer.source._replace(faults=piece.faults)
    if writer is None:
        raise ConfigError("there is nothing to convert")
    return writer.close()


class Piece(NamedTuple):
    """Records, and what is known of the whole so far."""

    tape: Tape
    instruments: tuple[TapeInstrument, ...]
    faults: dict[str, list[int]]


class ItchReading:
    """Decoder and table of orders of one day; the records it completes and what it knows of the day."""

    def __init__(self, wanted: Wanted, midnight_ns: int) -> None:
        unit = wanted.tick_size_e9 // _ITCH_UNIT_E9
        if unit * _ITCH_UNIT_E9 != wanted.tick_size_e9 or unit <= 0:
            raise ConfigError("an ITCH tick is a whole number of 1/10,000 USD")
        units = dict.fromkeys(wanted.symbols, unit) if unit != CENT else {}
        if unit != CENT and not wanted.symbols:
            raise ConfigError("a tick other than a cent needs the symbols that it is of")
        self.state: Itch = make_state(midnight_ns, symbols=wanted.symbols or None, units=units)
        self.mold: Mold = make_mold()
        self._orders: Orders = make_orders(1 << 22)
        self._tick_size_e9 = wanted.tick_size_e9
        self._records = 0

    def completed(self, tape: Tape) -> Piece:
        """The records, side and price looked up by their ids; with the faults and instruments so far."""
        resolve(self._orders, tape, self._records)
        self._records += len(tape)
        known = directory(self.state)
        followed = {i: s for i, s in known.items() if self.state.locates["instrument"][i] >= 0}
        instruments = tuple(TapeInstrument(i, symbol, self._tick_size_e9, _SHARE_E9) for i, symbol in sorted(followed.items()))
        assert len(self.state.faults) == FAULTS
        faults = {kind: list(found) for kind, found in fault_report(self.state).items()}
        if self._orders.meta[UNKNOWN]:
            faults["unknown_order"] = [int(self._orders.meta[UNKNOWN]), int(self._orders.meta[FIRST_FAULT])]
        if self.mold.meta[LOST]:
            faults["lost_messages"] = [int(self.mold.meta[LOST]), -1]
        return Piece(tape, instruments, faults)


def _itch(sources: Sequence[Path], wanted: Wanted, progress: Progress) -> Iterator[Piece]:
    reading = ItchReading(wanted, _midnight_ns(wanted, sources))
    for path in sources:
        rest, cut = b"", list[int]()
        for chunk in _chunks(path, progress, cut):
            rest += chunk
            found = decode(reading.state, rest, last=False)
            rest = rest[found.consumed :]
            yield reading.completed(found.tape)
        yield _cut(reading.completed(decode(reading.state, rest).tape), cut)


def _pcap(sources: Sequence[Path], wanted: Wanted, progress: Progress) -> Iterator[Piece]:
    reading = ItchReading(wanted, _midnight_ns(wanted, sources))
    for path in sources:
        cut: list[int] = []
        data = b"".join(_chunks(path, progress, cut))
        tape, capture = read_itch_capture(data, reading.state, reading.mold, port=wanted.port)
        piece = reading.completed(tape)
        left_out = {name: [n, -1] for name, n in capture.counts.items() if n > 0 and name not in ("packets", "truncated_at")}
        if capture.counts["truncated_at"] >= 0:
            left_out["truncated"] = [1, capture.counts["truncated_at"]]
        yield _cut(piece._replace(faults=piece.faults | left_out), cut)


def _cut(piece: Piece, cut: list[int]) -> Piece:
    """The piece, with the fault of a file that ended within its compression."""
    return piece._replace(faults=piece.faults | {"compression_cut": [1, cut[0]]}) if cut else piece


def _lobster(sources: Sequence[Path], wanted: Wanted, progress: Progress) -> Iterator[Piece]:
    for i, path in enumerate(sources):
        tape = lobster.read_zip(path, tick_size_e9=wanted.tick_size_e9).tape
        progress(i + 1, len(sources))
        symbol = path.name.removeprefix("LOBSTER_SampleFile_").split("_")[0]
        yield Piece(tape, (TapeInstrument(0, symbol, wanted.tick_size_e9, _SHARE_E9),), {})


def _lean(sources: Sequence[Path], wanted: Wanted, progress: Progress) -> Iterator[Piece]:
    for i, quotes in enumerate(sources):
        tape = lean.read_day(quotes, _trades_of(quotes), tick_size_e9=wanted.tick_size_e9)
        progress(i + 1, len(sources))
        symbol = quotes.resolve().parent.name.upper()
        yield Piece(tape, (TapeInstrument(0, symbol, wanted.tick_size_e9, _SHARE_E9),), {})


def _trades_of(quotes: Path) -> Path:
    return quotes.with_name(quotes.name.replace("_quote", "_trade"))


def _binance(sources: Sequence[Path], wanted: Wanted, progress: Progress) -> Iterator[Piece]:
    terms = terms_of(sources)
    progress(1, 2)
    kept = {symbol: terms[symbol] for symbol in wanted.symbols or terms if symbol in terms}
    day = read_captures(sources, kept)
    progress(2, 2)
    instruments = tuple(TapeInstrument(i, symbol, *terms[symbol]) for i, symbol in enumerate(day.symbols))
    yield Piece(day.tape, instruments, {kind: list(found) for kind, found in day.faults.items()})


_READERS: Final = {
    Feed.ITCH: _itch, Feed.PCAP: _pcap, Feed.LOBSTER: _lobster, Feed.LEAN: _lean, Feed.BINANCE: _binance,
}  # fmt: skip


def _midnight_ns(wanted: Wanted, sources: Sequence[Path]) -> int:
    try:
        return lobster.midnight_ns(wanted.date or sources[0].name)
    except (ReferenceDataError, ValueError) as error:
        raise ConfigError(f"{sources[0].name}: ITCH tells no date; say --date, such as 2026-11-27") from error


def _chunks(path: Path, progress: Progress, cut: list[int]) -> Iterator[bytes]:
    """A file's bytes, unpacked where it is gzipped; where a file ends within its compression is put into `cut`."""
    done = 0
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            source = gzip.GzipFile(fileobj=raw) if packed else raw
            while chunk := source.read(_PACKED_READ if packed else CHUNK_BYTES):
                progress(raw.tell(), size)
                done += len(chunk)
                yield chunk
    except EOFError:
        cut.append(done)
    except (OSError, zlib.error) as error:
        raise ReferenceDataError(f"{path.name} cannot be read: {error}") from error


def _sha256(sources: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in sources:
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()
