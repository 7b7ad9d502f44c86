"""`ems desk pause` and its kin against a desk that runs: who may, what is written, what is said."""

from __future__ import annotations

import pytest

from domain.market_note import DecisionNoted
from domain.steering import Steered
from tests.ems.test_attention_cli import RunningDesk, desk

__all__ = ["desk"]


async def written(running: RunningDesk) -> list[Steered | DecisionNoted]:
    """What of this kind the log holds."""
    pages = running.room.log.read_pages()
    return [r.event async for page in pages for r in page if isinstance(r.event, Steered | DecisionNoted)]


def test_every_word_is_a_command_that_the_desk_decides(desk: RunningDesk) -> None:
    order = desk.room.parent().order_id
    for words in (
        ["take-over", order], ["place", order, "--qty", "100", "--limit", "99.5"], ["resume", order],
        ["urgency", order, "high"], ["complete", order], ["pause", order],
        ["switch", order, "pov", "--param", "ParticipationRate=10"],
        ["decision", order, "--price", "99", "--at", "2026-03-02T14:59:00"],
    ):  # fmt: skip
        assert desk.run("desk", *words, *desk.person())["ok"], words
    events = desk.do(written(desk))
    acts = [event.act if isinstance(event, Steered) else event.price_e9 for event in events]
    assert acts == ["take_over", "place", "resume", "urgency", "complete", "pause", "switch", 99 * 10**9]
    assert desk.room.parent().terms.algo == "pov"


@pytest.mark.parametrize("name", ["eve", "jane"])
def test_who_has_no_secret_steers_nothing(desk: RunningDesk, name: str) -> None:
    words = desk.person(name)
    if name == "jane":
        words = [str(desk.home / "eve") if word.endswith("jane") and "/" in word else word for word in words]
    told = desk.run("desk", "pause", desk.room.parent().order_id, *words, code=1)
    assert told["reason"] == "not_authenticated"
    assert desk.do(written(desk)) == []
