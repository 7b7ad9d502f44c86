"""What `ems bench console` shows: many working orders, and what happens to them, as events that a desk would write.

Nothing here is random: the n-th update of so many orders is always the same. Each turn's events are decided on the state that
they change, appended to the log whole, and reach the screen as everything does: through the api's follower.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.values import E9, StreamId
from ems.bench.made_day import CLIENT, SYMBOL, TRADE_DATE, VENUE, MadeDay
from ems.desk_state import DeskState
from ems.turn import Turn

FILL_EVERY: Final = 4  # acts: three times a replacement is asked for or taken, then an execution: six rows that change
STRIDE: Final = 1_999  # which order is next: prime to their number, so that all have their turn and neighbours far apart
TICK_E9: Final = E9 // 100


class BusyDay:
    """So many parents with one child each at a venue, and then prices that move and executions.

    Attributes:
        rows: row changes that were caused.
    """

    def __init__(self, orders: int) -> None:
        self.state = DeskState()
        self.rows = 0
        self._made = MadeDay(finished=0, working=orders)
        self._orders: list[tuple[StreamId, StreamId]] = []
        self._acts = 0

    def opening(self) -> Iterator[Turn]:
        """All orders come in and are sent; each turn is to be appended whole."""
        yield from self._made.turns(self.state)
        for number in range(self._made.working):
            parent = po.key(CLIENT, TRADE_DATE, f"ORD{number:08d}")
            self._orders.append((parent, co.key(parent, 1)))

    def turn(self, until: int, now_ns: int) -> Turn:
        """The next changes, until so many rows have changed in all."""
        turn = Turn(state=self.state, now_ns=now_ns, build="bench")
        while self.rows < until:
            self._acts += 1
            round_, place = divmod(self._acts * STRIDE, len(self._orders))
            parent, child = self._orders[place]
            turn.begin(actor=f"venue:{VENUE}", causation=f"fix:{VENUE}/1/{self._acts}")
            if (self._acts + round_) % FILL_EVERY == 0:
                self._fill(turn, parent, child)
                self.rows += 3
            else:
                self._reprice(turn, parent, child)
                self.rows += 1
        return turn

    def _reprice(self, turn: Turn, parent: StreamId, child: StreamId) -> None:
        """A replacement: asked for if none is open, else taken."""
        order = self.state.children[child]
        if order.replacing is None:
            price_e9 = (order.limit_price_e9 or 0) + (TICK_E9 if self._acts % 2 else -TICK_E9)
            turn.apply(
                child,
                co.ReplaceRequested(
                    cl_ord_id=f"{co.cl_ord_id(child)}-{order.version}", quantity_e9=order.quantity_e9, ord_type=order.ord_type,
                    limit_price_e9=price_e9, time_in_force=order.time_in_force, instructions=None,
                ),
                correlation=parent,
            )  # fmt: skip
        else:
            asked = order.replacing
            turn.apply(
                child,
                co.Replaced(
                    cl_ord_id=asked.cl_ord_id, orig_cl_ord_id=order.cl_ord_id, quantity_e9=order.quantity_e9,
                    limit_price_e9=asked.limit_price_e9,
                ),
                correlation=parent,
            )  # fmt: skip

    def _fill(self, turn: Turn, parent: StreamId, child: StreamId) -> None:
        """A hundredth of a share, so that no order is ever done."""
        order = self.state.children[child]
        exec_id, quantity_e9, price_e9 = f"X{self._acts}", E9 // 100, order.limit_price_e9 or 0
        stream = fl.key(VENUE, TRADE_DATE, exec_id)
        told = fl.Recorded(
            venue_session=VENUE, trade_date=TRADE_DATE, exec_id=exec_id, cl_ord_id=order.cl_ord_id, child=child, parent=parent,
            instrument=SYMBOL, side=order.side, quantity_e9=quantity_e9, price_e9=price_e9, venue_time_ns=turn.now_ns,
        )  # fmt: skip
        turn.apply(stream, told, correlation=parent)
        filled = co.Filled(fill=stream, exec_id=exec_id, quantity_e9=quantity_e9, price_e9=price_e9)
        turn.apply(child, filled, correlation=parent)
        turn.parent(parent, po.Filled(child=child, fill=stream, quantity_e9=quantity_e9, price_e9=price_e9))
