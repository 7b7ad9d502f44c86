"""The observer's process: what it is told of instruments, what it says of a real venue's market, and that it is started again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from domain.errors import ConfigError
from domain.model_lineage import Lineage
from domain.observation import Observed
from domain.values import E9
from ems.bootstrap import model_signing, observer
from ems.bootstrap.observer import Versions, observing, terms_of
from ems.config import Settings, check
from ems.market_settings import ObserverSettings
from models.planners.foresight import read_observation
from models.sight import sight
from models.weights_store import CHAMPION, read_weights, write_weights
from tests.domain.model_cards import card
from tests.ems.venue_process import OPEN_NS, VenueProcess

FOLLOWED: dict[str, Any] = {"comp_id": "TAPE", "target_comp_id": "SIM", "symbols": ["AMZN"], "every_s": 0.1}


def settings(port: int, home: Path) -> Settings:
    return check({"observer": {**FOLLOWED, "port": port}}, name="the test's settings", folder=home)


def other(folder: Path) -> str:
    """A version that differs in one number, kept where versions are; its digest."""
    found = read_weights(CHAMPION)
    name = next(name for name in sorted(found.tensors) if not name.startswith("norm."))
    tensors = found.tensors | {name: found.tensors[name] * np.float32(1.001)}
    digest = write_weights(folder.parent / "new.safetensors", tensors, {})
    lineage = Lineage(code_sha256="", seed=1, universe=(), trained_until="")
    model_signing.keep(folder, folder.parent / "new.safetensors", card(digest=digest), lineage)
    return digest


def test_a_symbol_that_nobody_knows_is_told_at_the_start() -> None:
    wanted = ObserverSettings(**{**FOLLOWED, "port": 1, "symbols": ["AMZN", "NOPE"]})
    with pytest.raises(ConfigError, match=r"\[observer\] symbols: NOPE is not in the instrument table"):
        terms_of(wanted, None, OPEN_NS)
    found = terms_of(wanted.model_copy(update={"symbols": ("AMZN",)}), None, OPEN_NS)
    assert {symbol: (each.tick_size_e9, each.lot_size_e9) for symbol, each in found.items()} == {"AMZN": (E9 // 100, E9)}


async def test_without_an_observer_nothing_is_said_and_nothing_ends() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(
            observing(Settings(), lambda: OPEN_NS, lambda _: pytest.fail("said"), Versions(Path(), str, [])), 0.05
        )


@pytest.mark.slow
async def test_it_says_what_the_nets_see_is_started_again_when_it_dies_and_gives_way_to_another_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observer, "_AGAIN_S", 0.05)
    venue = VenueProcess(tmp_path / "venue", symbols=["AMZN"], speed=60.0, publish_ms=20)
    venue.start()
    champion = first_digest = sight().digest
    heard: asyncio.Queue[Any] = asyncio.Queue()
    before = {each.pid for each in psutil.Process().children()}
    task = asyncio.create_task(
        observing(
            settings(venue.port, tmp_path),
            lambda: OPEN_NS,
            lambda items: [heard.put_nowait(each) for each in items][:0],
            Versions(tmp_path / "models", lambda: champion, []),
        )
    )
    try:
        first = await asyncio.wait_for(heard.get(), 120)
        assert isinstance(first, Observed) and first.instrument == "AMZN"
        inputs, _ = read_observation(first.observation)
        assert inputs.any() and len(first.latent) == 128
        assert first.fills is not None and all(0.0 < each < 1.0 for each in first.fills)
        (process,) = [
            each for each in psutil.Process().children() if each.pid not in before and "spawn_main" in " ".join(each.cmdline())
        ]
        process.kill()
        process.wait(10)
        while not heard.empty():
            heard.get_nowait()
        again = await asyncio.wait_for(heard.get(), 120)
        assert again.observation.time_ns > first.observation.time_ns
        champion = other(tmp_path / "models")
        versions = [again.observation.weights_sha256]
        while versions[-1] != champion:
            versions.append((await asyncio.wait_for(heard.get(), 120)).observation.weights_sha256)
        assert set(versions[:-1]) == {first_digest}, "one version after the other"
        for _ in range(5):
            assert (await asyncio.wait_for(heard.get(), 120)).observation.weights_sha256 == champion
    finally:
        task.cancel()
        await asyncio.wait([task])
        venue.stop()
    assert not [each for each in psutil.Process().children() if "spawn_main" in " ".join(each.cmdline())]
