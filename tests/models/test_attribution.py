"""Attributions add up, are zero where nothing is known, and find the input that was made to matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import model_decision as md
from domain import model_version as mv
from domain.catalogue import TOPICS
from domain.errors import ConfigError, ForecastError
from domain.event import Entry, Meta
from ems.bootstrap import audit
from models.attribution import FEATURE_NAMES, attribute, outputs
from models.inference_layout import IN_CONTEXT, INPUTS, STATE
from models.net_contract import CONTEXT, FEATURES
from models.reproduce import Decider, Moment, floats
from models.weights_store import Weights
from tests.domain.model_cards import card
from tests.models.kept import keep_signed
from tests.models.nets_made import Nets, nets, observations, states

pytest.importorskip("captum", reason="the extra `inference` is not installed")
MADE = nets()


def version(made: Nets, **changes: np.ndarray) -> Weights:
    return Weights(made.tensors | {name.replace("__", "."): array for name, array in changes.items()}, {}, made.digest)


@pytest.mark.parametrize("output", ["action_0", "action_3", "move_10_up", "toxicity_logit"])
def test_the_parts_add_up_to_what_the_observation_changed(output: str) -> None:
    found = attribute(version(MADE), observations(3)[2], states(3)[2], output)
    assert abs(found.gap) < 1e-4 * max(1.0, abs(found.value - found.baseline))
    assert abs(found.value - found.baseline) > 1e-3, "the observation matters at all"


def test_what_is_not_known_did_nothing() -> None:
    inputs = observations(1)[0]
    inputs[0:40] = 0.0  # a book without a level
    inputs[IN_CONTEXT + FEATURES : IN_CONTEXT + 2 * FEATURES] = 0.0  # and no feature known
    found = attribute(version(MADE), inputs, states(1)[0], "action_1")
    assert not found.book.any() and not found.context[:FEATURES].any()
    assert found.tape.any()


@pytest.mark.parametrize("feature", range(FEATURES))
def test_the_feature_that_alone_is_wired_in_gets_it_all(feature: int) -> None:
    fusion = MADE.tensors["encoder.fusion.weight"].copy()
    fusion[:, :] = 0.0
    for column in (feature, FEATURES + feature):  # its value and its known bit
        fusion[:, column - CONTEXT] = MADE.tensors["encoder.fusion.weight"][:, column - CONTEXT]
    inputs = observations(1)[0]
    inputs[IN_CONTEXT + FEATURES : IN_CONTEXT + 2 * FEATURES] = 1.0
    found = attribute(version(MADE, encoder__fusion__weight=fusion), inputs, np.zeros(STATE, np.float32), "move_10_up")
    others = [abs(part) for name, part in found.features.items() if name != FEATURE_NAMES[feature]]
    assert found.features[FEATURE_NAMES[feature]] == float(found.context[feature] + found.context[FEATURES + feature])
    assert found.context[feature] and found.context[FEATURES + feature] and max(others) == 0.0
    assert not found.book.any() and not found.tape.any() and not found.own.any()


async def test_it_is_stored_beside_its_decision_once(app_dsn: str, tmp_path: Path) -> None:
    """From the event of a live decision: the value that is attributed is the one that was decided on."""
    keep_signed(tmp_path, MADE)
    decider, state = Decider(version(MADE)), states(1)[0]
    registry = mv.fold(mv.shipped(mv.NOTHING, [card(MADE.digest)], build="test", at_ns=1))
    decided = decider.decide(observations(1)[0], state, Moment("AMZN", 1, 1, 1, levels=0), registry)
    assert isinstance(decided, md.Decided)
    stream = md.key(decided.use, "AMZN", 1)
    async with PostgresEventLog(app_dsn, TOPICS, WallClock()) as log:
        await log.append([Entry(stream, 0, (decided,), Meta(1, "algo:quoter", stream, "tick", "test"))])
        for _ in range(2):
            why = await audit.attribute(app_dsn, tmp_path, stream, "action_0", now_ns=2, person="jane")
        recorded = [one.event for one in await log.read(stream)]
    assert recorded == [decided, why]
    folded = md.evolve(md.evolve(None, decided, stream=stream), why, stream=stream)
    assert (folded.version, folded.explained) == (2, ("action_0",))
    assert why.features.keys() == set(FEATURE_NAMES) and abs(why.value - decided.action[0]) < 1e-5
    parts = floats(why.parts)
    assert parts.shape == (INPUTS,) and abs(why.baseline + float(parts.sum()) + why.gap - why.value) < 1e-4
    with pytest.raises(ForecastError, match="no decision of a net"):
        await audit.attribute(app_dsn, tmp_path, md.key(decided.use, "AMZN", 2), "action_0", now_ns=2, person="jane")
    with pytest.raises(ConfigError, match="'nothing' is no stream"):
        await audit.attribute(app_dsn, tmp_path, "nothing", "action_0", now_ns=2, person="jane")


def test_a_schedulers_action_is_attributed_on_its_own_scale() -> None:
    inputs, state = observations(1)[0], states(1)[0]
    quoted, shared = (attribute(version(MADE), inputs, state, "action_0", use).value for use in md.Use)
    assert quoted == pytest.approx(4 * shared)


def test_what_cannot_be_attributed_is_refused() -> None:
    inputs, state = observations(1)[0], states(1)[0]
    with pytest.raises(ForecastError, match="no output 'price'"):
        attribute(version(MADE), inputs, state, "price")
    inputs[0] = np.inf
    with pytest.raises(ForecastError, match="no number"):
        attribute(version(MADE), inputs, state, outputs()[0])
