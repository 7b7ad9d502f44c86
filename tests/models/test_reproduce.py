"""Decisions of a live recurrent run, computed again from the log in a new process and another order; and none, each named."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psycopg
import pytest
from psycopg import sql

from adapters.clock import WallClock
from adapters.postgres.embedded import DATABASE, OWNER, SUPERUSER, EmbeddedPostgres
from adapters.postgres.event_log import PostgresEventLog
from domain import model_decision as md
from domain import model_version as mv
from domain.catalogue import TOPICS
from domain.errors import ForecastError, WeightsError
from domain.event import Entry, Meta
from domain.model_decision import Decided, Declined, NoDecision, Use
from domain.model_version import Alias, ModelReason, Registry
from domain.reproduction import Agreement, Grade, agreement, largest_ulp, worst
from ems.bootstrap import audit
from models import environment
from models.inference_layout import IN_TAPE, OUT_HEADS, STATE
from models.net_contract import BOOK
from models.reproduce import AGE_NS_MAX, Decider, Moment, decision, floats, interval, refused_weights
from models.weights_store import CHAMPION, read_weights
from tests.conftest import Database
from tests.domain.model_cards import card
from tests.models.kept import keep_signed
from tests.models.nets_made import nets, observations

DECISIONS = 1_000
ROLLED_EVERY = 10
NOW_NS = 1_700_000_000_000_000_000
MADE = nets()
KNOWN: Registry = mv.fold(mv.shipped(mv.NOTHING, [card(MADE.digest)], build="test", at_ns=1))
AGAIN = """
import asyncio, json, random, sys
from pathlib import Path
from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.model_decision import Decided
from ems.bootstrap.audit import Bench

async def read():
    async with PostgresEventLog(sys.argv[1], TOPICS, WallClock()) as log:
        return [event for page in [page async for page in log.read_facts()] for _, _, _, (event, _) in page]

