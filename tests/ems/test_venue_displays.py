"""What the venue says it displays is of the time at which it was published."""

from __future__ import annotations

from domain.ports_venue import Depth, DepthLevel, Listing
from domain.tape import Kind, tape_of
from ems.venue_displays import Display

LISTING = Listing(symbol="TEST", tick_size_e9=10_000_000, lot_size_e9=1_000_000_000)
LOT_E9, TICK_E9 = LISTING.lot_size_e9, LISTING.tick_size_e9


def test_a_change_that_waits_is_in_no_snapshot_and_moves_no_snapshots_time() -> None:
    display = Display(LISTING)
    display.begin(tape_of([(10, 10, 1, 100, 5, 0, 0, int(Kind.ADD), 1)]), 10)
    opened = Depth("TEST", 10, 0, (DepthLevel(1, 100 * TICK_E9, 5 * LOT_E9),))
    assert display.depth("TEST") == opened
    display.follow(tape_of([(20, 20, 2, 100, 3, 0, 0, int(Kind.ADD), 1)]))
    assert display.depth("TEST") == opened
    update = display.update("TEST", 30)
    assert update is not None and [(entry.number, entry.size_e9) for entry in update.entries] == [(1, 8 * LOT_E9)]
    assert display.depth("TEST") == Depth("TEST", 30, 1, (DepthLevel(1, 100 * TICK_E9, 8 * LOT_E9),))
    assert display.update("TEST", 40) is None
    assert display.depth("TEST").time_ns == 40
