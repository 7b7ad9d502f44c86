"""What is read beside the socket: files of a table, the audit search, layouts, tickets, the past. Reading the log is logged."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict

from domain import access
from domain.event import Recorded
from ems.api import replay
from ems.api.auth import Person
from ems.api.entitled import Sieve, sieve
from ems.api.order_detail import told
from ems.api.parts import Parts, address_of
from ems.read_models.models import FOLDED
from ems.read_models.table import Table
from ems.read_models.topic import EVERYBODY, Role

AUDITORS: Final[frozenset[Role]] = frozenset({"auditor", "risk", "admin"})
LAYOUT_BYTES_MAX: Final = 262_144
LAYOUTS_MAX: Final = 100
_SEARCHED_MAX: Final = 200_000  # events that one search looks at
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_Seq = Annotated[int, Query(ge=0, le=2**62)]
_Path = Annotated[str, PathParameter(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9 ._-]+$")]


class Layout(BaseModel):
    """What a browser wants to find again, as it made it."""

    model_config = ConfigDict(extra="forbid")
    body: Any = None


def routes(parts: Parts) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api", tags=["reads"])
    _files(router, parts)
    _past(router, parts)
    _layouts(router, parts)
    return router


def _files(router: APIRouter, parts: Parts) -> None:
    @router.get("/export/{topic}.csv", summary="A table as a file", response_class=Response)
    async def export(
        request: Request, topic: str, filter_: Annotated[str, Query(alias="filter", max_length=2000)] = "{}"
    ) -> Response:
        person = await parts.anyone(request)
        table, passing = await _table(parts, request, person, topic, filter_)
        await parts.feed.fresh(topic)
        names = [column.name for column in table.topic.columns if not column.hidden]
        rows = [row for key in table.ids() if (row := table.row(key)) is not None and passing.passes(row)]
        await _logged(parts, person, f"export of {topic} with {filter_}", len(rows))
        text = await asyncio.to_thread(_csv, names, [[row[table.topic.place(name)] for name in names] for row in rows])
        headers = {"Content-Disposition": f'attachment; filename="{topic}.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    @router.get("/log", summary="Search the events")
    async def search(
        request: Request, from_: Annotated[int, Query(alias="from", ge=0, le=2**62)] = 0, to: _Seq = 0,
        q: Annotated[str, Query(max_length=200)] = "", limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> dict[str, Any]:  # fmt: skip
        person = await parts.one_of(request, AUDITORS)
        found, reached = await _search(parts, from_, to or parts.feed.models.seq, q.lower(), limit)
        await _logged(parts, person, f"log from {from_} to {to or 'now'}, {q!r}", len(found))
        return {"events": found, "next": reached}

    @router.get("/tickets", summary="The algorithms' tickets, ours and brokers', as FIXatdl describes them")
    async def tickets(request: Request) -> list[dict[str, Any]]:
        await parts.one_of(request, frozenset(EVERYBODY))
        return [dict(ticket) for ticket in parts.tickets]


def _past(router: APIRouter, parts: Parts) -> None:
    @router.get("/replay/span", summary="From where to where the log reaches")
    async def span(request: Request) -> dict[str, Any]:
        await parts.anyone(request)
        return await replay.span(parts.ports.log)

    @router.get("/diff", summary="Rows of a table at one offset and another")
    async def diff(
        request: Request, topic: str, from_: Annotated[int, Query(alias="from", ge=0, le=2**62)], to: _Seq
    ) -> dict[str, Any]:
        person = await parts.anyone(request)
        _, passing = await _table(parts, request, person, topic, "{}")
        if topic not in {kind.topic.name for kind in FOLDED}:
            raise HTTPException(422, "this table is not made of events: it has no past")
        before, after = await _at(parts, from_), await _at(parts, to)
        old, new = (_rows(tables[topic], passing) for tables in (before, after))
        changed = [[old[key], new[key]] for key in new if key in old and old[key] != new[key]]
        return {
            "cols": after[topic].topic.names, "added": [new[key] for key in new if key not in old],
            "removed": [old[key] for key in old if key not in new], "changed": changed,
        }  # fmt: skip


def _layouts(router: APIRouter, parts: Parts) -> None:
    @router.get("/layouts", summary="Names of what you have saved")
    async def names(request: Request) -> list[str]:
        return await parts.gate.accounts.layouts((await parts.anyone(request)).id)

    @router.get("/layouts/{name}", summary="What you saved")
    async def layout(request: Request, name: str) -> Layout:
        person = await parts.anyone(request)
        found = await parts.gate.accounts.layout(person.id, name)
        if found is None:
            raise HTTPException(404, "nothing is saved under that name")
        return Layout(body=found)

    @router.put("/layouts/{name}", summary="Save a layout; none removes it")
    async def save(request: Request, name: _Path, layout: Layout) -> dict[str, str]:
        person = await parts.anyone(request)
        try:
            text = orjson.dumps(layout.body)  # what is no number in JSON is null in it
        except TypeError as error:
            raise HTTPException(422, "a layout is JSON") from error
        if len(text) > LAYOUT_BYTES_MAX:
            raise HTTPException(413, f"a layout has at most {LAYOUT_BYTES_MAX} bytes")
        if b"\\u0000" in text:
            raise HTTPException(422, "a layout has no NUL in it")
        accounts = parts.gate.accounts
        saved = await accounts.layouts(person.id)
        if name not in saved and len(saved) >= LAYOUTS_MAX:
            raise HTTPException(422, f"at most {LAYOUTS_MAX} layouts")
        await accounts.put_layout(person.id, name, orjson.loads(text), parts.gate.now_ns)
        return {"text": "saved" if layout.body is not None else "removed"}


# --------------------------------------------------------------------------------------------- helpers


async def _table(parts: Parts, request: Request, person: Person, topic: str, wanted: str) -> tuple[Table, Sieve]:
    table = parts.feed.models.tables.get(topic)
    if table is None or not table.topic.roles & person.roles:
        await parts.gate.records.refused(person.id, f"read {topic}", "not for these roles", address_of(request))
        raise HTTPException(404, "there is no such topic for you")
    try:
        return table, sieve(person.account, table.topic, orjson.loads(wanted))
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
        raise HTTPException(422, "a filter is a JSON object of columns and plain values") from error


async def _logged(parts: Parts, person: Person, what: str, rows: int) -> None:
    event = access.LogRead(user=person.id, what=what[:500], rows=rows)
    await parts.gate.records.say(access.key(person.id), event, actor=f"person:{person.id}")


def _csv(names: list[str], rows: list[list[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text; numbers, also negative ones, stay."""
    if isinstance(value, list):
        value = " ".join("" if one is None else str(one) for one in value)
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


