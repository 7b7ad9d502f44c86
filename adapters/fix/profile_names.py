"""Steps of a profile's dialect for what a counterparty calls otherwise: accounts, routes, instruments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.fix.dialect import Body
from adapters.fix.profile import SOURCE_CODES, Accounts, InstrumentIds, Routes, Source
from domain.errors import ReferenceDataError
from domain.instrument import Instrument, Universe
from domain.refusal import Reason, Refusal

_ORDERS: Final = frozenset("DG")
_TO_A_DESK: Final = frozenset("DGFHQq")
_SOURCE_OF: Final[dict[str, Source]] = {code: source for source, code in SOURCE_CODES.items()}


@dataclass(frozen=True, slots=True)
class AccountStep:
    """Their names of accounts, in Account (1) and AllocAccount (79)."""

    name: str
    accounts: Accounts

    def inward(self, body: Body) -> None:
        ours_of = {theirs: ours for ours, theirs in self.accounts.names.items()}
        account = body.get("1")
        if self.accounts.only and body.msg_type in _ORDERS and account not in ours_of:
            said = f"Account (1) {account!r} is not one of {', '.join(ours_of)}, which are agreed with {self.name}"
            body.refusals.append(Refusal(Reason.UNKNOWN_ACCOUNT, said))
        for tag in ("1", "79"):
            body.rename(tag, tag, ours_of)

    def outward(self, body: Body) -> bool:
        for tag in ("1", "79"):
            body.rename(tag, tag, self.accounts.names)
        return True


@dataclass(frozen=True, slots=True)
class RouteStep:
    """Where an order is to go: ExDestination (100) by name, or one TargetSubID (57) for all that is sent."""

    routes: Routes

    def inward(self, body: Body) -> None:
        default = self.routes.default
        if self.routes.tag == 57:
            body.drop({"57"})
        elif body.msg_type in _ORDERS and body.has("100"):
            if body.get("100") == default:
                body.drop({"100"})
            else:
                body.rename("100", "100", {theirs: ours for ours, theirs in self.routes.names.items()})

    def outward(self, body: Body) -> bool:
        default = self.routes.default or ""
        if self.routes.tag == 57:
            if body.msg_type in _TO_A_DESK:
                body.put_after("57", "35", default)  # a field of the header: among the first
        elif body.msg_type in _ORDERS:
            if body.get("100"):
                body.rename("100", "100", self.routes.names)
            elif default:
                body.put("100", default)
        return True


@dataclass(frozen=True, slots=True)
class InstrumentStep:
    """Their names of instruments, from and into our symbols by the reference data."""

    ids: InstrumentIds
    universe: Universe

    def inward(self, body: Body) -> None:
        named = self._named(body)
        why = ""
        for source, name in named:
            try:
                found = self.universe.find(source, name, mic=body.get("207") or None)
            except ReferenceDataError as cause:
                why = why or str(cause)  # another name may tell them apart
            else:
                if found is not None:
                    body.put("55", found.symbol)
                    body.drop({"48", "22", "207"})
                    return
        if named:
            said = " or ".join(f"{source} {name!r}" for source, name in named)
            body.refusals.append(Refusal(Reason.UNKNOWN_SYMBOL, why or f"no instrument here has the {said}"))

    def _named(self, body: Body) -> list[tuple[str, str]]:
        """What a message calls its instrument: (source, name), an id with its source before a symbol."""
        ids = [(body.get("22"), body.get("48"))]
        ids += [(one.get("456", ""), one.get("455", "")) for one in body.take_group("454", ("455", "456"), "455")]
        named = [(_SOURCE_OF[code], name) for code, name in ids if code in _SOURCE_OF]
        return [(source, name) for source, name in [*named, (self.ids.symbol, body.get("55"))] if name not in ("", "[N/A]")]

    def outward(self, body: Body) -> bool:
        instrument = self.universe.get(body.get("55"))
        if instrument is not None:
            if (name := name_of(instrument, self.ids.symbol)) is not None:
                body.put("55", name)
            self._add(body, instrument)
        return True

    def _add(self, body: Body, instrument: Instrument) -> None:
        source = self.ids.security_id
        if source is not None and (name := name_of(instrument, source)) is not None:
            body.put("48", name)
            body.put("22", SOURCE_CODES[source])
        if self.ids.exchange:
            body.put("207", instrument.mic)
        names = [(source, name_of(instrument, source)) for source in self.ids.alternatives]
        body.add_group("454", [(("455", name), ("456", SOURCE_CODES[source])) for source, name in names if name])


def name_of(instrument: Instrument, source: str) -> str | None:
    """The name that a source has for an instrument, None where it has none."""
    return next((one.id for one in instrument.ids() if one.source == source), None)
