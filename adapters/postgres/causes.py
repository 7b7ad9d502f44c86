"""Which events a message caused: found in the stored metadata, by session and number.

There is no index: appending would pay for it with every event, and the question is a person's. The database looks
through the stored bytes itself, so that only what was found travels.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pydantic_core import to_json

from adapters.postgres.connection import connect, translated
from adapters.postgres.packed_rows import COLUMNS
from domain.event import InboundRef, Recorded, Topics
from domain.stored import Decoder

_REST_BYTES: Final = 48  # two numbers, a comma and the bracket after them
_CAUSED: Final = f"""
SELECT {COLUMNS} FROM (SELECT *, position(%(session)s::bytea IN state) AS at FROM events) AS located
 WHERE at > 0
   AND split_part(encode(substring(state FROM at + %(length)s::int FOR {_REST_BYTES}), 'escape'), ']', 1) = ANY(%(numbers)s)
 ORDER BY seq
"""
_BY_SEQ: Final = f"SELECT {COLUMNS} FROM events WHERE seq = ANY(%(seqs)s) ORDER BY seq"


async def caused_by(dsn: str, topics: Topics, session: str, refs: Collection[InboundRef]) -> list[Recorded]:
    """The events that messages of one session caused, in order.

    Raises:
        LogUnavailable: the database cannot be reached.
    """
    begin = b'"inbound":[' + to_json(session) + b","
    numbers = [f"{ref.reset_epoch},{ref.msg_seq_num}" for ref in refs]
    return await _events(dsn, topics, _CAUSED, {"session": begin, "length": len(begin), "numbers": numbers})


async def by_seq(dsn: str, topics: Topics, seqs: Collection[int]) -> list[Recorded]:
    """The events with these sequence numbers that there are, in order. Raises as `caused_by`."""
    return await _events(dsn, topics, _BY_SEQ, {"seqs": list(seqs)})


async def _events(dsn: str, topics: Topics, query: str, parameters: dict[str, object]) -> list[Recorded]:
    async with await connect(dsn, "causes") as connection, connection.cursor(binary=True) as cursor:
        with translated():
            await cursor.execute(query, parameters)
            rows = await cursor.fetchall()
    return list(Decoder(topics).recorded(rows))
