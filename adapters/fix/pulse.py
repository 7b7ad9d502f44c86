"""The gateway's internal errors, published for the watchdog to look at, on a thread of their own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from domain.internal_errors import InternalErrors
from domain.ports import Metrics

log = logging.getLogger(__name__)
EVERY_S: Final = 0.5


class Pulse:
    """Counts from any thread.

    Args:
        process: what the readings are named by.
    """

    def __init__(self, metrics: Metrics, process: str) -> None:
        self._errors = InternalErrors(metrics, process)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.each: Callable[[], None] = lambda: None  # called at each beat

    def start(self) -> None:
        """Publish from now on: a process that ends without a word after this has had an error."""
        self._publish()
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def close(self) -> None:
        """The process ends in order."""
        self._ended.set()
        with self._lock:
            self._errors.close(time.monotonic_ns())

    def add(self) -> None:
        """One more of our own faults."""
        with self._lock:
            self._errors.add()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._publish()
            self.each()

    def _publish(self) -> None:
        with self._lock:
            if self._ended.is_set():
                return
            try:
                self._errors.publish(time.monotonic_ns())
            except OSError as error:
                log.warning("internal errors cannot be published: %s", error)
