"""Signed weights: a version is kept with its card, its lineage and a signature over both, and is read only where that holds.

The key is a deployment's own, beside its state: `model-signing.key`, made with the first version that is kept, and its public
half `model-signing.pub`. Only whoever registers or trains needs the private one; a host that only reads is given the public one.
What comes with the code is covered by the build's digest and bears no signature.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from adapters.signing.ed25519 import KeySigner, KeyVerifier, write_public
from domain.errors import SealError, WeightsError
from domain.model_lineage import Lineage, statement
from domain.model_version import ModelCard

_KEY: Final = "model-signing.key"
_PUBLIC: Final = "model-signing.pub"
_REFERENCE: Final = ".drift.json"  # its drift reference, as `models.drift_reference.beside` names it: kept with it, not signed


def keep(directory: Path, path: Path, card: ModelCard, lineage: Lineage) -> tuple[str, str]:
    """Keep a version's file under its digest, signed; public key and signature, hexadecimal. The same again changes nothing.

    Raises:
        SealError: the key cannot be read or made.
    """
    directory.mkdir(parents=True, exist_ok=True)
    key = directory.parent / _KEY
    signer = KeySigner.of_file(key) if key.exists() else KeySigner.made(key)
    write_public(directory.parent / _PUBLIC, signer.public_key)
    signature = signer.sign(statement(card, lineage)).hex()
    said = {"card": card.model_dump(mode="json"), "lineage": lineage.model_dump(mode="json"), "signature": signature}
    kept = directory / f"{card.digest}.safetensors"
    _put(_signed(kept), json.dumps(said, indent=1).encode() + b"\n")
    if (reference := path.with_suffix(_REFERENCE)).exists():
        _put(kept.with_suffix(_REFERENCE), reference.read_bytes())
    _put(kept, path.read_bytes())
    return signer.public_key.hex(), signature


def verified(path: Path) -> None:
    """May a kept file be read? Its own digest is its reader's question.

    Raises:
        WeightsError: no card lies beside it, it is another version's, or nobody that is trusted here has signed it.
    """
    try:
        said = json.loads(_signed(path).read_text("utf-8"))
        card, lineage = ModelCard.model_validate(said["card"]), Lineage.model_validate(said["lineage"])
        verifier, signature = KeyVerifier.of_file(path.parent.parent / _PUBLIC), bytes.fromhex(said["signature"])
    except (OSError, ValueError, KeyError, TypeError, SealError) as error:
        raise WeightsError(f"{path.name} bears no signature that can be read here: {error}") from error
    if card.digest != path.stem or not verifier.verifies(statement(card, lineage), signature):
        raise WeightsError(f"{path.name} is not what was signed: its card, its lineage or its signature was changed")


Accepts = Callable[[Path], None]


def _put(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.replace(path)


def _signed(path: Path) -> Path:
    return path.with_suffix(".signed.json")
