"""Signing in and out over a real socket, and everything that is refused on the way."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from domain import access
from ems.api import bundle
from ems.api.auth import COOKIE, Failures, digest_of
from tests.ems.api.server import PASSWORD, Server

HOUR_NS = 3_600_000_000_000


async def test_a_password_becomes_a_cookie_that_no_script_can_read(server: Server) -> None:
    await server.hire("jane", "viewer", "trader")
    async with server.client() as client:
        answer = await client.post("/api/session", json={"user": "jane", "password": PASSWORD})
        assert answer.status_code == 200
        assert (answer.json()["user"], answer.json()["roles"], answer.json()["mode"]) == ("jane", ["trader", "viewer"], "PAPER")
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith(COOKIE) and "httponly" in cookie and "samesite=strict" in cookie
        assert (await client.get("/api/session")).json() == answer.json()
        gone = await client.delete("/api/session", headers={"X-CSRF": answer.json()["csrf"]})
        assert gone.status_code == 200
        client.cookies.set(COOKIE, answer.cookies[COOKIE])
        assert (await client.get("/api/session")).status_code == 401, "the session is no more, whoever keeps its cookie"
    assert [one.event.TOPIC for one in await server.events(object)] == ["access.signed_in.v1", "access.signed_out.v1"]


@pytest.mark.parametrize("user", ["jane", "nobody", "off"])
async def test_who_does_not_know_the_password_is_refused_the_same_and_it_is_an_event(server: Server, user: str) -> None:
    await server.hire("jane", "viewer")
    async with server.client() as client:
        answer = await client.post("/api/session", json={"user": user, "password": "not the password"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "that is not a name and its password"})
    (refused,) = await server.events(access.Refused)
    assert (refused.event.user, refused.event.what) == ("jane" if user == "jane" else access.STRANGER, "sign in")


async def test_many_failures_have_to_wait_even_with_the_right_password(server: Server) -> None:
    await server.hire("jane", "viewer")
    async with server.client() as client:
        for _ in range(5):
            assert (await client.post("/api/session", json={"user": "jane", "password": "wrong"})).status_code == 401
        answer = await client.post("/api/session", json={"user": "jane", "password": PASSWORD})
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1


def test_each_failure_doubles_the_wait_and_what_is_remembered_is_bounded() -> None:
    now = 0.0
    failures = Failures(lambda: now)
    waits = []
    for _ in range(8):
        failures.failed("user:jane")
        waits.append(failures.wait_s("user:jane"))
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8]
    now = 8.5
    assert failures.wait_s("user:jane") < 0
    for number in range(20_000):
        failures.failed(f"user:{number}")
    assert len(failures._of) == 10_000


async def test_without_a_session_everything_but_health_and_the_page_is_401(server: Server) -> None:
    async with server.client() as client:
        for path in ("/api/session", "/api/catalogue"):
            assert (await client.get(path)).status_code == 401
        posted = await client.post("/api/commands/pause", json={}, headers={"Idempotency-Key": "a-key-of-mine"})
        assert posted.status_code == 401
        health = await client.get("/health")
    assert health.json() == {"status": "ok", "seq": 0, "following": True}


async def test_a_change_needs_the_sessions_word_and_a_page_of_ours(server: Server) -> None:
    async with server.signed_in("jane", "trader") as jane:
        key = {"Idempotency-Key": "a-key-of-mine"}
        for headers, why in (
            ({}, "without the session's word (X-CSRF)"),
            ({"X-CSRF": "guessed"}, "without the session's word (X-CSRF)"),
            ({"X-CSRF": jane.csrf, "Origin": "http://evil.example"}, "a foreign page"),
        ):
            answer = await jane.client.post("/api/commands/pause", json={"rows": ["x"]}, headers=headers | key)
            assert (answer.status_code, answer.json()["detail"]) == (403, why)
    assert [one.event.why for one in await server.events(access.Refused)][-1] == "a foreign page"
    assert server.asked == []


async def test_a_foreign_page_cannot_sign_anybody_in(server: Server) -> None:
    await server.hire("jane", "viewer")
    async with server.client(headers={"Origin": "http://evil.example"}) as client:
        answer = await client.post("/api/session", json={"user": "jane", "password": PASSWORD})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


async def test_a_one_time_link_makes_the_first_account_once(server: Server) -> None:
    far_ns = server.gate.now_ns + HOUR_NS
    await server.accounts.invite(digest_of("the-link"), frozenset({"admin", "viewer"}), far_ns)
    asked = {"invite": "the-link", "user": "root", "password": "a password of sorts"}
    async with server.client() as client:
        assert (await client.post("/api/session/invite", json=asked | {"password": "short"})).status_code == 422
        assert (await client.post("/api/session/invite", json=asked | {"user": "No Such"})).status_code == 422
        first = await client.post("/api/session/invite", json=asked)
        assert first.status_code == 200 and first.json()["roles"] == ["admin", "viewer"]
        again = await client.post("/api/session/invite", json=asked | {"user": "other"})
        assert again.status_code == 401
        bad = await client.post("/api/session/invite", json=asked | {"invite": "guessed", "user": "other"})
        assert bad.status_code == 401
    (made,) = await server.events(access.AccountChanged)
    assert made.event.roles == ("admin", "viewer")
    assert "a password of sorts" not in repr(server.log.rows), "no event carries a password"


async def test_every_answer_carries_the_security_headers(server: Server) -> None:
    async with server.client() as client:
        answers = [await client.get("/"), await client.get("/health"), await client.get("/api/session")]
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


async def test_a_foreign_host_name_is_refused(server: Server) -> None:
    async with server.client() as client:
        assert (await client.get("/health", headers={"Host": "evil.example"})).status_code == 400


async def test_each_page_has_a_word_of_its_own_for_its_style_sheets(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(f'<meta name="csp-nonce" content="{bundle.NONCE}">')
    app = FastAPI()
    app.include_router(bundle.routes(tmp_path))
    seen = set()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        for _ in range(2):
            page = await client.get("/")
            (word,) = re.findall(r'content="([^"]+)"', page.text)
            policy = page.headers["content-security-policy"]
            assert f"style-src 'self' 'nonce-{word}'" in policy and "script-src 'self';" in policy
            assert "unsafe" not in policy
            seen.add(word)
        assert (await client.get("/assets/%2e%2e%2findex.html")).status_code == 404
    assert len(seen) == 2
