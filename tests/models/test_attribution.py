"""Attributions add up, are zero where nothing is known, and find the input that was made to matter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ForecastError
from models.attribution import FEATURE_NAMES, attribute, outputs, store
from models.inference_layout import IN_CONTEXT, STATE
from models.net_contract import CONTEXT, FEATURES
from models.reproduce import Decider, floats
from models.weights_store import Weights
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


def test_it_is_stored_beside_its_decision_and_is_the_same_again(tmp_path: Path) -> None:
    """From the record of a live decision: the value that is attributed is the one that was decided on."""
    decider, state = Decider(version(MADE)), states(1)[0]
    record = decider.decide(observations(1)[0], state, at_ns=1, heard_ns=1)
    texts = []
    for _ in range(2):
        inputs, before = floats(record.inputs), floats(record.state)
        path = store(tmp_path, record, attribute(version(MADE), inputs, before, "action_0"))
        texts.append(path.read_text())
    assert [path.name] == [each.name for each in tmp_path.iterdir()] and texts[0] == texts[1]
    told = json.loads(texts[0])
    assert told["features"].keys() == set(FEATURE_NAMES) and len(told["book"]) == 40 and told["output"] == "action_0"
    assert abs(told["value"] - floats(record.results)[0]) < 1e-5


def test_what_cannot_be_attributed_is_refused() -> None:
    inputs, state = observations(1)[0], states(1)[0]
    with pytest.raises(ForecastError, match="no output 'price'"):
        attribute(version(MADE), inputs, state, "price")
    inputs[0] = np.inf
    with pytest.raises(ForecastError, match="no number"):
        attribute(version(MADE), inputs, state, outputs()[0])
