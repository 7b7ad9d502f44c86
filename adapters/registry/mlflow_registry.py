"""The port `ModelRegistry` over MLflow: each of our kinds is a registered model, each version one of its versions.

It needs a database of its own (`sqlite:///...`, or any that MLflow takes): MLflow keeps its own schema in it, with a table of
Alembic's that would overwrite ours. Weights stay where they lie; a version's source says where. The digest is the tag `digest`,
by which a version is found; data and metrics are tags too, since a version of ours need not have been trained in an MLflow run.
MLflow is imported when the first registry is made, and never by a process that trades.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from domain.errors import RegistryUnavailable
from domain.model_version import Alias, ModelCard

_T = TypeVar("_T")
_DIGEST: Final = "digest"
_RETIRED: Final = "retired"
_MISSING: Final = "RESOURCE_DOES_NOT_EXIST"


class MlflowRegistry:
    """One database or server of MLflow's.

    Raises:
        RegistryUnavailable: MLflow is not installed (the extra `registry`), or the place cannot be reached.
    """

    def __init__(self, uri: str) -> None:
        try:
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError
        except ImportError as cause:
            raise RegistryUnavailable("MLflow is not installed: it comes with the extra `registry`") from cause
        self._failures: tuple[type[Exception], ...] = (MlflowException, SQLAlchemyError)  # its database's own come through it
        self._client: Any = self._asked(lambda: MlflowClient(tracking_uri=uri, registry_uri=uri))

    def note(self, card: ModelCard, source: str) -> None:
        """As the port says."""
        if self._found(card.model, card.digest) is not None:
            return
        if self._model(card.model) is None:
            self._asked(lambda: self._client.create_registered_model(card.model))
        tags = {
            _DIGEST: card.digest, "contract": str(card.contract), "step": card.step,
            "data": json.dumps(card.data), "metrics": json.dumps(card.metrics),
        }  # fmt: skip
        self._asked(lambda: self._client.create_model_version(card.model, source=source, tags=tags))

    def retire(self, digest: str, why: str) -> None:
        """As the port says."""
        found = self._known(digest)
        self._asked(lambda: self._client.set_model_version_tag(found.name, found.version, _RETIRED, why))

    def point(self, model: str, alias: Alias, digest: str | None) -> None:
        """As the port says."""
        if digest is not None:
            found = self._known(digest)
            self._asked(lambda: self._client.set_registered_model_alias(model, alias.value, found.version))
        elif alias in self.aliases(model):
            self._asked(lambda: self._client.delete_registered_model_alias(model, alias.value))

    def versions(self, model: str) -> Mapping[str, str]:
        """As the port says."""
        return {one.tags[_DIGEST]: one.tags.get(_RETIRED, "") for one in self._all(f"name = '{model}'")}

    def aliases(self, model: str) -> Mapping[Alias, str]:
        """As the port says."""
        found = self._model(model)
        if found is None:
            return {}
        numbers = {str(one.version): one.tags[_DIGEST] for one in self._all(f"name = '{model}'")}
        return {Alias(name): numbers[str(number)] for name, number in found.aliases.items()}

    def _known(self, digest: str) -> Any:
        found = self._all(f"tags.{_DIGEST} = '{digest}'")
        if not found:
            raise KeyError(digest)
        return found[0]

    def _found(self, model: str, digest: str) -> Any:
        return next((one for one in self._all(f"name = '{model}'") if one.tags[_DIGEST] == digest), None)

    def _all(self, which: str) -> list[Any]:
        found: list[Any] = []
        token: str | None = None
        while True:
            page = self._page(which, token)
            found += [one for one in page if _DIGEST in one.tags]  # others' models may live there too
            token = page.token
            if not token:
                return found

    def _page(self, which: str, token: str | None) -> Any:
        return self._asked(lambda: self._client.search_model_versions(which, max_results=1_000, page_token=token))

    def _model(self, name: str) -> Any:
        return self._asked(lambda: self._client.get_registered_model(name), missing=True)

    def _asked(self, ask: Callable[[], _T], *, missing: bool = False) -> _T | None:
        """The one place where MLflow's errors become ours."""
        try:
            return ask()
        except self._failures as cause:
            if missing and getattr(cause, "error_code", "") == _MISSING:
                return None
            raise RegistryUnavailable(f"MLflow: {cause}") from cause
