"""What there is, as one person may see it: topics, verbs and screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from ems.api.screens import SCREENS
from ems.api.verb import Verb
from ems.api.verbs import accounts, alerts, care, kill, operations, orders, risk, versions, wheels
from ems.read_models.topic import Screen, Topic

ROOMS: Final = (orders, care, alerts, kill, risk, operations, wheels, versions, accounts)


class Catalogue:
    """All of it, by name."""

    def __init__(self, topics: Iterable[Topic], screens: Sequence[Screen] = SCREENS) -> None:
        self.topics = {topic.name: topic for topic in topics}
        self.verbs = {verb.verb: verb for room in ROOMS for verb in room.VERBS}
        self.screens = screens

    def add(self, *verbs: Verb) -> None:
        """Verbs that are made of what runs."""
        self.verbs |= {verb.verb: verb for verb in verbs}

    def told(self, roles: frozenset[str]) -> dict[str, Any]:
        """As these roles may see it."""
        verbs = {name: verb for name, verb in self.verbs.items() if verb.roles & roles}
        topics = {name: topic for name, topic in self.topics.items() if topic.roles & roles}
        readable, own = frozenset(topics), frozenset(verbs)
        screens = [screen.told(readable, own) for screen in self.screens if any(one in topics for one in screen.topics)]
        return {
            "topics": [
                topic.told([name for name, verb in verbs.items() if verb.topic == topic.name]) for topic in topics.values()
            ],
            "verbs": [verb.told() for verb in verbs.values()],
            "screens": screens,
        }
