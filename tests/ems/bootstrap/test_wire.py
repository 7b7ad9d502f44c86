"""`ems fix wire`: messages with the events that they caused or tell of, over a real log and a journal's real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.clock import WallClock
from adapters.fix.wire_record import Kind, WireRecord
from adapters.fix.wire_segments import Segments, folder, segments
from adapters.postgres.causes import by_seq, caused_by
from adapters.postgres.event_log import PostgresEventLog
from domain import fix_session as fs
from domain.catalogue import TOPICS
from domain.errors import ConfigError, EmsError
from domain.event import Entry, InboundRef, Meta
from domain.values import stream_id
from ems.bootstrap.gateway import gateway_config
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.wire import Wanted, find, moment_ns, readable
from ems.cli.program import app
from ems.config import Settings
from tests.conftest import Database

NOW_NS = 1_795_377_600_000_000_000  # 2026-11-22T20:00 UTC


async def an_event(log: PostgresEventLog, number: int, ref: InboundRef | None) -> int:
    meta = Meta(NOW_NS, "client:OMS", stream_id("test", str(number)), "x", "build", ref)
    event = fs.OutboundReserved(session="OMS", reset_epoch=0, up_to=number)
    (recorded,) = await log.append([Entry(stream_id("test", str(number)), 0, (event,), meta)])
    return recorded.seq


def message(kind: Kind, number: int, body: str, *, event_seq: int = 0, epoch: int = 0, at: int = 0) -> WireRecord:
    raw = f"8=FIX.4.4|{body}10=000|".replace("|", "\x01").encode()
    return WireRecord(kind, NOW_NS + at, epoch, number, event_seq, raw)


def journal(state: Path, session: str, *records: WireRecord, gateway: str = "gateway") -> Path:
    path = folder(state / gateway / "wire", session)
    files = Segments(path, session, 0, NOW_NS)
    for record in records:
        files.add(record)
    files.mark("stop", NOW_NS)
    files.close()
    return path


async def filled(settings: Settings) -> list[int]:
    """A log of events and the journals of two sessions; returns the events' numbers."""
    async with PostgresEventLog(settings.database_url, TOPICS, WallClock()) as log:
        refs = [InboundRef("OMS", 0, 2), InboundRef("OMS", 0, 2), InboundRef("OMS", 1, 2), InboundRef("OMS", 0, 22), None]
        seqs = [await an_event(log, number, ref) for number, ref in enumerate(refs, 1)]
    order = "35=D|34=2|11=A1|"
    journal(
        settings.state_directory, "OMS", message(Kind.IN, 1, "35=A|34=1|"), message(Kind.IN, 2, order, at=1),
        message(Kind.OUT, 2, "35=8|34=2|11=A1|", event_seq=seqs[0], at=2), message(Kind.IN, 2, order, epoch=1, at=3),
        message(Kind.OUT, 2, "35=8|34=2|43=Y|11=A1|", at=5),
    )  # fmt: skip
    child = message(Kind.OUT, 9, "35=D|34=9|11=C1|", event_seq=seqs[0], at=4)
    journal(settings.state_directory, "VENUE", child, gateway="gateway-2")
    return seqs


@pytest.fixture
def settings(tmp_path: Path, database: Database) -> Settings:
    return Settings(state_directory=tmp_path / "state", database_url=database.app_dsn)


async def test_events_are_found_by_the_message_that_caused_them(settings: Settings) -> None:
    seqs = await filled(settings)
    dsn = settings.database_url
    found = await caused_by(dsn, TOPICS, "OMS", [InboundRef("OMS", 0, 2)])
    assert [recorded.seq for recorded in found] == seqs[:2]
    every = await caused_by(dsn, TOPICS, "OMS", [InboundRef("OMS", 0, 22), InboundRef("OMS", 1, 2), InboundRef("OMS", 7, 7)])
    assert [recorded.seq for recorded in every] == seqs[2:4]
    assert await caused_by(dsn, TOPICS, "OM", [InboundRef("OM", 0, 2)]) == []
    assert [recorded.seq for recorded in await by_seq(dsn, TOPICS, [seqs[4], 999, seqs[0]])] == [seqs[0], seqs[4]]


async def test_a_message_is_shown_with_its_events(settings: Settings) -> None:
    seqs = await filled(settings)
    found = await find(settings, Wanted(session="OMS", seq=2))
    assert [(m.told.record.kind, m.told.record.reset_epoch, [e.seq for e in m.events]) for m in found.messages] == [
        (Kind.IN, 0, seqs[:2]), (Kind.OUT, 0, seqs[:1]), (Kind.IN, 1, [seqs[2]]), (Kind.OUT, 0, seqs[:1]),
    ]  # fmt: skip
    assert (found.faults, found.gaps, found.without_events) == ([], [], "")


