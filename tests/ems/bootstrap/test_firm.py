"""What a desk tells a quoter of the firm: numbers by instrument, and silence while it does not lead."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from adapters.shm.exposure import Firm, SharedExposure
from domain.values import Side
from ems.bootstrap.firm import firm_of, telling
from ems.bootstrap.runtime import Runtime
from ems.config import Settings, check
from ems.desk_state import DeskState
from tests.waiting import until

QUOTING = {
    "instruments": [{"symbol": "AAPL", "locate": 3}], "feed": {"port": 1}, "venue": {"port": 2}, "username": "Q", "password": "p",
}  # fmt: skip


def settings(home: Path) -> Settings:
    return check({"state_directory": str(home), "quoting": QUOTING}, name="test", folder=home)


def state() -> DeskState:
    made = DeskState()
    made.risk.exposure.open_position("HOUSE", "AAPL", -300 * 10**9, 10**9)
    made.risk.exposure.open_position("OTHER", "AAPL", 100 * 10**9, 10**9)
    made.risk.exposure.flow("AAPL", Side.BUY).levels.add(585_331_234_567)
    made.risk.exposure.flow("AAPL", Side.SELL).levels.add(585_341_234_567)
    return made


def test_prices_are_never_told_further_from_the_market_than_they_are(tmp_path: Path) -> None:
    quoting = settings(tmp_path).quoting
    assert quoting is not None
    assert list(firm_of(state(), quoting)) == [(3, Firm(5_853_313, 5_853_412, -200))]


def test_without_orders_there_are_no_prices(tmp_path: Path) -> None:
    quoting = settings(tmp_path).quoting
    assert quoting is not None
    assert list(firm_of(DeskState(), quoting)) == [(3, Firm())]


async def test_a_desk_tells_while_it_leads_and_not_while_it_recovers(tmp_path: Path) -> None:
    runtime = Runtime(settings=settings(tmp_path))
    desk: Any = SimpleNamespace(ready=False, state=state())
    reader = SharedExposure(runtime.exposure, 4)
    task = asyncio.create_task(telling(runtime, desk, every_s=0.001))
    await asyncio.sleep(0.02)
    assert not reader.fresh(10**12)
    desk.ready = True
    await until(lambda: reader.fresh(10**12))
    task.cancel()
    assert reader.firm(3) == Firm(5_853_313, 5_853_412, -200)
