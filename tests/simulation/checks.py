"""The invariants. Cheap ones hold at every event and message; all of them at crashes and at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from domain import child_life, decision, parent_rules, parent_status
from domain import child_order as co
from domain import fill as fl
from domain import fix_session as fs
from domain import parent_order as po
from domain.event import GENESIS_HASH, Recorded
from domain.messages import Inbound, SessionNews, VenueRefusal
from domain.order_life import OrdStatus
from domain.sending import Outbound, ParentReport, SendChild, SendChildCancel, SendChildReplace
from domain.values import Algo, StreamId, short_id
from ems.desk_state import DeskState
from tests.simulation.executed import executed_e9
from tests.simulation.oms import Oms
from tests.simulation.reference import VENUE
from tests.simulation.venue import Venue
from tests.simulation.world import S, Violation, World


class Checks:
    """Watches the log as it grows and the wires at their ends."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.venue: Venue
        self.clients: list[Oms] = []
        self.shadow = DeskState()  # folded from the events as they became durable
        self.hash = GENESIS_HASH
        self.created: dict[str, co.Created] = {}  # children by ClOrdID
        self.child_streams: dict[str, StreamId] = {}
        self.cancels: dict[str, StreamId] = {}  # ClOrdIDs of cancels asked for
        self.replaces: dict[str, StreamId] = {}
        self.exec_ids: dict[int, str] = {}  # log sequence -> ExecID that its report must have
        self.counted: Counter[str] = Counter()  # ExecIDs of the venue in the log
        self.quarantined: Counter[tuple[str, str, int, int]] = Counter()
        self.notes: set[str] = set()  # what was noted on sessions
        self.seen_by_venue: set[str] = set()
        self.transitions: Counter[tuple[str, str]] = Counter()
        self.topics: Counter[str] = Counter()

    # ------------------------------------------------------------------------------------------ the log

    def appended(self, recorded: Sequence[Recorded]) -> None:
        """Events have become durable."""
        touched: dict[StreamId, None] = {}
        self._decided_once(recorded)
        for one in recorded:
            if one.seq != self.shadow.seq + 1 or one.prev_hash != self.hash:
                raise Violation(f"event {one.seq} does not follow event {self.shadow.seq}")
            self.hash = one.hash
            self._note_transition(one)
            before = self.shadow.parents.get(one.stream)
            after = self.shadow.apply(one.stream, one.event, one.meta, seq=one.seq)
            self.topics[one.event.TOPIC] += 1
            self._world.told(one.seq, one.event.TOPIC, one.hash.hex()[:12])
            self.exec_ids[one.seq] = _exec_id(one)
            self._note(one)
            if isinstance(after, po.ParentOrder):
                touched[one.stream] = None
                fell = not isinstance(one.event, po.FillRestated)
                if fell and isinstance(before, po.ParentOrder) and after.cum_quantity_e9 < before.cum_quantity_e9:
                    raise Violation(f"parent {one.stream}: cumulative quantity fell")
        for stream in touched:
            self._children_fit(stream)

    def _decided_once(self, recorded: Sequence[Recorded]) -> None:
        """A message's consequences come with one append, however often it is delivered."""
        for ref in {one.meta.inbound: None for one in recorded if one.meta.inbound is not None}:
            if (ref.reset_epoch, ref.msg_seq_num) <= self.shadow.watermarks.get(ref.session, (-1, 0)):
                raise Violation(f"message {ref.msg_seq_num} of {ref.session} was decided twice")

    def _cleared(self, child: StreamId, *terms: int | None) -> None:
        """Before an order or a replace stands a verdict on these very terms that passed."""
        clearance = self.shadow.risk.clearances.get(child)
        if clearance is None or not clearance.passed or clearance.allows != terms:
            raise Violation(f"child {child} has no verdict that passed")

    def _reserved(self) -> None:
        """What may still trade is reserved, and nothing else."""
        expected = {}
        for child in self.shadow.children.values():
            asked_e9 = child.replacing.quantity_e9 if child.replacing is not None else 0
            may_fill = child.live or (child.status is OrdStatus.FILLED and asked_e9)
            if may_fill and (left_e9 := max(child.quantity_e9, asked_e9) - child.cum_quantity_e9) > 0:
                expected[child.id] = left_e9
        if (reserved := self.shadow.risk.exposure.all_reserved()) != expected:
            raise Violation(f"reserved is {reserved}, and what may trade is {expected}")

    def _planned(self, event: decision.Planned) -> None:
        """A plan is adopted for the order as it is, and each number once."""
        request, parent = event.request, self.shadow.parent(StreamId(event.request.parent))
        terms = parent.terms
        reserve_ns = 0 if terms.algo is Algo.POV else min(2 * S, (terms.end_ns - terms.start_ns) // 3)
        wanted = (parent.plans + 1, terms.start_ns, terms.end_ns - reserve_ns)
        fits = (request.plan_number, request.start_ns, request.end_ns) == wanted
        if not fits or request.filled_e9 + request.remaining_e9 != terms.quantity_e9 or not parent.live or parent.pending:
            raise Violation(f"plan {request.plan_number} of {parent.cl_ord_id} is not for the order as it is")

    def _note(self, one: Recorded) -> None:
        event = one.event
        if isinstance(event, co.Created):
            if event.cl_ord_id in self.created:
                raise Violation(f"two children have the ClOrdID {event.cl_ord_id}")
            if not event.channel:  # else it has been executed already, elsewhere
                self._cleared(one.stream, event.quantity_e9, event.limit_price_e9)
            self.created[event.cl_ord_id] = event
            self.child_streams[event.cl_ord_id] = one.stream
        elif isinstance(event, co.CancelRequested):
            self.cancels[event.cl_ord_id] = one.stream
        elif isinstance(event, co.ReplaceRequested):
            self._cleared(one.stream, event.quantity_e9, event.limit_price_e9)
            self.replaces[event.cl_ord_id] = one.stream
        elif isinstance(event, fl.Restated):
            self._restated(event)
        elif isinstance(event, decision.Planned):
            self._planned(event)
        elif isinstance(event, fs.MessageNoted):
            self.notes.add(event.note)
        elif isinstance(event, fl.Recorded):
            self._fill(event)
        elif isinstance(event, fl.Quarantined):
            key = (event.exec_id, event.cl_ord_id, event.quantity_e9, event.price_e9)
            self.quarantined[key] += 1
            if key not in self.venue.bogus or self.quarantined[key] > self.venue.bogus.count(key):
                raise Violation(f"a good execution is in quarantine: {key}")

    def _fill(self, event: fl.Recorded) -> None:
        if event.venue_session != VENUE:
            return
        truth = self.venue.executions.get(event.exec_id)
        if truth is None or (truth.cl_ord_id, truth.quantity_e9, truth.price_e9) != (
            event.cl_ord_id,
            event.quantity_e9,
            event.price_e9,
        ):
            raise Violation(f"fill {event.exec_id} is not the venue's")
        self.counted[event.exec_id] += 1
        if self.counted[event.exec_id] > 1:
            raise Violation(f"fill {event.exec_id} counts twice")

    def _restated(self, event: fl.Restated) -> None:
        if event.venue_session != VENUE:
            return
        truth = self.venue.changes.restatements.get(event.exec_id)
        if truth is None or (truth.quantity_e9, truth.price_e9) != (event.quantity_e9, event.price_e9):
            raise Violation(f"restatement {event.exec_id} is not the venue's")
        self.counted[event.exec_id] += 1
        if self.counted[event.exec_id] > 1:
            raise Violation(f"restatement {event.exec_id} counts twice")

    def _note_transition(self, one: Recorded) -> None:
        """Which row of the table of order life was used, for the coverage of a run of seeds."""
        state = self.shadow.children.get(one.stream) or self.shadow.parents.get(one.stream)
        if isinstance(state, co.ChildOrder):
            if (moved := child_life.trigger_of(state, one.event)) is not None:
                self.transitions[state.status, moved] += 1
        elif isinstance(state, po.ParentOrder) and (trigger := parent_status.trigger_of(state, one.event)) is not None:
            self.transitions[state.status, trigger] += 1

    def _children_fit(self, stream: StreamId) -> None:
        """Filled and open together never exceed the order, but for what a venue filled after it had said the order was over."""
        parent = self.shadow.parent(stream)
        out_e9 = parent.released_e9 - parent.held_e9
        asked_e9 = [a.terms.quantity_e9 for a in parent_rules.requests(parent) if parent.direct and a.terms is not None]
        if out_e9 > max(parent.terms.quantity_e9, *asked_e9, 0) + self._late_e9(stream):
            raise Violation(f"parent {stream}: {out_e9} released of {parent.terms.quantity_e9}")

    def _late_e9(self, stream: StreamId) -> int:
        late_e9 = sum(late_e9 for key, late_e9 in self.venue.late_e9.items() if self.created[key].parent == stream)
        return late_e9 + sum(self._late_e9(part) for part in self.shadow.parent(stream).care.parts)

    # ---------------------------------------------------------------------------------------- the wires

    def leaving(self, message: Outbound) -> None:
        """The desk hands a message to its link: what it stems from is durable."""
        if message.event_seq > self.shadow.seq:
            raise Violation(f"a {type(message).__name__} left before event {message.event_seq} was durable")
        if isinstance(message, SendChild) and message.cl_ord_id not in self.created:
            raise Violation(f"child {message.cl_ord_id} left before its intent was durable")
        if isinstance(message, SendChildReplace) and message.cl_ord_id not in self.replaces:
            raise Violation(f"replace {message.cl_ord_id} left before it was durable")
        if isinstance(message, SendChildCancel) and message.cl_ord_id not in self.cancels:
            raise Violation(f"cancel {message.cl_ord_id} left before it was durable")
        if isinstance(message, ParentReport) and not self._exec_id_fits(message):
            raise Violation(f"ExecID {message.exec_id} is not that of event {message.event_seq}")

    def _exec_id_fits(self, report: ParentReport) -> bool:
        """A report has the ExecID of its event; one that answers a reused ClOrdID stands behind its event in the batch."""
        if report.ord_rej_reason == 6:
            return report.exec_id in self.exec_ids.values()
        return report.exec_id in ("0", self.exec_ids[report.event_seq])

    def acknowledged(self, messages: list[Inbound]) -> None:
        """The gateway may forget messages: each has left its mark in the log."""
        for message in messages:
            session, reset_epoch, number = message.ref
            if number and (reset_epoch, number) > self.shadow.watermarks.get(session, (-1, 0)):
                raise Violation(f"message {number} of {session} was acknowledged before it was durable")
            if not number and not self._left_a_mark(message):
                raise Violation(f"{type(message).__name__} of {session} was acknowledged and is not in the log")

    def _left_a_mark(self, message: Inbound) -> bool:
        """What has no number of its own is found by what it says."""
        if isinstance(message, SessionNews):
            return message.text in self.notes
        assert isinstance(message, VenueRefusal)
        child = self.shadow.children[self.child_streams[message.ref_cl_ord_id[: co.ROOT_LENGTH]]]
        if message.ref_msg_type == "G" and not message.poss_resend:
            return child.replacing is None or child.replacing.cl_ord_id != message.ref_cl_ord_id
        return not child.live or message.poss_resend

    def entered(self, message: SendChild) -> None:
        """An order has reached the venue."""
        if message.cl_ord_id in self.seen_by_venue:
            raise Violation(f"order {message.cl_ord_id} reached the venue twice")
        self.seen_by_venue.add(message.cl_ord_id)
        created = self.created.get(message.cl_ord_id)
        if created is None:
            raise Violation(f"order {message.cl_ord_id} is nobody's intent")
        wanted = (created.instrument, created.side, created.quantity_e9, created.limit_price_e9)
        if wanted != (message.instrument, message.side, message.quantity_e9, message.limit_price_e9):
            raise Violation(f"order {message.cl_ord_id} is not what was intended")
        child = self.shadow.children[self.child_streams[message.cl_ord_id]]
        if not child.live:
            raise Violation(f"order {message.cl_ord_id} reached the venue after it was declared {child.status}")

    def exposed(self, cl_ord_id: str) -> None:
        """Called when the venue has entered an order: its book, not ours, says how much of the parent may trade."""
        stream = self.created[cl_ord_id].parent
        parent = self.shadow.parent(stream)
        if parent.direct:
            return  # its one order is what its client made of it
        total_e9 = sum(
            order.cum_e9 + (order.left_e9 if order.open else 0)
            for key, order in self.venue.orders.items()
            if self.created[key].parent == stream
        )
        if total_e9 > parent.terms.quantity_e9 + self._late_e9(stream):
            raise Violation(f"parent {stream}: {total_e9} at the venue of {parent.terms.quantity_e9}")

    # ----------------------------------------------------------------------------------------- in full

    def same_state(self, live: DeskState, where: str) -> None:
        """Live state is what the events say, nothing more."""
        for name, value in vars(self.shadow).items():
            if getattr(live, name) != value:
                raise Violation(f"{where}: the desk's {name} are not what its events say")
        self._reserved()

    def open_ends(self) -> list[str]:
        """What still has to happen before the day is over."""
        shadow = self.shadow
        ends = [f"parent {p.cl_ord_id} is {p.status}" for p in map(shadow.parent, shadow.working)]
        ends += [f"child {c.cl_ord_id} is {c.status}" for c in shadow.children.values() if c.live]
        ends += [
            f"execution {key} is not in the log"
            for key in (*self.venue.executions, *self.venue.changes.restatements)
            if not self.counted[key]
        ]
        ends += [f"{key} is not in quarantine" for key in self.venue.bogus if not self.quarantined[key]]
        ends += [f"venue order {key} is open" for key, order in self.venue.orders.items() if order.open]
        return ends + [end for client in self.clients for end in client.open_ends()]

    def balanced(self) -> None:
        """At the end: the OMS's ledger, the log and the venue's ledger agree order by order."""
        for parent in self.shadow.parents.values():
            if not isinstance(parent, po.ParentOrder):
                continue
            truth_e9 = executed_e9(self.shadow, self.venue, self.created, parent)
            if parent.of:
                if truth_e9 != parent.cum_quantity_e9:
                    raise Violation(f"{parent.cl_ord_id}: venue {truth_e9}, log {parent.cum_quantity_e9}")
                continue
            client = next(c for c in self.clients if c.name == parent.client_session)
            told_e9 = client.by_id[parent.cl_ord_id].cum_e9
            if not truth_e9 == parent.cum_quantity_e9 == told_e9:
                raise Violation(f"{parent.cl_ord_id}: venue {truth_e9}, log {parent.cum_quantity_e9}, OMS {told_e9}")
            if parent.cum_quantity_e9 > client.by_id[parent.cl_ord_id].quantity_e9 + self._late_e9(parent.id):
                raise Violation(f"{parent.cl_ord_id}: more was filled than asked for")
        for child in self.shadow.children.values():
            if child.status is OrdStatus.IN_DOUBT:
                raise Violation(f"child {child.cl_ord_id} is in doubt at the end")


def _exec_id(one: Recorded) -> str:
    """The ExecID that the report of an event must have: an execution's own, or the event's."""
    event = one.event
    if isinstance(event, po.Filled):
        return fl.told_as(event.fill, 0)
    if isinstance(event, po.FillRestated):
        return fl.told_as(event.fill, event.number)
    return short_id(one.event_id, 20)
