"""Every operation of the OpenAPI document, with what it describes and with nonsense: never a server error."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.ems.api.server import Server, Signed

REQUESTS = 120
METHODS = ("get", "post", "put", "delete")
WORDS = ("", "x", "0", "-1", "NaN", "1e400", "null", "'; --", "../../etc", "\u0000", "\u202e", "ä", "💥", "a" * 300, "[]", "{}")


def nonsense(chance: random.Random, depth: int = 0) -> Any:
    """Any JSON there is, and numbers that JSON should not have."""
    plain = (None, True, False, 0, -1, 2**70, -(2**63), 1.5, float("nan"), float("inf"), chance.choice(WORDS))
    match chance.randrange(3 if depth < 3 else 1):
        case 1:
            return [nonsense(chance, depth + 1) for _ in range(chance.randrange(3))]
        case 2:
            return {chance.choice(WORDS): nonsense(chance, depth + 1) for _ in range(chance.randrange(3))}
    return chance.choice(plain)


class Running:
    """A server on a loop of its own thread, and the document's operations with who is signed in."""

    def __init__(self, home: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.document, self.who = self.run(self._open(home))

    def run(self, job: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(job, self.loop).result(60)

    async def _open(self, home: Path) -> tuple[dict[str, Any], Signed]:
        self.server = await Server(home).__aenter__()
        await self.server.trade()
        self._context = self.server.signed_in("root", "viewer", "trader", "risk", "quant", "operator", "admin", "auditor")
        who = await self._context.__aenter__()
        answer = await who.client.get("/api/openapi.json")
        assert answer.status_code == 200
        return answer.json(), who

    async def _close(self) -> None:
        await self._context.__aexit__(None, None, None)
        await self.server.__aexit__()

    def close(self) -> None:
        self.run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("api"))
    yield made
    made.close()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every one but those that sign in and out: the session is needed."""
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and not path.startswith("/api/session")
    ]


def described(schema: dict[str, Any], document: dict[str, Any], chance: random.Random) -> Any:
    """A value that a schema describes, as far as our own document goes; now and then one that it does not."""
    if chance.random() < 0.15:
        return nonsense(chance)
    if "$ref" in schema:
        return described(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, chance)
    if "anyOf" in schema:
        return described(chance.choice(schema["anyOf"]), document, chance)
    match schema.get("type"):
        case "integer":
            return chance.randint(int(schema.get("minimum", 0)), int(schema.get("maximum", 10_000)))
        case "string":
            return "layout" if "pattern" in schema else chance.choice(WORDS)
        case "array":
            return [described(schema.get("items", {}), document, chance) for _ in range(chance.randrange(4))]
        case "object":
            named = schema.get("properties", {}).items()
            return {name: described(one, document, chance) for name, one in named if chance.random() < 0.8}
        case "boolean":
            return chance.random() < 0.5
    return nonsense(chance)


def test_no_operation_answers_with_a_server_error(running: Running) -> None:
    """503 is the one that may be: the desk of this test knows no more than its one answer."""
    every = operations(running.document)
    assert len(every) > 15
    chance = random.Random(7)
    catalogue = running.server.parts.catalogue
    forms = {name: [one.name for one in verb.fields] for name, verb in catalogue.verbs.items()}
    known: dict[str, list[str]] = {
        "verb": list(forms), "topic": list(catalogue.topics), "order": [row["id"] for row in running.server.rows("parents")],
        "child": [row["id"] for row in running.server.rows("children")],
    }  # fmt: skip
    seen: Counter[int] = Counter()
    for number in range(REQUESTS):
        method, path, operation = every[number % len(every)] if number < 2 * len(every) else chance.choice(every)
        query: dict[str, Any] = {}
        headers = {"X-CSRF": running.who.csrf, "Idempotency-Key": f"request-{number}"}
        verb = ""
        for parameter in operation.get("parameters", []):
            name, place = parameter["name"], parameter["in"]
            given = chance.random() < 0.8 and name in known
            value = chance.choice(known[name]) if given else described(parameter["schema"], running.document, chance)
            verb = value if given and name == "verb" else verb
            if place == "path":
                path = path.replace(f"{{{name}}}", quote(str(value), safe="") or "x")
            elif place == "query" and chance.random() < 0.7:
                query[name] = str(value)
        body: Any = None
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = described(schema, running.document, chance)
            if verb and chance.random() < 0.5:  # the form of this verb, filled in by nobody who knows it
                rows = [chance.choice(known["order"])] if chance.random() < 0.5 else []
                body = {"rows": rows, "fields": {name: nonsense(chance) for name in forms[verb]}, "reason": "why"}
        answer = running.run(_ask(running.who.client, method, path, query, headers, body))
        seen[answer.status_code] += 1
        assert answer.status_code < 500 or answer.status_code == 503, (method, path, query, body, answer.text[:300])
    assert seen[200] > REQUESTS // 20 and seen[422] > REQUESTS // 20, seen


async def _ask(client: httpx.AsyncClient, method: str, path: str, query: Any, headers: Any, body: Any) -> httpx.Response:
    content = None if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    return await client.request(method, path, params=query, headers=headers | kind, content=content)


def test_the_document_is_for_administrators(running: Running) -> None:
    async def look() -> int:
        async with running.server.signed_in("vera", "viewer") as vera:
            return (await vera.client.get("/api/openapi.json")).status_code

    assert running.run(look()) == 403
