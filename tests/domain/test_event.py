"""Events and their catalogue, and the hash that chains them."""

from __future__ import annotations

from typing import ClassVar

import pytest
from pydantic import ValidationError

from domain.catalogue import TOPICS
from domain.child_order import Canceled
from domain.errors import UnknownTopic
from domain.event import GENESIS_HASH, Event, Meta, Recorded, Topics, chain_hash
from domain.values import event_id, stream_id

STREAM = stream_id("test", "7")


class Other(Event):
    TOPIC: ClassVar[str] = "child_order.canceled.v1"
    text: str


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Canceled(text="a").text = "b"


def test_an_event_takes_no_field_that_it_does_not_have() -> None:
    with pytest.raises(ValidationError):
        Canceled.sample(text="a", reason="b")


def test_a_topic_belongs_to_one_class() -> None:
    topics = Topics()
    topics.register((Canceled, Canceled))
    with pytest.raises(ValueError, match=r"child_order\.canceled\.v1"):
        topics.register((Other,))
    assert topics["child_order.canceled.v1"] is Canceled
    assert list(topics) == ["child_order.canceled.v1"]


def test_an_unknown_topic_is_an_error() -> None:
    with pytest.raises(UnknownTopic, match=r"no\.such\.v1"):
        TOPICS["no.such.v1"]


def test_an_events_id_comes_from_its_place() -> None:
    meta = Meta(1, "system:desk", STREAM, "start", "build")
    recorded = Recorded(9, STREAM, 3, 2, Canceled(text=""), meta, GENESIS_HASH, GENESIS_HASH)
    assert recorded.event_id == event_id(STREAM, 3)


def test_the_hash_covers_every_column() -> None:
    columns = [GENESIS_HASH, 1, STREAM, 1, 5, "a.b.v1", b"{}"]
    changes = [b"\1" * 32, 2, stream_id("test", "8"), 2, 6, "a.b.v2", b"{ }"]
    hashes = {chain_hash(*columns)}  # type: ignore[arg-type]
    for place, value in enumerate(changes):
        changed = [*columns]
        changed[place] = value
        hashes.add(chain_hash(*changed))  # type: ignore[arg-type]
    assert len(hashes) == 1 + len(columns)


def test_topic_and_content_cannot_be_shifted_into_each_other() -> None:
    one = chain_hash(GENESIS_HASH, 1, STREAM, 1, 5, "a.b.v1", b"1{}")
    assert one != chain_hash(GENESIS_HASH, 1, STREAM, 1, 5, "a.b.v11", b"{}")
