"""What accounts began the day with, where the day's files are amended while the desk runs."""

from __future__ import annotations

from domain.exposure import ACCOUNT
from domain.risk import PositionOpened
from domain.risk_data import RiskFacts
from domain.values import E9
from ems import recovery
from ems.bootstrap.running_day import CurrentFacts
from ems.desk_state import DeskState
from tests.ems.room import Room


def facts(**held: int) -> RiskFacts:
    return RiskFacts(positions={(account, "ABC"): quantity * E9 for account, quantity in held.items()}, fx_rates={"USD": E9})


def position(state: DeskState) -> int:
    state.risk.exposure.settle()
    return sum(ledger.amounts()[0] for ledger in state.risk.exposure.of("ABC") if ledger.key[ACCOUNT] == "ACC") // E9


async def opened(room: Room) -> list[int]:
    pages = room.log.read_pages()
    events = [recorded.event async for page in pages for recorded in page]
    return [event.quantity_e9 // E9 for event in events if isinstance(event, PositionOpened)]


async def test_a_position_is_opened_anew_where_it_was_amended_and_fills_count_on_top() -> None:
    current = CurrentFacts(facts(ACC=100))
    room = Room(risk_data=current.port)
    await room.open()
    await room.client_order("A1", quantity_e9=10 * E9)
    await room.fill(10)
    assert (position(room.desk.state), await opened(room)) == (110, [100])
    current.take(facts(ACC=250))
    await room.client_order("A2", quantity_e9=10 * E9)
    assert (position(room.desk.state), await opened(room)) == (260, [100, 250])
    await room.client_order("A3", quantity_e9=10 * E9)
    assert await opened(room) == [100, 250], "said once"
    current.take(facts(OTHER=1))
    await room.client_order("A4", quantity_e9=10 * E9)
    assert (position(room.desk.state), await opened(room)) == (10, [100, 250, 0])
    current.take(RiskFacts(fx_rates={"USD": E9}))
    await room.client_order("A5", quantity_e9=10 * E9)
    assert (position(room.desk.state), await opened(room)) == (10, [100, 250, 0]), "what is not known changes nothing"
    assert position(await recovery.fold(room.log)) == 10


async def test_what_an_account_does_not_hold_is_no_event() -> None:
    room = Room(risk_data=facts())
    await room.open()
    await room.client_order("A1", quantity_e9=10 * E9)
    assert await opened(room) == []
