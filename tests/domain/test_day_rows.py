"""Rows of the start of day: text and back without loss, and the arithmetic of cells at their edges."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from domain.cells import moment_ns, moment_text, number_e9, number_text
from domain.day_rows import (
    TABLES,
    Bad,
    CorporateAction,
    DayRow,
    Restriction,
    cells,
    column,
    columns,
    parse,
)  # fmt: skip
from domain.errors import NumberError
from tests.domain.made_rows import MOMENT, ROWS, SIGNED


@given(ROWS)
def test_a_row_becomes_text_and_the_same_row_again(row: DayRow) -> None:
    assert parse(type(row), cells(row)) == row


@given(SIGNED)
def test_a_number_becomes_text_and_the_same_number_again(value_e9: int) -> None:
    assert number_e9(number_text(value_e9)) == value_e9


@given(MOMENT)
def test_a_moment_becomes_text_and_the_same_moment_again(time_ns: int) -> None:
    assert moment_ns(moment_text(time_ns)) == time_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-27T14:30:00Z", 1_795_789_800_000_000_000),
        ("2026-11-27T15:30:00.000000001+01:00", 1_795_789_800_000_000_001),
        ("2026-11-27T09:30:00.5-05:00", 1_795_789_800_500_000_000),
    ],
)
def test_a_moment_is_nanoseconds_utc_whatever_its_offset(text: str, expected: int) -> None:
    assert moment_ns(text) == expected


@pytest.mark.parametrize("text", ["", "1.", ".5", "+1", " 1", "1 ", "1,5", "0x10", "1e3", "nan", "--1", "00", "1.0000000000"])
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(NumberError, match="is not a decimal number"):
        number_e9(text)


@pytest.mark.parametrize("text", ["2026-11-27", "2026-11-27T14:30Z", "2026-11-27T24:30:00Z", "1970-01-01T00:00:00+14:00", "now"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        moment_ns(text)


def test_a_column_is_its_field_without_the_unit() -> None:
    assert columns(Restriction) == ("list_name", "symbol", "begins", "ends", "reason")
    assert [column(field) for field in ("close_e9", "rate_bps_e9", "ends_ns", "as_of")] == ["close", "rate_bps", "ends", "as_of"]


@pytest.mark.parametrize("table", TABLES)
def test_every_table_says_what_its_columns_mean_and_what_makes_a_row_the_only_one(table: str) -> None:
    model = TABLES[table]
    assert set(model.KEY) <= set(model.model_fields)
    assert all(info.description for info in model.model_fields.values()) and model.__doc__
    wanted = [Bad(column(name), "is empty") for name, info in model.model_fields.items() if info.is_required()]
    assert parse(model, dict.fromkeys(columns(model), "")) == wanted


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("split", {"new_shares": "2"}),
        ("split", {"new_shares": "2", "old_shares": "1", "amount": "5"}),
        ("dividend", {"amount": "5"}),
        ("dividend", {"amount": "5", "currency": "USD", "old_symbol": "B"}),
        ("rename", {}),
        ("rename", {"old_symbol": "A"}),
    ],
)
def test_an_action_has_the_terms_of_its_kind_and_no_others(kind: str, terms: dict[str, Any]) -> None:
    row = (
        dict.fromkeys(columns(CorporateAction), "") | {"id": "1", "symbol": "A", "kind": kind, "effective": "2026-11-27"} | terms
    )
    found = parse(CorporateAction, row)
    assert isinstance(found, list) and [bad.column for bad in found] == ["kind"]
