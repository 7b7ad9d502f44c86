"""Commands: a verb on some rows, asked under a key that makes it safe to repeat.

What is asked is kept before it is done. The same key with the same words has the same answer for ever; while nobody knows what
became of it, asking again asks the desk again under the same ids, which the desk does no second time.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from domain.account import Asked
from domain.values import stream_id
from ems.api.approving import Approving
from ems.api.auth import Person
from ems.api.catalogue import Catalogue
from ems.api.entitled import sieve
from ems.api.ports import Outcome, Ports
from ems.api.stream import Feed
from ems.api.verb import Act, Verb

ROWS_MAX: Final = 500
_AT_ONCE: Final = 16  # rows of one command that are at the desk at once


class Answer(NamedTuple):
    """An HTTP status and what goes with it."""

    status: int
    body: Mapping[str, Any]


class Commands:
    """Takes them, one key at a time."""

    def __init__(self, catalogue: Catalogue, feed: Feed, ports: Ports) -> None:
        self._catalogue = catalogue
        self._feed = feed
        self._accounts = ports.gate.accounts
        self._ports = ports
        self._records = ports.gate.records
        self._approving = Approving(catalogue, feed)
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def take(self, person: Person, name: str, key: str, body: Mapping[str, Any], address: str) -> Answer:
        """One command. Raises LogUnavailable where it cannot be kept: then it is not done."""
        verb = self._catalogue.verbs.get(name)
        if verb is None:
            return Answer(404, {"text": f"there is no verb {name!r}"})
        if not verb.roles & person.roles:
            await self._records.refused(person.id, name, "not for these roles", address)
            return Answer(403, {"text": f"{verb.title} is for {', '.join(sorted(verb.roles))}"})
        lock = self._locks.setdefault((person.id, key), asyncio.Lock())
        try:
            async with lock:
                return await self._take(person, verb, key, body, address)
        finally:
            if not lock.locked():
                self._locks.pop((person.id, key), None)

    async def _take(self, person: Person, verb: Verb, key: str, body: Mapping[str, Any], address: str) -> Answer:
        # Keyed, for a form may hold a password: whoever reads the table cannot try words against it.
        words = json.dumps([verb.verb, body], sort_keys=True).encode()
        asked = Asked(person.id, key, verb.verb, hmac.digest(self._ports.key, words, "sha256"), self._ports.gate.now_ns)
        before = await self._accounts.asked_as(person.id, key)
        if before is not None and (known := _known(before, asked)) is not None:
            return known
        acts, refused = await self._acts(person, verb, key, body, address)
        if refused is not None:
            return refused
        if before is None and (before := await self._accounts.ask(asked)) is not None:  # by another server, just now
            return _known(before, asked) or Answer(503, {"text": "it is being done: ask again with the same key"})
        outcomes = await self._done(verb, acts, _typed(verb, body))
        told = {"command_id": command_id_of(person.id, key), "verb": verb.verb, "results": [
            {"row": act.row_id or None, "ok": outcome.ok, "text": outcome.text, **outcome.more}
            for act, outcome in zip(acts, outcomes, strict=True)
        ]}  # fmt: skip
        if any(outcome.in_doubt for outcome in outcomes):
            return Answer(503, told | {"text": "the desk does not answer: ask again with the same key"})
        await self._accounts.answered(person.id, key, _kept(told))
        return Answer(202, told)

    # ------------------------------------------------------------------------------------------ acts

    async def _acts(
        self, person: Person, verb: Verb, key: str, body: Mapping[str, Any], address: str
    ) -> tuple[list[Act], Answer | None]:
        fields, wrong = verb.read(_typed(verb, body))
        ids = list(body.get("rows") or ())
        if bool(verb.topic) != bool(ids):
            wrong["rows"] = "choose at least one row" if verb.topic else "this takes no rows"
        elif len(ids) > (ROWS_MAX if verb.bulk else 1):
            wrong["rows"] = f"at most {ROWS_MAX if verb.bulk else 1} rows"
        if wrong:
            return [], _unprocessable(wrong)
        command_id = command_id_of(person.id, key)
        acts = []
        for place, row_id in enumerate(ids or [""]):
            row = await self._row(person, verb, row_id)
            if row is None:
                await self._records.refused(person.id, verb.verb, f"not entitled to {row_id}", address)
                return [], Answer(403, {"text": f"there is no row {row_id} for you"})
            reason = str(fields.get("reason") or body.get("reason") or "")
            acts.append(Act(person.id, row_id, row, fields, reason, f"{command_id}-{place}", self._ports))
        if verb.check is not None and (wrong := await verb.check(acts[0])):
            return [], _unprocessable(wrong)
        return acts, None

    async def _row(self, person: Person, verb: Verb, row_id: str) -> Mapping[str, Any] | None:
        if not verb.topic:
            return {}
        table = self._feed.models.tables[verb.topic]
        await self._feed.fresh(verb.topic)
        row = table.row(row_id)
        if row is None or not sieve(person.account, table.topic).passes(row):
            return None
        return table.named(row_id)

    async def _done(self, verb: Verb, acts: list[Act], typed: dict[str, Any]) -> list[Outcome]:
        if verb.second_person:
            return await self._approving.ask(verb, acts, typed)
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(act: Act) -> Outcome:
            async with at_once:
                return await verb.do(act)

        return list(await asyncio.gather(*(one(act) for act in acts)))


def _typed(verb: Verb, body: Mapping[str, Any]) -> dict[str, Any]:
    """The form as it was filled in; a reason may stand beside it."""
    typed = dict(body.get("fields") or {})
    if "reason" not in typed and any(one.name == "reason" for one in verb.fields):
        typed["reason"] = body.get("reason")
    return typed


def _kept(told: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as it is kept: a secret is shown once."""
    results = [{name: value for name, value in one.items() if name != "secret"} for one in told["results"]]
    return {**told, "results": results}


def _unprocessable(wrong: Mapping[str, str]) -> Answer:
    return Answer(422, {"errors": [{"field": name, "text": text} for name, text in wrong.items()]})


def _known(before: Asked, asked: Asked) -> Answer | None:
    """What the same key was answered before, None where nobody knows what became of it."""
    if before.body != asked.body:
        return Answer(409, {"text": "this key was used for another command"})
    return None if before.answer is None else Answer(202, before.answer)


def command_id_of(person: str, key: str) -> str:
    """The same person and key have the same, on every server."""
    return stream_id("command", person, key).replace("-", "")
