"""Hostile and broken XML is refused with its line, before anything is built from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fixatdl import xml
from adapters.fixatdl.xml import parse
from domain.errors import ReferenceDataError

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">\n' for n in range(10))


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        (f"<?xml version='1.0'?>\n<!DOCTYPE a [\n{LAUGHS}]>\n<a>&l9;</a>", 2, "document type"),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'>\n<a/>", 1, "document type"),
        ("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n<a>&x;</a>", 1, "document type"),
        ("<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/x'> %x;]><a/>", 1, "document type"),
        ("\n<a>\n&x;</a>", 3, "undefined entity"),
        ("<a>\n<b>\n</a>", 3, "mismatched tag"),
        ("<a>\n", 2, "no element found"),
        ("", 1, "no element found"),
        ("<a/>\n<b/>", 2, "junk after document element"),
        ("<a\n b='1' b='2'/>", 2, "duplicate attribute"),
        ("<a>\n<x:b/></a>", 2, "unbound prefix"),
        ("<a b='&#1;'/>", 1, "invalid character"),
        ("<?xml version='1.0' encoding='utf-7'?><a/>", 1, "encoding"),
        ("<?xml version='1.0' encoding='klingon'?><a/>", 1, "encoding"),
        ("<?xml version='1.0' encoding='hex'?><a/>", 1, "encoding"),
        ("<a>\n" * 65, 65, "more than 64 deep"),
        ("<a>\n" + "<b/>" * xml.ELEMENTS_MAX + "</a>", 2, "20000 elements"),
    ],
    ids=lambda value: None if isinstance(value, int) else value[:30],
)
def test_refused_with_its_line(content: str, line: int, why: str) -> None:
    with pytest.raises(ReferenceDataError, match=f"^broker.xml line {line}: .*{why}"):
        parse("broker.xml", content.encode())


def test_a_huge_file_is_not_even_begun() -> None:
    with pytest.raises(ReferenceDataError, match=f"{xml.BYTES_MAX + 1} bytes"):
        parse("broker.xml", b" " * (xml.BYTES_MAX + 1))


def test_a_tree_knows_lines_names_types_and_text() -> None:
    content = f"""<a xmlns="urn:one" xmlns:x="urn:two" xmlns:i="{xml.XSI}" i:type="T" x:foreign="1">
      <x:b i:type="x:U"
           own="2"> some
        text </x:b>
      <c i:type="gone:V" xmlns=""/>
    </a>"""
    root = parse("f", content.encode("utf-16"))
    b, c = root.children
    assert (root.namespace, root.name, root.line, root.type, root.attributes) == ("urn:one", "a", 1, ("urn:one", "T"), {})
    assert (b.namespace, b.name, b.line, b.type, b.attributes) == ("urn:two", "b", 2, ("urn:two", "U"), {"own": "2"})
    assert (c.namespace, c.line, c.type) == ("", 5, ("", "V"))
    assert b.said() == "some text"
    assert [child.name for child in root.each("urn:two", "b", "c")] == ["b"]


def test_an_included_file_is_not_read() -> None:
    root = parse("f", b"<a xmlns:x='http://www.w3.org/2001/XInclude'><x:include href='/etc/passwd' parse='text'/></a>")
    assert root.children[0].text == []


@given(st.one_of(st.binary(max_size=200), st.text(alphabet="<>/&;!?a='\"[]x: \n", max_size=200).map(str.encode)))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        said = parse("f", content).name
    except ReferenceDataError as refused:
        said = str(refused)
    assert said
