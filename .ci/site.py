"""The documentation site's navigation, and its pages that are made of the code: MkDocs calls the functions named on_.

A page that nobody has put into a group is under "More"; one of a group that is not there is left out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ems.event_catalogue import page as event_page  # noqa: E402 (the hook is loaded from wherever mkdocs runs)

# Tabs by who reads, in the order in which they would.
GROUPS: Final = {
    "Begin": "index.md start.md architecture.md pictures.md",
    "Trade": """
        console.md console-screens.md care.md fix-algos.md execution.md execution-baskets.md tca.md quarantine.md kill-switch.md
        risk.md""",
    "Connect": """
        fix.md fix-fields.md fix-sessions.md fix-profiles.md fix-days.md fix-lists.md fix-allocations.md fix-tls.md ouch.md
        market-data.md""",
    "Models": """
        models.md weights/champion.md weights/scheduler.md weights/impact.md weights/market-maker.md world-model.md features.md
        book.md inference.md scheduler-model.md execution-judged.md event-book.md market-making.md quoting.md quoting-journal.md
        shadow.md online-update.md drift.md""",
    "Operate": """
        deploy.md releases.md runbook.md start-of-day.md builds.md clocks.md retention.md console-shipping.md observability.md
        health.md failover.md operations.md capacity.md""",
    "Audit": "audit.md audit-explain.md sealing.md exports.md reconciliation.md",
    "Develop": "events.md event-fields.md decisions/",
}
CARDS: Final = ROOT / "models" / "weights"
OUTSIDE: Final = re.compile(r"\]\((\.\./[^)#\s]+)(#[^)]*)?\)")
WITHIN: Final = re.compile(r"\]\(docs/([^)\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """The pages that lie elsewhere or nowhere: the README, the models' cards, every event's fields."""
    made = {"index.md": (ROOT / "README.md").read_text("utf-8"), "event-fields.md": event_page(ROOT / "tests" / "golden")}
    made |= {f"weights/{card.name}": card.read_text("utf-8") for card in sorted(CARDS.glob("*.md"))}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    config.nav = navigation({file.src_uri for file in files.documentation_pages()})
    return files


def navigation(there: set[str]) -> list[dict[str, list[str]]]:
    """Every page that is there, once: by group, and under "More" what is in none."""
    tabs, left = [], set(there)
    for title, names in GROUPS.items():
        wanted = [page for name in names.split() for page in (sorted(left) if name.endswith("/") else [name])
                  if page in left and page.startswith(name)]  # fmt: skip
        left -= set(wanted)
        if wanted:
            tabs.append({title: wanted})
    return [*tabs, {"More": sorted(left)}] if left else tabs


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links that lead out of docs/ lead to the page made of that file, or are the file's name."""
    if page.file.src_uri == "index.md":
        markdown = WITHIN.sub(r"](\1)", markdown)
        return re.sub(r"\[([^\]]+)\]\((?:LICENSE|NOTICE)\)", r"\1", markdown).replace("](models/weights/", "](weights/")
    up = "../" * page.file.src_uri.count("/")
    return OUTSIDE.sub(lambda found: _outside(found, up, page.file.src_uri), markdown)


def _outside(found: re.Match[str], up: str, page: str) -> str:
    path = (ROOT / "docs" / page).parent.joinpath(found[1]).resolve()
    if path.is_relative_to(ROOT / "docs"):
        return found[0]
    if path.parent == CARDS and path.suffix == ".md":
        return f"]({up}weights/{path.name})"
    raise ValueError(f"{page} leads to {found[1]}, which is no page of the site")
