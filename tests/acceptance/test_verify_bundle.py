"""The stand-alone verifier, and ours beside it: both hold what is whole, and neither holds what was touched."""

from __future__ import annotations

import ast
import asyncio
import gzip
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from adapters.anchor.files import FileAnchor
from adapters.signing.ed25519 import KeySigner
from domain.errors import SealError
from domain.event import link_hash
from domain.merkle import consistency_spans, inclusion_spans, root
from domain.sealing import Anchored, leaves
from ems.bundle_log import BundleLog
from ems.log_proof import told
from ems.verification import verify
from tests.acceptance.sealed_bundle import event_line, files_of, log_of, manifest_of, write
from tests.ems.sealing_room import SIGNER, VERIFIER

SCRIPT = Path(__file__).parents[2] / "deploy" / "verify_bundle.py"
KEY = SIGNER.public_key.hex()
ROWS, HEADS = log_of([3, 10, 11, 24, 40, 53])
Files, Manifest = dict[str, bytes], dict[str, Any]


@pytest.fixture(scope="module")
def alone() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_bundle", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bundle(path: Path, first: int, last: int, change: Callable[[Files, Manifest], None] | None = None) -> Path:
    files = files_of(ROWS, HEADS, first, last)
    manifest = manifest_of(ROWS, HEADS, first, last, files)
    if change is not None:
        change(files, manifest)
    write(path / "bundle.tar", files, manifest)
    return path / "bundle.tar"


def ours(path: Path, anchors: list[FileAnchor] | None = None) -> bool:
    """What `ems audit verify --bundle` says."""
    try:
        log = BundleLog.opened(path, VERIFIER)
    except SealError:
        return False
    try:
        return asyncio.run(verify(log, anchors or [], VERIFIER)).ok
    finally:
        log.close()


def test_it_is_one_file_that_imports_the_standard_library_alone_and_runs_isolated(tmp_path: Path) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text("utf-8")))
        for name in ([one.name for one in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None) or ""])
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= sys.stdlib_module_names
    path = bundle(tmp_path, 12, 37)
    (tmp_path / "public.key").write_text(KEY + "\n")
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(path), "--key", str(tmp_path / "public.key")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "HOLDS: 26 events (12 to 37), 5 files, 2 heads compared, the last is head 5 of 40 events\n"


@pytest.mark.parametrize(("first", "last"), [(1, 53), (1, 1), (4, 10), (12, 24), (25, 25), (12, 37), (41, 53)])
def test_every_part_of_a_log_that_is_whole_holds(alone: ModuleType, tmp_path: Path, first: int, last: int) -> None:
    path = bundle(tmp_path, first, last)
    assert alone.main([str(path), "--key", KEY, "--every-signature"]) == 0
    assert ours(path)


def other_row(number: int, **values: Any) -> Callable[[Files, Manifest], None]:
    """Change an event, and the manifest's digest of its file: as somebody would who had the signing key too."""

    def change(files: Files, manifest: Manifest) -> None:
        for name in [name for name in files if name.startswith("events/")]:
            lines = gzip.decompress(files[name]).splitlines(keepends=True)
            for at, line in enumerate(lines):
                if json.loads(line)["seq"] == number:
                    lines[at] = json.dumps(json.loads(line) | values).encode() + b"\n" if values else b""
            files[name] = gzip.compress(b"".join(lines), mtime=0)
        digests(files, manifest)

    return change


def digests(files: Files, manifest: Manifest) -> None:
    manifest["files"] = manifest_of(ROWS, HEADS, 12, 37, files)["files"]


def rewritten(files: Files, manifest: Manifest) -> None:
    """Another history, whole in itself, its chain computed again; the heads are those that were signed."""
    rows = list(ROWS)
    for at in range(14, len(rows)):
        seq, stream, version, topic, time_ns, state, _, _ = rows[at]
        prev = rows[at - 1][7]
        hash_ = link_hash(prev, seq, stream, version, time_ns + 1, topic, state)
        rows[at] = (seq, stream, version, topic, time_ns + 1, state, prev, hash_)
    files.update(files_of(rows, HEADS, 12, 37))
    manifest.update(manifest_of(rows, HEADS, 12, 37, files))


def without(name: str) -> Callable[[Files, Manifest], None]:
    def change(files: Files, manifest: Manifest) -> None:
        del files[name]

    return change


def put(name: str, data: bytes) -> Callable[[Files, Manifest], None]:
    return lambda files, _: files.update({name: data})


def heads_cut(files: Files, manifest: Manifest) -> None:
    files["heads.jsonl"] = b"".join(files["heads.jsonl"].splitlines(keepends=True)[1:])


