"""Logging of a process: one schema of JSON lines for our code and for the libraries that use `logging`, or text for a person.

A line has time_ns (UTC), time (the same to read), level, process, logger, event; where they are known correlation (the streams of
the orders it is about) and exception; then the event's own fields. Secrets are taken out of all of it, and what is logged is
also a note in the process's flight recorder.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import structlog

from adapters.shm.flight import FlightRing
from domain.flight import Recorder
from ems.scrub import scrubbed, scrubbed_fields

FLIGHT_FOLDER: Final = "flight"
_FIRST: Final = ("time_ns", "time", "level", "process", "logger", "correlation", "event")


class NoRecorder:
    """Of a process that keeps no notes."""

    def note(self, kind: str, text: str) -> None:
        """Nothing is kept."""


@cache
def recorder_of(state: Path, process: str) -> Recorder:
    """A process's flight recorder. One that cannot be had is no reason not to start: there are no notes then, and a log line."""
    try:
        return FlightRing(state / FLIGHT_FOLDER / f"{process}.ring")
    except OSError as error:
        logging.getLogger("flight").warning("no flight recorder: %s", error)
        return NoRecorder()


def log_json(process: str, *, level: int = logging.INFO, state: Path | None = None) -> None:
    """From now on everything logged in this process, and an exception that ends it, is one JSON object a line.

    Args:
        state: the run's directory, where the flight recorder is; None: there is none.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _stamped,
        structlog.processors.format_exc_info,
        lambda _, __, event: {**event, "process": process},
        _scrubbed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta, _ordered, structlog.processors.JSONRenderer(default=str)
        ],
    )  # fmt: skip
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    if state is not None:
        root.addHandler(_Noting(recorder_of(state, process), formatter))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    sys.excepthook = lambda kind, error, trace: root.critical(str(error) or kind.__name__, exc_info=(kind, error, trace))


def log_plain(level: int = logging.INFO) -> None:
    """For a person at the terminal."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            _scrubbed,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class _Noting(logging.Handler):
    """Log lines as notes."""

    def __init__(self, recorder: Recorder, formatter: logging.Formatter) -> None:
        super().__init__()
        self._recorder = recorder
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """One line: its level and words first, for a note is short."""
        said = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        rest = {name: value for name, value in said.items() if name not in (*_FIRST, "exception") and not name.startswith("_")}
        text = f"{record.levelname} {record.name}: {said.get('event', '')}" + (f" {rest}" if rest else "")
        last = str(said.get("exception", "")).strip().rpartition("\n")[2]
        self._recorder.note("log", scrubbed(f"{text} {last}".strip()))


def _stamped(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    time_ns = time.time_ns()
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    event["time_ns"] = time_ns
    event["time"] = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09}Z"
    return event


def _scrubbed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    inner = {name: value for name, value in event.items() if name.startswith("_")}  # structlog's own
    return {**scrubbed_fields({name: value for name, value in event.items() if name not in inner}), **inner}


def _ordered(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**{name: event[name] for name in _FIRST if name in event}, **event}
