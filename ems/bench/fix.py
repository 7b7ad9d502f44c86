"""`ems bench fix`: an order over real FIX to its durable New, beside a bare engine's echo and a bare commit.

The whole system runs (gateway, desk, embedded Postgres, planners), its venue is a peer that fills at once. Echo, commit
and system are measured in turns, so that a busy machine slows all of them. Afterwards the log must hold every order
once, and every order must have had one New.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg

from adapters.fix.sessions import SessionConfig
from adapters.reference.files import load_sample
from domain.errors import InvariantBroken, ProcessFailed
from ems.bench.fix_client import SOH, WAIT_S, Client
from ems.bench.fix_dialects import DIALECTS, Dialect
from ems.bench.output import emit
from ems.bootstrap.logs import log_plain
from ems.bootstrap.system import System, started
from ems.config import Settings, check
from ems.loopback import free_ports

ROUNDS: Final = 5
TRIPS_A_ROUND: Final = 200
COMMITS_A_ROUND: Final = 100
CHILDREN_A_ROUND: Final = 20
PIPELINE_ROUNDS: Final = 3
PIPELINED: Final = 4_000
WARM_UP: Final = 300
ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Figures:
    """What the rounds gave. Times in nanoseconds."""

    order_ns: list[int] = field(default_factory=list)
    echo_ns: list[int] = field(default_factory=list)
    commit_ns: list[int] = field(default_factory=list)
    child_ns: list[int] = field(default_factory=list)
    orders_per_s: list[float] = field(default_factory=list)
    echo_per_s: list[float] = field(default_factory=list)
    dialect_ns: dict[str, list[int]] = field(default_factory=dict)
    dialects_per_s: dict[str, list[float]] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As it is printed, with the two bars beside what they judge."""
        p50, echo, commit = (_us(times, 50) for times in (self.order_ns, self.echo_ns, self.commit_ns))
        orders_per_s, echo_per_s = statistics.median(self.orders_per_s), statistics.median(self.echo_per_s)
        return {
            "p50_us": p50,
            "p99_us": _us(self.order_ns, 99),
            "orders_per_s": round(orders_per_s),
            "echo_p50_us": echo,
            "echo_per_s": round(echo_per_s),
            "commit_p50_us": commit,
            "child_out_p50_us": _us(self.child_ns, 50),
            "child_out_p99_us": _us(self.child_ns, 99),
            "p50_bar_us": round(8 * echo + 2 * commit, 1),
            "orders_per_s_bar": round(0.3 * echo_per_s),
            "orders": len(self.order_ns) + len(self.child_ns) + PIPELINED * len(self.orders_per_s),
            **{f"{name}_p50_us": _us(times, 50) for name, times in self.dialect_ns.items()},
            **{f"{name}_p99_us": _us(times, 99) for name, times in self.dialect_ns.items()},
            **{f"{name}_orders_per_s": round(statistics.median(rates)) for name, rates in self.dialects_per_s.items()},
        }


class Other(NamedTuple):
    """A client that speaks otherwise, and its order."""

    client: Client
    name: str
    order: str


def main(json_output: bool, *, dialects: bool = False) -> int:
    """Run the bench and print it; the exit code: 0 when every order was found in the log once and had one New.

    Args:
        json_output: print one JSON object rather than a line for each figure.
        dialects: measure a session of FIX 4.2 and one with a profile beside the plain one, in the same turns.
    """
    log_plain(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="ems-bench-fix-") as directory:
        figures = asyncio.run(measure(Path(directory), DIALECTS if dialects else ()))
    emit(figures, json_output)
    return 0


async def measure(directory: Path, dialects: Sequence[Dialect] = ()) -> dict[str, Any]:
    """The figures. Raises InvariantBroken when what was measured did not leave behind what it claims."""
    client_port, venue_port, echo_port, *others = free_ports(3 + len(dialects))
    more = dict(zip(dialects, others, strict=True))
    with peer("venue", venue_port, directory) as venue, peer("echo", echo_port, directory):
        sessions = [dialect.session(port, directory) for dialect, port in more.items()]
        async with started(_settings(directory / "state", client_port, venue_port, sessions)) as system:
            await ready(system, "AMZN")
            return await asyncio.to_thread(_measure, system, directory, venue, (client_port, echo_port), more)


