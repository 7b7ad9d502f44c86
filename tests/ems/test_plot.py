"""`ems plot tape`: the page stands by itself, and what it draws is the book's own."""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from domain.errors import ConfigError, ReferenceDataError
from domain.tape import Kind, tape_of
from ems.bootstrap.plot import plot_tape
from ems.chart import Dots, Heat, Line, Panel, page
from models.tape_store import Source, TapeInstrument, TapeWriter


def rows(path: Path) -> Path:
    """Three minutes: the bid rises tick by tick, and a sale a minute."""
    out = []
    for n in range(180):
        now = n * 10**9
        out += [(now, now, 0, 100 + n, 5, 0, 0, Kind.LEVEL, 1), (now, now, 0, 400, 7, 0, 0, Kind.LEVEL, -1)]
        if n % 60 == 30:
            out.append((now, now, 0, 100 + n, 2, 0, 0, Kind.TRADE, 1))
    np.save(path / "made.npy", tape_of(out))
    return path / "made.npy"


def test_the_page_shows_the_book_at_its_moments(tmp_path: Path) -> None:
    shown = plot_tape(rows(tmp_path), tmp_path / "tape.html", columns=180)
    assert shown.ten[:, 0].tolist() == [[100 + n, 5, 400, 7] for n in range(180)]
    assert shown.prints.tolist() == [[n * 10**9, 2 * (100 + n), 2] for n in (30, 90, 150)]
    text = (tmp_path / "tape.html").read_text("utf-8")
    assert "http" not in text.replace("http-equiv", ""), "nothing is fetched"
    svg = ET.fromstring(re.search(r"<svg.*</svg>", text, re.DOTALL)[0])
    titles = [node.text for node in svg.iter("text") if node.get("font-weight")]
    assert len(titles) == 9 and titles[0] == "Price" and titles[1].startswith("Depth")
    assert text.count("<path") == 10 and "NaN" not in text and "nan" not in text
    assert "00:02:59" in text


def test_a_stored_tape_is_drawn_in_its_own_ticks(tmp_path: Path) -> None:
    made = np.load(rows(tmp_path))
    with_name = TapeInstrument(0, "ABC", 5 * 10**7, 10**9)
    writer = TapeWriter.create(tmp_path / "day", (with_name,), Source("made", "", "test", {}))
    writer.append(made)
    writer.close()
    shown = plot_tape(tmp_path / "day", tmp_path / "tape.html", columns=180)
    assert shown.ten[:, 0].tolist() == [[100 + n, 5, 400, 7] for n in range(180)]
    text = (tmp_path / "tape.html").read_text("utf-8")
    assert "day, ABC" in text
    plot_tape(rows(tmp_path), tmp_path / "other.html", columns=180, tick_e9=5 * 10**7)
    assert _drawn(text) == _drawn((tmp_path / "other.html").read_text("utf-8"))
    plot_tape(rows(tmp_path), tmp_path / "cents.html", columns=180)
    assert _drawn(text) != _drawn((tmp_path / "cents.html").read_text("utf-8"))


def _drawn(text: str) -> list[str]:
    """Every number that stands beside an axis."""
    return re.findall(r"<text[^>]*>([^<]+)</text>", text)


def test_a_heat_map_is_the_cells_it_was_given() -> None:
    heat = Heat(0.0, 2.0, [b"\0\1", b"\2\0"], [(1, 1, 1), (2, 2, 2), (3, 3, 3)])
    text = page("t", "", [Panel("p", 50, heat=heat)])
    png = base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])
    assert png.startswith(b"\x89PNG") and png[16:24] == b"\0\0\0\2\0\0\0\2"
    begin = png.index(b"IDAT") + 4
    assert zlib.decompress(png[begin : begin + int.from_bytes(png[begin - 8 : begin - 4])]) == b"\0\2\0\0\0\1", (
        "high prices above"
    )


def test_gaps_are_gaps_and_names_are_text() -> None:
    text = page(
        "<t>", "a & b", [Panel("<p>", 50, [Line("l", "#000", [1.0, float("nan"), 2.0])], [Dots("d", "#111", [(0.5, 1.5)])])]
    )
    assert "&lt;t&gt;" in text and "a &amp; b" in text and "&lt;p&gt;" in text
    assert re.search(r'stroke="#000" d="M[\d.]+ [\d.]+M[\d.]+ [\d.]+"', text)


@pytest.mark.parametrize(("instrument", "columns"), [(1, 100), (0, 1)])
def test_what_cannot_be_drawn_is_said(tmp_path: Path, instrument: int, columns: int) -> None:
    with pytest.raises((ReferenceDataError, ConfigError)):
        plot_tape(rows(tmp_path), tmp_path / "tape.html", instrument=instrument, columns=columns)


def test_a_file_that_is_no_tape_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "other.npy", np.zeros(3))
    with pytest.raises(ConfigError, match=r"other\.npy"):
        plot_tape(tmp_path / "other.npy", tmp_path / "tape.html")
    with pytest.raises(ConfigError, match=r"none\.npy"):
        plot_tape(tmp_path / "none.npy", tmp_path / "tape.html")
