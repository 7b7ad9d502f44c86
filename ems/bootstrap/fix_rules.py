"""The generated parts of the rules of engagement: each a section of a page, between two marks.

    <!-- ems fix rules: refusals -->
    ... written by `ems fix rules` ...
    <!-- end -->

Everything comes from where it is decided: the dictionaries, the tables of the FIX adapter, the domain's refusals and
policies, the certification table.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from adapters.fix import vocabulary
from adapters.fix.inbound import _FROM_CLIENT, _FROM_VENUE
from adapters.fix.outbound import _WRITE
from domain.allocation_messages import AllocationAck, AllocationReport
from domain.errors import ConfigError
from domain.list_messages import ListStatus, MassCancelReport, SendMassStatus
from domain.refusal import CXL_REJ_REASON, ORD_REJ_REASON, OTHER, Reason
from domain.sending import (
    CancelReject,
    MessageReject,
    ParentReport,
    SendChild,
    SendChildCancel,
    SendChildReplace,
    SendDontKnow,
    SendNews,
    SendStatusQuery,
)
from domain.session_policy import SessionPolicy
from domain.session_rules import SessionRules
from ems.bootstrap.fix_dictionary import VERSIONS, Dictionary, dictionary
from ems.certify_table import ANY, GROUPS, Script

_MARK: Final = re.compile(r"(<!-- ems fix rules: ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)

TO_CLIENT: Final[dict[type[Any], str]] = {
    ParentReport: "8", CancelReject: "9", MessageReject: "j", SendNews: "B", ListStatus: "N", MassCancelReport: "r",
    AllocationAck: "P", AllocationReport: "AS",
}  # fmt: skip
TO_VENUE: Final[dict[type[Any], str]] = {
    SendChild: "D", SendChildReplace: "G", SendChildCancel: "F", SendStatusQuery: "H", SendDontKnow: "Q", SendMassStatus: "AF",
}  # fmt: skip
FROM_VENUE: Final = (*_FROM_VENUE, "j")  # a j, like a session's 3, refuses what it refers to
_ECHOED: Final = frozenset({"D", "G", "F", "H", "E", "K", "L", "M", "q", "AF", "Q", "J", "AT", "P"})


def rewritten(text: str) -> str:
    """A page with its generated parts as they are now.

    Raises:
        ConfigError: a mark names no section.
    """

    def section(found: re.Match[str]) -> str:
        if found[2] not in SECTIONS:
            raise ConfigError(f"there is no section {found[2]!r} of the rules; there are {', '.join(SECTIONS)}")
        return f"{found[1]}{SECTIONS[found[2]]()}\n{found[4]}"

    return _MARK.sub(section, text)


def marked(text: str) -> list[str]:
    """The sections that a page has."""
    return [found[2] for found in _MARK.finditer(text)]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell or ' ' for cell in line)} |".replace("|  |", "| |") for line in lines)


def _dictionaries() -> dict[str, Dictionary]:
    return {name: dictionary(begin_string) for begin_string, name in VERSIONS.items()}


def _client_types() -> list[str]:
    """What a client may send and what it is sent, in that order."""
    return [*_FROM_CLIENT, *TO_CLIENT.values()]


# ----------------------------------------------------------------------------------------------- messages


def messages() -> str:
    """Which messages are spoken with whom, in which versions."""
    known = _dictionaries()
    rows = []
    for title, types in (
        ("**from a client**", tuple(_FROM_CLIENT)),
        ("**to a client**", tuple(TO_CLIENT.values())),
        ("**to a venue**", tuple(TO_VENUE.values())),
        ("**from a venue**", FROM_VENUE),
    ):
        rows.append([title, "", *[""] * len(known)])
        for msg_type in types:
            name = next(d.names[msg_type] for d in reversed(known.values()) if msg_type in d.names)
            rows.append([msg_type, name, *("yes" if msg_type in d.names else "no" for d in known.values())])
    return _table(["MsgType (35)", "name", *known], rows)


def required() -> str:
    """The fields that a client's messages must have."""
    known = _dictionaries()
    rows = []
    for msg_type in _FROM_CLIENT:
        name = next(d.names[msg_type] for d in reversed(known.values()) if msg_type in d.names)
        cells = [
            ", ".join(f"{f.tag}" for f in d.fields[msg_type] if f.required and f.depth == 0) if msg_type in d.names else "-"
            for d in known.values()
        ]
        rows.append([f"{msg_type} {name}", *cells])
    return _table(["message", *known], rows)


def field_tables() -> str:
    """Every field of every message that a client may send or is sent."""
    known = _dictionaries()
    parts = []
    for msg_type in _client_types():
        name = next(d.names[msg_type] for d in reversed(known.values()) if msg_type in d.names)
        way = "from" if msg_type in _ECHOED else "to"
        found: dict[tuple[int, str], dict[str, str]] = {}
        for version, d in known.items():
            for field in d.fields.get(msg_type, ()):
                indented = f"{'&nbsp;&nbsp;' * field.depth}{field.name}"
                found.setdefault((field.tag, indented), {})[version] = "required" if field.required else "optional"
        rows = [[str(tag), name_of, *(said.get(version, "no") for version in known)] for (tag, name_of), said in found.items()]
        parts.append(f"## {msg_type} {name}, {way} a client\n{_table(['tag', 'field', *known], rows)}")
    return "\n\n".join(parts)


