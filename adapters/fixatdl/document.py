"""What a FIXatdl file says, as frozen values. Names follow FIXatdl 1.1; `line` is where each stands in its file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from domain.wire_parameter import FixType

NULL = "{NULL}"  # FIXatdl's word for no value: such a parameter is not sent


@dataclass(frozen=True, slots=True)
class EnumPair:
    """A legal value of a parameter, by the name that controls and rules use and by what the wire carries."""

    enum_id: str
    wire_value: str
    ui_rep: str = ""  # as the parameter's control shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter. Bounds, constants and defaults are texts as the file has them, None where it has none."""

    name: str
    type: FixType
    line: int
    fix_tag: int | None = None
    required: bool = False  # use="required"
    minimum: str | None = None  # themselves allowed; of a percentage before multiplyBy100, of a time on the local clock
    maximum: str | None = None
    minimum_length: int | None = None  # in characters
    maximum_length: int | None = None
    const: str | None = None
    default: str | None = None  # the initValue of its control: an enumID, a local time or a value
    precision: int | None = None  # decimals that the wire value is rounded to
    multiply_by_100: bool = False
    invert_on_wire: bool = False
    true_wire_value: str = "Y"
    false_wire_value: str = "N"
    mutable_on_cxl_rpl: bool = True
    revert_on_cxl_rpl: bool = False  # not sent in a replace means the original's value
    defined_by_fix: bool = False
    local_mkt_tz: str | None = None
    enum_pairs: tuple[EnumPair, ...] = ()
    editable: bool = False  # its control lets other values than those of enum_pairs be typed
    description: str = ""


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against a value or another field. EX and NX ask whether it has a value at all."""

    operator: Literal["EX", "NX", "EQ", "NE", "LT", "LE", "GT", "GE"]
    field: str
    line: int
    value: str | None = None
    field2: str | None = None


@dataclass(frozen=True, slots=True)
class Combine:
    """Edits joined by AND, OR, XOR (one and only one of them), or one of them under NOT."""

    operator: Literal["AND", "OR", "XOR", "NOT"]
    edits: tuple[Edit, ...]
    line: int


Edit = Compare | Combine


@dataclass(frozen=True, slots=True)
class StrategyEdit:
    """A rule of a strategy: where the edit does not hold, the order is refused with the message."""

    error_message: str
    edit: Edit
    line: int


@dataclass(frozen=True, slots=True)
class StateRule:
    """What becomes of a control while the edit, which speaks of controls, holds."""

    edit: Edit
    line: int
    enabled: bool | None = None
    visible: bool | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control of the ticket."""

    id: str
    type: str  # "Clock_t", "DropDownList_t"
    line: int
    parameter_ref: str | None = None
    label: str = ""
    init_value: str | None = None
    init_fix_field: str | None = None
    local_mkt_tz: str | None = None
    items: tuple[tuple[str, str], ...] = ()  # (enumID, as shown)
    state_rules: tuple[StateRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the ticket, with what lies in it in order."""

    title: str
    orientation: str
    line: int
    content: tuple[Panel | Control, ...]

    def controls(self) -> Iterator[Control]:
        """Every control in it, however deep."""
        for part in self.content:
            if isinstance(part, Control):
                yield part
            else:
                yield from part.controls()


@dataclass(frozen=True, slots=True)
class Scope:
    """A market (MIC), region, country (ISO 3166) or security type (167) that a strategy is for, or is not for."""

    name: str
    include: bool


@dataclass(frozen=True, slots=True)
class RepeatingGroup:
    """Parameters that each order of a basket, or each leg of a multileg order, has for itself."""

    name: str  # TotNoOrders, NoLegs, or "" where the orders come one by one
    fix_tag: int | None  # 68 or 555, the tags of these; None as above
    minimum_size: int  # orders, or legs
    maximum_size: int | None
    parameters: tuple[Parameter, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One algorithm of a provider."""

    name: str
    wire_value: str
    line: int
    ui_rep: str
    version: str = ""
    provider_id: str = ""
    fix_msg_type: str = ""
    description: str = ""
    markets: tuple[Scope, ...] = ()
    regions: tuple[Scope, ...] = ()
    countries: tuple[Scope, ...] = ()
    security_types: tuple[Scope, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    repeating_group: RepeatingGroup | None = None
    common_id_tag: int | None = None  # where orders of a basket say which basket they are of,
    order_sequence_tag: int | None = None  # which of its orders they are,
    total_orders_tag: int | None = None  # and how many there are
    total_orders: int | None = None  # how many there must be
    strategy_edits: tuple[StrategyEdit, ...] = ()
    panels: tuple[Panel, ...] = ()

    def controls(self) -> Iterator[Control]:
        """Every control of its ticket, in the file's order."""
        for panel in self.panels:
            yield from panel.controls()

    def of_order(self) -> tuple[Parameter, ...]:
        """The parameters that one order has: those of the strategy, then those of its repeating group."""
        return self.parameters + (self.repeating_group.parameters if self.repeating_group is not None else ())

    def parameter(self, name: str) -> Parameter | None:
        """One of the parameters of an order."""
        return next((parameter for parameter in self.of_order() if parameter.name == name), None)

    def basket_tags(self) -> tuple[int | None, int | None, int | None]:
        """Where an order says which basket it is of, which of its orders it is, and how many there are."""
        return self.common_id_tag, self.order_sequence_tag, self.total_orders_tag

    def works_baskets(self) -> bool:
        """Whether it works several orders together rather than one."""
        asked = (self.repeating_group, self.total_orders, *self.basket_tags())
        return any(part is not None for part in asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file of strategies. `notes` says what was found and not used, each with its line."""

    file: str
    sha256: str
    strategy_identifier_tag: int
    version_identifier_tag: int | None = None
    draft_flag_identifier_tag: int | None = None
    change_strategy_on_cxl_rpl: bool = False
    tag_957_support: bool = False
    strategies: tuple[Strategy, ...]
    notes: tuple[str, ...] = ()

    def strategy(self, name: str) -> Strategy | None:
        """A strategy by its name."""
        return next((strategy for strategy in self.strategies if strategy.name == name), None)
