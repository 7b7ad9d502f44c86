"""What the gateway's tests share: the gateway as a process, and a desk on its link."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from adapters.fix.control import ask
from adapters.fix.dialect import Dialect
from adapters.fix.link import FixLink, Hello
from adapters.fix.oms import Oms
from adapters.fix.oms_order import OmsOrder
from adapters.fix.sessions import SessionConfig
from adapters.shm.latch import SharedLatch
from domain.messages import Input, SessionChange
from domain.order_life import OrdStatus
from domain.sending import Outbound, ParentReport, SendChild
from domain.values import E9, OrdType, Side, TimeInForce
from ems.loopback import free_port
from tests import warm

ROOT = Path(__file__).resolve().parents[3]
WAIT_S = 60.0
AN_ORDER = "11={}|55=AMZN|54=1|38=100|40=2|44=12.5|59=0|60=20261122-15:00:00.000|847=1|"


class GatewayProcess:
    """A gateway with one client session (EMS/OMS) and one venue session (EMS/VENUE)."""

    def __init__(self, directory: Path, **changes: Any) -> None:
        self.directory = directory
        self.client_port = free_port()
        self.venue_port = free_port()
        self.link_path = directory / "link.sock"
        self.control_path = directory / "control.sock"
        base = {"heart_bt_int_s": 5, "sender_comp_id": "EMS"}
        client = {"name": "OMS", "role": "client", "kind": "acceptor", "target_comp_id": "OMS", "port": self.client_port}
        venue = {"name": "VENUE", "role": "venue", "kind": "initiator", "target_comp_id": "VENUE", "port": self.venue_port}
        self.config: dict[str, Any] = {
            "directory": str(directory / "gateway"),
            "link_path": str(self.link_path),
            "control_path": str(self.control_path),
            "latch": str(directory / "latch"),
            "hello_wait_s": 0.1,
            "logout_wait_s": 0.2,
            "sessions": [
                {**base, **client},
                {**base, **venue},
            ],
            **changes,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.latch = SharedLatch(directory / "latch")
        self.latch.build([])

    def start(self, *, wait: bool = True) -> GatewayProcess:
        path = self.directory / "gateway.json"
        path.write_text(json.dumps(self.config))
        command = [sys.executable, "-m", "tests.adapters.fix.gateway_main", str(path)]
        with (self.directory / "gateway.log").open("ab") as out:
            self._process = warm.Popen(command, cwd=ROOT, stdout=out, stderr=out)
        if wait:
            self.wait_health(lambda _: True)
        return self

    def wait_health(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Until the gateway's health meets a condition."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, f"the gateway ended:\n{self.log()}"
            try:
                health = ask(self.control_path, {"command": "health"})
            except OSError:
                health = None
            if health is not None and condition(health):
                return dict(health)
            time.sleep(0.02)
        raise AssertionError(f"gateway not as wanted, last {health}:\n{self.log()}")

    def wait_session(self, name: str, *, up: bool = True) -> None:
        self.wait_health(lambda health: health["sessions"][name]["up"] is up)

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(WAIT_S)

    def wait_exit(self) -> int:
        assert self._process is not None
        return self._process.wait(WAIT_S)

    def log(self) -> str:
        return (self.directory / "gateway.log").read_text()


class Desk:
    """A desk that only records: runs a FixLink and keeps what it delivers."""

    def __init__(self, path: Path, hello: Hello, dialects: Mapping[str, Dialect] | None = None) -> None:
        self.inputs: list[Input] = []
        self._came = asyncio.Event()
        self.link = FixLink(path, hello=lambda: hello, deliver=self._deliver, dialects=dialects)
        self.epoch = hello.epoch
        self.task = asyncio.get_running_loop().create_task(self.link.run())

    def _deliver(self, inputs: list[Input]) -> None:
        self.inputs += inputs
        self._came.set()

    async def take(self, kind: type, condition: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first input of a kind that meets a condition, now or later."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for item in self.inputs:
                    if isinstance(item, kind) and condition(item):
                        return item
                self._came.clear()
                await self._came.wait()

    def all(self, kind: type) -> list[Any]:
        return [item for item in self.inputs if isinstance(item, kind)]

    def send(self, *messages: Outbound) -> None:
        self.link.send(messages, epoch=self.epoch)

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def make_oms(directory: Path, port: int) -> Oms:
    config = SessionConfig(
        name="EMS", role="venue", kind="initiator", sender_comp_id="OMS", target_comp_id="EMS", port=port, heart_bt_int_s=5
    )
    return Oms(directory, config)


def an_order(**changes: Any) -> OmsOrder:
    terms: dict[str, Any] = {"symbol": "AMZN", "side": Side.BUY, "quantity_e9": 5000 * E9, "algo": "vwap", **changes}
    return OmsOrder(**terms)


def a_report(cl_ord_id: str, *, event_seq: int = 1, **changes: Any) -> ParentReport:
    terms: dict[str, Any] = {
        "session": "OMS",
        "event_seq": event_seq,
        "exec_kind": "new",
        "ord_status": OrdStatus.NEW,
        "exec_id": f"E{event_seq}",
        "order_id": "O1",
        "cl_ord_id": cl_ord_id,
        "orig_cl_ord_id": "",
        "symbol": "AMZN",
        "side": Side.BUY,
        "quantity_e9": 100 * E9,
        "limit_price_e9": None,
        "last_quantity_e9": 0,
        "last_price_e9": 0,
        "cum_quantity_e9": 0,
        "leaves_quantity_e9": 100 * E9,
        "average_price_e9": 0,
        "transact_time_ns": 1_795_000_000_000_000_000,
        **changes,
    }
    return ParentReport(**terms)


def a_child(number: int = 1) -> SendChild:
    return SendChild(
        session="VENUE",
        event_seq=10 + number,
        cl_ord_id=f"CHILD{number:011d}",
        instrument="AMZN",
        side=Side.BUY,
        quantity_e9=100 * E9,
        ord_type=OrdType.LIMIT,
        limit_price_e9=220_120_000_000,
        time_in_force=TimeInForce.DAY,
        account="",
        transact_time_ns=1_795_000_000_000_000_000,
    )


def is_child(number: int) -> Callable[[dict[str, str]], bool]:
    return lambda m: m["35"] == "D" and m["11"] == f"CHILD{number:011d}"


async def venue_up(desk: Desk) -> None:
    await desk.take(SessionChange, lambda change: change.session == "VENUE" and change.up)


async def control(gateway: GatewayProcess, **request: Any) -> Any:
    return await asyncio.to_thread(ask, gateway.control_path, request)


async def started(gateway: GatewayProcess) -> GatewayProcess:
    await asyncio.to_thread(gateway.start)
    return gateway
