"""An element's attributes and children as FIXatdl 1.1 has them: required, typed, and what is not known said."""

from __future__ import annotations

import re
from typing import Final

from adapters.fixatdl.xml import Element

_BASE: Final = "http://www.fixprotocol.org/FIXatdl-1-1/"
CORE: Final = f"{_BASE}Core"
VALIDATION: Final = f"{_BASE}Validation"
LAYOUT: Final = f"{_BASE}Layout"
FLOW: Final = f"{_BASE}Flow"
_SPACES: Final = {CORE: "Core", VALIDATION: "Validation", LAYOUT: "Layout", FLOW: "Flow"}

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,255}")
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_WIRE: Final = re.compile(r"[ -~]*")
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class Attributes:
    """The attributes of one element, each asked for by name; `done` notes those that nobody asked for."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._left = set(element.attributes)

    def text(self, name: str) -> str | None:
        """An attribute that may be absent."""
        self._left.discard(name)
        return self._element.attributes.get(name)

    def need(self, name: str) -> str:
        """An attribute that must be there, and not empty."""
        text = self.text(name)
        if not text:
            raise self._element.wrong(f"{self._element.name} lacks its {name}")
        return text

    def name(self, attribute: str) -> str:
        """A required name: a letter, then letters, digits and underscores."""
        text = self.need(attribute)
        if not _NAME.fullmatch(text):
            raise self._element.wrong(f"{attribute} {text!r} is not a name of letters, digits and underscores")
        return text

    def enum_id(self, notes: list[str]) -> str:
        """A required enumID. Brokers write them with other characters too: all but blanks, which part them in lists."""
        text = self.need("enumID")
        if text.split() != [text]:
            raise self._element.wrong(f"enumID {text!r} has blanks")
        if not _NAME.fullmatch(text):
            notes.append(f"line {self._element.line}: enumID {text!r} is not a name of letters, digits and underscores")
        return text

    def wire(self, name: str) -> str | None:
        """A text that a FIX field can carry."""
        text = self.text(name)
        if text is not None and not _WIRE.fullmatch(text):
            raise self._element.wrong(f"{name} {text!r} has characters that a FIX field does not carry")
        return text

    def whole(self, name: str) -> int | None:
        """A number without a sign."""
        text = self.text(name)
        if text is not None and not _WHOLE.fullmatch(text):
            raise self._element.wrong(f"{name} {text!r} is not a number such as 7")
        return None if text is None else int(text)

    def tag(self, name: str) -> int | None:
        """A FIX tag."""
        tag = self.whole(name)
        if tag == 0:
            raise self._element.wrong(f"{name} 0 is not a tag")
        return tag

    def flag(self, name: str, absent: bool = False) -> bool:
        """A boolean."""
        text = self.text(name)
        if text is not None and text not in _FLAGS:
            raise self._element.wrong(f"{name} {text!r} is neither true nor false")
        return absent if text is None else _FLAGS[text]

    def maybe(self, name: str) -> bool | None:
        """A boolean whose absence means neither."""
        return None if self.text(name) is None else self.flag(name)

    def done(self, notes: list[str], *passed_over: str) -> None:
        """Note what is left, but for what concerns the picture alone."""
        place = f"line {self._element.line}: {self._element.name}"
        notes += [f"{place} has an attribute {name!r} that is not read" for name in sorted(self._left - set(passed_over))]


def only(element: Element, notes: list[str], *known: tuple[str, str]) -> None:
    """Refuse children that FIXatdl does not have here; note those of other namespaces.

    Raises:
        ReferenceDataError: an element of a FIXatdl namespace in the wrong place.
    """
    for child in element.children:
        if (child.namespace, child.name) in known:
            continue
        if child.namespace in _SPACES:
            raise child.wrong(f"{element.name} has no child {child.name} of the {_SPACES[child.namespace]} namespace")
        if not child.namespace or child.namespace.startswith("http://www.fixprotocol.org/"):
            raise child.wrong(f"{child.name} is in the namespace {child.namespace!r}, which FIXatdl 1.1 does not have")
        notes.append(f"line {child.line}: the element {child.name} of {child.namespace} is not read")
