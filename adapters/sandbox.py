"""Network denied to this process, for ever: by the kernel where it has seccomp, else by an audit hook of the interpreter.

Under seccomp no system call makes or joins a socket any more, whatever code makes it, and no child gets the right back. Pipes
that are open stay open. The hook stops Python's own sockets alone, which is said.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from typing import Any, Final, NoReturn

SECCOMP: Final = "denied by the kernel (seccomp)"
HOOK: Final = "refused within the interpreter: this system has no seccomp"
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # classic BPF
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # of struct seccomp_data
_X32_BIT: Final = 0x40000000
# By machine: its audit architecture, and socket, connect, bind, listen, accept, accept4, sendto, sendmsg, sendmmsg, socketpair,
# io_uring_setup (include/uapi/asm-generic/unistd.h and the table of x86-64).
_CALLS: Final = {
    "x86_64": (0xC000003E, (41, 42, 49, 50, 43, 288, 44, 46, 307, 53, 425)),
    "aarch64": (0xC00000B7, (198, 203, 200, 201, 202, 242, 206, 211, 269, 199, 425)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def deny_network() -> str:
    """Deny it from now on; how, in words."""
    if sys.platform == "linux" and platform.machine() in _CALLS and _by_kernel():
        return SECCOMP
    sys.addaudithook(_refuse)
    return HOOK


def _by_kernel() -> bool:
    code = _filter(*_CALLS[platform.machine()])
    kept = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _filter(architecture: int, calls: tuple[int, ...]) -> bytes:
    """Another architecture's calls end the process; the denied ones fail with EPERM; all else passes."""
    refused = len(calls)  # instructions from the first comparison to the allowing return
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_AT_LEAST, refused + 1, 0, _X32_BIT),
        *((_JUMP_EQUAL, refused - n, 0, call) for n, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith("socket."):
        _denied(event)


def _denied(event: str) -> NoReturn:
    raise PermissionError(errno.EPERM, f"{event}: the network is denied to this process")
