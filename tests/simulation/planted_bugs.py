"""Bugs that the simulation must find. Each breaks one promise in a few lines, and is switched on alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain import parent_rules
from domain.child_order import ChildOrder
from domain.event import GENESIS_HASH, Event, Recorded
from domain.messages import Outbound, SessionChange
from domain.parent_order import ParentOrder
from domain.ports import EventLog
from domain.refusal import Reason, Refusal
from ems import planning, recovery, reports, tactic
from ems.desk import Desk
from ems.desk_state import DeskState
from ems.inbox import Inbox
from ems.scheduler import Scheduler
from ems.turn import Turn
from ems.venue_desk import VenueDesk
from tests.simulation.log import Connection, Disk

Plant = Callable[[pytest.MonkeyPatch], None]


class Bug(NamedTuple):
    """name, the promise it breaks, and how it gets into the code."""

    name: str
    breaks: str
    plant: Plant


BUGS: list[Bug] = []


def bug(breaks: str) -> Callable[[Plant], Plant]:
    """Register a bug under its function's name."""

    def register(plant: Plant) -> Plant:
        BUGS.append(Bug(plant.__name__, breaks, plant))
        return plant

    return register


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
    changed = Desk._session_changed

    def again(self: Desk, turn: Turn, change: SessionChange) -> None:
        changed(self, turn, change)
        if change.up and change.role == "venue":
            for child in self.state.live_children():
                if child.order_id == "":
                    turn.extra.append(_as_sent(child))

    patch.setattr(Desk, "_session_changed", again)


def _as_sent(child: ChildOrder) -> Outbound:
    record: Any = Recorded(0, child.id, 1, 0, None, _NoMeta, GENESIS_HASH, GENESIS_HASH)  # type: ignore[arg-type]
    return reports._send_child(record, child)


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
        for child in self._children(turn, parent):
            if child.status == "in_doubt":
                parent = turn.apply(parent.id, po.ChildClosed(child=child.id, status=child.status), correlation=parent.id)
        return parent

    patch.setattr(Scheduler, "_close_children", close_doubtful)


@bug("a cancel always passes")
def blocks_cancels_while_children_are_out(patch: pytest.MonkeyPatch) -> None:
    cancel = parent_rules.cancel

    def blocked(state: ParentOrder, request: Any) -> Any:
        if state.live and state.open_e9:
            return Refusal(Reason.NOT_ACCEPTING, "not while children are out")
        return cancel(state, request)

    patch.setattr(parent_rules, "cancel", blocked)


@bug("a pending cancel withdraws the children")
def leaves_children_out_when_the_client_cancels(patch: pytest.MonkeyPatch) -> None:
    unwanted = Scheduler._unwanted

    def wanted(self: Scheduler, turn: Turn, parent: ParentOrder, child: ChildOrder) -> str:
        pending = parent.pending is not None
        return "" if pending or turn.now_ns >= parent.terms.end_ns else unwanted(self, turn, parent, child)

    patch.setattr(Scheduler, "_unwanted", wanted)


# ----------------------------------------------------------------------------------------------- fills


