"""The manifest of a directory: manifest.toml, or manifest.json of the same form."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final

from adapters.reference.safe_files import read_bytes
from domain.day_load import Manifest
from domain.errors import ReferenceDataError

NAME: Final = "manifest.toml"
_NAMES: Final = (NAME, "manifest.json")
_BYTES_MAX: Final = 1 << 20
_HEAD: Final = """\
# The files of one trade date, written by `ems load --manifest`: whoever changes a file writes the manifest again.
# calendar is the market whose trading days are the firm's. new_listings are the instruments that have neither a previous
# close nor an average volume yet. as_of is the trade date that a file was made for.
"""


def present(folder: Path) -> bool:
    """Whether a directory has a manifest."""
    return any((folder / name).exists() for name in _NAMES)


def read(folder: Path) -> Manifest:
    """The manifest of a directory.

    Raises:
        ReferenceDataError: there is none, there are two, or it is not one.
    """
    found = [name for name in _NAMES if (folder / name).exists()]
    if len(found) != 1:
        there = "both manifest.toml and manifest.json; keep one" if found else "no manifest.toml; ems load --manifest writes one"
        raise ReferenceDataError(f"{folder} has {there}")
    name = found[0]
    content = read_bytes(folder / name, bytes_max=_BYTES_MAX)
    try:
        text = content.decode("utf-8")
        values = tomllib.loads(text) if name == NAME else json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise ReferenceDataError(f"{name} cannot be read: {str(cause) or 'nested too deeply'}") from cause
    if not isinstance(values, dict):
        raise ReferenceDataError(f"{name} is not a table of settings")
    return Manifest.read(name, values)


def text(manifest: Manifest) -> str:
    """A manifest as TOML."""
    head = manifest.model_dump(exclude={"files"})
    lines = [_HEAD + "\n".join(f"{name} = {_toml(value)}" for name, value in head.items())]
    for table, entry in manifest.files.items():
        lines.append(f"\n[files.{table}]\n" + "\n".join(f"{name} = {_toml(value)}" for name, value in entry.model_dump().items()))
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Texts here print (`domain.day_rows.plain_text`), so that JSON's quoting is TOML's too."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)
