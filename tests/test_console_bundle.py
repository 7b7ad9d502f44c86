"""How the console's page gets built and into the wheel: with Node.js, without it, and never a wheel without a page."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.in_ci import load

ROOT = Path(__file__).resolve().parents[1]
LOCK = {
    "packages": {
        "": {"name": "made"},
        "node_modules/shipped": {"version": "1.2.3", "license": "MIT"},
        "node_modules/tool": {"version": "9.9.9", "dev": True},
    }
}
NPM = """#!/bin/sh
echo "$@" >>"$CALLS"
case "$1" in
    ci) mkdir -p node_modules/shipped node_modules/tool
        echo "Permission is hereby granted" >node_modules/shipped/LICENSE
        echo "not for the page" >node_modules/tool/LICENSE ;;
    run) {build} ;;
esac
"""
BUILT = 'mkdir -p "$5/assets"; echo "<!doctype html>" >"$5/index.html"; cat src.ts >"$5/assets/main-1a2b.js"'


@pytest.fixture(scope="module")
def bundles() -> ModuleType:
    return load("console_bundle")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with the console's sources alone."""
    source = tmp_path / "ems" / "console"
    source.mkdir(parents=True)
    (tmp_path / "ems" / "api").mkdir()
    (source / "package.json").write_text("{}")
    (source / "package-lock.json").write_text(json.dumps(LOCK))
    (source / "src.ts").write_text("one\n")
    return tmp_path


@pytest.fixture
def calls(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What npm was called with; PATH has that npm, a node that is recent enough, and a shell's programs."""
    log = tree / "calls"
    programs(tree, monkeypatch, node="v20.20.2", build=BUILT)
    monkeypatch.setenv("CALLS", str(log))
    return log


def programs(tree: Path, monkeypatch: pytest.MonkeyPatch, *, node: str, build: str) -> None:
    folder = tree / "bin"
    folder.mkdir(exist_ok=True)
    for name, text in {"node": f"#!/bin/sh\necho {node}\n", "npm": NPM.replace("{build}", build)}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for name in ("sh", "cat", "mkdir"):
        if not (folder / name).exists():
            (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))


def test_it_is_built_once_and_again_when_a_source_changes(bundles: ModuleType, tree: Path, calls: Path) -> None:
    assert bundles.ensure(tree)
    assert not bundles.ensure(tree)
    assert [line.split()[0] for line in calls.read_text().splitlines()] == ["ci", "run"]
    (tree / "ems" / "console" / "src.ts").write_text("two\n")
    assert bundles.ensure(tree)
    assert (bundles.bundle(tree) / "assets" / "main-1a2b.js").read_text() == "two\n"
    assert [line.split()[0] for line in calls.read_text().splitlines()] == ["ci", "run", "run"]  # the packages are the same


def test_packages_are_installed_anew_when_the_lock_changes(bundles: ModuleType, tree: Path, calls: Path) -> None:
    bundles.ensure(tree)
    (tree / "ems" / "console" / "package-lock.json").write_text(json.dumps(LOCK) + "\n")
    assert bundles.ensure(tree)
    assert [line.split()[0] for line in calls.read_text().splitlines()] == ["ci", "run"] * 2


def test_what_npm_installs_is_no_source(bundles: ModuleType, tree: Path, calls: Path) -> None:
    before = bundles.checksum(tree)
    bundles.ensure(tree)
    assert (tree / "ems" / "console" / "node_modules").is_dir()
    assert bundles.checksum(tree) == before


def test_beside_each_file_but_the_page_which_is_filled_in_is_its_compressed_twin(
    bundles: ModuleType, tree: Path, calls: Path
) -> None:
    bundles.ensure(tree)
    made = bundles.bundle(tree)
    for name in ("assets/main-1a2b.js", bundles.LICENCES):
        assert gzip.decompress((made / f"{name}.gz").read_bytes()) == (made / name).read_bytes()


def test_the_licences_are_of_what_ships_and_of_nothing_else(bundles: ModuleType, tree: Path, calls: Path) -> None:
    bundles.ensure(tree)
    text = (bundles.bundle(tree) / bundles.LICENCES).read_text()
    assert "shipped 1.2.3 (MIT)\n\nPermission is hereby granted" in text
    assert "tool" not in text


