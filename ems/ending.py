"""Being told to end by a signal. Python runs a handler between two instructions of the main thread, and `threading.Event` keeps
a lock while it is set and while a wait begins: set by a handler that came in the middle of such a wait, it waits for itself.
"""

from __future__ import annotations

import queue
import signal
import threading


class Ending(threading.Event):
    """An event that a signal handler may set at any moment, also of the thread that waits for it. Never cleared."""

    def __init__(self) -> None:
        super().__init__()
        self._said: queue.SimpleQueue[None] = queue.SimpleQueue()  # its `put` may interrupt its own `get`

    def set(self) -> None:
        """It is over."""
        self._said.put(None)

    def is_set(self) -> bool:
        """Whether it is over."""
        return not self._said.empty()

    def wait(self, timeout: float | None = None) -> bool:
        """Until it is over, or for so many seconds. Whether it is over."""
        try:
            self._said.get(timeout=timeout)
        except queue.Empty:
            return False
        self._said.put(None)  # for the next who asks
        return True

    def clear(self) -> None:
        """What is over does not begin again."""
        raise NotImplementedError("an ending is not taken back")


def on_signals() -> Ending:
    """Of this process: SIGTERM and SIGINT end it. In its main thread."""
    ending = Ending()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    return ending
