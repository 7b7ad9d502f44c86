"""Binance's live streams over real sockets: a cut connection and a gap are mended by a new snapshot, and the tape says so."""

from __future__ import annotations

import asyncio
import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from domain.tape import Kind, Status
from ems.cli import app
from models.tape_store import open_tape
from tests.adapters.marketdata.test_binance import diff

SPEAKS = (Status.DISCONNECTED, Status.LOST, Status.RESYNCED)


class Exchange:
    """One symbol's streams: diffs numbered one by one, of which some are left out; snapshots, some refused; connections cut."""

    def __init__(self, cut_after: int, left_out: set[int], refused: int, pace_s: float = 0.005) -> None:
        self.number = 0
        self.connections = self.snapshots = 0
        self._cut_after = cut_after
        self._left_out = left_out
        self._refused = refused
        self._pace_s = pace_s

    async def stream(self, connection: ServerConnection) -> None:
        self.connections += 1
        for sent in range(10_000):
            self.number += 1
            if self.number not in self._left_out:
                price = f"{10 + self.number % 7}.0"
                data = diff(self.number, self.number, None, [[price, str(self.number)]], symbol="BTC")
                await connection.send(json.dumps(data))
            await asyncio.sleep(self._pace_s)
            if self.connections == 1 and sent == self._cut_after:
                connection.transport.abort()
                return

    def snapshot(self, connection: ServerConnection, request: Request) -> Response | None:
        if not request.path.startswith("/depth"):
            return None
        assert request.path == "/depth?symbol=BTC"
        self.snapshots += 1
        if self.snapshots <= self._refused:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "busy")
        body = {"lastUpdateId": self.number, "bids": [["9.0", "1"]], "asks": [["20.0", "1"]]}
        return connection.respond(HTTPStatus.OK, json.dumps(body))


async def recorded(exchange: Exchange, to: Path, *words_more: str) -> dict[str, Any]:
    server: Server
    async with serve(exchange.stream, "127.0.0.1", 0, process_request=exchange.snapshot) as server:
        port = server.sockets[0].getsockname()[1]
        words = ["-m", "ems", "tape", "record-binance", "--to", str(to), "--url", f"ws://127.0.0.1:{port}/stream", "--symbol"]
        more = ["BTC:0.1:0.001", "--snapshot-url", f"http://127.0.0.1:{port}/depth?symbol={{symbol}}", "--json", *words_more]
        process = await asyncio.create_subprocess_exec(sys.executable, *words, *more, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(60):
            while exchange.number < 300 or exchange.connections < 2:
                await asyncio.sleep(0.05)
                assert process.returncode is None
            process.terminate()
            out, _ = await process.communicate()
        return dict(json.loads(out))


async def test_a_cut_connection_and_a_gap_are_mended_and_told(tmp_path: Path) -> None:
    exchange = Exchange(cut_after=60, left_out={150}, refused=1)
    found = await recorded(exchange, tmp_path / "t")
    assert found["received"]["connections"] == exchange.connections >= 2
    assert found["received"]["failed_snapshots"] == 1 and found["faults"]["gap"]["count"] == 1
    stored = open_tape(tmp_path / "t")
    assert stored.header.sealed and stored.verify() == []
    records = stored.records(0, len(stored))
    said = [s for s in records[records["kind"] == Kind.STATUS]["size_lots"].tolist() if s in SPEAKS]
    assert said == [Status.RESYNCED, Status.DISCONNECTED, Status.RESYNCED, Status.LOST, Status.RESYNCED]
    whole, numbers = False, []
    for kind, lots, price in records[["kind", "size_lots", "price_ticks"]].tolist():
        if kind == Kind.STATUS:
            whole = lots == Status.RESYNCED
        elif kind == Kind.LEVEL and price not in (90, 200):
            assert whole, "nothing is displayed that a snapshot does not stand behind"
            numbers.append(lots // 1_000)
    assert numbers == sorted(set(numbers)) and numbers[-1] > 250
    missing = set(range(numbers[0], numbers[-1] + 1)) - set(numbers)
    assert 150 in missing


async def test_a_burst_beyond_capacity_is_conflated_and_told(tmp_path: Path) -> None:
    exchange = Exchange(cut_after=1, left_out=set(), refused=0, pace_s=0.0005)
    found = await recorded(exchange, tmp_path / "t", "--capacity", "18")
    stored = open_tape(tmp_path / "t")
    records = stored.records(0, len(stored))
    told = records[(records["kind"] == Kind.STATUS) & (records["size_lots"] == Status.CONFLATED)]
    assert found["received"]["conflated"] == told["order_id"].sum() > 0
    assert found["received"]["most_waiting"] > 18 and found["received"]["lost"] == 0
    last = {
        int(row["price_ticks"]): int(row["size_lots"])
        for row in records
        if row["kind"] == Kind.LEVEL and row["size_lots"] > 1_000
    }
    assert len(last) == 7 and max(last.values()) - min(last.values()) == 6_000, "each level as it was told last"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--url", "http://x", "--snapshot-url", "http://x", "--symbol", "BTC:1:1"], "does not begin with ws"),
        (["--url", "ws://x", "--snapshot-url", "file:///etc/hosts", "--symbol", "BTC:1:1"], "does not begin with http"),
        (["--url", "ws://x", "--snapshot-url", "http://x", "--symbol", "BTC"], "is no SYMBOL:TICK:LOT"),
        (["--url", "ws://x", "--snapshot-url", "http://x", "--symbol", "BTC:0:1"], "is no SYMBOL:TICK:LOT"),
        (["--url", "ws://x", "--snapshot-url", "http://x", "--symbol", "BTC:x:1"], "is no SYMBOL:TICK:LOT"),
    ],
)
def test_addresses_and_terms_that_are_none_are_refused(tmp_path: Path, words: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["tape", "record-binance", "--to", str(tmp_path / "t"), *words])
    assert says in str(result.exception)
    assert not (tmp_path / "t").exists()
