"""The verbs of the certification table, each one thing that a counterparty may do to an order.

Of an order: pending_new, accept, accept_unsaid, hold, trigger, reject REASON, refuse_by_j, refuse_by_3, suspend, stop,
fill half|rest, parts N, overfill, late_fill half, cancel, expire, done, restate price|quantity|day, bust N,
correct_price N, correct_quantity N, bust_unknown, repeat, repeat_bare, contradict, overtake.
Of a cancel or replace: pend, take, refuse REASON, refuse_by_j.
Of the session: logout SECONDS, skip_numbers N. `wait SECONDS` is the performer's (`ems.certify`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from domain.ports_venue import CancelRequest, OrderFront, Report
from domain.values import E9
from ems.certify_order import Execution, ScriptedOrder

_STEP_E9: Final = E9  # by which prices are corrected and restated: whole, so that it is on every tick
_RESTATED: Final = {"price": 3, "quantity": 5, "day": 1}  # ExecRestatementReason (378)
_OF_THE_LIVING: Final = frozenset(
    ("accept", "fill", "parts", "trigger", "cancel", "expire", "done", "suspend", "stop", "restate")
)

Asked = CancelRequest | None


class Scripts:
    """Does what the verbs say and tells it through a front.

    Args:
        exec_id: gives a new ExecID.
        now_ns: gives the time.
    """

    def __init__(self, exec_id: Callable[[], str], now_ns: Callable[[], int]) -> None:
        self._exec_id = exec_id
        self._now_ns = now_ns
        self.front: OrderFront | None = None
        self.verbs: dict[str, Callable[..., None]] = {
            "pending_new": self._pending_new,
            "accept": self._accept,
            "accept_unsaid": self._accept_unsaid,
            "hold": self._hold,
            "trigger": self._trigger,
            "reject": self._reject,
            "suspend": lambda order, request: self._halt(order, request, "9"),
            "stop": lambda order, request: self._halt(order, request, "7"),
            "cancel": lambda order, request: self._end(order, request, "4"),
            "expire": lambda order, request: self._end(order, request, "C"),
            "done": self._done,
            "restate": self._restate,
            "fill": self._fill,
            "parts": self._parts,
            "overfill": self._overfill,
            "late_fill": self._late_fill,
            "overtake": self._overtake,
            "bust": self._bust,
            "correct_price": self._correct_price,
            "correct_quantity": self._correct_quantity,
            "bust_unknown": self._bust_unknown,
            "repeat": self._repeat,
            "repeat_bare": lambda order, request: self._repeat(order, request, "N"),
            "contradict": self._contradict,
            "pend": self._pend,
            "take": self._take,
            "refuse": self._refuse,
            "refuse_by_j": lambda order, request: self._refuse_message(order, request, "j"),
            "refuse_by_3": lambda order, request: self._refuse_message(order, request, "3"),
            "logout": self._logout,
            "skip_numbers": self._skip_numbers,
        }
        self._last: dict[str, Report] = {}  # order id -> its last execution
        self._overtaken: dict[str, Report | None] = {}  # order id -> an execution that waits for the next one to pass it

    def do(self, verb: str, order: ScriptedOrder, request: Asked) -> None:
        """One verb. What needs a living order is left out where it has ended, by another verb or a request."""
        name, *words = verb.split()
        if not (order.over and name in _OF_THE_LIVING):
            self.verbs[name](order, request, *words)

    def tell(self, order: ScriptedOrder, exec_type: str, request: Asked = None, **more: Any) -> Report:
        """An ExecutionReport of the order as it is."""
        ids = {} if request is None else {"cl_ord_id": request.cl_ord_id, "orig_cl_ord_id": order.cl_ord_id}
        report = order.report(exec_type, self._exec_id(), self._now_ns(), **{**ids, **more})
        self._send(report)
        return report

    def answer(self, report: Report) -> None:
        """Something that no script asks for: an answer to a question."""
        self._send(report)

    def _send(self, report: Report, *, again: bool = False) -> None:
        if self.front is not None:
            self.front.send(report, possible_resend=again)

    # ---------------------------------------------------------------------------------------- an order

    def _pending_new(self, order: ScriptedOrder, _: Asked) -> None:
        self.tell(order, "A")

    def _accept(self, order: ScriptedOrder, _: Asked) -> None:
        order.acknowledged, order.halted = True, ""
        self.tell(order, "0")

    def _accept_unsaid(self, order: ScriptedOrder, _: Asked) -> None:
        order.acknowledged = True

    def _hold(self, order: ScriptedOrder, _: Asked) -> None:
        order.acknowledged = order.held = True
        self.tell(order, "0")

    def _trigger(self, order: ScriptedOrder, _: Asked) -> None:
        order.held = False
        self.tell(order, "L")

    def _reject(self, order: ScriptedOrder, _: Asked, reason: str) -> None:
        order.ended = "8"
        self.tell(order, "8", reason=int(reason), text="rejected by script")

    def _halt(self, order: ScriptedOrder, _: Asked, status: str) -> None:
        order.halted = status
        self.tell(order, status)

    def _end(self, order: ScriptedOrder, _: Asked, status: str) -> None:
        order.ended = status
        self.tell(order, status, text="ended by script")

    def _done(self, order: ScriptedOrder, _: Asked) -> None:
        order.done = True
        self.tell(order, "3", text="done for the day")

    def _restate(self, order: ScriptedOrder, _: Asked, what: str) -> None:
        order.done = False
        if what == "price":
            order.price_e9 = order.fill_price_e9 + _STEP_E9
        elif what == "quantity":
            order.quantity_e9 = max(order.cum_e9, _half(order.quantity_e9))
        self.tell(order, "D", restatement_reason=_RESTATED[what], text=f"restated: {what}")

    # --------------------------------------------------------------------------------------- executions

    def _fill(self, order: ScriptedOrder, _: Asked, what: str) -> None:
        left_e9 = order.quantity_e9 - order.cum_e9
        self._execute(order, left_e9 if what == "rest" else min(left_e9, _half(order.quantity_e9)))

    def _parts(self, order: ScriptedOrder, _: Asked, count: str) -> None:
        shares, number = (order.quantity_e9 - order.cum_e9) // E9, int(count)
        for part in range(number):
            self._execute(order, (shares * (part + 1) // number - shares * part // number) * E9)

    def _overfill(self, order: ScriptedOrder, _: Asked) -> None:
        self._execute(order, order.quantity_e9)

    def _late_fill(self, order: ScriptedOrder, _: Asked, __: str) -> None:
        self._execute(order, _half(order.quantity_e9))

    def _execute(self, order: ScriptedOrder, quantity_e9: int) -> None:
        execution = Execution(self._exec_id(), quantity_e9, order.fill_price_e9)
        order.executions.append(execution)
        self._execution(order, "F", execution)

    def _execution(self, order: ScriptedOrder, exec_type: str, execution: Execution, ref: str = "") -> None:
        last = {"last_quantity_e9": execution.quantity_e9, "last_price_e9": execution.price_e9, "exec_ref_id": ref}
        report = order.report(exec_type, execution.exec_id, self._now_ns(), **last)
        self._last[order.order_id] = report
        if order.order_id in self._overtaken and self._overtaken[order.order_id] is None:
            self._overtaken[order.order_id] = report
            return
        self._send(report)
        if (earlier := self._overtaken.pop(order.order_id, None)) is not None:
            self._send(earlier)

    def _overtake(self, order: ScriptedOrder, _: Asked) -> None:
        self._overtaken[order.order_id] = None

    def _bust(self, order: ScriptedOrder, _: Asked, number: str) -> None:
        execution = order.executions[int(number) - 1]
        ref, execution.exec_id, execution.quantity_e9 = execution.exec_id, self._exec_id(), 0
        self._execution(order, "H", replace(execution, price_e9=0), ref)

    def _correct_price(self, order: ScriptedOrder, _: Asked, number: str) -> None:
        execution = order.executions[int(number) - 1]
        ref, execution.exec_id = execution.exec_id, self._exec_id()
        execution.price_e9 += _STEP_E9
        self._execution(order, "G", execution, ref)

    def _correct_quantity(self, order: ScriptedOrder, _: Asked, number: str) -> None:
        execution = order.executions[int(number) - 1]
        ref, execution.exec_id = execution.exec_id, self._exec_id()
        execution.quantity_e9 = _half(execution.quantity_e9)
        self._execution(order, "G", execution, ref)

    def _bust_unknown(self, order: ScriptedOrder, _: Asked) -> None:
        self.tell(order, "H", exec_ref_id="NEVER-TOLD")

    def _repeat(self, order: ScriptedOrder, _: Asked, flag: str = "Y") -> None:
        self._send(self._last[order.order_id], again=flag == "Y")

    def _contradict(self, order: ScriptedOrder, _: Asked) -> None:
        last = self._last[order.order_id]
        self._send(replace(last, last_price_e9=last.last_price_e9 + _STEP_E9))

    # ------------------------------------------------------------------------------------------ requests

    def _pend(self, order: ScriptedOrder, request: Asked) -> None:
        assert request is not None
        order.pending.append(request)
        self.tell(order, "6" if request.quantity_e9 is None else "E", request)

    def _take(self, order: ScriptedOrder, request: Asked) -> None:
        assert request is not None
        self._decided(order, request)
        if request.quantity_e9 is None:
            order.ended = "4"
            self.tell(order, "4", request)
            return
        order.quantity_e9 = max(request.quantity_e9, order.cum_e9)
        order.price_e9 = request.price_e9 if request.price_e9 is not None else order.price_e9
        self.tell(order, "5", request)
        order.cl_ord_id = request.cl_ord_id

    def _refuse(self, order: ScriptedOrder, request: Asked, reason: str) -> None:
        assert request is not None
        self._decided(order, request)
        ids = {"cl_ord_id": request.cl_ord_id, "orig_cl_ord_id": order.cl_ord_id}
        response_to = "1" if request.quantity_e9 is None else "2"
        more = {"reason": int(reason), "text": "refused by script", "cancel_reject_to": response_to}
        self._send(order.report("", "0", self._now_ns(), **ids, **more))

    def _refuse_message(self, order: ScriptedOrder, request: Asked, kind: str) -> None:
        """A 35=j or 35=3 in place of an answer: of the request, or of the order."""
        refused = order.asked if request is None else request
        if request is None:
            order.ended, msg_type = "8", "D"
        else:
            self._decided(order, request)
            msg_type = "F" if request.quantity_e9 is None else "G"
        if self.front is not None:
            self.front.refuse(refused.session, kind, msg_type, refused.msg_seq_num, refused.cl_ord_id, "refused by script")

    def _decided(self, order: ScriptedOrder, request: CancelRequest) -> None:
        order.pending = [other for other in order.pending if other.cl_ord_id != request.cl_ord_id]

    # ----------------------------------------------------------------------------------------- session

    def _logout(self, order: ScriptedOrder, _: Asked, seconds: str) -> None:
        if self.front is not None:
            self.front.disconnect(order.asked.session, int(float(seconds) * 1000))

    def _skip_numbers(self, order: ScriptedOrder, _: Asked, count: str) -> None:
        if self.front is not None:
            self.front.skip_numbers(order.asked.session, int(count))


def _half(quantity_e9: int) -> int:
    """Half of a quantity in whole shares, at least one."""
    return max(1, quantity_e9 // E9 // 2) * E9
