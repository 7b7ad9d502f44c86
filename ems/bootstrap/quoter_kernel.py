"""The compiled kernel as the quoter's loop and the re-run have it: its arrays made from the configuration, kept and taken up."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.mold import NEXT as FEED_NEXT
from domain.errors import JournalError, WeightsError
from ems.bootstrap.model_signing import verified
from ems.quoting import journal as j
from ems.quoting import state as s
from ems.quoting.held import Held
from ems.quoting.reports import resynchronised
from ems.quoting.segments import Record
from ems.quoting_settings import QuotingSettings
from models.inference import put_weights
from models.weights_store import CHAMPION, Weights, read_weights

_MAGIC: Final = b"EMSSTAT1"
_LEVEL: Final = 1


def weights_for(directory: Path, digest: str) -> Weights:
    """The version that a configuration names, kept in the directory or come with the code; "": the champion.

    Raises:
        WeightsError: it is not here, or is kept without a signature that is trusted.
    """
    if not digest:
        return read_weights(CHAMPION)
    kept = directory / f"{digest}.safetensors"
    for path in (kept, *sorted(CHAMPION.parent.glob("*.safetensors"))):
        if path == kept and path.exists():
            verified(path)
        if path.exists() and (found := read_weights(path, step=None)).digest == digest:
            return found
    raise WeightsError(f"no weights of version {digest[:12]} are kept here")


def quoter_arrays(
    settings: QuotingSettings, weights: Weights, midnight_ns: int, *, records: j.Records | None = None,
    latch: NDArray[np.int64] | None = None, scopes: Sequence[int] = (), firm: NDArray[np.int64] | None = None,
    beat_max_ns: int = 0,
) -> s.Quoter:  # fmt: skip
    """The arrays of a quoter before its first datagram. Raises ValueError: weights that are not finite."""
    terms = {
        each.locate: s.Terms(
            each.symbol, each.size_lots, each.edge_half_ticks, each.inventory_max_lots, each.order_max_lots,
            round(each.collar_bp * 100_000), each.quotes_max,
        )
        for each in settings.instruments
    }  # fmt: skip
    q = s.make_quoter(
        terms, midnight_ns, latch=_read_only(s.armed_latch()) if latch is None else latch,
        scopes=np.array(scopes, np.uint64).view(np.int64), firm=firm, records=records, messages_per_s=settings.messages_per_s,
    )  # fmt: skip
    assert put_weights(q.net.core, weights.tensors, weights.digest)
    q.market.mold.meta[FEED_NEXT] = 1  # the feed's first message: what was before us is asked for
    w = q.own.words
    w[s.STALE_NS], w[s.LATE_NS] = round(settings.stale_s * 1e9), round(settings.late_s * 1e9)
    w[s.TOXIC_E6], w[s.BEAT_MAX_NS] = round(settings.toxicity_logit * 1e6), beat_max_ns
    w[s.WORST_LOTS_MAX], w[s.WORST_CENTS_MAX] = settings.worst_lots, settings.worst_notional * 100
    return q


class LiveKernel:
    """See `ems.quoting.quoter.Kernel`."""

    def __init__(self, q: s.Quoter, settings: QuotingSettings) -> None:
        self.q = q
        self._held = Held(q)
        self._words = q.own.words
        self._place = q.call.place
        self._mold = q.market.mold
        self._settings = settings
        self._out = np.zeros(j.OUTPUT_BYTES, np.uint8)
        self.out = memoryview(self._out)  # type: ignore[arg-type]

    def datagram(self, data: NDArray[np.uint8], length: int, now_ns: int) -> int:
        return self._held.datagram(data, length, now_ns, self._out)

    def report(self, data: NDArray[np.uint8], number: int, now_ns: int) -> int:
        self._words[s.REPORT_NEXT] = number
        return self._held.report(data, len(data), now_ns, self._out)

    def timer(self, now_ns: int) -> int:
        return self._held.timer(now_ns, self._out)

    def suspend(self, why: int) -> None:
        self._words[s.SUSPENDED] = why

    def widen(self, spread_e9: int) -> None:
        self._words[s.SPREAD_E9] = spread_e9

    def room_until(self, number: int) -> None:
        self._place[j.ROOM_UNTIL] = number

    def last(self) -> int:
        return int(self._place[j.NEXT]) - 1

    def move_to(self, number: int) -> None:
        self._place[j.NEXT] = number + 1

    def undone(self) -> bool:
        return bool(self._words[s.UNDONE])

    def live(self) -> int:
        return int(self._words[s.LIVE])

    def out_of_step(self) -> str:
        bits = int(self._words[s.OUT_OF_STEP])
        return ", ".join(name for bit, name in s.NAMES.items() if bits & bit)

    def feed(self) -> tuple[bytes, int, int, bool]:
        mold, words = self._mold, self._words
        return mold.session.tobytes(), int(mold.meta[FEED_NEXT]), int(words[s.FEED_TOP]), bool(words[s.SILENT])

    def resynchronise(self, positions: dict[str, int], next_ref: int) -> None:
        """Raises JournalError where the venue says that we hold what we do not quote."""
        known = {each.symbol: each for each in self._settings.instruments}
        if strangers := sorted(positions.keys() - known.keys()):
            raise JournalError(f"the venue says that we hold {strangers[0]}, which is not quoted here")
        held = {each.locate: each.position_lots + positions.get(each.symbol, 0) for each in known.values()}
        resynchronised(self.q.own, held, next_ref)

    def state(self) -> bytes:
        """See `state_of`."""
        return state_of(self.q)

    def write_state(self, path: Path) -> None:
        """As `state`, into a file, in a few milliseconds: neither packed nor brought to the disk, which its reader does."""
        fresh = path.with_suffix(".new")
        fresh.write_bytes(state_of(self.q, level=0))
        fresh.rename(path)


def state_of(q: s.Quoter, *, level: int = _LEVEL) -> bytes:
    """Everything that decisions depend on but the weights: b"EMSSTAT1", and a zlib stream of a line of JSON and the arrays."""
    parts = s.parts_of(q)
    head = json.dumps({"shapes": [[part.dtype.str if part.dtype.names is None else "V", *part.shape] for part in parts]})
    return _MAGIC + zlib.compress(b"".join([head.encode(), b"\n", *(part.tobytes() for part in parts)]), level)


def take_up(q: s.Quoter, state: bytes) -> None:
    """The state of `state_of` into arrays that were made alike. Raises JournalError where they were not."""
    try:
        if state[:8] != _MAGIC:
            raise ValueError("it begins otherwise")
        head, _, body = zlib.decompress(state[8:]).partition(b"\n")
        shapes = json.loads(head)["shapes"]
    except (ValueError, KeyError, TypeError, zlib.error) as cause:
        raise JournalError(f"this is no kept state of a quoter: {cause}") from cause
    parts = s.parts_of(q)
    ours = [[part.dtype.str if part.dtype.names is None else "V", *part.shape] for part in parts]
    if shapes != ours or len(body) != sum(part.nbytes for part in parts):
        raise JournalError("the state is of a quoter with other instruments or another build")
    at = 0
    for part in parts:
        part[...] = np.frombuffer(body, part.dtype, part.size, at).reshape(part.shape)
        at += part.nbytes


def warmed(settings: QuotingSettings, weights: Weights) -> None:
    """Compile everything, or load it from the disk, on arrays that nobody needs."""
    rows = max(each.locate for each in settings.instruments) + 1
    Held(quoter_arrays(settings, weights, 0, firm=_read_only(np.zeros((rows, j.N_EXPOSURE), np.int64)))).warm()


def _read_only(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """As what is mapped to be read: compiled code has one form for these, and another one for arrays that may be written."""
    array = array.view()
    array.setflags(write=False)
    return array


class Replica:
    """See `ems.quoting.rerun.Kernel`."""

    def __init__(self, settings: QuotingSettings, weights: Weights) -> None:
        self._firm = np.zeros((max(each.locate for each in settings.instruments) + 1, j.N_EXPOSURE), np.int64)
        self.q = quoter_arrays(settings, weights, 0, firm=_read_only(self._firm))
        self._held = Held(self.q)
        self._out = np.zeros(j.OUTPUT_BYTES, np.uint8)
        self._input = np.zeros(j.INPUT_BYTES, np.uint8)

    def restore(self, state: bytes) -> None:
        take_up(self.q, state)

    def state(self) -> bytes:
        return state_of(self.q)

    def call(self, parts: Sequence[Record]) -> NDArray[np.uint8]:
        q, head, data = self.q, parts[0].head, parts[0].input
        w, place = q.own.words, q.call.place
        w[s.REPLAYED], w[s.REPLAYED_KILL], w[s.REPLAYED_AGAIN] = 1, head[j.KILL], head[j.KILL_AGAIN]
        w[s.SUSPENDED], w[s.REPORT_NEXT], w[s.SESSION] = head[j.SUSPENDED], head[j.REPORT_NEXT], head[j.SESSION]
        w[s.SPREAD_E9] = head[j.SPREAD]
        for part in parts:
            if part.head[j.INSTRUMENT] >= 0:
                self._firm[part.head[j.INSTRUMENT]] = part.head[j.EXPOSURE : j.EXPOSURE + j.N_EXPOSURE]
        first = parts[0].number
        place[j.NEXT], place[j.ROOM_UNTIL] = first, first + j.PARTS_MAX - 1
        self._input[: len(data)] = np.frombuffer(data, np.uint8)
        now_ns, length = int(head[j.NOW_NS]), len(data)
        match int(head[j.KIND]):
            case j.DATAGRAM:
                self._held.datagram(self._input, length, now_ns, self._out)
            case j.REPORT:
                self._held.report(self._input, length, now_ns, self._out)
            case j.TIMER:
                self._held.timer(now_ns, self._out)
            case kind:
                raise JournalError(f"record {first} is of no kind that is a call: {kind}")
        raw = q.call.records.bytes
        found: NDArray[np.uint8] = raw[np.arange(first - 1, int(place[j.NEXT]) - 1) % len(raw)]
        return found


def digest(data: bytes) -> str:
    """SHA-256 as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
