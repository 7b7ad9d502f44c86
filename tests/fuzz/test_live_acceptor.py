"""Bad messages by the thousand into a live acceptor: it lives, others do not notice, and every refusal is its client's.

EMS_FUZZ_MESSAGES says how many; EMS_FUZZ_SEED repeats a run (it is printed where one fails).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.acceptance.fix_session.kit import LiveDesk
from tests.acceptance.fix_session.wire import Wire, frame, stamp
from tests.adapters.fix.kit import GatewayProcess, started
from tests.fuzz.mutator import message
from tests.waiting import until

MESSAGES = int(os.environ.get("EMS_FUZZ_MESSAGES", "3000"))
SEED = int(os.environ.get("EMS_FUZZ_SEED", "0")) or int(time.time())
ATTACKERS = min(60, 6 + MESSAGES // 4000)  # what a session's Logon costs the desk grows with what came over it that day
BURST = 40
QUIET_S = 0.25  # an attacker that hears nothing for so long connects anew
FAILED_MAX = 40  # Logons in a row: the engine frees a session that was cut a moment later
HEART_BT_INT_S = 2


class Attacker:
    """One client's session, and the bad messages that come over it."""

    def __init__(self, name: str, port: int, messages: int) -> None:
        self.name = name
        self._port = port
        self._left = messages
        self._random = Random(f"{SEED} {name}")
        self._number = 1
        self._failed = 0  # Logons in a row
        self.heard: Counter[str] = Counter()  # messages of our side by MsgType

    async def run(self) -> None:
        while self._left > 0:
            if self._random.random() < 0.2:
                await self._strangers()
            else:
                await self._session()

    async def _strangers(self) -> None:
        """Connections that never become a session."""
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(message(self._random, 1, self.name))
            self._left -= 1
            writer.transport.abort()

    async def _session(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        wire = Wire(reader, writer, us=self.name, them="EMS", begin="FIX.4.4", strict=False)
        try:
            self._number = 1
            self._send(wire, "A", "98=0|108=30|141=Y")
            if not await self._drain(wire):
                self._failed += 1
                assert self._failed < FAILED_MAX, f"{self.name} cannot log on any more"
                return
            self._failed = 0
            for _ in range(self._random.randint(1, 6)):
                for _ in range(BURST):
                    await asyncio.sleep(0)
                    if wire.closing:
                        return
                    wire.write(message(self._random, self._number, self.name))
                    self._number += 1
                    self._left -= 1
                self._send(wire, "1", "112=SYNC")
                if self._left <= 0 or not await self._drain(wire):
                    return
        finally:
            await wire.close()

    async def _drain(self, wire: Wire) -> bool:
        """Hear until the test request or the Logon is answered; whether the session goes on."""
        while True:
            try:
                heard = await wire.receive(QUIET_S)
            except TimeoutError:
                return False
            if heard is None:
                return False
            msg_type = heard.get("35") or ""
            self.heard[msg_type] += 1
            if msg_type == "2":
                self._send(wire, "4", f"43=Y|122={stamp()}|123=Y|36={self._number}", number=heard.get("7"))
            if msg_type in ("5", "A") or (msg_type == "0" and heard.get("112") == "SYNC"):
                return msg_type != "5"

    def _send(self, wire: Wire, msg_type: str, body: str, *, number: str | None = None) -> None:
        head = f"8=FIX.4.4|35={msg_type}|34={number or self._number}|49={self.name}|52={stamp()}|56=EMS"
        wire.write(frame([(t, v) for t, _, v in (part.partition("=") for part in f"{head}|{body}".split("|"))]))
        self._number += number is None


class Bystander:
    """A client that does nothing wrong and must not notice. On a thread of its own: a busy desk must not silence it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._number = 1
        self.heartbeats = self.answers = 0
        self.orders = False  # from now on, send an order at every heartbeat
        self.over = False

    def run(self) -> None:
        """Stay logged on until it is over. Raises AssertionError when the session is lost or silent."""
        asyncio.run(self._stay())

    async def _stay(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._wire = Wire(reader, writer, us="GOOD", them="EMS", begin="FIX.4.4")
        try:
            self._send("A", f"98=0|108={HEART_BT_INT_S}")
            while not self.over:
                heard = await self._wire.receive(10 * HEART_BT_INT_S)
                assert heard is not None, "the bystander's session was cut"
                if heard.get("35") == "0":
                    self.heartbeats += 1
                    self._send("0", "")
                    if self.orders:
                        self._order()
                elif heard.get("35") == "1":
                    self._send("0", f"112={heard.get('112')}")
                elif heard.get("35") == "8":
                    self.answers += 1
                else:
                    assert heard.get("35") in ("A", "B"), f"the bystander was told {heard}"
        finally:
            await self._wire.close()

    def _order(self) -> None:
        self._send("D", f"11=GOOD{self._number}|55=NOSUCH|54=1|38=100|40=2|44=10|59=0|60={stamp()}")

    def _send(self, msg_type: str, body: str) -> None:
        head = f"8=FIX.4.4|35={msg_type}|34={self._number}|49=GOOD|52={stamp()}|56=EMS"
        fields = f"{head}|{body}" if body else head
        self._wire.write(frame([(t, v) for t, _, v in (part.partition("=") for part in fields.split("|"))]))
        self._number += 1


def _gateway(directory: Path) -> GatewayProcess:
    gateway = GatewayProcess(directory)
    usual = {**gateway.config["sessions"][0], "heart_bt_int_s": 30}
    names = ["GOOD", *(f"BAD{number}" for number in range(ATTACKERS))]
    gateway.config["sessions"] = [{**usual, "name": name, "target_comp_id": name} for name in names]
    return gateway


@pytest.mark.slow
async def test_bad_messages_into_a_live_acceptor(tmp_path: Path) -> None:
    gateway = _gateway(tmp_path)
    print(f"seed {SEED}: EMS_FUZZ_SEED={SEED} EMS_FUZZ_MESSAGES={MESSAGES} repeats it")
    await started(gateway)
    desk = LiveDesk(gateway.link_path, frozenset())
    await desk.start()
    bystander = Bystander(gateway.client_port)
    watching = asyncio.create_task(asyncio.to_thread(bystander.run))
    attackers = [Attacker(f"BAD{n}", gateway.client_port, -(-MESSAGES // ATTACKERS)) for n in range(ATTACKERS)]
    attacks = asyncio.gather(*(attacker.run() for attacker in attackers))
    try:
        await asyncio.wait([attacks, watching, *desk.tasks], return_when=asyncio.FIRST_COMPLETED)
        assert not watching.done(), watching.exception()
        assert not [task for task in desk.tasks if task.done()], "the desk ended"
        await attacks
        bystander.orders = True
        await until(lambda: bystander.answers > 0)
        await _judge(gateway, desk, attackers)
    finally:
        bystander.over = True
        attacks.cancel()
        await asyncio.gather(watching, attacks, return_exceptions=True)
        await desk.stop()
        await asyncio.to_thread(gateway.stop)


async def _judge(gateway: GatewayProcess, desk: LiveDesk, attackers: list[Attacker]) -> None:
    """Nothing is owed, and the log has every refusal on the stream of the session that earned it."""
    health = await asyncio.to_thread(gateway.wait_health, lambda h: h["spool_acknowledged"] == h["spool_last"])
    refused = desk.log.refused
    counted = {session.session: session.refused for session in desk.desk.state.sessions.values()}
    assert counted == {name: refused[name] for name in counted}
    assert refused["GOOD"] == 0
    for attacker in attackers:
        told = health["sessions"][attacker.name]
        assert attacker.heard["3"] <= told["refused"] <= refused[attacker.name]
        assert refused[attacker.name] >= told["refused"] + told["garbled"]
    assert sum(refused.values()) > MESSAGES / 4, "too few of the messages were bad enough"
