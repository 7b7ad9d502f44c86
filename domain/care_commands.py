"""What a trader asks of the desk about an order that he or she cares for: see `domain.care_rules`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.persons_command import Name, PersonsCommand
from domain.values import E9_MAX

PARTS_MAX: Final = 50
_Amount = Annotated[int, Field(gt=0, le=E9_MAX)]
Orders = Annotated[tuple[Name, ...], Field(min_length=2, max_length=PARTS_MAX)]


class Way(BaseModel):
    """How a part is worked: by one of our algorithms, by a broker's (`fields`, as the broker's FIXatdl file has them), by hand
    ("manual"), or without any ("") as one order. venue: the session that it goes to; "": where its instrument is routed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    algo: Annotated[str, Field(max_length=64)] = ""
    parameters: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[int, str], ...] = ()
    venue: Annotated[str, Field(max_length=64)] = ""
    limit_price_e9: _Amount | None = None  # None: the client's


class Slice(Way):
    """A part of an order."""

    quantity_e9: _Amount


class _OrderCommand(PersonsCommand):
    order_id: Name  # as clients see it


class AcceptOrder(_OrderCommand):
    """A staged order is taken: worked as sent (""), by hand ("manual") or by one of our algorithms."""

    command: Literal["accept_order"] = "accept_order"
    algo: Annotated[str, Field(max_length=64)] = ""
    parameters: tuple[tuple[str, str], ...] = ()


class RejectOrder(_OrderCommand):
    """A staged order is turned down, and its client told why."""

    command: Literal["reject_order"] = "reject_order"


class ClaimOrder(_OrderCommand):
    """An order that is nobody's is the person's."""

    command: Literal["claim_order"] = "claim_order"


class ReassignOrder(_OrderCommand):
    """An order is another person's from now on."""

    command: Literal["reassign_order"] = "reassign_order"
    to: Name  # jane


class SplitOrder(_OrderCommand):
    """Parts of an order are worked in ways of their own; all of them can be made, or none is."""

    command: Literal["split_order"] = "split_order"
    slices: Annotated[tuple[Slice, ...], Field(min_length=1, max_length=PARTS_MAX)]


class RouteOrder(_OrderCommand):
    """A part of an order goes to a named broker as one order."""

    command: Literal["route_order"] = "route_order"
    venue: Name
    quantity_e9: _Amount
    limit_price_e9: _Amount | None = None


class MergeOrders(PersonsCommand):
    """What is free of several orders is worked as one, and its executions are divided fairly."""

    command: Literal["merge_orders"] = "merge_orders"
    orders: Orders
    way: Way = Way(algo="manual")


class UnmergeOrder(_OrderCommand):
    """One member takes its rest out of a merged order; without a member the merged order ends, and all have their rest back."""

    command: Literal["unmerge_order"] = "unmerge_order"
    member: Annotated[str, Field(max_length=64)] = ""  # its OrderID


class PullBack(_OrderCommand):
    """What is left of an order goes back to its client, or of a part to the order that it is of."""

    command: Literal["pull_back"] = "pull_back"


class EnterFill(_OrderCommand):
    """An execution that a broker told by telephone, under the broker's own reference. approver: a second person, who lets it be
    more than is free of the order, or come after the order's end.
    """

    command: Literal["enter_fill"] = "enter_fill"
    broker: Name
    reference: Name
    quantity_e9: _Amount
    price_e9: _Amount
    executed_ns: Annotated[int, Field(ge=0, le=E9_MAX)] = 0  # 0: now
    approver: Name | None = None


class CorrectFill(_OrderCommand):
    """An execution that was entered by telephone was another one, or (quantity 0) none."""

    command: Literal["correct_fill"] = "correct_fill"
    broker: Name
    reference: Name
    quantity_e9: Annotated[int, Field(ge=0, le=E9_MAX)] = 0
    price_e9: Annotated[int, Field(ge=0, le=E9_MAX)] = 0


class TakeBlock(_OrderCommand):
    """The house takes the other side of a quantity at a price."""

    command: Literal["take_block"] = "take_block"
    quantity_e9: _Amount
    price_e9: _Amount


CareCommand = (
    AcceptOrder | RejectOrder | ClaimOrder | ReassignOrder | SplitOrder | RouteOrder | MergeOrders | UnmergeOrder | PullBack
    | EnterFill | CorrectFill | TakeBlock
)  # fmt: skip
