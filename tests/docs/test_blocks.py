"""No block of code on a page escapes: configurations are loaded and what needs no system is run as it is printed. Of every other
command a test that calls it is found by its words (which words it is given there is that test's), or a table says why none does.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ems.cli import app
from ems.config import check
from ems.config_text import TEMPLATE
from tests.docs.blocks import ROOT, Block, blocks, commands

BLOCKS = list(blocks())
TESTS = [  # of each file of tests: its words, and those of its strings
    (set(re.findall(r"[A-Za-z]+", text)), {word for string in re.findall(r'"([^"\n]*)"', text) for word in string.split()})
    for path in sorted((ROOT / "tests").rglob("*.py")) if path.parent.name != "docs" and (text := path.read_text("utf-8"))
]  # fmt: skip
# What only looks like code, or is another program's.
DRAWINGS = {"README.md:1": "a drawing of the processes"}
ELSEWHERE = {
    "docs/deploy.md:0": "docker is not on every machine; the files that it reads are held against schemas in tests/deploy",
    "docs/deploy.md:2": "a cluster is not; what kubectl would send is validated in tests/deploy/test_manifests.py",
    "docs/deploy.md:3": "the same; the script that is sent is checked in tests/deploy/test_deployment.py",
    "docs/fix-tls.md:1": "compiles QuickFIX anew, which takes five minutes and OpenSSL's headers",
    "docs/monitoring.md:1": "formulas, reckoned in tests/domain/test_monitoring.py and tests/models/planners/test_adaptive.py",
    "docs/ouch.md:0": "an excerpt; the same calls are made in tests/adapters/ouch and tests/acceptance/quoter_market.py",
}
# Commands whose words no test is found to say. Beside each the test of the work that it does: the words are checked for
# being the program's, and are not run.
NOT_CALLED = {
    "audit archive": "tests/ems/exports/test_archive.py",
    "audit attribute": "tests/models/test_attribution.py",
    "audit codes": "tests/ems/exports/test_european.py",
    "audit enroll": "tests/adapters/postgres/test_subjects.py",
    "audit erase": "tests/adapters/postgres/test_subjects.py",
    "audit export": "tests/ems/bootstrap/test_exporting.py",
    "audit prove": "tests/acceptance/test_verify_bundle.py",
    "audit replay": "tests/ems/audit/test_replay.py",
    "audit reproduce": "tests/models/test_reproduce.py",
    "audit subject": "tests/adapters/postgres/test_subjects.py",
    "audit whatif": "tests/ems/audit/test_replay.py",
    "backup restore": "tests/adapters/postgres/test_backup.py",
    "backup take": "tests/adapters/postgres/test_backup.py",
    "backup verify": "tests/adapters/postgres/test_backup.py",
    "bench features": "tests/ems/bench/test_features.py",
    "bench fix": "tests/ems/bench/test_fix.py",
    "bench inference": "tests/ems/bench/test_inference.py",
    "drill update": "tests/ems/test_updating.py",
    "evaluate basket": "tests/models/worlds/test_lq_basket.py",
    "evaluate market-making": "tests/models/worlds/test_making.py",
    "plot tape": "tests/ems/test_plot.py",
    "quote rerun": "tests/ems/quoting/test_segments.py",
    "quote verify": "tests/ems/quoting/test_segments.py",
    "reconcile assign": "tests/ems/test_reconciler.py",
    "reconcile breaks": "tests/ems/test_reconciler.py",
    "reconcile resolve": "tests/ems/test_reconciler.py",
    "soak": "tests/ems/bench/test_soak.py",
    "train market-maker": "tests/models/test_ppo.py",
    "train scheduler": "tests/models/test_scheduler.py",
    "update agree": "tests/domain/test_model_update.py",
    "update revoke": "tests/domain/test_model_update.py",
    "wheel report": "tests/ems/test_wheel_desk.py",
    "models mirror": "an MLflow of its own, which the extra `registry` brings",
}


def of_language(*languages: str) -> list[Any]:
    return [pytest.param(block, id=block.name) for block in BLOCKS if block.language in languages]


def kind(block: Block) -> str:
    if block.name in DRAWINGS or block.name in ELSEWHERE:
        return "told"
    if block.language in ("toml", "ini", "python", "json"):
        return block.language
    return "commands" if commands(block) else "none"


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert [f"{block.name}: {block.text[:60]!r}" for block in BLOCKS if kind(block) == "none" and not said(block)] == []
    known = {block.name for block in BLOCKS}
    assert (DRAWINGS.keys() | ELSEWHERE.keys()) - known == set(), "a reason for a block that is not there"
    assert len(BLOCKS) > 60


def said(block: Block) -> bool:
    """An indented block that is a configuration or a list's second paragraph: those are looked at by the tests below."""
    return block.name in SHELL or (block.language == "" and _toml(block.text) is not None)


