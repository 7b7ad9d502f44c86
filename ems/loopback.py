"""Ports of the loopback for what is started for an hour: demo, benches, tests."""

from __future__ import annotations

import socket
from random import SystemRandom
from typing import Final

# Below what systems lend to outgoing connections: a port from there could be gone before its server has bound it.
_FIRST: Final = 20_000
_LAST: Final = 32_000


def free_ports(count: int) -> list[int]:
    """Ports that are free now, all different. Raises OSError where there are not so many."""
    chance, found = SystemRandom(), set[int]()
    for port in chance.sample(range(_FIRST, _LAST), _LAST - _FIRST):
        if len(found) == count:
            return list(found)
        if _free(port):
            found.add(port)
    raise OSError(f"no {count} free ports between {_FIRST} and {_LAST}")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]
