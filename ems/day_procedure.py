"""The start or end of a trade date, run: each step that is not over is done in its order, and what came of it is an event.

It can be stopped and run again at any point: what is done is not done again, and a step that fails is named and tried again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from domain import day_procedure as dp
from domain.day_procedure import DayProcedure, Part, Step, StepDone, StepFailed, StepWaived, Word
from domain.errors import ConfigError, EmsError
from domain.event import Entry, Meta
from domain.ports import Clock, EventLog

Do = Callable[[], Awaitable[str]]


class Who(NamedTuple):
    """Who runs it, on which date, with which code."""

    trade_date: str
    part: Part
    person: str
    build: str


async def standing(log: EventLog, trade_date: str, part: Part) -> DayProcedure:
    """Where it stands. Raises LogError."""
    return dp.fold(recorded.event for recorded in await log.read(dp.key(trade_date, part)))


async def run(log: EventLog, clock: Clock, who: Who, steps: Mapping[Step, Do], *, tell: Callable[[str], None]) -> DayProcedure:
    """Do what is left, up to the first step that fails.

    Args:
        steps: how each step is done; it returns its result in words, and raises EmsError where it cannot be done.
        tell: is told of each step.

    Raises:
        LogError: the log does not answer, or somebody else has run the same procedure meanwhile.
    """
    state = await standing(log, who.trade_date, who.part)
    while (step := dp.next_step(state, who.part)) is not None:
        event: StepDone | StepFailed
        try:
            result = await steps[step]()
            event = StepDone(
                trade_date=who.trade_date, part=who.part, step=step, result=result, person=who.person, at_ns=clock.now_ns()
            )
        except EmsError as error:
            event = StepFailed(
                trade_date=who.trade_date, part=who.part, step=step, why=str(error), person=who.person, at_ns=clock.now_ns()
            )
        state = await _append(log, who, state, event)
        tell(f"{step}: {event.result}" if isinstance(event, StepDone) else f"{step} FAILED: {event.why}")
        if isinstance(event, StepFailed):
            break
    return state


async def waive(log: EventLog, clock: Clock, who: Who, step: Step, reason: str) -> DayProcedure:
    """A person's word that the procedure goes on without its next step.

    Raises:
        ConfigError: another step is next, or no reason is given.
    """
    state = await standing(log, who.trade_date, who.part)
    if dp.next_step(state, who.part) is not step:
        raise ConfigError(f"the {who.part} of {who.trade_date} does not stand before {step}")
    if not reason:
        raise ConfigError("a step is waived for a reason: --reason")
    event = StepWaived(
        trade_date=who.trade_date, part=who.part, step=step, reason=reason, person=who.person, at_ns=clock.now_ns()
    )
    return await _append(log, who, state, event)


async def _append(log: EventLog, who: Who, state: DayProcedure, event: Word) -> DayProcedure:
    stream = dp.key(who.trade_date, who.part)
    meta = Meta(event.at_ns, f"person:{who.person}", correlation=stream, causation=f"command:day {who.part}", build=who.build)
    await log.append([Entry(stream, state.version, (event,), meta)])
    return dp.evolve(state, event)
