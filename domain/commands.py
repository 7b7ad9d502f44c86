"""What people and programs ask of the desk at its own door, beside FIX: commands, and how each is answered.

A command is answered after what it caused is durable. Its id makes it safe to repeat: the same id is the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.care_commands import CareCommand
from domain.fix_session import SessionAct
from domain.instructions import Instructions
from domain.limit_rules import Unit
from domain.limits import Applies
from domain.persons_command import Name, PersonsCommand
from domain.risk import Check, Level
from domain.steering import Act, Urgency
from domain.values import E9_MAX, OrdType, ScopeKind, Side, TimeInForce
from domain.wheel import Arm, Bounds

ALERTS_MAX: Final = 300  # that one command acknowledges, and that are listed at once


class EnterOrder(BaseModel):
    """An order that did not come over FIX: by telephone, or a desk's own. Its reports go to client_session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Literal["enter_order"] = "enter_order"
    command_id: Name
    actor: Name  # person:jane
    client_session: Name
    symbol: str
    side: Side
    quantity_e9: int
    ord_type: OrdType = OrdType.LIMIT
    limit_price_e9: int | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    account: str = ""
    algo: str = ""  # "": a direct order
    parameters: tuple[tuple[str, str], ...] = ()
    instructions: Instructions | None = None
    check_only: bool = False  # say what would become of it; nothing is placed and nothing is written


class SetLimit(PersonsCommand):
    """A limit's next version. Another person approves it, here or by the same command within an hour."""

    command: Literal["set_limit"] = "set_limit"
    approver: Name | None = None
    check: Check
    scope: ScopeKind
    scope_id: str = ""
    applies: Applies = "any"
    level: Level = "hard"
    value_e9: int
    unit: Unit
    window_ns: int = 0
    from_ns: int = 0
    until_ns: int | None = None


class RetireLimit(PersonsCommand):
    """The end of a limit. Another person approves it, here or by the same command within an hour."""

    command: Literal["retire_limit"] = "retire_limit"
    approver: Name | None = None
    check: Check
    scope: ScopeKind
    scope_id: str = ""
    applies: Applies = "any"
    level: Level = "hard"


class GrantOverride(PersonsCommand):
    """An order like the one that was refused may pass the soft limits that refused it, once. Another person approves it."""

    command: Literal["grant_override"] = "grant_override"
    approver: Name
    client_session: Name
    cl_ord_id: Name  # of the refused order
    minutes: Annotated[int, Field(ge=1, le=600)] = 15


class EnableStrategy(PersonsCommand):
    """A strategy that a check has disabled may trade again."""

    command: Literal["enable_strategy"] = "enable_strategy"
    strategy: Name


class DismissFill(PersonsCommand):
    """A quarantined execution is none of ours, or a repeat."""

    command: Literal["dismiss_fill"] = "dismiss_fill"
    alert: Name


class BookFill(PersonsCommand):
    """A quarantined execution is one of this order: of the child that has the ClOrdID, or had it before a replace."""

    command: Literal["book_fill"] = "book_fill"
    alert: Name
    cl_ord_id: Name
    overfill: bool = False


class AcknowledgeAlerts(PersonsCommand):
    """A person has looked at these; all of them are open, or nothing is written."""

    command: Literal["acknowledge_alerts"] = "acknowledge_alerts"
    alerts: Annotated[tuple[Name, ...], Field(min_length=1, max_length=ALERTS_MAX)]


class SteerOrder(PersonsCommand):
    """A change of how an algorithm's order is worked; each act looks at its own fields alone (`domain.steering_rules`)."""

    command: Literal["steer_order"] = "steer_order"
    order_id: Name  # as clients see it
    act: Act
    algo: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    urgency: Urgency = "normal"
    quantity_e9: int = 0
    limit_price_e9: int = 0


class AmendOrder(PersonsCommand):
    """Other terms of an order that was entered at the desk (`domain.amend_rules`); what is None stays as it is."""

    command: Literal["amend_order"] = "amend_order"
    order_id: Name
    quantity_e9: Annotated[int, Field(gt=0, le=E9_MAX)] | None = None  # of the whole order, with what is executed
    limit_price_e9: Annotated[int, Field(gt=0, le=E9_MAX)] | None = None
    end_ns: Annotated[int, Field(gt=0, le=E9_MAX)] | None = None
    parameters: tuple[tuple[str, str], ...] | None = None


class NoteDecision(PersonsCommand):
    """The price at which an order was decided, and when, for the analysis of its costs. The reason says where it is from."""

    command: Literal["note_decision"] = "note_decision"
    order_id: Name
    price_e9: Annotated[int, Field(gt=0, le=E9_MAX)]
    decided_ns: Annotated[int, Field(gt=0, le=E9_MAX)]


class OpenWheel(PersonsCommand):
    """An algo wheel that turns from now on; one of the name begins anew (`domain.wheel`)."""

    command: Literal["open_wheel"] = "open_wheel"
    wheel: Name
    seed: Name
    arms: tuple[Arm, ...]
    weights_e9: tuple[int, ...]
    bounds: Bounds = Bounds()


class ReweighWheel(PersonsCommand):
    """Other weights for a wheel's arms. rule: as the rule has it, which a person has looked at."""

    command: Literal["reweigh_wheel"] = "reweigh_wheel"
    wheel: Name
    weights_e9: tuple[int, ...]
    rule: bool = False


OrderCommand = SteerOrder | AmendOrder | NoteDecision
AttentionCommand = DismissFill | BookFill | AcknowledgeAlerts
RiskCommand = SetLimit | RetireLimit | GrantOverride | EnableStrategy


class OperateSessions(BaseModel):
    """What a person does to FIX sessions, written before it is done. Removing one whose orders have not ended is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Literal["operate_sessions"] = "operate_sessions"
    command_id: Name
    actor: Name
    acts: Annotated[tuple[tuple[Name, str, SessionAct], ...], Field(min_length=1)]  # session, its group, what is done
    reason: Annotated[str, Field(min_length=1, max_length=500)]


Command = EnterOrder | OperateSessions | RiskCommand | AttentionCommand | OrderCommand | OpenWheel | ReweighWheel | CareCommand
COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command. ids: what it made, by name."""

    ok: bool
    text: str
    ids: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Commanded:
    """A command on its way through the desk, and where its answer goes: called once, after the commit."""

    command: Command
    reply: Callable[[Answer], None]
