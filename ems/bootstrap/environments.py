"""The environments that decisions were made in, kept by their digests, so that a decision that comes out otherwise elsewhere can
be held against what is different there.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from domain.errors import ConfigError


def keep(directory: Path) -> str:
    """Keep this process's environment; its digest. The same again changes nothing."""
    from models.environment import environment, environment_digest

    digest, path = environment_digest(), _path(directory, environment_digest())
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(environment(), sort_keys=True), "utf-8")
        fresh.replace(path)
    return digest


def difference(directory: Path, digest: str) -> dict[str, tuple[str, str]] | None:
    """What is different here: name -> (here, there). None where that environment is not kept.

    Raises:
        ConfigError: what is kept under the digest is not what it is the digest of.
    """
    from models.environment import differences, environment

    path = _path(directory, digest)
    if not path.exists():
        return None
    text = path.read_text("utf-8")
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise ConfigError(f"{path} is not the environment that it is named by")
    return differences(environment(), json.loads(text))


def _path(directory: Path, digest: str) -> Path:
    return directory / "environments" / f"{digest}.json"
