"""A small deterministic stand-in for the kernel, for the tests of ring, segments and re-run: real records, made-up decisions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.ouch.messages import Message as Ouch
from adapters.ouch.messages import decode, encode
from domain import quote as q
from ems.quoting import journal as j
from ems.quoting.derive import Codec, Message
from ems.quoting.segments import Record

SESSION = 77
SYMBOL = "AAPL"


def _read(way: str, data: bytes) -> Message:
    message = decode(way, data)  # type: ignore[arg-type]
    return Message(message.name, message.fields)


CODEC = Codec(lambda data: _read("in", data), lambda data: _read("out", data))


def enter(ref: int, side: str = "B", quantity: int = 100, price: int = 5_853_300) -> bytes:
    fields = {"user_ref_num": ref, "side": side, "quantity": quantity, "symbol": SYMBOL, "price": price, "time_in_force": "0",
              "display": "Y", "capacity": "P", "sweep": "N", "cross_type": "N", "cl_ord_id": ""}  # fmt: skip
    return framed(encode("in", Ouch("enter", fields)))


def framed(payload: bytes) -> bytes:
    return (len(payload) + 1).to_bytes(2, "big") + b"U" + payload


def executed(ref: int, quantity: int, match: int) -> bytes:
    fields = {
        "time_ns": 1,
        "user_ref_num": ref,
        "quantity": quantity,
        "price": 5_853_300,
        "liquidity": "A",
        "match_number": match,
    }
    return encode("out", Ouch("executed", fields))


class StandIn:
    """Its state is the sum of all that it was told; every seventh datagram sends an order."""

    def __init__(self) -> None:
        self.sum = np.zeros(4, np.int64)
        self.records = j.scratch()

    def state(self) -> bytes:
        return self.sum.tobytes()

    def restore(self, state: bytes) -> None:
        self.sum[:] = np.frombuffer(state, np.int64)

    def call(self, parts: Sequence[Record]) -> NDArray[np.uint8]:
        (first,) = parts
        head = first.head
        self.fill(
            self.records.words[0],
            self.records.bytes[0],
            int(head[j.KIND]),
            int(head[j.NOW_NS]),
            first.input,
            int(head[j.SUSPENDED]),
        )
        return self.records.bytes

    def fill(
        self, words: j.I64, raw: j.U8, kind: int, now_ns: int, data: bytes, suspended: int = 0, sequence: int = 1
    ) -> bytes:  # fmt: skip
        """One call's record, published by nobody. What it sends."""
        words[j.HEAD : j.HEAD_WORDS] = 0
        self.sum += [1, sum(data), now_ns % 97, len(data)]
        words[j.KIND], words[j.SESSION], words[j.NOW_NS], words[j.CALL] = kind, SESSION, now_ns, self.sum[0]
        words[j.SUSPENDED], words[j.INPUT_LENGTH], words[j.INVENTORY] = suspended, len(data), self.sum[1] % 500
        raw[j.B_INPUT : j.B_INPUT + len(data)] = np.frombuffer(data, np.uint8)
        words[j.INFERRED] = 0 if kind == j.DATAGRAM else -1
        floats = raw.view(np.float32)
        floats[j.F_OBSERVATION : j.F_OBSERVATION + j.OBSERVATION + j.Z] = np.float32(self.sum[1])
        floats[j.F_ACTION : j.F_ACTION + 4] = np.sqrt(np.arange(4, dtype=np.float32) + np.float32(self.sum[2]))
        output = enter(int(self.sum[0])) if kind == j.DATAGRAM and self.sum[0] % 7 == 0 and not suspended else b""
        words[j.OUTPUT_LENGTH] = len(output)
        raw[j.B_OUTPUT : j.B_OUTPUT + len(output)] = np.frombuffer(output, np.uint8)
        words[j.STAMPS : j.STAMPS + j.N_STAMPS] = np.arange(j.N_STAMPS) * 100
        words[j.CHECK] = j.check_of(words, sequence)
        words[j.SEQUENCE] = sequence
        return output


def opened(run: str = "1") -> q.Opened:
    return q.Opened(
        quoter="maker", trade_date="2026-11-27", run=run, instruments=(q.Quoted(SYMBOL, 10_000_000, 10**9, 7 * 10**9, 1),),
        weights_sha256="", environment_sha256="", configuration="{}", configuration_sha256="", checkpoint_sha256="",
        record_bytes=j.RECORD_BYTES,
    )  # fmt: skip


def made(count: int, *, kernel: StandIn | None = None, first: int = 1) -> NDArray[np.uint8]:
    """Records first .. first + count - 1, (count, RECORD_BYTES)."""
    kernel = kernel or StandIn()
    records = j.scratch(count)
    for i in range(count):
        kind = j.REPORT if i % 11 == 10 else j.TIMER if i % 13 == 12 else j.DATAGRAM
        data = executed(7, 5, i) if kind == j.REPORT else b"" if kind == j.TIMER else bytes([i % 251]) * (20 + i % 60)
        kernel.fill(records.words[i], records.bytes[i], kind, 1_000 * (first + i), data, sequence=first + i)
    return records.bytes


def folder_of(path: Path) -> Path:
    (path / "run").mkdir()
    return path / "run"
