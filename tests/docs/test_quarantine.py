"""The page's table of what may be booked is the code's."""

from __future__ import annotations

import re
from pathlib import Path

from domain.quarantine import NOT_BOOKED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "quarantine.md"


def test_the_page_says_what_the_table_says() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (yes|no)[^|]*\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert dict(rows) == {reason: "no" if why else "yes" for reason, why in NOT_BOOKED.items()}
