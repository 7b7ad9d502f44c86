"""XML as a tree that knows its lines, read so that a hostile file can do no more than be refused.

Refused before anything is built from it: a document type (and with it every entity and every external reference), more
bytes, elements or depth than a file of algorithms has use for, and what is not well-formed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import AttributesNSImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.sax import make_parser

from domain.errors import ReferenceDataError

BYTES_MAX: Final = 4 * 2**20  # the largest file known, fifteen strategies, has 126 kB
ELEMENTS_MAX: Final = 20_000
DEPTH_MAX: Final = 64
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element. Attributes of foreign namespaces are left out; xsi:type is read into `type`."""

    file: str
    line: int
    namespace: str
    name: str
    attributes: dict[str, str]
    type: tuple[str, str] | None = None  # (namespace, local name) of xsi:type
    children: list[Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def wrong(self, why: str) -> ReferenceDataError:
        """The error that names this element's place."""
        return refused(self.file, self.line, why)

    def each(self, namespace: str, *names: str) -> Iterator[Element]:
        """The children of these names."""
        return (child for child in self.children if child.namespace == namespace and child.name in names)

    def said(self) -> str:
        """Its own text, with blanks run together."""
        return " ".join("".join(self.text).split())


def refused(file: str, line: int, why: str) -> ReferenceDataError:
    """The error for one line of a file."""
    return ReferenceDataError(f"{file} line {line}: {why}")


def parse(file: str, content: bytes) -> Element:
    """The root of a file's tree; file names it in errors.

    Raises:
        ReferenceDataError: names the line and what is wrong with it.
    """
    if len(content) > BYTES_MAX:
        raise ReferenceDataError(f"{file} has {len(content)} bytes, at most {BYTES_MAX} are read")
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, True)
    tree = _Tree(file, parser)
    parser.setContentHandler(tree)
    try:
        parser.parse(io.BytesIO(content))
    except DefusedXmlException as cause:
        why = "a document type is refused, and with it every entity and external reference"
        raise refused(file, parser.getLineNumber(), why) from cause
    except SAXParseException as cause:
        raise refused(file, cause.getLineNumber() or 1, f"is not well-formed XML: {cause.getMessage()}") from cause
    except (ValueError, LookupError) as cause:
        raise refused(file, parser.getLineNumber(), f"is in an encoding that is not read: {cause}") from cause
    return tree.root


class _Tree(ContentHandler):
    """Builds the tree, and stops where it grows beyond the limits."""

    def __init__(self, file: str, locator: Locator) -> None:
        super().__init__()
        self._file = file
        self._locator = locator
        self._prefixes: dict[str | None, list[str]] = {}
        self._open: list[Element] = []
        self._elements = 0
        self.root: Element

    def startPrefixMapping(self, prefix: str | None, uri: str | None) -> None:  # noqa: N802
        self._prefixes.setdefault(prefix, []).append(uri or "")

    def endPrefixMapping(self, prefix: str | None) -> None:  # noqa: N802
        self._prefixes[prefix].pop()

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl) -> None:  # noqa: N802
        line = self._locator.getLineNumber() or 1
        self._elements += 1
        if self._elements > ELEMENTS_MAX:
            raise refused(self._file, line, f"is the end of what is read: {ELEMENTS_MAX} elements")
        if len(self._open) == DEPTH_MAX:
            raise refused(self._file, line, f"elements lie in each other more than {DEPTH_MAX} deep")
        own = {local: attrs.getValue((space, local)) for space, local in attrs.getNames() if not space}
        kind = attrs.get((XSI, "type"))
        element = Element(self._file, line, name[0] or "", name[1], own, self._qualified(kind) if kind else None)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802
        self._open.pop()

    def characters(self, content: str) -> None:
        self._open[-1].text.append(content)

    def _qualified(self, name: str) -> tuple[str, str]:
        prefix, colon, local = name.strip().rpartition(":")
        spaces = self._prefixes.get(prefix if colon else None)
        return (spaces[-1] if spaces else "", local)
