"""The nursery: a process that has loaded our code once and forks the others from itself.

Loading the modules takes a process one to three seconds; a fork takes milliseconds. So a system starts in a fraction of the time,
and, what matters more, a process that died is back before its peers have waited for it.

A forked process is what the command line would have started: own session, own environment, own log, standard input empty, no
descriptor of ours but those that it is given, `__main__` the module that `python -m` runs. It is not the nursery's child:
it is forked twice, and Linux gives the orphan to the nearest subreaper, which is the process that opened the nursery. Who opens
it therefore waits for the process as for any child, and the nursery may die without anybody's noticing but its owner, who
starts processes by their command from then on.

Forking needs a process of one thread: `Nursery.open` answers None where it has more, and where the system is not Linux.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import gc
import json
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
from setproctitle import setproctitle

_log = structlog.get_logger("nursery")
_PR_SET_CHILD_SUBREAPER: Final = 36
_MESSAGE_BYTES: Final = 1 << 20
_ABOVE: Final = 512  # descriptors received are put here first, out of the way of the numbers that they are to have
UNKNOWN: Final = 255  # status of a process whose end somebody else has taken


class Born:
    """A forked process, as its owner handles it: the part of `asyncio.subprocess.Process` that is needed.

    Raises:
        ProcessLookupError: from the constructor: it has ended and its end has been taken.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._fd = os.pidfd_open(pid)
        self._ended = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self._fd, self._end)

    async def wait(self) -> int:
        """Until it has ended; its exit status, or minus the signal that killed it."""
        return int(await asyncio.shield(self._ended))

    def terminate(self) -> None:
        """Send SIGTERM. Raises ProcessLookupError."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL. Raises ProcessLookupError."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.returncode is not None:
            raise ProcessLookupError(self.pid)
        signal.pidfd_send_signal(self._fd, number)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)
        try:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            _log.warning("the end of a process was taken by somebody else", pid=self.pid)
            self.returncode = UNKNOWN
        self._ended.set_result(self.returncode)


class Nursery:
    """The owner's end."""

    def __init__(self, ours: socket.socket, pid: int) -> None:
        self._ours = ours
        self._pid = pid
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    def open(cls, prepare: Callable[[], None]) -> Nursery | None:
        """Fork a nursery off this process, from its main thread; None where that cannot be done safely.

        Args:
            prepare: loads, in the nursery, what the processes will need.
        """
        if sys.platform != "linux" or len(list(Path("/proc/self/task").iterdir())) > 1:
            return None
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        _flush()
        pid = os.fork()
        if pid == 0:
            _keep(theirs, prepare)
        theirs.close()
        ours.setblocking(False)
        return cls(ours, pid)

    async def start(
        self, module: str, words: Sequence[str], *, environment: dict[str, str], output: int, passed: Sequence[int] = ()
    ) -> Born:
        """What `python -m module words…` would be.

        Args:
            output: descriptor of its standard output and error; passed: descriptors that it finds under the same numbers.

        Raises:
            OSError: the nursery is gone, or could not fork.
        """
        asked = {
            "module": module, "words": list(words), "environment": environment, "directory": str(Path.cwd()),
            "numbers": [1, 2, *passed],
        }  # fmt: skip
        await self._one_at_a_time.acquire()
        answer = asyncio.create_task(self._exchange(json.dumps(asked).encode(), [output, output, *passed]))
        try:
            return Born(await asyncio.shield(answer))
        except asyncio.CancelledError:
            answer.add_done_callback(_end_unwanted)
            raise

    async def _exchange(self, asked: bytes, descriptors: list[int]) -> int:
        """Never left half done: the next one would be given this one's answer."""
        try:
            socket.send_fds(self._ours, [asked], descriptors)
            told = await asyncio.get_running_loop().sock_recv(self._ours, _MESSAGE_BYTES)
        finally:
            self._one_at_a_time.release()
        if not told:
            raise ConnectionResetError("the nursery has ended")
        answer = json.loads(told)
        if "pid" not in answer:
            raise OSError(answer["error"])
        return int(answer["pid"])

    def close(self) -> None:
        """Let it go: it ends, and what it forked lives on."""
        self._ours.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _end_unwanted(answer: asyncio.Task[int]) -> None:
    """Whoever asked for the process was canceled meanwhile. Its end is buried as an orphan's."""
    if answer.cancelled():
        return
    if (error := answer.exception()) is not None:
        _log.warning("a process that nobody waits for any more could not be forked", error=str(error))
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(answer.result(), signal.SIGKILL)


# ----------------------------------------------------------------------------------------------- in the nursery


def _keep(theirs: socket.socket, prepare: Callable[[], None]) -> None:
    """The nursery's life: until its owner is gone. Does not return."""
    status = 1
    try:
        _become_clean(theirs.fileno())
        prepare()
        gc.collect()
        gc.freeze()  # nothing of before is looked at again, so that its pages stay shared
        status = _serve(theirs)
    except BaseException:  # noqa: BLE001 (nothing may unwind into what the owner was doing when it forked)
        traceback.print_exc()
    finally:
        _flush()
        os._exit(status)


def _become_clean(kept: int) -> None:
    """Put aside what came over from the owner by the fork: its session, signals, event loop, descriptors, garbage."""
    gc.freeze()  # an object of the owner's that was collected here would close a descriptor that is ours by then
    os.setsid()
    setproctitle("ems nursery")  # before the first change of the environment, beside which the title is kept
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    asyncio._set_running_loop(None)  # noqa: SLF001 (the owner's loop runs on, in the owner)
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    if not sys.flags.safe_path and sys.path:
        del sys.path[0]  # where the program lies or was called from: no place to load code from


def _serve(theirs: socket.socket) -> int:
    while True:
        message, descriptors, _, _ = socket.recv_fds(theirs, _MESSAGE_BYTES, 16)
        if not message:
            return 0
        try:
            answer: dict[str, Any] = {"pid": _fork_twice(theirs, json.loads(message), descriptors)}
        except OSError as error:  # no memory, no process number: the owner decides what follows
            answer = {"error": str(error)}
        for descriptor in descriptors:
            os.close(descriptor)
        theirs.send(json.dumps(answer).encode())


def _fork_twice(theirs: socket.socket, asked: dict[str, Any], descriptors: list[int]) -> int:
    """The number of a new process, whose parent has ended."""
    told, tell = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            theirs.close()
            child = multiprocessing.get_context("fork").Process(target=live, args=(asked, descriptors), name="MainProcess")
            child.start()
            os.write(tell, str(child.pid).encode())
        finally:
            os._exit(0)
    os.close(tell)
    os.waitpid(between, 0)
    with os.fdopen(told, "rb") as reading:
        pid = reading.read()
    if not pid:
        raise OSError("a process could not be forked")
    return int(pid)


def live(asked: dict[str, Any], descriptors: list[int]) -> None:
    """In a new process: become what was asked for, and run it.

    Args:
        asked: the module that `python -m` would run, its words, its whole environment and directory, and the numbers under
            which it finds the descriptors; descriptors: as many. Others are closed; without a 0 its standard input is empty.
    """
    os.setsid()
    os.chdir(asked["directory"])
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _ABOVE) for descriptor in descriptors]
    os.closerange(3, _ABOVE)
    high.insert(0, os.open(os.devnull, os.O_RDONLY))
    for number, descriptor in zip([0, *asked["numbers"]], high, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(asked["environment"])
    tempfile.tempdir = None  # chosen anew, by this environment
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    setproctitle(" ".join((Path(sys.executable).name, "-m", asked["module"], *asked["words"])))
    sys.argv = [asked["module"], *asked["words"]]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
