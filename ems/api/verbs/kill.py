"""The kill switch: stop by scope on one person's word, arm again on two, let paused orders work, and drill."""

from __future__ import annotations

from typing import Final

from domain import kill_switch as ks
from domain.kill_refusal import KillRefusal
from domain.kill_scope import Scope, parse
from domain.kill_table import Level
from domain.values import ScopeKind
from ems.api.ports import Outcome
from ems.api.verb import REASON, Act, Do, Field, Verb
from ems.kill_drill import drill, flushed
from ems.read_models.topic import Role

RISK: Final[frozenset[Role]] = frozenset({"risk"})
STOPPERS: Final[frozenset[Role]] = frozenset({"risk", "trader", "operator"})
_SCOPE: Final = (
    Field("kind", "Scope", "choice", choices=tuple(kind.value for kind in ScopeKind), default="firm"),
    Field("id", "Which", "text", required=False, help="of every kind but the firm: CLIENT-1, TWAP, MSFT"),
    REASON,
)


def _scope(act: Act) -> Scope | KillRefusal:
    kind, name = act.fields["kind"], act.fields["id"]
    return parse(f"{kind}:{name}" if name else str(kind))


async def _check(act: Act) -> dict[str, str]:
    found = _scope(act)
    return {"id": found.text} if isinstance(found, KillRefusal) else {}


def _trip(level: Level) -> Do:
    async def do(act: Act) -> Outcome:
        scope, kill = _scope(act), act.ports.kill
        if isinstance(scope, KillRefusal):
            return Outcome(False, scope.text)
        tripped = kill.trip(scope, level, actor=act.actor, reason=act.reason)
        logged = await flushed(kill)
        later = "" if logged else "; the log does not answer and is told later"
        return Outcome(True, f"{scope.text} is at {level.name}: trip {tripped.trip}{later}", {"trip": tripped.trip})

    return do


async def _rearm(act: Act) -> Outcome:
    scope = parse(act.row_id)
    if isinstance(scope, KillRefusal):
        return Outcome(False, scope.text)
    decided: ks.RearmRequested | ks.Rearmed | KillRefusal | None = None
    for person in (act.person, act.approver or ""):
        decided = await act.ports.kill.rearm(scope, person=person, reason=act.reason) if person else decided
        if isinstance(decided, KillRefusal):
            return Outcome(False, decided.text)
        if isinstance(decided, ks.Rearmed):
            return Outcome(True, f"{scope.text} is armed; orders of before wait until somebody resumes them")
    return Outcome(False, "a second, different person must agree")


async def _resume(act: Act) -> Outcome:
    scope = parse(act.row_id)
    decided = (
        scope if isinstance(scope, KillRefusal) else await act.ports.kill.resume(scope, person=act.person, reason=act.reason)
    )
    return (
        Outcome(False, decided.text) if isinstance(decided, KillRefusal) else Outcome(True, f"orders of {act.row_id} work again")
    )


async def _drill(act: Act) -> Outcome:
    ports = act.ports
    told = await drill(ports.kill, ports.gateways, ports.groups, actor=act.actor)
    told["logged"] = await flushed(ports.kill)
    well = told["gateways_seen"] == told["gateways"] and told["logged"]
    return Outcome(
        well, f"{told['gateways_seen']} of {told['gateways']} gateways saw it; the latch took {told['latch_us']} µs", told
    )


VERBS: Final = (
    Verb("kill_soft", "Stop new positions (SOFT)", _trip(Level.SOFT), STOPPERS, fields=_SCOPE, danger=True, confirm="count",
         check=_check),
    Verb("kill_hard", "Stop and cancel all (HARD)", _trip(Level.HARD), STOPPERS, "K", fields=_SCOPE, danger=True,
         confirm="word:KILL", check=_check),
    Verb("kill_panic", "Stop, cancel and flatten (PANIC)", _trip(Level.PANIC), RISK, fields=_SCOPE, danger=True,
         confirm="word:PANIC", check=_check),
    Verb("kill_rearm", "Arm again", _rearm, RISK, topic="kills", when={"tripped": True}, fields=(REASON,), danger=True,
         confirm="word:REARM", second_person=True),
    Verb("kill_resume", "Let paused orders work", _resume, RISK, topic="kills", when={"paused": True}, fields=(REASON,),
         confirm="count"),
    Verb("kill_drill", "Drill", _drill, frozenset({"risk", "operator"})),
)  # fmt: skip
