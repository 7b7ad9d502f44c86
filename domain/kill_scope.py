"""What a kill switch is about: one of eight kinds of scopes, and the number by which a compiled loop or a frame names it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from domain.kill_refusal import KillReason, KillRefusal
from domain.values import ScopeKind

ID_BYTES_MAX: Final = 64


class Scope(NamedTuple):
    """One scope. The firm has no id; every other has one."""

    kind: ScopeKind
    id: str = ""

    @property
    def text(self) -> str:
        """`firm`, `client:OMS1`."""
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)

    @property
    def digest(self) -> int:
        """The scope as 64 bits, never 0: the first eight bytes of the SHA-256 of its text."""
        return _digest(self.text)


FIRM: Final = Scope(ScopeKind.FIRM)
KINDS: Final = tuple(ScopeKind)
ACCOUNT_AT: Final = KINDS.index(ScopeKind.ACCOUNT)  # where an account stands among an order's scopes


@lru_cache(maxsize=65_536)
def _digest(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") or 1


def parse(text: str) -> Scope | KillRefusal:
    """A scope from its text, or why it is none."""
    kind, _, id_ = text.partition(":")
    if kind not in _KIND_NAMES:
        return KillRefusal(KillReason.UNKNOWN_SCOPE, f"{text!r} is no scope: firm, or one of {_KINDS} with an id, as client:OMS1")
    if (kind == ScopeKind.FIRM) == bool(id_):
        return KillRefusal(KillReason.UNKNOWN_SCOPE, "the firm has no id" if id_ else f"which {kind}? As in {kind}:NAME")
    if len(id_.encode()) > ID_BYTES_MAX or not id_.isprintable():
        return KillRefusal(KillReason.UNKNOWN_SCOPE, f"the id of a scope has at most {ID_BYTES_MAX} printable bytes")
    return Scope(ScopeKind(kind), id_)


def read(text: str) -> Scope:
    """A scope whose text was checked before: from an event, from the latch."""
    found = parse(text)
    assert isinstance(found, Scope), text
    return found


def digests(ids: Mapping[ScopeKind, str]) -> tuple[int, ...]:
    """An order's scopes as numbers, in the order of `ScopeKind`: the firm's, and those it has an id for; else 0."""
    return (FIRM.digest, *[Scope(kind, ids[kind]).digest if ids.get(kind) else 0 for kind in KINDS[1:]])


_KIND_NAMES: Final = frozenset(str(kind) for kind in ScopeKind)
_KINDS: Final = ", ".join(kind for kind in ScopeKind if kind is not ScopeKind.FIRM)
