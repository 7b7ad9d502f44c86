"""OUCH messages by name, for services that derive events from a quoter's records."""

from __future__ import annotations

from typing import Final

from adapters.ouch.messages import decode
from ems.quoting.derive import Codec, Message


def _sent(data: bytes) -> Message:
    message = decode("in", data)
    return Message(message.name, message.fields)


def _came(data: bytes) -> Message:
    message = decode("out", data)
    return Message(message.name, message.fields)


CODEC: Final = Codec(_sent, _came)
