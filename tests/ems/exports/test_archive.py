"""Archives of sealed days: every event in exactly one, each proved by the head that covers it; the log keeps everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.signing.ed25519 import KeyVerifier
from ems.access import note_reading
from ems.bootstrap.bundle import archive_part
from ems.bundle_log import BundleLog
from ems.exports.archive import Part, parts
from ems.exports.day import Span
from tests.ems.exports.days import ZONE, busy_day
from tests.ems.exports.test_bundle import SIGNER, check_chain_and_tree, files, headed, next_day


async def test_parts_are_whole_days_that_a_head_covers() -> None:
    room = await busy_day()
    end = len(room.log.rows)
    await next_day(room)
    last = len(room.log.rows)
    assert await parts(room.log, "2026-03-03", ZONE, last) == [Part("2026-03-02", Span(1, end))]
    assert await parts(room.log, "2026-03-04", ZONE, last) == [
        Part("2026-03-02", Span(1, end)),
        Part("2026-03-03", Span(end + 1, last)),
    ]
    assert await parts(room.log, "2026-03-04", ZONE, last - 1) == [Part("2026-03-02", Span(1, end))], "the rest is not sealed"
    assert await parts(room.log, "2026-03-02", ZONE, last) == []


async def test_an_archive_proves_itself_and_takes_nothing_from_the_log(tmp_path: Path) -> None:
    room = await busy_day()
    end = len(room.log.rows)
    await next_day(room)
    stored = room.log.rows
    heads = headed(room, end - 3, end + 2, len(stored))
    found = await parts(room.log, "2026-03-04", ZONE, heads[-1].size)
    for part, covering in zip(found, (heads[1:2], heads[2:]), strict=True):
        path = tmp_path / f"log-{part.day}.tar"
        first = await archive_part(room.log, part, path, zone=ZONE, signer=SIGNER, heads=heads)
        again = await archive_part(room.log, part, tmp_path / "again.tar", zone=ZONE, signer=SIGNER, heads=heads)
        assert first.sha256 == again.sha256
        bundle = files(path)
        check_chain_and_tree(bundle, json.loads(bundle["manifest.json"]), covering)
        opened = BundleLog.opened(path, KeyVerifier(SIGNER.public_key))
        assert (await opened.end()).seq == part.span.last
        opened.close()
    assert room.log.rows == stored


@pytest.mark.parametrize("how", ["export", "explain", "search"])
async def test_who_reads_the_log_is_in_it(how: str) -> None:
    room = await busy_day()
    for _ in range(2):
        await note_reading(
            room.log, room.clock, ZONE, person="ann", how=how, what="a day", build="b", purpose="exam", span=(1, 7)  # type: ignore[arg-type]
        )  # fmt: skip
    last = room.log.rows[-1]
    assert (last.topic, last.version) == ("log.read.v1", 2)
    assert json.loads(last.state)["meta"]["actor"] == "person:ann"
