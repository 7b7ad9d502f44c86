"""A process that folds the log into the desk's state, with the network denied: events come through a pipe, digests go out."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from domain import decision
from domain.catalogue import TOPICS
from domain.errors import ChainBroken, EmsError
from domain.stored import Decoder
from ems.desk_state import DeskState


class Wanted(NamedTuple):
    """Digests of which places. every: each so many events, 0 for none but the last; from_seq: each event from there on."""

    every: int = 0
    from_seq: int = 0


class Folded(NamedTuple):
    """The end of a fold. digests: (sequence number, state digest), the last one included."""

    seq: int
    digests: tuple[tuple[int, str], ...]
    network: str
    parents: int
    children: int
    fills: int
    rss_mb: float
    digest_s: float  # of its time, what the digests took


READY: Final = "ready"  # the first word: everything is loaded, the network is denied
# What goes into the pipe: sequence numbers, streams, recorded times, topics, states of a page; None: that was all.
Sent = tuple[list[Any], ...] | None


def fold(inward: Connection, outward: Connection, deny: Callable[[], str] | None, wanted: Wanted) -> None:
    """The process's whole life. What goes wrong goes out as its sentence."""
    network = deny() if deny is not None else "not denied"
    outward.send(READY)
    try:
        outward.send(_folded(inward, wanted, network))
    except (EmsError, AssertionError, ValueError, KeyError) as error:
        outward.send(f"{type(error).__name__}: {error}")
    except EOFError:  # whoever read has gone
        sys.exit(1)


def _folded(inward: Connection, wanted: Wanted, network: str) -> Folded:
    gc.disable()  # nothing of what a fold makes is garbage in a circle
    state, decoder = DeskState(), Decoder(TOPICS)
    digests: list[tuple[int, str]] = []
    digest_s = 0.0

    def digest() -> None:
        nonlocal digest_s
        began = time.perf_counter()
        digests.append((state.seq, state.digest()))
        digest_s += time.perf_counter() - began

    while (page := inward.recv()) is not None:
        seqs, streams, _, topics, states = page
        contents = decoder.contents(topics, states, decision.EVENTS)
        for seq, stream, (event, meta) in zip(seqs, streams, contents, strict=True):
            if seq != state.seq + 1:
                raise ChainBroken(f"after event {state.seq} comes event {seq}")
            state.apply(stream, event, meta, seq=seq)
            if (wanted.every and seq % wanted.every == 0) or (wanted.from_seq and seq >= wanted.from_seq):
                digest()
    if not digests or digests[-1][0] != state.seq:
        digest()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rss_mb = peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return Folded(state.seq, tuple(digests), network, len(state.parents), len(state.children), len(state.fills), rss_mb, digest_s)
