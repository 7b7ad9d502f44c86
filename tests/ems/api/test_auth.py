"""The token, the cookie, the origin: who is let in, and that secrets stay secret."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ems.api.auth import COOKIE, Access, make_token, same_origin, security_headers


def test_a_token_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = make_token(path)
    assert len(token) >= 32
    assert make_token(path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("headers", "cookies", "admitted"),
    [
        ({}, {}, False),
        ({}, {COOKIE: "guess"}, False),
        ({}, {COOKIE: "secret"}, False),  # the token itself is no cookie
        ({"authorization": "Bearer secret"}, {}, True),
        ({"authorization": "bearer  secret "}, {}, True),
        ({"authorization": "Basic secret"}, {}, False),
        ({"authorization": "Bearer secrets"}, {}, False),
        ({"authorization": "Bearer "}, {}, False),
        ({"authorization": "Bearer sécret"}, {}, False),
    ],
)
def test_who_is_let_in(headers: dict[str, str], cookies: dict[str, str], admitted: bool) -> None:
    assert Access("secret").admits(headers, cookies) is admitted


def test_the_cookie_lets_in_after_a_restart_and_tells_nothing_of_the_token() -> None:
    cookie = Access("secret").cookie_value
    assert Access("secret").admits({}, {COOKIE: cookie})
    assert not Access("another").admits({}, {COOKIE: cookie})
    assert "secret" not in cookie


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"host": "127.0.0.1:8410", "origin": "http://127.0.0.1:8410"}, True),
        ({"host": "127.0.0.1:8410", "origin": "http://evil.example"}, False),
        ({"host": "127.0.0.1:8410", "origin": "http://127.0.0.1:9999"}, False),
        ({"host": "127.0.0.1:8410", "origin": "null"}, False),
        ({"host": "127.0.0.1:8410"}, True),
    ],
)
def test_only_a_page_of_ours_opens_a_socket(headers: dict[str, str], same: bool) -> None:
    assert same_origin(headers) is same


def test_nothing_may_be_loaded_from_elsewhere() -> None:
    policy = security_headers("127.0.0.1:8410")["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy and "*" not in policy