TOUCHED = {
    "a file is missing": without("records/orders.csv"),
    "a file is foreign": put("records/more.csv", b"x"),
    "a file was changed": put("README.txt", b"Examiner's bundle!\n"),
    "heads were taken away": heads_cut,
    "an event's time was changed": other_row(20, recorded_time_ns=5),
    "an event's hash was changed": other_row(20, hash="00" * 32),
    "an event was left out": other_row(20),
    "an event was repeated": other_row(20, seq=19),
    "history was written anew": rewritten,
    "the manifest's tree was changed": lambda _, manifest: manifest["proofs"]["before"]["subtrees"].reverse(),
    "the manifest's leaves behind were changed": lambda _, manifest: manifest["proofs"]["after"].reverse(),
}


@pytest.mark.parametrize("what", TOUCHED)
def test_what_was_touched_does_not_hold(alone: ModuleType, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = bundle(tmp_path, 12, 37, TOUCHED[what])
    assert alone.main([str(path), "--key", KEY]) == 1
    assert capsys.readouterr().out.startswith("BROKEN: ")
    assert not ours(path)


def test_a_wrong_key_a_damaged_archive_and_nonsense_are_one_sentence(alone: ModuleType, tmp_path: Path) -> None:
    path = bundle(tmp_path, 12, 37)
    assert alone.main([str(path), "--key", "11" * 32]) == 1
    assert alone.main([str(path), "--key", "11"]) == 2
    assert alone.main([str(tmp_path / "none.tar"), "--key", KEY]) == 2
    path.write_bytes(path.read_bytes()[:3000])
    assert alone.main([str(path), "--key", KEY]) != 0
    with pytest.raises(SealError):
        BundleLog.opened(path, VERIFIER)


def test_heads_that_somebody_kept_are_compared(alone: ModuleType, tmp_path: Path) -> None:
    path, kept, anchor = bundle(tmp_path, 12, 37), tmp_path / "kept", FileAnchor(tmp_path / "anchor")
    kept.write_text("".join(json.dumps(head.to_json()) + "\n" for head in HEADS))
    for head in HEADS:
        anchor.keep(Anchored(head))
    assert alone.main([str(path), "--key", KEY, "--head", str(kept)]) == 0
    assert ours(path, [anchor])
    _, others = log_of([3, 10, 11, 23, 24])
    for head in others:
        if head.size == 23:
            kept.write_text(json.dumps(head._replace(root=bytes(32)).to_json()))
    assert alone.main([str(path), "--key", KEY, "--head", str(kept)]) == 1
    kept.write_text(json.dumps(HEADS[0].to_json()))
    assert alone.main([str(path), "--key", KEY, "--head", str(kept)]) == 1, "none of them lies in this bundle"


def test_a_proof_is_checked_and_with_anything_changed_it_is_not(alone: ModuleType, tmp_path: Path) -> None:
    hashes, path = [row[7] for row in ROWS], tmp_path / "proof.json"
    for seq in (1, 4, 17, 24, 41, 53):
        first, last = next(head for head in HEADS if head.size >= seq), HEADS[-1]
        roots = [
            [root(leaves(hashes[a:b], a + 1)) for a, b in spans]
            for spans in (inclusion_spans(seq - 1, first.size), consistency_spans(first.size, last.size))
        ]
        proof = told(ROWS[seq - 1], first, roots[0], last, roots[1], SIGNER.public_key)
        path.write_text(json.dumps(proof))
        assert alone.main(["--proof", str(path), "--key", KEY]) == 0
        assert alone.main(["--proof", str(path), "--key", KeySigner(bytes(32)).public_key.hex()]) == 1
        for changed in (
            {"event": proof["event"] | {"state": proof["event"]["state"][:-2] + "00"}},
            {"event": json.loads(event_line(ROWS[seq % 53])) | {"state": ROWS[seq % 53][5].hex()}},
            {"inclusion": [*proof["inclusion"], "00" * 32]},
            {"consistency": [*proof["consistency"], "00" * 32]},
            {"head": proof["head"] | {"size": first.size + 1}},
        ):
            path.write_text(json.dumps(proof | changed))
            assert alone.main(["--proof", str(path), "--key", KEY]) == 1


def test_signatures_are_those_of_rfc_8032(alone: ModuleType) -> None:
    key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert alone.ed25519(key, b"", signature)
    assert not alone.ed25519(key, b"x", signature)
    assert not alone.ed25519(key, b"", signature[:32] + bytes(32))
    order = (2**252 + 27742317777372353535851937790883648493 + int.from_bytes(signature[32:], "little")).to_bytes(32, "little")
    assert not alone.ed25519(key, b"", signature[:32] + order), "a second form of the same signature"
