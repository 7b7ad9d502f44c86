"""Secrets taken out of what is told: log lines, exceptions, the flight recorder. Pure.

By name, wherever a field is called like one; by shape, where a text holds one: a connection string's password, `password=...`,
a bearer token, and FIX's Password (554), NewPassword (925), their encrypted forms, and RawData (96) of a Logon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "***"
_WORDS: Final = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|private[_-]?key|credentials?|authorization|cookie|invite|voucher"
)
_VALUE: Final = r"(\"[^\"]*\"|'[^']*'|[^\s,;)}\x01|&]+)"
_NAMED: Final = re.compile(rf"(?:^|[_.\-])(?:{_WORDS})(?:$|[_.\-])", re.IGNORECASE)
_SHAPES: Final = (
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s/@]+(@)"), rf"\1{MASK}\2"),  # of an address
    (re.compile(r"((?:Bearer|Basic)\s+)[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"(\b[\w-]*(?:{_WORDS})\b[\"']?\s*[=:]\s*)(?!\*\*\*){_VALUE}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"((?:^|[\x01|\s\"^])(?:554|925|1402|1404|96)=)[^\x01|\s\"]*"), rf"\1{MASK}"),
    (re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END|$)", re.DOTALL), rf"\1{MASK}"),
)  # fmt: skip


def scrubbed(text: str) -> str:
    """A text without what looks like a secret in it."""
    for pattern, instead in _SHAPES:
        text = pattern.sub(instead, text)
    return text


def scrubbed_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields without secrets, at any depth."""
    return {name: MASK if _NAMED.search(name) and value else _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, Mapping):
        return scrubbed_fields({str(name): one for name, one in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value if isinstance(value, int | float | None) else scrubbed(str(value))
