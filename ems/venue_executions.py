"""The venue's own file of a day's executions: a drop copy while it grows, its end-of-day file once it says that it is whole.

CSV, one line for each execution in the order in which they happened, written as soon as the execution is durable. The last line
says how many there are: without it the day is not over, or the file was cut. Prices and quantities are decimals.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.errors import ConfigError, NumberError
from domain.reconciliation import Execution
from domain.values import Side, from_e9, to_e9
from ems.venue_ledger import Line

COLUMNS: Final = ("exec_id", "session", "cl_ord_id", "symbol", "side", "quantity", "price", "time_ns")
_END: Final = "# end of day, executions: "
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


class Told(NamedTuple):
    """What a file says. rows: by the venue's name of the session; whole: it says that it is complete, and it is."""

    rows: tuple[tuple[str, Execution], ...]
    whole: bool


class ExecutionFile:
    """One writer's handle. Opening it writes the day's executions anew from the venue's memory, so that it is never behind."""

    def __init__(self, path: Path, known: Iterable[Line] = ()) -> None:
        """Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        self._count = 0
        os.write(self._fd, _text([COLUMNS]))
        self.tell(known)

    def tell(self, lines: Iterable[Line]) -> None:
        """Add the executions among ledger lines, in one write."""
        rows = [_row(line) for line in lines if line["k"] == "exec"]
        if rows:
            os.write(self._fd, _text(rows))
            self._count += len(rows)

    def end(self) -> None:
        """The day is over: nothing more comes."""
        os.write(self._fd, f"{_END}{self._count}\n".encode())
        os.close(self._fd)


def _row(line: Line) -> list[Any]:
    side = "buy" if line["side"] > 0 else "sell"
    numbers = [f"{from_e9(line[name]):f}" for name in ("quantity_e9", "price_e9")]
    return [line["exec_id"], line["session"], line["cl_ord_id"], line["symbol"], side, *numbers, line["time_ns"]]


def _text(rows: Iterable[Sequence[Any]]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()


def parse(name: str, text: str, *, counted: bool = True) -> Told:
    """What a file holds so far; a line that is still being written is not there yet.

    Args:
        counted: hold the number that its last line says against what there is; not where the text is only its latest part.

    Raises:
        ConfigError: it is none of executions, or a line cannot be read; the message names it.
    """
    lines = text[: text.rfind("\n") + 1].splitlines()
    if lines and tuple(lines[0].split(",")) != COLUMNS:
        raise ConfigError(f"{name} is no file of executions: its first line names other columns than {', '.join(COLUMNS)}")
    ended = bool(lines) and lines[-1].startswith(_END)
    rows = tuple(_read(name, lines[1:-1] if ended else lines[1:]))
    if ended and counted and lines[-1] != f"{_END}{len(rows)}":
        raise ConfigError(f"{name} holds {len(rows)} executions and says that it has another number: it was cut or added to")
    return Told(rows, ended)


def _read(name: str, lines: list[str]) -> Iterator[tuple[str, Execution]]:
    for number, cells in enumerate(csv.reader(lines), 2):
        try:
            exec_id, session, cl_ord_id, symbol, side, quantity, price, time_ns = cells
            yield session, Execution(exec_id, cl_ord_id, symbol, _SIDES[side], to_e9(quantity), to_e9(price), int(time_ns))
        except (ValueError, KeyError, NumberError) as cause:
            raise ConfigError(f"{name} line {number} is no execution: {cause}") from cause
