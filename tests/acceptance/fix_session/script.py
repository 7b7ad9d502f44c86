"""A case as a script, one action a line, and the player that acts it against a session.

========================  =====================================================================================
``connect 2``             open a connection (an initiator is waited for); later lines act on it
``again A 141=Y``         the same, and send this, as often as it takes until the connection is not simply ended
``use 1``                 later lines act on this connection
``logon 108=1``           both Logons, whoever is first; the fields are those of ours
``> D 11=A1|54=Z|-44``    send; fields replace those of the template, or come after them; -44 takes one out,
                          +55=X says a tag twice
``raw 35=0|34=2|...``     send these fields and no others; 9 and 10 are computed unless written
``< 3 371=54|373=5``      the next message; a value may be ``*`` (any), ``-`` (absent) or ``~text`` (holds this text)
``.. 1 112=*``            the same, heartbeats before it passed over
``closed``                the connection ends, and nothing came before
``gone``                  the connection ends; a Logout or a Reject may come before
``alone 5``               for so many seconds our side does not connect
``drop``                  cut the connection
``number 9``              the next number that we send
``took 2``                our side made what it received under this number durable, once
``say A1``                have our side send an application message: an answer to an order, or a query to a venue
========================  =====================================================================================

In a value ``@-180`` is a time 180 seconds ago, ``{us}`` and ``{them}`` are the CompIDs, ``{begin}`` is BeginString
and ``{other}`` that of another version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from tests.acceptance.fix_session.versions import Version
from tests.acceptance.fix_session.wire import WAIT_S, Broken, Field, Message, Wire, frame, stamp

HEADER = ("43", "97", "115", "116", "144", "128", "129", "145", "122", "50", "57")
REASON_MAX_42 = 11  # SessionRejectReason (373) ends there in FIX 4.2: what came later is said in words alone
CONNECTIONS_MAX, CONNECT_AGAIN_S = 4, 0.2
Role = Literal["acceptor", "initiator"]


class System(Protocol):
    """Our side, as a case sees it."""

    async def connect(self, session: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection with a session of ours, whichever of the two opens it."""

    async def settled(self, session: str) -> None:
        """Return when the session's first Logon is known to all of our side."""

    async def took(self, session: str, number: int) -> int:
        """How many durable events name an inbound message as their cause. Raises TimeoutError for none."""

    async def query(self, session: str, cl_ord_id: str) -> None:
        """Have the desk send a status query on a venue session."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its number in the test case document ("own" where it has none), what it is about, its script.

    Attributes:
        roles: the sides of ours that it is played against.
        heart_bt_int_s: HeartBtInt of the Logon (of our configuration, where we are the initiator).
        config: what the session's configuration has beside the usual.
        rules: the same of its rules; "{later}" and "{last}" are times of day that are not now.
    """

    number: str
    title: str
    script: str
    roles: tuple[Role, ...] = ("acceptor", "initiator")
    heart_bt_int_s: int = 30
    config: tuple[tuple[str, object], ...] = ()
    rules: tuple[tuple[str, object], ...] = ()

    @property
    def name(self) -> str:
        return f"{self.number} {self.title}"


