"""The memory of a process that must not stop for long: what is there when its work begins stays where it is."""

from __future__ import annotations

import gc
from typing import Final

from ems.huge_pages import collapse_heap

# An order makes some sixty objects that stay and none in a circle. With CPython's own thresholds every sixth order would
# wait for a collection that finds nothing; with these one in a few hundred does, for half a millisecond.
_THRESHOLDS: Final = (10_000, 20, 50)


def settle_memory() -> None:
    """What is there now stays: it goes into huge pages, and the collector need not look at it again; what comes, it looks at
    seldom.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    collapse_heap()
