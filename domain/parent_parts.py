"""What a parent order's state is made of, beside the order itself: see `domain.parent_order`."""

from __future__ import annotations

from typing import Literal, NamedTuple

from domain.terms import Terms
from domain.values import StreamId


class Pending(NamedTuple):
    """A request that is being worked on, or waits. shown: the order's status says so."""

    request: Literal["cancel", "replace"]
    cl_ord_id: str
    terms: Terms | None = None
    shown: bool = True
    text: str = ""
    restatement_reason: int | None = None


class RejectedOrder(NamedTuple):
    """A refused order: its key stays taken."""

    id: StreamId
    version: int = 1
