"""An order of the scripted counterparty: what it has said of it, and the report that follows from that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from domain.ports_venue import CancelRequest, NewOrder, Report
from domain.values import E9, divide_round
from ems.certify_table import Script, script_for

MARKET_PRICE_E9 = 100 * E9  # of fills where neither a limit nor a stop price is given


@dataclass(slots=True)
class Execution:
    """One fill as it is now: its last ExecID, its quantity and price after corrections and busts."""

    exec_id: str
    quantity_e9: int
    price_e9: int


@dataclass(slots=True)
class ScriptedOrder:
    """One order and its script."""

    order_id: str
    asked: NewOrder
    script: Script
    cl_ord_id: str
    quantity_e9: int
    price_e9: int | None
    executions: list[Execution] = field(default_factory=list)
    pending: list[CancelRequest] = field(default_factory=list)
    acknowledged: bool = False
    ended: str = ""  # OrdStatus of an end: 4, 8, C
    done: bool = False  # for the day
    halted: str = ""  # OrdStatus 7 (stopped) or 9 (suspended)
    held: bool | None = None  # it waits for its stop price; None: it never did

    @property
    def cum_e9(self) -> int:
        """CumQty, after corrections and busts."""
        return sum(execution.quantity_e9 for execution in self.executions)

    @property
    def filled(self) -> bool:
        """Whether nothing is left to fill."""
        return self.cum_e9 >= self.quantity_e9

    @property
    def over(self) -> bool:
        """Whether nothing may happen to it any more, by what it says."""
        return bool(self.ended) or self.filled or (self.done and self.asked.tif != "gtc")

    @property
    def leaves_e9(self) -> int:
        """LeavesQty."""
        return 0 if self.ended or (self.done and self.asked.tif != "gtc") else max(0, self.quantity_e9 - self.cum_e9)

    @property
    def status(self) -> str:
        """OrdStatus by its precedence."""
        if self.ended:
            return self.ended
        if self.pending:
            return "6" if any(request.quantity_e9 is None for request in self.pending) else "E"
        if self.done:
            return "3"
        if self.filled:
            return "2"
        if self.halted:
            return self.halted
        return "1" if self.cum_e9 else "0" if self.acknowledged else "A"

    @property
    def fill_price_e9(self) -> int:
        """What it trades at."""
        return self.price_e9 or self.asked.stop_price_e9 or MARKET_PRICE_E9

    def report(self, exec_type: str, exec_id: str, time_ns: int, **more: Any) -> Report:
        """An ExecutionReport, or with cancel_reject_to an OrderCancelReject, of its present state."""
        notional_e18 = sum(execution.quantity_e9 * execution.price_e9 for execution in self.executions)
        said = {"cl_ord_id": self.cl_ord_id, "orig_cl_ord_id": "", "ord_status": self.status} | more
        return Report(
            session=self.asked.session,
            exec_id=exec_id,
            exec_type=exec_type,
            order_id=self.order_id,
            symbol=self.asked.symbol,
            side=self.asked.side,
            ord_type=self.asked.ord_type,
            tif=self.asked.tif,
            account=self.asked.account,
            quantity_e9=self.quantity_e9,
            price_e9=self.price_e9,
            stop_price_e9=self.asked.stop_price_e9,
            expire_ns=self.asked.expire_ns,
            cum_e9=self.cum_e9,
            leaves_e9=self.leaves_e9,
            average_e9=divide_round(notional_e18, self.cum_e9) if self.cum_e9 else 0,
            time_ns=time_ns,
            working=None if self.held is None else not self.held,
            **said,
        )


def scripted(asked: NewOrder, order_id: str) -> ScriptedOrder:
    """A new order with the script that its quantity chooses."""
    script = script_for(asked.quantity_e9 // E9 if asked.quantity_e9 % E9 == 0 else 0)
    return ScriptedOrder(order_id, asked, script, asked.cl_ord_id, asked.quantity_e9, asked.price_e9)
