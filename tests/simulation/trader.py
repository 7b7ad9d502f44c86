"""A trader who cares for orders, by chance: takes and turns down what waits, splits, routes, merges, takes apart, enters
executions by telephone, gives back. From the calm on it brings every order in its hands to an end.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from domain.care_rules import waits
from domain.commands import COMMAND, Commanded
from domain.messages import Input
from domain.parent_order import ParentOrder
from ems.desk_state import DeskState
from tests.simulation.reference import LOT_E9, VENUE
from tests.simulation.world import S, World

TAKING = (*("accept_order",) * 8, "reject_order", "pull_back")
ALGOS = (*("manual",) * 5, "", "vwap")
WORKING = (
    "split_order", "split_order", "route_order", "merge_orders", "merge_orders", "merge_orders", "enter_fill", "unmerge_order",
    "unmerge_order", "pull_back", "correct_fill", "place",
)  # fmt: skip
PRICE_E9 = 100 * 10**9


class Trader:
    """Asks now and then; whatever is asked, the invariants hold.

    Args:
        tell: gives the leading desk an input, if there is one.
        state: what is durable.
    """

    def __init__(self, world: World, tell: Callable[[Input], None], state: DeskState) -> None:
        self._world = world
        self._tell = tell
        self._state = state
        self._random = random.Random(f"trader {world.seed}")
        self._count = 0
        self._entered: list[tuple[str, str]] = []  # order, reference

    def begin(self) -> None:
        """The first act."""
        self._world.after(self._random.randint(2 * S, 10 * S), self._act)

    def _act(self) -> None:
        self._world.after(self._random.randint(1 * S, 5 * S), self._act)
        working = [self._state.parent(stream) for stream in self._state.working]
        waiting = [order for order in working if waits(order)]
        by_hand = [order for order in working if not order.staged and order.steering.mode != "algo" and not order.direct]
        if self._world.calm:
            otherwise = [order for order in working if order.care.asked is not None]  # it has no end of its client's today
            for order in {order.id: order for order in (*waiting, *by_hand, *otherwise) if not order.of}.values():
                self._ask("pull_back", order)
        elif waiting and self._random.random() < 0.6:
            self._take(self._random.choice(waiting))
        elif by_hand:
            alike = [one for one in by_hand if sum(_like(one) == _like(other) and not other.of for other in by_hand) > 1]
            self._work(self._random.choice(alike or by_hand), by_hand)

    def _take(self, order: ParentOrder) -> None:
        command = self._random.choice(TAKING)
        more = {"algo": self._random.choice(ALGOS)} if command == "accept_order" else {}
        self._ask(command, order, **more)

    def _work(self, order: ParentOrder, others: list[ParentOrder]) -> None:
        command, quantity_e9 = self._random.choice(WORKING), self._random.randint(1, 8) * LOT_E9
        limit_e9 = order.terms.limit_price_e9 or PRICE_E9
        match command:
            case "split_order":
                ways: list[dict[str, Any]] = [{"algo": "twap"}, {"algo": "vwap"}, {"algo": "manual"}, {"venue": VENUE}]
                parts = [
                    {"quantity_e9": quantity_e9, **self._random.choice(ways)} for _ in range(self._random.randint(1, 3))
                ]  # fmt: skip
                self._ask(command, order, slices=parts)
            case "route_order":
                self._ask(command, order, venue=VENUE, quantity_e9=quantity_e9)
            case "merge_orders":
                with_it = [one.order_id for one in others if one.id != order.id and _like(one) == _like(order)]
                if with_it:
                    way = self._random.choice([{"algo": "manual"}, {"algo": "twap"}, {"venue": VENUE}])
                    self._ask(command, None, orders=[order.order_id, *with_it[:2]], way=way)
            case "unmerge_order":
                merged = [one for stream in self._state.working if len((one := self._state.parent(stream)).of) > 1]
                if merged:
                    left = self._random.choice(merged)
                    member = self._random.choice(["", *(self._state.parent(share.order).order_id for share in left.of)])
                    self._ask(command, left, member=member)
            case "enter_fill":
                reference = f"T{self._random.randint(1, 20)}"
                self._entered.append((order.order_id, reference))
                told = {"broker": "JPM", "reference": reference, "quantity_e9": quantity_e9, "price_e9": limit_e9}
                self._ask(command, order, **told)
            case "correct_fill":
                if self._entered:
                    order_id, reference = self._random.choice(self._entered)
                    self._ask(command, None, order_id=order_id, broker="JPM", reference=reference)
            case "place":
                self._ask("steer_order", order, act="place", quantity_e9=quantity_e9, limit_price_e9=limit_e9)
            case _:
                self._ask(command, order)

    def _ask(self, command: str, order: ParentOrder | None, **fields: Any) -> None:
        self._count += 1
        told = {"command": command, "command_id": f"T{self._count}", "actor": "person:joe", "reason": "chance", **fields}
        if order is not None:
            told["order_id"] = order.order_id
        self._tell(Commanded(COMMAND.validate_python(told), lambda answer: self._world.told("care", command, answer.ok)))


def _like(order: ParentOrder) -> tuple[str, str, str]:
    return order.client_session, order.instrument, order.side
