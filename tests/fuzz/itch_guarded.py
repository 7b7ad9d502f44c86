"""Spoiled ITCH into the decoders, in memory that ends at a page nobody may touch. Run as a program of its own.

`python -m tests.fuzz.itch_guarded SEED MESSAGES`: what is read or written beyond its end kills the process. Every message is
spoiled; one stream in ten has its frames' lengths spoiled too. The fast and the careful path must say the same of each stream.
`python -m tests.fuzz.itch_guarded overrun` reads one byte beyond, to show that it does.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import sys
from random import Random

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.compiled import be16, be64, hot
from adapters.marketdata.itch import decode_frames, decode_tail
from adapters.marketdata.itch_layout import Bytes, Itch, fault_report, make_state
from adapters.marketdata.itch_messages import decode_message
from adapters.marketdata.itch_orders import Orders, make_orders, resolve
from adapters.marketdata.mold import decode_datagram, make_mold, room_of
from domain.tape import TAPE, Tape
from tests.adapters.marketdata.itch_bytes import MIDNIGHT_NS, framed, mixed

PAGE = mmap.PAGESIZE
STREAM = 64  # messages
BASES = 50  # streams that are spoiled in turn
EVIL = np.array([0, 1, 2, 0x20, 0x7F, 0x80, 0xFE, 0xFF], np.uint8)


class Guarded:
    """A piece of memory whose last byte is followed by a page that may be neither read nor written."""

    def __init__(self, size: int) -> None:
        self.pages = -(-size // PAGE)
        self._map = mmap.mmap(-1, (self.pages + 1) * PAGE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mprotect(ctypes.c_void_p(address + self.pages * PAGE), ctypes.c_size_t(PAGE), 0):
            raise OSError(ctypes.get_errno(), "mprotect")
        self._all = np.frombuffer(self._map, np.uint8, self.pages * PAGE)

    def last(self, size: int) -> NDArray[np.uint8]:
        """The last so many bytes, which end at the guard."""
        return self._all[self.pages * PAGE - size :]

    def records(self, count: int) -> Tape:
        """Room for so many tape records, which ends at the guard."""
        return self.last(count * TAPE.itemsize).view(TAPE)


@hot
def careful(s: Itch, data: Bytes, end: int, out: Tape) -> int:
    """Frame by frame through the careful path alone."""
    at, n = 0, 0
    while at + 2 <= end and n + 2 <= out.size:
        length = be16(data, at)
        if at + 2 + length > end:
            break
        n = decode_message(s, data, at + 2, length, 0, out, n)
        at += 2 + length
    return n


def spoiled(base: bytes, starts: NDArray[np.int64], chance: np.random.Generator) -> NDArray[np.uint8]:
    """The stream with one to four bytes of every message changed, some lengths too, and now and then an end cut off."""
    data = np.frombuffer(base, np.uint8).copy()
    lengths = np.diff(starts) - 2
    for _ in range(chance.integers(1, 5)):
        places = starts[:-1] + 2 + (chance.random(len(lengths)) * lengths).astype(np.int64)
        values = chance.integers(0, 256, len(places)).astype(np.uint8)
        data[places] = np.where(chance.random(len(places)) < 0.6, chance.choice(EVIL, len(places)), values)
    if chance.random() < 0.1:
        some = starts[:-1][chance.random(len(lengths)) < 0.1]
        data[some + chance.integers(0, 2, len(some))] = chance.choice(EVIL, len(some))
    return data[: len(data) - chance.integers(0, 60)] if chance.random() < 0.5 else data


def one_stream(data: NDArray[np.uint8], room: Guarded, tape: Guarded, orders: Orders) -> tuple[int, dict[str, tuple[int, int]]]:
    """Both paths, the datagram's way, and the table of orders. How many records there were, and the faults."""
    held = room.last(len(data))
    held[:] = data
    count = 2 * (len(data) // 21 + 2)
    fast, slow = make_state(MIDNIGHT_NS, instruments={7: 7}), make_state(MIDNIGHT_NS, instruments={7: 7})
    out = tape.records(count)
    at, n = decode_frames(fast, held, 0, len(held), 0, out, 0)
    decode_tail(fast, at, len(held))
    decode_tail(slow, at, len(held))
    found = out[:n].copy()
    assert careful(slow, held, len(held), out) == n and out[:n].tobytes() == found.tobytes()
    assert fault_report(fast) == fault_report(slow) and fast.counts.tolist() == slow.counts.tolist()
    resolve(orders, found, 0)
    packed = room.last(20 + len(data))
    packed[:20] = np.frombuffer(b"SESSION   " + (1).to_bytes(8, "big") + (STREAM).to_bytes(2, "big"), np.uint8)
    packed[20:] = data
    out = tape.records(room_of(len(packed)))
    decode_datagram(make_mold(), make_state(MIDNIGHT_NS, instruments={7: 7}), packed, 0, len(packed), 0, out, 0, True)
    return n, fault_report(fast)


def run(seed: int, messages: int) -> dict[str, object]:
    """So many spoiled messages. What became of them."""
    random, chance = Random(seed), np.random.default_rng(seed)
    room, tape, orders = Guarded(STREAM * 64), Guarded(STREAM * 64 * TAPE.itemsize), make_orders(1 << 12)
    bases = []
    for _ in range(BASES):
        whole = mixed(random, STREAM - 1)
        bases.append((framed(*whole), np.cumsum([0, *(2 + len(one) for one in whole)]).astype(np.int64)))
    done = records = 0
    faults: dict[str, int] = {}
    while done < messages:
        n, found = one_stream(spoiled(*random.choice(bases), chance), room, tape, orders)
        done, records = done + STREAM, records + n
        for kind, (times, _) in found.items():
            faults[kind] = faults.get(kind, 0) + times
    return {"messages": done, "records": records, "faults": faults}


@hot
def _read(data: Bytes, at: int) -> int:
    return be64(data, at)


if __name__ == "__main__":
    if sys.argv[1] == "overrun":
        print("reading the last eight bytes:", _read(Guarded(8).last(8), 0), flush=True)
        print("one byte beyond:", _read(Guarded(8).last(8), 1), flush=True)
    else:
        print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
