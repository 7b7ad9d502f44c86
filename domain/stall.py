"""What keeps an algorithm's order from releasing what is due: said once, so that no order waits in silence."""

from __future__ import annotations

from typing import ClassVar

from domain.event import Event


class Stalled(Event):
    """What is due cannot be released, and why; "": it can again."""

    TOPIC: ClassVar[str] = "parent_order.stalled.v1"
    reason: str
