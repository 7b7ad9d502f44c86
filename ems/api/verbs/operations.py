"""FIX sessions: stopped, started, started again, through the supervisor, which has the desk write it first."""

from __future__ import annotations

from typing import Final

from ems.api.ports import Outcome
from ems.api.verb import REASON, Act, Do, Verb
from ems.read_models.topic import Role

OPERATORS: Final[frozenset[Role]] = frozenset({"operator"})


def _operate(act_name: str) -> Do:
    async def do(act: Act) -> Outcome:
        said = {"command": act_name, "session": act.row_id, "reason": act.reason}
        return await act.ports.vouched("supervisor", said, actor=act.actor, command_id=act.command_id)

    return do


VERBS: Final = (
    Verb("session_stop", "Stop the session", _operate("stop"), OPERATORS, topic="sessions", when={"up": True}, fields=(REASON,),
         danger=True, confirm="count"),
    Verb("session_start", "Start the session", _operate("start"), OPERATORS, topic="sessions", when={"up": False},
         fields=(REASON,)),
    Verb("session_restart", "Start the session again", _operate("restart"), OPERATORS, topic="sessions", fields=(REASON,),
         danger=True, confirm="count"),
)  # fmt: skip
