"""A batch of entries, and how it lies in the log behind a given event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from adapters.postgres.packed_rows import PackedRow, pack_arrays, pack_rows
from domain.event import Entry, Recorded, link_hash
from domain.values import id_bytes


class Tip(NamedTuple):
    """The place behind which the next event goes."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that share one commit, with the stored bytes of their events (at least one)."""

    entries: Sequence[Entry]
    states: Sequence[Sequence[bytes]]
    epoch: int | None


class Laid:
    """A batch laid behind tip: sequence numbers, versions and hashes given. Nothing is stored by this."""

    def __init__(self, batch: Batch, tip: Tip, recorded_time_ns: int) -> None:
        self._batch = batch
        self._rows: list[PackedRow] = []
        self._recorded_time_ns = recorded_time_ns
        seq, hash_ = tip
        add = self._rows.append
        for entry, states in zip(batch.entries, batch.states, strict=True):
            stream, version = id_bytes(entry.stream), entry.expected_version
            for event, state in zip(entry.events, states, strict=True):
                seq += 1
                version += 1
                topic, prev_hash = event.TOPIC.encode(), hash_
                hash_ = link_hash(prev_hash, seq, stream, version, recorded_time_ns, topic, state)
                add((seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash_))
        self.tip = tip
        self.epoch = batch.epoch
        self.end = Tip(seq, hash_)

    def copy_data(self) -> bytes:
        """Its rows as COPY takes them."""
        return pack_rows(self._rows)

    def arrays(self) -> list[bytes]:
        """Its rows as an INSERT of arrays takes them."""
        return pack_arrays(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def recorded(self) -> list[tuple[Recorded, ...]]:
        """Every entry's events as they are in the log once this is committed."""
        rows = iter(self._rows)
        laid: list[tuple[Recorded, ...]] = []
        time_ns = self._recorded_time_ns
        for entry in self._batch.entries:
            stream, meta = entry.stream, entry.meta
            events: list[Recorded] = []
            for event in entry.events:
                seq, _, version, _, _, _, prev_hash, hash_ = next(rows)
                events.append(Recorded(seq, stream, version, time_ns, event, meta, prev_hash, hash_))
            laid.append(tuple(events))
        return laid
