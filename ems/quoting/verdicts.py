"""Why there is no quote: the bits of a record's verdict."""

from __future__ import annotations

from typing import Final

from ems.quoting import checks

# Of all instruments: every quote is pulled.
KILLED: Final = 1
SUSPENDED_BY: Final = 2  # the process says why
UNSURE: Final = 4  # out of step with the venue, see ems.quoting.state
GAP: Final = 8  # messages of the feed are missing
STALE: Final = 16  # the feed is silent, or what it says is old
NO_FEED: Final = 32  # bytes that are none of the feed's, or its session is over
# Of one instrument.
DOUBTFUL: Final = 64  # the book may be wrong: it was told what cannot be, or a message had no meaning
CROSSED: Final = 128  # or one side is missing, ours left aside
CLOSED: Final = 256  # halted, or not its hours
COLD: Final = 512  # too few events
NO_DECISION: Final = 1024  # the core refuses; INFERRED says why
TOXIC: Final = 2048
PAUSED: Final = 4096  # a reject
CROWDED: Final = 8192  # more instruments in one datagram than a call has records for
OTHER: Final = 16384  # the feed's instrument of this number is another one
SHIFT: Final = 16  # what the checks said of the bid, and CHECK_BITS further of the ask
CHECK_BITS: Final = 10
NAMES: Final = {
    KILLED: "killed", SUSPENDED_BY: "suspended", UNSURE: "out_of_step", GAP: "gap", STALE: "stale", NO_FEED: "no_feed",
    DOUBTFUL: "doubtful", CROSSED: "crossed", CLOSED: "closed", COLD: "cold", NO_DECISION: "no_decision", TOXIC: "toxic",
    PAUSED: "paused", CROWDED: "crowded", OTHER: "other",
}  # fmt: skip


def names_of(verdict: int) -> list[str]:
    """A verdict in words."""
    found = [name for bit, name in NAMES.items() if verdict & bit]
    for side, at in (("bid", SHIFT), ("ask", SHIFT + CHECK_BITS)):
        found += [f"{side}_{name}" for bit, name in checks.NAMES.items() if verdict >> at & bit]
    return found
