"""What stands between the one vocabulary that is read and written here and what a peer speaks.

Everything is translated from and into one canonical FIX text: the values of FIX 4.4 and 5.0 (ExecType F, G, H, I, L; no
ExecTransType). A dialect is a row of steps that turn canonical text into a peer's and back: one for the version of the
session, and those of the peer's profile. A session without one (FIX 4.4 or 5.0 SP2, no profile) costs nothing.

Steps are pure and total: whatever a peer sends comes out as some text, and what is wrong with an order as a refusal.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

from adapters.fix.vocabulary import SOH
from domain.refusal import Refusal


class Body:
    """A message on its way between two vocabularies: (tag, value) in the order of its text, groups included."""

    __slots__ = ("pairs", "refusals")

    def __init__(self, text: str) -> None:
        self.pairs = [(tag, value) for tag, _, value in [field.partition("=") for field in text.split(SOH)] if tag]
        self.refusals: list[Refusal] = []

    @property
    def msg_type(self) -> str:
        """MsgType (35), "" where there is none."""
        return self.get("35")

    def text(self) -> str:
        """As FIX text."""
        return "".join([f"{tag}={value}{SOH}" for tag, value in self.pairs])

    def get(self, tag: str) -> str:
        """The first value of a tag, "" where it is absent."""
        for one, value in self.pairs:
            if one == tag:
                return value
        return ""

    def has(self, tag: str) -> bool:
        """Is there such a field, empty or not?"""
        return any(one == tag for one, _ in self.pairs)

    def put(self, tag: str, value: str) -> None:
        """Give a tag a value: where it stands, or at the end."""
        for at, (one, _) in enumerate(self.pairs):
            if one == tag:
                self.pairs[at] = (tag, value)
                return
        self.pairs.append((tag, value))

    def put_after(self, tag: str, other: str, value: str) -> None:
        """Put a new field behind another one, or at the end."""
        at = next((at for at, (one, _) in enumerate(self.pairs) if one == other), len(self.pairs) - 1)
        self.pairs.insert(at + 1, (tag, value))

    def rename(self, old: str, new: str, values: Mapping[str, str]) -> None:
        """Give fields of one tag another tag, and values what they are called there."""
        self.pairs = [(new, values.get(value, value)) if tag == old else (tag, value) for tag, value in self.pairs]

    def drop(self, tags: Container[str]) -> None:
        """Leave out every field of these tags."""
        self.pairs = [(tag, value) for tag, value in self.pairs if tag not in tags]

    def take_group(self, counter: str, members: Container[str], first: str) -> list[dict[str, str]]:
        """Take a repeating group out: each of its entries by tag. Members stand behind the counter without a gap."""
        start = next((at for at, (tag, _) in enumerate(self.pairs) if tag == counter), None)
        if start is None:
            return []
        end = start + 1
        found: list[dict[str, str]] = []
        while end < len(self.pairs) and self.pairs[end][0] in members:
            tag, value = self.pairs[end]
            if tag == first or not found:
                found.append({})
            found[-1][tag] = value
            end += 1
        del self.pairs[start:end]
        return found

    def add_group(self, counter: str, entries: Iterable[Iterable[tuple[str, str]]]) -> None:
        """Add a repeating group at the end; none where it has no entries."""
        members = [list(entry) for entry in entries]
        if members:
            self.pairs.append((counter, str(len(members))))
            self.pairs += [field for entry in members for field in entry if field[1]]


class Step(Protocol):
    """One difference between two vocabularies. Changes the body it is given and nothing else."""

    def inward(self, body: Body) -> None:
        """From the peer's side to ours."""
        ...

    def outward(self, body: Body) -> bool:
        """From our side to the peer's. False: the peer has no such message and gets none."""
        ...


class Canonical(NamedTuple):
    """What a peer's text means in our vocabulary.

    Attributes:
        refusals: what is wrong with it, where it is an order.
        of_entries: for a list (35=E) what is wrong with each of its orders.
    """

    text: str
    refusals: tuple[Refusal, ...] = ()
    of_entries: tuple[tuple[Refusal, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """The steps of one session, the one next to the desk first."""

    steps: tuple[Step, ...]

    def inward(self, text: str) -> Canonical:
        """Canonical text of what a peer sent, and what is wrong with it."""
        body = Body(text)
        if body.msg_type == "E":
            return self._list_inward(body)
        self._inward(body)
        return Canonical(body.text(), tuple(body.refusals))

    def _inward(self, body: Body) -> None:
        for step in reversed(self.steps):
            step.inward(body)

    def _list_inward(self, body: Body) -> Canonical:
        """Each order of a list is read as an order of its own is: it begins with its ClOrdID (11)."""
        starts = [at for at, (tag, _) in enumerate(body.pairs) if tag == "11"]
        head, orders = Body(""), []
        head.pairs = body.pairs[: starts[0]] if starts else body.pairs
        self._inward(head)
        for start, end in pairwise([*starts, len(body.pairs)]):
            order = Body("")
            order.pairs = [("35", "D"), *body.pairs[start:end]]
            self._inward(order)
            order.drop({"35"})
            orders.append(order)
        return Canonical(
            head.text() + "".join(order.text() for order in orders), (), tuple(tuple(order.refusals) for order in orders)
        )

    def outward(self, text: str) -> str:
        """What a peer is sent for a canonical text; "" where it is sent nothing."""
        body = Body(text)
        for step in self.steps:
            if not step.outward(body):
                return ""
        return body.text()


def tags_between(pairs: Iterable[tuple[str, str]], low: int, high: int) -> Iterator[str]:
    """The numbers among the tags that lie in low..high."""
    for tag, _ in pairs:
        if tag.isascii() and tag.isdigit() and len(tag) < 6 and low <= int(tag) <= high:
            yield tag
