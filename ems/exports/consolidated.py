"""The consolidated record: one row for each event, with everything that regulatory records derive from.

A column that an event has nothing for is empty: nothing is made up. Quantities and prices are exact decimal text, times are
nanoseconds UTC. `SOURCES` says of each column where it is from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from domain import child_order as co
from domain import decision, merkle
from domain import fill as fl
from domain import model_decision as md
from domain import parent_order as po
from domain.clock_reading import Measured
from domain.event import Event
from domain.risk_verdicts import Checked
from domain.steering import Steered
from ems.exports.book import Book, Fact
from ems.exports.formats import decimal
from ems.exports.parties import Models, who
from ems.exports.settings import AccountTerms, ReportingSettings

Value = str | int | None
INTEGERS: Final = frozenset(
    "stream_version global_seq schema_version ts_event_ns ts_venue_ns ts_persist_ns clock_offset_ns clock_uncertainty_ns "
    "inbound_reset_epoch inbound_msg_seq_num request_ts_ns".split()
)
SOURCES: Final[Mapping[str, str]] = {
    "stream_id": "log", "stream_version": "log", "global_seq": "log", "event_id": "log", "event_type": "log",
    "schema_version": "log", "ts_event_ns": "meta.event_time_ns", "ts_venue_ns": "the venue's time, where the event has one",
    "ts_persist_ns": "log.recorded_time_ns", "clock_id": "clock.measured", "clock_offset_ns": "clock.measured",
    "clock_uncertainty_ns": "clock.measured", "host": "clock.measured", "process_build": "meta.build", "actor": "meta.actor",
    "causation_id": "meta.causation", "correlation_id": "meta.correlation", "inbound_session": "meta.inbound",
    "inbound_reset_epoch": "meta.inbound", "inbound_msg_seq_num": "meta.inbound", "parent_order_id": "parent_order",
    "order_id": "child_order or parent_order", "cl_ord_id": "order", "orig_cl_ord_id": "order",
    "venue_order_id": "child_order.acknowledged", "exec_id": "fill", "route_session": "child_order.created",
    "account": "parent_order", "fdid": "configuration", "capacity": "configuration", "client_code": "parties (452=3), account",
    "client_lei": "configuration", "investment_decider": "parties (452=122), client session", "executor": "algorithm, parties",
    "algo_id": "algorithm and build", "planner": "plan in force", "parameters_sha256": "terms", "model_digest": "model_decision",
    "symbol": "order", "side": "order", "order_type": "order", "price": "order", "quantity": "order", "time_in_force": "order",
    "stop_price": "instructions", "min_qty": "instructions", "display_qty": "instructions",
    "handling_instructions": "instructions", "last_qty": "fill", "last_price": "fill", "leaves_qty": "order",
    "cum_qty": "order", "cancel_qty": "order", "status": "order", "initiator": "event", "request_ts_ns": "order",
    "decision_ref": "parent_order.scheduled", "book_hash": "decision.planned", "features_sha256": "model_decision.decided",
    "features": "model_decision.decided", "outputs": "model_decision.decided", "risk_passed": "risk.checked",
    "risk_checks": "risk.checked", "reason": "event", "raw": "event", "state_sha256": "stored bytes", "prev_hash": "log",
    "hash": "log", "leaf_hash": "merkle.leaf(hash || seq)",
}  # fmt: skip
COLUMNS: Final = tuple(SOURCES)


class Recorder:
    """Makes rows, event by event in the log's order. Apply each event to the book first."""

    def __init__(self, book: Book, models: Models, settings: ReportingSettings) -> None:
        self._book, self._models, self._settings = book, models, settings
        self._clock: Measured | None = None

    def apply(self, fact: Fact) -> None:
        """What rows of later events say of the clock."""
        if isinstance(fact.event, Measured):
            self._clock = fact.event

    def row(self, fact: Fact) -> dict[str, Value]:
        """One event's."""
        row: dict[str, Value] = dict.fromkeys(COLUMNS)
        row |= _place(fact)
        if (clock := self._clock) is not None:
            row |= {"clock_id": clock.source, "clock_offset_ns": clock.offset_ns, "host": clock.host}
            row["clock_uncertainty_ns"] = clock.uncertainty_ns
        self._order(row, fact)
        if (told := _TOLD.get(type(fact.event))) is not None:
            row |= told(fact.event)
        return row

    def _order(self, row: dict[str, Value], fact: Fact) -> None:
        parent, child = self._book.parent_of(fact), self._book.children.get(fact.stream)
        if parent is None:
            return
        terms = self._settings.accounts.get(parent.account, AccountTerms())
        plan = self._book.plans.get(parent.id, "")
        model = self._models.of_plan(plan)
        named = who(
            parent, child, build=fact.meta.build, model=model, digits=self._settings.algorithm_digits, actor=fact.meta.actor
        )
        row |= {
            "parent_order_id": parent.order_id, "order_id": parent.order_id, "cl_ord_id": parent.cl_ord_id,
            "orig_cl_ord_id": parent.orig_cl_ord_id, "account": parent.account, "fdid": terms.fdid, "capacity": terms.capacity,
            "client_code": named.client, "client_lei": terms.lei, "investment_decider": named.decider,
            "executor": named.executor, "algo_id": named.algorithm, "planner": self._book.planners.get(parent.id, ""),
            "parameters_sha256": _digest(parent.terms.parameters), "model_digest": named.model, "symbol": parent.instrument,
            "side": parent.side.value, "quantity": decimal(parent.terms.quantity_e9),
            "price": decimal(parent.terms.limit_price_e9), "time_in_force": parent.terms.time_in_force.value,
            "order_type": (parent.terms.ord_type or ("limit" if parent.terms.limit_price_e9 else "market")),
            "leaves_qty": decimal(parent.leaves_e9), "cum_qty": decimal(parent.cum_quantity_e9),
            "status": parent.status.value, "decision_ref": plan,
        }  # fmt: skip
        instructions = parent.terms.instructions
        if child is not None:
            instructions = child.instructions
            row |= {
                "order_id": child.cl_ord_id[: co.ROOT_LENGTH], "cl_ord_id": child.cl_ord_id, "orig_cl_ord_id": "",
                "venue_order_id": child.order_id, "route_session": child.venue_session,
                "quantity": decimal(child.quantity_e9), "price": decimal(child.limit_price_e9),
                "order_type": child.ord_type.value, "time_in_force": child.time_in_force.value,
                "leaves_qty": decimal(child.leaves_e9), "cum_qty": decimal(child.cum_quantity_e9), "status": child.status.value,
            }  # fmt: skip
        if instructions is not None:
            row |= {
                "stop_price": decimal(instructions.stop_price_e9), "min_qty": decimal(instructions.min_quantity_e9),
                "display_qty": decimal(instructions.max_floor_e9),
                "handling_instructions": f"{instructions.handl_inst} {instructions.exec_inst}".strip(),
            }  # fmt: skip


