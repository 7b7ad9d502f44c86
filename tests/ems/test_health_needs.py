"""What counts as well: a host that leads, one that could, one of which anything still answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.errors import ConfigError
from ems.cli.asking import ask_health
from ems.config_text import TEMPLATE
from ems.health_needs import asked_until, met


def host(state: str | None = "leading", **down: bool) -> dict[str, Any]:
    up = {"database": True, "gateway": True, "sealer": True, "api": True, "disk": True, **down}
    parts: dict[str, Any] = {name: {"up": value} for name, value in up.items()}
    parts["desk"] = {"up": state == "leading", **({} if state is None else {"state": state})}
    parts["risk"] = {"up": state == "leading"}
    return {"up": all(part["up"] for part in parts.values()), "red": [], **parts}


@pytest.mark.parametrize(
    ("found", "well"),
    [
        (host(), ("leading", "standby", "any")),
        (host("standing by"), ("standby", "any")),
        (host("recovering"), ("standby", "any")),
        (host("refused"), ("any",)),
        (host(None), ("any",)),
        (host("standing by", sealer=False), ("any",)),
        (host("leading", database=False), ("any",)),
        (host(None, gateway=False, sealer=False, api=False), ()),
    ],
)
def test_what_is_needed(found: dict[str, Any], well: tuple[str, ...]) -> None:
    assert tuple(need for need in ("leading", "standby", "any") if met(found, need)) == well


async def test_it_waits_until_it_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ems.health_needs.ASK_EVERY_S", 0.001)
    answers = [host(None), host("recovering"), host()]

    async def ask() -> dict[str, Any]:
        return answers.pop(0)

    assert (await asked_until(ask, "leading", 60))[1] and answers == []


async def test_without_time_it_asks_once() -> None:
    asked = []

    async def ask() -> dict[str, Any]:
        asked.append(1)
        return host("standing by")

    found, well = await asked_until(ask, "leading", 0)
    assert (len(asked), well, found["desk"]["state"]) == (1, False, "standing by")


def test_a_system_that_was_never_started(tmp_path: Path) -> None:
    config = tmp_path / "ems.toml"
    config.write_text(TEMPLATE)
    with pytest.raises(ConfigError, match="nothing has been started"):
        ask_health(config, "leading", 0)
    found, well = ask_health(config, "any", 0.01)
    assert (found["up"], found["desk"]["up"], well) == (False, False, False)
    with pytest.raises(ConfigError, match="--need is one of leading, standby, any"):
        ask_health(config, "perfect", 0)
