"""`python -m ems …` in milliseconds: forked from a process that has everything loaded, for the many tests that start it.

`Popen` and `run` are those of `subprocess`. A command that is this interpreter's `-m ems` or `-m tests.…`, of this source and
with nothing in its environment that matters while modules load, is forked by a process of this test run; any other is started
as ever. What a forked process is, `ems.nursery` says, and tests/ems/test_nursery.py holds it to that. Here the forking process
stays the parent, and tells of each end through a pipe; it takes the ends of orphans, as the first process of a machine does.
"""

from __future__ import annotations

import atexit
import importlib
import json
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from setproctitle import setproctitle

from ems.nursery import live

ROOT: Final = Path(__file__).resolve().parents[1]
BOOTSTRAP: Final = (
    "system", "operations", "demo", "venue", "database", "gateway", "watchdog", "sealing", "desk", "audit_watch", "tracer", "api",
    "oms", "audit", "quoter", "quote_journal", "planning", "observer", "monitor",
)  # fmt: skip
LOADED: Final = ("torch", "cvxpy", *(f"ems.bootstrap.{name}" for name in BOOTSTRAP))
AT_LOADING: Final = (
    "PYTHON",
    "NUMBA_",
    "OMP_",
    "OPENBLAS_",
    "MKL_",
    "LD_",
)  # prefixes of variables that matter while modules load
_MESSAGE_BYTES: Final = 1 << 20
_parent: socket.socket | None = None


class Popen(subprocess.Popen[Any]):
    """`subprocess.Popen`, forked where it can be."""

    _ends: int | None = None  # where the status of a forked one is read

    def __init__(self, args: Any, **options: Any) -> None:
        self._warm = _is_warm(args, options)
        super().__init__(args, **options)

    def _execute_child(self, args: Any, *rest: Any) -> None:  # type: ignore[override]
        if not self._warm:
            super()._execute_child(args, *rest)  # type: ignore[misc]
            return
        pass_fds, cwd, env = rest[3], rest[4], rest[5]
        pipes = rest[9:15]
        at = args.index("-m") + 1
        reading, writing = os.pipe()
        given = [pipe if pipe >= 0 else number for number, pipe in enumerate((pipes[0], pipes[3], pipes[5]))]
        asked = {
            "module": args[at],
            "words": [os.fspath(word) for word in args[at + 1 :]],
            "environment": dict(os.environ if env is None else env),
            "directory": os.fspath(cwd or Path.cwd()),
            "numbers": [0, 1, 2, *pass_fds],
        }
        parent = _loaded()
        socket.send_fds(parent, [json.dumps(asked).encode()], [writing, *given, *pass_fds])
        os.close(writing)
        self.pid = int(parent.recv(64))
        self._ends = reading
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._ends is None:
            return super()._try_wait(wait_flags)  # type: ignore[misc, no-any-return]
        if wait_flags & os.WNOHANG and not select.select([self._ends], [], [], 0)[0]:
            return 0, 0
        told = os.read(self._ends, 16)
        os.close(self._ends)
        return self.pid, int(told) if told else signal.SIGKILL

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        if self._ends is None:
            return super()._internal_poll()  # type: ignore[misc, no-any-return]
        with self._waitpid_lock:  # type: ignore[attr-defined]
            if self.returncode is None:
                pid, status = self._try_wait(os.WNOHANG)
                if pid:
                    self._handle_exitstatus(status)  # type: ignore[attr-defined]
        return self.returncode


def run(args: Any, *, timeout: float | None = None, check: bool = False, **options: Any) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run`, forked where it can be."""
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Popen(args, **options) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def _is_warm(args: Any, options: dict[str, Any]) -> bool:
    words = [os.fspath(word) for word in args] if isinstance(args, list | tuple) else []
    if sys.platform != "linux" or words[:1] != [sys.executable] or "-m" not in words[1:3]:
        return False
    module = words[words.index("-m") + 1]
    environment, directory = options.get("env") or os.environ, Path(options.get("cwd") or Path.cwd())
    path = environment.get("PYTHONPATH")
    return (
        (module == "ems" or module.startswith("tests."))
        and options.get("stdin") in (None, subprocess.DEVNULL, subprocess.PIPE)
        and path in (None, "", str(ROOT), os.environ.get("PYTHONPATH"))
        and (directory == ROOT or not (directory / "ems").is_dir())
        and _at_loading(environment) == _at_loading(os.environ)
    )


def _at_loading(environment: Any) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key.startswith(AT_LOADING) and key != "PYTHONPATH"}


def _loaded() -> socket.socket:
    """The connection to the process that forks: started at the first need."""
    global _parent
    if _parent is None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()
        atexit.register(process.wait)
        atexit.register(ours.close)
        _parent = ours
    return _parent


# ------------------------------------------------------------------------------------- in the process that forks


class _Forking:
    """Forks, and tells of the ends."""

    def __init__(self, asking: socket.socket) -> None:
        self._asking = asking
        self._tell: dict[int, int] = {}
        self._context = multiprocessing.get_context("fork")

    def serve(self) -> None:
        """Until the test run has ended."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready, _, _ = select.select([self._asking.fileno(), woken], [], [], 1.0)
            if woken in ready:
                os.read(woken, 4096)
            self._take_ends()
            if self._asking.fileno() in ready and not self._fork():
                return

    def _fork(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._asking, _MESSAGE_BYTES, 64)
        if not message:
            return False
        tell, *given = descriptors
        pid = os.fork()
        if pid == 0:
            self._become(json.loads(message), given)
        self._tell[pid] = tell
        for descriptor in given:
            os.close(descriptor)
        self._asking.send(str(pid).encode())
        return True

    def _become(self, asked: dict[str, Any], given: list[int]) -> None:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            status = self._context.Process(target=live, args=(asked, given), name="MainProcess")._bootstrap()  # type: ignore[attr-defined]
        finally:
            os._exit(status)

    def _take_ends(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if (tell := self._tell.pop(pid, None)) is not None:
                os.write(tell, str(status).encode())
                os.close(tell)


def main(number: str) -> None:
    """Load, and fork until the connection is closed."""
    setproctitle("tests.warm")
    for module in LOADED:
        importlib.import_module(module)
    importlib.import_module("ems.cli.entry").command()
    with socket.socket(fileno=int(number)) as asking:
        _Forking(asking).serve()


if __name__ == "__main__":
    main(sys.argv[1])
