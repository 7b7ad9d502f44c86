"""Versions of models: promoted, rolled back, retired. Who registered one does not make it champion: that is another's word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain import model_version as mv
from domain.event import Event
from domain.model_version import Alias, ModelRefusal, Registry
from ems import model_registry
from ems.api.ports import Outcome
from ems.api.verb import REASON, Act, Do, Field, Verb
from ems.read_models.topic import Role

QUANTS: Final[frozenset[Role]] = frozenset({"quant"})
_ALIAS: Final = Field("alias", "As", "choice", choices=tuple(alias.value for alias in Alias), default="champion")


def _say(decide: Callable[[Act, Registry, int], Event | ModelRefusal], done: str) -> Do:
    async def do(act: Act) -> Outcome:
        ports = act.ports

        def decided(state: Registry, at_ns: int) -> Event | ModelRefusal:
            return decide(act, state, at_ns)

        found = await model_registry.say(ports.log, ports.clock, decided, person=act.person, build=ports.build)
        return Outcome(False, found.text) if isinstance(found, ModelRefusal) else Outcome(True, done)

    return do


def _promote(act: Act, state: Registry, at_ns: int) -> Event | ModelRefusal:
    alias = Alias(act.fields["alias"])
    return mv.promote(state, act.row_id, alias, person=act.person, reason=act.reason, at_ns=at_ns)


def _roll_back(act: Act, state: Registry, at_ns: int) -> Event | ModelRefusal:
    alias = Alias(act.fields["alias"])
    return mv.roll_back(state, str(act.row["model"]), alias, person=act.person, reason=act.reason, at_ns=at_ns)


def _retire(act: Act, state: Registry, at_ns: int) -> Event | ModelRefusal:
    return mv.retire(state, act.row_id, person=act.person, reason=act.reason, at_ns=at_ns)


VERBS: Final = (
    Verb("model_promote", "Promote", _say(_promote, "promoted"), QUANTS, topic="models", fields=(_ALIAS, REASON), danger=True,
         confirm="count"),
    Verb("model_rollback", "Roll back", _say(_roll_back, "it is who it was before"), QUANTS, topic="models",
         fields=(_ALIAS, REASON), danger=True, confirm="count"),
    Verb("model_retire", "Retire", _say(_retire, "retired: it decides nothing any more"), QUANTS, topic="models",
         fields=(REASON,), danger=True, confirm="word:RETIRE"),
)  # fmt: skip