def _toml(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(re.sub("^    ", "", text, flags=re.MULTILINE))
    except tomllib.TOMLDecodeError:
        return None


# ---------------------------------------------------------------------------------------------- configurations

CONFIGURATIONS = [pytest.param(block, id=block.name) for block in BLOCKS
                  if block.language == "toml" or (kind(block) == "none" and _toml(block.text))]  # fmt: skip
# What a page says goes with its block.
BESIDE: dict[str, dict[str, Any]] = {"docs/care.md": {"kill": {"house_accounts": ["HOUSE"]}}}
NOT_OURS = {  # page: what reads it, and where that is tested
    "docs/execution-baskets.md": "tests/ems/bootstrap/test_baskets.py",
    "docs/fix-lists.md": "tests/ems/bootstrap/test_profiles.py",
}


@pytest.mark.parametrize("block", CONFIGURATIONS)
def test_a_configuration_is_one(block: Block, tmp_path: Path) -> None:
    values = _toml(block.text)
    assert values, "not TOML"
    if block.page in NOT_OURS:
        assert (ROOT / NOT_OURS[block.page]).exists()
        return
    base = _merged(tomllib.loads(TEMPLATE), BESIDE.get(block.page, {}))
    if block.page == "docs/fix-algos.md":
        base["sessions"].append({**base["sessions"][1], "name": "BROKER1", "target_comp_id": "BROKER1", "port": 9990})
    check(_merged(base, values), name=block.name, folder=tmp_path)


def _merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """The template with what a page shows. A page's session is the template's first with what the page says of it otherwise."""
    made = dict(base)
    for key, value in more.items():
        if key == "sessions" and isinstance(value, list):
            made[key] = [{**base[key][0], **value[0]}, *base[key][1:]]
        elif key == "sessions":
            made[key] = [{**base[key][0], **value}, *base[key][1:]]
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            made[key] = _merged(base[key], value)
        else:
            made[key] = value
    return made


@pytest.mark.parametrize("block", of_language("ini"))
def test_an_ini_file_is_one(block: Block) -> None:
    read = configparser.ConfigParser()
    read.read_string(block.text)
    assert all({"accept", "connect"} <= set(read[name]) for name in read.sections()) and read.sections()


@pytest.mark.parametrize("block", of_language("python"))
def test_python_is_python(block: Block) -> None:
    compile(block.text, block.name, "exec")


# ---------------------------------------------------------------------------------------------- commands

SHELL = {"docs/deploy.md:1": "run below"}
CALLED = [(block.name, words) for block in BLOCKS if kind(block) == "commands" for words in commands(block)]


@cache
def program() -> Any:
    """Made once: it is large."""
    return typer.main.get_command(app)


def subject(words: list[str]) -> list[str]:
    """The words by which a command is known: `ems` and its sub-commands."""
    command, found = program(), []
    for word in words[1:]:
        if word not in getattr(command, "commands", {}):
            break
        command = command.commands[word]
        found.append(word)
    return found


def called(names: list[str]) -> bool:
    """Whether a test names a command: its last word as a word of a string, in a file that names its group."""
    *group, last = names
    return any(last in strings and (not group or group[-1] in words) for words, strings in TESTS)


def ems_subjects() -> list[str]:
    return sorted({" ".join(subject(words)) for _, words in CALLED if words[0] == "ems"})


@pytest.mark.parametrize("names", ems_subjects())
def test_a_printed_command_is_called_by_a_test_or_it_is_said_why_not(names: str) -> None:
    if names in NOT_CALLED and not called(names.split()):
        assert NOT_CALLED[names].startswith("an ") or (ROOT / NOT_CALLED[names]).exists()
    else:
        assert called(names.split()), f"no test calls `ems {names}`: call it in one, or say in NOT_CALLED why none does"


HARMLESS = re.compile(r"ems (algos|pretrade|init|release keygen|load sample|venue --certify --list)\b")


def harmless() -> Iterator[Any]:
    for name, words in CALLED:
        if HARMLESS.match(" ".join(words)):
            yield pytest.param(words[1:], id=" ".join(words))
        if name.startswith("docs/fix.md") and "--list" in words:
            yield pytest.param(words[1:], id=" ".join(words))


@pytest.mark.parametrize("words", list(harmless()))
def test_what_needs_no_system_is_run_as_it_is_printed(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, f"{done.output}\n{done.exception}"


def test_the_secrets_of_the_composed_system_are_made_as_the_page_says(tmp_path: Path) -> None:
    (block,) = [block for block in BLOCKS if block.name in SHELL]
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "chown").write_text("#!/bin/sh\nexit 0\n")  # it takes root, and users that this machine need not have
    (tools / "chown").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", block.text], cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = {file.name: file for file in (tmp_path / "deploy" / "secrets").iterdir()}
    named = re.findall(r"file: \./secrets/(\w+)", (ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    assert sorted(made) == sorted(set(named))
    assert all(file.stat().st_mode & 0o077 == 0 for name, file in made.items() if name != "metrics_token")
    assert made["pgpass"].read_text() == "".join(
        f"*:*:*:ems_{role}:{made[f'postgres_{role}_password'].read_text().strip()}\n" for role in ("owner", "app")
    )
    assert re.fullmatch("[0-9a-f]{64}\n", made["sealing_key"].read_text()), "what the sealer takes as a key"


def test_a_command_that_nobody_calls_is_found() -> None:
    assert not called(["dance", "tango"])