def _measure(
    system: System, directory: Path, venue: subprocess.Popen[str], ports: tuple[int, int], more: Mapping[Dialect, int]
) -> dict[str, Any]:
    start = system.runtime.settings.clock.start
    assert start is not None
    later = _order(StartTime=start + timedelta(hours=3), EndTime=start + timedelta(hours=4))
    now = _order(EndTime=start + timedelta(hours=4)) + f"958=WouldPrice{SOH}959=14{SOH}960=230{SOH}"  # all of it, now
    now = now.replace(f"957=1{SOH}", f"957=2{SOH}")
    arrivals = arrivals_of(venue)
    orders = Client(directory / "client", _session("OMS", "EMS", ports[0]))
    echo = Client(directory / "echo-client", _session("BENCH", "ECHO", ports[1]))
    times = (start + timedelta(hours=3), start + timedelta(hours=4))
    others = [
        Other(Client(directory / f"client-{d.name}", _session(d.name, "EMS", port, d.version)), d.name, d.order(*times))
        for d, port in more.items()
    ]
    figures = Figures()
    try:
        with psycopg.connect(system.runtime.owner_dsn, autocommit=True) as database:
            _rounds(database, figures, (orders, echo), arrivals, (later, now), others)
            _judge(database, (orders, *(other.client for other in others)))
    finally:
        for client in (orders, echo, *(other.client for other in others)):
            client.stop()
    return figures.told()


def _rounds(
    database: psycopg.Connection[Any],
    figures: Figures,
    clients: tuple[Client, Client],
    arrivals: queue.SimpleQueue[int],
    bodies: tuple[str, str],
    others: Sequence[Other],
) -> None:
    """Everything in turns. clients: to the system, to the echo; bodies: an order for later, and one for now."""
    (orders, echo), (later, now) = clients, bodies
    database.execute("CREATE TABLE bench_commit (id bigserial PRIMARY KEY, text text NOT NULL)")
    for client in clients:
        client.start()
        _trips(client, later, "W", WARM_UP)
    for other in others:
        other.client.start()
        _trips(other.client, other.order, "W", WARM_UP)
    for number in range(ROUNDS):
        figures.echo_ns += _trips(echo, later, f"T{number}", TRIPS_A_ROUND)
        figures.commit_ns += _commits(database, COMMITS_A_ROUND)
        figures.order_ns += _trips(orders, later, f"T{number}", TRIPS_A_ROUND)
        figures.child_ns += _children(orders, arrivals, now, f"C{number}")
        for other in others:
            trips = _trips(other.client, other.order, f"T{number}", TRIPS_A_ROUND)
            figures.dialect_ns.setdefault(other.name, []).extend(trips)
    for number in range(PIPELINE_ROUNDS):
        names = [f"P{number}-{i}" for i in range(PIPELINED)]
        figures.echo_per_s.append(echo.pipelined_per_s(names, later))
        figures.orders_per_s.append(orders.pipelined_per_s(names, later))
        for other in others:
            figures.dialects_per_s.setdefault(other.name, []).append(other.client.pipelined_per_s(names, other.order))


def _trips(client: Client, order: str, name: str, count: int) -> list[int]:
    return [client.round_trip_ns(f"{name}-{i}", order) for i in range(count)]


def _commits(database: psycopg.Connection[Any], count: int) -> list[int]:
    """One row, one commit, as short as it can be said to a durable server."""
    times = []
    for _ in range(count):
        began_ns = time.perf_counter_ns()
        database.execute("INSERT INTO bench_commit (text) VALUES ('a row')", prepare=True)
        times.append(time.perf_counter_ns() - began_ns)
    return times


def arrivals_of(venue: subprocess.Popen[str]) -> queue.SimpleQueue[int]:
    """When each order came to the venue, as it tells it."""
    told: queue.SimpleQueue[int] = queue.SimpleQueue()

    def read() -> None:
        assert venue.stdout is not None
        for line in venue.stdout:
            told.put(int(line.split()[1]))

    threading.Thread(target=read, name="arrivals", daemon=True).start()
    return told


