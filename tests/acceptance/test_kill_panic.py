"""A PANIC over real FIX to the simulated venue: what works is canceled, the house is sold out of its position, a client is not,
and the proof of flat says all of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from domain.child_order import ChildOrder
from domain.exposure import ACCOUNT
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.values import E9, Side, TimeInForce
from ems import recovery
from ems.bootstrap import kill
from ems.config import load
from ems.desk_state import DeskState
from ems.loopback import free_ports
from tests.acceptance.conftest import Program, watched
from tests.acceptance.kill_room import now, until
from tests.adapters.fix.raw import RawPeer

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
HELD, CLIENTS = 300, 500
DESK_OF_THE_HOUSE = """
[[sessions]]
name = "MMDESK"
role = "client"
kind = "acceptor"
sender_comp_id = "EMS"
target_comp_id = "MMDESK"
port = {port}
"""
KILL = """
[kill]
house_accounts = ["HOUSE"]
house_sessions = ["MMDESK"]
collar_bps = 200
"""


class Oms(RawPeer):
    """Sends direct orders and keeps the last word on each."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "EMS")
        self.status: dict[str, str] = {}

    def _received(self, text: str) -> None:
        super()._received(text)
        if self.messages[-1]["35"] == "8":
            self.status[self.messages[-1]["11"]] = self.messages[-1]["39"]

    def order(self, name: str, account: str, side: str, quantity: int, limit: int) -> None:
        self.send("D", f"11={name}|1={account}|21=1|55=DEMO|54={side}|60={now()}|38={quantity}|40=2|44={limit}|59=0|")


class Trading:
    """The system up, with a client and the house's own desk."""

    def __init__(self, program: Program, client: Oms, house: Oms) -> None:
        self.program, self.client, self.house = program, client, house

    async def state(self) -> DeskState:
        """As the log alone says it."""
        async with kill.log_of(kill.runtime_of(load(self.program.home / "ems.toml"))) as log:
            return await recovery.fold(log)

    async def panic(self, scope: str) -> dict[str, Any]:
        words = ("kill", "panic", "--scope", scope, "--reason", "a test", "--wait", "30", "--json")
        done = await asyncio.to_thread(self.program.run, *words)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def trading(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trading]:
    home = tmp_path_factory.mktemp("panic")
    with watched(Program(home)) as program:
        assert program.run("init").returncode == 0
        ports = free_ports(4)
        configure(home / "ems.toml", ports)
        up = program.start("up")
        client, house = Oms("OMS1"), Oms("MMDESK")
        try:
            assert up.stdout is not None
            while "console: http" not in (line := await asyncio.to_thread(up.stdout.readline)):
                assert line
            await client.connect(ports[0])
            await house.connect(ports[3])
            while "SIM" not in (await asyncio.to_thread(sessions_up, program)):  # noqa: ASYNC110 (a process: nothing to wait on)
                await asyncio.sleep(0.2)
            yield Trading(program, client, house)
        finally:
            await client.close()
            await house.close()
            up.terminate()
            await asyncio.to_thread(up.communicate, timeout=60)


def configure(path: Path, ports: list[int]) -> None:
    text = path.read_text()
    text = text[: text.index("\n[risk]")]  # its orders are priced far from the market
    for old, new in zip((9876, 9880, 8410), ports, strict=False):
        text = text.replace(f"port = {old}", f"port = {new}")
    text = text.replace('["DEMO", "AMZN"]', '["DEMO"]').replace("\n[kill] ", KILL + "# ").replace("outage_s = 30 ", "# ")
    path.write_text(text.replace("\n[routes]", DESK_OF_THE_HOUSE.format(port=ports[3]) + "\n[routes]"))


def sessions_up(program: Program) -> list[str]:
    found: list[str] = json.loads(program.run("health", "--json").stdout)["desk"].get("sessions_up", [])
    return found


def held(state: DeskState, account: str) -> int:
    """Net executions of an account."""
    return sum(child.side.sign * child.cum_quantity_e9 for child in state.children.values() if child.account == account) // E9


def flattening(state: DeskState) -> list[tuple[ParentOrder, ChildOrder]]:
    parents = [p for p in state.parents.values() if isinstance(p, ParentOrder) and p.flattens is not None]
    return [(parent, child) for parent in parents for child in state.children.values() if child.parent == parent.id]


async def test_a_panic_sells_what_the_house_holds_nothing_of_a_clients_and_says_what_it_cannot(trading: Trading) -> None:
    await sells_what_the_house_holds(trading)
    await says_what_it_cannot_flatten(trading)


async def sells_what_the_house_holds(trading: Trading) -> None:
    client, house = trading.client, trading.house
    house.order("H1", "HOUSE", "1", HELD, 150)
    client.order("C1", "FUND-7", "1", CLIENTS, 150)
    client.order("C2", "HOUSE", "1", CLIENTS, 150)  # a client that names the house's account
    house.order("H2", "HOUSE", "2", 100, 190)  # works far away: nobody may sell it a second time
    client.order("C3", "FUND-7", "1", 100, 20)
    await until(lambda: [client.status.get("C1"), client.status.get("C2"), house.status.get("H1")] == ["2"] * 3)
    await until(lambda: (client.status.get("C3"), house.status.get("H2")) == ("0", "0"))
    told = await trading.panic("instrument:DEMO")
    report = told["report"]
    await until(lambda: (client.status["C3"], house.status["H2"]) == ("4", "4"))
    state = await trading.state()
    assert (held(state, "FUND-7"), held(state, "HOUSE")) == (CLIENTS, CLIENTS), "the house has nothing, its clients have all"
    sent = flattening(state)
    assert sum(child.cum_quantity_e9 for _, child in sent) == HELD * E9
    for parent, child in sent:
        assert (child.side, child.account, child.time_in_force) == (Side.SELL, "HOUSE", TimeInForce.IOC)
        assert (parent.flattens, child.trip) == (("instrument:DEMO", told["trip"]), told["trip"])
        first = sent[0][0].arrival
        assert first is not None and first.mid_e9 is not None and child.limit_price_e9 is not None
        assert first.mid_e9 * 98 // 100 <= child.limit_price_e9 <= first.mid_e9
    assert (report["complete"], report["open_orders"], report["unflattened"]) == (True, 0, [])
    assert report["flattening"] == "the house is flat"
    assert sorted(o["cl_ord_id"] for o in report["orders"] if o["flattens"]) == sorted(child.cl_ord_id for _, child in sent)
    print(f"\n{len(sent)} orders flattened {HELD}: {[(c.cum_quantity_e9 // E9, c.status.value) for _, c in sent]}")


async def says_what_it_cannot_flatten(trading: Trading) -> None:
    """The account began the day with shares whose market is not there: no price, no order."""
    told = await trading.panic("account:HOUSE")
    report = told["report"]
    assert report["complete"] is False
    assert {one["instrument"]: one["position_e9"] for one in report["unflattened"]}.keys() == {"AMZN", "BAC"}
    assert all(one["why"] for one in report["unflattened"])
    assert report["flattening"] == "not flat: 2 positions of the house"
    state = await trading.state()
    state.risk.exposure.settle()
    ledgers = [ledger for ledger in state.risk.exposure.of("DEMO") if ledger.key[ACCOUNT] == "HOUSE"]
    assert sum(ledger.amounts()[0] for ledger in ledgers) == CLIENTS * E9
    assert not any(child.live or child.status is OrdStatus.IN_DOUBT for child in state.children.values())
