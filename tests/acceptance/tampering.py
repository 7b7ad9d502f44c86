"""Two hundred ways in which a database's superuser may change a log, each as what would then be stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

from adapters.postgres.packed_rows import PackedRow
from domain.event import GENESIS_HASH, link_hash
from domain.merkle import root
from domain.sealing import SignedHead, Signer, leaves, signed

SEQ, STREAM, VERSION, TOPIC, TIME, STATE, PREV, HASH = range(8)
COLUMNS = "seq stream version topic recorded_time_ns state prev_hash hash".split()


@dataclass(frozen=True)
class Stored:
    """A log as it lies in its tables, and where what was done to it must be found."""

    rows: tuple[PackedRow, ...]
    end: tuple[int, bytes]
    heads: tuple[SignedHead, ...]
    what: str = ""
    at: frozenset[int] = field(default_factory=frozenset)  # sequence numbers: each must be named
    place: tuple[int, str, int] | None = None  # sequence number, stream and version, where one event's bits were changed


Tampering = Callable[[Random, Stored, Signer], Stored]


def changed(row: PackedRow, column: int, value: object) -> PackedRow:
    """A row with one other value."""
    return (*row[:column], value, *row[column + 1 :])  # type: ignore[return-value]


def flip(value: int | bytes, bit: int) -> int | bytes:
    """One bit changed, in a bigint or in bytes."""
    if isinstance(value, int):
        unsigned = value % (1 << 64) ^ 1 << bit % 64
        return unsigned - (unsigned >> 63 << 64)
    at = bit // 8 % len(value)
    return value[:at] + bytes([value[at] ^ 1 << bit % 8]) + value[at + 1 :]


def recomputed(rows: list[PackedRow], first: int) -> list[PackedRow]:
    """Every hash from a place on computed again, as the log itself would have."""
    prev = rows[first - 1][HASH] if first else GENESIS_HASH
    for at in range(first, len(rows)):
        seq, stream, version, topic, time_ns, state, _, _ = rows[at]
        hash_ = link_hash(prev, seq, stream, version, time_ns, topic, state)
        rows[at] = (seq, stream, version, topic, time_ns, state, prev, hash_)
        prev = hash_
    return rows


def ended(stored: Stored, rows: list[PackedRow], what: str, *at: int) -> Stored:
    """With other rows, and the log's head moved to their end."""
    end = (rows[-1][SEQ], rows[-1][HASH]) if rows else (0, GENESIS_HASH)
    return replace(stored, rows=tuple(rows), end=end, what=what, at=frozenset(at))


def bit(random: Random, stored: Stored, column: int) -> Stored:
    """One bit of one column of one event."""
    while True:
        at = random.randrange(len(stored.rows))
        row = stored.rows[at]
        value = flip(row[column], random.randrange(1 << 16))
        printable = column != TOPIC or all(32 <= byte < 127 for byte in bytes(value))  # type: ignore[arg-type]
        taken = {(one[SEQ]) for one in stored.rows} | {(one[STREAM], one[VERSION]) for one in stored.rows}
        new = changed(row, column, value)
        if printable and (column != SEQ or new[SEQ] not in taken) and (
            column not in (STREAM, VERSION) or (new[STREAM], new[VERSION]) not in taken
        ):  # fmt: skip
            break
    rows = [*stored.rows[:at], new, *stored.rows[at + 1 :]]
    place = (row[SEQ], str(UUID(bytes=row[STREAM])), row[VERSION])
    what = f"a bit of {COLUMNS[column]} of event {row[SEQ]}"
    return replace(stored, rows=tuple(rows), what=what, at=frozenset({row[SEQ]}), place=place)


def flipping(column: int) -> Tampering:
    return lambda random, stored, _: bit(random, stored, column)


def deleted(random: Random, stored: Stored, _: Signer) -> Stored:
    """Some rows taken out of the middle."""
    first = random.randrange(len(stored.rows) - 1)
    last = min(first + random.choice([1, 1, 2, 5]), len(stored.rows) - 1)
    rows = (*stored.rows[:first], *stored.rows[last:])
    return replace(stored, rows=rows, what=f"events {first + 1} to {last} deleted", at=frozenset({first + 1}))


def truncated(random: Random, stored: Stored, _: Signer) -> Stored:
    """The end cut off, the log's head and the sealed heads with it."""
    keep = random.choice([0, random.randrange(len(stored.rows)), len(stored.rows) - 1])
    heads = tuple(head for head in stored.heads if head.size <= keep)
    return replace(ended(stored, list(stored.rows[:keep]), f"cut off behind event {keep}", keep + 1), heads=heads)