@bug("a fill counted twice")
def keys_fills_by_message(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(VenueDesk, "_fill_key", _key_by_message)


def _key_by_message(self: VenueDesk, turn: Turn, report: Any, child: ChildOrder | None) -> UUID:
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


# --------------------------------------------------------------------------------------------- clients


@bug("recovery sends what the OMS has not had")
def forgets_missed_reports(patch: pytest.MonkeyPatch) -> None:
    async def none(log: EventLog, state: DeskState, sent_seq: dict[str, int]) -> list[Outbound]:
        return []

    patch.setattr(recovery, "missed_reports", none)


@bug("reports leave in the order of the log")
def lets_new_reports_overtake_missed_ones(patch: pytest.MonkeyPatch) -> None:
    due = Desk._due

    async def hasty(self: Desk, turn: Turn, recorded: tuple[Recorded, ...]) -> list[Outbound]:
        if self._caught_up or self._sent_seq is None:
            return turn.outbound(recorded)
        missed = [message for message in await due(self, turn, recorded) if reports.to_client(message)]
        return turn.outbound(recorded) + missed

    patch.setattr(Desk, "_due", hasty)


@bug("outbound reports have deterministic ExecIDs")
def draws_exec_ids_at_random(patch: pytest.MonkeyPatch) -> None:
    numbers = count(1)
    patch.setattr(reports, "_exec_id", lambda recorded: f"X{next(numbers)}")


@bug("one message is decided once")
def decides_redelivered_messages_again(patch: pytest.MonkeyPatch) -> None:
    message = Desk._message

    def again(self: Desk, turn: Turn, item: Any) -> None:
        marks, self.state.watermarks = self.state.watermarks, {}
        message(self, turn, item)
        self.state.watermarks = {**marks, **self.state.watermarks}

    patch.setattr(Desk, "_message", again)


@bug("pending requests are answered")
def forgets_requests_that_a_fill_overtakes(patch: pytest.MonkeyPatch) -> None:
    parent = Turn.parent

    def forget(self: Turn, stream: UUID, *events: Event) -> Any:
        kept = [e for e in events if not (isinstance(e, po.RequestRefused) and e.text == "the order is filled")]
        return parent(self, stream, *kept) if kept else self.state.parents[stream]

    patch.setattr(Turn, "parent", forget)


@bug("a ClOrdID stays with its first order")
def lets_a_refused_request_take_an_id(patch: pytest.MonkeyPatch) -> None:
    fold = DeskState.apply

    def move(self: DeskState, stream: UUID, event: Event, meta: Any, *, seq: int) -> Any:
        after = fold(self, stream, event, meta, seq=seq)
        if isinstance(event, po.RequestRefused):
            self.client_ids[after.client_session, after.trade_date, event.cl_ord_id] = stream
        return after

    patch.setattr(DeskState, "apply", move)


# --------------------------------------------------------------------------------------- quantity, plans


@bug("child quantity above the parent's")
def releases_more_than_is_left(patch: pytest.MonkeyPatch) -> None:
    propose = tactic.propose

    def too_much(*args: Any, **kwargs: Any) -> Any:
        return tuple(p._replace(quantity_e9=2 * p.quantity_e9) for p in propose(*args, **kwargs))

    def unchecked(state: ParentOrder, child: UUID, quantity_e9: int, *, late_e9: int = 0) -> po.ChildReleased:
        return po.ChildReleased(child=child, number=state.children + 1, quantity_e9=quantity_e9, late_e9=0)

    patch.setattr(tactic, "propose", too_much)
    patch.setattr(parent_rules, "release", unchecked)


@bug("a replace waits until the children are withdrawn")
def replaces_while_children_are_out(patch: pytest.MonkeyPatch) -> None:
    amend = parent_rules.amend

    def at_once(state: ParentOrder, request: Any, **known: Any) -> Any:
        decided = amend(state, request, **known)
        if isinstance(decided, tuple) and isinstance(decided[0], po.ReplaceRequested):
            return (po.Replaced(cl_ord_id=request.cl_ord_id, terms=decided[0].terms),)
        return decided

    patch.setattr(parent_rules, "amend", at_once)


@bug("an order is never replaced below what is filled")
def replaces_below_what_is_filled(patch: pytest.MonkeyPatch) -> None:
    replaced = po._EVOLVE[po.Replaced]

    def below(state: ParentOrder, event: po.Replaced) -> dict[str, Any]:
        return {**replaced(state, event), "terms": event.terms}

    patch.setitem(po._EVOLVE, po.Replaced, below)


@bug("a late plan for an order that has moved on is dropped")
def adopts_any_plan(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(planning, "_still_applies", lambda parent, request: True)


# ---------------------------------------------------------------------------------------------- replay


@bug("a reader that skips an event")
def skips_an_event_when_it_folds(patch: pytest.MonkeyPatch) -> None:
    fold = recovery.fold

    async def skipping(log: EventLog, **until: Any) -> DeskState:
        return await fold(_Skipping(log), **until)  # type: ignore[arg-type]

    patch.setattr(recovery, "fold", skipping)


class _Skipping:
    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def read_all(self, **span: Any) -> Any:
        async for recorded in self._log.read_all(**span):
            if recorded.event.TOPIC != "parent_order.child_closed.v1" or recorded.seq % 5:
                yield recorded


@bug("no wall clock in evolve")
def reads_the_wall_clock_in_evolve(patch: pytest.MonkeyPatch) -> None:
    evolve = co.evolve

    def timed(state: ChildOrder | None, event: Event, *, stream: UUID, at_ns: int) -> ChildOrder:
        return evolve(state, event, stream=stream, at_ns=time.time_ns())

    patch.setattr(co, "evolve", timed)
