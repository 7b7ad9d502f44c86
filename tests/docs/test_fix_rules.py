"""The rules of engagement are those of the code: generated parts are current, complete, and say what is asked of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.errors import ConfigError
from domain.refusal import Reason
from ems.bootstrap import fix_rules
from ems.bootstrap.fix_dictionary import VERSIONS, dictionary
from ems.certify_table import TABLE
from ems.cli import app
from tests.docs.test_docs import ROOT

PAGES = [ROOT / "docs" / "fix.md", ROOT / "docs" / "fix-fields.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_is_current(page: Path) -> None:
    text = page.read_text("utf-8")
    assert fix_rules.rewritten(text) == text, "run: ems fix rules"


def test_every_section_is_on_a_page_once() -> None:
    found = [name for page in PAGES for name in fix_rules.marked(page.read_text("utf-8"))]
    assert sorted(found) == sorted(fix_rules.SECTIONS)


def test_every_message_that_is_written_is_accounted_for() -> None:
    assert fix_rules.unaccounted() == set()


def test_the_tables_hold_what_they_are_made_from() -> None:
    page, fields = (page.read_text("utf-8") for page in PAGES)
    assert all(f"| {str(reason).replace('_', ' ')} |" in page for reason in Reason)
    assert all(f"| {script.quantity} | {script.name} |" in page for script in TABLE.values())
    assert "| duplicate cl ord id | 6 | 6 |" in page and "| too late | 99 | 0 |" in page
    assert "| 55 | Symbol | required | required | required |" in fields


@pytest.mark.parametrize("begin_string", VERSIONS)
def test_a_dictionary_is_laid_out_with_its_groups(begin_string: str) -> None:
    order = {field.name: field for field in dictionary(begin_string).fields["D"]}
    assert order["ClOrdID"][:4] == (11, "ClOrdID", True, 0) and not order["Price"].required
    assert (order["NoAllocs"].depth, order["AllocAccount"].depth) == (0, 1)
    assert dictionary(begin_string).values[54]["1"] == "BUY"


def test_a_page_that_is_not_current_is_found_and_mended(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- ems fix rules: refusals -->\nold\n<!-- end -->\nafter\n")
    run = CliRunner()
    assert run.invoke(app, ["fix", "rules", "--check", str(page)]).exit_code == 1 and "old" in page.read_text()
    assert run.invoke(app, ["fix", "rules", str(page)]).exit_code == 0
    assert run.invoke(app, ["fix", "rules", "--check", str(page)]).exit_code == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("<!-- end -->\nafter\n") and "| unknown symbol | 1 | 99 |" in text


def test_a_mark_without_a_section_and_a_page_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no section 'weather'"):
        fix_rules.rewritten("<!-- ems fix rules: weather -->\n<!-- end -->")
    missing = CliRunner().invoke(app, ["fix", "rules", str(tmp_path / "none.md")])
    assert isinstance(missing.exception, ConfigError)
