"""A venue in this process, on a real ledger and a real book, with a front that keeps what it is given and a clock by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from domain.ports_venue import CancelRequest, DepthUpdate, Listing, MassStatusRequest, NewOrder, Report, Snapshot, VenueHandler
from domain.tape import FLAG_IOC, TAPE, Kind, Tape, tape_of
from domain.values import E9
from ems.venue import Venue
from ems.venue_day import DayEnd
from ems.venue_ledger import Ledger, resume_times
from ems.venue_record import left_over
from models.market.continuous import ContinuousMarket
from models.market.flow import RecordedFlow

CENT = 10_000_000
SYMBOL = "TEST"
OPEN_NS = 1_700_000_000 * E9  # 2023-11-14 22:13:20
BASE, WINDOW = 9_980, 64


class KeepingFront:
    """The port OrderFront for a venue without peers."""

    def __init__(self) -> None:
        self.reports: list[tuple[Report, bool]] = []  # and whether it is a possible resend

    def start(self, handler: VenueHandler) -> None:
        """Nobody connects."""

    def send(self, report: Report, *, possible_resend: bool) -> bool:
        self.reports.append((report, possible_resend))
        return True

    def publish(self, snapshots: Sequence[Snapshot]) -> None:
        """Nobody has subscribed."""

    def publish_depth(self, updates: Sequence[DepthUpdate]) -> None:
        """Nobody has subscribed."""

    def disconnect(self, session: str, hold_ms: int) -> bool:
        return False

    def refuse(self, session: str, kind: str, msg_type: str, msg_seq_num: int, ref_id: str, text: str) -> None:
        """The simulated venue refuses orders, never messages."""

    def skip_numbers(self, session: str, count: int) -> None:
        """There are no numbers."""


class VenueRoom:
    """One venue, its clock and its tape of events (side, price in ticks, lots, an aggressor that does not rest)."""

    def __init__(self, home: Path, events: Sequence[tuple[int, int, int, bool]] = (), ends_ns: int | None = None) -> None:
        self.home, self.ends_ns = home, ends_ns
        rows = [
            (OPEN_NS + E9 * n, 0, n, price, size, 0, FLAG_IOC if ioc else 0, Kind.ADD, side)
            for n, (side, price, size, ioc) in enumerate(events, 1)
        ]
        self.tape: Tape = tape_of(rows) if rows else np.zeros(0, TAPE)
        self.time_ns = OPEN_NS
        self.days = 0
        self.day_end: DayEnd = "expired"
        self.ids = 0
        self.open()

    def now_ns(self) -> int:
        return self.time_ns

    @property
    def path(self) -> Path:
        return self.home / f"ledger{self.days}.jsonl"

    def open(self, *, new_day: bool = False) -> None:
        """Start, or start again: the ledger knows which."""
        left = left_over(self.path) if new_day else []
        self.days += new_day
        resume = resume_times(self.path)
        start_ns = resume.start_ns if resume else self.time_ns
        ends_ns = self.ends_ns if self.ends_ns is not None else OPEN_NS + 10**6 * E9
        market = ContinuousMarket(RecordedFlow(self.tape, ends_ns=ends_ns), base_ticks=BASE, window=WINDOW, capacity=256)
        self.ledger = Ledger(self.path)
        listing = Listing(SYMBOL, CENT, E9)
        self.venue = Venue(
            "SIM", {SYMBOL: listing}, {SYMBOL: market}, self, self.ledger, start_ns=start_ns, left_over=left, day_end=self.day_end
        )
        self.front = KeepingFront()
        self.venue.start(self.front)

    def again(self, *, new_day: bool = False) -> None:
        """As after a kill: nothing but the ledger is left."""
        self.ledger.close()
        self.open(new_day=new_day)

    def pass_s(self, seconds: float) -> None:
        """Time goes by."""
        self.time_ns += int(seconds * E9)
        self.venue.step()

    def new(self, quantity: int, *, side: int = 1, ord_type: str = "limit", tif: str = "day", **more: Any) -> str:
        """A new order; price and stop in ticks, expire_s from the start. Its ClOrdID."""
        self.ids += 1
        price, stop, expire_s = (more.get(name) for name in ("price", "stop", "expire_s"))
        limit_e9 = None if price is None else price * CENT
        order = NewOrder(
            "EMS", f"C{self.ids}", SYMBOL, side, ord_type, tif, quantity * E9, limit_e9, "A", False,
            stop_price_e9=None if stop is None else stop * CENT,
            expire_ns=None if expire_s is None else OPEN_NS + expire_s * E9,
        )  # fmt: skip
        self.venue.on_new(order)
        return order.cl_ord_id

    def request(self, orig: str, quantity: int | None = None, **more: Any) -> str:
        """A cancel, or with a quantity a replace. Its ClOrdID."""
        self.ids += 1
        money = {f"{name}_e9": more[name] * CENT for name in ("price", "stop_price") if name in more}
        words = {name: more[name] for name in ("ord_type", "tif") if name in more}
        asked = {} if quantity is None else {"quantity_e9": quantity * E9}
        request = CancelRequest("EMS", f"C{self.ids}", orig, SYMBOL, 1, False, **asked, **money, **words)
        (self.venue.on_cancel if quantity is None else self.venue.on_replace)(request)
        return request.cl_ord_id

    def mass_status(self, symbol: str = "", *, understood: bool = True) -> list[Report]:
        before = len(self.front.reports)
        self.venue.on_mass_status(MassStatusRequest("EMS", "M1", symbol, understood))
        return [report for report, _ in self.front.reports[before:]]

    def take(self) -> list[str]:
        """What was told since the last call: ExecType/OrdStatus, of a refusal 9/OrdStatus/reason."""
        reports, self.front.reports = self.front.reports, []
        return [
            f"{report.exec_type}/{report.ord_status}" if not report.cancel_reject_to else f"9/{report.ord_status}/{report.reason}"
            for report, _ in reports
        ]

    def last(self) -> Report:
        return self.front.reports[-1][0]

    def last_status(self) -> Report:
        """The last order that lives, as it is."""
        return self.mass_status()[-1]
