"""Order state scenarios by chance: legal steps in any order, and what the rules of the matrices say the client is told.

The rules, and nothing of the system under test, are in here: a status is the highest of those that apply; CumQty is what
was filled after corrections and busts; executions carry the last accepted id, answers that of their request and the last
accepted one; a request that is refused does not move the chain; a cancel does not wait for a replace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.acceptance.fix.matrices import Scenario, read

STEPS_MAX = 14
LOT = 100


@dataclass
class Asked:
    """A cancel or replace that the venue has, and has not decided."""

    name: str
    verb: str
    quantity: int
    pending: bool = False


@dataclass
class Walk:
    """An order on its way, and the table that it leaves behind."""

    rng: Random
    lines: list[str] = field(default_factory=list)
    quantity: int = 10_000
    executions: dict[str, tuple[int, str]] = field(default_factory=dict)  # name -> quantity, price
    current: str = "X"
    asked: list[Asked] = field(default_factory=list)
    queued: list[Asked] = field(default_factory=list)  # replaces that wait for the one before them
    names: int = 0
    acknowledged: bool = False
    ended: str = ""

    @property
    def filled(self) -> int:
        """CumQty."""
        return sum(quantity for quantity, _ in self.executions.values())

    def status(self) -> str:
        """OrdStatus by precedence."""
        pending = {one.verb for one in self.asked if one.pending}
        if self.ended or not pending:
            resting = "partial" if self.filled else "new" if self.acknowledged else "pending_new"
            return self.ended or ("filled" if self.filled >= self.quantity else resting)
        return "pending_cancel" if "F" in pending else "pending_replace"

    def told(self, kind: str, ids: str, last: int = 0, more: str = "") -> str:
        """A report of the order as it is now."""
        leaves = 0 if self.ended else self.quantity - self.filled
        return f"{kind}/{self.status()} {ids} {self.quantity} {self.filled} {leaves} {last} {more}".rstrip()

    def new_name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    # ------------------------------------------------------------------------------------------ moves

    def moves(self) -> list[str]:
        """What may happen now, each as often as it is likely."""
        if not self.acknowledged:
            return ["accept"] * 6 + ["refuse_order", "ask_status", "ask_cancel"] if not self.asked else ["accept"]
        found = ["correct", "bust"] * bool(self.executions)
        if self.ended:
            return found
        found += ["ask_status"]
        found += ["decide"] * 3 * bool(self.asked)
        if self.filled >= self.quantity:  # what comes too late is decided, and that is all
            return found + ["ask_replace"] * (not self.asked)
        verbs = {one.verb for one in self.asked}
        found += ["fill"] * 4 + ["pend"] * 3 * any(not one.pending for one in self.asked)
        if "F" not in verbs:
            found += ["ask_cancel"] * (not self.queued) + (["ask_more"] if "G" in verbs else ["ask_replace"] * 3)
        return found + ["unsolicited"] * (not self.asked)

    def move(self, name: str) -> None:
        """Let it happen."""
        getattr(self, f"_{name}")()

    def _accept(self) -> None:
        self.acknowledged = True
        self.lines.append(f">  accept -> {self.told('new', self.current)}")

    def _refuse_order(self) -> None:
        self.acknowledged, self.ended = True, "rejected"
        self.lines.append(f">  refuse -> {self.told('rejected', self.current)}")

    def _ask_status(self) -> None:
        report = self.told("status", self.current).rsplit(" ", 1)[0]
        self.lines += [f"<| H {self.current}", f"=  {report} -"]

    def _ask_cancel(self) -> None:
        self._ask("F", self.quantity)

    def _ask_replace(self) -> None:
        full = self.filled >= self.quantity  # then only more is asked for: all else is refused by the EMS
        fewest = self.quantity // LOT + 1 if full else max(1, self.filled // LOT - 5)
        self._ask("G", LOT * self.rng.randint(fewest, max(fewest, 150)))

    def _ask_more(self) -> None:
        """A replace while another one is undecided: it names that one as the id before, and waits."""
        before = (self.queued or self.asked)[-1].name
        one = Asked(self.new_name("R"), "G", LOT * self.rng.randint(1, 150))
        self.queued.append(one)
        self.lines.append(f"<| G {one.name}<{before} {one.quantity}")

    def _ask(self, verb: str, quantity: int) -> None:
        one = Asked(self.new_name("R"), verb, quantity)
        self.asked.append(one)
        self.lines.append(f"<  {verb} {one.name}<{self.current} {quantity}")

    def _pend(self) -> None:
        one = next(one for one in self.asked if not one.pending)
        one.pending = True
        kind = "pending_cancel" if one.verb == "F" else "pending_replace"
        self.lines.append(f">  pend -> {self.told(kind, f'{one.name}<{self.current}')}")

    def _decide(self) -> None:
        one = self.asked[0]  # in the order in which the venue had them
        self.asked.remove(one)
        if self.rng.random() < 0.4 or (one.verb == "F" and self.filled >= self.quantity):
            kind = "cancel_refused" if one.verb == "F" else "replace_refused"
            self.lines.append(f">  refuse -> {kind}/{self.status()} {one.name}<{self.current}")
            self._next()
            return
        ids = f"{one.name}<{self.current}"
        self.current = one.name if one.verb == "G" else self.current
        if one.verb == "F":
            self.ended = "canceled"
            self.lines.append(f">  cancel -> {self.told('canceled', ids)}")
        else:
            self.quantity = max(one.quantity, self.filled)
            self.lines.append(f">  replace -> {self.told('replaced', ids)}")
        self._next()

    def _next(self) -> None:
        """The first of those that wait goes to the venue; what cannot change a filled order any more is refused."""
        while self.queued and not self.asked:
            one = self.queued.pop(0)
            if self.filled >= self.quantity and one.quantity <= self.quantity:
                self.lines.append(f"=  replace_refused/{self.status()} {one.name}<{self.current} refused_for=0")
            else:
                self.asked.append(one)

    def _fill(self) -> None:
        left = self.quantity - self.filled
        quantity = left if self.rng.random() < 0.2 else min(left, LOT * self.rng.randint(1, 30))
        name, price = self.new_name("E"), f"{self.rng.randint(1800, 2000) / 100:.2f}"
        self.executions[name] = quantity, price
        self.lines.append(f">  fill {quantity} {price} -> {self.told('trade', self.current, quantity, f'id={name} px={price}')}")

    def _correct(self) -> None:
        old = self.rng.choice(list(self.executions))
        quantity, _ = self.executions.pop(old)
        room = quantity if self.ended else self.quantity - self.filled
        quantity, price = LOT * self.rng.randint(1, max(1, room // LOT)), f"{self.rng.randint(1800, 2000) / 100:.2f}"
        name = self.new_name("E")
        self.executions[name] = quantity, price
        report = self.told("corrected", "-" if self.ended else self.current, quantity, f"id={name} ref={old} px={price}")
        self.lines.append(f">  correct {old} {quantity} {price} -> {report}")

    def _bust(self) -> None:
        old = self.rng.choice(list(self.executions))
        del self.executions[old]
        report = self.told("busted", "-" if self.ended else self.current, 0, f"id={self.new_name('E')} ref={old}")
        self.lines.append(f">  bust {old} -> {report}")

    def _unsolicited(self) -> None:
        if self.rng.random() < 0.3:
            self.ended = self.rng.choice(["canceled", "expired"])
            verb = "cancel" if self.ended == "canceled" else "expire"
            self.lines.append(f">  {verb} -> {self.told(self.ended, self.current)}")


def walk(seed: int) -> Scenario:
    """The scenario of a seed; the same seed is the same scenario."""
    one = Walk(Random(seed), [f"Walk.{seed}: by chance", "<  D X 10000"])
    for _ in range(STEPS_MAX):
        moves = one.moves()
        if not moves:
            break
        one.move(one.rng.choice(moves))
    return read("\n".join(one.lines), f"walk {seed}")[0]
