"""What the FIX dictionaries say, as plain values: the messages of each version, their fields, the values of a field."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from adapters.fix.sessions import DICTIONARIES

VERSIONS: Final = {"FIX.4.2": "4.2", "FIX.4.4": "4.4", "FIXT.1.1": "5.0 SP2"}  # a session's BeginString: what it is called


class Field(NamedTuple):
    """A field of a message. depth: in how many repeating groups; required: of its message, or of an entry of its group."""

    tag: int
    name: str
    required: bool
    depth: int


class Dictionary(NamedTuple):
    """The application messages of one version."""

    names: dict[str, str]  # MsgType -> name
    fields: dict[str, tuple[Field, ...]]  # MsgType -> its fields, components and groups laid out
    values: dict[int, dict[str, str]]  # tag -> value -> what it means, of fields with a list of values


@cache
def dictionary(begin_string: str) -> Dictionary:
    """The dictionary of a session's application messages."""
    root = ET.parse(DICTIONARIES[begin_string][1]).getroot()  # noqa: S314 (a file of our own)
    tags = {field.get("name", ""): int(field.get("number", "0")) for field in root.iterfind("fields/field")}
    components = {component.get("name", ""): component for component in root.iterfind("components/component")}
    messages = [m for m in root.iterfind("messages/message") if m.get("msgcat") == "app"]
    return Dictionary(
        {m.get("msgtype", ""): m.get("name", "") for m in messages},
        {m.get("msgtype", ""): tuple(_fields(m, tags, components, required=True, depth=0)) for m in messages},
        {
            int(field.get("number", "0")): {v.get("enum", ""): v.get("description", "") for v in field.iterfind("value")}
            for field in root.iterfind("fields/field")
            if field.find("value") is not None
        },
    )


def _fields(
    node: ET.Element, tags: dict[str, int], components: dict[str, ET.Element], *, required: bool, depth: int
) -> Iterator[Field]:
    """required: of everything around. A group's members are required of its entries, whether the group is or not."""
    for child in node:
        name = child.get("name", "")
        needed = child.get("required") == "Y"
        if child.tag == "component":
            yield from _fields(components[name], tags, components, required=required and needed, depth=depth)
            continue
        yield Field(tags[name], name, required and needed, depth)
        if child.tag == "group":
            yield from _fields(child, tags, components, required=True, depth=depth + 1)
