"""The ports: what the desk needs of the outside, as Protocols. Each has one contract test in tests/ports/
that the real adapter and its in-memory twin both pass.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from domain.basket import BasketRequest
from domain.event import Entry, EventClasses, Fact, Recorded
from domain.instructions import Basket, StrategyFields
from domain.instrument import Instrument
from domain.kill_latch import Slot
from domain.kill_scope import Scope
from domain.kill_table import Verdict
from domain.messages import NewOrder
from domain.readings import Reading
from domain.refusal import Refusal
from domain.schedule import PlanRequest, Schedule, VolumeCurve
from domain.sending import Outbound
from domain.trading_day import TradingDay
from domain.values import StreamId


class Head(NamedTuple):
    """The end of the log."""

    seq: int
    hash: bytes
    epoch: int  # of the desk that leads, 0 before the first


class EventLog(Protocol):
    """Immutable streams with one gapless order and one hash chain."""

    async def append(self, entries: Sequence[Entry], *, epoch: int | None = None) -> tuple[Recorded, ...]:
        """Add all entries or none; durable when it returns. Many callers may share one commit.

        Args:
            epoch: the leader's epoch; order streams need it. None for the writers of other streams.

        Raises:
            VersionConflict: a stream is not at its expected version; nothing was written.
            Fenced: epoch is not the log's epoch any more; nothing was written.
            LogUnavailable: the outcome could not be learned; the caller must recover from the log.
        """
        ...

    async def read(self, stream: StreamId, *, after_version: int = 0) -> list[Recorded]:
        """The events of one stream in order."""
        ...

    def read_pages(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[Recorded]]:
        """Every event in order, none skipped, memory flat however long the log is.

        A page is some hundred events or more, to be taken once, before the next page is asked for. Each event is made
        as it is taken, in the memory that the one before has left: a fold needs no more than one at a time.
        """
        ...

    def read_facts(
        self, *, after_seq: int = 0, until_seq: int | None = None, unread: EventClasses = ()
    ) -> AsyncIterator[Iterator[Fact]]:
        """As read_pages, with no more of each event than a fold takes.

        Args:
            unread: classes of events whose content is not wanted: they come as `domain.event.UNREAD`, with all else in place.
        """
        ...

    def subscribe(self, *, after_seq: int = 0, unread: EventClasses = (), every_s: float = 0) -> AsyncIterator[Recorded]:
        """As read_pages, event by event, then waits for more; ends only when closed.

        Args:
            unread: as of read_facts.
            every_s: look for more so often, rather than at every commit. For a reader who is in no hurry: one process less that
                each order wakes.
        """
        ...

    async def head(self) -> Head:
        """The end of the log now."""
        ...

    async def take_lead(self, leader: str) -> int:
        """Wait until no other desk leads, then lead: raises and returns the epoch, so the old one is fenced."""
        ...


class Clock(Protocol):
    """Where time comes from: the wall, a tape at speed, or a test."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC, never backward."""
        ...


class OrderGateway(Protocol):
    """The way out of the desk. It sends what has been appended, in order, and never blocks."""

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """Queue messages for their sessions. A closed link drops them: recovery sends what was not sent."""
        ...

    def acknowledge(self, frame_number: int) -> None:
        """Everything received up to this frame is durable here; the gateway may forget it."""
        ...

    def reset(self) -> None:
        """Drop the link and connect again: whatever was not acknowledged is delivered again, in order."""
        ...


class KillLatch(Protocol):
    """The kill switch in memory that every process of a host shares: set before anything is written, read as the last thing
    before a socket. What cannot be read counts as tripped.
    """

    def verdict(self, digests: Sequence[int]) -> Verdict:
        """The highest state of these scopes (`Scope.digest`; 0 stands for none) and of the firm, as it is this moment.

        Well under a microsecond, without a lock, and never raises: an unreadable latch is HARD.
        """
        ...

    def slots(self) -> tuple[Slot, ...]:
        """What it says of every scope that it says anything of. Raises LatchUnreadable."""
        ...

    def change(self, scope: Scope, how: Callable[[Slot], Slot]) -> tuple[Slot, Slot]:
        """Change one scope's slot, whole or not at all, one writer at a time; returns it before and after.

        A latch that cannot be read is made anew with the firm at HARD beside the change: nothing is armed by that.
        """
        ...

    def build(self, slots: Sequence[Slot]) -> None:
        """Make it from these, in place of whatever is there."""
        ...

    def beat(self) -> None:
        """The watchdog has looked at everything just now. A reader that requires beats counts as SUSPENDED without one:
        every verdict of it is at least that. Raises LatchUnreadable where there is nothing to write it to.
        """
        ...

    def watched(self) -> bool:
        """Is the last beat young enough for this reader, or does it require none?"""
        ...


