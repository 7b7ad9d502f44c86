"""The start and end of a day: in order, resumed where they stopped, nothing twice; on a half day, a holiday and a weekend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from adapters.clock import WallClock
from adapters.memory.event_log import MemoryEventLog
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.signing.ed25519 import KeyVerifier
from domain import day_procedure as dp
from domain.catalogue import TOPICS
from domain.day_procedure import STEPS, Step, StepFailed, StepWaived
from domain.errors import ConfigError
from ems import day_procedure
from ems.bootstrap import kill, sealing
from ems.cli.program import app
from ems.config import load
from ems.day_procedure import Do, Who
from ems.sealer import Sealer
from tests.conftest import Database

WHO = Who("2026-11-27", "end", "jane", "test")


class Steps:
    """Counts what is done; the step in `fails` cannot be."""

    def __init__(self) -> None:
        self.done: list[Step] = []
        self.fails: Step | None = None
        self.told: list[str] = []

    def all(self) -> dict[Step, Do]:
        return {step: self._do(step) for step in STEPS["end"]}

    def _do(self, step: Step) -> Do:
        async def do() -> str:
            if step is self.fails:
                raise ConfigError(f"not {step}")
            self.done.append(step)
            return f"{step} it is"

        return do


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog(TOPICS, WallClock())


async def test_a_step_that_fails_stops_it_and_the_next_run_goes_on_there(log: MemoryEventLog) -> None:
    steps = Steps()
    steps.fails = Step.BREAKS
    state = await day_procedure.run(log, WallClock(), WHO, steps.all(), tell=steps.told.append)
    assert dp.next_step(state, "end") is Step.BREAKS
    assert steps.done == [Step.CLOSED, Step.ORDERS]
    assert steps.told[-1] == "breaks FAILED: not breaks"
    steps.fails = None
    state = await day_procedure.run(log, WallClock(), WHO, steps.all(), tell=steps.told.append)
    assert dp.next_step(state, "end") is None
    assert steps.done == list(STEPS["end"])
    again = await day_procedure.run(log, WallClock(), WHO, steps.all(), tell=steps.told.append)
    assert again == state
    assert steps.done == list(STEPS["end"])
    assert [type(one.event) for one in await log.read(dp.key("2026-11-27", "end"))].count(StepFailed) == 1


async def test_a_person_waives_the_next_step_alone_and_for_a_reason(log: MemoryEventLog) -> None:
    steps = Steps()
    steps.fails = Step.CLOSED
    await day_procedure.run(log, WallClock(), WHO, steps.all(), tell=steps.told.append)
    with pytest.raises(ConfigError, match="does not stand before sealed"):
        await day_procedure.waive(log, WallClock(), WHO, Step.SEALED, "why not")
    with pytest.raises(ConfigError, match="for a reason"):
        await day_procedure.waive(log, WallClock(), WHO, Step.CLOSED, "")
    state = await day_procedure.waive(log, WallClock(), WHO, Step.CLOSED, "the market broke down")
    assert isinstance(state.of(Step.CLOSED), StepWaived)
    assert dp.next_step(state, "end") is Step.ORDERS


@pytest.fixture
def ems(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """`ems day` on a database of its own, at a moment of the market's clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMS_DATABASE_OWNER_URL", database.owner_dsn)

    def call(at: str, *words: str) -> tuple[int, str]:
        (tmp_path / "ems.toml").write_text(
            f'state_directory = "state"\ndatabase_url = "{database.app_dsn}"\n[clock]\nkind = "tape"\nstart = {at}\n'
        )
        done = CliRunner().invoke(app, ["day", *words])
        structlog.reset_defaults()
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout

    return call


def seal() -> None:
    """As the sealer's process does."""

    async def turn() -> None:
        key = sealing.signer(runtime)
        async with PostgresSealedLog(runtime.settings.database_url) as log:
            await Sealer(log, key, KeyVerifier(key.public_key), sealing.anchors(runtime), WallClock()).turn()

    runtime = kill.runtime_of(load(Path("ems.toml")))
    sealing.directory(runtime).mkdir(parents=True, exist_ok=True)
    asyncio.run(turn())


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-26T14:00:00Z", "does not trade on 2026-11-26, a holiday: it opens next on 2026-11-27"),
        ("2026-11-28T15:00:00Z", "does not trade on 2026-11-28, a weekend: it opens next on 2026-11-30"),
    ],
)
def test_no_day_starts_on_a_holiday_or_a_weekend(ems: Callable[..., tuple[int, str]], at: str, said: str) -> None:
    code, out = ems(at, "start", "--market", "XNAS")
    assert code == 1
    assert said in out
    assert out.endswith("the start of the day stands before calendar\n")


def test_a_half_day_from_its_start_to_its_end(ems: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = ems("2026-11-27T13:00:00Z", "start", "--market", "XNAS", "-p", "jane")
    assert code == 0, out
    assert "calendar: XNAS trades until 2026-11-27 18:00 UTC, a half day" in out
    assert "yesterday: nothing was recorded on 2026-11-25" in out
    assert "carried: 0 orders are carried" in out

    code, out = ems("2026-11-27T17:59:00Z", "end", "--market", "XNAS", "-p", "jane")
    assert code == 1
    assert "the market closes at 2026-11-27 18:00 UTC: the day can be ended in" in out

    monkeypatch.setattr("ems.bootstrap.day_steps.SEAL_WAIT_S", 0.5)
    code, out = ems("2026-11-27T18:05:00Z", "end", "--market", "XNAS", "-p", "jane")
    assert code == 1
    assert "is not sealed: is the sealer up (ems health)?" in out
    assert "breaks: none is open" in out

    seal()
    code, out = ems("2026-11-27T18:06:00Z", "end", "--market", "XNAS", "-p", "jane")
    assert code == 0, out
    assert "breaks" not in out.splitlines()[0]
    assert [path.name for path in Path("state/archive").iterdir()] == ["bundle-2026-11-27.tar"]

    code, out = ems("2026-11-27T18:07:00Z", "status", "--json")
    assert code == 0
    told = json.loads(out)
    assert {row["state"] for part in ("start", "end") for row in told[part]} == {"done"}
    assert {row["person"] for row in told["end"]} == {"jane"}
