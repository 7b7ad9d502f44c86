"""Captures of Binance's streams from files: lines into `adapters.marketdata.binance.BinanceReader`."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from adapters.marketdata.binance import BinanceDay, BinanceReader, Terms, decimal_e9
from domain.errors import ReferenceDataError

_GZIP: Final = b"\x1f\x8b"


def read_captures(paths: Iterable[Path], terms: Mapping[str, Terms] | None = None) -> BinanceDay:
    """Captures that continue one another, as one tape.

    Args:
        terms: what a tick and a lot are, by symbol; these symbols alone are read. None: as `terms_of` finds them.

    Raises:
        ReferenceDataError: a file cannot be read at all.
    """
    files = list(paths)
    reader = BinanceReader(terms if terms is not None else terms_of(files))
    for path in files:
        for text in _lines(path, reader):
            reader.line(text)
    return reader.day()


def terms_of(paths: Iterable[Path]) -> dict[str, Terms]:
    """Of every symbol the largest tick and lot in which its captures' numbers are whole."""
    found: dict[str, list[int]] = {}
    for path in paths:
        for text in _lines(path, None):
            symbol, pairs = _numbers(text)
            units = found.setdefault(symbol, [0, 0])
            for i in (0, 1):
                units[i] = math.gcd(units[i], *(decimal_e9(str(pair[i])) or 0 for pair in pairs))
    found.pop("", None)
    return {symbol: Terms(tick or 1, lot or 1) for symbol, (tick, lot) in found.items()}


def _numbers(text: str) -> tuple[str, list[tuple[Any, Any]]]:
    """The symbol of a diff or trade with its prices and sizes; "" of any other line, which the reader will judge."""
    try:
        data = json.loads(text.partition(" ")[2])
        data = data.get("data", data)
        if data.get("e") == "depthUpdate":
            return str(data["s"]), [(price, size) for price, size in [*data["b"], *data["a"]]]
        return (str(data["s"]), [(data["p"], data["q"])]) if data.get("e") == "trade" else ("", [])
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        return "", []


def _lines(path: Path, reader: BinanceReader | None) -> Iterable[str]:
    """The lines of a file; what ends within is told to the reader."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as source:
            yield from (line.decode("utf-8", "replace") for line in source)
    except EOFError:
        if reader is not None:
            reader.truncated()
    except (OSError, zlib.error) as error:
        raise ReferenceDataError(f"{path.name} cannot be read: {error}") from error
