"""Drop copies: sessions that are told, word for word, what other sessions' clients are told of their orders.

A copy has its own sequence numbers and is made from the same event as the original, so what such a session missed
is made again from the log like any other report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from domain.instructions import PLAIN, Party
from domain.sending import Outbound, ParentReport

CLIENT_ROLE = 3  # PartyRole (452): Client ID
_SOURCE = "D"  # PartyIDSource (447): a custom code


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCopy:
    """One session that is told. Empty sources: of all client sessions; empty accounts: of all accounts."""

    session: str
    sources: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()

    def wants(self, report: ParentReport) -> bool:
        """Is this report for it?"""
        from_source = not self.sources or report.session in self.sources
        return from_source and (not self.accounts or report.account in self.accounts)


class DropCopies:
    """All of them."""

    def __init__(self, copies: Iterable[DropCopy] = ()) -> None:
        self._copies = tuple(copies)

    def change(self, copies: Iterable[DropCopy]) -> None:
        """From now on these."""
        self._copies = tuple(copies)

    def sessions_of(self, client_session: str) -> list[str]:
        """The sessions that may be told what this client is told."""
        return [copy.session for copy in self._copies if not copy.sources or client_session in copy.sources]

    def of(self, messages: Iterable[Outbound]) -> list[Outbound]:
        """The copies of those messages that are reports of an event. Answers to questions are the asker's alone."""
        if not self._copies:
            return []
        told = [m for m in messages if isinstance(m, ParentReport) and m.exec_kind != "status" and not m.copied]
        return [_copied(report, copy.session) for report in told for copy in self._copies if copy.wants(report)]


def _copied(report: ParentReport, session: str) -> ParentReport:
    instructions = report.instructions or PLAIN
    client = Party(party_id=report.session, source=_SOURCE, role=CLIENT_ROLE)
    named = instructions.model_copy(update={"parties": (*instructions.parties, client)})
    return replace(report, session=session, copied=True, instructions=named)
