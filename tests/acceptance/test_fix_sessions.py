"""Sessions are added, changed, removed, stopped and started on a running system, and those of another group do not notice."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.fix_session import Operated
from ems.bootstrap.runtime import Runtime
from ems.cli.demo_settings import free_ports
from tests.acceptance.conftest import Program
from tests.acceptance.test_fix_groups import desk_of, gateway_of, told, works
from tests.acceptance.test_fix_lists import NOW, Desk, desk_up
from tests.adapters.fix.raw import RawPeer

pytestmark = pytest.mark.slow
WHY = ("--reason", "a test")


def session(name: str, port: int, group: str, more: str = "") -> str:
    return (
        f'[[sessions]]\nname = "{name}"\nrole = "client"\nkind = "acceptor"\ngroup = "{group}"\n'
        f'sender_comp_id = "EMS"\ntarget_comp_id = "{name}"\nport = {port}\n{more}\n'
    )


class Operator:
    """Edits the configuration and uses the command line, as a person does."""

    def __init__(self, home: Path) -> None:
        self._program = Program(home)
        self._file = home / "ems.toml"
        self._first = self._file.read_text()

    def write(self, *sessions: str) -> None:
        self._file.write_text(self._first + "\n".join(sessions))

    async def does(self, *words: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(self._program.run, "sessions", *words)

    async def done(self, *words: str) -> str:
        done = await self.does(*words, *WHY)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    async def refused(self, *words: str) -> str:
        done = await self.does(*words, *WHY)
        assert done.returncode == 2, done.stdout + done.stderr
        (line,) = done.stderr.strip().splitlines()
        return line

    async def listed(self) -> dict[str, dict[str, Any]]:
        done = await self.does("list", "--json")
        return {row["session"]: row for row in json.loads(done.stdout)["sessions"]}


async def operated(home: Path) -> AsyncIterator[tuple[str, str, str, str, str]]:
    """What the log has of what persons did: session, group, act, reason, and who."""
    log = PostgresEventLog(Runtime.load(home / "state" / "runtime.json").app_dsn, TOPICS, WallClock())
    try:
        async for page in log.read_pages():
            for recorded in page:
                if isinstance(event := recorded.event, Operated):
                    yield event.session, event.group, event.act, event.reason, recorded.meta.actor.partition(":")[0]
    finally:
        await log.close()


def unbroken(desk: Desk) -> None:
    """Both peers of the main group have logged on once, and no number was missing or came again."""
    for peer in (desk.oms, desk.venue):
        assert (len(peer.got("A")), peer.got("5"), peer.got("2"), peer.got("4")) == (1, [], [], [])
        numbers = [int(message["34"]) for message in peer.messages]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_sessions_come_change_and_go_while_another_group_stays_logged_on(tmp_path: Path) -> None:
    first_port, second_port = free_ports(2)
    async with desk_up(tmp_path) as desk:
        operator, main, leads = Operator(tmp_path), gateway_of(tmp_path, "main").pid, desk_of(tmp_path).pid
        await works(desk, desk.oms, "M1")

        operator.write(session("SECOND", first_port, "b"))
        assert await operator.done("reload") == "SECOND: add"
        second = RawPeer("SECOND", "EMS")
        await second.connect(first_port)
        await works(desk, second, "B1")
        await works(desk, desk.oms, "M2")

        operator.write(session("SECOND", second_port, "b", "heart_bt_int_s = 20"))
        desk.oms.send("D", f"11=M3|1=M3|21=1|55=DEMO|54=1|{NOW}38=100|40=2|44=200|59=0|")
        assert await operator.done("reload") == "SECOND: change"
        await second.drop()
        goes_on = second.expected
        await second.connect(second_port)
        assert second.got("A")[-1]["34"] == str(goes_on), "its numbers go on, on its new port"
        third = await desk.at_venue("D", "M3")
        desk.report(third, "0", "0")
        await told(desk.oms, "M3", "0")
        await works(desk, second, "B2")

        operator.write()
        assert "SECOND cannot be removed: 2 of its orders" in await operator.refused("reload")
        await works(desk, second, "B3")
        for name in ("B1", "B2", "B3"):
            second.send("F", f"11=C{name}|41={name}|55=DEMO|54=1|{NOW}38=100|")
            await desk.canceled(await desk.at_venue("D", name))
            await told(second, f"C{name}", "4")
        assert await operator.done("reload") == "SECOND: remove"
        assert set(await operator.listed()) == {"OMS", "VENUE"}
        await works(desk, desk.oms, "M4")
        assert (gateway_of(tmp_path, "main").pid, desk_of(tmp_path).pid) == (main, leads)
        asked = {m["11"] for m in desk.venue.got("H")}
        assert asked <= {third["11"]}, "only of the order that the venue had not answered: the desk was never away"
        unbroken(desk)
        done = [act async for act in operated(tmp_path)]
        assert done == [("SECOND", "b", act, "a test", "person") for act in ("add", "change", "remove")]
        await second.close()


async def test_orders_are_worked_while_a_configuration_is_gone_over_to(tmp_path: Path) -> None:
    """One order after the other, each acknowledged before the next, from before a session is added until after it is gone."""
    (port,) = free_ports(1)
    async with desk_up(tmp_path) as desk:
        operator, leads = Operator(tmp_path), desk_of(tmp_path).pid

        async def reloads() -> None:
            for sessions in ([session("SECOND", port, "b")], []):
                operator.write(*sessions)
                await operator.done("reload")

        changing, count = asyncio.create_task(reloads()), 0
        while not changing.done():
            count += 1
            await works(desk, desk.oms, f"M{count}")
        await changing
        await works(desk, desk.oms, "LAST")
        assert desk_of(tmp_path).pid == leads
        assert desk.venue.got("H") == []
        assert sorted(m["1"] for m in desk.venue.got("D")) == sorted([*(f"M{n + 1}" for n in range(count)), "LAST"])
        unbroken(desk)


async def test_a_route_and_a_dialect_change_without_a_restart(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    other = session("OTHER", port, "v").replace('"client"', '"venue"').replace('"acceptor"', '"initiator"')
    broker = RawPeer("OTHER", "EMS")
    await broker.listen(port)
    try:
        async with desk_up(tmp_path) as desk:
            operator, leads = Operator(tmp_path), desk_of(tmp_path).pid
            operator.write(other)
            assert await operator.done("reload") == "OTHER: add"
            await broker.take(lambda m: m["35"] == "A")
            await works(desk, desk.oms, "M1")
            routed = operator._first.replace('[routes]\n"*" = "VENUE"', f'{other}\n[routes]\n"*" = "OTHER"')
            (tmp_path / "ems.toml").write_text(routed)
            assert await operator.done("reload") == "the desk has the new configuration"
            desk.oms.send("D", f"11=R1|1=R1|21=1|55=DEMO|54=1|{NOW}38=100|40=2|44=200|59=0|")
            await broker.take(lambda m: m["35"] == "D" and m["1"] == "R1")

            (tmp_path / "theirs.toml").write_text('name = "Other"\n[[tags]]\nours = 1\ntheirs = 9001\n')
            (tmp_path / "ems.toml").write_text(routed.replace(f"port = {port}", f'port = {port}\nprofile = "theirs.toml"'))
            assert await operator.done("reload") == "OTHER: change"
            desk.oms.send("D", f"11=R2|1=R2|21=1|55=DEMO|54=1|{NOW}38=100|40=2|44=200|59=0|")
            sent = await broker.take(lambda m: m["35"] == "D" and m.get("9001") == "R2")
            assert "1" not in sent
            assert len(broker.got("A")) == 1, "what a counterparty calls things changes between two messages"
            assert desk_of(tmp_path).pid == leads
            unbroken(desk)
    finally:
        await broker.close()


async def test_a_session_and_a_group_are_stopped_and_started_by_hand(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with desk_up(tmp_path, session("SECOND", port, "b")) as desk:
        operator, second = Operator(tmp_path), RawPeer("SECOND", "EMS")
        await second.connect(port)
        await works(desk, second, "B1")
        row = (await operator.listed())["SECOND"]
        assert (row["group"], row["role"], row["up"], row["inbound"], row["waiting"]) == ("b", "client", True, 3, 0)
        assert row["outbound"] == second.expected
        assert row["heard_ns"] > 0

        assert await operator.done("stop", "--session", "SECOND") == "session SECOND is stopped"
        await second.take(lambda m: m["35"] == "5")
        assert (await operator.listed())["SECOND"]["why"] == "stopped by hand"
        await second.drop()
        assert await operator.done("start", "--session", "SECOND") == "session SECOND is started"
        await second.connect(port)

        assert await operator.done("stop", "--group", "b") == "the gateway of group b is stopped"
        assert (await operator.listed())["SECOND"]["why"] == "its gateway was stopped by hand"
        await second.drop()
        assert await operator.done("start", "--group", "b") == "the gateway of group b is started"
        await second.connect(port)
        assert await operator.done("restart", "--group", "b") == "the gateway of group b is started again"
        await second.drop()
        await second.connect(port)
        await works(desk, second, "B2")
        unbroken(desk)
        acts = [(name, act) async for name, _, act, _, _ in operated(tmp_path)]
        assert acts == [("SECOND", act) for act in ("stop", "start", "stop", "start", "restart")]
        shown = await operator.does("list")
        assert "SECOND" in shown.stdout
        assert "DOWN" not in shown.stdout
        await second.close()


async def test_a_configuration_that_cannot_be_run_changes_nothing(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with desk_up(tmp_path, session("SECOND", port, "b")) as desk:
        operator, second = Operator(tmp_path), RawPeer("SECOND", "EMS")
        await second.connect(port)
        pids = {group: gateway_of(tmp_path, group).pid for group in ("main", "b")}
        for more, said in (
            ("nonsense", "is not TOML"),
            ('[[sessions]]\nname = "THIRD"', "role"),
            (session("SECOND", port, "c"), "two sessions have the name SECOND"),
            (session("THIRD", port, "c"), "is listened on by the groups"),
            (
                "[clock]\nkind = 'tape'\nstart = 2026-03-02T14:30:00Z\nspeed = 2.0",
                "clock cannot be changed while the system runs",
            ),
            (session("THIRD", free_ports(1)[0], "c", 'profile = "none.toml"'), "none.toml cannot be read"),
            (session("THIRD", free_ports(1)[0], "c", '[sessions.rules]\ntls_certificate = "/none"\ntls_key = "/none"'), "THIRD"),
        ):
            operator.write(more)
            assert said in await operator.refused("reload")
        operator.write()
        assert await operator.done("reload") == "nothing has changed"
        assert "no session 'NOBODY'" in await operator.refused("stop", "--session", "NOBODY")
        assert "say which" in await operator.refused("stop")
        assert {group: gateway_of(tmp_path, group).pid for group in ("main", "b")} == pids
        await works(desk, desk.oms, "M1")
        await works(desk, second, "B1")
        unbroken(desk)
        await second.close()
