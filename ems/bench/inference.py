"""`ems bench inference`: encode, step and act at batch 1 on one core, beside torch, its compiler and ONNX Runtime.

The core is timed in a compiled loop, call by call, with different observations and its own recurrent state, and from Python
call by call; the others per call from Python. All take turns. A figure is the lowest of the rounds' percentiles, for each of them
alike, which leaves out what else the machine did. Its code is compiled
anew, so that no cache stands between source and figure.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from domain.errors import InvariantBroken
from ems.bench.inference_peers import Decision, Peer, aotinductor, eager, onnxruntime, parts
from ems.bench.output import emit
from models import controller, world_model
from models.environment import cpu_name, environment_digest
from models.hot_clock import clock_cost_ns, now_ns
from models.inference import ADVANCE, INPUT_NOT_FINITE, OK, STATE_NOT_FINITE, WITH_HEADS, Core, infer, make_core, put_weights
from models.inference_layout import IN_CONTEXT, IN_OWN, IN_TAPE, INPUTS, OUT_ACTION, OUT_HEADS, OUT_NEXT, OUT_Z, RESULTS, STATE
from models.net_contract import ACTION, BOOK, FEATURES, TRADES
from models.weights_store import CHAMPION, digest_of, read_weights

F32 = NDArray[np.float32]
ROUNDS: Final = 9
CALLS_A_ROUND: Final = 3_000
PEER_CALLS_A_ROUND: Final = 300
OBSERVATIONS: Final = 1_024
VERIFIED: Final = 1_000
BOUND: Final = 1e-5
# Our own functions, the clock, and those of LLVM's names that stand for instructions; others stand for a library's functions.
_INSTRUCTIONS: Final = (
    "fma sqrt fabs abs smin smax umin umax vector memset memcpy lifetime experimental assume masked "
    "bswap ctlz cttz prefetch uadd umul usub"
).split()
# numba's reshape helper works out strides and allocates nothing.
_OWN: Final = (
    "_ZN6models", "_ZN3ems", "clock_gettime", "numba_attempt_nocopy_reshape", *(f"llvm.{name}." for name in _INSTRUCTIONS)
)  # fmt: skip


def _timed(core: Core, inputs: F32, state: F32, results: F32, asked: int, ns: NDArray[np.int64]) -> int:
    """ns.size decisions, one after the other, each timed. Returns the bits of what forbade any."""
    said = 0
    for i in range(ns.size):
        row = inputs[i % inputs.shape[0]]
        began = now_ns()
        said |= infer(core, row, state, results, asked)
        ns[i] = now_ns() - began
    return said


def run(*, rounds: int = ROUNDS, with_aotinductor: bool = True) -> dict[str, Any]:
    """The figures. Raises InvariantBroken where what was timed did not decide as torch does."""
    torch.set_num_threads(1)
    model, actor, tensors, digest = version()
    core, inputs = make_core(), observations(OBSERVATIONS)
    assert put_weights(core, tensors, digest)
    loop = numba.njit(nogil=True, _nrt=False)(_timed)
    state = np.zeros(STATE, np.float32)
    results, ns = np.zeros(RESULTS, np.float32), np.zeros(CALLS_A_ROUND, np.int64)
    loop(core, inputs, state, results, ADVANCE | WITH_HEADS, ns)  # compiled
    module = Decision(model, actor).eval()
    arguments = parts(inputs[:1], state[None])
    peers = {
        "onnxruntime": onnxruntime(module, arguments, bound=False),
        "onnxruntime_bound": onnxruntime(module, arguments, bound=True),
        "aotinductor": aotinductor(module, arguments, digest) if with_aotinductor else Peer(None, None, "not asked for"),
        "eager": eager(module, arguments),
    }
    difference = _verify(core, module, inputs, state, peers)
    figures = _rounds(rounds, _core_timers(core, loop, inputs, state, results, ns), peers)
    for name, peer in peers.items():
        if peer.decide is None:
            figures |= {f"{name}_p50_us": None, f"{name}_p99_us": None, f"{name}_why": peer.why}
    _best_onnxruntime(figures)
    return figures | {
        "max_abs_diff": difference,
        "allocations": len(foreign_calls(loop)),
        "nonfinite_caught": _all_caught(core, inputs[0], state),
        "version": digest,
        "cpu": cpu_name(),
        "environment": environment_digest(),
    }


def main(json_output: bool) -> int:
    """Run and print."""
    emit(run(), json_output)
    return 0


def observations(n: int, seed: int = 7) -> F32:
    """(n, INPUTS) of about the size of normalised ones; some levels, trades and features missing."""
    chance = np.random.default_rng(seed)
    inputs = chance.normal(size=(n, INPUTS)).astype(np.float32)
    inputs[:, 1:BOOK:2] = abs(inputs[:, 1:BOOK:2]) * (chance.random((n, BOOK // 2)) < 0.9)
    inputs[:, IN_TAPE + TRADES : IN_TAPE + 2 * TRADES] = abs(inputs[:, IN_TAPE + TRADES : IN_TAPE + 2 * TRADES])
    inputs[:, IN_CONTEXT + FEATURES : IN_CONTEXT + 2 * FEATURES] = chance.random((n, FEATURES)) < 0.9
    inputs[:, IN_CONTEXT + 2 * FEATURES : IN_OWN] = np.eye(6, dtype=np.float32)[chance.integers(0, 6, n)]
    return inputs


def foreign_calls(compiled: Any) -> list[str]:
    """What the compiled loop calls that is neither its own code nor the clock: an allocation or a library's function would be."""
    (signature,) = compiled.signatures
    found: set[str] = set()
    for function in re.findall(r"^define [^@]*@([^\n]*?\{\n.*?^\})", compiled.inspect_llvm(signature), re.MULTILINE | re.DOTALL):
        if function.startswith(("_ZN7cpython", "cfunc.", '"_ZN7cpython', '"cfunc.')):
            continue  # how Python enters it, not what it does
        found |= set(re.findall(r"\bcall [^@\n]*@\"?([\w.]+)", function))
    return sorted(name for name in found if not name.startswith(_OWN))


