"""Folding and verifying in one pass, a bundle's tree, other choices: what is wrong is named, what is right is the same."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from adapters.sandbox import HOOK, SECCOMP, deny_network
from domain import merkle
from domain.errors import ChainBroken, ConfigError, LogError, SealError
from domain.merkle import inclusion_spans
from domain.risk import Check
from domain.sealing import leaves
from domain.values import E9, Algo
from ems import recovery
from ems.audit.bundle_proof import PartialTree
from ems.audit.folding import Wanted
from ems.audit.locate import hints, locate
from ems.audit.replay import Verifying, replay
from ems.audit.scene import Scene, gather
from ems.audit.whatif import CANNOT, Limit, compared, judged_again, market_of, words, worked
from ems.risk_day import RiskTerms
from models.planners import planner_for
from tests.ems.audit.histories import MemoryRows
from tests.ems.exports.days import busy_day
from tests.ems.risk_scene import limit
from tests.ems.room import Room


async def test_every_digest_is_the_one_that_recovery_folds_and_the_root_is_the_trees() -> None:
    room = await busy_day()
    source = MemoryRows.of(room.log)
    told = await replay(source, len(source.all), Wanted(every=9), deny_network)
    for seq, digest in told.digests:
        assert (await recovery.fold(room.log, until_seq=seq)).digest() == digest, seq
    assert told.root == merkle.root(leaves([row.hash for row in source.all], 1)).hex()
    assert told.hash == source.all[-1].hash.hex() and told.network in (SECCOMP, HOOK)
    assert told.row()["digest"] == told.digests[-1][1]


def changed(source: MemoryRows, seq: int, **columns: object) -> MemoryRows:
    return MemoryRows([row._replace(**columns) if row.seq == seq else row for row in source.all])


async def verified(source: MemoryRows) -> Verifying:
    walk = Verifying()
    async for page in source.pages(0, len(source.all)):
        walk.take(page)
    return walk


async def test_a_row_that_was_changed_taken_out_or_swapped_is_named() -> None:
    source = MemoryRows.of((await busy_day()).log)
    state = source.all[10].state
    at = 11
    for columns in ({"state": state[:-2] + b" }"}, {"version": 99}, {"recorded_time_ns": 5}, {"topic": "fill.recorded.v1"}):
        with pytest.raises(ChainBroken, match=f"event {at} "):
            await verified(changed(source, at, **columns))
    with pytest.raises(ChainBroken, match="after event 10 comes event 12"):
        await verified(MemoryRows([row for row in source.all if row.seq != at]))
    with pytest.raises(ChainBroken):
        await verified(MemoryRows([*source.all[:10], source.all[11], source.all[10], *source.all[12:]]))
    assert (await verified(source)).seq == len(source.all)


async def test_what_cannot_be_folded_is_one_sentence_from_the_other_process() -> None:
    source = MemoryRows.of((await busy_day()).log)
    with pytest.raises(ChainBroken, match="ends at event"):
        await replay(source, len(source.all) + 1, Wanted(), None)
    lonely = MemoryRows([row for row in source.all if row.topic == "child_order.acknowledged.v1"][:1])
    with pytest.raises((LogError, ChainBroken)):
        await replay(lonely, 1, Wanted(), None)


@pytest.mark.parametrize(
    ("first", "last", "head"), [(1, 40, 40), (7, 40, 40), (8, 33, 37), (17, 17, 64), (33, 50, 50), (5, 6, 61)]
)
async def test_a_day_in_the_middle_of_the_log_proves_each_of_its_events(first: int, last: int, head: int) -> None:
    hashes = [bytes([n]) * 32 for n in range(head)]
    every = leaves(hashes, 1)
    before = merkle.Frontier()
    before.extend(every[: first - 1])
    proofs = {
        "before": {"size": before.size, "subtrees": [one.hex() for one in before.subtrees]},
        "after": [one.hex() for one in every[last:head]],
    }

    async def held(begin: int, end: int) -> Sequence[bytes]:
        assert first <= begin <= end <= last, "a bundle holds no more than its own rows"
        return hashes[begin - 1 : end]

    tree, root = PartialTree(proofs, last, held), merkle.root(every)
    for seq in range(first, last + 1):
        path = [await tree.root(span) for span in inclusion_spans(seq - 1, head)]
        assert merkle.holds(every[seq - 1], seq - 1, head, path, root), seq
    with pytest.raises(SealError, match="no leaf of event"):
        await tree.root((0, 2 * head))


async def scene_of(room: Room, asked: str) -> tuple[Scene, MemoryRows]:
    source = MemoryRows.of(room.log)
    named = await locate(source, asked, await hints(source))
    return await gather(source, named, len(source.all)), source


async def test_the_same_planner_differs_by_nothing_and_another_says_what_it_cannot() -> None:
    room = await busy_day()
    scene, _ = await scene_of(room, "C1")
    market = market_of(scene, [])
    assert len(market) > 0
    told = compared(scene, market, planner_for(Algo.TWAP).plan)
    assert told["cannot_say"] == list(CANNOT) and told["pairs"] == 1
    recorded = worked(scene, market, None)
    assert recorded == worked(scene, market, None), "a comparison has no chance in it"
    assert told["recorded"]["filled_e9"] + told["recorded"]["left_e9"] == 1_000 * E9
    assert any("paired difference" in line for line in words(told))
    with pytest.raises(ConfigError, match="no plan in the log"):
        compared((await scene_of(room, "A1"))[0], market, planner_for(Algo.TWAP).plan)
    with pytest.raises(ConfigError, match="no order that was worked"):
        compared(
            (await scene_of(room, str(next(iter(row.stream for row in room.log.rows)))))[0], market, planner_for(Algo.TWAP).plan
        )


async def test_other_limits_judge_what_was_observed_and_nothing_after_it() -> None:
    """Of a limit of 500 a child, what was passed under 1,000 a child is told to have been refused, and the other way round."""
    terms = RiskTerms(limits=(limit(Check.MAX_QUANTITY, 1_000 * E9, "quantity", applies="child"),), digest="d")
    room = await Room(risk=terms).open()
    await room.order(quantity_e9=1_000 * E9)
    await room.plan(400, 600)
    await room.wait(0)
    await room.report("new")
    await room.fill(400, "X1")
    await room.wait(61)
    scene, _ = await scene_of(room, "A1")
    told = judged_again(scene, [Limit(Check.MAX_QUANTITY, 500 * E9)])
    assert [(row["passed"], row["would_pass"]) for row in told["changed"]] == [(True, False)]
    assert told["refused_e9"] == 600 * E9 and told["cannot_say"]
    assert judged_again(scene, [Limit(Check.MAX_QUANTITY, 600 * E9)])["changed"] == [], "on the limit it passes"
    assert judged_again(scene, [Limit(Check.CHILD_SUM, 1)])["changed"] == [], "a rule has no limit to change"