class Metrics(Protocol):
    """Readings that processes of one host leave for each other, in memory that outlives them. One writer for each name."""

    def publish(self, name: str, reading: Reading) -> None:
        """Put one in place of the last. Raises OSError where there is no room or the memory cannot be written."""
        ...

    def read(self) -> Mapping[str, Reading]:
        """The last whole reading of each name. One that is damaged is left out: it is missing. Never raises."""
        ...


class Planner(Protocol):
    """Pure: the same request gives the same schedule."""

    def plan(self, request: PlanRequest) -> Schedule:
        """Quantities over time for what is left of the order; they sum to at most request.remaining_e9."""
        ...


class PlannerPool(Protocol):
    """Runs planners beside the desk. Results come back as PlanReady inputs; requests for one parent coalesce."""

    def request(self, request: PlanRequest | BasketRequest) -> None:
        """Start planning; never blocks."""
        ...


class Reference(Protocol):
    """What is known before the day begins: instruments, calendars, volume curves, routes."""

    def instrument(self, symbol: str) -> Instrument | None:
        """The instrument of a symbol, None where it is not in the table."""
        ...

    def trade_date(self, now_ns: int) -> str:
        """The trade date (ISO) that a moment belongs to, in the desk's home time zone."""
        ...

    def day(self, instrument: Instrument, now_ns: int) -> TradingDay | None:
        """The continuous session of that trade date, None where the market is closed all day."""
        ...

    def volume_curve(self, instrument: Instrument, day: TradingDay) -> VolumeCurve:
        """The expected distribution of the day's volume."""
        ...

    def venue_session(self, instrument: Instrument) -> str:
        """The FIX session that child orders in it are sent to."""
        ...


class RiskData(Protocol):
    """What risk needs that neither the log nor the market tells. None: it is not known, which is never taken for none."""

    def facts(self) -> object:
        """What stands for all the answers: the same object as long as they are the same."""
        ...

    def settled_until_ns(self, instrument: str, now_ns: int) -> int:
        """Until when `restricted` and `halted` say of it what they say now."""
        ...

    def adv_e9(self, instrument: str) -> int | None:
        """Average daily volume, in units of the instrument."""
        ...

    def reference_price_e9(self, instrument: str) -> int | None:
        """The price it is judged by where the market shows none: the last close, adjusted."""
        ...

    def locate_e9(self, account: str, instrument: str) -> int | None:
        """How much an account may be short of, in all."""
        ...

    def restricted(self, instrument: str, now_ns: int) -> bool | None:
        """Is it on a restricted list that is in force?"""
        ...

    def halted(self, instrument: str, now_ns: int) -> bool | None:
        """Does its market not trade it now?"""
        ...

    def capital_e9(self, scope: str) -> int | None:
        """The stated capital of a scope ("firm", "account:FUND-7"), in the firm's currency."""
        ...

    def start_position_e9(self, account: str, instrument: str) -> int | None:
        """What an account held as the day began; negative: short."""
        ...

    def start_positions_e9(self, account: str) -> Mapping[str, int] | None:
        """All that an account held as the day began, by instrument."""
        ...

    def fx_rate_e9(self, currency: str) -> int | None:
        """How much of the firm's currency one unit is worth."""
        ...

    def registered_model(self, digest: str) -> bool | None:
        """Is a model of these weights registered?"""
        ...

    def trading_models(self) -> frozenset[str] | None:
        """The digests of all models whose decisions may become orders."""
        ...

    def permitted(self, who: str, strategy: str, instrument: str, venue: str) -> bool | None:
        """May this person or client trade this? venue is "" where it is not decided yet."""
        ...


class BrokerAlgos(Protocol):
    """Brokers' algorithms by the brokers' own descriptions. Pure: the same order gives the same answer."""

    def check(
        self,
        order: NewOrder,
        *,
        trade_date: str,
        routed: str,
        original: StrategyFields | None = None,
        basket: Basket | None = None,
    ) -> StrategyFields | Refusal | None:
        """What an order for a broker's algorithm carries, or why it cannot; None where it is for none.

        Args:
            routed: the venue session that the instrument's orders go to, which decides between brokers.
            original: of the order that this one replaces.
            basket: the order's place in the list that it came in; one that replaces another keeps that one's.
        """
        ...