bench, found = Bench(Path(sys.argv[2])), [event for event in asyncio.run(read()) if isinstance(event, Decided)]
random.Random(sys.argv[3]).shuffle(found)
print(json.dumps([bench.again(event) for event in found]))
"""


class Run(NamedTuple):
    """A log with the decisions of a run, where its weights are kept, and the decisions as they were made."""

    dsn: str
    weights: Path
    decisions: list[Decided]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, postgres_server: EmbeddedPostgres) -> Iterator[Run]:
    """A run that began with an empty memory; every tenth decision rolls futures out."""
    directory, database = tmp_path_factory.mktemp("weights"), Database(postgres_server, "test_reproduce")
    keep_signed(directory, MADE)
    with psycopg.connect(postgres_server.connection(SUPERUSER, "postgres"), autocommit=True) as connection:
        names = [sql.Identifier(name) for name in (database.name, DATABASE, OWNER)]
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*names))
        decider, state = Decider(read_weights(directory / f"{MADE.digest}.safetensors")), np.zeros(STATE, np.float32)
        found = [decided(decider, inputs, state, i) for i, inputs in enumerate(observations(DECISIONS, seed=21))]
        asyncio.run(stored(database.app_dsn, found))
        yield Run(database.app_dsn, directory, found)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(names[0]))


def decided(decider: Decider, inputs: np.ndarray, state: np.ndarray, i: int) -> Decided:
    rolled = {"seed": 1_000 + i, "samples": 500 if i % 200 == 0 else 60} if i % ROLLED_EVERY == 0 else {}
    made = decider.decide(inputs, state, Moment("AMZN", i + 1, NOW_NS + i, NOW_NS, levels=0), KNOWN, **rolled)
    assert isinstance(made, Decided), made
    return made


async def stored(dsn: str, found: list[Decided] | list[Declined]) -> None:
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        entries = []
        for one in found:
            stream = md.key(one.use, one.subject, one.number)
            meta = Meta(one.at_ns, "algo:quoter", correlation=stream, causation="tick", build="test")
            entries.append(Entry(stream, 0, (one,), meta))
        await log.append(entries)


def again(run: Run, seed: int, **settings: str) -> list[Agreement]:
    """What a process of its own says, which knows the log and the weights alone."""
    command = [sys.executable, "-c", AGAIN, run.dsn, str(run.weights), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | settings)
    assert done.returncode == 0, done.stderr
    return [Agreement(Grade(grade), ulp) for grade, ulp in json.loads(done.stdout)]


def test_a_thousand_decisions_are_bit_exact_in_a_fresh_process_in_another_order(run: Run) -> None:
    assert len({one.state for one in run.decisions}) == DECISIONS, "every decision started from another state"
    assert sum(one.seed is not None for one in run.decisions) == DECISIONS // ROLLED_EVERY
    assert len({decision(floats(one.results)) for one in run.decisions}) > DECISIONS // 2
    assert Counter(again(run, 1)) == {Agreement(Grade.BIT_EXACT, 0): DECISIONS}


@pytest.mark.slow
@pytest.mark.skipif("avx2" not in environment.environment()["cpu_features"], reason="a processor without AVX2")
def test_vectors_half_as_wide_give_the_same_bits(run: Run) -> None:
    """As on an older processor: instructions up to AVX2 alone."""
    assert Counter(again(run, 2, NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES="")) == {Agreement(Grade.BIT_EXACT, 0): DECISIONS}


def test_an_audit_computes_a_whole_log_again_and_names_what_it_cannot(run: Run, tmp_path: Path, app_dsn: str) -> None:
    told = asyncio.run(audit.reproduce(run.dsn, run.weights))
    assert told == {
        "bit_exact": DECISIONS, "decision_equal": 0, "different": 0, "largest_ulp": 0, "other_environment": 0, "failed": {},
        "environments": {},
    }  # fmt: skip
    one = run.decisions[0]
    stream = md.key(one.use, one.subject, one.number)
    assert asyncio.run(audit.reproduce(run.dsn, run.weights, stream))["bit_exact"] == 1
    lost = asyncio.run(audit.reproduce(run.dsn, tmp_path, stream))
    assert "no weights of version" in lost["failed"][stream]
    keep_signed(tmp_path, MADE)
    shutil.copyfile(CHAMPION, tmp_path / f"{MADE.digest}.safetensors")
    other = asyncio.run(audit.reproduce(run.dsn, tmp_path, stream))
    assert f"not {MADE.digest[:12]}" in other["failed"][stream], "another version under its name is refused"
    asyncio.run(stored(app_dsn, [off(one, 1 << 20), off(run.decisions[1], 1)]))
    told = asyncio.run(audit.reproduce(app_dsn, run.weights))
    assert (told["decision_equal"], told["different"], list(told["failed"])) == (1, 1, [stream])


def off(one: Decided, ulps: int) -> Decided:
    """Its first result so many numbers further."""
    bits = floats(one.results).view(np.int32)
    bits[0] += ulps
    return one.model_copy(update={"results": base64.b64encode(bits.tobytes()).decode()})


@pytest.mark.parametrize(("ulps", "grade"), [(1, Grade.DECISION_EQUAL), (100, Grade.DECISION_EQUAL), (1 << 20, Grade.DIFFERENT)])
def test_a_stored_result_that_is_a_little_off_is_graded(run: Run, ulps: int, grade: Grade) -> None:
    assert audit.Bench(run.weights).again(off(run.decisions[0], ulps)) == Agreement(grade, ulps)


def test_futures_that_came_out_otherwise_are_no_equal_decision(run: Run) -> None:
    one = run.decisions[0]
    assert one.seed is not None
    assert audit.Bench(run.weights).again(one.model_copy(update={"seed": one.seed + 1})) == Agreement(Grade.DIFFERENT, 0)


def test_decisions_of_another_version_or_use_or_with_other_input_are_not_compared(run: Run) -> None:
    decider, one = Decider(read_weights(run.weights / f"{MADE.digest}.safetensors")), run.decisions[0]
    for changed, why in (
        ({"weights_sha256": "0" * 64}, "decision of version 000000000000"),
        ({"use": Use.SCHEDULER}, "a scheduler decision"),
        ({"inputs_sha256": "0" * 64}, "not what its digest says"),
        ({"state": "?"}, "a stored array that is none"),
    ):
        with pytest.raises(ForecastError, match=why):
            decider.again(one.model_copy(update=changed))


# --------------------------------------------------------------------------------------------- no decision


def spoilt(place: int, value: float) -> np.ndarray:
    inputs = observations(1)[0]
    inputs[:BOOK] = np.abs(inputs[:BOOK]) + 1.0
    inputs[place] = value
    return inputs


WHOLE = spoilt(0, 1.0)
RETIRED = mv.evolve(KNOWN, mv.Retired(digest=MADE.digest, person="jane", reason="a fault in its tape", at_ns=2))
SHADOW = mv.fold(
    [
        mv.Registered(card=card(MADE.digest), person="jane", reason="why", at_ns=1),
        mv.Promoted(
            digest=MADE.digest, model="world-model", alias=Alias.SHADOW, replaces="", person="jane", reason="why", at_ns=1
        ),
    ]
)  # fmt: skip
NONE = {
    "unregistered": (WHOLE, 0, mv.NOTHING, NoDecision.NOT_REGISTERED),
    "retired": (WHOLE, 0, RETIRED, NoDecision.RETIRED),
    "a shadow that would trade": (WHOLE, 0, SHADOW, NoDecision.NOT_PROMOTED),
    "a stale tape": (WHOLE, AGE_NS_MAX + 1, KNOWN, NoDecision.INPUT_STALE),
    "a tape from the future": (WHOLE, -1, KNOWN, NoDecision.INPUT_STALE),
    "a level less": (spoilt(BOOK - 1, 0.0), 0, KNOWN, NoDecision.TOO_FEW_LEVELS),
    "no bid": (spoilt(1, 0.0), 0, KNOWN, NoDecision.TOO_FEW_LEVELS),
    "a NaN in the book": (spoilt(1, np.nan), 0, KNOWN, NoDecision.INPUT_NOT_FINITE),
    "an infinity in the tape": (spoilt(IN_TAPE, np.inf), 0, KNOWN, NoDecision.INPUT_NOT_FINITE),
}


@pytest.mark.parametrize(("inputs", "age_ns", "registry", "reason"), NONE.values(), ids=NONE.keys())
def test_no_decision_is_an_event_that_says_why_and_leaves_the_memory_as_it_was(
    inputs: np.ndarray, age_ns: int, registry: Registry, reason: NoDecision
) -> None:
    decider, state = Decider(read_made()), np.ones(STATE, np.float32)
    when = Moment("AMZN", 1, NOW_NS, NOW_NS - age_ns, levels=10)
    found = decider.decide(inputs, state, when, registry, trades=True, seed=1, samples=10)
    assert isinstance(found, Declined)
    assert found.reason is reason and found.text and (state == 1).all()
    assert Declined.model_validate_json(found.model_dump_json()) == found
    assert (floats(found.inputs).view(np.int32) == inputs.view(np.int32)).all(), "what was refused is kept, NaN and all"
    assert isinstance(decider.decide(WHOLE, state, when._replace(heard_ns=NOW_NS - AGE_NS_MAX), KNOWN, trades=True), Decided)
    assert not (state == 1).all()


def read_made() -> object:
    from models.weights_store import Weights

    return Weights(MADE.tensors, {}, MADE.digest)


def test_a_state_that_is_no_number_and_what_overflows_decide_nothing() -> None:
    decider, when = Decider(read_made()), Moment("AMZN", 1, NOW_NS, NOW_NS)
    for inputs, state, reason in (
        (WHOLE, np.full(STATE, np.nan, np.float32), NoDecision.STATE_NOT_FINITE),
        (np.full_like(WHOLE, 3e38), np.zeros(STATE, np.float32), NoDecision.RESULT_NOT_FINITE),
    ):
        found = decider.decide(inputs, state, when, KNOWN)
        assert isinstance(found, Declined) and found.reason is reason


def test_weights_that_fail_their_digest_decide_nothing_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(CHAMPION.read_bytes()[:-1])
    with pytest.raises(WeightsError) as raised:
        read_weights(tmp_path / "weights", "0" * 64)
    found = refused_weights(raised.value, Use.SCHEDULER, Moment("AMZN", 1, NOW_NS, NOW_NS), "0" * 64)
    assert (found.reason, found.weights_sha256) == (NoDecision.WEIGHTS_REFUSED, "0" * 64) and "cannot be read" in found.text
    assert {reason.value for reason in ModelReason if reason.value in {one.value for one in NoDecision}} == {
        "not_registered", "retired", "not_promoted"
    }  # fmt: skip


def test_the_interval_of_the_return_is_that_of_its_head(run: Run) -> None:
    import torch

    from models.losses import quantities
    from models.net_contract import N_HEADS

    for one in run.decisions[:20]:
        heads = torch.from_numpy(floats(one.results)[OUT_HEADS : OUT_HEADS + N_HEADS].copy())
        ends = [float(quantities(heads, torch.full((5,), n))[0]) for n in (-1.959964, 0.0, 1.959964)]
        assert (one.return_low, one.return_mean, one.return_high) == pytest.approx(ends, rel=1e-4, abs=1e-5)
    assert interval(floats(run.decisions[0].results))[0] == run.decisions[0].return_mean


# ------------------------------------------------------------------------------------------------- grades


def test_distance_in_units_in_the_last_place() -> None:
    def one(a: float, b: float) -> int:
        return largest_ulp(np.float32([a]).tobytes(), np.float32([b]).tobytes())

    assert one(1.0, np.nextafter(np.float32(1), np.float32(2))) == 1
    assert one(0.0, -0.0) == 0
    assert one(np.float32(1e-45), -np.float32(1e-45)) == 2
    with pytest.raises(ValueError, match="4 and 8 bytes"):
        largest_ulp(b"\0" * 4, b"\0" * 8)
    assert agreement(b"", b"", 1, 2) == Agreement(Grade.DIFFERENT, 0)
    some = [Agreement(Grade.BIT_EXACT, 0), Agreement(Grade.DECISION_EQUAL, 9), Agreement(Grade.DECISION_EQUAL, 2)]
    assert worst(some) == Agreement(Grade.DECISION_EQUAL, 9)


def test_the_environment_names_what_can_change_bits_and_what_differs() -> None:
    here = environment.environment()
    assert {"numba", "llvmlite", "numpy", "torch", "cpu_name", "cpu_features", "torch_threads"} <= here.keys()
    assert all(here[name] for name in ("numba", "llvmlite", "torch", "cpu_name", "torch_capability"))
    assert environment.environment_digest() == environment.environment_digest()
    assert environment.differences(here, here | {"numba": "0.1"}) == {"numba": (here["numba"], "0.1")}
