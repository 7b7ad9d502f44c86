"""The runbook has an entry for everything that a person can meet: the names of the code, each in its section, no cell empty."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from domain.attention import AlertKind
from domain.day_procedure import Step
from domain.kill_refusal import KillReason
from domain.kill_switch import SourceName
from domain.kill_table import Level
from domain.refusal import Reason
from domain.triggers import Metric
from ems.health_parts import REMEDIES

ROOT = Path(__file__).resolve().parents[2]
LATCHED = [level.name for level in Level if level > Level.SUSPENDED]


def entries(section: str) -> dict[str, list[str]]:
    """The other cells of each row, by every name in its first one."""
    page = (ROOT / "docs/runbook.md").read_text("utf-8")
    body = page.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in body.splitlines() if line.startswith("| `")]
    return {name: [cell.strip() for cell in row[1:]] for row in rows for name in re.findall(r"`([^`]+)`", row[0])}


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("Alerts", get_args(AlertKind)),
        ("Triggers", list(Metric)),
        ("Suspensions", get_args(SourceName)),
        ("Levels", LATCHED),
        ("Health rows", list(REMEDIES)),
        ("Steps of the day", list(Step)),
        ("Refusals", [*Reason, *KillReason]),
    ],
)
def test_everything_has_its_entry(section: str, names: list[str]) -> None:
    found = entries(section)
    assert set(map(str, names)) == set(found)
    assert len(names) > 2
    assert all(len(cells) == 4 and all(cells) for cells in found.values())
