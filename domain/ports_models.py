"""The port to a registry of models that people look at with other tools than ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from domain.model_version import Alias, ModelCard


class ModelRegistry(Protocol):
    """A copy of what the log says of versions. Nothing is decided by it, and nothing is read from it but by people.

    Every call may be repeated: it then changes nothing. All raise RegistryUnavailable where the registry cannot be reached.
    """

    def note(self, card: ModelCard, source: str) -> None:
        """There is this version; source: where its weights lie."""
        ...

    def retire(self, digest: str, why: str) -> None:
        """It decides nothing any more. Raises KeyError for a version that was not noted."""
        ...

    def point(self, model: str, alias: Alias, digest: str | None) -> None:
        """Whose an alias of a kind is; None: nobody's. Raises KeyError for a version that was not noted."""
        ...

    def versions(self, model: str) -> Mapping[str, str]:
        """Digest -> why it was retired, "" while it may decide: of all versions of a kind."""
        ...

    def aliases(self, model: str) -> Mapping[Alias, str]:
        """Alias -> digest, of a kind."""
        ...
