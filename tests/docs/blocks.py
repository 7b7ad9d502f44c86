"""Code that pages print: fenced and indented blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.house import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^|(?<=\n\n))((?: {4}\S.*\n)+)", re.MULTILINE)
PROGRAMS = ("ems", "make", "python3", ".venv/bin/ems", ".venv/bin/python")


class Block(NamedTuple):
    """One block of a page. number: from 0, on its page."""

    page: str
    number: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.number}"


def blocks() -> Iterator[Block]:
    """Every block of every page."""
    for page in PAGES:
        yield from of_page(page.relative_to(ROOT).as_posix(), page)


def of_page(name: str, page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    fenced = [(found[2], found[3]) for found in _FENCED.finditer(text)]
    indented = [("", found[1]) for found in _INDENTED.finditer(_FENCED.sub("", text))]
    for number, (language, body) in enumerate([*fenced, *indented]):
        yield Block(name, number, language, body)


def commands(block: Block) -> list[list[str]]:
    """The words of each command of a block, without comments and what is said beside it; none where it is no list of commands."""
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        command = re.split(r"\s#\s|\s{2,}(?=\(?[a-z])", line.strip().removeprefix("$ "))[0].partition(" > ")[0]
        if command.split(" ")[0] in PROGRAMS:
            found.append([word.removeprefix(".venv/bin/") for word in shlex.split(command)])
    return found
