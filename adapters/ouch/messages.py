"""OUCH messages for people, tests and the venue: bytes to named fields and back, by the table in `adapters.ouch.layout`.

Reading then writing gives the same bytes, but for an appendage of no options that the message need not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.ouch.layout import LAYOUTS, NAMES, Field, Layout, Option, Way
from domain.errors import LinkError

Value = int | str
_LENGTH: Final = 2
_OPTION_MAX: Final = 254


@dataclass(frozen=True, slots=True)
class Message:
    """name: as in the table. fields: numbers as int, text without the spaces behind it. options: (tag, value), in order; tags
    that nobody knows among them."""

    name: str
    fields: Mapping[str, Value]
    options: tuple[tuple[int, bytes], ...] = ()

    def number(self, name: str) -> int:
        """A field that holds a number."""
        value = self.fields[name]
        assert isinstance(value, int)
        return value

    def text(self, name: str) -> str:
        """A field that holds text."""
        value = self.fields[name]
        assert isinstance(value, str)
        return value

    def option(self, tag: Option) -> bytes:
        """The first value under a tag, b"" without."""
        return next((value for each, value in self.options if each == tag), b"")


def encode(way: Way, message: Message) -> bytes:
    """A message's bytes, without a frame.

    Raises:
        LinkError: no such message, a field that is missing, too many, too long or too large, an option that is too long.
    """
    layout = NAMES[way].get(message.name)
    if layout is None:
        raise LinkError(f"OUCH has no message {message.name!r} {way}wards")
    names = {field.name for field in layout.fields}
    if names != message.fields.keys():
        raise LinkError(f"{message.name}: {sorted(names ^ message.fields.keys())} are missing or too many")
    body = layout.letter.encode() + b"".join(_put(field, message.fields[field.name]) for field in layout.fields)
    options = b"".join(_option(tag, value) for tag, value in message.options)
    if len(options) > 0xFFFF:
        raise LinkError(f"{message.name}: its options are longer than an appendage can be")
    return body + (len(options).to_bytes(_LENGTH, "big") + options if options or layout.closed else b"")


def decode(way: Way, data: bytes) -> Message:
    """What the bytes say. Raises LinkError for what is no message of that way."""
    layout = LAYOUTS[way].get(chr(data[0])) if data else None
    if layout is None:
        raise LinkError(f"no OUCH message begins with {data[:1]!r}")
    rest = data[layout.size :]
    if len(data) < layout.size or (rest and len(rest) != _LENGTH + int.from_bytes(rest[:_LENGTH], "big")):
        raise LinkError(f"{layout.name}: {len(data)} bytes are no such message")
    return Message(layout.name, {field.name: _get(field, data) for field in layout.fields}, _options(layout, rest[_LENGTH:]))


def _put(field: Field, value: Value) -> bytes:
    if isinstance(value, int) and field.kind == "u" and 0 <= value < 1 << (8 * field.width):
        return value.to_bytes(field.width, "big")
    if isinstance(value, str) and field.kind == "a":
        data = value.encode("latin-1", "replace")
        if len(data) <= field.width and len(value) == len(data):
            return data.ljust(field.width)
    raise LinkError(f"{field.name}: {value!r} does not fit into {field.width} bytes")


def _get(field: Field, data: bytes) -> Value:
    part = data[field.at : field.at + field.width]
    return int.from_bytes(part, "big") if field.kind == "u" else part.decode("latin-1").rstrip(" ")


def _option(tag: int, value: bytes) -> bytes:
    if not 0 <= tag <= 255 or len(value) > _OPTION_MAX:
        raise LinkError(f"option {tag} of {len(value)} bytes does not fit")
    return bytes((len(value) + 1, tag)) + value


def _options(layout: Layout, data: bytes) -> tuple[tuple[int, bytes], ...]:
    found, at = [], 0
    while at < len(data):
        after = at + 1 + data[at]
        if data[at] == 0 or after > len(data):
            raise LinkError(f"{layout.name}: an option ends behind its appendage")
        found.append((data[at + 1], data[at + 2 : after]))
        at = after
    return tuple(found)
