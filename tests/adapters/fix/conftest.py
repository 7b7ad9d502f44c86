"""Fixtures of the gateway's tests: everything that is started here is stopped here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.fix.link import Hello
from adapters.fix.oms import Oms
from tests.adapters.fix.kit import Desk, GatewayProcess, make_oms
from tests.adapters.fix.raw import RawPeer


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway that is not started yet."""
    process = GatewayProcess(tmp_path)
    yield process
    process.stop()


@pytest.fixture
async def venue(gateway: GatewayProcess) -> AsyncIterator[RawPeer]:
    """Listens where the gateway's venue session connects to."""
    peer = RawPeer("VENUE", "EMS")
    await peer.listen(gateway.venue_port)
    yield peer
    await peer.close()


@pytest.fixture
async def client(gateway: GatewayProcess) -> AsyncIterator[RawPeer]:
    """An OMS without an engine; not connected yet."""
    peer = RawPeer("OMS", "EMS")
    yield peer
    await peer.close()


@pytest.fixture
def oms(gateway: GatewayProcess) -> Iterator[Oms]:
    """Our own small OMS; not started yet."""
    made = make_oms(gateway.directory / "oms", gateway.client_port)
    yield made
    made.stop(wait_s=0.5)


@pytest.fixture
async def desk_on(gateway: GatewayProcess) -> AsyncIterator[Callable[..., Desk]]:
    """Makes desks on the gateway's link."""
    desks: list[Desk] = []

    def make(epoch: int = 1, **hello: Any) -> Desk:
        desks.append(Desk(gateway.link_path, Hello(epoch=epoch, **hello)))
        return desks[-1]

    yield make
    for desk in desks:
        await desk.leave()
