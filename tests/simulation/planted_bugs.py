"""Bugs in the order of writing, in doubt and in fills that the simulation must find: each a few lines, switched on alone."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain import parent_rules
from domain.child_order import ChildOrder
from domain.event import GENESIS_HASH, Recorded
from domain.messages import SessionChange
from domain.parent_order import ParentOrder
from domain.refusal import Reason, Refusal
from domain.sending import Outbound
from domain.values import StreamId
from ems import orders_out, reports
from ems.desk import Desk
from ems.inbox import Inbox
from ems.scheduler import Scheduler
from ems.session_desk import SessionDesk
from ems.turn import Turn
from ems.venue_desk import VenueDesk
from ems.withdrawal import Withdrawal
from tests.simulation.log import Connection, Disk
from tests.simulation.planting import bug

# ------------------------------------------------------------------------------------- orders of writing


@bug("orders: append, then send")
def sends_before_it_appends(patch: pytest.MonkeyPatch) -> None:
    commit = Desk._commit

    async def early(self: Desk, turn: Turn, *, frame: int) -> None:
        seqs = count(self.state.seq - len(turn.entries) + 1)
        recorded = [
            Recorded(next(seqs), e.stream, v, 0, e.events[0], e.meta, GENESIS_HASH, GENESIS_HASH)
            for e in turn.entries
            for v in [e.expected_version + 1]
        ]
        derived = [reports.outbound(record, after) for record, after in zip(recorded, turn.afters, strict=True)]
        self._leaving = turn
        self._ports.gateway.send([m for m in derived if m is not None and not reports.to_client(m)], epoch=self.epoch)
        await commit(self, turn, frame=frame)

    patch.setattr(Desk, "_commit", early)


@bug("what is acknowledged is durable")
def acknowledges_before_it_appends(patch: pytest.MonkeyPatch) -> None:
    commit = Desk._commit

    async def early(self: Desk, turn: Turn, *, frame: int) -> None:
        if frame:
            self._ports.gateway.acknowledge(frame)
        await commit(self, turn, frame=frame)

    patch.setattr(Desk, "_commit", early)


@bug("a failed flush discards all in-memory state")
def keeps_its_state_when_the_log_fails(patch: pytest.MonkeyPatch) -> None:
    async def stay(self: Desk) -> None:
        self.ready = True

    patch.setattr(Desk, "_come_back", stay)


@bug("order streams need the desk's epoch")
def appends_without_its_epoch(patch: pytest.MonkeyPatch) -> None:
    append = Connection.append

    async def unfenced(self: Connection, entries: Any, *, epoch: int | None = None) -> Any:
        return await append(self, entries, epoch=None)

    patch.setattr(Connection, "append", unfenced)


@bug("a lower epoch is refused")
def leads_under_the_epoch_of_the_one_before(patch: pytest.MonkeyPatch) -> None:
    lead = Disk.lead

    async def same(self: Disk, holder: object, name: str) -> int:
        epoch = (await self.head()).epoch
        if epoch == 0:
            return await lead(self, holder, name)
        self.holder = holder
        return epoch

    patch.setattr(Disk, "lead", same)


@bug("an order sent twice")
def sends_orders_again_after_a_reconnect(patch: pytest.MonkeyPatch) -> None:
    changed = SessionDesk.changed

    def again(self: SessionDesk, turn: Turn, change: SessionChange) -> None:
        changed(self, turn, change)
        if change.up and change.role == "venue":
            for child in turn.state.live_children():
                if child.order_id == "":
                    turn.extra.append(_as_sent(child))

    patch.setattr(SessionDesk, "changed", again)


def _as_sent(child: ChildOrder) -> Outbound:
    record: Any = Recorded(0, child.id, 1, 0, None, _NoMeta, GENESIS_HASH, GENESIS_HASH)  # type: ignore[arg-type]
    return orders_out._send_child(record, child)


class _NoMeta:
    event_time_ns = 0


@bug("a later message does not overtake a redelivery")
def keeps_its_inbox_when_the_link_is_reset(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Inbox, "clear", lambda self: None)


# ----------------------------------------------------------------------------------------------- doubt


@bug("an unanswered order is never guessed dead")
def guesses_unanswered_orders_dead(patch: pytest.MonkeyPatch) -> None:
    def guess(self: VenueDesk, turn: Turn, child: ChildOrder, reason: str) -> None:
        turn.apply(child.id, co.Canceled(text=f"no answer: {reason}"), correlation=child.parent)
        turn.touched[child.parent] = None

    patch.setattr(VenueDesk, "doubt", guess)


@bug("an order in doubt reserves its exposure")
def frees_what_is_in_doubt(patch: pytest.MonkeyPatch) -> None:
    close = Scheduler._close_children

    def close_doubtful(self: Scheduler, turn: Turn, parent: ParentOrder) -> ParentOrder:
        parent = close(self, turn, parent)
        for child in turn.state.children_of(parent):
            if child.status == "in_doubt":
                parent = turn.apply(parent.id, po.ChildClosed(child=child.id, status=child.status), correlation=parent.id)
        return parent

    patch.setattr(Scheduler, "_close_children", close_doubtful)


@bug("a cancel always passes")
def blocks_cancels_while_children_are_out(patch: pytest.MonkeyPatch) -> None:
    cancel = parent_rules.cancel

    def blocked(state: ParentOrder, request: Any, **policy: Any) -> Any:
        if state.live and state.open_e9:
            return Refusal(Reason.NOT_ACCEPTING, "not while children are out")
        return cancel(state, request, **policy)

    patch.setattr(parent_rules, "cancel", blocked)


@bug("a pending cancel withdraws the children")
def leaves_children_out_when_the_client_cancels(patch: pytest.MonkeyPatch) -> None:
    unwanted = Withdrawal._unwanted

    def wanted(self: Withdrawal, turn: Turn, parent: ParentOrder, child: ChildOrder) -> str:
        pending = parent.pending is not None
        return "" if pending or turn.now_ns >= parent.terms.end_ns else unwanted(self, turn, parent, child)

    patch.setattr(Withdrawal, "_unwanted", wanted)


# ----------------------------------------------------------------------------------------------- fills


@bug("a fill counted twice")
def keys_fills_by_message(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(VenueDesk, "_fill_key", _key_by_message)


def _key_by_message(self: VenueDesk, turn: Turn, report: Any, child: ChildOrder | None) -> StreamId:
    return fl.key(report.ref.session, "", f"{report.exec_id}/{report.ref.reset_epoch}/{report.ref.msg_seq_num}")


@bug("state outside the log")
def remembers_executions_outside_the_log(patch: pytest.MonkeyPatch) -> None:
    execution = VenueDesk._execution

    def remembered(self: Any, turn: Turn, report: Any) -> None:
        memory = self.__dict__.setdefault("memory", {})
        known = memory.setdefault(report.exec_id, (report.cl_ord_id, report.last_quantity_e9))
        if known == (report.cl_ord_id, report.last_quantity_e9) and report.poss_resend and report.exec_id in memory:
            self._note(turn, report, "told again")
        else:
            execution(self, turn, report)

    patch.setattr(VenueDesk, "_execution", remembered)


@bug("a fill dropped")
def drops_late_fills(patch: pytest.MonkeyPatch) -> None:
    fill = VenueDesk._fill

    def only_live(self: VenueDesk, turn: Turn, report: Any, child: ChildOrder) -> None:
        if child.live:
            fill(self, turn, report, child)
        else:
            self._note(turn, report, "the order is over")

    patch.setattr(VenueDesk, "_fill", only_live)


@bug("same key with other content goes to quarantine")
def drops_conflicting_executions(patch: pytest.MonkeyPatch) -> None:
    quarantine = VenueDesk._quarantine

    def drop(self: VenueDesk, turn: Turn, report: Any, reason: str) -> None:
        if reason == "conflict":
            self._note(turn, report, "conflict")
        else:
            quarantine(self, turn, report, reason)

    patch.setattr(VenueDesk, "_quarantine", drop)
