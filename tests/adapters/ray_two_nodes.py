"""A program: two nodes of a Ray cluster on loopback, work spread over them, a worker killed, then a node lost half-way.

What it finds is one JSON object on standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

# Nothing leaves the loopback, and sums have one order, as `ems evaluate` sees to it.
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "OPENBLAS_NUM_THREADS": "1"}

import ray
from ray.cluster_utils import Cluster

from adapters.ray.cluster import RayCluster
from domain.errors import ForecastError
from models.execution import report
from models.execution.choice import Choice
from models.execution.harness import Plan
from models.execution.learned import Learned, read_nets
from models.spread import spread
from models.worlds.lq import LqWorld

NODE = {"num_cpus": 1, "object_store_memory": 100 << 20, "node_ip_address": "127.0.0.1", "include_dashboard": False}


def plan() -> Plan:
    return Plan(
        world=LqWorld(), choice=Choice(1.0, 0.3, {}, {}), learned=[Learned(read_nets())], judged="adaptive",
        orders=60, orders_elsewhere=40, regimes=("mixed", "toxic"), tells=True,
    )  # fmt: skip


def where(piece: int) -> str:
    time.sleep(0.3)  # so that one node alone cannot have done them all
    return str(ray.get_runtime_context().get_node_id())


def dies_once(marks: Path, piece: int) -> int:
    mark = marks / f"piece-{piece}"
    if piece == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return piece * piece


def fails(piece: int) -> int:
    if piece == 2:
        raise ForecastError("piece 2 cannot be forecast")
    return piece


def main(marks: Path) -> dict[str, Any]:
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    second = cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    found: dict[str, Any] = {}
    mapper = RayCluster(cluster.address)
    try:
        found["places"] = len(set(spread(mapper, where, range(8))))
        found["squares"] = spread(mapper, partial(dies_once, marks), range(4))
        try:
            spread(mapper, fails, range(4))
        except ForecastError as error:
            found["error"] = str(error)

        def told(what: str, done: int, of: int) -> None:
            if what == "orders" and done == of // 4:
                found["left"] = of - done
                cluster.remove_node(second, allow_graceful=False)

        found["there"] = report.judge(plan(), told, mapper)
        found["here"] = report.judge(plan(), lambda *_: None)
        found["second_lives"] = second.any_processes_alive()
    finally:
        mapper.close()
        cluster.shutdown()
    return found


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
