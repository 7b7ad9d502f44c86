"""The fields of FIX market data: a message's own and those of its entries (268), and its times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

Entry = dict[str, str]
_SOH: Final = "\x01"
_NS: Final = 10**9
_ENTRY_TAGS: Final = frozenset("269 270 271 83 2446 277 5062 272 273 278 280".split())  # in whatever order
_MOMENT: Final = re.compile(r"(\d{8})-(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?", re.ASCII)


def cut_entries(text: str) -> tuple[Entry, list[Entry]]:
    """The message's own fields, and its 268 entries: an increment's begin with 279, a snapshot's with 269."""
    head: Entry = {}
    entries: list[Entry] = []
    first = "269"
    for part in text.split(_SOH):
        tag, _, value = part.partition("=")
        if tag == "279":
            first = "279"
        if tag == first:
            entries.append({tag: value})
        elif entries and (tag in _ENTRY_TAGS or (tag == "55" and first == "279")):
            entries[-1][tag] = value
        else:
            head[tag] = value
    return head, entries


def time_of(head: Entry, entry: Entry) -> int:
    """When an entry (or, without one, a message) happened, nanoseconds since 1970. Raises KeyError, ValueError without a time."""
    if "5062" in entry or "5060" in head:
        return _natural(entry.get("5062", head.get("5060", "")))
    if "273" in entry:
        return moment_ns(f"{entry.get('272', head['52'][:8])}-{entry['273']}")
    return moment_ns(head.get("60") or head["52"])


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text[:20]) >= 1 << 63:
        raise ValueError(f"{text[:20]!r} is no time in nanoseconds")
    return int(text)


def moment_ns(text: str) -> int:
    """A UTCTimestamp, up to nanoseconds, as nanoseconds since 1970. Raises ValueError for any other text."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:32]!r} is no UTCTimestamp")
    day, hour, minute, second, fraction = found.groups()
    began = datetime.strptime(f"{day}{hour}{minute}", "%Y%m%d%H%M").replace(tzinfo=UTC)
    if int(second) > 60:  # a leap second is one of the next minute
        raise ValueError(f"{text!r} has no such second")
    return (int(began.timestamp()) + int(second)) * _NS + int((fraction or "").ljust(9, "0"))
