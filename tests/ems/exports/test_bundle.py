"""The examiner's bundle: the same bytes from the same log, provable without us, and none of a log that does not hold."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from adapters.exports.archive import Opened
from adapters.memory.event_log import MemoryEventLog
from adapters.signing.ed25519 import KeySigner, KeyVerifier
from domain import kill_switch as ks
from domain import merkle
from domain.catalogue import TOPICS
from domain.errors import ChainBroken, ConfigError, ExportError
from domain.event import chain_hash
from domain.ports import EventLog
from domain.sealing import SignedHead, leaves, signed
from domain.values import E9, StreamId
from ems.bootstrap.bundle import Exported, export_day
from ems.exports.formats import local_date
from ems.exports.settings import NOTHING_SAID
from tests.ems.exports.days import SETTINGS, ZONE, busy_day, put
from tests.ems.room import Clock, Room

SIGNER = KeySigner(b"k" * 32)
DAY = "2026-03-02"
Files = dict[str, bytes]


async def exported(log: EventLog, to: Path, day: str = DAY, heads: list[SignedHead] | None = None) -> Exported:
    return await export_day(log, to, day=day, zone=ZONE, settings=SETTINGS, signer=SIGNER, heads=heads or ())  # type: ignore[arg-type]


async def next_day(room: Room) -> None:
    """The market is closed: an order that is refused, and what another process writes."""
    room.clock.ns += 86_400 * E9
    await room.order(cl_ord_id="D1")
    drills = [ks.Suspended(scope="strategy:ems-drill", source="drill", reason="again", at_ns=room.clock.ns)] * 3
    await put(room, ks.key(), drills, actor="system:drill")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def files(path: Path) -> Files:
    with Opened(path) as bundle:
        return {name: bundle.read(name) for name in bundle.names()}


def lines(bundle: Files) -> Iterator[dict[str, Any]]:
    for name in sorted(n for n in bundle if n.startswith("events/")):
        yield from (json.loads(line) for line in gzip.decompress(bundle[name]).splitlines())


def rows(bundle: Files, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(bundle[name].decode())))


def headed(room: Room, *sizes: int) -> list[SignedHead]:
    """Signed heads of a log at some sizes."""
    heads: list[SignedHead] = []
    hashes = [row.hash for row in room.log.rows]
    for size in sizes:
        root = merkle.root(leaves(hashes[:size], 1))
        heads.append(signed(heads[-1] if heads else None, size, root, hashes[size - 1], 1_000 + size, SIGNER))
    return heads


async def test_the_same_log_gives_the_same_bytes_also_when_it_has_grown(tmp_path: Path) -> None:
    room = await busy_day()
    first = await exported(room.log, tmp_path / "a.tar")
    await next_day(room)
    again = await exported(room.log, tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert first.told()["predicted_errors"] == 0 and first.told()["events"] == again.told()["events"]
    assert names(tmp_path) == ["a.tar", "b.tar"], "nothing else is left"


async def test_an_outsider_checks_digests_signature_chain_and_tree(tmp_path: Path) -> None:
    room = await busy_day()
    end = len(room.log.rows)
    await next_day(room)
    size = len(room.log.rows)
    heads = headed(room, end - 3, end + 2, size)
    day = local_date(room.clock.ns, ZONE)
    for name, which, covering in (("a.tar", DAY, heads[:2]), ("b.tar", day, heads[1:])):
        await exported(room.log, tmp_path / name, which, heads)
        bundle = files(tmp_path / name)
        told = json.loads(bundle["manifest.json"])
        assert KeyVerifier(SIGNER.public_key).verifies(bundle["manifest.json"], bundle["manifest.sig"])
        assert {n: hashlib.sha256(bundle[n]).hexdigest() for n in bundle if not n.startswith("manifest")} == {
            file["path"]: file["sha256"] for file in told["files"]
        }
        check_chain_and_tree(bundle, told, covering)


def check_chain_and_tree(bundle: Files, told: dict[str, Any], covering: list[SignedHead]) -> None:
    """With the bundle alone: every link of the chain, and the root of every head that covers part of the day."""
    events, proofs = told["events"], told["proofs"]
    tree = merkle.Frontier(proofs["before"]["size"], [bytes.fromhex(h) for h in proofs["before"]["subtrees"]])
    before, seq = bytes.fromhex(events["prev_hash"]), events["first_seq"] - 1
    assert tree.size == seq
    roots = {}
    for line in lines(bundle):
        seq += 1
        state = base64.b64decode(line["state"])
        found = chain_hash(before, seq, StreamId(line["stream"]), line["version"], line["recorded_time_ns"], line["topic"], state)
        assert (line["seq"], line["hash"], line["prev_hash"]) == (seq, found.hex(), before.hex())
        before = found
        tree.extend(leaves([found], seq))
        roots[seq] = tree.root()
    assert (seq, before.hex(), roots[seq].hex()) == (events["last_seq"], events["hash"], proofs["root"])
    for leaf in proofs["after"]:
        tree.extend([bytes.fromhex(leaf)])
        roots[tree.size] = tree.root()
    heads = [SignedHead.from_json(json.loads(line)) for line in bundle["heads.jsonl"].splitlines()]
    assert heads[-1].size >= seq and heads[-1] == covering[-1]
    assert [roots[head.size] for head in heads if head.size in roots] == [head.root for head in heads if head.size in roots]


async def test_the_records_hold_what_an_examiner_asks_for(tmp_path: Path) -> None:
    await exported((await busy_day()).log, tmp_path / "a.tar")
    bundle = files(tmp_path / "a.tar")
    orders, fills = rows(bundle, "records/orders.csv"), rows(bundle, "records/executions.csv")
    assert {"A1", "A2", "B1", "C1"} <= {row["cl_ord_id"] for row in orders}
    assert [(row["exec_id"], row["quantity"], row["price"]) for row in fills] == [("X1", "2000", "100"), ("X2", "400", "100")]
    assert [json.loads(row["content"])["approver"] for row in rows(bundle, "records/limits.csv")] == ["bob"]
    assert rows(bundle, "records/models.csv")[0]["actor"] == "person:ann"
    assert [row["algo"] for row in rows(bundle, "records/algorithms.csv")] == ["twap"]
    assert json.loads(rows(bundle, "records/kill_drills.csv")[0]["content"])["source"] == "drill"
    checks = rows(bundle, "records/risk_checks.csv")
    assert {"lot", "tick"} <= {row["check"] for row in checks} and all(row["outcome"] for row in checks)
    assert "FINRA" in bundle["README.txt"].decode() and "Engineering material" in bundle["README.txt"].decode()


async def test_the_consolidated_record_has_a_row_for_each_event(tmp_path: Path) -> None:
    room = await busy_day()
    await exported(room.log, tmp_path / "a.tar")
    table = pq.read_table(io.BytesIO(files(tmp_path / "a.tar")["regulatory/consolidated.parquet"])).to_pylist()
    assert [row["global_seq"] for row in table] == [row.seq for row in room.log.rows]
    assert [bytes.fromhex(row["leaf_hash"]) for row in table] == leaves([row.hash for row in room.log.rows], 1)
    fill = next(row for row in table if row["event_type"] == "child_order.filled.v1" and row["exec_id"] is None)
    assert (fill["leaves_qty"], fill["cum_qty"], fill["last_qty"]) == ("8000", "2000", "2000")
    worked_by = {row["algo_id"] for row in table if row["algo_id"]}
    assert worked_by == {"TWAPXTEST"}, "an algorithm's designation has the build in it"


async def test_limits_of_before_the_day_are_in_its_history_and_orders_are_not(tmp_path: Path) -> None:
    room = await busy_day()
    await next_day(room)
    await exported(room.log, tmp_path / "b.tar", local_date(room.clock.ns, ZONE))
    bundle = files(tmp_path / "b.tar")
    assert len(rows(bundle, "records/limits.csv")) == 1
    assert {row["cl_ord_id"] for row in rows(bundle, "records/orders.csv")} == {"D1"}


async def test_of_a_log_that_does_not_hold_there_is_no_bundle(tmp_path: Path) -> None:
    room = await busy_day()
    stored = list(room.log.rows)
    stored[20] = stored[20]._replace(state=stored[20].state.replace(b"100", b"101"))
    with pytest.raises(ChainBroken, match="event 21"):
        await exported(MemoryEventLog(TOPICS, Clock(), rows=stored), tmp_path / "a.tar")
    assert names(tmp_path) == []


async def test_a_day_without_events_and_a_place_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    room = await busy_day()
    with pytest.raises(ConfigError, match="no event of 2020-01-01; it has 2026-03-02"):
        await exported(room.log, tmp_path / "a.tar", "2020-01-01")
    with pytest.raises(ExportError, match="cannot be written"):
        await exported(room.log, tmp_path / "none" / "a.tar")


async def test_what_the_firm_has_not_said_is_listed_as_missing(tmp_path: Path) -> None:
    room = await busy_day()
    told = await export_day(room.log, tmp_path / "a.tar", day=DAY, zone=ZONE, settings=NOTHING_SAID, signer=SIGNER)
    coverage = rows(files(tmp_path / "a.tar"), "regulatory/coverage.csv")
    states = {(row["record"], row["field"]): row["state"] for row in coverage}
    assert states["rts24", "submitting entity"] == "empty" and states["rts24", "date and time"] == "filled"
    assert states["cat MENO", "firmDesignatedID"] == "empty" and states["cat MENO", "price"] == "filled"
    assert told.predicted["by_code"].keys() == {"2xxx"}
