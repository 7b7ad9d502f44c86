"""What the venue remembers: orders, who named them how, and the answers on their way. All of it through the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, Final

from domain.ports_venue import CancelRequest, OrderFront, Report
from ems.venue_faults import Outbox
from ems.venue_ledger import Ledger, Line
from ems.venue_orders import LiveOrder, order_of

_ANY_DAY: Final = ""  # orders that outlive their day are known on all of them


def trade_date(time_ns: int) -> str:
    """The UTC date of a market time, YYYYMMDD."""
    return _date(time_ns // 86_400_000_000_000)


@cache
def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y%m%d")


class Record:
    """State of one venue, changed by decisions: `changed` and `answer` gather one, `commit` makes it durable and
    lets its answers go. Not thread-safe: the venue's lock guards it.
    """

    def __init__(self, name: str, ledger: Ledger) -> None:
        self._name = name
        self._ledger = ledger
        self.outbox: Outbox | None = None
        self.front: OrderFront | None = None
        self.orders: dict[int, LiveOrder] = {}
        self._known: dict[tuple[str, str, str], int] = {}  # (session, trade date, ClOrdID) -> n
        self._working: dict[str, dict[int, LiveOrder]] = {}
        self.unsent: dict[int, Report] = {}
        self._next_order = self._next_report = self._next_exec = 1
        self._lines: list[Line] = []  # of the decision being made
        self._answers: list[tuple[int, Report]] = []
        self._noted: list[Line] = []
        self.reached_ns = 0  # the latest market time in the ledger

    def next_order(self) -> int:
        """The number of a new order."""
        self._next_order += 1
        return self._next_order - 1

    def exec_id(self, time_ns: int) -> str:
        """A new ExecID: the venue's name, the trade date, a number that is never used again."""
        self._next_exec += 1
        return f"{self._name}-{trade_date(time_ns)}-{self._next_exec - 1}"

    def find(self, session: str, cl_ord_id: str, now_ns: int) -> LiveOrder | None:
        """The order that a session knows, or knew, under this ClOrdID on this trade date."""
        n = self._known.get((session, trade_date(now_ns), cl_ord_id), self._known.get((session, _ANY_DAY, cl_ord_id)))
        return None if n is None else self.orders[n]

    def live(self, session: str = "", symbol: str = "") -> list[LiveOrder]:
        """Orders that may trade, today or on another day, oldest first: of a session, of a symbol."""
        found = (order for _, order in sorted(self.orders.items()) if order.live)
        return [o for o in found if session in ("", o.session) and symbol in ("", o.symbol)]

    def working(self, symbol: str) -> list[LiveOrder]:
        """Orders that may still trade, oldest first."""
        return [order for _, order in sorted(self._working.get(symbol, {}).items())]

    def register(self, order: LiveOrder, now_ns: int) -> None:
        """Make an order known by its current ClOrdID."""
        self.orders[order.n] = order
        self._known[order.session, _ANY_DAY if order.carried else trade_date(now_ns), order.cl_ord_id] = order.n

    def rename(self, order: LiveOrder, request: CancelRequest, now_ns: int) -> None:
        """An accepted request moves the chain of ClOrdIDs on."""
        order.orig_cl_ord_id, order.cl_ord_id = order.cl_ord_id, request.cl_ord_id
        self.register(order, now_ns)

    def changed(self, order: LiveOrder, why: str, now_ns: int) -> None:
        """An order has changed."""
        order.time_ns = now_ns
        self._sort_in(order)
        self._lines.append(order.line(why))

    def add(self, line: Line) -> None:
        """A further ledger line of this decision."""
        self._lines.append(line)

    def answer(self, report: Report) -> None:
        """An answer that must arrive: it goes into the ledger with the decision that it tells."""
        number = self._next_report
        self._next_report += 1
        fields = {name: getattr(report, name) for name in Report.__slots__}  # asdict copies deeply, ten times slower
        self._lines.append({"k": "report", "r": number, "report": fields})
        self._answers.append((number, report))

    def say(self, report: Report) -> None:
        """An answer that may be lost: the peer will ask again."""
        if self.front is not None:
            self.front.send(report, possible_resend=False)

    def commit(self) -> None:
        """The decision becomes durable, then its answers leave."""
        lines, answers, self._lines, self._answers = self._lines, self._answers, [], []
        self._ledger.write(lines)
        for number, report in answers:
            self.unsent[number] = report
            if self.outbox is not None:
                self.outbox.put(number, report, monotonic())
        self.flush_notes()

    def hand_over(self, number: int, report: Report, fate: str) -> None:
        """Give an answer to the front's engine and note that it has it (Outbox's way out)."""
        if fate == "dropped":
            self.note(number, fate)
        elif self.front is not None and self.front.send(report, possible_resend=False):
            self.note(number, "sent")

    def note(self, number: int, fate: str) -> None:
        """The answer needs no further sending."""
        if self.unsent.pop(number, None) is not None:
            self._noted.append({"k": "sent", "r": [number], "fate": fate})

    def flush_notes(self) -> None:
        """Write the notes to the ledger."""
        lines, self._noted = self._noted, []
        self._ledger.write(lines)

    def read(self) -> dict[str, list[int]]:
        """Rebuild everything from the ledger. Returns what was last published: symbol -> [volume, notional]."""
        published: dict[str, list[int]] = {}
        for line in self._ledger.lines():
            match line["k"]:
                case "order":
                    order = order_of(line)
                    self._next_order = max(self._next_order, order.n + 1)
                    self.register(order, order.time_ns)
                    self._sort_in(order)
                case "numbered":
                    self._next_order = max(self._next_order, line["n"] + 1)
                case "report":
                    report = Report(**line["report"])
                    self.unsent[line["r"]] = report
                    self._next_report = max(self._next_report, line["r"] + 1)
                    self._next_exec = max(self._next_exec, _number(report.exec_id) + 1)
                case "sent":
                    for number in line["r"]:
                        self.unsent.pop(number, None)
                case "mark":
                    published.update(line["trading"])
            self.reached_ns = max(self.reached_ns, line.get("time_ns", 0), line.get("start_ns", 0))
        return published

    def _sort_in(self, order: LiveOrder) -> None:
        of_symbol = self._working.setdefault(order.symbol, {})
        if order.working:
            of_symbol[order.n] = order
        else:
            of_symbol.pop(order.n, None)


