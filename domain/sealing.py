"""Sealing: the log as an RFC 9162 tree, and heads of it that are signed and kept where the log's administrator cannot reach.

A leaf binds an event's chain hash to its sequence number. The chain hash covers every stored column of the event and, through
the hash before it, every event before; so what is sealed is the whole log up to there, byte by byte.

A head is a statement of fixed layout (`SignedHead.statement`), signed with Ed25519. Each names the one before it, so that a head
that was taken away is missed, and the last signature vouches for all heads.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol, Self

from domain.errors import SealError

MAGIC: Final = b"ems-sealed-head1"
STATEMENT: Final = struct.Struct(">16sQQ32s32s32sQ32s")
NO_HEAD: Final = bytes(32)  # what the first head names as the one before it
TILE_LEVEL: Final = 10  # subtrees of 1,024 leaves are kept, so that a proof need not read the whole log
TILE: Final = 1 << TILE_LEVEL
SHORT: Final = 8  # bytes of each event's chain hash that an anchor keeps, to say which one was changed
_SEQ = struct.Struct(">Q")


def leaves(hashes: Sequence[bytes], first_seq: int) -> list[bytes]:
    """The leaves' hashes of events that follow one another.

    Args:
        hashes: their chain hashes, as stored.
        first_seq: the first one's sequence number.
    """
    pack = _SEQ.pack
    return [sha256(b"\0" + hash_ + pack(seq)).digest() for seq, hash_ in enumerate(hashes, first_seq)]


def key_id(public_key: bytes) -> bytes:
    """The name of a key: SHA-256 of its 32 bytes."""
    return sha256(public_key).digest()


class SignedHead(NamedTuple):
    """The log up to one event, signed."""

    number: int  # of the head: 1, 2, 3 ...
    size: int  # of the tree: the sequence number of its last event
    root: bytes  # of the tree, RFC 9162
    chain_hash: bytes  # of its last event
    previous: bytes  # `digest` of the head before, NO_HEAD of the first
    time_ns: int  # when it was signed, by the sealer's clock
    key_id: bytes
    signature: bytes  # Ed25519 over `statement`

    @property
    def statement(self) -> bytes:
        """What is signed: 168 bytes, integers big-endian."""
        return STATEMENT.pack(
            MAGIC, self.number, self.size, self.root, self.chain_hash, self.previous, self.time_ns, self.key_id
        )  # fmt: skip

    @property
    def digest(self) -> bytes:
        """What the next head names, and what a time stamp is over: SHA-256 of statement and signature."""
        return sha256(self.statement + self.signature).digest()

    def to_json(self) -> dict[str, Any]:
        """With bytes in hexadecimal."""
        return {name: value.hex() if isinstance(value, bytes) else value for name, value in self._asdict().items()}

    @classmethod
    def from_json(cls, told: Any) -> Self:
        """Of what `to_json` gave, and nothing else. Raises SealError."""
        try:
            if not isinstance(told, dict) or told.keys() != set(cls._fields):
                raise ValueError("its keys are not those of a head")
            head = cls(*(_read(name, told[name]) for name in cls._fields))
        except (ValueError, TypeError) as cause:
            raise SealError(f"this is no sealed head: {cause}") from cause
        return head


_LENGTHS: Final = {"root": 32, "chain_hash": 32, "previous": 32, "key_id": 32, "signature": 64}


def _read(name: str, value: Any) -> Any:
    if name not in _LENGTHS:
        if type(value) is not int or not 0 <= value < 1 << 63:
            raise ValueError(f"{name} is {value!r}")
        return value
    read = bytes.fromhex(value)
    if len(read) != _LENGTHS[name] or read.hex() != value:
        raise ValueError(f"{name} is not {_LENGTHS[name]} bytes in hexadecimal")
    return read


class Signer(Protocol):
    """Whoever holds the private key."""

    @property
    def public_key(self) -> bytes:
        """Its 32 bytes."""
        ...

    def sign(self, statement: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""
        ...


class Verifier(Protocol):
    """Checks signatures of one public key."""

    @property
    def public_key(self) -> bytes:
        """Its 32 bytes."""
        ...

    def verifies(self, statement: bytes, signature: bytes) -> bool:
        """Is this the key's signature of that?"""
        ...


def signed(before: SignedHead | None, size: int, root: bytes, chain_hash: bytes, time_ns: int, signer: Signer) -> SignedHead:
    """The head after another. Raises SealError where it would not go forward."""
    if before is not None and size <= before.size:
        raise SealError(f"a head of {size} events does not come after one of {before.size}")
    number, previous = (1, NO_HEAD) if before is None else (before.number + 1, before.digest)
    unsigned = SignedHead(number, size, root, chain_hash, previous, time_ns, key_id(signer.public_key), bytes(64))
    return unsigned._replace(signature=signer.sign(unsigned.statement))


def unsigned(head: SignedHead, verifier: Verifier) -> str:
    """Why a head does not count; "" where it is signed by that key."""
    if head.key_id != key_id(verifier.public_key):
        return f"head {head.number} is signed by another key, {head.key_id.hex()[:16]}"
    return "" if verifier.verifies(head.statement, head.signature) else f"head {head.number} has no valid signature"


def unlinked(head: SignedHead, before: SignedHead | None) -> str:
    """Why a head does not follow another (None: it would be the first); "" where it does."""
    number, size, previous = (0, 0, NO_HEAD) if before is None else (before.number, before.size, before.digest)
    if head.number != number + 1:
        return f"after head {number} comes head {head.number}"
    return "" if head.previous == previous and head.size > size else f"head {head.number} does not follow head {number}"


class Anchored(NamedTuple):
    """A head as it is kept outside of the database."""

    head: SignedHead
    shorts: bytes = b""  # the first bytes of the chain hash of each event since the head before, SHORT each; may be left out

    def line(self) -> bytes:
        """One line of JSON."""
        told = self.head.to_json() | ({"shorts": self.shorts.hex()} if self.shorts else {})
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Of what `line` gave. Raises SealError."""
        try:
            told = json.loads(line)
            shorts = bytes.fromhex(told.pop("shorts", ""))
        except (ValueError, AttributeError, TypeError) as cause:
            raise SealError(f"this is no line of an anchor: {cause}") from cause
        return cls(SignedHead.from_json(told), shorts)
