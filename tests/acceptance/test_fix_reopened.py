"""An order that a bust puts back to work is within reach of the emergency cancel, through the whole running system."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.fix.control import ask
from ems.bootstrap.runtime import Runtime
from tests.acceptance.test_fix_lists import NOW, desk_up

pytestmark = pytest.mark.slow


async def until_live(control: Path, count: int) -> None:
    """Until the gateway's table of live orders has so many."""
    async with asyncio.timeout(20):
        while (await at_gateway(control, "health"))["live_orders"] != count:  # noqa: ASYNC110 (another process: nothing here to wait on)
            await asyncio.sleep(0.02)


async def at_gateway(control: Path, command: str) -> Any:
    return await asyncio.to_thread(ask, control, {"command": command})


async def test_the_emergency_cancel_reaches_an_order_that_a_bust_has_reopened(tmp_path: Path) -> None:
    async with desk_up(tmp_path) as desk:
        control = Runtime.load(tmp_path / "state" / "runtime.json").socket("gateway-control")
        desk.oms.send("D", f"11=B1|1=B1|55=DEMO|54=1|{NOW}38=100|40=2|44=200|59=0|")
        sent = await desk.at_venue("D", "B1")
        desk.report(sent, "0", "0")
        await until_live(control, 1)
        desk.venue.send("8", f"{_of(sent)}17=FILL|150=F|39=2|151=0|14=100|6=199|32=100|31=199|")
        await desk.reported("B1", "F")
        await until_live(control, 0)

        desk.venue.send("8", f"{_of(sent)}17=BUST|19=FILL|150=H|39=0|151=100|14=0|6=0|32=0|31=0|")
        assert (await desk.reported("B1", "H"))["151"] == "100"
        await until_live(control, 1)
        answer = await at_gateway(control, "cancel_all")
        assert (answer["cancels"], answer["orders"]) == (1, [sent["11"]])
        cancel = await desk.at_venue("F")
        assert (cancel["41"], cancel["11"], cancel["38"]) == (sent["11"], f"{sent['11']}K{answer['cancel_all']}", "100")
        desk.report(sent, "4", "4", t11=cancel["11"], t41=sent["11"])
        await desk.reported("B1", "4")
        await until_live(control, 0)

        desk.venue.send("8", f"{_of(sent)}17=LATE|150=F|39=4|151=0|14=100|6=199|32=100|31=199|")
        await desk.reported("B1", "F")
        assert (await at_gateway(control, "health"))["live_orders"] == 0


def _of(sent: dict[str, str]) -> str:
    return f"37=V{sent['11']}|11={sent['11']}|55=DEMO|54={sent['54']}|38={sent['38']}|"
