"""A session's own dictionary: ours, and fields of two parties' own in the orders of a list (35=E).

In the body of a message the engine takes a field of the users' (5000 and above) wherever it stands. Inside a repeating group
it does not: a field that its dictionary does not have there ends the group, and the next order is a tag that comes twice.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Collection
from pathlib import Path
from typing import Final

_LIST: Final = "messages/message[@msgtype='E']"


def with_list_tags(dictionary: Path, tags: Collection[int]) -> bytes:
    """The dictionary with these tags in the entries of NoOrders (73). Those that the list or its orders have already stay as
    they are: a field of the list's that its orders had too would be taken for the last order's.
    """
    root = ET.parse(dictionary).getroot()  # noqa: S314 (a file of our own)
    defined, listed = root.find("fields"), root.find(_LIST)
    orders = listed.find("group[@name='NoOrders']") if listed is not None else None
    assert defined is not None and listed is not None and orders is not None, f"{dictionary.name} has no lists of orders"
    names = {int(field.get("number", "0")): field.get("name", "") for field in defined}
    known = _members(listed, {part.get("name", ""): part for part in root.iterfind("components/component")})
    for tag in sorted(set(tags)):
        name = names.get(tag)
        if name is None:
            name = f"Users{tag}"
            ET.SubElement(defined, "field", number=str(tag), name=name, type="STRING")
        if name not in known:
            ET.SubElement(orders, "field", name=name, required="N")
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _members(node: ET.Element, components: dict[str, ET.Element]) -> set[str]:
    """Names of every field of a message, components and groups in it laid out."""
    found: set[str] = set()
    for child in node:
        name = child.get("name", "")
        if child.tag != "component":
            found.add(name)
        found |= _members(components[name] if child.tag == "component" else child, components)
    return found


def own_dictionary(folder: Path, dictionary: Path, tags: Collection[int]) -> Path:
    """The file of such a dictionary in a folder, written where it is not there yet; ours where there is nothing to add."""
    if not tags:
        return dictionary
    content = with_list_tags(dictionary, tags)
    path = folder / f"{dictionary.stem}-{hashlib.sha256(content).hexdigest()[:16]}.xml"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_bytes(content)
        beside.replace(path)
    return path