def _number(exec_id: str) -> int:
    return int(exec_id.rpartition("-")[2])


def left_over(path: Path) -> list[Line]:
    """What a ledger of an earlier day leaves to a new one: its live orders, and the answers that had not gone."""
    orders: dict[int, Line] = {}
    answers: dict[int, Line] = {}
    numbered = 0  # orders so far: an OrderID of one day must not be another order's on the next
    ledger = Ledger(path)
    for line in ledger.lines():
        match line["k"]:
            case "order":
                orders[line["n"]] = _without_end(line)
                numbered = max(numbered, line["n"])
            case "numbered":
                numbered = max(numbered, line["n"])
            case "report":
                answers[line["r"]] = _without_end(line)
            case "sent":
                for number in line["r"]:
                    answers.pop(number, None)
    ledger.close()
    live = [{**line, "why": "left over"} for line in orders.values() if order_of(line).live]
    begun = [{"k": "numbered", "n": numbered}] if numbered else []
    return begun + live + [{**line, "r": number} for number, line in enumerate(answers.values(), 1)]


def _without_end(line: Line) -> Line:
    return {name: value for name, value in line.items() if name != "end"}


def exec_line(exec_id: str, order: LiveOrder, trade: dict[str, Any]) -> Line:
    """The ledger line of one fill."""
    who = {"exec_id": exec_id, "order_id": order.order_id, "session": order.session, "cl_ord_id": order.cl_ord_id}
    return {"k": "exec", **who, "symbol": order.symbol, "side": order.side, **trade}
