"""CAT records: valid by the schema in the repository, keys that cannot collide, times cut off; and planted faults are found."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from domain.values import E9
from ems.exports.book import Book
from ems.exports.cat import Cat
from ems.exports.cat_layout import LAYOUTS
from ems.exports.cat_text import Record, to_csv, to_json, too_long
from ems.exports.formats import eastern, eastern_date, text
from ems.exports.predicted import DUPLICATE, Predictor
from ems.exports.regulatory import json_bytes
from ems.exports.schemas import all_schemas
from ems.exports.settings import ReportingSettings
from tests.ems.direct import working
from tests.ems.exports.days import SETTINGS, busy_day, changed, facts
from tests.ems.room import Room

SCHEMAS = Path(__file__).parents[3] / "adapters" / "exports" / "schemas"
VALIDATOR = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "cat_order_events.schema.json").read_text()))


async def told(room: Room, settings: ReportingSettings = SETTINGS) -> tuple[list[Record], Predictor]:
    book, predictor = Book(), Predictor()
    cat, records = Cat(settings, book), list[Record]()
    for fact in await facts(room):
        book.apply(fact)
        predictor.crossed(fact)
        records += cat.records(fact)
    return [*records, *cat.finish()], predictor


def kinds(records: list[Record]) -> list[str]:
    return [record.type for record in records]


def test_the_schemas_in_the_repository_are_those_of_the_layouts() -> None:
    assert {path.name: path.read_bytes() for path in SCHEMAS.glob("*.json")} == {
        name: json_bytes(schema) for name, schema in all_schemas().items()
    }


async def test_a_day_passes_the_schema_and_no_error_is_predicted() -> None:
    records, predictor = await told(await busy_day())
    for record in records:
        line = to_json(record)
        VALIDATOR.validate(json.loads(line, parse_float=Decimal))
        assert not too_long(line) and line.isascii()
        assert predictor.check(record) == []
    assert set(kinds(records)) == {
        "MENO", "MEOR", "MEMR", "MECR", "MEOM", "MEOC", "MECO", "MECOC", "MEPA"
    }  # fmt: skip
    assert len({record.roe for record in records}) == len(records)


async def test_a_life_is_told_in_order_with_what_its_venue_answered() -> None:
    records, _ = await told(await busy_day())
    first = [r for r in records if r.fields.get("orderID") == records[0].fields["orderID"]]
    assert kinds(first) == ["MENO", "MEOR", "MEMR", "MEOM", "MEMR", "MECR", "MEOC"]
    assert [r.fields["routeRejectedFlag"] for r in first if "routeRejectedFlag" in r.fields] == [False, False, True, False]
    assert first[2].fields["priorRoutedOrderID"] == first[1].fields["routedOrderID"]
    assert (first[-1].fields["initiator"], first[-1].fields["cancelQty"]) == ("C", Decimal(6000))
    assert first[-1].fields["requestTimestamp"] == first[-1].fields["eventTimestamp"]
    refused = next(r for r in records if r.type == "MEOR" and r.fields["routeRejectedFlag"])
    assert refused.fields["quantity"] == 500


async def test_children_hang_from_their_parent_and_routes_from_the_child() -> None:
    records, _ = await told(await busy_day())
    parent = next(r for r in records if r.type == "MENO" and r.fields.get("handlingInstructions") == {"ALG": True})
    children = [r for r in records if r.type == "MECO"]
    assert {r.fields["parentOrderID"] for r in children} == {parent.fields["orderID"]}
    routed = [
        r.fields["routedOrderID"]
        for r in records
        if r.type == "MEOR" and r.fields["orderID"] in {c.fields["orderID"] for c in children}
    ]
    assert routed == [c.fields["orderID"] for c in children]


async def test_a_members_order_is_accepted_rather_than_new() -> None:
    records, predictor = await told(await working(), changed(SETTINGS, "cat", clients={"OMS": "BRKR"}))
    first = records[0]
    assert (first.type, first.fields["senderIMID"], first.fields["routedOrderID"]) == ("MEOA", "BRKR", "A1")
    VALIDATOR.validate(json.loads(to_json(first)))
    assert predictor.check(first) == []


async def test_trades_and_fulfillments_where_the_firm_says_so_and_a_bust_restates_them() -> None:
    room = await working(2_000)
    await room.fill(2_000, "E1", exec_kind="trade_cancel", exec_ref_id="E0")
    accounts = {"ACC": SETTINGS.accounts["ACC"].model_copy(update={"fulfilled": True})}
    there = {"VENUE": SETTINGS.destinations["VENUE"].model_copy(update={"internal": True})}
    records, predictor = await told(room, SETTINGS.model_copy(update={"accounts": accounts, "destinations": there}))
    for record in records:
        VALIDATOR.validate(json.loads(to_json(record)))
        assert predictor.check(record) == []
    trades = [r for r in records if r.type in ("MEOT", "MEOF")]
    assert [(r.type, r.fields["actionType"], r.fields["cancelFlag"]) for r in trades] == [
        ("MEOT", "NEW", False), ("MEOF", "NEW", False), ("MEOT", "COR", True), ("MEOF", "COR", True)
    ]  # fmt: skip
    assert trades[2].roe == trades[0].roe


async def test_a_quoter_off_exchange_quotes_and_times_may_be_epoch() -> None:
    there = dict(SETTINGS.destinations) | {"MM": SETTINGS.destinations["MM"].model_copy(update={"type": "O"})}
    settings = changed(SETTINGS, "cat", timestamps="epoch").model_copy(update={"destinations": there})
    records, predictor = await told(await busy_day(), settings)
    quotes = [r for r in records if r.type == "MENQ"]
    assert [(r.fields["bidPrice"], r.fields["bidQty"]) for r in quotes] == [(99, 100), (98, 100)]
    assert [e for r in records for e in predictor.check(r)] == []
    for record in records:
        VALIDATOR.validate(json.loads(to_json(record)))
        assert record.fields["eventTimestamp"] == record.event_ns


async def test_what_the_firm_has_not_said_stays_empty_and_is_predicted_as_refused() -> None:
    records, predictor = await told(await working(), ReportingSettings())
    errors = [error for record in records for error in predictor.check(record)]
    assert {error.code for error in errors} == {"2xxx"}
    assert "firmDesignatedID" in "".join(e.what for e in errors)
    assert "firmDesignatedID" not in json.loads(to_json(records[0]))


async def test_csv_is_positional_and_says_the_same() -> None:
    for record in (await told(await busy_day()))[0]:
        cells = to_csv(record).decode().rstrip("\n").split(",")
        assert len(cells) == len(LAYOUTS[record.type])
        names = [field.name for field in LAYOUTS[record.type]]
        assert {n for n, cell in zip(names, cells, strict=True) if cell} == set(json.loads(to_json(record)))
    assert len(LAYOUTS["MENO"]) == 47 and len(LAYOUTS["MEOR"]) == 37 and len(LAYOUTS["MEOT"]) == 35


def test_times_are_cut_off_in_eastern_time_and_ids_lose_delimiters() -> None:
    assert eastern(1_772_463_600_999_999_999) == "20260302T100000.999999999"
    assert eastern(1_772_463_600_999_999_999, 3) == "20260302T100000.999"
    assert eastern_date(1_772_420_400 * E9) == "20260301", "the date is New York's"
    assert eastern(1_783_000_000 * E9).startswith("20260702T094640"), "and so is summer"
    assert text('a,b|c"d@é') == "a_b_c_d__"


# --------------------------------------------------------------------------------------------- planted faults

Fault = Callable[[list[Record]], list[Record]]


def _of(records: list[Record], kind: str) -> int:
    return kinds(records).index(kind)


def _with(records: list[Record], kind: str, *, event_ns: int | None = None, **fields: Any) -> list[Record]:
    place = _of(records, kind)
    record = records[place]
    other = Record(kind, record.seq, record.event_ns if event_ns is None else event_ns, record.fields | fields)
    return [*records[:place], other, *records[place + 1 :]]


def _again(records: list[Record], kind: str, **fields: Any) -> list[Record]:
    """The same record once more, with another name."""
    record = records[_of(records, kind)]
    return [*records, Record(kind, record.seq, record.event_ns, record.fields | {"firmROEID": "20260302_x", **fields})]


def _orphan(records: list[Record], kind: str) -> list[Record]:
    """A correction of what was never reported."""
    record = records[_of(records, kind)]
    names = {"tradeID": "T9"} if kind == "MEOT" else {"fulfillmentID": "F9"}
    return [*records, Record(kind, record.seq, record.event_ns, record.fields | {"actionType": "COR", **names})]


PLANTED: dict[str, list[Fault]] = {
    DUPLICATE: [
        lambda rs: _with(rs, "MEOC", firmROEID=rs[0].fields["firmROEID"]),
        lambda rs: _again(rs, "MENO"),
        lambda rs: _again(rs, "MECO"),
        lambda rs: _again(rs, "MEPA"),
        lambda rs: _again(rs, "MEOT"),
    ],
    "3501": [
        lambda rs: _with(rs, "MEOR", orderID="GONE"),
        lambda rs: _with(rs, "MECO", parentOrderID="GONE"),
        lambda rs: _with(rs, "MEOC", symbol="XYZ"),
        lambda rs: rs[1:],
    ],
    "3502": [lambda rs: _orphan(rs, "MEOT")],
    "3503": [lambda rs: _orphan(rs, "MEOF")],
    "3601": [
        lambda rs: _with(rs, "MEOC", event_ns=rs[0].event_ns - 50_000_001),
        lambda rs: _with(rs, "MEMR", event_ns=rs[0].event_ns - 60_000_000),
    ],
    "9003": [
        lambda rs: _with(rs, "MEOR", routedOrderID="NEVERSENT"),
        lambda rs: _with(rs, "MEMR", priorRoutedOrderID="NEVERSENT"),
        lambda rs: _with(rs, "MECR", routedOrderID="NEVERSENT"),
    ],
    "9013": [lambda rs: _again(rs, "MEOR")],
}


@pytest.mark.parametrize(("code", "fault"), [(code, fault) for code, faults in PLANTED.items() for fault in faults])
async def test_a_planted_fault_is_found(code: str, fault: Fault) -> None:
    accounts = dict(SETTINGS.accounts) | {"ACC": SETTINGS.accounts["ACC"].model_copy(update={"fulfilled": True})}
    there = dict(SETTINGS.destinations) | {"VENUE": SETTINGS.destinations["VENUE"].model_copy(update={"internal": True})}
    records, predictor = await told(await busy_day(), SETTINGS.model_copy(update={"accounts": accounts, "destinations": there}))
    for record in fault(records):
        predictor.check(record)
    assert code in predictor.counts, predictor.counts
    assert predictor.report()["errors"] == sum(predictor.counts.values())


async def test_fifty_milliseconds_of_drift_are_no_error() -> None:
    records, predictor = await told(await busy_day())
    for record in _with(records, "MEOC", event_ns=records[0].event_ns - 50_000_000):
        assert predictor.check(record) == []
