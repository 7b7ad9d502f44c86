"""Whose word a command is: what the kernel says of the process at the other end of a Unix socket, and secrets for the rest.

A command names its person, and a second one where two are needed. A name is believed where it is that of the account that the
peer runs under (SO_PEERCRED, unix(7)), where the person's secret comes with the command, or where the api, with which people sign
in, vouches for the whole command (`ems.voucher`). The supervisor, whose children the
desk and the others are, has looked already at its own door, and its word is taken. On a system whose kernel says nothing of
peers everybody needs a secret.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.errors import ConfigError
from ems.persons import Persons
from ems.voucher import is_vouched, read_key

_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: pid, uid, gid
_PERSON: Final = "person:"
Said = dict[str, Any]


class Peer(NamedTuple):
    """The process at the other end, as it was when it connected. account: "" where nobody can tell."""

    pid: int
    account: str


NOBODY: Final = Peer(0, "")
Command = Callable[[Said], Awaitable[Said]]


def peer_of(descriptor: int) -> Peer:
    """Of a connected Unix socket."""
    if not hasattr(socket, "SO_PEERCRED"):
        return NOBODY
    with socket.socket(fileno=os.dup(descriptor)) as connection:  # a loop's own socket objects have no getsockopt
        pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return Peer(pid, account_of(uid))


def account_of(uid: int) -> str:
    """The name of an account, "uid-1000" for one without."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def own_account() -> str:
    """Of this process: not what its environment says, for that anybody may set."""
    return account_of(os.geteuid())


def proving(
    persons: Path, command: Command, *, relayed: bool = True, voucher_key: Path | None = None
) -> Callable[[Said, Peer], Awaitable[Said]]:
    """A command's handler behind the proof of who asks. Secrets end here: they are in no command, log or event.

    Args:
        persons: the file of `ems kill enroll`.
        relayed: is the word of this process's parent taken?
        voucher_key: the file of the key that the api vouches with; None: nobody vouches.
    """

    async def proved(question: Said, peer: Peer) -> Said:
        secrets, voucher = question.pop("secrets", {}), question.pop("voucher", None)
        taken = relayed and peer.pid == os.getppid()
        if voucher is not None:
            if why := await asyncio.to_thread(_not_vouched, question, voucher, voucher_key):
                return {"ok": False, "text": why, "reason": "not_authenticated"}
            taken = True
        why = "" if taken else await asyncio.to_thread(_unproved, question, secrets, peer, Persons(persons))
        return {"ok": False, "text": why, "reason": "not_authenticated"} if why else await command(question)

    return proved


def _not_vouched(question: Said, voucher: object, key: Path | None) -> str:
    """Why a voucher is not taken, "" if it is."""
    if key is None:
        return "nobody vouches at this door"
    try:
        return "" if is_vouched(read_key(key), question, voucher) else "the voucher is not of this command"
    except ConfigError as error:
        return f"nobody's voucher can be checked: {error}"


def _unproved(question: Said, secrets: Any, peer: Peer, persons: Persons) -> str:
    """Why a command's people are not taken for who they say they are; "" where they are."""
    named = [question.get("actor"), *([question["approver"]] if question.get("approver") is not None else [])]
    for name in named:
        if not isinstance(name, str) or not name.startswith(_PERSON):
            return "a command names its person, as person:jane"
        person = name.removeprefix(_PERSON)
        if person == peer.account:
            continue
        secret = secrets.get(person) if isinstance(secrets, dict) else None
        if not isinstance(secret, str):
            return f"{person} is not the account that asks ({peer.account or 'unknown'}), and no secret of {person} came with it"
        try:
            refusal = persons.authenticate(person, secret)
        except (ConfigError, OSError) as error:
            return f"nobody's secret can be looked up: {error}"
        if refusal is not None:
            return refusal.text
    return ""
