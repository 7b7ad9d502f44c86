"""What was agreed with one client about how its orders are handled: decisions, where FIX leaves a choice.

How messages look is a matter of the FIX adapter's profiles; this is what the desk itself does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from domain.allocation_terms import ALLOCATION_DEFAULT, AllocationPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """One client session.

    Attributes:
        acknowledge_first: a New report goes before a fill or an end that comes at once; off for exchange-style clients.
        reopen_filled: a replace that raises the quantity of a filled order puts it back to work.
        requests: several requests outstanding for one order are queued, or the second is refused (102=3).
        cancel_on_disconnect: working orders of the day are canceled when the session is lost: never, when it was not
            logged out, or always.
        cancel_delay_ns: how long the session may be away before they are.
        throttle_count: new orders and replaces allowed in any throttle_window_ns; 0: no limit. Cancels never count.
        mass_status: of a venue: after a logon it is asked for all our orders in doubt by one OrderMassStatusRequest.
        allocation: how executions are divided among accounts where the client leaves that open.
    """

    acknowledge_first: bool = True
    reopen_filled: bool = True
    requests: Literal["queue", "refuse"] = "queue"
    cancel_on_disconnect: Literal["off", "ungraceful", "any"] = "off"
    cancel_delay_ns: int = 0
    throttle_count: int = 0
    throttle_window_ns: int = 1_000_000_000
    mass_status: bool = False
    allocation: AllocationPolicy = ALLOCATION_DEFAULT


DEFAULT: Final = SessionPolicy()