def enumerations() -> str:
    """The fields of those messages that take listed values only."""
    known = _dictionaries()
    tags = {field.tag: field.name for d in known.values() for t in _client_types() for field in d.fields.get(t, ())}
    rows = []
    for tag in sorted(tags):
        values: dict[str, list[str]] = {}
        for version, d in known.items():
            for value, meaning in d.values.get(tag, {}).items():
                values.setdefault(f"{value} {meaning.lower().replace('_', ' ')}".strip(), []).append(version)
        said = [v if len(of) == len(known) else f"{v} ({', '.join(of)})" for v, of in values.items()]
        if said:
            rows.append([str(tag), tags[tag], "; ".join(said)])
    return _table(["tag", "field", "values"], rows)


def values() -> str:
    """What is done with the values of the fields that decide an order's life."""
    named = (
        ("Side (54)", vocabulary.SIDE_OF),
        ("OrdType (40)", vocabulary.ORD_TYPE_OF),
        ("TimeInForce (59)", vocabulary.TIME_IN_FORCE_OF),
        ("TargetStrategy (847)", vocabulary.ALGO_OF),
        ("ExecType (150) of a report", vocabulary.EXEC_KIND_OF),
        ("OrdStatus (39) of a report", vocabulary.ORD_STATUS_OF),
    )
    rows = [[name, ", ".join(f"{code} {str(word).replace('_', ' ')}" for code, word in codes.items())] for name, codes in named]
    return _table(["field", "values"], rows)


# ------------------------------------------------------------------------------------------------ decisions


def refusals() -> str:
    """Every named reason with its codes."""
    rows = [
        [str(reason).replace("_", " "), str(ORD_REJ_REASON.get(reason, OTHER)), str(CXL_REJ_REASON.get(reason, OTHER))]
        for reason in Reason
    ]
    return _table(["what is wrong", "OrdRejReason (103) of an 8", "CxlRejReason (102) of a 9"], rows)


def session_rules() -> str:
    """What may be agreed for the session itself."""
    return _attributes(SessionRules)


def session_policy() -> str:
    """What may be agreed for the handling of orders."""
    return _attributes(SessionPolicy)


def _attributes(of: type[Any]) -> str:
    """A settings class by the sentences of its docstring, with the defaults of its fields."""
    text = (inspect.getdoc(of) or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^ {4}(\w[\w, ]*): (.*(?:\n {8}.*)*)", text, re.MULTILINE)
    defaults: dict[str, object] = {field.name: field.default for field in fields(of)}
    rows = []
    for names, said in entries:
        each = [name.strip() for name in names.split(",")]
        default = ", ".join(dict.fromkeys(_shown(defaults.pop(name)) for name in each))
        rows.append([", ".join(f"`{name}`" for name in each), default, " ".join(said.split())])
    for left, value in defaults.items():  # which the sentence of another one explains
        if (by := next((names for names, said in entries if left in said), None)) is None:
            raise ConfigError(f"{of.__name__} does not say what {left} means")
        rows.append([f"`{left}`", _shown(value), f"see `{by}`"])
    return _table(["setting", "default", "meaning"], rows)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, int | str) and value != "" else "none" if value == "" else "plain"


# -------------------------------------------------------------------------------------------- certification


def certification() -> str:
    """The certification table."""
    rows = []
    for group, scripts in GROUPS.items():
        rows.append([f"**{group}**", "", "", ""])
        rows += [[str(s.quantity), s.name, _sent(s), " ".join(s.told) or "nothing"] for s in scripts]
    rows.append(["any other", ANY.name.partition(": ")[2], "D", " ".join(ANY.told)])
    return _table(["OrderQty (38)", "what the counterparty does", "the client sends", "the client of the EMS is told"], rows)


def _sent(script: Script) -> str:
    order = "D with 59=1" if script.good_till_cancel else "D"
    return {"": order, "cancel": f"{order}, then F", "replace": f"{order}, then G"}[script.request]


def unaccounted() -> set[str]:
    """Messages that are written and are not in the tables here: empty, or this page would be silent about them."""
    return {kind.__name__ for kind in set(_WRITE) ^ (set(TO_CLIENT) | set(TO_VENUE))}


SECTIONS: Final[Mapping[str, Callable[[], str]]] = {
    "messages": messages,
    "required fields": required,
    "values": values,
    "refusals": refusals,
    "session rules": session_rules,
    "session policy": session_policy,
    "certification": certification,
    "fields": field_tables,
    "enumerations": enumerations,
}
