"""An end that a signal tells: at any moment of the wait for it, also while the wait takes its locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from ems.ending import Ending

WAITS = """
import os, signal, sys
from ems.ending import on_signals
ending = on_signals()
for _ in range(300):
    ending.wait(0.0005)
assert not ending.is_set()
print("ready", flush=True)
while not ending.wait(0.0001):
    pass
assert ending.is_set() and ending.wait() and ending.wait(0)
print("over", flush=True)
"""


def test_a_signal_ends_the_wait_for_it() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "over\n"
    assert process.returncode == 0


def test_a_handler_that_comes_at_any_instruction_of_a_wait_does_not_block() -> None:
    """As a signal's handler does: between two steps of the thread that waits, which may hold what `set` needs."""
    ending = Ending()
    said = 0

    def between(frame: object, event: str, arg: object) -> object:
        nonlocal said
        said += 1
        ending.set()
        return between

    def waits() -> None:
        sys.settrace(between)  # type: ignore[arg-type]
        assert ending.wait(0.01)
        sys.settrace(None)

    thread = threading.Thread(target=waits, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive() and said >= 2


def test_it_is_for_all_who_wait_and_for_ever() -> None:
    ending = Ending()
    assert not ending.wait(0) and not ending.is_set()
    over: list[bool] = []
    threads = [threading.Thread(target=lambda: over.append(ending.wait(30))) for _ in range(3)]
    for thread in threads:
        thread.start()
    ending.set()
    for thread in threads:
        thread.join(30)
    assert over == [True] * 3 and ending.is_set()
    with pytest.raises(NotImplementedError):
        ending.clear()
