"""Short codes of clients, people and algorithms with what they stand for, and since when.

Orders carry short codes; regulators ask for long ones. A code's meaning is never changed under it: an algorithm's stands for one
exact code for ever, a client's or person's may be corrected, and what it stood for before stays written. People are opaque
subject ids here: their names and national ids are in the store that can be erased.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.values import StreamId, stream_id

Kind = Literal["client", "person", "algorithm"]
_LEI: Final = re.compile(r"[0-9A-Z]{18}[0-9]{2}")


class Coded(Event):
    """A short code stands for this from now on. person: who says so; approver: another, who agreed."""

    TOPIC: ClassVar[str] = "party.coded.v1"
    short_code: str
    kind: Kind
    long_code: str  # an LEI, an algorithm's designation, or a subject's opaque id
    from_ns: int
    person: str
    approver: str
    reason: str


EVENTS = (Coded,)


class Codes(NamedTuple):
    """version: of the stream. meanings: of each short code, the oldest first."""

    version: int
    meanings: Mapping[str, tuple[Coded, ...]]

    def at(self, short_code: str, at_ns: int) -> Coded | None:
        """What a code stood for at a moment."""
        found = [one for one in self.meanings.get(short_code, ()) if one.from_ns <= at_ns]
        return found[-1] if found else None


NOTHING: Final = Codes(0, {})


def key() -> StreamId:
    """The one stream."""
    return stream_id("party")


def fold(events: Iterable[Event]) -> Codes:
    """The codes from their events in order."""
    meanings: dict[str, tuple[Coded, ...]] = {}
    version = 0
    for event in events:
        assert isinstance(event, Coded), event.TOPIC
        meanings[event.short_code] = (*meanings.get(event.short_code, ()), event)
        version += 1
    return Codes(version, meanings)


def code(
    state: Codes, short_code: str, kind: Kind, long_code: str, *, person: str, approver: str, reason: str, at_ns: int
) -> Coded | str:
    """A code's meaning, or in a sentence why it cannot be that."""
    if not short_code.strip() or not long_code.strip() or not reason.strip():
        return "a code, what it stands for, and a reason are needed"
    if person == approver:
        return f"{person} says so already: a second, different person must agree"
    if kind == "client" and not _LEI.fullmatch(long_code):
        return f"{long_code!r} is no LEI: eighteen letters or digits and two check digits"
    known = state.meanings.get(short_code, ())
    if known and known[-1].kind != kind:
        return f"{short_code} is of a kind that never changes: {known[-1].kind}, not {kind}"
    if known and kind == "algorithm":
        return f"{short_code} stands for {known[-1].long_code} for ever: other code has another designation"
    if kind == "algorithm" and (of := _holder(state, long_code)):
        return f"{long_code} is {of} already"
    return Coded(
        short_code=short_code, kind=kind, long_code=long_code, from_ns=at_ns, person=person, approver=approver, reason=reason
    )  # fmt: skip


def _holder(state: Codes, long_code: str) -> str:
    return next((short for short, told in state.meanings.items() if told[-1].long_code == long_code), "")
