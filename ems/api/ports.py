"""What verbs reach beyond the api's process, handed in by bootstrap."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from domain.ports import Clock, EventLog
from ems.api.auth import Gate
from ems.kill import KillService
from ems.kill_drill import Gateways
from ems.voucher import vouch

Ask = Callable[[str, dict[str, Any]], Awaitable[Any]]  # a socket's name, a question


class Outcome(NamedTuple):
    """What became of one row's act. in_doubt: nobody knows; the same key asks again."""

    ok: bool
    text: str
    more: Mapping[str, Any] = {}
    in_doubt: bool = False


IN_DOUBT: Final = Outcome(False, "the desk does not answer: ask again with the same key", in_doubt=True)


@dataclass(frozen=True, slots=True)
class Ports:
    """The way out.

    Attributes:
        ask: one question to a process's Unix socket; None where nobody answers.
        key: what the api vouches with.
        gate: accounts, and what is written of them.
        kill: the kill switch, with its log.
        gateways: what each gateway has seen of the kill switch. groups: how many there are.
        arms: of an algo wheel, in their order.
        build: of the code that runs here.
    """

    ask: Ask
    key: bytes
    log: EventLog
    clock: Clock
    gate: Gate
    kill: KillService
    gateways: Gateways
    groups: int
    arms: Callable[[str], Sequence[str]]
    build: str

    async def desk(self, command: dict[str, Any], *, actor: str, command_id: str, approver: str | None = None) -> Outcome:
        """Have the desk decide a command of a person that has been let in here, and, where one approves, of two."""
        second = {} if approver is None else {"approver": f"person:{approver}"}
        return await self.vouched("desk", command | second, actor=actor, command_id=command_id)

    async def vouched(self, socket: str, command: dict[str, Any], *, actor: str, command_id: str) -> Outcome:
        """The same of any process that takes the api's word."""
        said = {"command_id": command_id, "actor": actor, **command}
        return told(await self.ask(socket, {**said, "voucher": vouch(self.key, said)}))


def told(answer: Any) -> Outcome:
    """What a process said of a command."""
    if not isinstance(answer, dict) or "ok" not in answer or answer.get("in_doubt"):
        return IN_DOUBT
    return Outcome(bool(answer["ok"]), str(answer.get("text", "")), {k: v for k, v in answer.items() if k not in ("ok", "text")})
