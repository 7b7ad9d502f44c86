"""What an id names: a stream, by the key that it was made from. Only what no key leads to is looked for in every event.

Streams are named by their business keys (`domain.values.stream_id`), and what counterparties are told is the beginning of such a
name: an OrderID, an ExecID of ours and a child's ClOrdID are read backward to it. A client's ClOrdID and a venue's ExecID are
tried under each session and trade date of the log.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from domain import allocation, fill, order_list, parent_order
from domain.child_order import ROOT_LENGTH
from domain.clock_reading import Measured
from domain.errors import ConfigError
from domain.stored import StoredRow
from domain.values import StreamId
from ems.audit.source import Source

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OURS: Final = re.compile(r"[0-9A-F]{16}|[0-9A-F]{20}")  # OrderID (37), ExecID (17)
_CHILD: Final = re.compile(rf"([0-9A-Z]{{{ROOT_LENGTH}}})(?:[CR]\d+)?")
_CHILD_DIGITS: Final = 20  # of its stream's id, in the ClOrdID
_SAMPLE: Final = 300  # events at either end of the log that tell its sessions and dates
_DAYS_MAX: Final = 400
_MENTIONS: Final = 50
_KEYS: Final = (parent_order.key, fill.key, order_list.key, allocation.key)
_DAY_NS: Final = 86_400_000_000_000
_NS_MAX: Final = 2**63 - 1


class Named(NamedTuple):
    """What was asked for. how: what led to it, in words."""

    asked: str
    stream: StreamId
    topic: str  # of its first event: tells what it is
    began_seq: int
    how: str


class Hints(NamedTuple):
    """Sessions and trade dates under which ids may have been used."""

    sessions: frozenset[str]
    dates: frozenset[str]
    hosts: frozenset[str] = frozenset()  # whose clocks were looked at


async def hints(source: Source, sessions: Collection[str] = ()) -> Hints:
    """From the configuration's sessions and both ends of the log."""
    head = (await source.head()).seq
    seqs = {*range(1, min(head, _SAMPLE) + 1), *range(max(1, head - _SAMPLE), head + 1)}
    known, dates, times, hosts = set(sessions), set[str](), list[int](), set[str]()
    for row in await source.rows(seqs):
        told = json.loads(row.state)
        data = told["data"]
        known.update(data[name] for name in ("session", "client_session", "venue_session") if isinstance(data.get(name), str))
        if isinstance(data.get("trade_date"), str):
            dates.add(data["trade_date"])
        if row.topic == Measured.TOPIC:
            hosts.add(data["host"])
        times += [time_ns for time_ns in (row.recorded_time_ns, told["meta"]["event_time_ns"]) if 0 < time_ns < _NS_MAX]
    return Hints(frozenset(known - {""}), frozenset(dates | set(_days(sorted(times)))), frozenset(hosts))


def _days(times: list[int]) -> Iterator[str]:
    """Days around the events seen; of a long log those near its ends."""
    near = sorted({time_ns // _DAY_NS + step for time_ns in times for step in (-1, 0, 1)})
    if near and near[-1] - near[0] <= _DAYS_MAX:
        near = list(range(near[0], near[-1] + 1))
    for day in near:
        yield (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()


async def locate(source: Source, asked: str, known: Hints) -> Named:
    """The stream that an id names.

    Raises:
        ConfigError: nothing has this id, or several things have.
    """
    head = (await source.head()).seq
    async for how, streams in _by_key(source, asked, known):
        found = _first_of(await source.streams(streams, head)) if streams else []
        if found:
            return _one(asked, found, how)
    rows = await source.mentioning(json.dumps(asked, ensure_ascii=False).encode(), head, _MENTIONS)
    if not rows:
        raise ConfigError(
            f"the {source.name} knows no {asked!r}: no order, execution, quote, decision or other stream has this id"
        )
    named = [row for row in rows if _names(row, asked)] or rows
    begun = _first_of(await source.streams({row.stream for row in named}, head))
    return _one(asked, begun, "looked for in every event")


async def _by_key(source: Source, asked: str, known: Hints) -> AsyncIterator[tuple[str, list[StreamId]]]:
    if _UUID.fullmatch(asked.lower()):
        yield "it is a stream", [StreamId(asked.lower())]
    if _OURS.fullmatch(asked):
        yield "the first digits of a stream", await source.beginning(asked.lower())
    if (child := _CHILD.fullmatch(asked)) is not None:
        digits = f"{int(child[1], 36):0{_CHILD_DIGITS}x}"
        if len(digits) == _CHILD_DIGITS:
            yield "a child's ClOrdID, read backward to its stream", await source.beginning(digits)
    keys = [key(session, date, asked) for session in known.sessions for date in known.dates for key in _KEYS]
    yield "the key of session, trade date and id", keys


def _first_of(rows: list[StoredRow]) -> list[StoredRow]:
    """The first event of each stream."""
    first: dict[StreamId, StoredRow] = {}
    for row in rows:
        first.setdefault(row.stream, row)
    return list(first.values())


_OWN_IDS: Final = ("cl_ord_id", "exec_id", "order_id", "list_id", "alloc_id", "run")


def _names(row: StoredRow, asked: str) -> bool:
    """Is the text an id of the event's own, not one that it tells of somebody else?"""
    data = json.loads(row.state)["data"]
    return any(data.get(name) == asked for name in _OWN_IDS)


def _one(asked: str, begun: list[StoredRow], how: str) -> Named:
    if len(begun) > 1 and how.startswith("looked"):  # an order and what hangs on it say the same id: the order is meant
        orders = [row for row in begun if row.topic.partition(".")[0] in ("parent_order", "child_order", "fill", "quote")]
        begun = sorted(orders, key=lambda row: row.seq)[:1] or begun[:1]
    if len(begun) > 1:
        places = ", ".join(f"{row.topic.partition('.')[0]} {row.stream} of event {row.seq}" for row in begun[:6])
        raise ConfigError(f"{asked!r} names {len(begun)} things: {places}; ask for one of these streams")
    row = begun[0]
    return Named(asked, row.stream, row.topic, row.seq, how)
