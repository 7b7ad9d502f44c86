"""The port `ModelRegistry` in memory, for tests and for whoever keeps none."""

from __future__ import annotations

from collections.abc import Mapping

from domain.model_version import Alias, ModelCard


class MemoryModelRegistry:
    """As long as the process lives."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self._cards: dict[str, ModelCard] = {}
        self._retired: dict[str, str] = {}
        self._aliases: dict[tuple[str, Alias], str] = {}

    def note(self, card: ModelCard, source: str) -> None:
        """As the port says."""
        if card.digest not in self._cards:
            self._cards[card.digest], self.sources[card.digest] = card, source

    def retire(self, digest: str, why: str) -> None:
        """As the port says."""
        self._retired[self._cards[digest].digest] = why

    def point(self, model: str, alias: Alias, digest: str | None) -> None:
        """As the port says."""
        if digest is None:
            self._aliases.pop((model, alias), None)
        else:
            self._aliases[(model, alias)] = self._cards[digest].digest

    def versions(self, model: str) -> Mapping[str, str]:
        """As the port says."""
        return {digest: self._retired.get(digest, "") for digest, card in self._cards.items() if card.model == model}

    def aliases(self, model: str) -> Mapping[Alias, str]:
        """As the port says."""
        return {alias: digest for (kind, alias), digest in self._aliases.items() if kind == model}
