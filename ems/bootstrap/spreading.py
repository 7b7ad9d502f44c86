"""Where the pieces of an evaluation or training are done: here, in processes of this machine, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import ConfigError
from domain.ports_spread import Mapper
from models.spread import IN_PROCESS, Processes


@contextmanager
def spreading(ray: str | None, processes: int) -> Iterator[Mapper]:
    """The mapper that the command line names.

    Args:
        ray: a cluster's address, or `local`; None: no cluster.
        processes: of this machine; 1: this one.

    Raises:
        ConfigError: both are wanted, Ray is not installed, or no cluster answers.
    """
    if ray is None:
        yield IN_PROCESS if processes == 1 else Processes(processes)
        return
    if processes != 1:
        raise ConfigError("pieces are done by processes of this machine or by a Ray cluster: say one of --processes and --ray")
    from adapters.ray.cluster import RayCluster

    cluster = RayCluster(ray)
    try:
        yield cluster
    finally:
        cluster.close()
