"""A progress bar on standard error for work of several parts; nothing where that is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


@contextmanager
def shown_progress(quiet: bool) -> Iterator[Callable[[str, int, int, float], None]]:
    """A function (what, done, of how much, loss) that shows it."""
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[loss]}"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty(), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, of: int, loss: float) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of, loss="")
            bar.update(tasks[what], completed=done, total=of, loss=f"loss {loss:.3f}" if loss else "")

        yield told