async def _search(parts: Parts, from_seq: int, to_seq: int, words: str, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    found: list[dict[str, Any]] = []
    looked = 0
    async for page in parts.ports.log.read_pages(after_seq=max(0, from_seq - 1), until_seq=to_seq):
        for recorded in page:
            looked += 1
            if _matches(recorded, words):
                found.append(_line(recorded))
            if len(found) >= limit or looked >= _SEARCHED_MAX:
                return found, recorded.seq + 1
        await asyncio.sleep(0)
    return found, None


def _matches(recorded: Recorded, words: str) -> bool:
    """Does an event say a word, in its topic, its actor, its cause or its content?"""
    if not words:
        return True
    head = f"{recorded.event.TOPIC} {recorded.stream} {recorded.meta.actor} {recorded.meta.causation}".lower()
    return words in head or words in recorded.event.model_dump_json().lower()


def _line(recorded: Recorded) -> dict[str, Any]:
    line = told(recorded)
    text = orjson.dumps(line.pop("data")).decode()
    return line | {"summary": text[:400]}


async def _at(parts: Parts, seq: int) -> dict[str, Table]:
    return (await replay.at(parts.ports.log, parts.facts.name, seq)).tables


def _rows(table: Table, passing: Sieve) -> dict[str, list[Any]]:
    return {key: row for key in table.ids() if (row := table.row(key)) is not None and passing.passes(row)}
