"""`ems update`: the updater over stored tapes: windows of 60 minutes, the world model's nets, and the versions' files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from adapters.postgres.event_log import PostgresEventLog
from domain import model_update as mu
from domain.comparison import Comparison
from domain.errors import WeightsError
from domain.event import Entry, Meta
from domain.model_lineage import Figure, Lineage
from domain.model_version import Alias, ModelCard
from domain.tape import Tape
from ems import model_registry
from ems.bootstrap.build import build_digest, code_sha256
from ems.bootstrap.forecasts import levels_of, session_of
from ems.bootstrap.model_signing import keep
from ems.bootstrap.models import lineage_of, weights_of
from ems.bootstrap.running_day import WORLD_MODEL
from ems.bootstrap.runtime import Runtime
from ems.updater import Gone, Told, Updater, Window
from models import online, online_data
from models.dataset import Examples, event_times, examples
from models.drift_reference import SUFFIX, beside, reference_in
from models.online import BUFFER, WINDOW_NS, Buffer, Update
from models.tape_store import StoredTape, open_tape
from models.weights_store import CHAMPION, Weights, read_weights, write_weights

_RECORDS_MAX: Final = 1 << 22


class Part(NamedTuple):
    """Of a tape: a window's records, and its examples."""

    tape: Tape
    examples: Examples


def windows(stored: StoredTape, lasts_ns: int = WINDOW_NS) -> Iterator[Window]:
    """The whole windows of a tape's first instrument, in order.

    A tape that is still written gives those that are over. Whatever is left at the end joins nothing.

    Raises:
        TapeError: the tape is too short, or its bytes are not those that were sealed.
    """
    session = session_of(stored)
    found = examples(stored, levels=levels_of(stored), session=session, records_max=_RECORDS_MAX)
    tape = stored.records(0, _RECORDS_MAX)
    tape = tape[tape["instrument"] == 0]
    times_ns = event_times(tape)
    begin_ns = session.continuous_ns if session is not None else int(times_ns[0])
    end_ns = session.close_ns if session is not None else int(times_ns[-1])
    while begin_ns + lasts_ns <= end_ns:
        to_ns = begin_ns + lasts_ns
        rows = (tape["ts_event_ns"] >= begin_ns) & (tape["ts_event_ns"] < to_ns)
        part = Part(tape[rows], online.window(found, times_ns, begin_ns, to_ns))
        yield Window(stored.path.name, begin_ns, to_ns, part, stored.header.source.sha256)
        begin_ns = to_ns


class WorldModelNets:
    """Port `ems.updater.Nets` over the world model's files.

    Args:
        kept: where versions are that decide. learning: where the copies are, by digest.
    """

    def __init__(self, kept: Path, learning: Path, how: Update | None = None) -> None:
        self._kept, self._learning, self._how = kept, learning, how or Update()
        self.buffer = Buffer(BUFFER)
        self._read = lru_cache(maxsize=4)(self._found)

    def has(self, digest: str) -> bool:
        """As the port says."""
        try:
            self._read(digest)
        except WeightsError:
            return False
        return True

    def faults(self, window: Window) -> tuple[str, ...]:
        """As the port says."""
        return online_data.faults(window.data.tape, window.data.examples, self.buffer.windows)

    def judge(self, digest: str, window: Window) -> Told:
        """As the port says."""
        told = online.scores(online.loaded(self._read(digest).tensors), window.data.examples)
        return Told(told.earned.tolist(), float(told.log_loss.mean()))

    def learn(self, digest: str, window: Window) -> Gone:
        """As the port says."""
        self.buffer.add(window.data.examples)
        before = self._read(digest)
        done = online.learn(before.tensors, self.buffer.recent(self._how.recent), self._how)
        said = {"seed": str(self._how.seed), "parent": digest, "code": code_sha256(), "data": self._data(before, window)}
        said["trained_until"] = window.data.examples.day
        self._learning.mkdir(parents=True, exist_ok=True)
        new = self._learning / "newest.safetensors"
        made = write_weights(new, done.tensors, said)
        new.replace(self._learning / f"{made}.safetensors")
        self._hand_on(digest, made)
        return Gone(
            made, done.data_sha256, done.rows, len(self.buffer), self._how.seed, self._how.steps,
            done.loss_before, done.loss_after,
        )  # fmt: skip

    def distance(self, one: str, other: str) -> float:
        """As the port says."""
        return online.distance(self._read(one).tensors, self._read(other).tensors)

    def admit(self, card: ModelCard, parent: str, figures: tuple[Figure, ...]) -> tuple[Lineage, str, str]:
        """As the port says."""
        path = self._learning / f"{card.digest}.safetensors"
        lineage = lineage_of(path, card).model_copy(update={"parent": parent, "figures": figures})
        return lineage, *keep(self._kept, path, card, lineage)

    def _hand_on(self, parent: str, made: str) -> None:
        """A parent's drift reference is its child's: against what was usual before a copy has gone a little way it is judged,
        until somebody makes one of its own. What is unmonitored has unmonitored children.
        """
        places = (*(folder / f"{parent}{SUFFIX}" for folder in (self._learning, self._kept)), beside(CHAMPION))
        if any(place.exists() for place in places):
            reference_in(places, parent)._replace(weights_sha256=made).write(self._learning / f"{made}{SUFFIX}")

    def _found(self, digest: str) -> Weights:
        path = self._learning / f"{digest}.safetensors"
        return read_weights(path if path.exists() else weights_of(self._kept, digest), digest)

    @staticmethod
    def _data(before: Weights, window: Window) -> str:
        known: dict[str, str] = json.loads(before.metadata.get("data", "{}"))
        return json.dumps(known | {window.source: window.sha256})


