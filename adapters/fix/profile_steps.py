"""The steps of a dialect that a counterparty's profile asks for, and the dialect made of them.

From the desk outward: reports that are not sent, algorithm parameters, accounts, routes, names of instruments, other tags,
then the version, then what is added and left out. Inward in reverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.fix.dialect import Body, Dialect, Step
from adapters.fix.dialect_42 import Fix42
from adapters.fix.profile import Accounts, Enrichment, FlatParameter, InstrumentIds, Orders, Profile, Routes, TagMap
from adapters.fix.profile_names import AccountStep, InstrumentStep, RouteStep
from adapters.fix.vocabulary import EXEC_TYPE_CODE, ORD_TYPE_OF, TIME_IN_FORCE_OF
from domain.instrument import Universe
from domain.refusal import Reason, Refusal

_ORDERS: Final = frozenset("DG")
_WITH_PARAMETERS: Final = frozenset("DG8")
_HEADER: Final = frozenset("50 57 115 116 128 129 142 143 144 145".split())


def dialect_of(begin_string: str, profile: Profile | None, universe: Universe) -> Dialect | None:
    """The dialect of a session, None where it speaks the canonical text as it is.

    Args:
        profile: of its counterparty; its version counts where there is one.
        universe: the instruments, for the names that the profile wants.
    """
    if profile is None:
        return Dialect((Fix42(),)) if begin_string == "FIX.4.2" else None
    steps: list[Step] = []
    if profile.suppress.reports:
        steps.append(QuietStep(frozenset(EXEC_TYPE_CODE[kind] for kind in profile.suppress.reports)))
    if profile.orders != Orders():
        steps.append(OrdersStep(profile.name, profile.orders))
    if profile.parameters:
        steps.append(ParameterStep(profile.parameters))
    if profile.accounts != Accounts():
        steps.append(AccountStep(profile.name, profile.accounts))
    if profile.routes != Routes():
        steps.append(RouteStep(profile.routes))
    if profile.instruments != InstrumentIds():
        steps.append(InstrumentStep(profile.instruments, universe))
    if profile.tags:
        steps.append(TagStep(profile.tags))
    if profile.version == "FIX.4.2":
        steps.append(Fix42(keep=_texts(own_tags(profile))))
    if profile.enrich or profile.suppress.tags:
        steps.append(FinishStep(profile.enrich, {kind: _texts(tags) for kind, tags in profile.suppress.tags.items()}))
    return Dialect(tuple(steps)) if steps else None


def own_tags(profile: Profile) -> tuple[int, ...]:
    """Tags that the profile itself brings in, and those that it says they take."""
    return (*profile.keep, *(one.theirs for one in profile.tags), *(one.tag for one in profile.parameters))


def _texts(tags: tuple[int, ...]) -> frozenset[str]:
    return frozenset(str(tag) for tag in tags)


@dataclass(frozen=True, slots=True)
class QuietStep:
    """Kinds of reports that they do not want, by ExecType (150)."""

    exec_types: frozenset[str]

    def inward(self, body: Body) -> None:
        """Theirs to send."""

    def outward(self, body: Body) -> bool:
        return body.msg_type != "8" or body.get("150") not in self.exec_types


@dataclass(frozen=True, slots=True)
class OrdersStep:
    """Order types and times in force that are agreed with them; others are refused by name."""

    name: str
    orders: Orders

    def inward(self, body: Body) -> None:
        if body.msg_type not in _ORDERS:
            return
        ord_type, time = ORD_TYPE_OF.get(body.get("40")), TIME_IN_FORCE_OF.get(body.get("59") or "0")
        if self.orders.types and ord_type is not None and ord_type not in self.orders.types:
            said = f"OrdType (40) {ord_type} is not agreed with {self.name}, only {', '.join(self.orders.types)}"
            body.refusals.append(Refusal(Reason.ORDER_TYPE_UNSUPPORTED, said))
        if self.orders.times and time is not None and time not in self.orders.times:
            said = f"TimeInForce (59) {time} is not agreed with {self.name}, only {', '.join(self.orders.times)}"
            body.refusals.append(Refusal(Reason.TIME_IN_FORCE_UNSUPPORTED, said))

    def outward(self, body: Body) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class ParameterStep:
    """Parameters of an algorithm in fields of their own; here they are StrategyParametersGrp (957)."""

    parameters: tuple[FlatParameter, ...]

    def inward(self, body: Body) -> None:
        if body.msg_type not in _ORDERS:
            return
        flat = [
            (("958", one.name), ("959", "14"), ("960", _times(body.get(str(one.tag)), one.factor)))
            for one in self.parameters
            if body.has(str(one.tag))
        ]
        if flat:
            body.drop({str(one.tag) for one in self.parameters})
            body.add_group("957", [*(tuple(entry.items()) for entry in _take_parameters(body)), *flat])

    def outward(self, body: Body) -> bool:
        if body.msg_type in _WITH_PARAMETERS:
            by_name = {one.name: one for one in self.parameters}
            rest = []
            for entry in _take_parameters(body):
                one = by_name.get(entry.get("958", ""))
                if one is None:
                    rest.append(tuple(entry.items()))
                else:
                    body.put(str(one.tag), _times(entry.get("960", ""), one.factor, back=True))
            body.add_group("957", rest)
        return True


def _take_parameters(body: Body) -> list[dict[str, str]]:
    return body.take_group("957", ("958", "959", "960"), "958")


def _times(text: str, factor: str, *, back: bool = False) -> str:
    """A number times a power of ten, exactly; what is no number stays as it is, for the algorithm to refuse."""
    if factor == "1" or len(text) > 30:
        return text
    try:
        number = Decimal(text)
        scaled = number / Decimal(factor) if back else number * Decimal(factor)
    except ArithmeticError:
        return text
    if not scaled.is_finite() or abs(scaled.adjusted()) > 30:  # 1e999998 would be written with a million digits
        return text
    written = f"{scaled:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


@dataclass(frozen=True, slots=True)
class TagStep:
    """Fields that they call otherwise, and values."""

    tags: tuple[TagMap, ...]

    def inward(self, body: Body) -> None:
        for one in self._of(body):
            body.rename(str(one.theirs), str(one.ours), {theirs: ours for ours, theirs in one.values.items()})

    def outward(self, body: Body) -> bool:
        for one in self._of(body):
            body.rename(str(one.ours), str(one.theirs), one.values)
        return True

    def _of(self, body: Body) -> list[TagMap]:
        msg_type = body.msg_type
        return [one for one in self.tags if not one.types or msg_type in one.types]


@dataclass(frozen=True, slots=True)
class FinishStep:
    """What is added to and left out of what they are sent, when all else is done."""

    added: tuple[Enrichment, ...]
    left_out: dict[str, frozenset[str]]  # by message type, "*" for all

    def inward(self, body: Body) -> None:
        """Their fields come as they are."""

    def outward(self, body: Body) -> bool:
        msg_type = body.msg_type
        for one in self.added:
            if msg_type in one.types and (one.override or not body.get(str(one.tag))):
                value = one.value if one.value is not None else body.get(str(one.copy_of))
                if value:
                    _add(body, str(one.tag), value)
        without = self.left_out.get("*", frozenset()) | self.left_out.get(msg_type, frozenset())
        if without:
            for counter, members in _MEMBERS.items():
                if counter in without:
                    body.take_group(counter, members, "")
            body.drop(without)
        return True


def _add(body: Body, tag: str, value: str) -> None:
    if tag in _HEADER and not body.has(tag):
        body.put_after(tag, "35", value)  # the header's fields go first
    else:
        body.put(tag, value)


_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "78": ("79", "80", "467"),
    "453": ("448", "447", "452", "2376", "802", "523", "803"),
    "454": ("455", "456"),
    "957": ("958", "959", "960"),
    "2593": ("2594", "2595"),
}
