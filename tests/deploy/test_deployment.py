"""Dockerfile, compose file and workflow hold against their schemas and our rules, and each rule can be broken."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from adapters.postgres.embedded import APP, AUDITOR, DATABASE, OWNER
from ems.config import check
from tests.house import ROOT
from tests.in_ci import load

deployment = load("deployment")
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text("utf-8")
WORKFLOW = deployment.WORKFLOW.read_text("utf-8")


def test_all_of_it_is_as_it_should_be() -> None:
    assert deployment.wrong() == []


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("postgres:18.1-bookworm", "postgres", "no particular release"),
        ("postgres:18.1-bookworm", "postgres:latest", "no particular release"),
        ("POSTGRES_PASSWORD_FILE", "POSTGRES_PASSWORD", "secret in the variable"),
        ("127.0.0.1:9876:9876", "9876:9876", "more than this machine"),
        ("./compose.toml", "./none.toml", "not there"),
        ("ems:/var/lib/ems", "none:/var/lib/ems", "nobody names"),
        ("secrets: [pgpass, sealing_key, metrics_token]", "secrets: [none]", "nobody names: none"),
        ("read_only: true", "read_only: false", "root file system"),
        ("stop_grace_period: 120s", "stop_gracefully: 120s", "stop_gracefully"),
    ],
)
def test_a_compose_file_that_is_wrong(old: str, new: str, word: str) -> None:
    assert old in COMPOSE
    assert any(word in line for line in deployment.of_compose(COMPOSE.replace(old, new), ROOT / "deploy"))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("make check", "curl https://example.org | sh", "no command of ours"),
        ("make check", "make check NAME=${{ github.head_ref }}", "expression into a shell"),
        ("contents: read", "contents: write", "more than read"),
        ("@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4", "not pinned"),
        ("    timeout-minutes: 90\n", "", "may run for hours"),
        ("needs: backtest", "needs: nothing", "which is no job"),
        ("runs-on: ubuntu-24.04", "runs_on: ubuntu-24.04", "jobs.tests"),
    ],
)
def test_a_workflow_that_is_wrong(old: str, new: str, word: str) -> None:
    assert old in WORKFLOW
    assert any(word in line for line in deployment.of_workflow(WORKFLOW.replace(old, new)))


def test_the_stages_follow_one_another() -> None:
    jobs = yaml.safe_load(WORKFLOW)["jobs"]
    way, job = [], "health"
    while job:
        way.append(job)
        before = jobs[job].get("needs", "")
        job = before if isinstance(before, str) else before[0]
    assert way[::-1] == ["tests", "backtest", "latency", "release", "shadow", "approval", "blue-green", "health"]
    for line in ("--days 30 --seed 20260102", "--p99-us 200", "--hours 24 --threshold-is-bps 12", "--health --wait-s 300"):
        assert line in WORKFLOW


def test_a_dockerfile_that_is_wrong(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    path = tmp_path / "Dockerfile"
    path.write_text(text.replace("USER 10001:10001\n", "").replace("python:3.11.14-slim-bookworm", "python"))
    assert {"what runs lacks USER 10001", "python is no particular release"} <= set(deployment.of_dockerfile(path))


def test_the_image_gets_what_the_wheel_is_made_of() -> None:
    """Every top-level name that the manifest and the packages need is let in, and no other is."""
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]["include"]
    wanted = {name.removesuffix("*") for name in packages} | {".ci", "LICENSE", "NOTICE", "README.md", "MANIFEST.in"}
    assert let_in == wanted | {"constraints.txt", "pyproject.toml"}
    assert all((ROOT / name).exists() for name in let_in)


def test_the_composed_desk_takes_its_configuration_and_names_its_secrets_as_files() -> None:
    settings = check(tomllib.loads((ROOT / "deploy" / "compose.toml").read_text("utf-8")), name="compose.toml")
    assert settings.mode == "PAPER" and settings.venue is not None
    assert not re.search("password=|:[^/]+@", " ".join(re.findall(r"EMS_\w+: (\S+)", COMPOSE)))


def test_the_roles_are_those_of_the_embedded_server() -> None:
    path = ROOT / "deploy" / "postgres" / "roles.sh"
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    text = path.read_text("utf-8")
    assert (
        all(f"CREATE ROLE {role} " in text for role in (OWNER, APP, AUDITOR))
        and f"CREATE DATABASE {DATABASE} OWNER {OWNER}" in text
    )
    assert "CREATEDB" in text and "REVOKE ALL ON DATABASE" in text
