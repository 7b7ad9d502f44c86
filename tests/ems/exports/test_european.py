"""RTS 24, RTS 6 and RTS 22: in UTC, decimals rounded, by the schemas in the repository, and every field with its source."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from domain.values import E9
from ems.exports.book import Book
from ems.exports.european import RTS6_IN, RTS6_OUT, RTS24
from ems.exports.european_rows import RTS22_COLUMNS, RTS22_SOURCES, European, Row
from ems.exports.formats import rounded, utc
from ems.exports.parties import Models, designation
from tests.ems.direct import working
from tests.ems.exports.days import SETTINGS, busy_day, facts
from tests.ems.room import Room

SCHEMAS = Path(__file__).parents[3] / "adapters" / "exports" / "schemas"


async def rows(room: Room) -> dict[str, list[Row]]:
    book, models = Book(), Models()
    made = European(SETTINGS, book, models)
    found: dict[str, list[Row]] = {"rts24": [], "rts6_incoming": [], "rts6_outgoing": [], "rts22_source": []}
    for fact in await facts(room):
        book.apply(fact)
        models.apply(fact)
        for name, tell in zip(found, (made.orders, made.incoming, made.outgoing, made.transactions), strict=True):
            found[name] += tell(fact)
    return found


async def test_every_row_passes_its_schema() -> None:
    headings = {
        "rts24": [c.heading for c in RTS24], "rts6_incoming": [c.heading for c in RTS6_IN],
        "rts6_outgoing": [c.heading for c in RTS6_OUT], "rts22_source": list(RTS22_COLUMNS),
    }  # fmt: skip
    for name, found in (await rows(await busy_day())).items():
        validator = jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
        assert found
        for row in found:
            validator.validate(dict(zip(headings[name], row, strict=True)))


async def test_an_orders_events_with_who_decided_and_who_executed() -> None:
    found = (await rows(await busy_day()))["rts24"]
    assert [row[20] for row in found[:6]] == ["NEWO", "PARF", "REME", "REMO", "CAME", "NEWO"]
    first, child = found[0], next(row for row in found if row[4].startswith("TWAPX"))
    assert (first[0], first[3], first[4], first[6]) == ("529900T8BM49AURSDO55", "client:OMS", "NORE", "AOTC")
    assert (child[3], child[4], child[31]) == ("client:OMS", "TWAPXTEST", "BUYI")
    assert first[8] == "2026-03-02T15:00:00.000000Z" and int(found[1][14]) > int(first[14])
    assert found[1][27:28] + found[1][36:39] == ("100", "8000", "", "2000")


async def test_transactions_are_executions_and_what_became_of_them() -> None:
    room = await working(2_000)
    await room.fill(2_000, "E1", exec_kind="trade_cancel", exec_ref_id="E0")
    found = (await rows(room))["rts22_source"]
    assert [(row[8], row[9], row[13], row[14]) for row in found] == [("2000", "100", "E0", ""), ("0", "0", "E1", "cancel")]
    assert found[0][0] == found[1][0], "one transaction has one reference"


def test_fifty_one_fields_are_numbered_and_each_names_its_source_or_is_empty() -> None:
    assert [column.number for column in RTS24] == list(range(1, 52))
    assert len(RTS22_COLUMNS) == len(RTS22_SOURCES)
    assert {column.number for column in RTS24 if not column.source} == {
        6,
        11,
        13,
        14,
        17,
        25,
        30,
        31,
        34,
        35,
        41,
        42,
        44,
        45,
        47,
        49,
        50,
        51,
    }


@pytest.mark.parametrize(
    ("value_e9", "digits", "text"),
    [(1_250_000_000, 1, "1.2"), (1_350_000_000, 1, "1.4"), (123_456_789, 5, "0.12346"), (-5 * E9, 13, "-5"), (None, 3, "")],
)
def test_decimals_are_rounded_half_to_even(value_e9: int | None, digits: int, text: str) -> None:
    assert rounded(value_e9, digits) == text


def test_times_are_cut_off_in_utc() -> None:
    assert utc(1_772_463_600_999_999_999) == "2026-03-02T15:00:00.999999Z"
    assert utc(0) == ""


def test_other_code_has_another_designation() -> None:
    assert designation("vwap", "abcdef0123456789") == "VWAPXABCDEF012345"
    assert designation("vwap", "abcdef9123456789") != designation("vwap", "abcdef0123456789")
