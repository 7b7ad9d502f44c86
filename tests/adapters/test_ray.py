"""The execution evaluation on a Ray cluster of two nodes: the figures of one process, also when workers are lost."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.ray.cluster import RayCluster
from domain.errors import ConfigError

HAS_RAY = importlib.util.find_spec("ray") is not None


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="extra `ray`"):
        RayCluster()


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: the extra `ray`")
def test_two_nodes_give_the_figures_of_one_process_and_outlive_a_worker_and_a_node(tmp_path: Path) -> None:
    program = Path(__file__).with_name("ray_two_nodes.py")
    root = program.parents[2]
    said = subprocess.run(
        [sys.executable, str(program), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(root)}, cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-4_000:]
    found = json.loads(said.stdout.splitlines()[-1])
    assert found["places"] == 2, "both nodes did pieces"
    assert found["squares"] == [0, 1, 4, 9] and (tmp_path / "piece-1").exists(), "the killed worker's piece was done again"
    assert found["error"] == "piece 2 cannot be forecast"
    assert found["left"] > 20 and not found["second_lives"], "a node was lost while orders were worked"
    assert found["there"] == found["here"] and 0 < found["here"]["ratio_twap"] < 1
