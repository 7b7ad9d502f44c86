"""What an export needs from outside: the log's stored rows, and files to write to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from domain.ports import Head
from domain.stored import StoredRow

AppendLine = Callable[[bytes], None]
AppendRow = Callable[[Sequence[Any]], None]
AppendRecord = Callable[[Mapping[str, Any]], None]
Packing = Literal["", "gz", "bz2"]


class StoredLog(Protocol):
    """A log as it is stored, bytes and all."""

    def read_rows(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[StoredRow]]:
        """Every row in order, in pages."""
        ...

    async def head(self) -> Head:
        """The end of the log now."""
        ...


class Outputs(Protocol):
    """Files of one bundle by their names in it. The same bytes in give the same files, whenever and wherever."""

    def lines(self, name: str, packing: Packing = "") -> AppendLine:
        """A file of lines, opened: call what is returned with each, its newline included."""
        ...

    def csv(self, name: str, columns: Sequence[str]) -> AppendRow:
        """A CSV file with its header."""
        ...

    def parquet(self, name: str, columns: Sequence[str], integers: frozenset[str]) -> AppendRecord:
        """A Parquet file; columns that are no integers are text."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """A whole file."""
        ...