def _children(client: Client, arrivals: queue.SimpleQueue[int], order: str, name: str) -> list[int]:
    """From sending an order that is due at once to its child's arrival at the venue. Raises queue.Empty when none comes."""
    times = []
    for number in range(CHILDREN_A_ROUND):
        cl_ord_id = f"{name}-{number}"
        new_ns = client.round_trip_ns(cl_ord_id, order)
        began_ns = client.arrived_ns[cl_ord_id] - new_ns
        times.append(arrivals.get(timeout=WAIT_S) - began_ns)
    return times


def _judge(database: psycopg.Connection[Any], clients: Sequence[Client]) -> None:
    accepted = database.execute("SELECT count(*), count(DISTINCT stream) FROM events WHERE topic = 'parent_order.accepted.v1'")
    found = accepted.fetchone()
    sent, repeated = (sum(counts) for counts in zip(*((len(c.arrived_ns), c.repeated) for c in clients), strict=True))
    refused = [text for client in clients for text in client.refused]
    if found != (sent, sent) or repeated or refused:
        told = f"{sent} orders had their New, {repeated} had it twice, {len(refused)} were refused"
        raise InvariantBroken(f"{told}, the log accepted {found}")


# -------------------------------------------------------------------------------------------- the system


def _settings(state: Path, client_port: int, venue_port: int, sessions: Sequence[dict[str, Any]]) -> Settings:
    own = {"port": venue_port, "kind": "initiator", "target_comp_id": "PEER"}
    values: dict[str, Any] = {
        "mode": "PAPER",
        "name": "bench",
        "state_directory": str(state),
        "clock": {"kind": "tape", "start": _opening() + timedelta(minutes=30), "speed": 1},
        "sessions": [
            {"name": "OMS", "role": "client", "kind": "acceptor", "sender_comp_id": "EMS", "target_comp_id": "OMS",
             "port": client_port},
            {"name": "PEER", "role": "venue", "sender_comp_id": "EMS", **own},
            {"name": "PEER-MD", "role": "marketdata", "sender_comp_id": "EMS-MD", "symbols": ["AMZN"], **own},
            *sessions,
        ],
        "routes": {"*": "PEER"},
        "console": {"enabled": False},
    }  # fmt: skip
    return check(values, name="the bench's settings", folder=state)


def _opening() -> datetime:
    """The open of the calendar's last trading day but some, so that the bench runs on any day of the year."""
    calendar = load_sample().calendar_of("AMZN")
    day = calendar.last_date - timedelta(days=7)
    while not calendar.is_trading_day(day):
        day -= timedelta(days=1)
    return datetime.fromtimestamp(calendar.open_close_ns(day)[0] // 1_000_000_000, UTC)


async def ready(system: System, symbol: str) -> None:
    """Until the desk leads, the peer's session is up and the market is known. Raises ProcessFailed."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        status = await system.desk_status()
        if status.get("state") == "leading" and "PEER" in status["sessions_up"] and symbol in status["markets"]:
            return
        await asyncio.sleep(0.05)
    raise ProcessFailed(f"the system was not ready within {WAIT_S:.0f} s")


def _session(us: str, them: str, port: int, version: str = "FIX.4.4") -> SessionConfig:
    return SessionConfig(
        name=them, role="client", kind="initiator", sender_comp_id=us, target_comp_id=them, port=port, begin_string=version
    )


def _order(**times: datetime) -> str:
    """A TWAP order of one lot, without its id."""
    parameters = "".join(f"958={name}{SOH}959=14{SOH}960={at:%Y%m%d-%H:%M:%S}{SOH}" for name, at in times.items())
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S")
    body = f"55=AMZN|54=1|38=100|40=2|44=230|59=0|60={stamp}|847=1001|957={len(times)}|"
    return body.replace("|", SOH) + parameters


@contextmanager
def peer(role: str, port: int, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of `ems.bench.fix_peer`. Raises ProcessFailed."""
    command = [sys.executable, "-m", "ems.bench.fix_peer", role, str(port), str(directory / role)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline() != "ready\n":
                raise ProcessFailed(f"the bench's {role} did not start")
            yield process
        finally:
            process.stdin.close()


def _us(times_ns: list[int], percentile: int) -> float:
    ordered = sorted(times_ns)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percentile // 100)] / 1000, 1)
