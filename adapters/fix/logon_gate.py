"""Who may log on, judged from a Logon's text before the engine acts on it; and the secrets of a Logon kept out of sight.

The engine resets a session's numbering for ResetSeqNumFlag before it asks anybody, so the judgement comes first.
"""

from __future__ import annotations

import hmac
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.fix.fields import cut
from adapters.fix.vocabulary import SOH
from domain.errors import ConfigError
from domain.session_rules import SessionRules

_SECRET: Final = re.compile(f"(?<={SOH})(96|554|925|1401|1402|1403|1404)=[^{SOH}]*")  # passwords, plain and encrypted
UNNAMED: Final = "Logon refused: Username (553) and Password (554) are not those of the session"


def is_logon(text: str) -> bool:
    """Is MsgType (35) A, wherever it stands? Quick for all else."""
    return f"{SOH}35=A{SOH}" in text[:200]


def redacted(text: str) -> str:
    """The text without its passwords."""
    return _SECRET.sub(r"\1=***", text)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Username and password of a session; both empty where it has none."""

    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, ***)"


NOBODY: Final = Credentials()


def credentials(name: str, rules: SessionRules) -> Credentials:
    """Those that the rules name. Raises ConfigError where the password is not there."""
    if not rules.username:
        return NOBODY
    if rules.password_env:
        password = os.environ.get(rules.password_env, "")
        place = f"the environment variable {rules.password_env}"
    else:
        try:
            password = Path(rules.password_file).read_text("utf-8").strip()
        except OSError as error:
            raise ConfigError(f"FIX session {name}: its password file cannot be read: {error.strerror}") from error
        place = f"the file {rules.password_file}"
    if not password or not password.isprintable():
        raise ConfigError(f"FIX session {name}: {place} holds no password")
    return Credentials(rules.username, password)


def refusal(text: str, rules: SessionRules, expected: Credentials) -> str:
    """Why a Logon of the peer is refused, "" where it may go on. `UNNAMED` is not told to the peer."""
    fields = cut(text)
    if expected.username and not _same(fields, expected):
        return UNNAMED
    if fields.get("141") == "Y" and rules.reset_flag == "refuse":
        return "Logon refused: this session does not reset its sequence numbers (ResetSeqNumFlag 141)"
    interval = fields.get("108", "")
    low, high = rules.heart_bt_int_min_s, rules.heart_bt_int_max_s
    if interval.isascii() and interval.isdigit() and not low <= int(interval[:9]) <= high:
        return f"Logon refused: HeartBtInt (108) must be between {low} and {high} seconds"
    return ""


def _same(fields: dict[str, str], expected: Credentials) -> bool:
    """Both compared whole, in a time that tells nothing of where they differ."""
    pairs = ((fields.get("553", ""), expected.username), (fields.get("554", ""), expected.password))
    same = [hmac.compare_digest(got.encode("utf-8", "surrogateescape"), wanted.encode()) for got, wanted in pairs]
    return all(same)
