"""How a desk introduces itself to a gateway."""

from __future__ import annotations

from collections.abc import Collection

from adapters.fix.link import Hello, SessionMarks
from ems.config import Settings
from ems.desk import Desk
from ems.orders_out import standing
from ems.session_desk import OUTBOUND_BLOCK


def hello(desk: Desk, settings: Settings, build: str, approved: Collection[str]) -> Hello | None:
    """At every connect, from the state of that moment; None while the desk recovers.

    Args:
        approved: builds that may be mixed with this one.
    """
    if not desk.ready:
        return None
    return Hello(
        epoch=desk.epoch,
        environment=settings.mode,
        sessions={each.name: _marks(desk, each.name) for each in settings.sessions},
        live=tuple(order for child in desk.state.live_children() for order in standing(child)),
        build=build,
        approved=tuple(sorted(approved)),
    )


def _marks(desk: Desk, session: str) -> SessionMarks:
    inbound = desk.durable_marks.get(session, (0, 0))
    epoch, up_to = desk.state.reserved.get(session, (0, 0))
    return SessionMarks(inbound=inbound, reserved=(epoch, max(0, up_to - OUTBOUND_BLOCK), up_to))
