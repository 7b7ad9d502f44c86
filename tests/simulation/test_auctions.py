"""A desk and the venue's own room over a day with auctions: what leaves when, what an auction fills, and what it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain import decision
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.event import Event
from domain.instrument import Instrument
from domain.order_life import OrdStatus
from domain.ports_market import VenueTif
from domain.trading_day import TradingDay
from domain.values import E9, OrdType, Side, TimeInForce
from ems.bench.desk_day import OMS, VENUE, DeskDay
from ems.bench.tactic import MADE
from ems.pace import Pace
from models.market.calls import AuctionMarket, Call
from models.market.flow import FlowParameters, GeneratedFlow
from tests.domain.orders import cancel_order

OPEN_NS = 1_772_461_800 * E9
CLOSE_NS = OPEN_NS + 1_200 * E9
DAY = TradingDay("2026-03-02", OPEN_NS, CLOSE_NS, OPEN_NS, CLOSE_NS + 300 * E9)
CALLS = (Call(OPEN_NS - 120 * E9, OPEN_NS, VenueTif.AT_OPEN), Call(CLOSE_NS, CLOSE_NS + 300 * E9, VenueTif.AT_CLOSE))
PACE = Pace(at_open_cutoff_ns=30 * E9, at_close_cutoff_ns=120 * E9, auction_lead_ns=60 * E9, close_grace_ns=20 * E9)
AUCTIONS = (TimeInForce.AT_THE_OPENING, TimeInForce.AT_THE_CLOSE)


async def opened(home: Path, *, calls: tuple[Call, ...] = CALLS, before_s: int = 300, instrument: Instrument = MADE) -> DeskDay:
    """A day that begins before the open, on a market that goes on through its auctions."""
    flow = GeneratedFlow(np.random.default_rng(3), FlowParameters(10_000), open_ns=OPEN_NS - 400 * E9)
    market = AuctionMarket(flow, calls=calls)
    day = DeskDay(market, instrument, DAY, now_ns=OPEN_NS - before_s * E9, home=home / "ledger.jsonl", pace=PACE)
    await day.open()
    return day


async def ordered(day: DeskDay, **terms: Any) -> None:
    values = {"quantity_e9": 10_000 * E9, "parameters": (("AtOpen", "10"), ("AtClose", "20")), **terms}
    await day.order(**values)


async def through(day: DeskDay, end_ns: int = CLOSE_NS + 360 * E9) -> None:
    await day.until(end_ns, step_ns=E9)


async def events(day: DeskDay) -> AsyncIterator[Event]:
    async for page in day.log.read_pages():
        for each in page:
            yield each.event


def of(day: DeskDay, time_in_force: TimeInForce) -> list[ChildOrder]:
    return [child for child in day.children() if child.time_in_force is time_in_force]


async def test_an_order_leaves_its_shares_to_both_auctions_and_works_the_rest_between(tmp_path: Path) -> None:
    day = await opened(tmp_path)
    await ordered(day)
    await through(day, OPEN_NS - 91 * E9)
    assert day.children() == [], "nothing leaves before the lead"
    await through(day, OPEN_NS - 89 * E9)
    (opening,) = day.children()
    assert (opening.quantity_e9, opening.ord_type, opening.tactic) == (1_000 * E9, OrdType.MARKET, "auction")
    await through(day, OPEN_NS + E9)
    assert of(day, TimeInForce.AT_THE_OPENING)[0].status is OrdStatus.FILLED
    await through(day, CLOSE_NS - 181 * E9)
    assert of(day, TimeInForce.AT_THE_CLOSE) == []
    await through(day, CLOSE_NS - 100 * E9)
    (closing,) = of(day, TimeInForce.AT_THE_CLOSE)
    assert (closing.quantity_e9, closing.status) == (2_000 * E9, OrdStatus.NEW)
    await through(day, CLOSE_NS + 60 * E9)
    assert (day.parent().status, day.parent().cum_quantity_e9) == (OrdStatus.PARTIALLY_FILLED, 8_000 * E9)
    await through(day)
    assert (day.parent().status, day.parent().cum_quantity_e9) == (OrdStatus.FILLED, 10_000 * E9)
    (closing,) = of(day, TimeInForce.AT_THE_CLOSE)
    assert closing.status is OrdStatus.FILLED
    between = sum(child.cum_quantity_e9 for child in of(day, TimeInForce.DAY))
    assert between == 7_000 * E9
    asked = [each.request async for each in events(day) if isinstance(each, decision.Planned)]
    assert {request.at_close_max_e9 for request in asked} == {2_000 * E9}


async def test_an_order_that_comes_after_the_cut_off_leaves_nothing_to_the_close(tmp_path: Path) -> None:
    day = await opened(tmp_path, before_s=-1_085)
    await ordered(day, quantity_e9=2_000 * E9)
    await through(day)
    assert day.parent().status is OrdStatus.FILLED
    assert Counter(child.time_in_force for child in day.children()).keys() == {TimeInForce.DAY}


async def test_what_the_venue_turns_down_is_planned_again_and_sent_to_no_auction_a_second_time(tmp_path: Path) -> None:
    day = await opened(tmp_path, calls=())
    await ordered(day)
    await through(day)
    assert [child.status for child in day.children() if child.time_in_force in AUCTIONS] == [OrdStatus.REJECTED] * 2
    reasons = [each.request.reason async for each in events(day) if isinstance(each, decision.Planned)]
    assert reasons.count("the closing auction was missed") == 1
    assert (day.parent().status, day.parent().cum_quantity_e9) == (OrdStatus.FILLED, 10_000 * E9)


async def test_a_session_that_is_down_at_the_cut_off_misses_the_auction(tmp_path: Path) -> None:
    day = await opened(tmp_path, before_s=-900)
    await ordered(day, quantity_e9=4_000 * E9, parameters=(("AtClose", "50"),))
    await through(day, CLOSE_NS - 200 * E9)
    day.desk._scheduler.sessions_up.discard(VENUE)
    await through(day, CLOSE_NS - 110 * E9)
    day.desk._scheduler.sessions_up.add(VENUE)
    await through(day)
    assert of(day, TimeInForce.AT_THE_CLOSE) == []
    assert (day.parent().status, day.parent().cum_quantity_e9) == (OrdStatus.FILLED, 4_000 * E9)


async def test_what_the_closing_auction_does_not_take_is_not_done(tmp_path: Path) -> None:
    day = await opened(tmp_path, before_s=-600)
    await through(day, OPEN_NS + 610 * E9)
    bid_e9 = day.desk.markets["MADE"].bid_e9
    assert bid_e9 is not None
    limit = {"ord_type": OrdType.LIMIT, "limit_price_e9": bid_e9 // 2 // 10**7 * 10**7}
    await ordered(day, parameters=(("AtClose", "100"),), **limit)
    await through(day)
    (closing,) = day.children()
    assert (closing.status, closing.limit_price_e9) == (OrdStatus.EXPIRED, limit["limit_price_e9"])
    assert (day.parent().status, day.parent().cum_quantity_e9) == (OrdStatus.EXPIRED, 0)


async def test_a_canceled_order_takes_its_closing_order_with_it(tmp_path: Path) -> None:
    day = await opened(tmp_path, before_s=-600)
    await ordered(day, parameters=(("AtClose", "100"),))
    await through(day, CLOSE_NS - 100 * E9)
    day.arrive(cancel_order(), OMS)
    await through(day, CLOSE_NS - 90 * E9)
    assert day.parent().status is OrdStatus.CANCELED
    assert [child.status for child in day.children()] == [OrdStatus.CANCELED]


async def test_a_clients_own_order_for_the_close_waits_for_it_and_one_for_the_opening_is_refused_after_it(tmp_path: Path) -> None:
    day = await opened(tmp_path, before_s=-600)
    direct = {"algo": "", "parameters": (), "quantity_e9": 500 * E9, "side": Side.SELL}
    await day.order(**direct, time_in_force=TimeInForce.AT_THE_CLOSE)
    await through(day, CLOSE_NS + 200 * E9)
    assert day.parent().status is OrdStatus.NEW, "its time is not over before the auction has traded"
    await through(day)
    assert day.parent().status is OrdStatus.FILLED
    await day.order(**direct, time_in_force=TimeInForce.AT_THE_OPENING, cl_ord_id="late")
    refused = [each async for each in events(day) if isinstance(each, po.Rejected)]
    assert [each.text for each in refused] == ["MADE has closed for 2026-03-02"]


async def test_what_an_order_cannot_have_of_auctions_is_refused(tmp_path: Path) -> None:
    day = await opened(tmp_path, before_s=-600)
    wrong = {
        "AtOpen and AtClose are more than the whole order": (("AtOpen", "60"), ("AtClose", "50")),
        "AtClose needs an order that lasts until the close": (("AtClose", "50"), ("DurationMinutes", "1")),
    }
    for n, parameters in enumerate(wrong.values()):
        await refused_order(day, f"W{n}", parameters)
    day._day = TradingDay(DAY.trade_date, DAY.open_ns, DAY.close_ns)
    await refused_order(day, "W8", (("AtClose", "50"),))
    await refused_order(day, "W9", (("AtOpen", "50"),))
    day._day = TradingDay(DAY.trade_date, DAY.open_ns, DAY.close_ns, open_auction_ns=DAY.open_ns)
    with pytest.raises(AssertionError):
        await day.order(algo="", quantity_e9=E9, cl_ord_id="W10", time_in_force=TimeInForce.AT_THE_OPENING)
    refused = [each.text async for each in events(day) if isinstance(each, po.Rejected)]
    without = ["AtClose: the market holds no closing auction", "AtOpen: the market holds no opening auction"]
    assert refused == [*wrong, *without, "the opening auction of 2026-03-02 is over"]


async def refused_order(day: DeskDay, cl_ord_id: str, parameters: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(AssertionError):  # there is no order to look at
        await ordered(day, cl_ord_id=cl_ord_id, parameters=parameters)