def test_a_package_without_a_licence_does_not_ship(bundles: ModuleType, tree: Path, calls: Path) -> None:
    bare = LOCK["packages"] | {"node_modules/bare": {"version": "0.1.0"}}
    (tree / "ems" / "console" / "package-lock.json").write_text(json.dumps({"packages": bare}))
    with pytest.raises(bundles.BundleFailed, match=r"bare 0\.1\.0 is in the bundle and names no licence"):
        bundles.ensure(tree)
    assert not bundles.bundle(tree).exists()


@pytest.mark.parametrize(
    ("build", "told"),
    [("echo 'TS2304: no such name'; exit 2", "TS2304: no such name\nnpm run failed"), ("true", "no index.html")],
)
def test_a_build_that_fails_leaves_the_page_as_it_was(
    bundles: ModuleType, tree: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, build: str, told: str
) -> None:
    bundles.ensure(tree)
    (tree / "ems" / "console" / "src.ts").write_text("broken\n")
    programs(tree, monkeypatch, node="v20.20.2", build=build)
    with pytest.raises(bundles.BundleFailed, match=told):
        bundles.ensure(tree)
    assert (bundles.bundle(tree) / "assets" / "main-1a2b.js").read_text() == "one\n"
    assert not bundles.is_current(tree)


def test_without_node_set_up_says_one_sentence_and_goes_on(
    bundles: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tree))
    said: list[str] = []
    assert bundles.main(tree, said.append) == 0
    (sentence,) = said
    assert "Node.js and npm are missing" in sentence and sentence.endswith(".") and "\n" not in sentence


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("v20.19.0", True), ("v20.18.9", False), ("v22.12.0", True), ("v22.11.0", False), ("v21.7.3", False), ("v26.1.0", True),
        ("v18.20.4", False), ("", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_what_vite_runs_on(bundles: ModuleType, version: str, enough: bool) -> None:
    assert bundles.recent_enough(version) is enough


def test_an_old_node_is_as_good_as_none(bundles: ModuleType, tree: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tree, monkeypatch, node="v18.1.0", build=BUILT)
    with pytest.raises(bundles.NodeMissing, match=r"Node\.js v18\.1\.0 is too old"):
        bundles.ensure(tree)
    assert not calls.exists()


def small_project(folder: Path) -> Path:
    """Our build, of a project small enough to be built in a second."""
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(text.replace('license-files = ["LICENSE", "NOTICE"]\n', ""), "utf-8")
    (folder / "README.md").write_text("small\n")
    for package in ("domain", "ems", "ems/api"):
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "__init__.py").touch()
    return folder


def build_wheel(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    """As pip calls it, in a process of its own."""
    code = "import sys; sys.path.insert(0, '.ci'); import build_backend; print(build_backend.build_wheel('dist'))"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"PATH": path}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_no_wheel_is_built_without_the_page(tree: Path, tmp_path: Path) -> None:
    done = build_wheel(small_project(tree), path=str(tmp_path))
    assert done.returncode != 0
    assert "NodeMissing: Node.js and npm are missing" in done.stderr
    assert not list(tree.rglob("*.whl"))


def test_nor_where_there_is_nothing_to_build_it_of(tmp_path: Path) -> None:
    done = build_wheel(small_project(tmp_path), path=os.environ["PATH"])
    assert done.returncode != 0
    assert "there is neither a console bundle" in done.stderr


def test_a_wheel_has_this_page_and_none_of_an_earlier_one(bundles: ModuleType, tree: Path, calls: Path) -> None:
    small_project(tree)
    assert build_wheel(tree, path=os.environ["PATH"]).returncode == 0
    (tree / "ems" / "console" / "src.ts").write_text("two\n")
    shutil.rmtree(tree / "dist")
    renamed = BUILT.replace("1a2b", "3c4d")
    with pytest.MonkeyPatch.context() as patch:
        programs(tree, patch, node="v20.20.2", build=renamed)
        done = build_wheel(tree, path=os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    (wheel,) = (tree / "dist").glob("*.whl")
    names = [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith(("ems/api/_console/", "ems/console/"))]
    packed = [f"{name}{end}" for name in ("assets/main-3c4d.js", bundles.LICENCES) for end in ("", ".gz")]
    assert sorted(names) == sorted(f"ems/api/_console/{name}" for name in ["index.html", *packed])
