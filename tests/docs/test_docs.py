"""What README and docs print is true: commands exist with their options, names resolve, links lead somewhere."""

from __future__ import annotations

import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.catalogue import TOPICS
from domain.trigger_table import lines

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HOUSE = ("domain", "adapters", "models", "ems", "migrations", "tests", "deploy", "docs", ".ci")
OURS = r"(?:domain|adapters|models|ems)"


def code(page: Path) -> Iterator[str]:
    """Every line of a fenced block and every piece of inline code; a line that ends in a backslash goes on."""
    text = page.read_text("utf-8")
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from (line.strip() for line in block.replace("\\\n", " ").splitlines())
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def printed(start: str) -> list[tuple[str, str]]:
    """(page, command) for each printed command that starts with this word, prompt and comment taken off."""
    found = []
    for page in PAGES:
        for line in code(page):
            command = line.removeprefix("$ ").partition("  #")[0].strip()
            if command.split(" ")[0] == start:
                found.append((page.relative_to(ROOT).as_posix(), command))
    return found


def unknown_part(command: Any, words: list[str]) -> str | None:
    """The first word of an `ems` command line that the program does not know; None if it knows them all."""
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        return words[0]
    options = {"--help", *(name for parameter in command.params for name in parameter.opts + parameter.secondary_opts)}
    return next((word for word in words if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in options), None)


@pytest.fixture(scope="module")
def program() -> Any:
    import typer

    from ems import cli

    return typer.main.get_command(cli.app)


def test_pages_print_commands() -> None:
    assert len(printed("ems")) >= 5
    assert len(printed("make")) >= 5


@pytest.mark.parametrize(("page", "line"), printed("ems"))
def test_printed_ems_command_exists_with_its_options(program: Any, page: str, line: str) -> None:
    assert unknown_part(program, shlex.split(line)[1:]) is None, page


def test_an_unknown_command_or_option_is_found(program: Any) -> None:
    assert unknown_part(program, ["dance"]) == "dance"
    assert unknown_part(program, ["demo", "--backwards"]) == "--backwards"


@pytest.mark.parametrize(("page", "line"), printed("make"))
def test_printed_make_target_exists(page: str, line: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    names = [word for word in shlex.split(line)[1:] if "=" not in word]
    assert set(names) <= targets, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_in_the_code_are_real(page: Path) -> None:
    assert [piece for piece in code(page) if not _real(piece)] == []


def test_an_invented_name_or_path_is_found() -> None:
    assert not _real("domain.child_order.dance()")
    assert not _real("domain/dance.py")


def _real(piece: str) -> bool:
    if re.fullmatch(OURS + r"(\.\w+)+(\(\))?", piece):
        return piece in TOPICS or _resolves(piece.removesuffix("()"))
    if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", piece) and piece.split("/", maxsplit=1)[0] in HOUSE:
        return (ROOT / piece).exists()
    return True


def _resolves(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_kill_switch_page_has_the_table_of_triggers() -> None:
    page = (ROOT / "docs" / "kill-switch.md").read_text("utf-8")
    assert "\n" + "\n".join(lines()) + "\n" in page, "write it anew from domain.trigger_table.lines()"


def test_the_event_page_has_a_row_for_every_topic() -> None:
    rows = re.findall(r"^\| `([a-z_.0-9]+)` \|", (ROOT / "docs" / "events.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(TOPICS)
