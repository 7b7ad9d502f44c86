"""The judge: was anything lost, doubled or stuck? Told from two ledgers; it imports nothing of ours.

    python judge.py OMS_LEDGER VENUE_LEDGER

OMS ledger, JSON lines: {"dir": "out" | "in", "raw": FIX text} for each message, written before it was acted on, and
{"kill": kind} at the moment a process was killed ("second": while another was coming back). Venue ledger, JSON lines:
`order` lines (one at each change of an order, same n) and `exec` lines (one a fill). An OMS order carries its first
ClOrdID as its Account (1), and so do its child orders: that is how an execution at the venue is told to belong to it.

    lost     an order without an answer, a fill at the venue of which the OMS was not told
    doubled  a fill told twice or never made, a report repeated without PossResend, one ClOrdID for two orders at the
             venue, one ExecID for two fills, an order accepted twice, children that together exceed their parent
    stuck    an order not ended, a cancel or replace without its answer, an order still working at the venue
    strange  an order at the venue that nobody sent, a report that nobody can place, a message refused as unreadable

Prints one JSON object with the counts and the faults; exit status 0 without a fault, else 1.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

SOH = "\x01"
ENDED_AT_OMS = frozenset("2348C")  # OrdStatus: filled, done for day, canceled, rejected, expired
WORKING_AT_VENUE = frozenset({"new", "partially_filled"})
FAULTS_SHOWN_MAX = 50

Message = dict[str, str]
Line = dict[str, Any]
Fill = tuple[int, int]  # quantity and price at 1e-9


def e9(text: str) -> int:
    """A FIX number at 1e-9. Raises ValueError where that is not exact."""
    value = Decimal(text) * 10**9
    if value != int(value):
        raise ValueError(f"{text} is finer than 1e-9")
    return int(value)


@dataclass
class Order:
    """One order of the OMS, through its replaces, as the OMS knows it."""

    account: str
    symbol: str
    side: str
    quantity_e9: int  # the largest that was ever asked for
    answered: bool = False
    status: str = ""
    cum_e9: int = 0
    order_ids: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)  # ExecIDs that said New
    fills: dict[str, Fill] = field(default_factory=dict)
    requests: dict[str, bool] = field(default_factory=dict)  # ClOrdID of a cancel or replace -> was it answered?


Faults = list[tuple[str, str]]  # kind and what was found

# ------------------------------------------------------------------------------------------ the OMS's ledger


class Oms:
    """What the OMS sent and was told, read from its ledger in order."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.orders: dict[str, Order] = {}
        self.kills: list[Line] = []
        self.rejected = self.repeats = self.resent = 0
        self._root: dict[str, str] = {}  # any ClOrdID -> the first of its chain
        self._seen: dict[str, Message] = {}  # by ExecID
        self._next_in = 1

    def read(self, lines: Iterable[Line]) -> None:
        """Take the whole ledger."""
        for line in lines:
            if "kill" in line:
                in_flight = sum(1 for order in self.orders.values() if not order.answered)
                self.kills.append({"kind": line["kill"], "in_flight": in_flight, "second": line.get("second", False)})
            elif line.get("dir") == "out":
                self._sent(parse(line["raw"]))
            elif line.get("dir") == "in":
                message = parse(line["raw"])
                if self._in_sequence(message):
                    self._told(message)

    def finish(self) -> None:
        """What should have come and did not."""
        for name, order in self.orders.items():
            if not order.answered:
                self.faults.append(("lost", f"order {name} was never answered"))
            elif order.status not in ENDED_AT_OMS:
                self.faults.append(("stuck", f"order {name} has not ended, its status is {order.status}"))
            for request, answered in order.requests.items():
                if not answered:
                    self.faults.append(("stuck", f"request {request} about order {name} was never answered"))
            told_e9 = sum(quantity for quantity, _ in order.fills.values())
            if order.answered and told_e9 != order.cum_e9:
                kind = "lost" if told_e9 < order.cum_e9 else "doubled"
                self.faults.append((kind, f"order {name}: fills told sum to {told_e9}, CumQty says {order.cum_e9} (1e-9)"))

    def _sent(self, message: Message) -> None:
        kind, name = message["35"], message.get("11", "")
        if message.get("43") == "Y":
            self.resent += kind in ("D", "F", "G")
        elif kind == "D":
            self._root[name] = name
            self.orders[name] = Order(message.get("1", ""), message["55"], message["54"], e9(message["38"]))
        elif kind in ("F", "G"):
            root = self._root[name] = self._root[message["41"]]
            order = self.orders[root]
            order.requests[name] = False
            if kind == "G":
                order.quantity_e9 = max(order.quantity_e9, e9(message["38"]))

    def _in_sequence(self, message: Message) -> bool:
        """The receiver's rule of a FIX session: each number counts once and in its turn."""
        number = int(message["34"])
        if message["35"] == "4":
            if message.get("123") != "Y" or number <= self._next_in:
                self._next_in = max(self._next_in, int(message["36"]))
            return False
        if number != self._next_in:
            return False
        self._next_in += 1
        return True

    def _told(self, message: Message) -> None:
        match message["35"]:
            case "8":
                self._report(message)
            case "9":
                self._answered(self._order(message), message)
            case "3" | "j":
                self.faults.append(("strange", f"the EMS refused a message: {message.get('58', '')} {message}"))

    def _order(self, message: Message) -> Order | None:
        root = self._root.get(message.get("11", "")) or self._root.get(message.get("41", ""))
        if root is None:
            self.faults.append(("strange", f"a report that is about no order of ours: {message}"))
            return None
        return self.orders[root]

    def _report(self, message: Message) -> None:
        order, exec_id, kind = self._order(message), message["17"], message["150"]
        if order is None or kind == "I":
            return
        if (before := self._seen.setdefault(exec_id, message)) is not message:
            self._repeated(message, before)
            return
        order.answered = True
        order.status = message["39"]
        order.cum_e9 = e9(message["14"])
        order.order_ids.add(message["37"])
        if kind == "0":
            order.accepted.add(exec_id)
        elif kind == "F":
            order.fills[exec_id] = (e9(message["32"]), e9(message["31"]))
        elif kind == "8":
            self.rejected += 1
        if kind in "45":
            self._answered(order, message)
        if len(order.accepted) > 1 or len(order.order_ids) > 1:
            self.faults.append(("doubled", f"order {order.account} was accepted twice: {order.order_ids} {order.accepted}"))

    def _repeated(self, message: Message, before: Message) -> None:
        self.repeats += 1
        if message.get("97") != "Y":
            self.faults.append(("doubled", f"ExecID {message['17']} came again without PossResend: {message}"))
        if any(message.get(tag) != before.get(tag) for tag in ("11", "32", "31", "150", "37")):
            self.faults.append(("doubled", f"ExecID {message['17']} came again with other content: {before} {message}"))

    @staticmethod
    def _answered(order: Order | None, message: Message) -> None:
        if order is not None and message["11"] in order.requests:
            if message["35"] == "9" and message["37"] != "NONE":
                order.status = message["39"]  # an order that filled while the request was pending is told to be so here
            order.requests[message["11"]] = True


