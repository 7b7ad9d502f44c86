"""How pip builds the project: setuptools, and before it the console's bundle, so that no wheel and no sdist is without it.

An editable install needs no bundle: set-up makes it, and without Node.js the api says what is missing.
"""

from __future__ import annotations

import shutil
from typing import Any

import console_bundle
from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """The wheel's file name. Raises NodeMissing and BundleFailed, which pip shows."""
    console_bundle.ensure()
    # setuptools copies there and removes nothing: what an earlier bundle left would be in the wheel beside this one's.
    shutil.rmtree(console_bundle.ROOT / "build" / "lib", ignore_errors=True)
    made: str = build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    return made


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """The sdist's file name; it holds the bundle, so that a wheel is made of it without Node.js."""
    console_bundle.ensure()
    made: str = build_meta.build_sdist(sdist_directory, config_settings)
    return made
