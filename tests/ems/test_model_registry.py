"""Versions of models in a log: two who promote at once, what a desk's checks are told, `ems models`, and the first start."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.clock import WallClock
from adapters.memory.event_log import MemoryEventLog
from adapters.memory.model_registry import MemoryModelRegistry
from adapters.postgres.event_log import PostgresEventLog
from adapters.reference import files, start_of_day
from domain import model_version as mv
from domain.catalogue import TOPICS
from domain.errors import ConfigError, WeightsError
from domain.event import Event
from domain.model_version import Alias, ModelReason, ModelRefusal, Registry
from domain.risk_data import NOTHING_KNOWN, RiskFacts
from ems import model_registry
from ems.bootstrap import models
from ems.bootstrap.algo_codes import algo_codes
from ems.bootstrap.running_day import RunningDay
from ems.bootstrap.runtime import Runtime
from ems.cli import app
from ems.config import load
from ems.persons import Persons
from models.versions import read_version
from models.weights_store import CHAMPION, read_weights, write_weights
from tests.conftest import Database
from tests.domain.model_cards import NEW, NEXT, OLD, card
from tests.models.nets_made import nets

SECRETS = {"jane": "jane has a secret", "omar": "omar has another"}


def registers(digest: str) -> model_registry.Decide:
    return lambda state, at_ns: mv.register(state, card(digest), person="jane", reason="why", at_ns=at_ns)


def promotes(digest: str) -> model_registry.Decide:
    return lambda state, at_ns: mv.promote(state, digest, Alias.CHAMPION, person="omar", reason="why", at_ns=at_ns)


async def said(log: Any, decide: model_registry.Decide) -> Event | ModelRefusal:
    return await model_registry.say(log, WallClock(), decide, person="jane", build="test")


async def test_of_two_who_promote_at_once_the_second_knows_of_the_first(app_dsn: str) -> None:
    async with PostgresEventLog(app_dsn, TOPICS, WallClock()) as log:
        for digest in (OLD, NEW, NEXT):
            assert isinstance(await said(log, registers(digest)), mv.Registered)
        done = await asyncio.gather(*(said(log, promotes(digest)) for digest in (NEW, NEXT)))
        first, second = sorted((one for one in done if isinstance(one, mv.Promoted)), key=lambda one: bool(one.replaces))
        assert (first.replaces, second.replaces) == ("", first.digest)
        assert (await model_registry.registry(log)).holder("world-model", Alias.CHAMPION) == second.digest
        again = await said(log, registers(NEW))
        assert isinstance(again, ModelRefusal) and again.reason is ModelReason.REGISTERED_ALREADY


def test_a_day_that_lists_models_allows_only_those_of_the_registry_that_it_lists() -> None:
    both: Registry = mv.fold(mv.shipped(mv.NOTHING, [card(NEW), card(OLD, "scheduler")], build="1", at_ns=1))
    assert model_registry.allowed(NOTHING_KNOWN, both).models == {NEW, OLD}
    assert model_registry.allowed(NOTHING_KNOWN, mv.NOTHING).models == frozenset()
    assert model_registry.allowed(RiskFacts(models=frozenset({NEW, NEXT})), both).models == {NEW}


def test_a_copy_says_what_the_log_says_and_is_brought_up_to_date() -> None:
    state = mv.fold(mv.shipped(mv.NOTHING, [card(OLD)], build="1", at_ns=1))
    to = MemoryModelRegistry()
    assert model_registry.copy(state, to, lambda digest: f"file:///{digest}") == 1
    assert (to.aliases("world-model"), to.sources) == ({Alias.CHAMPION: OLD}, {OLD: f"file:///{OLD}"})
    for event in (
        mv.Registered(card=card(NEW), person="jane", reason="why", at_ns=2),
        mv.Retired(digest=OLD, person="jane", reason="a fault", at_ns=3),
    ):
        state = mv.evolve(state, event)
    assert model_registry.copy(state, to, lambda digest: f"file:///{digest}") == 2
    assert (to.aliases("world-model"), to.versions("world-model")) == ({}, {OLD: "a fault", NEW: ""})


async def test_the_first_start_registers_what_is_shipped_and_the_next_one_nothing() -> None:
    log = MemoryEventLog(TOPICS, WallClock())
    cards = [models.card_of(path, model) for path, model in models.shipped()]
    champion = read_weights(CHAMPION).digest
    assert await model_registry.ship(log, WallClock(), cards, build="test") == 2 * len(cards)
    assert await model_registry.ship(log, WallClock(), cards, build="test") == 0
    state = await model_registry.registry(log)
    assert state.holder("world-model", Alias.CHAMPION) == champion
    assert mv.refusal(state, champion, trades=True) is None
    assert ("amzn-20120621", "23290152d0a588359ac59a969d385748112de5733065c81f5ba3ae9d770f74db") in state.versions[
        champion
    ].card.data


# ----------------------------------------------------------------------------------------------- the command


@pytest.fixture
def home(tmp_path: Path, database: Database) -> Path:
    (tmp_path / "ems.toml").write_text(f'mode = "PAPER"\nstate_directory = "{tmp_path / "state"}"\n')
    (tmp_path / "state").mkdir()
    runtime = Runtime(settings=load(tmp_path / "ems.toml"), app_dsn=database.app_dsn)
    runtime.save()
    for person, secret in SECRETS.items():
        assert Persons(runtime.persons).enroll(person, secret) is None
        (tmp_path / person).write_text(secret + "\n")
    return tmp_path


def run(home: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["models", *words, "--config", str(home / "ems.toml"), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)


def person(home: Path, name: str) -> list[str]:
    return ["--person", name, "--secret-file", str(home / name), "--reason", "why"]


def test_the_command_takes_a_version_from_its_file_to_champion_back_and_out(home: Path, database: Database) -> None:
    runtime = Runtime.load(home / "state" / "runtime.json")
    asyncio.run(models.prepare(runtime))
    shipped, made = read_weights(CHAMPION).digest, home / "made.safetensors"
    digest = write_weights(made, nets().tensors, {"data": json.dumps({"a tape": "d" * 64})})
    (home / "forecast.json").write_text(json.dumps({"k10": {"mcc_gain": 0.5}, "files": {"a tape": {"mcc": 1.0}}, "impact": "-"}))
    register = ["register", str(made), "--figures", str(home / "forecast.json")]
    assert run(home, *register, *person(home, "jane"))[0] == 0
    assert run(home, "promote", digest[:12], *person(home, "jane")) == (1, {
        "ok": False, "reason": "second_person_needed",
        "text": f"jane registered {digest[:12]}: a second, different person must promote it",
    })  # fmt: skip
    assert run(home, "promote", digest[:12], *person(home, "omar"))[0] == 0
    code, told = run(home, "list")
    aliases = {one["digest"]: one["aliases"] for one in told["versions"] if one["model"] == "world-model"}
    assert (code, aliases) == (0, {shipped: [], digest: ["champion"]})
    assert next(one for one in told["versions"] if one["digest"] == digest)["metrics"] == {"k10.mcc_gain": 0.5}
    assert models.weights_of(models.kept_in(runtime), digest).read_bytes() == made.read_bytes()
    assert models.weights_of(models.kept_in(runtime), shipped) == CHAMPION
    listed = {one["digest"]: one for one in told["versions"]}
    assert [listed[one]["archived"] for one in (shipped, digest)] == [True, False]
    assert listed[digest]["lineage"]["universe"] == ["a tape"] and len(listed[digest]["signed_by"]) == 64
    assert listed[shipped]["lineage"] is None, "what comes with the code is covered by the build"
    assert told["algos"].keys() == algo_codes().keys() >= {"vwap/1", "adaptive/1"}
    (models.kept_in(runtime) / f"{digest}.signed.json").unlink()
    with pytest.raises(WeightsError, match="no signature"):
        models.weights_of(models.kept_in(runtime), digest)
    secret = ["--person", "jane", "--secret-file", str(home / "jane")]
    assert run(home, "sign", str(made), *secret)[0] == 0
    assert models.weights_of(models.kept_in(runtime), digest).exists()

    async def trading(running: RunningDay) -> list[bool | None]:
        async with PostgresEventLog(database.app_dsn, TOPICS, WallClock()) as log:
            await running.look(log)
        return [running.facts.port.registered_model(one) for one in (shipped, digest, "f" * 64)]

    running = RunningDay(runtime.settings.model_copy(update={"instruments": home}))  # a folder that lists no models
    assert running.facts.port.registered_model(digest) is False, "nothing trades before the log was looked into"
    assert asyncio.run(trading(running)) == [False, True, False]
    assert run(home, "rollback", *person(home, "jane"))[0] == 0
    assert asyncio.run(trading(running)) == [True, False, False]
    assert run(home, "retire", shipped, *person(home, "jane"))[0] == 0
    assert asyncio.run(trading(running)) == [False, False, False]


def test_nobody_changes_the_registry_without_a_secret(home: Path) -> None:
    asyncio.run(models.prepare(Runtime.load(home / "state" / "runtime.json")))
    words = ["retire", read_weights(CHAMPION).digest, "--person", "jane", "--secret-file", str(home / "omar"), "--reason", "why"]
    code, told = run(home, *words)
    assert (code, told["reason"]) == (1, "not_authenticated")
    assert all(not one["retired"] for one in run(home, "list")[1]["versions"])


def test_the_sample_day_lists_what_is_shipped() -> None:
    sample = start_of_day.check(files.SAMPLE).day().facts()
    assert [sample.registered_model(read_version(path).weights.digest) for path, _ in models.shipped()] == [True] * len(
        models.shipped()
    )


async def test_a_start_with_other_code_under_an_algorithms_id_is_refused() -> None:
    log = MemoryEventLog(TOPICS, WallClock())
    assert await model_registry.ship(log, WallClock(), [], build="b1", algos={"vwap/1": "e" * 64}) == 1
    assert await model_registry.ship(log, WallClock(), [], build="b2", algos={"vwap/1": "e" * 64}) == 0
    with pytest.raises(ConfigError, match="other code is vwap/2"):
        await model_registry.ship(log, WallClock(), [], build="b2", algos={"vwap/1": "f" * 64})
    assert await model_registry.ship(log, WallClock(), [], build="b2", algos={"vwap/2": "f" * 64}) == 1


def test_an_algorithms_code_is_what_it_means_and_not_how_it_is_laid_out(tmp_path: Path) -> None:
    files = {
        "one.py": 'from models.planners.two import f\n\n\nclass One:\n    NAME: str = "one/1"\n',
        "two.py": 'def f(x):\n    """Twice."""\n    return 2 * x\n',
        "three.py": 'class Three:\n    NAME: str = "three/1"\n',
    }

    def codes(**changed: str) -> dict[str, str]:
        for name, text in (files | {f"{name}.py": text for name, text in changed.items()}).items():
            (tmp_path / name).write_text(text)
        return algo_codes(tmp_path)

    before = codes()
    assert before.keys() == {"one/1", "three/1"}
    assert codes(two='def f(x):  # twice\n    """Two times."""\n\n    return (2 * x)\n') == before
    after = codes(two="def f(x):\n    return 3 * x\n")
    assert after["one/1"] != before["one/1"] and after["three/1"] == before["three/1"]
