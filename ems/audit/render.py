"""An explanation as text and as one page of HTML that needs nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape

from ems.audit.explanation import Explanation, Section, Status
from ems.audit.words import moment

_MARK = {Status.PRESENT: "", Status.MISSING: "MISSING: ", Status.DOES_NOT_APPLY: "does not apply: "}
_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#14181f;background:#fff}
pre{font:12px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}
section{border-top:1px solid #c8ccd4;padding:.6rem 0}
h1{font-size:1.3rem}
h2{font-size:1rem;margin:.2rem 0}
.missing h2,.missing p,.verdict.missing{color:#a3000b;font-weight:600}
.does_not_apply{color:#565d69}
summary{cursor:pointer;color:#34508c}
"""


def text(told: Explanation) -> Iterator[str]:
    """Lines for a terminal."""
    yield f"{told.asked} in the {told.source}, at event {told.at_seq} of {told.head_seq}, {moment(told.at_ns)}"
    for section in told.sections:
        yield ""
        yield section.name.upper() + (f"  {_said(section)}" if _said(section) else "")
        yield from (f"  {line}" for line in section.lines)
    yield ""
    yield verdict(told)


def verdict(told: Explanation) -> str:
    """Whether it is whole, in one sentence."""
    if told.complete:
        return "complete: nothing is missing"
    return f"INCOMPLETE: {', '.join(told.missing)} {'is' if len(told.missing) == 1 else 'are'} missing"


def _said(section: Section) -> str:
    return f"{_MARK[section.status]}{section.why}" if section.why else ""


def html(told: Explanation) -> str:
    """One page: every section with its lines, and behind a click everything as JSON."""
    parts = [_section(section) for section in told.sections]
    place = f"at event {told.at_seq} of {told.head_seq}, {moment(told.at_ns)}"
    kind = "present" if told.complete else "missing"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(told.asked)}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{escape(told.asked)}</h1>\n<p>{escape(told.source)}, {place}</p>\n"
        f'<p class="verdict {kind}">{escape(verdict(told))}</p>\n' + "\n".join(parts) + "\n</body></html>\n"
    )


def _section(section: Section) -> str:
    said = f"<p>{escape(_said(section))}</p>" if _said(section) else ""
    lines = f"<pre>{escape(chr(10).join(section.lines))}</pre>" if section.lines else ""
    whole = ""
    if section.content is not None:
        whole = f"<details><summary>everything</summary><pre>{escape(json.dumps(section.content, indent=1))}</pre></details>"
    return f'<section class="{section.status.value}"><h2>{section.name}</h2>{said}{lines}{whole}</section>'
