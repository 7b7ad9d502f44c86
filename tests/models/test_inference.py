"""The inference core against torch, against hostile input, and against a version that changes under it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from models import controller
from models import inference as core_of
from models.compiled import hot
from models.inference import (
    ADVANCE,
    DECIDED_BY,
    INPUT_NOT_FINITE,
    NO_WEIGHTS,
    OK,
    RESULT_NOT_FINITE,
    SCHEDULER,
    STATE_NOT_FINITE,
    WITH_HEADS,
    Core,
    infer,
    make_core,
    put_weights,
    version_number,
)
from models.inference_kernels import sigmoid, tanh
from models.inference_layout import INPUTS, RESULTS, STATE, aligned
from models.net_contract import LATENT
from models.vectors import load, store
from tests.models.nets_made import F32, nets, observations, states, torch_answer

MADE = nets()
BOUND = 1e-5  # largest difference to torch that is allowed, of any result


def ready(half: tuple[float, float, float, float] = core_of.QUOTER) -> Core:
    core = make_core(half)
    assert put_weights(core, MADE.tensors, MADE.digest)
    return core


def rows(core: Core, inputs: F32, state: F32, asked: int = ADVANCE | WITH_HEADS) -> tuple[F32, F32]:
    """Each row by itself: results (n, RESULTS), and the states afterwards."""
    results, after = np.zeros((len(inputs), RESULTS), np.float32), state.copy()
    for i, each in enumerate(inputs):
        assert infer(core, each, after[i], results[i], asked) == OK
    return results, after


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_it_is_torch_to_a_hundred_thousandth(scale: float) -> None:
    inputs, state = observations(300, scale=scale), states(300)
    results, after = rows(ready(), inputs, state)
    expected, h = torch_answer(MADE, inputs, state)
    assert abs(results - expected).max() <= BOUND
    assert abs(after[:, :LATENT] - h).max() <= BOUND
    assert np.array_equal(after[:, LATENT:], results[:, :4])
    assert results.std(axis=0)[:4].min() > 0.001, "the actions differ, so that being equal says something"


def test_the_schedulers_action_is_another_scale() -> None:
    inputs, state = observations(20), states(20)
    results, _ = rows(ready(SCHEDULER), inputs, state)
    expected, _ = torch_answer(MADE, inputs, state, controller.share)
    assert abs(results - expected).max() <= BOUND
    assert not results[:, 2:4].any() and (results[:, :2] > 0).all() and (results[:, :2] < 1).all()


def test_a_recurrent_run_stays_with_torch() -> None:
    """500 steps, each from the state that the one before has left: differences do not grow."""
    core, inputs = ready(), observations(500, seed=11)
    state, again = states(1)[0], states(1)
    results = np.zeros(RESULTS, np.float32)
    for each in inputs:
        assert infer(core, each, state, results, ADVANCE | WITH_HEADS) == OK
        expected, h = torch_answer(MADE, each[None], again)
        again = np.concatenate([h, expected[:, :4]], axis=1)
        assert abs(results - expected[0]).max() <= BOUND


def test_without_advance_the_state_stays_and_without_heads_they_stay() -> None:
    core, inputs, state = ready(), observations(1)[0], states(1)[0]
    before, results = state.copy(), np.full(RESULTS, 7, np.float32)
    assert infer(core, inputs, state, results, 0) == OK
    assert np.array_equal(state, before)
    assert (results[16:42] == 7).all() and not (results[:4] == 7).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_every_place_of_input_and_state_is_checked(bad: float) -> None:
    core, inputs, state = ready(), observations(1)[0], states(1)[0]
    results = np.full(RESULTS, 7, np.float32)
    for place in range(INPUTS):
        hostile = inputs.copy()
        hostile[place] = bad
        assert infer(core, hostile, state, results, ADVANCE) == INPUT_NOT_FINITE, place
    for place in range(STATE):
        hostile = state.copy()
        hostile[place] = bad
        assert infer(core, inputs, hostile, results, ADVANCE) == STATE_NOT_FINITE, place
    assert (results == 7).all() and np.array_equal(state, states(1)[0]), "nothing was touched"


def test_an_input_that_overflows_is_no_decision() -> None:
    core, state, results = ready(), states(1)[0], np.full(RESULTS, 7, np.float32)
    inputs = observations(1)[0]
    inputs[:40] = 3e38
    assert infer(core, inputs, state, results, ADVANCE | WITH_HEADS) == RESULT_NOT_FINITE
    assert (results == 7).all() and np.array_equal(state, states(1)[0])


def test_a_core_without_weights_decides_nothing() -> None:
    assert infer(make_core(), observations(1)[0], states(1)[0], np.zeros(RESULTS, np.float32), 0) == NO_WEIGHTS
    assert sorted(core_of.NAMES) == [NO_WEIGHTS, INPUT_NOT_FINITE, STATE_NOT_FINITE, RESULT_NOT_FINITE, core_of.INPUT_STALE]


def test_weights_that_are_no_numbers_are_refused() -> None:
    broken = MADE.tensors | {"norm.book_scale": np.zeros(40, np.float32)}
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match="not finite"):
        put_weights(make_core(), broken, MADE.digest)


@hot
def _curves(x: F32, y: F32, z: F32) -> None:
    for i in range(0, x.size, 16):
        store(y, i, sigmoid(load(x, i)))
        store(z, i, tanh(load(x, i)))


def test_sigmoid_and_tanh_are_as_exact_as_they_say() -> None:
    x = np.concatenate([np.linspace(-79, 79, 160_000), np.linspace(-1e-3, 1e-3, 1_600), [0.0] * 16]).astype(np.float32)
    y, z = np.zeros_like(x), np.zeros_like(x)
    _curves(x, y, z)
    exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    assert abs(y / exact - 1).max() < 3e-7
    assert abs(z - np.tanh(x.astype(np.float64))).max() < 3e-7


def test_the_same_bits_wherever_the_arrays_lie() -> None:
    inputs, state = observations(5), states(5)
    first, _ = rows(ready(), inputs, state)
    core = ready()
    moved = aligned(core.weights.size + 3)[3:].reshape(core.weights.shape)  # off every vector's boundary
    moved[:] = core.weights
    again, _ = rows(core._replace(weights=moved), inputs, state)
    assert first.tobytes() == again.tobytes()


def test_the_next_version_waits_until_a_call_has_begun() -> None:
    core = ready()
    other = nets(2)
    assert not put_weights(core, other.tensors, other.digest), "nobody has called since the first was put in"
    inputs, state = observations(1), states(1)
    rows(core, inputs, state)
    assert core.control[DECIDED_BY] == version_number(MADE.digest)
    assert put_weights(core, other.tensors, other.digest)
    assert not put_weights(core, MADE.tensors, MADE.digest), "the call under way may read the idle slot"
    results, _ = rows(core, inputs, state)
    assert core.control[DECIDED_BY] == version_number(other.digest)
    assert abs(results - torch_answer(other, inputs, state)[0]).max() <= BOUND


@hot
def _run(core: Core, inputs: F32, state: F32, results: F32, versions: np.ndarray) -> None:
    for i in range(versions.size):
        if infer(core, inputs, state, results[i], 0) != 0:
            return
        versions[i] = core.control[DECIDED_BY]


def test_every_decision_is_of_one_version_while_versions_change() -> None:
    """A thread changes the version as often as it may; each of many decisions is wholly of the version that it names."""
    core, other, inputs, state = ready(), nets(2), observations(1), states(1)
    expected = {}
    for made in (MADE, other):
        alone = make_core()
        assert put_weights(alone, made.tensors, made.digest)
        expected[version_number(made.digest)] = rows(alone, inputs, state, 0)[0].tobytes()
    stop, turns = threading.Event(), []

    def change() -> None:
        while not stop.is_set():
            made = (other, MADE)[len(turns) % 2]
            if put_weights(core, made.tensors, made.digest):
                turns.append(made.digest)

    results, versions = np.zeros((4_000, RESULTS), np.float32), np.zeros(4_000, np.int64)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        while len(turns) < 20:
            _run(core, inputs[0], state[0], results, versions)
            for version, row in zip(versions.tolist(), results, strict=True):
                assert row.tobytes() == expected[version]
    finally:
        stop.set()
        thread.join()
    assert len(turns) >= 20
