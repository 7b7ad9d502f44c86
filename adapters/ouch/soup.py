"""SoupBinTCP packets: a two-byte length, a letter, a payload. Source: Nasdaq SoupBinTCP 3.00 and 4.1 specifications.

| letter | from | payload |
|---|---|---|
| L | client | user name (6), password (10), session (10), number of the first message wanted (20), [heartbeat timeout (5)] |
| A J | server | login accepted: session (10), next number (20); refused: reason (1), A not authorised, S no such session |
| S | server | a message of the sequenced stream; its number is one more than the one before |
| U | both | a message that is not numbered: all that a client sends |
| H R | server, client | a heartbeat, where nothing else was sent for a second |
| Z O | server, client | the session is over; the client logs out |
| + | both | text for people |

Text is left-justified, numbers are digits behind spaces. The heartbeat timeout, in milliseconds, came with 4.1: how long a
server waits for a silent client; a login without it is as good.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.errors import LinkError

HEARTBEAT_S: Final = 1.0
PATIENCE_S: Final = 15.0  # after which an end that has said nothing counts as gone
NOT_AUTHORISED, NO_SESSION = "A", "S"
_LOGIN: Final = (6, 10, 10, 20, 5)
_SHORT: Final = sum(_LOGIN[:4])
_ACCEPTED: Final = (10, 20)


class Login(NamedTuple):
    """A request to log on. session "": the current one. number: of the first message wanted, 0 for the next new one."""

    username: str
    password: str
    session: str = ""
    number: int = 1
    patience_ms: int = 0  # 0: not said


def packet(letter: bytes, payload: bytes = b"") -> bytes:
    """A packet's bytes."""
    return (len(payload) + 1).to_bytes(2, "big") + letter + payload


def login_packet(login: Login) -> bytes:
    """L. Raises LinkError for a name, password or session that does not fit."""
    parts = [login.username, login.password, login.session]
    fields = [_text(text, width) for text, width in zip(parts, _LOGIN, strict=False)] + [_digits(login.number, 20)]
    if login.patience_ms:
        fields.append(_digits(login.patience_ms, 5))
    return packet(b"L", b"".join(fields))


def read_login(payload: bytes) -> Login:
    """The payload of an L. Raises LinkError for what is none."""
    if len(payload) not in (_SHORT, sum(_LOGIN)):
        raise LinkError(f"a login of {len(payload)} bytes")
    name, password, session, number, patience = _split(payload, _LOGIN)
    return Login(_word(name), _word(password), _word(session), _number(number), _number(patience))


def accepted_packet(session: str, next_number: int) -> bytes:
    """A."""
    return packet(b"A", session.encode("ascii").rjust(10) + _digits(next_number, 20))


def read_accepted(payload: bytes) -> tuple[str, int]:
    """Session and next number of an A. Raises LinkError for what is none."""
    if len(payload) != sum(_ACCEPTED):
        raise LinkError(f"an accepted login of {len(payload)} bytes")
    session, number = _split(payload, _ACCEPTED)
    return _word(session), _number(number)


def _split(payload: bytes, widths: tuple[int, ...]) -> list[bytes]:
    ends = [sum(widths[: i + 1]) for i in range(len(widths))]
    return [payload[end - width : end] for end, width in zip(ends, widths, strict=True)]


def _text(text: str, width: int) -> bytes:
    if not text.isascii() or len(text) > width:
        raise LinkError(f"{text!r} does not fit into {width} characters")
    return text.encode("ascii").ljust(width)


def _digits(number: int, width: int) -> bytes:
    data = str(number).encode("ascii").rjust(width)
    if number < 0 or len(data) > width:
        raise LinkError(f"{number} does not fit into {width} digits")
    return data


def _word(data: bytes) -> str:
    return data.decode("latin-1").strip(" ")


def _number(data: bytes) -> int:
    text = data.decode("latin-1").strip(" ")
    if text and not (text.isascii() and text.isdecimal()):
        raise LinkError(f"{data!r} is no number")
    return int(text or "0")
