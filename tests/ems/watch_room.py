"""A desk, what its process publishes, and a watchdog beside it, in memory."""

from __future__ import annotations

from pathlib import Path

from adapters.memory.latch import MemoryLatch
from adapters.memory.metrics import MemoryMetrics
from domain import kill_switch as ks
from domain.event import Entry, Meta
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.limits import LimitRetired, key_of
from domain.readings import Reading
from domain.risk import Check
from domain.risk_data import RiskFacts
from domain.values import E9, ScopeKind
from ems.kill import KillService
from ems.kill_pending import PendingFile
from ems.risk_day import RiskTerms
from ems.watch_book import Stated, WatchBook
from ems.watch_settings import WatchSettings
from ems.watchdog import Watchdog, WatchParts
from tests.domain.orders import DAY, venue_report
from tests.ems.risk_scene import limit
from tests.ems.room import Room, market

DESK = Scope(ScopeKind.DESK, "desk")
ACCOUNT = Scope(ScopeKind.ACCOUNT, "ACC")
CAPITAL = 100_000
BEAT_MAX_NS = 3 * E9


class Host:
    """The monotonic clock of the host."""

    def __init__(self) -> None:
        self.ns = 10_000 * E9

    def __call__(self) -> int:
        return self.ns


class World:
    """A desk, what it publishes, and the watchdog beside it."""

    def __init__(self, home: Path, settings: WatchSettings | None = None) -> None:
        self.limits = 0  # versions of one
        self.host = Host()
        self.latch = MemoryLatch(beat_max_ns=BEAT_MAX_NS, monotonic_ns=self.host)
        facts = RiskFacts(capital={"firm": CAPITAL * E9}, reference_prices={"ABC": 100 * E9})
        terms = RiskTerms(mark_every_ns=0, watched=True)
        self.room = Room(latch=MemoryLatch(), risk=terms, risk_data=facts)
        self.metrics = MemoryMetrics()
        self.settings = settings or WatchSettings(back_s=1)
        self.pending = PendingFile(home / "pending.jsonl")
        self.stated = {FIRM: CAPITAL * E9}
        self.began()

    def began(self) -> None:
        """A watchdog starts, of whose past only latch, log and readings know."""
        room = self.room
        self.service = KillService(self.latch, self.pending, room.clock, build="test", log=room.log)
        parts = WatchParts(
            self.service, self.latch, room.log, self.metrics, room.clock, lambda _: DAY.trade_date, self.host
        )  # fmt: skip
        watch = self.settings
        self.book = WatchBook(Stated("desk", self.stated, watch.quoters, watch.models))
        self.dog = Watchdog(parts, self.book, watch.triggers("desk", self.stated.keys(), live=False), watch)

    async def look(self, wait_s: float = 0.2, *, desk: bool = True, log: bool = True, errors: int = 0) -> None:
        """Time passes; the desk publishes, the log is read, the watchdog looks."""
        self.host.ns += round(wait_s * E9)
        if desk:
            self.metrics.publish("errors.desk", Reading(errors, self.host.ns, 1))
        if log:
            async for page in self.room.log.read_pages(after_seq=self.book.seq):
                for recorded in page:
                    self.book.apply(recorded)
            self.book.caught_up_ns = self.host.ns
        self.dog.look()

    async def bought(self, quantity: int, price: int) -> None:
        await self.room.client_order(f"A{quantity}", quantity_e9=quantity * E9, limit_price_e9=price * E9)
        await self.room.venue(venue_report("new", cl_ord_id=self.room.child().cl_ord_id))
        await self.room.fill(quantity, price=price)

    async def marked(self, price: int) -> None:
        self.room.clock.ns += E9
        await self.room.desk.cycle([market(bid=price, ask=price)])

    async def limited(self, quantity: int | None) -> None:
        """Each account's position, by a person's word from now on; None: no more."""
        version, self.limits = self.limits, self.limits + 1
        rule = limit(Check.POSITION, (quantity or 0) * E9, "quantity", scope=ScopeKind.ACCOUNT, scope_id="*")
        gone = LimitRetired(**rule.model_dump(include=set(LimitRetired.model_fields)))
        meta = Meta(self.room.clock.ns, "person:mary", key_of(rule), "test", "test")
        await self.room.log.append([Entry(key_of(rule), version, (gone if quantity is None else rule,), meta)])

    def level(self, scope: Scope = FIRM) -> Level:
        return next((slot.effective for slot in self.latch.slots() if slot.scope == scope), Level.ARMED)

    async def told(self) -> list[tuple[str, str]]:
        await self.service.flush()
        events = [one.event for one in await self.room.log.read(ks.key())]
        return [(event.TOPIC.split(".")[1], getattr(event, "scope", "")) for event in events]
