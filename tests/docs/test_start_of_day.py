"""The page of the start of day has every table with its columns, as the models have them."""

from __future__ import annotations

from pathlib import Path

from pydantic.fields import FieldInfo

from adapters.reference.files import COLUMNS
from domain.day_rows import TABLES, DayRow, column

PAGE = Path(__file__).resolve().parents[2] / "docs" / "start-of-day.md"
HEAD = ["| column | unit and meaning |", "|---|---|"]


def model_part(name: str, model: type[DayRow]) -> str:
    rows = [f"| `{column(field)}` | {meaning(info)} |" for field, info in model.model_fields.items()]
    key = ", ".join(f"`{column(field)}`" for field in model.KEY)
    about = " ".join((model.__doc__ or "").split())
    return "\n".join([f"### {name}", f"{about} One row for each {key}.", "", *HEAD, *rows])


def meaning(info: FieldInfo) -> str:
    optional = "" if info.is_required() or "empty" in str(info.description) else ", or empty"
    return f"{info.description}{optional}"


def test_the_page_has_the_tables_of_the_models() -> None:
    expected = "\n\n".join(model_part(name, model) for name, model in TABLES.items())
    text = PAGE.read_text("utf-8")
    assert expected in text, f"docs/start-of-day.md should end with:\n\n{expected}"
    assert text.endswith(expected + "\n")


def test_the_page_has_the_columns_of_the_instrument_tables() -> None:
    rows = [f"| {table} | {', '.join(f'`{name}`' for name in columns)} |" for table, columns in COLUMNS.items()]
    assert "\n".join(rows) in PAGE.read_text("utf-8"), "\n".join(rows)
