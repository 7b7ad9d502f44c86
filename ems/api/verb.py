"""Verbs: what a person may do, each with the form that asks for it and the one function that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from domain.errors import NumberError
from domain.values import E9_MAX, to_e9
from ems.api.ports import Outcome, Ports
from ems.read_models.topic import Role

FieldKind = Literal[
    "text", "quantity", "price", "choice", "flag", "time", "duration", "symbol", "person", "reason", "json", "lines"
]
TEXT_MAX = 500
LINES_MAX = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. What is typed is text, or true and false for a flag, or a list of text for lines."""

    name: str
    title: str
    kind: FieldKind = "text"
    required: bool = True
    choices: tuple[str, ...] = ()
    default: str | bool | None = None
    min: str | None = None
    max: str | None = None
    help: str = ""

    def told(self) -> dict[str, Any]:
        """As the catalogue has it."""
        told: dict[str, Any] = {"name": self.name, "title": self.title, "kind": self.kind, "required": self.required}
        for name in ("default", "min", "max", "help"):
            if (value := getattr(self, name)) not in (None, ""):
                told[name] = value
        return told | ({"choices": list(self.choices)} if self.choices else {})

    def read(self, value: Any) -> Any:
        """What was typed as its value: quantities and prices at 1e-9, times in nanoseconds. None where nothing was.

        Raises:
            ValueError: a sentence for beside the field.
        """
        if value is None or value == "":
            if self.required and self.default is None:
                raise ValueError("this is needed")
            value = self.default
            if value is None or value == "":
                return None
        how: Callable[[Any], Any] = _READ.get(self.kind, _text)
        read = how(value)
        if self.choices and read not in self.choices:
            raise ValueError(f"one of {', '.join(self.choices)}")
        self._bounded(read)
        return read

    def _bounded(self, read: Any) -> None:
        if self.kind not in ("quantity", "price", "duration", "time"):
            return
        bound = _READ[self.kind]
        if self.min is not None and read < bound(self.min):
            raise ValueError(f"at least {self.min}")
        if self.max is not None and read > bound(self.max):
            raise ValueError(f"at most {self.max}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    text = value.strip()
    if len(text) > TEXT_MAX:
        raise ValueError(f"at most {TEXT_MAX} characters")
    if any(not character.isprintable() for character in text):
        raise ValueError("no control characters")
    return text


def _positive(value: Any) -> int:
    try:
        found = to_e9(_text(value))
    except NumberError as error:
        raise ValueError(str(error)) from error
    if found <= 0:
        raise ValueError("a number above 0")
    return found


def _number(value: Any) -> int:
    try:
        return to_e9(_text(value))
    except NumberError as error:
        raise ValueError(str(error)) from error


def _ns(value: Any) -> int:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    if not text.isascii() or not text.isdigit() or int(text) > E9_MAX:
        raise ValueError("a time in nanoseconds")
    return int(text)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _lines(value: Any) -> tuple[str, ...]:
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list | tuple) or len(lines) > LINES_MAX:
        raise ValueError(f"up to {LINES_MAX} lines")
    return tuple(line for line in map(_text, lines) if line)


def _json(value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise ValueError("a JSON object or list")
    return value


_READ: dict[str, Callable[[Any], Any]] = {
    "quantity": _positive, "price": _number, "time": _ns, "duration": _ns, "flag": _flag, "lines": _lines, "json": _json,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """One row's act, by a person who has been let in and may do it.

    Attributes:
        row: as its topic has it, by column; empty for a verb without rows.
        fields: as `Field.read` returned them; None where nothing was typed.
        command_id: of this row's act: the same key and row give the same one.
        approver: the second person of an act that needs two.
    """

    person: str
    row_id: str
    row: Mapping[str, Any]
    fields: Mapping[str, Any]
    reason: str
    command_id: str
    ports: Ports
    approver: str | None = None

    @property
    def actor(self) -> str:
        """As events name the person."""
        return f"person:{self.person}"


Do = Callable[[Act], Awaitable[Outcome]]
Check = Callable[[Act], Awaitable[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing to do.

    Attributes:
        topic: whose rows it is for; "" for one that needs no row.
        when: of a row's columns, what they must be for the verb to be offered.
        confirm: "none", "count", or "word:KILL" for a word that is typed.
        roles: who may.
        do: does it for one row.
        check: what is wrong with the fields beside what their kinds say, by field.
    """

    verb: str
    title: str
    do: Do
    roles: frozenset[Role]
    key: str = ""
    topic: str = ""
    when: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    bulk: bool = False
    danger: bool = False
    confirm: str = "none"
    second_person: bool = False
    check: Check | None = None

    def told(self) -> dict[str, Any]:
        """As the catalogue has it."""
        return {
            "verb": self.verb, "title": self.title, "key": self.key, "topic": self.topic or None, "when": dict(self.when),
            "bulk": self.bulk, "danger": self.danger, "confirm": self.confirm, "second_person": self.second_person,
            "fields": [one.told() for one in self.fields],
        }  # fmt: skip

    def read(self, typed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """The fields' values, and what is wrong with them by field."""
        read: dict[str, Any] = {}
        wrong = dict.fromkeys(typed.keys() - {one.name for one in self.fields}, "there is no such field")
        for one in self.fields:
            try:
                read[one.name] = one.read(typed.get(one.name))
            except ValueError as error:
                wrong[one.name] = str(error)
        return read, wrong

    def offered(self, row: Mapping[str, Any]) -> bool:
        """Does `when` hold of a row?"""
        return all(row.get(name) in (wanted if isinstance(wanted, list) else [wanted]) for name, wanted in self.when.items())


REASON = Field("reason", "Reason", "reason", help="kept in the log with your name")


def by_desk(command: Callable[[Act], dict[str, Any]]) -> Do:
    """An act that the desk decides: what is asked of it, without who asks and under which id."""

    async def do(act: Act) -> Outcome:
        return await act.ports.desk(command(act), actor=act.actor, command_id=act.command_id, approver=act.approver)

    return do
