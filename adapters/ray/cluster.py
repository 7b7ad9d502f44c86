"""The port `Mapper` over Ray: each piece is a task; a lost worker's or node's pieces are done again elsewhere.

Ray is imported when the first cluster is joined, and never by a process that trades. It sends nothing to anybody (its usage
statistics are off), serves no dashboard, and a cluster that is started here listens on loopback alone. Workers import this
project as this process does: on other machines the same build has to be installed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from domain.errors import ConfigError, ProcessFailed
from domain.ports_spread import PiecesTold

P = TypeVar("P")
R = TypeVar("R")
LOCAL: Final = "local"
# So set, Ray leaves a loopback address as it is; else it puts this machine's own in its place. Read when Ray is imported.
_LOOPBACK: Final = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
_AGAIN: Final = 3  # times that a piece is done again because its worker was lost
_LOOK_S: Final = 5.0
_AHEAD: Final = 2  # pieces asked for of each processor: one at work, one that waits
_OBJECTS_BYTES: Final = 200 << 20  # what a cluster of this machine keeps in shared memory


class RayCluster:
    """A cluster that was joined, or one of this machine alone that ends with `close`.

    Args:
        address: `local` starts one here; else host:port of a head, or `auto` for the one that runs on this machine.
        patience_s: how long there may be no worker at all before the work is given up.

    Raises:
        ConfigError: Ray is not installed (the extra `ray`), or there is no cluster at the address.
    """

    here: Final = False

    def __init__(self, address: str = LOCAL, *, patience_s: float = 60.0) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if address == LOCAL or address.startswith(("127.", "localhost")):
            os.environ[_LOOPBACK] = "0"
        try:
            import ray
        except ImportError as cause:
            raise ConfigError("Ray is not installed: it comes with the extra `ray`") from cause
        self._ray: Any = ray
        self._patience_s = patience_s
        own: dict[str, Any] = {"_node_ip_address": "127.0.0.1", "include_dashboard": False, "object_store_memory": _OBJECTS_BYTES}
        try:
            ray.init(address=address, log_to_driver=False, **(own if address == LOCAL else {}))
        except (ConnectionError, ValueError, RuntimeError) as cause:
            raise ConfigError(f"no Ray cluster at {address}: {cause}") from cause

    def map(self, work: Callable[[P], R], pieces: Sequence[P], told: PiecesTold) -> list[R]:
        """As the port says."""
        ray = self._ray
        task = ray.remote(num_cpus=1, max_retries=_AGAIN, retry_exceptions=False)(_piece)
        sent = ray.put(work)
        place: dict[Any, int] = {}  # of what was asked and has not ended: no more than keeps all workers busy, so that after an
        left = iter(range(len(pieces)))  # error there is little that still runs, and nothing to be taken back
        done: dict[int, R] = {}
        seen = time.monotonic()
        while len(done) < len(pieces):
            workers = int(ray.cluster_resources().get("CPU", 0))
            for n in islice(left, max(0, _AHEAD * max(workers, 1) - len(place))):
                place[task.remote(sent, pieces[n])] = n
            ended, _ = ray.wait(list(place), num_returns=1, timeout=_LOOK_S)
            if ended or workers >= 1:
                seen = time.monotonic()
            elif time.monotonic() - seen > self._patience_s:
                raise ProcessFailed(f"the cluster has no worker left; {len(done)} of {len(pieces)} pieces are done")
            for ref in ended:
                done[place.pop(ref)] = self._result(ref)
                told(len(done), len(pieces))
        return [done[n] for n in range(len(pieces))]

    def close(self) -> None:
        """Leave the cluster, or end the one of this machine."""
        self._ray.shutdown()

    def _result(self, ref: Any) -> Any:
        """Raises what the piece raised, or ProcessFailed where its workers were lost too often."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(ref)
        except errors.RayTaskError as error:
            raise error.cause from error
        except errors.RayError as error:
            raise ProcessFailed(f"a piece's workers were lost {_AGAIN + 1} times: {type(error).__name__}") from error


def _piece(work: Callable[[P], R], piece: P) -> R:
    return work(piece)