class Player:
    """Plays one case against one session."""

    def __init__(self, case: Case, role: Role, version: Version, system: System, session: str) -> None:
        self._case, self._role, self._version, self._system, self._session = case, role, version, system, session
        self._wires: dict[str, Wire] = {}
        self._current = "1"
        self._number = 1
        self._connections_left = CONNECTIONS_MAX
        self._verbs: dict[str, Callable[[str], Awaitable[None]]] = {
            "connect": self._connect, "again": self._again, "use": self._use, "logon": self._logon, "closed": self._closed,
            "gone": self._gone, "alone": self._alone, "drop": self._drop, ">": self._send, "raw": self._raw,
            "<": self._expect, "..": self._expect_later, "number": self._set_number, "took": self._took, "say": self._say,
        }  # fmt: skip

    async def play(self) -> None:
        """Raises Broken, naming the line, where our side does not do what the case says."""
        lines = [line.strip() for line in self._case.script.strip().splitlines()]
        try:
            for at, line in enumerate(lines):
                verb, _, rest = line.partition(" ")
                try:
                    await self._verbs[verb](rest)
                except (Broken, TimeoutError, OSError) as error:
                    marked = [f"{'>>' if i == at else '  '} {text}" for i, text in enumerate(lines)]
                    raise Broken("\n".join([f"{error or type(error).__name__}", *marked])) from error
        finally:
            for wire in self._wires.values():
                await wire.close()

    # ---------------------------------------------------------------------------------------- connections

    @property
    def _wire(self) -> Wire:
        return self._wires[self._current]

    async def _connect(self, number: str) -> None:
        self._current = number or "1"
        if self._current in self._wires:
            await self._wire.close()
        reader, writer = await self._system.connect(self._session)
        self._wires[self._current] = Wire(reader, writer, us=self._session, them="EMS", begin=self._version.begin_string)

    async def _again(self, text: str) -> None:
        number = self._number
        async with asyncio.timeout(WAIT_S):
            while True:
                await self._connect("")
                await self._send(text)
                if await self._wire.answered():
                    return
                await self._wire.close()
                self._number = number

    async def _use(self, number: str) -> None:
        self._current = number

    async def _logon(self, fields: str) -> None:
        await self._connect("")
        if self._role == "acceptor":
            await self._send(f"A {fields}")
            await self._expect("A 98=0|108=" + str(self._case.heart_bt_int_s))
        else:
            await self._expect("A 98=0|108=" + str(self._case.heart_bt_int_s))
            await self._send(f"A {fields}")

    async def _closed(self, _: str) -> None:
        message = await self._wire.receive()
        if message is not None:
            raise Broken(f"not the end, but {message}")

    async def _gone(self, _: str) -> None:
        while (message := await self._wire.receive()) is not None:
            if message.get("35") not in ("3", "5"):
                raise Broken(f"not the end, but {message}")

    async def _alone(self, seconds: str) -> None:
        try:
            async with asyncio.timeout(float(seconds)):
                await self._connect("")
        except TimeoutError:
            return
        raise Broken("it connects again")

    async def _drop(self, _: str) -> None:
        await self._wire.close()

    # ------------------------------------------------------------------------------------------ messages

    async def _set_number(self, number: str) -> None:
        self._number = int(number)

    async def _send(self, text: str) -> None:
        msg_type, _, said = text.partition(" ")
        if self._role == "acceptor" and msg_type in ("app", "D", "8"):
            await self._system.settled(self._session)
        fields = self._template(msg_type)
        for tag, value in _fields(said):
            places = [i for i, (known, _) in enumerate(fields) if known == tag]
            if tag.startswith("-") and not value:
                fields = [field for field in fields if field[0] != tag[1:]]
            elif places:
                fields[places[0]] = (tag, value)
            else:
                fields.append((tag.removeprefix("+"), value))
        header = [field for field in fields if field[0] in HEADER]
        body = [field for field in fields if field[0] not in HEADER]
        if not any(tag == "34" for tag, _ in _fields(said)):
            body = [(tag, str(self._number) if tag == "34" else value) for tag, value in body]
            self._number += 1
        start = next(i for i, (tag, _) in enumerate(body) if tag == "56") + 1
        self._wire.write(frame([(tag, self._value(value)) for tag, value in [*body[:start], *header, *body[start:]]]))

    async def _raw(self, text: str) -> None:
        self._wire.write(frame([(tag, self._value(value)) for tag, value in [("8", "{begin}"), *_fields(text)]]))

    def _template(self, msg_type: str) -> list[Field]:
        body = {
            "A": f"98=0|108={self._case.heart_bt_int_s}" + (f"|{self._version.logon}" if self._version.logon else ""),
            "D": self._version.order,
            "8": self._version.report,
            "app": self._version.order if self._role == "acceptor" else self._version.report,
        }.get(msg_type, "")
        if msg_type == "app":
            msg_type = "D" if self._role == "acceptor" else "8"
        body = body.replace("{id}", f"A{self._number}").replace("{now}", "@0")
        head = [("8", "{begin}"), ("35", msg_type), ("34", ""), ("49", "{us}"), ("52", "@0"), ("56", "{them}")]
        return head + _fields(body)

    def _value(self, text: str) -> str:
        if text.startswith("@"):
            return stamp(float(text[1:]))
        known = {"{us}": self._session, "{them}": "EMS", "{begin}": self._version.begin_string, "{other}": self._version.other}
        for name, value in known.items():
            text = text.replace(name, value)
        return text

    async def _expect(self, text: str) -> None:
        message = await self._wire.receive()
        while message is None and self._role == "acceptor" and not self._wire.heard and self._connections_left:
            message = await self._connect_again()
        if message is None:
            raise Broken(f"the connection ended, {text} was due")
        self._compare(message, text)

    async def _connect_again(self) -> Message | None:
        """Say the same on a new connection, as any client would: a few times a case, since cases end beside it all the time.

        QuickFIX's SocketMonitor closes a socket that it drops at once and reports it in its next round. An acceptor that
        takes a new connection in between gets the number of the closed one for it, and the report ends the new one unread.
        """
        self._connections_left, sent = self._connections_left - 1, self._wire.sent
        await asyncio.sleep(CONNECT_AGAIN_S)
        await self._connect(self._current)
        self._wire.write(sent)
        return await self._wire.receive()

    async def _expect_later(self, text: str) -> None:
        while True:
            message = await self._wire.receive()
            if message is None:
                raise Broken(f"the connection ended, {text} was due")
            if message.get("35") != "0" or text.startswith("0"):
                self._compare(message, text)
                return

    def _compare(self, message: Message, text: str) -> None:
        msg_type, _, wanted = text.partition(" ")
        if msg_type == "app":
            msg_type = "8" if self._role == "acceptor" else "H"
        for tag, value in [("35", msg_type), *_fields(wanted)]:
            got = message.get(tag)
            unsaid = tag == "373" and self._version.begin_string == "FIX.4.2" and int(value) > REASON_MAX_42
            if not _fits(got, "-" if unsaid else self._value(value)):
                raise Broken(f"tag {tag} is {got!r}, not {value!r}: {message}")

    # ------------------------------------------------------------------------------------------ our side

    async def _took(self, number: str) -> None:
        count = await self._system.took(self._session, int(number))
        if count != 1:
            raise Broken(f"message {number} has {count} events")

    async def _say(self, cl_ord_id: str) -> None:
        if self._role == "acceptor":
            await self._send(f"D 11={cl_ord_id}")
            await self._expect(f"8 11={cl_ord_id}")
        else:
            await self._system.query(self._session, cl_ord_id)
            await self._expect(f"H 11={cl_ord_id}")


def _fields(text: str) -> list[Field]:
    return [(tag, value) for tag, _, value in (part.partition("=") for part in text.split("|") if part)]


def _fits(got: str | None, wanted: str) -> bool:
    if wanted == "*":
        return got is not None
    if wanted == "-":
        return got is None
    if wanted.startswith("~"):
        return got is not None and wanted[1:] in got
    return got == wanted
