"""Numbers, identifiers and the FIX vocabulary that every stream shares.

Prices, quantities and money are integers at 1e-9 (suffix ``_e9``); times are integer nanoseconds
UTC (suffix ``_ns``). Decimal exists only at the FIX and screen edge: `to_e9` and `from_e9` are that edge.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from hashlib import sha1
from typing import Final, NewType

from domain.errors import NumberError

E9: Final = 1_000_000_000
E9_MAX: Final = 2**63 - 1  # what a bigint column and an int64 hold: nine figures before the point

# Ids are UUIDs (RFC 9562, version 5) as text: `uuid.UUID` hashes and compares in Python code, which a fold does all the time.
StreamId = NewType("StreamId", str)
EventId = NewType("EventId", str)
_NAMESPACE: Final = bytes.fromhex("6f1d6c9e3c1b5f0e9a5552f0b4a1c001")


class Side(StrEnum):
    __hash__ = str.__hash__  # Enum's own is a Python function

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class ScopeKind(StrEnum):
    """What a limit or a kill switch is about. An order is in one scope of each kind, or in none where the id is not known."""

    __hash__ = str.__hash__  # Enum's own is a Python function

    FIRM = "firm"
    DESK = "desk"
    TRADER = "trader"
    ACCOUNT = "account"
    CLIENT = "client"  # the client's FIX session
    STRATEGY = "strategy"  # an algorithm of ours or a broker's, "direct" for an order without one
    INSTRUMENT = "instrument"
    VENUE = "venue"


class OrdType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    PEGGED = "pegged"

    @property
    def priced(self) -> bool:
        """Does it need a limit price?"""
        return self in (OrdType.LIMIT, OrdType.STOP_LIMIT)

    @property
    def held(self) -> bool:
        """Does it wait for a stop price?"""
        return self in (OrdType.STOP, OrdType.STOP_LIMIT)


class TimeInForce(StrEnum):
    DAY = "day"
    IOC = "ioc"
    GTC = "gtc"
    FOK = "fok"
    GTD = "gtd"
    AT_THE_OPENING = "at_the_opening"
    AT_THE_CLOSE = "at_the_close"


class Algo(StrEnum):
    TWAP = "twap"
    VWAP = "vwap"
    POV = "pov"
    AC = "ac"  # Almgren-Chriss
    ADAPTIVE = "adaptive"  # by what the world model foresees
    MANUAL = "manual"  # a person: nothing leaves but what a person has placed, split or routed
    DIRECT = "direct"  # no algorithm: one child carries the order to its venue as it is


def to_e9(number: Decimal | str | int) -> int:
    """Exact fixed-point value of a decimal number.

    Raises:
        NumberError: not a finite number, finer than 1e-9, or beyond a signed 64-bit integer.
    """
    try:
        scaled = Decimal(number).scaleb(9)
    except (ArithmeticError, ValueError, TypeError) as cause:
        raise NumberError(f"{number!r} is not a decimal number") from cause
    if not scaled.is_finite():
        raise NumberError(f"{number!r} is not finite")
    if scaled.copy_abs() > E9_MAX:
        raise NumberError(f"{number!r} is too large")
    value = int(scaled)
    if value != scaled:
        raise NumberError(f"{number!r} is finer than 1e-9")
    return value


def from_e9(value_e9: int) -> Decimal:
    """The decimal number behind a fixed-point value, without trailing zeros. Write it with format "f": Decimal itself
    shows less than 0.000001 with an exponent.
    """
    whole, fraction = divmod(abs(value_e9), E9)
    digits = f"{whole}.{fraction:09d}".rstrip("0").rstrip(".")
    return Decimal(f"-{digits}" if value_e9 < 0 else digits)


def multiply_e9(price_e9: int, quantity_e9: int) -> int:
    """price x quantity at 1e-9, rounded half to even (exact whenever the product has nine decimals)."""
    return divide_round(price_e9 * quantity_e9, E9)


def divide_round(numerator: int, denominator: int) -> int:
    """Integer division rounded half to even. Raises ZeroDivisionError."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if abs(twice) > abs(denominator) or (abs(twice) == abs(denominator) and quotient & 1):
        quotient += 1
    return quotient


def stream_id(kind: str, *key: str) -> StreamId:
    """The stream of a business key: the same key is the same stream, so a repeat collides by construction."""
    return StreamId(_uuid5(_NAMESPACE, "\x1f".join((kind, *key)).encode()))


def event_id(stream: StreamId, version: int) -> EventId:
    """The id of the event at one place of one stream: deterministic, so reports derived from it are too."""
    return EventId(_uuid5(id_bytes(stream), b"%d" % version))


def id_bytes(identifier: StreamId | EventId) -> bytes:
    """The 16 bytes behind the text of an id. Raises ValueError where it is not one."""
    return bytes.fromhex(identifier.replace("-", ""))


def short_id(identifier: StreamId | EventId, digits: int) -> str:
    """The first hexadecimal digits of an id, in capitals: what counterparties are told in its stead."""
    return identifier.replace("-", "")[:digits].upper()


def _uuid5(namespace: bytes, name: bytes) -> str:
    """As str(uuid.uuid5(...)), worked out here because every order, fill and event needs one and it takes a third."""
    digits = sha1(namespace + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
