"""A test that never fails proves nothing: each planted bug must be found within a bounded number of seeds.

The same seeds are clean without it: see test_simulation.
"""

from __future__ import annotations

import pytest

from tests.simulation import planted_bugs, planted_kill_bugs, planted_order_bugs
from tests.simulation.planting import BUGS, Bug
from tests.simulation.simulation import simulate
from tests.simulation.world import Violation

FIRST_SEED, SEEDS_MAX = 1, 60


def test_there_are_twenty_and_more() -> None:
    modules = (planted_bugs, planted_order_bugs, planted_kill_bugs)
    assert {bug.plant.__module__ for bug in BUGS} == {module.__name__ for module in modules}
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 20


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_simulation_finds(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    found: Violation | None = None
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS_MAX):
        try:
            simulate(seed)
        except Violation as violation:
            found = violation
            break
    assert found is not None, f"{bug.name} survives {SEEDS_MAX} seeds, though it breaks: {bug.breaks}"
    assert not isinstance(found.__cause__, TypeError | AttributeError | NameError), f"badly planted: {found.__cause__!r}"
    print(f"{bug.name}: seed {seed}: {str(found).splitlines()[0]}")