# ---------------------------------------------------------------------------------------- the venue's ledger


class Venue:
    """What the venue took and did."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.orders: dict[int, Line] = {}  # each order's last line
        self.fills: defaultdict[str, Counter[Fill]] = defaultdict(Counter)  # by account
        self.executions = 0
        self._by_order_id: dict[str, int] = {}
        self._named: dict[tuple[str, str], int] = {}
        self._exec_ids: set[str] = set()
        self._filled_e9: Counter[int] = Counter()
        self._exposure: defaultdict[str, dict[int, int]] = defaultdict(dict)  # account -> order -> filled + open
        self.most_e9: Counter[str] = Counter()  # account -> the largest exposure there ever was

    def read(self, lines: Iterable[Line]) -> None:
        """Take the whole ledger."""
        for line in lines:
            if line["k"] == "order":
                self._order(line)
            elif line["k"] == "exec":
                self._execution(line)

    def finish(self) -> None:
        """What should not be so at the end."""
        for n, order in self.orders.items():
            if order["state"] in WORKING_AT_VENUE:
                self.faults.append(("stuck", f"order {order['cl_ord_id']} is still working at the venue"))
            if self._filled_e9[n] != order["cum_e9"]:
                self.faults.append(("strange", f"the venue's executions of {order['cl_ord_id']} do not sum to its cum_e9"))

    def _order(self, line: Line) -> None:
        n, account = line["n"], line["account"]
        self.orders[n] = line
        self._by_order_id[line["order_id"]] = n
        if self._named.setdefault((line["session"], line["cl_ord_id"]), n) != n:
            self.faults.append(("doubled", f"two orders at the venue have the ClOrdID {line['cl_ord_id']}"))
        self._exposure[account][n] = line["quantity_e9"] if line["state"] in WORKING_AT_VENUE else line["cum_e9"]
        self.most_e9[account] = max(self.most_e9[account], sum(self._exposure[account].values()))

    def _execution(self, line: Line) -> None:
        self.executions += 1
        if line["exec_id"] in self._exec_ids:
            self.faults.append(("doubled", f"the venue used the ExecID {line['exec_id']} twice"))
        self._exec_ids.add(line["exec_id"])
        n = self._by_order_id[line["order_id"]]
        self._filled_e9[n] += line["quantity_e9"]
        self.fills[self.orders[n]["account"]][line["quantity_e9"], line["price_e9"]] += 1


# ------------------------------------------------------------------------------------------------ judgement


def compare(oms: Oms, venue: Venue, faults: Faults) -> None:
    """Fill by fill, and child against parent."""
    for name, order in oms.orders.items():
        told, made = Counter(order.fills.values()), venue.fills[order.account]
        for fill, times in (made - told).items():
            faults.append(("lost", f"order {name}: {times} x fill {fill} at the venue, not told to the OMS"))
        for fill, times in (told - made).items():
            faults.append(("doubled", f"order {name}: {times} x fill {fill} told to the OMS, not made at the venue"))
        if (most_e9 := venue.most_e9[order.account]) > order.quantity_e9:
            faults.append(("doubled", f"order {name}: its children reached {most_e9} of {order.quantity_e9} (1e-9)"))
    owners = {order.account: order for order in oms.orders.values()}
    for child in venue.orders.values():
        parent = owners.get(child["account"])
        if parent is None or (child["symbol"], child["side"]) != (parent.symbol, 1 if parent.side == "1" else -1):
            faults.append(("strange", f"the venue has an order that no order of the OMS explains: {child}"))


def judge(oms_lines: Iterable[Line], venue_lines: Iterable[Line]) -> dict[str, Any]:
    """Counts and faults from the two ledgers."""
    faults: Faults = []
    oms, venue = Oms(faults), Venue(faults)
    oms.read(oms_lines)
    venue.read(venue_lines)
    oms.finish()
    venue.finish()
    compare(oms, venue, faults)
    return {
        "orders": len(oms.orders),
        "requests": sum(len(order.requests) for order in oms.orders.values()),
        "rejected": oms.rejected,
        "fills": sum(len(order.fills) for order in oms.orders.values()),
        "statuses": dict(sorted(Counter(order.status for order in oms.orders.values()).items())),
        "reports_repeated": oms.repeats,
        "messages_resent_by_oms": oms.resent,
        "venue_orders": len(venue.orders),
        "venue_executions": venue.executions,
        "kills": oms.kills,
        **{kind: sum(found == kind for found, _ in faults) for kind in ("lost", "doubled", "stuck", "strange")},
        "faults": [f"{kind}: {text}" for kind, text in faults[:FAULTS_SHOWN_MAX]],
    }


def parse(raw: str) -> Message:
    """Tag to value; of a repeated tag (a group's) the last."""
    return dict(pair.split("=", 1) for pair in raw.split(SOH) if pair)


def main(arguments: list[str]) -> int:
    """The command."""
    verdict = judge(*([json.loads(line) for line in Path(path).read_text("utf-8").splitlines()] for path in arguments))
    print(json.dumps(verdict, indent=1))
    return 1 if verdict["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
