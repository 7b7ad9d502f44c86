"""The care desk's tables: what waits, the blocks, and parts among the orders."""

from __future__ import annotations

from typing import Any

from ems.read_models.models import ReadModels
from tests.ems.care import CareRoom, in_hand, opened, slices


async def rows(room: CareRoom, topic: str) -> list[dict[str, Any]]:
    """As a browser would have them."""
    models = ReadModels("desk")
    async for page in room.log.read_pages():
        for one in page:
            models.apply(one)
    table = models.tables[topic]
    return [row for key in table.ids() if (row := table.named(key)) is not None]


async def test_what_waits_is_there_until_somebody_takes_it() -> None:
    room = await opened()
    await room.order()
    await room.done("claim_order")
    (row,) = await rows(room, "orders_staged")
    assert {name: row[name] for name in ("order_id", "rule", "owner", "client", "quantity", "notional", "algo")} == {
        "order_id": room.last().order_id, "rule": "all", "owner": "jane", "client": "OMS", "quantity": "1000",
        "notional": "100000", "algo": "twap",
    }  # fmt: skip
    (order,) = await rows(room, "parents")
    assert (order["worked"], order["owner"]) == ("staged", "jane")
    await room.done("accept_order")
    assert await rows(room, "orders_staged") == []


async def test_blocks_and_parts_say_whose_they_are() -> None:
    room = await in_hand(1000)
    await room.done("take_block", quantity=300, price=100)
    (block,) = await rows(room, "blocks")
    wanted = ("order_id", "side", "quantity", "price", "notional", "house_account", "by", "client")
    assert [block[name] for name in wanted] == [room.last().order_id, "buy", "300", "100", "30000", "HOUSE", "jane", "OMS"]
    await room.done("split_order", slices=slices((100, {"algo": "vwap"})))
    order, house, part = await rows(room, "parents")
    assert (part["of"], part["client"], part["worked"], order["of"]) == ([order["order_id"]], "OMS", "algo", None)
    assert (house["account"], house["client"]) == ("HOUSE", "")
