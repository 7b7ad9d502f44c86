"""Lists of orders: received, executed, canceled, told of. What a list is stands in `domain.order_list`.

Every order of a list has reports of its own beside the list's: New, fills, Canceled; also Rejected, for one that the
list's first answer names as refused. An order that waits has no report before the list is executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain import order_checks, parent_intake, parent_rules
from domain import order_list as ol
from domain import parent_order as po
from domain.event import Event
from domain.instructions import Basket, StrategyFields
from domain.list_messages import Entry, ListCancel, ListExecute, ListStatusQuery, NewOrderList
from domain.market_state import MarketState
from domain.order_life import OrdStatus
from domain.order_list import Listed, OrderList
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.refusal import Reason, Refusal
from domain.values import Algo, StreamId, short_id
from ems import list_reports
from ems.risk import RiskGate, turned_down
from ems.session_notes import note, refuse
from ems.staging import Staging
from ems.strategies import Strategies
from ems.turn import Turn

_Verdict = tuple[Entry, StreamId, po.Accepted | Refusal, bool]  # an order, its stream, what it is, and whether its id is taken
_BASKET_DIGITS = 16  # of a basket's id: of a day, the ids of all lists of all clients differ
Pass = Callable[[str, int], Refusal | None]  # may one more message of a session pass now?


class ListDesk:
    """Pure but for what it is given."""

    def __init__(
        self, reference: Reference, markets: Mapping[str, MarketState], throttle: Pass, strategies: Strategies, risk: RiskGate,
        staging: Staging,
    ) -> None:  # fmt: skip
        self._staging = staging
        self._risk = risk
        self._strategies = strategies
        self._reference = reference
        self._markets = markets
        self._throttle = throttle

    def handle(self, turn: Turn, message: NewOrderList | ListExecute | ListCancel | ListStatusQuery) -> None:
        """Dispatch one message about a list."""
        match message:
            case NewOrderList():
                self._receive(turn, message)
            case ListExecute():
                self._execute(turn, message)
            case ListCancel():
                self._cancel(turn, message)
            case ListStatusQuery():
                self._status(turn, message)

    # ------------------------------------------------------------------------------------- a new list

    def _receive(self, turn: Turn, request: NewOrderList) -> None:
        """Each order is judged for itself. The list is refused as a whole where it cannot be taken as one, where all of
        its orders are refused, or one of them and it says all or none.
        """
        known = turn.state.lists.get(ol.key(request.ref.session, self._reference.trade_date(turn.now_ns), request.list_id))
        if known is not None:
            self._again(turn, request, known)
            return
        refusal = request.refusal or self._throttle(request.ref.session, turn.now_ns)
        if refusal is not None:
            self._refuse(turn, request, refusal, [ol.refused(e.seq_no, e.order.cl_ord_id, refusal) for e in request.entries])
            return
        stream = ol.key(request.ref.session, self._reference.trade_date(turn.now_ns), request.list_id)
        verdicts = self._verdicts(turn, request, stream)
        refusal = self._risk.listed(turn, stream, [v for _, _, v, _ in verdicts if isinstance(v, po.Accepted)])
        if refusal is not None:
            self._refuse(turn, request, refusal, [ol.refused(e.seq_no, e.order.cl_ord_id, refusal) for e in request.entries])
            return
        verdicts = [(e, s, self._judged(turn, s, v), taken) for e, s, v, taken in verdicts]
        wrong = [verdict for _, _, verdict, _ in verdicts if isinstance(verdict, Refusal)]
        together = "it is all or none" if request.all_or_none else _worked_together(verdicts)
        if len(wrong) == len(verdicts) or (wrong and together):
            said = f"{len(wrong)} of {len(verdicts)} orders were refused"
            refusal = Refusal(Reason.LIST_REFUSED, said + (f", and {together}" if together else ""))
            refusals = [(e, v if isinstance(v, Refusal) else refusal) for e, _, v, _ in verdicts]
            self._refuse(turn, request, refusal, [ol.refused(e.seq_no, e.order.cl_ord_id, v) for e, v in refusals])
            return
        self._take(turn, request, verdicts)

    def _verdicts(self, turn: Turn, request: NewOrderList, of_list: StreamId) -> list[_Verdict]:
        session, trade_date = request.ref.session, self._reference.trade_date(turn.now_ns)
        found: list[_Verdict] = []
        here: set[str] = set()
        for number, entry in enumerate(request.entries, 1):
            basket = Basket(id=short_id(of_list, _BASKET_DIGITS), number=number, orders=len(request.entries))
            order = self._strategies.resolved(entry.order, turn.now_ns, basket=basket)
            taken = order.cl_ord_id in here or turn.state.used_by(session, trade_date, order.cl_ord_id) is not None
            here.add(order.cl_ord_id)
            stream = po.key(session, trade_date, order.cl_ord_id)
            instrument = self._reference.instrument(order.symbol)
            day = self._reference.day(instrument, turn.now_ns) if instrument is not None else None
            verdict = parent_intake.place(
                order,
                stream=stream,
                duplicate=taken,
                instrument=instrument,
                day=day,
                trade_date=trade_date,
                now_ns=turn.now_ns,
                arrival=self._markets.get(order.symbol),
            )
            if isinstance(verdict, po.Accepted):
                verdict = ol.member(verdict, request.list_id, day if request.staged else None)
            found.append((entry, stream, verdict, taken))
        return _of_one_basket(found)

    def _judged(self, turn: Turn, stream: StreamId, verdict: po.Accepted | Refusal) -> po.Accepted | Refusal:
        return verdict if isinstance(verdict, Refusal) else self._risk.parent(turn, stream, verdict) or verdict

    def _take(self, turn: Turn, request: NewOrderList, verdicts: list[_Verdict]) -> None:
        """The orders, and then the list, which is answered with all of them."""
        session, trade_date = request.ref.session, self._reference.trade_date(turn.now_ns)
        orders = []
        for entry, stream, verdict, taken in verdicts:
            if isinstance(verdict, po.Accepted):
                written = self._staging.of(verdict, turn.now_ns)
                turn.parent(stream, *written)
                orders.append(_accepted(entry, stream, written[0]))
                continue
            if not taken:
                rejected = order_checks.rejected(entry.order, stream, trade_date, verdict, list_id=request.list_id)
                turn.apply(stream, rejected, correlation=stream)
            orders.append(ol.refused(entry.seq_no, entry.order.cl_ord_id, verdict, None if taken else stream))
        stream = ol.key(session, trade_date, request.list_id)
        received = ol.Received(
            client_session=session,
            trade_date=trade_date,
            list_id=request.list_id,
            staged=request.staged,
            all_or_none=request.all_or_none,
            instructions=request.instructions,
            orders=tuple(orders),
        )
        turn.apply(stream, received, correlation=stream)

    def _refuse(self, turn: Turn, request: NewOrderList, refusal: Refusal, orders: list[Listed]) -> None:
        session, trade_date = request.ref.session, self._reference.trade_date(turn.now_ns)
        stream = ol.key(session, trade_date, request.list_id)
        event = ol.Refused(
            client_session=session,
            trade_date=trade_date,
            list_id=request.list_id,
            reason=refusal.reason,
            text=refusal.text,
            orders=tuple(orders),
        )
        turn.apply(stream, event, correlation=stream)

    def _again(self, turn: Turn, request: NewOrderList, known: OrderList) -> None:
        """A list that is there: told of, where the peer was not sure; else refused without a word on the one there is."""
        if request.poss_resend or request.poss_dup:
            note(turn, self._reference, request, "repeated list, answered with its state")
            self._tell(turn, known, poss_resend=True)
        else:
            said = f"ListID {request.list_id} was used before in this session today"
            refusal = Refusal(Reason.DUPLICATE_CL_ORD_ID, said)
            refuse(turn, self._reference, request, refusal, ref_id=request.list_id, msg_type="E")

    # ------------------------------------------------------------------------------- requests about one

    def _execute(self, turn: Turn, request: ListExecute) -> None:
        """The orders that wait are judged once more and worked from now on. A list that does not wait is told of."""
        known = self._known(turn, request, "L")
        if known is None:
            return
        if not known.staged or known.phase not in (ol.Phase.RECEIVED, ol.Phase.ALERT):
            note(turn, self._reference, request, "a list is executed that does not wait")
            self._tell(turn, known)
            return
        for order in self._orders(turn, known):
            instrument = self._reference.instrument(order.instrument)
            day = self._reference.day(instrument, turn.now_ns) if instrument is not None else None
            arrival = self._markets.get(order.instrument)
            events = ol.start(order, instrument=instrument, day=day, now_ns=turn.now_ns, arrival=arrival)
            begun = next((event for event in events if isinstance(event, po.Started)), None)
            refusal = self._risk.amend(turn, order, begun.terms) if begun is not None else None
            if refusal is not None:
                events = (turned_down(refusal),)
            elif begun is not None and (staged := self._staging.begun(order)) is not None:
                events = (staged,)
            if events:
                turn.parent(order.id, *events)
        self._tell_by(turn, known, ol.Executed)

    def _cancel(self, turn: Turn, request: ListCancel) -> None:
        """Every order of it is canceled as by a mass cancel; a list that waits will not be executed."""
        known = self._known(turn, request, "K")
        if known is None:
            return
        if known.phase in (ol.Phase.REJECTED, ol.Phase.ALL_DONE):
            note(turn, self._reference, request, "a list is canceled that is over")
            self._tell(turn, known)
            return
        for order in self._orders(turn, known):
            if events := parent_rules.withdraw(order, text=f"canceled with its list {known.list_id}"):
                turn.parent(order.id, *events)
        self._tell_by(turn, known, ol.CancelRequested)

    def _status(self, turn: Turn, query: ListStatusQuery) -> None:
        """How the list and its orders stand."""
        known = self._known(turn, query, "M")
        if known is not None:
            note(turn, self._reference, query, "list status query")
            self._tell(turn, known)

    # ------------------------------------------------------------------------------------ what follows

    def settle(self, turn: Turn) -> None:
        """Lists whose last order has ended in this turn are done."""
        lists: dict[StreamId, None] = {}
        for touched in turn.touched:
            order = turn.state.parents.get(touched)
            if isinstance(order, ParentOrder) and order.list_id and order.finished:
                lists[ol.key(order.client_session, order.trade_date, order.list_id)] = None
        for stream in lists:
            known = turn.state.lists[stream]
            if not known.done and ol.over(known, turn.state.parents):
                self._tell_by(turn, known, ol.Done)

    # ---------------------------------------------------------------------------------------- helpers

    def _known(self, turn: Turn, request: ListExecute | ListCancel | ListStatusQuery, msg_type: str) -> OrderList | None:
        """The list that a request names; refused where there is none, for a status needs orders to tell of."""
        stream = turn.state.list_ids.get((request.ref.session, request.list_id))
        if stream is None:
            refusal = Refusal(Reason.UNKNOWN_ORDER, f"no list of this session has the ListID {request.list_id}")
            refuse(turn, self._reference, request, refusal, ref_id=request.list_id, msg_type=msg_type)
            return None
        return turn.state.lists[stream]

    def _orders(self, turn: Turn, known: OrderList) -> list[ParentOrder]:
        streams = [listed.order for listed in known.orders if listed.order is not None]
        return [order for stream in streams if isinstance(order := turn.state.parents[stream], ParentOrder)]

    def _tell(self, turn: Turn, known: OrderList, *, poss_resend: bool = False) -> None:
        orders = ol.snapshot(known, turn.state.parents)
        answer = list_reports.list_status(
            known, orders, status_type="response", at_ns=turn.now_ns, seq=0, poss_resend=poss_resend
        )  # fmt: skip
        turn.extra.append(answer)

    def _tell_by(self, turn: Turn, known: OrderList, kind: type[ol.Executed] | type[ol.CancelRequested] | type[ol.Done]) -> None:
        event: Event = kind(orders=ol.snapshot(known, turn.state.parents))
        turn.apply(known.id, event, correlation=known.id)


def _basket_algo(verdict: po.Accepted | Refusal) -> StrategyFields | None:
    """The broker's algorithm that works the order together with others, None where it is for no such one."""
    given = verdict.terms.instructions if isinstance(verdict, po.Accepted) else None
    return given.strategy if given is not None and given.strategy is not None and given.strategy.basket is not None else None


