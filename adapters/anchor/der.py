"""As much of ASN.1's distinguished encoding as a time stamp needs."""

from __future__ import annotations

from typing import Final, NamedTuple, Self

INTEGER, BOOLEAN, OCTETS, NULL, OID, TIME, SEQUENCE, SET = 0x02, 0x01, 0x04, 0x05, 0x06, 0x18, 0x30, 0x31
_LONG: Final = 0x80


class Element(NamedTuple):
    """One value: its tag, its content, and the bytes of both with the length between them."""

    tag: int
    content: bytes
    whole: bytes

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The one value that these bytes are. Raises ValueError."""
        (found,) = cls.all_of(data)
        return found

    @classmethod
    def all_of(cls, data: bytes) -> list[Self]:
        """The values that these bytes are, one behind the other. Raises ValueError."""
        found, at = [], 0
        while at < len(data):
            begin = at + 2
            if begin > len(data):
                raise ValueError("a value without a length")
            length = data[at + 1]
            if length >= _LONG:
                begin += length - _LONG
                if not _LONG < length <= _LONG + 4:
                    raise ValueError("a length that is none")
                length = int.from_bytes(data[at + 2 : begin], "big")
            if begin + length > len(data):
                raise ValueError("a value that is cut short")
            found.append(cls(data[at], data[begin : begin + length], data[at : begin + length]))
            at = begin + length
        return found

    def parts(self, *tags: int) -> list[Element]:
        """The values inside; the first of them must have these tags. Raises ValueError."""
        inside = Element.all_of(self.content)
        if [one.tag for one in inside[: len(tags)]] != list(tags):
            raise ValueError(f"of the values inside the first are not {[hex(tag) for tag in tags]}")
        return inside

    @property
    def number(self) -> int:
        """Of an INTEGER."""
        return int.from_bytes(self.content, "big", signed=True)


def encode(tag: int, *parts: bytes) -> bytes:
    """One value of these bytes."""
    content = b"".join(parts)
    size = len(content)
    if size < _LONG:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG + len(length)]) + length + content


def integer(number: int) -> bytes:
    """An INTEGER, not negative."""
    return encode(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER in dotted form."""
    first, second, *rest = map(int, text.split("."))
    content = bytearray([first * 40 + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | _LONG)
        content += bytes(reversed(groups))
    return encode(OID, bytes(content))