def version() -> tuple[Any, Any, dict[str, F32], str]:
    """The champion's nets where there is one, else untrained ones: the time does not depend on what the numbers are."""
    model, actor = world_model.initialised(1), controller.initialised(1)
    if CHAMPION.exists():
        weights = read_weights(CHAMPION)
        world_model.load(model, weights.tensors)
        world_model.load(actor, weights.tensors)
        return model, actor, weights.tensors, weights.digest
    tensors = world_model.tensors_of(model, actor)
    return model, actor, tensors, digest_of(tensors)


def _verify(core: Core, module: Decision, inputs: F32, state: F32, peers: dict[str, Peer]) -> float:
    """The largest difference of any result to torch, over many decisions of one recurrent run."""
    rows = inputs[:VERIFIED]
    before, results = np.zeros((len(rows), STATE), np.float32), np.zeros((len(rows), RESULTS), np.float32)
    running = state.copy()
    for i, row in enumerate(rows):
        before[i] = running
        assert infer(core, row, running, results[i], ADVANCE | WITH_HEADS) == OK
    with torch.no_grad():
        action, after, _, z = module(*parts(rows, before))
        heads = module.model.forecast(z)
    told = ((OUT_ACTION, action), (OUT_HEADS, heads), (OUT_Z, z), (OUT_NEXT, after))
    largest = max(float(abs(results[:, at : at + part.shape[1]] - part.numpy()).max()) for at, part in told)
    first = np.zeros(RESULTS, np.float32)
    assert infer(core, inputs[0], state.copy(), first, 0) == OK
    for name, peer in peers.items():
        if peer.action is not None and not abs(peer.action - first[:ACTION]).max() <= BOUND:
            raise InvariantBroken(f"{name} decides otherwise: {peer.action} and {first[:ACTION]}")
    if not largest <= BOUND:
        raise InvariantBroken(f"the core is {largest} from torch")
    return largest


def _all_caught(core: Core, inputs: F32, state: F32) -> bool:
    """Is a NaN and an infinity at every place of input and state no decision, by the core as it was timed?"""
    results = np.zeros(RESULTS, np.float32)
    caught = True
    for whole, other, said in ((inputs, state, INPUT_NOT_FINITE), (state, inputs, STATE_NOT_FINITE)):
        for place in range(whole.size):
            for bad in (np.nan, np.inf, -np.inf):
                hostile = whole.copy()
                hostile[place] = bad
                pair = (hostile, other.copy()) if said == INPUT_NOT_FINITE else (other, hostile)
                caught = caught and infer(core, *pair, results, ADVANCE) == said
    return caught


def _core_timers(
    core: Core, loop: Callable[..., int], inputs: F32, state: F32, results: F32, ns: NDArray[np.int64]
) -> dict[str, Callable[[], NDArray[np.float64]]]:  # fmt: skip
    cost = clock_cost_ns()

    def compiled(asked: int) -> Callable[[], NDArray[np.float64]]:
        def once() -> NDArray[np.float64]:
            assert loop(core, inputs, state, results, asked, ns) == OK
            return np.maximum(ns.astype(np.float64) - cost, 0.0)

        return once

    def from_python() -> NDArray[np.float64]:
        return _each(lambda: infer(core, inputs[0], state, results, ADVANCE))

    return {"core": compiled(ADVANCE), "core_with_heads": compiled(ADVANCE | WITH_HEADS), "core_call": from_python}


def _each(decide: Callable[[], Any]) -> NDArray[np.float64]:
    """Nanoseconds of each of some calls."""
    took = np.zeros(PEER_CALLS_A_ROUND)
    clock = time.perf_counter_ns
    for i in range(took.size):
        began = clock()
        decide()
        took[i] = clock() - began
    return took


def _rounds(rounds: int, timers: dict[str, Callable[[], NDArray[np.float64]]], peers: dict[str, Peer]) -> dict[str, Any]:
    """p50 and p99 of everything, in turns; the first round warms."""
    all_timers = timers | {name: _timer(peer.decide) for name, peer in peers.items() if peer.decide is not None}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in all_timers}
    for number in range(rounds + 1):
        for name, timer in all_timers.items():
            took = timer()
            if number:
                found[name].append((float(np.percentile(took, 50)), float(np.percentile(took, 99))))
    return {
        f"{name}_{key}_us": round(min(each[place] for each in each_round) / 1000, 3)
        for name, each_round in found.items()
        for place, key in enumerate(("p50", "p99"))
    }


def _timer(decide: Callable[[], Any]) -> Callable[[], NDArray[np.float64]]:
    return lambda: _each(decide)


def _best_onnxruntime(figures: dict[str, Any]) -> None:
    """The faster of its two ways to be called is the baseline; which one is told."""
    plain, bound = figures["onnxruntime_p50_us"], figures.pop("onnxruntime_bound_p50_us")
    bound_p99 = figures.pop("onnxruntime_bound_p99_us")
    figures.pop("onnxruntime_bound_why", None)
    figures["onnxruntime_call"] = "run"
    if plain is not None and bound < plain:
        figures |= {"onnxruntime_p50_us": bound, "onnxruntime_p99_us": bound_p99, "onnxruntime_call": "run_with_iobinding"}