def _worked_together(verdicts: list[_Verdict]) -> str:
    """Why the list has to be taken as one, "" where it has not."""
    algos = (_basket_algo(verdict) for _, _, verdict, _ in verdicts)
    return next((f"{algo.name} of {algo.session} works them together" for algo in algos if algo is not None), "")


def _of_one_basket(verdicts: list[_Verdict]) -> list[_Verdict]:
    """A broker's algorithm that works the orders of a list together works all of them: another order in it is refused."""
    algos = [_basket_algo(verdict) for _, _, verdict, _ in verdicts]
    first = next((algo for algo in algos if algo is not None), None)
    if first is None:
        return verdicts
    named = (first.session, first.name)
    other = Refusal(Reason.BAD_PARAMETER, f"{first.name} works the orders of a list together: all of them have to be for it")
    found = []
    for (entry, stream, verdict, taken), algo in zip(verdicts, algos, strict=True):
        outside = isinstance(verdict, po.Accepted) and (algo is None or (algo.session, algo.name) != named)
        found.append((entry, stream, other if outside else verdict, taken))
    return found


def _accepted(entry: Entry, stream: StreamId, accepted: po.Accepted) -> Listed:
    quantity_e9 = accepted.terms.quantity_e9
    status = OrdStatus.PENDING_NEW if accepted.staged or accepted.terms.algo is Algo.DIRECT else OrdStatus.NEW
    return Listed(seq_no=entry.seq_no, cl_ord_id=accepted.cl_ord_id, order=stream, status=status, leaves_quantity_e9=quantity_e9)
