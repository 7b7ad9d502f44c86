"""The kill switch in the desk: the OrderGateway that the desk is given, around the one that sends. Nobody else holds that.

The gateway's process looks again in the last function before the socket; what is stopped here saves it the way, and ends the
child as certainly: it has not left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from domain.event import InboundRef
from domain.kill_scope import ACCOUNT_AT, Scope
from domain.kill_table import KillMark, Verdict, may_leave
from domain.messages import Input, VenueRefusal
from domain.ports import KillLatch, OrderGateway
from domain.sending import Outbound, SendChild, SendChildReplace
from domain.values import ScopeKind

_ORDERS = (SendChild, SendChildReplace)
_Order = SendChild | SendChildReplace


@dataclass(frozen=True, slots=True)
class GateRules:
    """What the gate asks.

    Attributes:
        latch: read for every order, at the moment it would leave.
        mark_of: what the kill switch must know of an order.
        house_accounts: whose positions may be flattened.
    """

    latch: KillLatch
    mark_of: Callable[[_Order], KillMark]
    house_accounts: Iterable[str] = ()


class OrderGate:
    """`domain.ports.OrderGateway` around another.

    Args:
        deliver: the desk's inbox: what is stopped comes back through it.
    """

    def __init__(self, gateway: OrderGateway, rules: GateRules, deliver: Callable[[list[Input]], None]) -> None:
        self._gateway = gateway
        self._rules = rules
        self._house = frozenset(Scope(ScopeKind.ACCOUNT, account).digest for account in rules.house_accounts)
        self._deliver = deliver
        self.stopped_count = 0

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """Pass on what may leave; tell the desk of what may not."""
        leaving: list[Outbound] = []
        stopped: list[Input] = []
        for message in messages:
            refusal = self._look(message) if isinstance(message, _ORDERS) else None
            if refusal is None:
                leaving.append(message)
            else:
                stopped.append(refusal)
        if leaving:
            self._gateway.send(leaving, epoch=epoch)
        if stopped:
            self.stopped_count += len(stopped)
            self._deliver(stopped)

    def acknowledge(self, frame_number: int) -> None:
        """See `domain.ports.OrderGateway`."""
        self._gateway.acknowledge(frame_number)

    def reset(self) -> None:
        """See `domain.ports.OrderGateway`."""
        self._gateway.reset()

    def _look(self, message: _Order) -> VenueRefusal | None:
        mark = self._rules.mark_of(message)
        verdict = self._rules.latch.verdict(mark.scopes)
        if may_leave(verdict, mark.action, trip=mark.trip, house=mark.scopes[ACCOUNT_AT] in self._house):
            return None
        return VenueRefusal(
            ref=InboundRef(message.session, 0, 0),
            poss_resend=message.poss_resend,
            ref_cl_ord_id=message.cl_ord_id,
            ref_seq_num=0,
            ref_msg_type="D" if isinstance(message, SendChild) else "G",
            text=f"not sent: {said(verdict)}",
        )


def said(verdict: Verdict) -> str:
    """A verdict in words, for events and clients."""
    if not verdict.readable:
        return "kill switch: its latch cannot be read, which counts as HARD"
    return f"kill switch: {verdict.level.name}" + (f", trip {verdict.trip:016x}" if verdict.trip else "")