async def test_an_event_has_its_cause_and_all_that_tells_of_it(settings: Settings) -> None:
    seqs = await filled(settings)
    found = await find(settings, Wanted(event=seqs[0]))
    assert [(m.told.session, m.told.record.kind, m.told.record.time_ns - NOW_NS) for m in found.messages] == [
        ("OMS", Kind.IN, 1), ("OMS", Kind.OUT, 2), ("VENUE", Kind.OUT, 4), ("OMS", Kind.OUT, 5),
    ]  # fmt: skip
    assert (await find(settings, Wanted(event=seqs[4]))).messages == []
    with pytest.raises(EmsError, match="no event 999"):
        await find(settings, Wanted(event=999))


@pytest.mark.parametrize(
    ("wanted", "times"),
    [
        (Wanted(cl_ord_id="A1"), [1, 2, 3, 5]),
        (Wanted(cl_ord_id="A"), []),
        (Wanted(since_ns=NOW_NS + 3), [3, 4, 5]),
        (Wanted(until_ns=NOW_NS + 1), [0, 1]),
        (Wanted(session="VENUE"), [4]),
    ],
)
async def test_messages_are_chosen(settings: Settings, wanted: Wanted, times: list[int]) -> None:
    await filled(settings)
    assert [m.told.record.time_ns - NOW_NS for m in (await find(settings, wanted)).messages] == times


async def test_without_a_log_messages_are_shown_alone(tmp_path: Path) -> None:
    settings = Settings(state_directory=tmp_path)
    with pytest.raises(ConfigError, match="holds no wire journal"):
        await find(settings, Wanted(session="OMS"))
    journal(tmp_path, "OMS", message(Kind.IN, 1, "35=A|"))
    found = await find(settings, Wanted(session="OMS"))
    assert len(found.messages) == 1
    assert "nothing is recorded" in found.without_events
    with pytest.raises(ConfigError, match="no session 'OM', only OMS"):
        await find(settings, Wanted(session="OM"))


def test_damage_and_gaps_are_told(tmp_path: Path) -> None:
    config = tmp_path / "ems.toml"
    config.write_text('state_directory = "state"\n')
    path = journal(tmp_path / "state", "OMS", message(Kind.IN, 1, "35=A|"), message(Kind.IN, 2, "35=D|58=Zürich|"))
    Segments(path, "OMS", 0, NOW_NS).write()  # starts, and is killed
    Segments(path, "OMS", 0, NOW_NS).close()
    runner = CliRunner()
    told = runner.invoke(app, ["fix", "wire", "--session", "OMS", "-c", str(config)])
    assert (told.exit_code, "ended without order" in told.stderr) == (0, True)
    assert told.stdout.splitlines()[1] == "2026-11-22T20:00:00.000000000Z  OMS in   0/2  8=FIX.4.4|35=D|58=Zürich|10=000|"
    rows = runner.invoke(app, ["fix", "wire", "--session", "OMS", "--json", "--seq", "2", "-c", str(config)]).stdout
    (row,) = [json.loads(line) for line in rows.splitlines()]
    assert (row["direction"], row["msg_seq_num"], row["text"]) == ("in", 2, "8=FIX.4.4|35=D|58=Zürich|10=000|")
    segment = segments(path)[0].path
    data = bytearray(segment.read_bytes())
    at = data.index("Zürich".encode())
    data[at] ^= 1
    segment.write_bytes(data)
    told = runner.invoke(app, ["fix", "wire", "--session", "OMS", "-c", str(config)])
    assert told.exit_code == 1
    assert f"{segment} at byte {data.rindex(b'WIRE', 0, at)}: no whole record" in told.stderr


def test_how_long_messages_are_kept_is_configured(tmp_path: Path) -> None:
    settings = Settings(state_directory=tmp_path, wire_days=7)
    assert gateway_config(Runtime(settings=settings)).wire_days == 7


def test_what_a_person_reads() -> None:
    assert readable(b"8=F\x0158=\xff\x01") == "8=F|58=\\xff|"
    assert moment_ns("2026-11-22T20:00:00", "--since") == moment_ns("2026-11-22T21:00:00+01:00", "--since") == NOW_NS
    with pytest.raises(ConfigError, match="--since 'now' is no time"):
        moment_ns("now", "--since")
