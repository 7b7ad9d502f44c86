"""JSON Schemas of every record that is exported: the files in `adapters/exports/schemas/` are these, and a bundle has copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ems.exports import cat_layout
from ems.exports.consolidated import COLUMNS, INTEGERS
from ems.exports.european import CAPACITY, EVENTS, RTS6_IN, RTS6_OUT, RTS24
from ems.exports.european_rows import RTS22_COLUMNS

_TIME: Final = {"pattern": r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)?$"}
_DECIMAL: Final = {"pattern": r"^(-?[0-9]{1,10}(\.[0-9]{1,13})?)?$"}
_NUMBER: Final = {"pattern": r"^[0-9]+$"}
_FLAG: Final = {"enum": ["", "true", "false"]}
_VALIDITY: Final = {"enum": ["", "DAVY", "GTCV", "GTTV", "GTDV", "GTSV", "GATV", "GADV", "GASV", "IOCV", "FOKV"]}
_RULES: Final[Mapping[str, dict[str, Any]]] = {
    "date and time": _TIME, "validity period and time": _TIME, "date and time of receipt": _TIME, "trading date and time": _TIME,
    "limit price": _DECIMAL, "stop price": _DECIMAL, "pegged limit price": _DECIMAL, "transaction price": _DECIMAL,
    "price": _DECIMAL, "initial quantity": _DECIMAL, "remaining quantity including hidden": _DECIMAL,
    "displayed quantity": _DECIMAL, "traded quantity": _DECIMAL, "minimum acceptable quantity": _DECIMAL, "quantity": _DECIMAL,
    "remaining quantity": _DECIMAL, "sequence number": _NUMBER, "buy-sell indicator": {"enum": ["BUYI", "SELL"]},
    "direct electronic access": _FLAG, "liquidity provision": _FLAG, "passive only": _FLAG,
    "event": {"enum": sorted({*EVENTS.values(), "FILL"})}, "order type": {"enum": ["LMTO", "STOP"]},
    "order status": {"enum": ["ACTI", "INAC"]}, "validity period": _VALIDITY,
    "trading capacity": {"enum": ["", *sorted(CAPACITY.values())]},
}  # fmt: skip
_NOTE: Final = "Engineering material, not legal advice. Numbers and names are to be verified against the annex."


def all_schemas() -> dict[str, dict[str, Any]]:
    """By the name of their file."""
    found = {"cat_order_events": cat_layout.schema(), "consolidated": _consolidated()}
    for name, columns in (("rts24", RTS24), ("rts6_incoming", RTS6_IN), ("rts6_outgoing", RTS6_OUT)):
        named = [(column.heading, column.name) for column in columns]
        found[name] = _table(name, named)
    found["rts22_source"] = _table("rts22_source", [(column, column) for column in RTS22_COLUMNS])
    return {f"{name}.schema.json": schema for name, schema in found.items()}


def _table(title: str, columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    properties = {heading: {"type": "string", **_RULES.get(name, {})} for heading, name in columns}
    return _object(f"One row of {title}.csv", properties)


def _consolidated() -> dict[str, Any]:
    properties = {name: {"type": ["integer" if name in INTEGERS else "string", "null"]} for name in COLUMNS}
    return _object("One row of consolidated.parquet", properties)


def _object(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, "$comment": _NOTE, "type": "object",
        "additionalProperties": False, "required": list(properties), "properties": properties,
    }  # fmt: skip
