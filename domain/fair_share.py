"""Executions of a merged order, divided among its members as they come: each whole lot to whom it is due, none ever taken back.

A member's exact share after `done` is done x its weight / all weights. Largest remainder alone keeps every member within a lot
of that for one division, but not for the next: with more to divide it may give a member less than before, which nobody can take
back. So the lots that whole shares leave over go to the member whose next lot is due first, which is the same rounding with the
remainder measured in time. A member's k-th lot may be given from where its exact share passes k - 1 lots, and is due where it
passes k; by earliest due date none is ever late (Liu and Layland 1973, Baruah et al. 1996: proportionate progress), so that at
every moment nobody is a lot or more from the exact share. Nothing here is rounded: quantities are integers at 1e-9.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from domain.proration import Remainder, prorate


def divide(quantity_e9: int, weights_e9: Sequence[int], given_e9: Sequence[int], lot_e9: int) -> tuple[int, ...]:
    """What each member gets of an execution.

    Args:
        weights_e9: what each member put in.
        given_e9: what each has had of it so far.
        lot_e9: what a member is given at a time; what is below a lot goes to one member whole.

    Returns:
        Parts that add up to quantity_e9, in the order of the members. As long as nothing was taken back, every member's total is
        less than a lot from its exact share, and no member has more than it put in before all have what they put in.
    """
    if not any(weights_e9):  # all have all of it, and a venue fills more: nobody is nearer to it than another
        weights_e9 = [1] * len(weights_e9)
    done_e9, whole_e9 = sum(given_e9) + quantity_e9, sum(weights_e9)
    exact = [Fraction(done_e9 * weight_e9, whole_e9) for weight_e9 in weights_e9]
    parts = [max(0, int(share // lot_e9) * lot_e9 - had_e9) for share, had_e9 in zip(exact, given_e9, strict=True)]
    if sum(parts) > quantity_e9:  # something was taken back: what is missing comes first, to all alike
        return prorate(quantity_e9, parts, lot_e9=lot_e9, remainder=Remainder.LARGEST_REMAINDER)
    left_e9 = quantity_e9 - sum(parts)
    due: list[tuple[Fraction, int]] = []
    for member, share in enumerate(exact):
        next_e9 = ((given_e9[member] + parts[member]) // lot_e9 + 1) * lot_e9
        if share > next_e9 - lot_e9:  # its next lot has begun
            due.append((min(Fraction(next_e9 * whole_e9, weights_e9[member]), Fraction(whole_e9)), member))
    for _, member in sorted(due):
        had_e9 = given_e9[member] + parts[member]
        room_e9 = min(lot_e9 - had_e9 % lot_e9, max(0, weights_e9[member] - had_e9))
        parts[member] += min(room_e9, left_e9)
        left_e9 -= min(room_e9, left_e9)
    if left_e9:  # a venue filled more than all put in
        over = prorate(left_e9, weights_e9, lot_e9=lot_e9, remainder=Remainder.LARGEST_REMAINDER)
        parts = [part + more for part, more in zip(parts, over, strict=True)]
    return tuple(parts)
