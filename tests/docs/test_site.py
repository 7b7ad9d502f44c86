"""The documentation as a site: built strictly, every page in the navigation once, every event on its page, pictures small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from domain.catalogue import TOPICS
from ems.event_catalogue import page
from tests.docs.test_docs import ROOT
from tests.in_ci import load


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="mkdocs-material is not installed: pip install 'ems[dev]'")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    built = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(built), strict=True))
    return built


def test_every_page_is_built_and_can_be_reached(site: Path) -> None:
    wanted = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    wanted |= {"index.html", "event-fields.html", "weights/champion.html"}
    assert {name for name in wanted if not (site / name).exists()} == set()
    start = (site / "start.html").read_text("utf-8")
    assert {name for name in wanted if f'href="{name}"' not in start} <= {"start.html", "index.html"}


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for name in ("index.html", "event-fields.html"):
        asked = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', (site / name).read_text("utf-8"))
        assert asked == []


def test_the_events_page_has_every_topic_with_its_fields_and_an_example() -> None:
    text = page(ROOT / "tests" / "golden")
    assert re.findall(r"^### `(.+)`$", text, re.MULTILINE) == sorted(TOPICS)
    assert text.count("as it is stored") == len(list(TOPICS))
    accepted = text.partition("### `child_order.filled.v1`")[2].partition("### `")[0]
    assert all(f"| `{name}` |" in accepted for name in TOPICS["child_order.filled.v1"].model_fields)


def test_a_page_that_nobody_grouped_is_there_and_one_that_is_not_there_is_left_out() -> None:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install 'ems[dev]'")
    made = load("site").navigation({"start.md", "decisions/0001-x.md", "unheard-of.md"})
    assert made == [{"Begin": ["start.md"]}, {"Develop": ["decisions/0001-x.md"]}, {"More": ["unheard-of.md"]}]


def test_pictures_are_small_and_shown(tmp_path: Path) -> None:
    pictures = load("pictures")
    text = (ROOT / "docs" / "pictures.md").read_text("utf-8")
    assert re.findall(r"\]\(pictures/([\w-]+)\.png\)", text) == [
        "blotter", "ticket", "schedule", "care", "tca", "controls", "sessions", "replay", "sign-in",
    ]  # fmt: skip
    assert {path.stem for path in (ROOT / "docs" / "pictures").iterdir()} == set(pictures.NAMES)
    assert all(path.stat().st_size < 80_000 for path in (ROOT / "docs" / "pictures").iterdir())
    assert pictures.main(tmp_path, tmp_path / "out") == 2
    for name in pictures.NAMES:
        Image.new("RGB", (1600, 900), "navy").save(tmp_path / f"{name}.png")
    assert pictures.main(tmp_path, tmp_path / "out") == 0
    with Image.open(tmp_path / "out" / "care.png") as small:
        assert small.size == (1000, 562)
