"""The house style is a test: imports, sizes, purity, golden samples, and that each rule can be broken."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from domain.catalogue import TOPICS
from domain.event import Event
from tests import house
from tests.house import ROOT, Source, sources

CODE = sources(*house.TOPS)
TESTS = sources("tests", ".ci", "migrations")
GOLDEN = ROOT / "tests" / "golden"

# Files longer than a sitting, with what they may have. A number here may only fall.
RATCHET: dict[str, int] = {
    "domain/parent_order.py": 351,
}

PURE = [source for source in CODE if source.path.startswith(("domain/", "models/planners/"))]


def breaches(rule: Callable[[Source], Iterable[str]], house_part: list[Source]) -> str:
    return "\n".join(line for source in house_part for line in rule(source))


def test_every_module_imports_only_what_its_floor_may_see() -> None:
    assert breaches(house.import_rule, CODE) == ""


def test_no_modules_import_each_other() -> None:
    assert house.circles(CODE) == []


def test_functions_fit_a_screen_and_files_a_sitting() -> None:
    assert breaches(lambda source: house.sizes(source, RATCHET), CODE + TESTS) == ""


def test_the_ratchet_names_only_files_that_need_it() -> None:
    lines = {source.path: source.text.count("\n") for source in CODE + TESTS}
    assert [path for path in RATCHET if lines.get(path, 0) <= house.FILE_LINES_MAX] == []


def test_domain_and_planners_read_no_clock_chance_environment_or_disk() -> None:
    assert len(PURE) > 5
    assert breaches(house.impure, PURE) == ""


def test_no_exception_is_swallowed() -> None:
    assert breaches(house.swallowed, CODE + TESTS) == ""


def test_nothing_is_opened_at_import_time() -> None:
    assert breaches(house.made_at_import, CODE) == ""


def test_every_module_says_what_it_is() -> None:
    assert breaches(house.undocumented, CODE + TESTS) == ""


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (house.import_rule, "domain/fill.py", "from adapters.clock import WallClock"),
        (house.import_rule, "domain/fill.py", "import numpy"),
        (house.import_rule, "domain/fill.py", "import asyncio"),
        (house.import_rule, "adapters/fix/engine.py", "from adapters.postgres import event_log"),
        (house.import_rule, "adapters/fix/engine.py", "import psycopg"),
        (house.import_rule, "adapters/fix/engine.py", "def f():\n    from ems import desk"),
        (house.import_rule, "models/book.py", "import adapters.clock"),
        (house.import_rule, "ems/desk.py", "from models.planners import twap"),
        (house.import_rule, "ems/desk.py", "from ems import bootstrap"),
        (house.import_rule, "ems/desk.py", "import quickfix"),
        (house.import_rule, "ems/quoting/quoter.py", "from models import quoting"),
        (house.import_rule, "ems/quoting/kernel.py", "from ems import desk_state"),
        (house.import_rule, "ems/api/app.py", "from adapters.postgres import event_log"),
        (house.import_rule, "ems/desk.py", "from . import risk"),
        (house.impure, "domain/fill.py", "import datetime as dt\nx = dt.datetime.now()"),
        (house.impure, "domain/fill.py", "from datetime import date\nx = date.today"),
        (house.impure, "domain/fill.py", "from uuid import uuid4"),
        (house.impure, "domain/fill.py", "import os.path"),
        (house.impure, "domain/tape.py", "import numpy as np\nx = np.random.default_rng(1)"),
        (house.impure, "domain/fill.py", "def f():\n    return open('x')"),
        (house.impure, "models/planners/twap.py", "from time import monotonic_ns"),
        (house.swallowed, "ems/desk.py", "try:\n    x = 1\nexcept ValueError:\n    pass"),
        (house.swallowed, "ems/desk.py", "for x in y:\n    try:\n        z()\n    except Exception:\n        continue"),
        (house.swallowed, "ems/desk.py", "try:\n    x = 1\nexcept:\n    x = 2"),
        (house.swallowed, "ems/desk.py", "with contextlib.suppress(Exception):\n    x = 1"),
        (house.made_at_import, "ems/api/app.py", "app = FastAPI()"),
        (house.made_at_import, "adapters/postgres/x.py", "class A:\n    pool = psycopg_pool.ConnectionPool('')"),
        (house.undocumented, "ems/desk.py", "x = 1"),
        (lambda s: house.sizes(s, {}), "ems/desk.py", "def f():\n" + "    x = 1\n" * 70),
        (lambda s: house.sizes(s, {"ems/desk.py": 9}), "ems/desk.py", "x = 1\n" * 10),
        (lambda s: house.circles([s, Source("ems/b.py", "import ems.a")]), "ems/a.py", "from ems import b"),
    ],
)
def test_each_rule_can_be_broken(rule: Callable[[Source], Iterable[str]], path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_event_has_a_golden_sample_that_reads_and_writes_back_unchanged(topic: str) -> None:
    cls, path = TOPICS[topic], GOLDEN / f"{topic}.json"
    assert path.exists(), f"write {path.relative_to(ROOT)}: one {cls.__name__} as the log would hold it, with {_fields(cls)}"
    text = path.read_text("utf-8")
    assert cls.model_validate_json(text).model_dump_json(indent=2) + "\n" == text


@pytest.mark.parametrize("path", sorted((GOLDEN / "earlier").glob("*.json")), ids=lambda path: path.stem)
def test_samples_from_before_a_field_was_added_are_read_with_its_default(path: Path) -> None:
    cls = TOPICS[path.stem.rpartition(".")[0]]
    earlier = cls.model_validate_json(path.read_text("utf-8"))
    assert earlier.model_dump().keys() == cls.model_fields.keys()
    assert cls.model_validate_json(earlier.model_dump_json()) == earlier


def test_every_golden_sample_still_has_its_event_class() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == sorted(TOPICS), "an event once stored is readable for ever"


def test_topics_are_written_names_with_a_version() -> None:
    assert [topic for topic in TOPICS if not re.fullmatch(r"[a-z_]+\.[a-z_]+\.v[1-9][0-9]*", topic)] == []


def test_readme_names_both_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in text
    assert "make test" in text
    assert "This product includes software developed by quickfixengine.org" in text


def test_no_tracked_file_names_a_place_on_one_machine() -> None:
    places = re.compile("/" + "(?:work|root|Users|home/[a-z]+|opt/pypi)" + "/")
    found = [f"{path}: {hit[0]}" for path in _tracked() if (hit := places.search(_text(path)))]
    assert found == []


def _fields(cls: type[Event]) -> str:
    return ", ".join(f"{name}: {field.annotation}" for name, field in cls.model_fields.items())


def _tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
