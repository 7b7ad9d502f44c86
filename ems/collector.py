"""The garbage collector of a process that must not stop for long."""

from __future__ import annotations

import gc
from typing import Final

# An order makes some sixty objects that stay and none in a circle. With CPython's own thresholds every sixth order would
# wait for a collection that finds nothing; with these one in a few hundred does, for half a millisecond.
_THRESHOLDS: Final = (10_000, 20, 50)


def settle_collector() -> None:
    """What is there now stays, and need not be looked at again; what comes is looked at seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
