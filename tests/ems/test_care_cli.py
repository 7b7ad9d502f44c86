"""`ems care` against a desk that runs: who may, what is written, what is said."""

from __future__ import annotations

import pytest

from domain.care import Handled
from domain.care_rules import CareRule, CareTerms
from ems.care_words import slice_of
from tests.ems.care import CareRoom, opened
from tests.ems.test_attention_cli import RunningDesk, desk

__all__ = ["desk"]


async def _handled(running: RunningDesk) -> list[str]:
    return [r.event.act async for page in running.room.log.read_pages() for r in page if isinstance(r.event, Handled)]


async def _staged() -> CareRoom:
    room = await opened(CareTerms(rules=(CareRule(name="all"),), house_account="HOUSE"))
    for name in ("A1", "A2", "A3"):
        await room.order(cl_ord_id=name)
    return room


def test_every_word_is_a_command_that_the_desk_decides(desk: RunningDesk) -> None:
    room = desk.room = desk.do(_staged())
    assert [row["order"] for row in desk.run("care", "list")["staged"]] == [room.named(f"A{n}").order_id for n in (1, 2, 3)]
    assert "OMS buy 1000 ABC at 100, twap, by rule all" in desk.said("care", "list")
    first, second, third = (room.named(f"A{n}").order_id for n in (1, 2, 3))
    for words in (
        ["claim", first], ["reject", third],
        ["accept", first, "--algo", "manual"], ["accept", second, "--algo", "manual"],
        ["split", first, "--part", "100 vwap", "--part", "100 direct@BROKER1"],
        ["route", first, "BROKER2", "--qty", "100", "--limit", "99"],
        ["fill", second, "--broker", "JPM", "--ref", "T-1", "--qty", "100", "--price", "99.5", "--at", "2026-03-02T14:59:00"],
        ["correct", second, "--broker", "JPM", "--ref", "T-1"],
        ["block", second, "--qty", "100", "--price", "100"],
    ):  # fmt: skip
        assert desk.run("care", *words, *desk.person())["ok"], words
    merged = desk.run("care", "merge", first, second, *desk.person())["order_id"]
    assert desk.run("care", "unmerge", merged, "--member", second, *desk.person())["ok"]
    assert desk.run("care", "pull-back", second, *desk.person())["ok"]
    assert desk.run("care", "reassign", first, "joe", *desk.person())["ok"]
    assert desk.do(_handled(desk)) == [
        "claim", "reject", "accept", "accept", "split", "route", "fill", "fill", "block", "merge", "merge",
        "unmerge", "pull_back", "reassign",
    ]  # fmt: skip
    assert "no order waits" in desk.said("care", "list")


def test_more_than_was_asked_for_needs_two_secrets(desk: RunningDesk) -> None:
    desk.room = desk.do(_staged())
    order = desk.room.named("A1").order_id
    assert desk.run("care", "accept", order, "--algo", "manual", *desk.person())["ok"]
    words = ["care", "fill", order, "--broker", "JPM", "--ref", "T-1", "--qty", "1100", "--price", "99", *desk.person()]
    assert "a second person" in desk.run(*words, code=1)["text"]
    second = ["--approver", "eve", "--approver-secret-file", str(desk.home / "eve")]
    assert desk.run(*words, *second, code=1)["reason"] == "not_authenticated"
    assert desk.room.named("A1").cum_quantity_e9 == 0


@pytest.mark.parametrize(("line", "said"), [("300", "is not QUANTITY"), ("300 guess", "none of"), ("x vwap", "not a decimal")])
def test_a_part_that_cannot_be_read_is_said(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        slice_of(line)
