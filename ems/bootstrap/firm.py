"""What runs beside a desk that leads: the observer of its markets, and the firm's numbers for a quoter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from adapters.shm.exposure import Firm, SharedExposure
from adapters.shm.metrics import SharedMetrics
from domain.messages import Input
from domain.observation import Observed
from domain.ports import EventLog
from domain.values import E9, Side
from ems.bootstrap.build import build_digest
from ems.bootstrap.models import kept_in
from ems.bootstrap.observer import Versions, observing
from ems.bootstrap.planning import shadow_pool
from ems.bootstrap.running_day import RunningDay
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.tasks import until_first
from ems.desk import Desk
from ems.desk_state import DeskState
from ems.forecasts import Forecasts
from ems.health import StatusSocket
from ems.planner_pool import ProcessPlannerPool
from ems.quoting_settings import QuotingSettings
from ems.shadow import Shadows

EVERY_S: Final = 0.05
_E4: Final = 100_000  # of a price at 1e-9 in 1/10,000


async def beside(
    runtime: Runtime, desk: Desk, deliver: Callable[[list[Input]], None], day: RunningDay, log: EventLog,
    pool: ProcessPlannerPool, observers: list[int],
) -> None:  # fmt: skip
    """Until cancelled. The champion looks at the markets; the day's shadows look on, and plan when it has planned. observers:
    pids of who looks now."""
    clock = runtime.clock()
    shadows = Shadows(log, clock, day.shadows, lambda answered: shadow_pool(runtime, answered), build=build_digest())
    pool.also = shadows.planned
    forecasts = Forecasts(SharedMetrics(runtime.metrics), clock.now_ns, time.monotonic_ns)

    def heard(items: list[Input]) -> None:
        forecasts.take(items)
        deliver([shadows.observed(item) if isinstance(item, Observed) else item for item in items])

    versions = Versions(kept_in(runtime), day.champion, observers, day.shadows)
    looking = observing(runtime.settings, clock.now_ns, heard, versions)
    told = StatusSocket(runtime.socket("forecasts"), lambda _: forecasts.told())
    await told.start()
    try:
        await until_first(looking, telling(runtime, desk, spread_e9=forecasts.spread_e9), shadows.run())
    finally:
        await told.close()


async def telling(
    runtime: Runtime, desk: Desk, *, every_s: float = EVERY_S, spread_e9: Callable[[Sequence[str]], int] = lambda _: E9
) -> None:
    """Tell a quoter of the firm's orders and positions in what it quotes, as numbers; where none is configured, nothing.

    spread_e9: how many times the distance that its net asks for quotes in these markets are to keep, see `domain.standing`.
    A desk that recovers tells nothing, so that what was told grows old and the quoter stands still.
    """
    quoting = runtime.settings.quoting
    if quoting is None:
        await asyncio.Event().wait()
        return
    shared = SharedExposure(runtime.exposure, max(each.locate for each in quoting.instruments) + 1, write=True)
    while True:
        if desk.ready:
            for number, firm in firm_of(desk.state, quoting):
                shared.tell(number, firm)
            shared.widen(spread_e9([each.symbol for each in quoting.instruments]))
            shared.told()
        await asyncio.sleep(every_s)


def firm_of(state: DeskState, quoting: QuotingSettings) -> Iterator[tuple[int, Firm]]:
    """By the feed's number, what the desk's state says of each quoted instrument; lots are whole shares here."""
    exposure = state.risk.exposure
    exposure.settle()
    for each in quoting.instruments:
        amounts = [ledger.amounts() for ledger in exposure.of(each.symbol)]
        net_e9, buying_e9, selling_e9 = (sum(one[at] for one in amounts) for at in (0, 2, 3))
        bid_e9, ask_e9 = (exposure.flow(each.symbol, side).levels.best_e9 for side in (Side.BUY, Side.SELL))
        bid_e4 = -(-bid_e9 // _E4) if bid_e9 is not None else 0  # towards the market: never told less close than it is
        ask_e4 = ask_e9 // _E4 if ask_e9 is not None else 0
        yield each.locate, Firm(bid_e4, ask_e4, net_e9 // 10**9, buying_e9 // 10**9, selling_e9 // 10**9)