def _place(fact: Fact) -> dict[str, Value]:
    meta, inbound = fact.meta, fact.meta.inbound
    return {
        "stream_id": fact.stream, "stream_version": fact.version, "global_seq": fact.seq, "event_id": fact.event_id,
        "event_type": fact.topic, "schema_version": int(fact.topic.rpartition(".v")[2]), "ts_event_ns": meta.event_time_ns,
        "ts_persist_ns": fact.recorded_ns, "process_build": meta.build, "actor": meta.actor, "causation_id": meta.causation,
        "correlation_id": meta.correlation, "inbound_session": inbound.session if inbound else None,
        "inbound_reset_epoch": inbound.reset_epoch if inbound else None,
        "inbound_msg_seq_num": inbound.msg_seq_num if inbound else None,
        "state_sha256": sha256(fact.state).hexdigest(), "prev_hash": fact.prev_hash.hex(), "hash": fact.hash.hex(),
        "leaf_hash": leaf_of(fact).hex(),
    }  # fmt: skip


def leaf_of(fact: Fact) -> bytes:
    """The event's leaf in the Merkle tree of the log."""
    return merkle.leaf(fact.hash + fact.seq.to_bytes(8, "big"))


def _digest(parameters: tuple[tuple[str, str], ...]) -> str:
    return sha256(json.dumps(parameters, separators=(",", ":")).encode()).hexdigest() if parameters else ""


def _checked(event: Checked) -> dict[str, Value]:
    verdicts = [[v.check, v.scope, v.limit_version, v.observed, v.limit, v.outcome, v.data] for v in event.verdicts]
    return {"risk_passed": "true" if event.passed else "false", "risk_checks": json.dumps(verdicts, separators=(",", ":"))}


def _decided(event: md.Decided) -> dict[str, Value]:
    return {
        "model_digest": event.weights_sha256, "features": event.inputs, "features_sha256": event.inputs_sha256,
        "outputs": event.results,
    }  # fmt: skip


def _recorded(event: fl.Recorded) -> dict[str, Value]:
    return {
        "exec_id": event.exec_id, "cl_ord_id": event.cl_ord_id, "route_session": event.venue_session,
        "last_qty": decimal(event.quantity_e9), "last_price": decimal(event.price_e9), "ts_venue_ns": event.venue_time_ns or None,
    }  # fmt: skip


def _restated(event: fl.Restated) -> dict[str, Value]:
    return {
        "exec_id": event.exec_id, "last_qty": decimal(event.quantity_e9), "last_price": decimal(event.price_e9),
        "ts_venue_ns": event.venue_time_ns or None, "reason": f"{event.kind} of {event.exec_ref_id}",
    }  # fmt: skip


def _quarantined(event: fl.Quarantined) -> dict[str, Value]:
    return {
        "exec_id": event.exec_id, "cl_ord_id": event.cl_ord_id, "last_qty": decimal(event.quantity_e9),
        "last_price": decimal(event.price_e9), "reason": event.reason, "raw": event.raw,
    }  # fmt: skip


def _planned(event: decision.Planned | decision.Failed) -> dict[str, Value]:
    return {"book_hash": event.request_sha256}


def _filled(event: co.Filled | po.Filled) -> dict[str, Value]:
    return {"last_qty": decimal(event.quantity_e9), "last_price": decimal(event.price_e9)}


def _text(event: Event) -> dict[str, Value]:
    return {"reason": getattr(event, "text", "") or getattr(event, "reason", "")}


_WORDED: Final = (
    co.CancelRequested, co.Canceled, co.Rejected, co.Expired, co.DoneForDay, co.Doubted, po.Rejected, po.Canceled, po.Expired,
    po.TurnedDown, Steered,
)  # fmt: skip
_TOLD: Final[dict[type[Event], Callable[[Any], dict[str, Value]]]] = {
    Checked: _checked, md.Decided: _decided, fl.Recorded: _recorded, fl.Restated: _restated, fl.Quarantined: _quarantined,
    decision.Planned: _planned, decision.Failed: _planned, co.Filled: _filled, po.Filled: _filled,
    **dict.fromkeys(_WORDED, _text),
}  # fmt: skip
