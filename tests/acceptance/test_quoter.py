"""The quoter over real sockets, judged at the venue's socket: what may never leave, what must, and that the log has all of it."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from adapters.clock import WallClock
from adapters.postgres.embedded import DATABASE, OWNER, SUPERUSER, EmbeddedPostgres
from adapters.postgres.event_log import PostgresEventLog
from domain import quote as q
from domain.catalogue import TOPICS
from domain.event import Event
from domain.kill_scope import FIRM
from domain.kill_table import Level
from domain.quote import Ending
from domain.tape import Kind, Status
from ems.bootstrap import quote_audit
from tests.acceptance.quoter_market import Sent
from tests.acceptance.quoter_room import Room, room
from tests.conftest import Database

LIMIT_LOTS = 300


@pytest.fixture(scope="module")
def dsn(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    with psycopg.connect(postgres_server.connection(SUPERUSER, "postgres"), autocommit=True) as connection:
        names = map(sql.Identifier, ("quoter", DATABASE, OWNER))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*names))
        yield Database(postgres_server, "quoter").app_dsn
        connection.execute("DROP DATABASE quoter WITH (FORCE)")


@pytest.fixture(scope="module")
def quoting(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One quoter for all tests of this module, in their order; each leaves it quoting, the last one dead."""
    with room(tmp_path_factory.mktemp("quoter"), dsn) as made:
        made.warm()
        yield made


def new(sent: list[Sent]) -> list[Sent]:
    return [each for each in sent if each.new]


def lost(r: Room) -> int:
    r.tape.deaf = True
    r.tape.publish(r.tape.flicker(9_990, 1), lose=True)
    return r.tick()


def found(r: Room) -> None:
    r.tape.deaf = False


def crossed(r: Room) -> int:
    frames = r.tape.frames([(int(Kind.ADD), 900_001, 10_020, 100, 1)])
    return r.tape.publish(frames)


def uncrossed(r: Room) -> None:
    r.tape.publish(r.tape.frames([(int(Kind.CANCEL), 900_001, 10_020, 100, 1)]))


PULLED: list[tuple[str, Callable[[Room], int], Callable[[Room], object]]] = [
    ("a gap", lost, found),
    ("a crossed book", crossed, uncrossed),
    ("a halt", lambda r: r.tape.status(Status.HALTED), lambda r: r.tape.status(Status.TRADING)),
    ("garbage", lambda r: r.tape.raw(b"no datagram of anybody's feed"), lambda r: None),
    ("another session", lambda r: r.tape.raw(b"9999999999" + bytes(7) + b"\x05\0\0"), lambda r: None),
]


@pytest.mark.parametrize(("what", "cause", "cure"), PULLED, ids=[what for what, *_ in PULLED])
def test_one_tick_pulls_all_quotes_and_none_follows_until_it_is_over(
    quoting: Room, what: str, cause: Callable[[Room], int], cure: Callable[[Room], object]
) -> None:  # fmt: skip
    quoting.quotes()
    at_ns = cause(quoting)  # and no other tick after it
    quoting.pulled()
    gone_ns = time.monotonic_ns()
    cancels = [each for each in quoting.exchange.since(at_ns) if each.message.name == "cancel"]
    assert cancels
    if what != "garbage" and what != "another session":  # of which the next good datagram is the end
        for _ in range(20):
            quoting.tick()
        time.sleep(0.1)
        assert new(quoting.exchange.since(gone_ns)) == []
    cure(quoting)
    quoting.quotes()


def test_a_kill_stops_quotes_within_the_call_and_lets_cancels_pass(quoting: Room) -> None:
    quoting.quotes()
    quoting.latch.change(FIRM, lambda slot: slot.tripped(Level.SOFT, 7, 1))
    stamp_ns = time.monotonic_ns()
    for _ in range(300):
        quoting.tick()
    quoting.pulled()
    assert new(quoting.exchange.since(stamp_ns)) == []
    assert [each for each in quoting.exchange.since(stamp_ns) if each.message.name == "cancel"]
    quoting.latch.change(FIRM, lambda slot: slot.rearmed(7, 2))
    quoting.quotes()


def test_what_is_open_and_held_never_comes_above_the_limit(quoting: Room) -> None:
    rng = random.Random(5)
    exchange = quoting.exchange
    seen = set()
    for n in range(400):
        quoting.tape.publish(quoting.tape.flicker(10_001 if n % 2 else 9_999, 1))
        time.sleep(0.001)
        with exchange.lock:
            refs = list(exchange.open)
        for ref in refs:
            exchange.fill(ref, rng.choice([1, 50, 100, 1_000]))
        seen.add(exchange.position)
    assert exchange.worst <= LIMIT_LOTS
    assert len(seen) > 3


