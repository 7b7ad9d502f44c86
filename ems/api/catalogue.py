"""What there is, as one person may see it: topics, verbs and screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ems.api.screens import SCREENS
from ems.api.verb import Verb
from ems.api.verbs import alerts, orders
from ems.read_models.topic import Screen, Topic


class Catalogue:
    """All of it, by name."""

    def __init__(self, topics: Iterable[Topic], verbs: Iterable[Verb] | None = None, screens: Sequence[Screen] = SCREENS) -> None:
        rooms = (orders, alerts)
        self.topics = {topic.name: topic for topic in topics}
        self.verbs = {verb.verb: verb for verb in (verbs if verbs is not None else [v for room in rooms for v in room.VERBS])}
        self.screens = screens

    def told(self, roles: frozenset[str]) -> dict[str, Any]:
        """As these roles may see it."""
        verbs = {name: verb for name, verb in self.verbs.items() if verb.roles & roles}
        topics = {name: topic for name, topic in self.topics.items() if topic.roles & roles}
        own = frozenset(verbs)
        screens = [screen.told(frozenset(topics)) for screen in self.screens if any(one in topics for one in screen.topics)]
        return {
            "topics": [topic.told(own) for topic in topics.values()],
            "verbs": [verb.told() for verb in verbs.values()],
            "screens": screens,
        }
