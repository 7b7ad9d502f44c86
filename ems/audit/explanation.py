"""An explanation: named sections, each there, missing, or of no meaning for what was asked about."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Status(StrEnum):
    """missing: it should be known and is not, which makes the answer incomplete."""

    PRESENT = "present"
    MISSING = "missing"
    DOES_NOT_APPLY = "does_not_apply"


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an answer.

    Attributes:
        why: of one that is missing or does not apply, the reason.
        lines: for a person.
        content: for machines: everything, numbers as they are stored.
    """

    name: str
    status: Status
    why: str = ""
    lines: tuple[str, ...] = ()
    content: Any = None


def present(name: str, lines: list[str], content: Any) -> Section:
    """What is known."""
    return Section(name, Status.PRESENT, "", tuple(lines), content)


def missing(name: str, why: str, lines: list[str] | None = None, content: Any = None) -> Section:
    """What should be known and is not, with as much of it as there is."""
    return Section(name, Status.MISSING, why, tuple(lines or ()), content)


def idle(name: str, why: str) -> Section:
    """What has no meaning here."""
    return Section(name, Status.DOES_NOT_APPLY, why)


SECTIONS: Final = (
    "identity", "state", "events", "cause", "book", "features", "model", "forecast", "plan", "risk", "kill", "wire", "clock",
    "proof",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer. Exit codes of the command follow from it: 0 where it is complete, 1 where a section is missing."""

    asked: str
    source: str
    at_seq: int
    at_ns: int
    head_seq: int
    sections: tuple[Section, ...]
    took_ms: float = field(default=0.0, compare=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the sections that should be there and are not."""
        return tuple(section.name for section in self.sections if section.status is Status.MISSING)

    @property
    def complete(self) -> bool:
        """Is nothing missing?"""
        return not self.missing

    def row(self) -> dict[str, Any]:
        """For machines."""
        return {
            "asked": self.asked, "source": self.source, "at_seq": self.at_seq, "at_ns": self.at_ns, "head_seq": self.head_seq,
            "complete": self.complete, "missing": list(self.missing), "took_ms": round(self.took_ms, 1),
            "sections": {
                section.name: {"status": section.status.value, "why": section.why, "content": section.content}
                for section in self.sections
            },
        }  # fmt: skip
