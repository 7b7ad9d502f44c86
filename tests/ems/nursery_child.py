"""What a forked process finds around itself, written to its standard output; it then does as it is told."""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def main(word: str, *numbers: str) -> None:
    found = {
        "main": sys.modules["__main__"].__spec__.name,
        "words": sys.argv[1:],
        "parent": os.getppid(),
        "leads": os.getsid(0) == os.getpid(),
        "environment": dict(os.environ),
        "stdin": sys.stdin.read(),
        "open": sorted(number for name in os.listdir("/proc/self/fd") if _is_open(number := int(name))),  # noqa: PTH208
        "read": [os.read(int(number), 100).decode() for number in numbers],
        "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "terminate": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "loaded": "ems.bootstrap.runtime" in sys.modules,
    }
    print(json.dumps(found), flush=True)
    if word == "wait":
        time.sleep(60)
    print("it is over", file=sys.stderr)
    sys.exit(3)


def _is_open(number: int) -> bool:
    """Not the one with which the folder is being read."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
