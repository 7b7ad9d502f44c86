"""All tables together: every event goes to those that fold it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from domain.event import Event, Recorded
from ems.read_models.alerts import Alerts
from ems.read_models.approvals import Approvals
from ems.read_models.asked import ASKED
from ems.read_models.baskets import Allocations, Baskets, Wheels
from ems.read_models.care import Blocks, OrdersStaged
from ems.read_models.children import Children
from ems.read_models.days import Days, Reads
from ems.read_models.fills import Fills
from ems.read_models.kills import Kills, Suspensions
from ems.read_models.ladder import Ladder
from ems.read_models.limits import LimitProposals, Limits, Overrides, Refusals, Strategies
from ems.read_models.monitoring import Monitoring
from ems.read_models.parents import Parents
from ems.read_models.plans import Plans
from ems.read_models.quoting import Quoters, Quotes
from ems.read_models.table import Table, World
from ems.read_models.tca import Tca
from ems.read_models.versions import Decisions, Models

FOLDED: Final[tuple[type[Table], ...]] = (
    Parents, Children, Fills, Alerts, Plans, Baskets, Allocations, Wheels, Kills, Suspensions, Limits, LimitProposals, Overrides,
    Refusals, Strategies, Approvals, OrdersStaged, Blocks, Models, Decisions, Quoters, Quotes, Days, Reads, Tca, Monitoring,
)  # fmt: skip
TABLES: Final[tuple[type[Table], ...]] = (*FOLDED, *ASKED, Ladder)


class ReadModels:
    """The tables by topic, kept up to date one event at a time in the log's order."""

    def __init__(self, desk: str = "", kinds: Sequence[type[Table]] = TABLES) -> None:
        self.world = World(desk)
        self.tables: dict[str, Table] = {kind.topic.name: kind(self.world) for kind in kinds}
        self._by_event: defaultdict[type[Event], list[Table]] = defaultdict(list)
        for table in self.tables.values():
            for event in table.events:
                self._by_event[event].append(table)

    @property
    def seq(self) -> int:
        """The last event that the tables contain."""
        return self.world.state.seq

    def apply(self, recorded: Recorded) -> Sequence[Table]:
        """Fold one event; the tables that it concerns."""
        after = self.world.state.apply(recorded.stream, recorded.event, recorded.meta, seq=recorded.seq)
        concerned = self._by_event.get(type(recorded.event), ())
        for table in concerned:
            table.fold(recorded, after)
        return concerned

    def tick(self, now_ns: int) -> Sequence[Table]:
        """Time has passed; the tables that it concerns."""
        self.world.now_ns = now_ns
        for table in self.tables.values():
            table.tick(now_ns)
        return [table for table in self.tables.values() if table.changed]
