"""Weights files: safetensors with the tensors that the net contract names. Read whole, checked, or not at all.

The digest of a version is that of its tensors and of what its statistics mean (the metadata that a decision depends on), not of
the file's bytes: two files that decide alike have one digest. File format: safetensors, github.com/huggingface/safetensors.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from domain.errors import WeightsError
from models.net_contract import CONTRACT_VERSION, STEP_EVENTS, tensor_shapes

F32 = NDArray[np.float32]
CHAMPION: Final = Path(__file__).parent / "weights" / "champion.safetensors"
_STEP: Final = f"events:{STEP_EVENTS}"
INTERVAL: Final = "interval"
STEPS: Final = (_STEP, INTERVAL)  # what one step of the dynamics may be: ten events, an interval of a schedule


class Weights(NamedTuple):
    """tensors: by the contract's names, float32. metadata: step, contract, seed and the digests of what was trained on."""

    tensors: dict[str, F32]
    metadata: dict[str, str]
    digest: str


def digest_of(tensors: dict[str, F32]) -> str:
    """SHA-256 over name, type, shape and bytes of the tensors in order of their names."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def write_weights(path: Path, tensors: dict[str, F32], metadata: dict[str, str]) -> str:
    """Write a version; its digest. metadata may say another step than the usual ten events.

    Raises:
        WeightsError: the tensors are not those of the contract, or not all numbers; or the file cannot be written.
    """
    check(tensors, path.name)
    told = {"contract": str(CONTRACT_VERSION), "step": _STEP} | metadata
    new = path.with_name(f"{path.name}.new")
    try:
        save_file({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}, new, metadata=told)
        new.replace(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be written: {error}") from error
    return digest_of(tensors)


def read_weights(path: Path, digest: str | None = None, *, step: str | None = _STEP) -> Weights:
    """A version from its file.

    Args:
        digest: what it must be, where that is known.
        step: what one step of its dynamics must be; None: any of STEPS.

    Raises:
        WeightsError: there is no such file, it is damaged, of another contract, holds what is no number, or is another version.
    """
    found, steps = read_file(path), STEPS if step is None else (step,)
    told = found.metadata.get("contract"), found.metadata.get("step")
    if told[0] != str(CONTRACT_VERSION) or told[1] not in steps:
        raise WeightsError(f"{path.name} is of contract and step {told}, not {CONTRACT_VERSION} and {' or '.join(steps)}")
    check(found.tensors, path.name)
    if digest is not None and found.digest != digest:
        raise WeightsError(f"{path.name} is version {found.digest[:12]}, not {digest[:12]}")
    return found


def read_file(path: Path) -> Weights:
    """Whatever tensors a file holds. Raises WeightsError where it is missing or damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        raise WeightsError(f"{path.name} cannot be read: {error}") from error
    return Weights(tensors, metadata, digest_of(tensors))


def check(tensors: dict[str, F32], name: str) -> None:
    """Raises WeightsError unless every tensor of the contract is there, nothing else is, and all of it is finite float32."""
    shapes = tensor_shapes()
    if tensors.keys() != shapes.keys():
        raise WeightsError(f"{name}: tensors {sorted(tensors.keys() ^ shapes.keys())} are missing or none of the contract's")
    for key, shape in shapes.items():
        array = tensors[key]
        if array.shape != shape or array.dtype != np.float32:
            raise WeightsError(f"{name}: {key} is {array.dtype}{array.shape}, not float32{shape}")
        if not np.isfinite(array).all():
            raise WeightsError(f"{name}: {key} holds what is no number")
        if key.startswith("norm.") and key.endswith("_scale") and not (array > 0).all():
            raise WeightsError(f"{name}: {key} is a scale that is not above 0")
