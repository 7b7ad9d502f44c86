"""`ems bench inference` and `ems bench plan`: small runs have every figure, and a core that decides otherwise is not measured."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import InvariantBroken
from ems.bench import inference, inference_peers, plan


@pytest.mark.slow
def test_a_small_run_gives_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "CALLS_A_ROUND", 50)
    monkeypatch.setattr(inference_peers, "find_spec", lambda name: None)
    result = inference.run(rounds=1, with_aotinductor=False)
    for key in ("core_p50_us", "core_p99_us", "core_call_p50_us", "core_with_heads_p50_us", "eager_p50_us"):
        assert np.isfinite(result[key]) and result[key] > 0
    assert result["core_p50_us"] < result["eager_p50_us"]
    assert 0 < result["max_abs_diff"] <= 1e-5 and result["allocations"] == 0 and result["nonfinite_caught"] is True
    assert result["aotinductor_p50_us"] is None and result["aotinductor_why"] == "not asked for"
    assert result["onnxruntime_p50_us"] is None and result["onnxruntime_why"] == "not installed: onnx, onnxruntime"


def test_onnxruntime_decides_as_torch_both_ways() -> None:
    pytest.importorskip("onnxruntime", reason="the extra `inference` is not installed")
    model, actor, _, _ = inference.version()
    module = inference_peers.Decision(model, actor).eval()
    arguments = inference_peers.parts(inference.observations(1), np.zeros((1, 132), np.float32))
    told = inference_peers.eager(module, arguments)
    assert told.action is not None
    for bound in (False, True):
        peer = inference_peers.onnxruntime(module, arguments, bound=bound)
        assert peer.action is not None and peer.decide is not None
        assert abs(peer.action - told.action).max() < 1e-5


def test_foreign_calls_are_seen() -> None:
    """A library's function and an allocation, in a loop that has both: what the core's loop must not show."""
    import numba

    def loop(x: np.ndarray) -> float:
        return np.zeros(int(x[0])).sum() + np.exp(x[0])

    compiled = numba.njit(loop)
    compiled(np.ones(3))
    assert any("alloc" in name.lower() for name in inference.foreign_calls(compiled))
    assert any("exp" in name for name in inference.foreign_calls(compiled))


def test_rollouts_are_measured_and_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    result = plan.run(rounds=1)
    for key in ("rollout_ms", "rollout_one_thread_ms", "gru_ms", "torch_rollout_ms"):
        assert np.isfinite(result[key]) and result[key] > 0
    assert 0 < result["max_abs_diff"] <= 1e-5 and (result["samples"], result["steps"]) == (500, 20)
    real = plan.roll_on
    monkeypatch.setattr(plan, "roll_on", lambda *arguments: real(*arguments) + 0.001)
    with pytest.raises(InvariantBroken, match="from torch"):
        plan.run(rounds=1)
