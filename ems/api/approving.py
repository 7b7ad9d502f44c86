"""Two people's acts: the first asks, a second who is signed in as somebody else agrees, and only then it is done.

The question and its answer are events. What was typed is kept as it was typed, and read again when it is agreed to: a second
person agrees to words, not to what they meant an hour ago.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final

from domain import approval
from domain.account import Account
from domain.values import short_id, stream_id
from ems.api.catalogue import Catalogue
from ems.api.entitled import sieve
from ems.api.ports import IN_DOUBT, Outcome
from ems.api.stream import Feed
from ems.api.verb import Act, Field, Verb
from ems.read_models.approvals import Approvals
from ems.read_models.topic import Role

_SECONDS: Final[frozenset[Role]] = frozenset({"trader", "risk", "quant", "operator", "admin"})


class Approving:
    """Asks questions, and does what was agreed to."""

    def __init__(self, catalogue: Catalogue, feed: Feed) -> None:
        self._catalogue = catalogue
        self._feed = feed
        self._lock = asyncio.Lock()  # one answer at a time
        open_ = {"state": "open"}
        reason = Field("reason", "Remark", "reason", required=False)
        catalogue.add(
            Verb("approve", "Agree", self._approve, _SECONDS, "y", "approvals", open_, (reason,), danger=True, confirm="count"),
            Verb("decline", "Decline", self._decline, _SECONDS, "x", "approvals", open_, (reason,)),
        )

    async def ask(self, verb: Verb, acts: list[Act], typed: dict[str, object]) -> list[Outcome]:
        """Write the question for all rows."""
        first = acts[0]
        name = short_id(stream_id("question", first.command_id), 16)
        asked = approval.Asked(
            approval=name, verb=verb.verb, rows=tuple(act.row_id for act in acts if act.row_id),
            fields=json.dumps(typed, sort_keys=True), reason=first.reason,
            expires_ns=self._feed.now_ns + approval.VALID_NS,
        )  # fmt: skip
        if not await first.ports.log.read(approval.key(name)):
            cause = f"command:{first.command_id}"
            await first.ports.gate.records.say(approval.key(name), asked, actor=first.actor, causation=cause)
        waits = Outcome(True, "a second person must agree within an hour", {"pending": "approval", "approval": name})
        return [waits] * len(acts)

    # ---------------------------------------------------------------------------------------- answers

    async def _approve(self, act: Act) -> Outcome:
        async with self._lock:
            found, refused = await self._found(act)
            if found is None or refused:
                return Outcome(False, refused)
            verb = self._catalogue.verbs.get(found.asked.verb)
            asker = await act.ports.gate.accounts.account(found.by.removeprefix("person:"))
            second = await act.ports.gate.accounts.account(act.person)
            if verb is None or asker is None or second is None:
                return Outcome(False, "what was asked for is no more")
            for person in (asker, second):
                if person.disabled or not verb.roles & person.roles:
                    return Outcome(False, f"{verb.title} is not for {person.id}")
            outcomes = await self._do(verb, act, found.asked, asker, second)
            if any(outcome.in_doubt for outcome in outcomes):
                return IN_DOUBT
            ok = all(outcome.ok for outcome in outcomes)
            text = "; ".join(dict.fromkeys(outcome.text for outcome in outcomes))
            ended = approval.Ended(approval=act.row_id, outcome="approved" if ok else "failed", text=text)
            await self._end(act, ended)
            return Outcome(ok, text)

    async def _decline(self, act: Act) -> Outcome:
        async with self._lock:
            stands = self._questions().get(act.row_id)
            if stands is None or stands.ended is not None:
                return Outcome(False, "it has been answered already")
            await self._end(act, approval.Ended(approval=act.row_id, outcome="declined", text=act.reason))
            return Outcome(True, "declined")

    async def _found(self, act: Act) -> tuple[approval.Approval | None, str]:
        """The question as the log has it now, and why this person may not agree to it."""
        found = self._questions().get(act.row_id)
        if found is not None and found.ended is None and len(await act.ports.log.read(approval.key(act.row_id))) > 1:
            return None, "it has just been answered"
        return found, approval.refusal(found, act.actor, self._feed.now_ns)

    def _questions(self) -> dict[str, approval.Approval]:
        table = self._feed.models.tables["approvals"]
        assert isinstance(table, Approvals)
        return table.questions

    async def _end(self, act: Act, ended: approval.Ended) -> None:
        cause = f"command:{act.command_id}"
        await act.ports.gate.records.say(approval.key(ended.approval), ended, actor=act.actor, causation=cause)

    async def _do(self, verb: Verb, act: Act, asked: approval.Asked, asker: Account, second: Account) -> list[Outcome]:
        fields, wrong = verb.read(json.loads(asked.fields))
        if wrong:
            return [Outcome(False, "; ".join(f"{name}: {text}" for name, text in wrong.items()))]
        outcomes = []
        for place, row_id in enumerate(asked.rows or ("",)):
            row = {}
            if verb.topic:
                table = self._feed.models.tables[verb.topic]
                known, values = table.named(row_id), table.row(row_id)
                seen = values is not None and all(sieve(one, table.topic).passes(values) for one in (asker, second))
                if known is None or not seen:
                    outcomes.append(Outcome(False, f"there is no row {row_id} for both of you"))
                    continue
                row = known
            command_id = f"{short_id(stream_id('approved', asked.approval), 20)}-{place}"
            made = Act(asker.id, row_id, row, fields, asked.reason, command_id, act.ports, second.id)
            outcomes.append(await verb.do(made))
        return outcomes
