"""A thousand decisions of a live recurrent run, computed again from their records: in a new process, in another order."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ForecastError
from domain.reproduction import Agreement, Grade, agreement, largest_ulp, worst
from models import environment
from models.inference_layout import STATE
from models.reproduce import AGE_NS_MAX, Decider, Record, decision, read_records, write_records
from models.weights_store import read_weights, write_weights
from tests.models.nets_made import nets, observations

DECISIONS = 1_000
ROLLED_EVERY = 10
NOW_NS = 1_700_000_000_000_000_000
AGAIN = """
import json, random, sys
from pathlib import Path
from models.reproduce import AGE_NS_MAX, Decider, read_records
from models.weights_store import read_weights

decider, records = Decider(read_weights(Path(sys.argv[1]))), read_records(Path(sys.argv[2]))
random.Random(sys.argv[3]).shuffle(records)
print(json.dumps([decider.again(record) for record in records]))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A weights file, and the records of a run on it that began with an empty memory. Every tenth rolls futures out."""
    directory = tmp_path_factory.mktemp("run")
    made = nets()
    weights, records = directory / "made.safetensors", directory / "records.jsonl"
    write_weights(weights, made.tensors, {"seed": "1"})
    decider, state = Decider(read_weights(weights)), np.zeros(STATE, np.float32)
    found = []
    for i, inputs in enumerate(observations(DECISIONS, seed=21)):
        rolled = {"seed": 1_000 + i, "samples": 500 if i % 200 == 0 else 60} if i % ROLLED_EVERY == 0 else {}
        found.append(decider.decide(inputs, state, at_ns=NOW_NS + i, heard_ns=NOW_NS, **rolled))
    write_records(records, found)
    return weights, records


def again(run: tuple[Path, Path], seed: int, **settings: str) -> list[Agreement]:
    """What a process of its own says, which knows the two files and nothing else."""
    command = [sys.executable, "-c", AGAIN, *map(str, run), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | settings)
    assert done.returncode == 0, done.stderr
    return [Agreement(Grade(grade), ulp) for grade, ulp in json.loads(done.stdout)]


def test_a_thousand_decisions_are_bit_exact_in_a_fresh_process_in_another_order(run: tuple[Path, Path]) -> None:
    records = read_records(run[1])
    assert len({record.state for record in records}) == DECISIONS, "every decision started from another state"
    assert sum(record.seed is not None for record in records) == DECISIONS // ROLLED_EVERY
    assert len({decision(np.frombuffer(bytes_of(record.results), np.float32)) for record in records}) > DECISIONS // 2
    assert Counter(again(run, 1)) == {Agreement(Grade.BIT_EXACT, 0): DECISIONS}


@pytest.mark.slow
@pytest.mark.skipif("avx2" not in environment.environment()["cpu_features"], reason="a processor without AVX2")
def test_vectors_half_as_wide_give_the_same_bits(run: tuple[Path, Path]) -> None:
    """As on an older processor: instructions up to AVX2 alone."""
    assert Counter(again(run, 2, NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES="")) == {Agreement(Grade.BIT_EXACT, 0): DECISIONS}


def bytes_of(text: str) -> bytes:
    return base64.b64decode(text)


def first(run: tuple[Path, Path]) -> tuple[Decider, Record]:
    return Decider(read_weights(run[0])), read_records(run[1])[0]


@pytest.mark.parametrize(("ulps", "grade"), [(1, Grade.DECISION_EQUAL), (100, Grade.DECISION_EQUAL), (1 << 20, Grade.DIFFERENT)])
def test_a_stored_result_that_is_a_little_off_is_graded(run: tuple[Path, Path], ulps: int, grade: Grade) -> None:
    decider, record = first(run)
    bits = np.frombuffer(bytes_of(record.results), np.int32).copy()
    bits[0] += ulps
    stored = replace(record, results=base64.b64encode(bits.tobytes()).decode())
    assert decider.again(stored) == Agreement(grade, ulps)


def test_futures_that_came_out_otherwise_are_no_equal_decision(run: tuple[Path, Path]) -> None:
    decider, record = first(run)
    assert record.seed is not None
    assert decider.again(replace(record, seed=record.seed + 1)) == Agreement(Grade.DIFFERENT, 0)


def test_records_of_another_version_or_with_other_input_are_not_compared(run: tuple[Path, Path], tmp_path: Path) -> None:
    decider, record = first(run)
    with pytest.raises(ForecastError, match="a decision of version 000000000000"):
        decider.again(replace(record, weights_sha256="0" * 64))
    with pytest.raises(ForecastError, match="not what its digest says"):
        decider.again(replace(record, inputs_sha256="0" * 64))
    (tmp_path / "records").write_text('{"timestamp_ns": 1}\n')
    with pytest.raises(ForecastError, match="no record"):
        read_records(tmp_path / "records")


def test_no_decision_says_why_and_leaves_the_memory_as_it_was(run: tuple[Path, Path]) -> None:
    decider, state = Decider(read_weights(run[0])), np.ones(STATE, np.float32)
    inputs = observations(1)[0]
    inputs[7] = np.nan
    with pytest.raises(ForecastError, match="input_not_finite"):
        decider.decide(inputs, state, at_ns=0, heard_ns=0)
    for heard_ns in (NOW_NS - AGE_NS_MAX - 1, NOW_NS + 1):
        with pytest.raises(ForecastError, match="input_stale"):
            decider.decide(observations(1)[0], state, at_ns=NOW_NS, heard_ns=heard_ns)
    assert (state == 1).all()
    decider.decide(observations(1)[0], state, at_ns=NOW_NS, heard_ns=NOW_NS - AGE_NS_MAX)
    assert not (state == 1).all()


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