def swapped(random: Random, stored: Stored, _: Signer) -> Stored:
    """Two events in each other's place."""
    one, other = sorted(random.sample(range(len(stored.rows)), 2))
    rows = list(stored.rows)
    rows[one], rows[other] = changed(rows[other], SEQ, one + 1), changed(rows[one], SEQ, other + 1)
    again = random.random() < 0.5
    what = f"events {one + 1} and {other + 1} swapped{', hashes computed again' if again else ''}"
    if again:
        return ended(stored, recomputed(rows, one), what, one + 1)
    return replace(stored, rows=tuple(rows), what=what, at=frozenset({one + 1, other + 1}))


def inserted(random: Random, stored: Stored, _: Signer) -> Stored:
    """An event that never was, in the past, all behind it moved on and hashed again; or beyond the end."""
    template = random.choice(stored.rows)
    forged = changed(changed(template, STREAM, random.randbytes(16)), VERSION, 1)
    if random.random() < 0.3:
        seq = random.choice([0, -7, len(stored.rows) + 1, len(stored.rows) + 40])
        forged = changed(forged, SEQ, seq)
        return replace(stored, rows=(*stored.rows, forged), what=f"a row with seq {seq}", at=frozenset({seq}))
    at = random.randrange(len(stored.rows))
    rows = [*stored.rows[:at], forged, *stored.rows[at:]]
    rows = recomputed([changed(row, SEQ, seq) for seq, row in enumerate(rows, 1)], at)
    return ended(stored, rows, f"an event inserted as {at + 1}", at + 1)


def backup(random: Random, stored: Stored, _: Signer) -> Stored:
    """An old copy of all tables, as it is or written on."""
    keep = random.randrange(1, len(stored.rows))
    heads = tuple(head for head in stored.heads if head.size <= keep)
    rows = list(stored.rows[:keep])
    more = random.choice([0, 3, len(stored.rows)])
    rows += [(seq, random.randbytes(16), 1, *random.choice(stored.rows)[TOPIC:]) for seq in range(keep + 1, keep + 1 + more)]
    what = f"a backup of event {keep} restored, {more} events written behind it"
    return replace(ended(stored, recomputed(rows, keep), what, keep + 1), heads=heads)


def rewritten(random: Random, stored: Stored, signer: Signer) -> Stored:
    """One event changed, every hash from there on computed again; the sealed heads left, forged or signed with another key."""
    column = random.choice([STREAM, VERSION, TOPIC, TIME, STATE])
    one = bit(random, stored, column)
    while min(row[VERSION] for row in one.rows) < 0 or min(row[TIME] for row in one.rows) < 0:  # such a row has no hash
        one = bit(random, stored, column)
    (at,) = one.at
    rows = recomputed(list(one.rows), at - 1)
    way = random.choice(["left", "forged", "signed by another", "deleted"])
    hashes = [row[HASH] for row in rows]
    heads: list[SignedHead] = []
    for head in stored.heads:
        whole = root(leaves(hashes[: head.size], 1))
        if way == "signed by another":
            heads.append(signed(heads[-1] if heads else None, head.size, whole, hashes[head.size - 1], head.time_ns, signer))
        elif way == "forged":
            heads.append(head._replace(root=whole, chain_hash=hashes[head.size - 1]))
        elif way == "left":
            heads.append(head)
    return replace(ended(stored, rows, f"{one.what}, hashes computed again, heads {way}", at), heads=tuple(heads))


def head_changed(random: Random, stored: Stored, _: Signer) -> Stored:
    """A bit of a sealed head, a sealed head deleted, or the log's own head moved."""
    way, at = random.choice(["bit", "bit", "deleted", "end"]), random.randrange(len(stored.heads))
    head = stored.heads[at]
    if way == "end":
        seq, hash_ = stored.end
        end = random.choice([(seq, flip(hash_, random.randrange(256))), (seq + 5, hash_), (seq - 5, hash_)])
        at_seq = {seq: seq, seq + 5: seq + 1, seq - 5: seq - 4}[end[0]]
        return replace(stored, end=end, what="the log's head moved", at=frozenset({at_seq}))  # type: ignore[arg-type]
    heads = list(stored.heads)
    if way == "deleted":
        del heads[at]
        found = stored.heads[at + 1].size if at + 1 < len(stored.heads) else head.size
    else:
        name = random.choice(["root", "chain_hash", "previous", "time_ns", "key_id", "signature"])
        heads[at] = head._replace(**{name: flip(getattr(head, name), random.randrange(512))})
        found = head.size
    return replace(stored, heads=tuple(heads), what=f"head {head.number}: {way}", at=frozenset({found}))


WAYS: dict[str, Tampering] = {
    **{f"bit of {name}": flipping(column) for column, name in enumerate(COLUMNS)},
    "delete": deleted,
    "truncate": truncated,
    "swap": swapped,
    "insert": inserted,
    "backup": backup,
    "recompute": rewritten,
    "recompute again": rewritten,
    "heads": head_changed,
}
