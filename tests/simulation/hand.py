"""A person at the desk who steers orders that algorithms work, with chances of its own: other parts of a seed's day stay."""

from __future__ import annotations

import random
from collections.abc import Callable

from domain.commands import Commanded, SteerOrder
from domain.messages import Input
from domain.parent_order import ParentOrder
from ems.desk_state import DeskState
from tests.simulation.reference import LOT_E9
from tests.simulation.world import S, World

ACTS = ("pause", "take_over", "resume", "place", "complete", "urgency", "switch")
BY_HAND = ("place", "place", "place", "resume", "pause")


class Hand:
    """Asks now and then until the calm; whatever is asked, the invariants hold.

    Args:
        tell: gives the leading desk an input, if there is one.
        state: what is durable.
    """

    def __init__(self, world: World, tell: Callable[[Input], None], state: DeskState) -> None:
        self._world = world
        self._tell = tell
        self._state = state
        self._random = random.Random(f"hand {world.seed}")
        self._count = 0

    def begin(self) -> None:
        """The first act."""
        self._world.after(self._random.randint(5 * S, 40 * S), self._act)

    def _act(self) -> None:
        if self._world.calm:
            return
        self._world.after(self._random.randint(5 * S, 40 * S), self._act)
        working = [parent for stream in self._state.working if not (parent := self._state.parent(stream)).direct]
        if working:
            self._ask(self._random.choice(working))

    def _ask(self, parent: ParentOrder) -> None:
        self._count += 1
        act = self._random.choice(BY_HAND if parent.steering.mode == "by_hand" else ACTS)
        told = {
            "command_id": f"H{self._count}", "actor": "person:jane", "reason": "chance", "order_id": parent.order_id, "act": act,
            "algo": self._random.choice(["twap", "vwap"]), "urgency": self._random.choice(["low", "normal", "high"]),
            "quantity_e9": self._random.randint(1, 5) * LOT_E9,
            "limit_price_e9": parent.terms.limit_price_e9 or 100 * 10**9,
        }  # fmt: skip
        self._tell(Commanded(SteerOrder.model_validate(told), lambda answer: self._world.told("hand", act, answer.ok)))
