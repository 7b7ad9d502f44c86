"""A profile over real sessions: an OMS and a broker of their own words on the wire, one vocabulary at the desk."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from adapters.fix.control import ask
from adapters.fix.link import Hello
from adapters.fix.oms import Oms
from adapters.fix.oms_order import OmsOrder
from adapters.fix.sessions import SessionConfig
from domain.messages import NewOrder, SessionChange, VenueReport
from domain.order_life import OrdStatus
from domain.sending import ParentReport, SendChild
from domain.values import E9, OrdType, Side, TimeInForce
from tests.adapters.fix.kit import WAIT_S, Desk, GatewayProcess
from tests.adapters.fix.test_profile_steps import HARBOUR, NORTHGATE, PROFILES


def peer(gateway: GatewayProcess, port: int, name: str) -> SessionConfig:
    return SessionConfig(
        name="EMS", role="venue", kind="initiator", sender_comp_id=name, target_comp_id="EMS", port=port,
        begin_string=PROFILES["northgate"].version, heart_bt_int_s=5,
    )  # fmt: skip


def report(exec_kind: str, ord_status: OrdStatus) -> ParentReport:
    return ParentReport(
        session="OMS", event_seq=5, exec_kind=exec_kind, ord_status=ord_status, exec_id=f"E{exec_kind}", order_id="O1",  # type: ignore[arg-type]
        cl_ord_id="A1", orig_cl_ord_id="", symbol="AMZN", side=Side.BUY, quantity_e9=100 * E9, limit_price_e9=None,
        last_quantity_e9=0, last_price_e9=0, cum_quantity_e9=0, leaves_quantity_e9=100 * E9, average_price_e9=0,
        transact_time_ns=1_795_359_600 * E9, account="FUND-1", algo="pov", parameters=(("ParticipationRate", "12.5"),),
    )  # fmt: skip


async def test_an_oms_that_speaks_4_2_in_its_own_words(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)
    gateway.config["sessions"][0].update(begin_string="FIX.4.2", reset="logon")
    await asyncio.to_thread(gateway.start)
    oms = Oms(tmp_path / "oms", peer(gateway, gateway.client_port, "OMS"), NORTHGATE)
    desk = Desk(gateway.link_path, Hello(epoch=1), {"OMS": NORTHGATE})
    try:
        await asyncio.to_thread(oms.start)
        await desk.take(SessionChange, lambda change: change.up)
        oms.place(
            OmsOrder(
                symbol="AMZN", side=Side.BUY, quantity_e9=100 * E9, account="FUND-1", algo="pov",
                parameters=(("ParticipationRate", "12.5"),),
            ),
            "A1",
        )  # fmt: skip
        order = await desk.take(NewOrder)
        assert order.refusal is None
        assert (order.symbol, order.account, order.algo, order.parameters) == (
            "AMZN", "FUND-1", "pov", (("ParticipationRate", "12.5"),),
        )  # fmt: skip
        desk.send(report("pending_new", OrdStatus.PENDING_NEW), report("new", OrdStatus.NEW))
        told = await asyncio.to_thread(oms.wait_report, "A1", "0", WAIT_S)
        assert (told[55], told[1], told[847]) == ("AMZN", "FUND-1", "2")
        assert [message[150] for message in oms.messages("A1")] == ["0"]
    finally:
        await desk.leave()
        await asyncio.to_thread(oms.stop, 0.5)
        await asyncio.to_thread(gateway.stop)
    lines = [json.loads(line) for line in (tmp_path / "oms" / "ledger.jsonl").read_text().splitlines()]
    sent, received = (next(line["fields"] for line in lines if line["direction"] == way) for way in ("out", "in"))
    assert (sent["8"], sent["55"], sent["1"], sent["9001"], sent["9013"]) == ("FIX.4.2", "AMZN.O", "NGALPHA", "P", "0.125")
    assert (received["20"], received["55"], received["9013"], received["9020"]) == ("0", "AMZN.O", "0.125", "EMS")


async def test_a_broker_that_speaks_5_0_in_its_own_words(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)
    venue = {**gateway.config["sessions"][1], "kind": "acceptor", "begin_string": "FIXT.1.1"}
    gateway.config["sessions"] = [venue]
    await asyncio.to_thread(gateway.start)
    session = SessionConfig(
        name="EMS", role="client", kind="initiator", sender_comp_id="VENUE", target_comp_id="EMS", port=gateway.venue_port,
        begin_string="FIXT.1.1", heart_bt_int_s=5,
    )  # fmt: skip
    broker = Oms(tmp_path / "broker", session)
    desk = Desk(gateway.link_path, Hello(epoch=1), {"VENUE": HARBOUR})
    try:
        await asyncio.to_thread(broker.start)
        await desk.take(SessionChange, lambda change: change.up)
        desk.send(
            SendChild(
                session="VENUE", event_seq=7, cl_ord_id="C1", instrument="AMZN", side=Side.SELL, quantity_e9=5 * E9,
                ord_type=OrdType.LIMIT, limit_price_e9=187 * E9, time_in_force=TimeInForce.DAY, account="FUND-2",
                transact_time_ns=1_795_359_600 * E9,
            )
        )  # fmt: skip
        order = await asyncio.to_thread(broker.wait_for, lambda message: message.msg_type == "D", WAIT_S)
        assert (order[8], order[50], order[57], order[1], order[528]) == ("FIXT.1.1", "DESK1", "PT", "778002", "A")
        assert (order[55], order[48], order[22], order[207], order[454]) == ("AMZN", "ZZ00000AMZN9", "4", "XNAS", "2")
        assert gateway.wait_health(lambda health: health["live_orders"] == 1)["live_orders"] == 1
        gateway_cancels = await asyncio.to_thread(_cancel_all, gateway)
        assert gateway_cancels == 1
        cancel = await asyncio.to_thread(broker.wait_for, lambda message: message.msg_type == "F", WAIT_S)
        assert (cancel[41], cancel[48], cancel[50], cancel[57]) == ("C1", "ZZ00000AMZN9", "DESK1", "PT")
        assert not desk.all(VenueReport)
    finally:
        await desk.leave()
        await asyncio.to_thread(broker.stop, 0.5)
        await asyncio.to_thread(gateway.stop)


def _cancel_all(gateway: GatewayProcess) -> int:
    return int(ask(gateway.control_path, {"command": "cancel_all", "why": "a test"})["cancels"])