def test_orders_of_a_lost_connection_are_canceled_before_a_new_one_leaves(quoting: Room) -> None:
    quoting.quotes()
    exchange = quoting.exchange
    exchange.keeps_orders = True
    left, at_ns = set(exchange.open), time.monotonic_ns()
    exchange.server.disconnect("QUOTE1", 0.3)
    quoting.until(lambda: not left & set(exchange.open), "the cancels of what was left")
    exchange.keeps_orders = False
    sent = [each.message for each in exchange.since(at_ns)]
    last = max(n for n, message in enumerate(sent) if message.name == "cancel" and message.number("user_ref_num") in left)
    assert not any(message.name in ("enter", "replace") for message in sent[:last])
    quoting.quotes()
    assert exchange.worst <= LIMIT_LOTS


def events_of(dsn: str, r: Room) -> dict[str, list[Event]]:
    """By run, in order."""

    async def read() -> dict[str, list[Event]]:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            streams = {}
            for path in sorted(r.runtime.quoter_directory.glob("*/opened.json")):
                opened = q.Opened.model_validate_json(path.read_bytes())
                stream = q.key(opened.quoter, opened.trade_date, opened.run)
                streams[path.parent.name] = [recorded.event for recorded in await log.read(stream)]
            return streams

    return asyncio.run(read())


def told(events: list[Event]) -> Counter[tuple[str, int]]:
    names = {q.OrderPlaced: "enter", q.OrderReplaced: "replace", q.CancelSent: "cancel"}
    return Counter((names[type(e)], e.ref) for e in events if type(e) in names)  # type: ignore[attr-defined]


def test_killed_in_the_middle_everything_that_was_sent_is_in_the_journal_and_in_the_log(quoting: Room, dsn: str) -> None:
    quoting.quotes()
    rate = quoting.flood(3.0)
    quoting.stop("quoter", signal.SIGKILL)
    print(f"\nkilled at {rate:,.0f} ticks a second")
    folder = next(quoting.runtime.quoter_directory.iterdir()).name
    quoting.until(lambda: not list(quoting.runtime.quoter_directory.glob("*/journal.ring")), "the end of the ring", wait_s=60)
    events = events_of(dsn, quoting)[folder]
    assert isinstance(events[-1], q.Stopped) and events[-1].ending is Ending.DIED
    orders = [each.message for each in quoting.exchange.sent if each.message.name != "account_query"]
    sent = Counter((message.name, message.number("user_ref_num")) for message in orders)
    journal = told(events)
    assert sum(sent.values()) > 300
    assert not sent - journal, "sent, and not in the log"
    assert sum((journal - sent).values()) <= 4  # of the one call that was being sent when the kill came
    matches = [event.match for event in events if isinstance(event, q.Filled)]
    assert len(matches) == len(set(matches))
    assert (
        sum(event.quantity_e9 * event.side.sign for event in events if isinstance(event, q.Filled))
        == quoting.exchange.position * 10**9
    )  # type: ignore[union-attr]


def test_every_sealed_record_is_what_the_log_says_and_comes_out_the_same_again(quoting: Room, dsn: str) -> None:
    (folder,) = quoting.runtime.quoter_directory.iterdir()
    run = asyncio.run(quote_audit.run_of(dsn, folder))
    verified = quote_audit.verify(run)
    print(f"\n{verified['bytes_per_record']:.0f} bytes a record, {verified['gb_per_day']:.0f} GB a trading day")
    assert verified["wrong"] == []
    assert verified["segments"] > 5
    again = quote_audit.again(run, quoting.runtime.settings.state_directory / "models", 1, len(run.sealed))
    assert again["differing"] == []
    assert again["records"] == run.sealed[-1].last


def test_started_again_it_holds_what_the_venue_says_and_quotes_on(quoting: Room, dsn: str) -> None:
    exchange = quoting.exchange
    if exchange.open:
        exchange.fill(next(iter(exchange.open)), 1)  # what nobody was there to hear
    at_ns = time.monotonic_ns()
    quoting.start("quoter")
    quoting.until(lambda: any(each.message.name == "account_query" for each in exchange.since(at_ns)), "a login", wait_s=60)
    quoting.quotes()
    assert quoting.stop("quoter") == 0
    quoting.until(lambda: not list(quoting.runtime.quoter_directory.glob("*/journal.ring")), "the end of the ring", wait_s=60)
    assert not exchange.open
    first, second = events_of(dsn, quoting).values()
    assert isinstance(second[-1], q.Stopped) and second[-1].ending is Ending.ORDERLY
    assert second[-1].inventory_e9 == {"AAPL": exchange.position * 10**9}
    matches = [event.match for event in itertools.chain(first, second) if isinstance(event, q.Filled)]
    assert len(matches) == len(set(matches)) == exchange._matches