async def run(
    log: PostgresEventLog, runtime: Runtime, tapes: Sequence[Path], told: Callable[[Window, str], None], *,
    lasts_ns: int = WINDOW_NS, how: Update | None = None,
) -> dict[str, int]:  # fmt: skip
    """Every window of these tapes that the log does not know yet; how many came to what.

    The buffer is rebuilt from the windows before, as far as these tapes hold them.

    Raises:
        TapeError, WeightsError, LogError: what was done so far stays done, and the next run goes on behind it.
    """
    kept = runtime.settings.state_directory / "models"
    nets = WorldModelNets(kept, kept / "learning", how)
    updater = Updater(log, runtime.clock(), nets, model=WORLD_MODEL, build=build_digest())
    seen_ns, found = (await updater.state()).seen_ns, dict[str, int]()
    for path in tapes:
        stored = open_tape(path)
        if bad := stored.verify():
            whole = Window(path.name, stored.header.first_ns, stored.header.last_ns, None)
            await updater.refuse(whole, (f"other bytes than were sealed: {', '.join(bad)}",))
            found["refused"] = found.get("refused", 0) + 1
            continue
        for window in windows(stored, lasts_ns):
            if window.to_ns <= seen_ns:
                nets.buffer.add(window.data.examples)
                continue
            came = await updater.take(window)
            found[came] = found.get(came, 0) + 1
            told(window, came)
    return found


async def say(runtime: Runtime, log: PostgresEventLog, decide: Callable[[mu.Updating, str, int], Any], person: str) -> Any:
    """An authenticated person's word about the envelope: the event, durable, or why not.

    Args:
        decide: of the state, the champion and the time.
    """
    stream = mu.key(WORLD_MODEL)
    state = mu.fold([one.event for one in await log.read(stream)])
    champion = (await model_registry.registry(log)).holder(WORLD_MODEL, Alias.CHAMPION) or ""
    at_ns = runtime.clock().now_ns()
    decided = decide(state, champion, at_ns)
    if not isinstance(decided, mu.Refused):
        meta = Meta(at_ns, f"person:{person}", correlation=stream, causation="command:update", build=build_digest())
        await log.append([Entry(stream, state.version, (decided,), meta)])
    return decided


async def status(log: PostgresEventLog) -> dict[str, Any]:
    """Where learning stands."""
    state = mu.fold([one.event for one in await log.read(mu.key(WORLD_MODEL))])
    envelope = None
    if (found := state.envelope) is not None:
        said = found.proposed
        envelope = {
            "persons": [said.person, *([found.second] if found.second else [])], "holds": bool(found.second),
            "distance_max": said.distance_max, "per_day": said.per_day, "until_ns": said.until_ns, "anchor": said.anchor,
        }  # fmt: skip
    return {
        "champion": state.champion, "copy": state.copy, "distance": state.distance, "updates": state.updates,
        "seen_ns": state.seen_ns, "envelope": envelope, "watched": state.watched, "before": state.before,
        "so_far": _told(state.so_far), "since": _told(state.since),
    }  # fmt: skip


def _told(found: Comparison) -> dict[str, Any]:
    low, high = found.interval or (None, None)
    return {
        "blocks": found.gain.blocks, "gain_bps": found.gain.mean, "low": low, "high": high,
        "daily_sharpe_gain": found.sharpe_gain, "verdict": found.verdict,
    }  # fmt: skip
