"""Personal data that was erased: the fact remains, the person does not.

Events carry opaque subject ids. What an id stands for is encrypted under a key of that subject alone, outside of the log;
destroying the key makes it unreadable wherever copies of it lie. The log proves itself as before, for it never held it.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from domain.event import Event
from domain.values import StreamId, short_id, stream_id

SUBJECT: Final = re.compile(r"S-[0-9A-F]{24}")


class Erased(Event):
    """A subject's key was destroyed. persons: the two who agreed to it."""

    TOPIC: ClassVar[str] = "subject.erased.v1"
    subject: str
    persons: tuple[str, str]
    reason: str
    at_ns: int


class Enrolled(Event):
    """There is personal data of a subject from now on; what it is stands outside of the log. person: who put it there."""

    TOPIC: ClassVar[str] = "subject.enrolled.v1"
    subject: str
    person: str
    reason: str
    at_ns: int


EVENTS = (Enrolled, Erased)


def subject_id(nonce: bytes) -> str:
    """An id that says nothing of whose it is. nonce: 16 random bytes at least."""
    return f"S-{short_id(stream_id('subject', nonce.hex()), 24)}"


def key(subject: str) -> StreamId:
    """The stream of a subject."""
    return stream_id("subject", subject)
